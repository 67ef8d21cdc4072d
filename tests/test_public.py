"""The public interface: its names, the parameters of its verbs, and what an import costs."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys

import pytest

import gsfm

#: The parameters of every verb, in order; those after "*" by name only.
VERBS = {
    "annotate": "genes libraries * top which fast missing_fraction model species cache progress",
    "complete": "genes * top background exclude include_input missing_fraction model species "
    "batch_size progress",
    "discover.biomarkers": "about * library top which background model species progress",
    "discover.targets": "about * library top which background model species progress",
    "discover.understudied": "library * max_papers coding top top_terms min_size max_size"
    " background model species cache progress",
    "embed": "genes * dimensions model species progress",
    "enrich": "genes libraries * method background top min_size max_size top_genes weight"
    " permutations random_state n_threads group model species progress",
    "explain": "gene genes * top random_state model species",
    "map": "sets * most random_state name model species progress",
    "nearest": "genes among * by top model species",
    "network": "genes * add min_relation degree random_state model species progress",
    "prioritize": "candidates * terms seeds library top why model species progress",
    "relate": "gene other * context libraries top draws random_state model species progress",
    "term": "text library * top which missing_fraction model progress",
}


def verb(name: str):
    found = gsfm
    for part in name.split("."):
        found = getattr(found, part)
    return found


def test_all_names_are_there():
    assert sorted(gsfm.__all__) == gsfm.__all__ == dir(gsfm)
    assert all(getattr(gsfm, name) is not None for name in gsfm.__all__)
    with pytest.raises(AttributeError, match="no attribute 'completions'"):
        gsfm.completions  # noqa: B018


def test_every_function_of_the_face_is_a_verb():
    functions = {n for n in gsfm.__all__ if inspect.isfunction(getattr(gsfm, n))}
    functions |= {f"discover.{n}" for n in ("biomarkers", "targets", "understudied")}
    assert functions - {"load", "train"} == set(VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_the_parameters_of_a_verb(name):
    shown, star = [], False
    for parameter in inspect.signature(verb(name)).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            shown.append("*")
            star = True
        shown.append(parameter.name)
    assert " ".join(shown) == VERBS[name]


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_is_documented_with_an_example(name):
    text = inspect.getdoc(verb(name))
    assert doctest.DocTestParser().get_examples(text)  # run where the verb is
    for parameter in inspect.signature(verb(name)).parameters:
        assert f"\n{parameter}\n" in text or parameter in text.split("Returns")[0]


def test_an_import_loads_nothing_that_is_not_used():
    code = (
        "import sys, gsfm; "
        "print({m for m in sys.modules if m.split('.')[0] in ('numpy', 'polars', 'scipy')})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_help_needs_no_extra():
    extras = "anndata datasketch fastexcel gseapy implicit jinja2 lightning matplotlib msgspec"
    extras += " networkx pandas python_calamine sklearn torch xlsxwriter"
    code = f"""
import sys
sys.modules.update(dict.fromkeys({extras.split()}))  # None: cannot be imported
import pydoc
import gsfm
pydoc.render_doc(gsfm)
for name in set(dir(gsfm)) - {{"__version__"}}:
    pydoc.render_doc(getattr(gsfm, name))
try:
    gsfm.benchmark.run
except gsfm.MissingExtraError as error:
    print(error)
assert not hasattr(gsfm.benchmark, "nonsense")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == (
        "A benchmark needs the extra bench: pip install '.[bench]' in the source folder of gsfm\n"
    ), done.stderr
