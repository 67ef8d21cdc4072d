"""Arguments of the wrong type or size: one line that names the parameter, in every verb."""

from __future__ import annotations

import pytest

import gsfm
from gsfm.models import Linear

GENES = ["TP53", "MDM2"]
ROWS = [["TP53", "MDM2", "CDKN1A", "BAX"], ["EGFR", "ERBB2", "GRB2"], ["MYC", "MAX", "TP53"]] * 5
TERMS = {"a": ["TP53", "BAX", "MDM2"], "b": ["EGFR", "GRB2"]}
SETS = gsfm.GeneSets.from_lists(ROWS)
MODEL = Linear(regularization=1.0, dimensions=2).fit(SETS)

#: A call of each verb, with a parameter that is a number.
CALLS = {
    "complete top": lambda n: gsfm.complete(GENES, top=n, model=MODEL),
    "annotate top": lambda n: gsfm.annotate("TP53", TERMS, top=n, model=MODEL),
    "explain top": lambda n: gsfm.explain("BAX", GENES, top=n, model=MODEL),
    "explain random_state": lambda n: gsfm.explain("BAX", GENES, random_state=n, model=MODEL),
    "relate top": lambda n: gsfm.relate("TP53", top=n, model=MODEL),
    "relate random_state": lambda n: gsfm.relate("TP53", "BAX", random_state=n, model=MODEL),
    "nearest top": lambda n: gsfm.nearest(GENES, TERMS, top=n, model=MODEL),
    "enrich top": lambda n: gsfm.enrich(GENES, TERMS, method="ora", min_size=1, top=n),
    "enrich random_state": lambda n: gsfm.enrich(GENES, TERMS, random_state=n, model=MODEL),
    "prioritize top": lambda n: gsfm.prioritize(["BAX"], seeds=GENES, top=n, model=MODEL),
    "targets top": lambda n: gsfm.discover.targets(GENES, top=n, model=MODEL),
    "understudied top": lambda n: gsfm.discover.understudied(TERMS, top=n, model=MODEL),
    "network add": lambda n: gsfm.network(GENES, add=n, model=MODEL),
    "network random_state": lambda n: gsfm.network(GENES, random_state=n, model=MODEL),
    "map most": lambda n: gsfm.map(SETS, most=n, model=MODEL),
    "map random_state": lambda n: gsfm.map(SETS, random_state=n, model=MODEL),
    "embed dimensions": lambda n: gsfm.embed(GENES, dimensions=n, model=MODEL),
    "describe top": lambda n: gsfm.corpus.describe(SETS, top=n),
    "train random_state": lambda n: gsfm.train(MODEL, SETS, "unused", random_state=n),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_number_of_the_wrong_type_or_size(call):
    name = call.split()[-1]
    for wrong in ("5", 2.5, True, [5]):
        with pytest.raises(TypeError, match=f"^{name} must be a whole number, not "):
            CALLS[call](wrong)
    with pytest.raises(ValueError, match=f"^{name} must be . or more, not -1$"):
        CALLS[call](-1)
    with pytest.raises(ValueError, match=f"^{name} must be a number of up to 18 digits"):
        CALLS[call](10**30)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gsfm.map(GENES, model=MODEL), "mapping or a GeneSets, not list: use gsfm.GeneSe"),
        (lambda: gsfm.nearest(GENES, 5, model=MODEL), "a library is a name, a file, .* not int"),
        (lambda: gsfm.sets.write(ROWS, "a.gmt"), "sets must be a GeneSets, not list: use gsfm.G"),
        (lambda: gsfm.train("linear", SETS, "m"), r"such as gsfm.models.Linear\(\), not 'linear'"),
        (lambda: gsfm.train(Linear, SETS, "m"), r"such as gsfm.models.Linear\(\), not <class"),
        (lambda: gsfm.train(Linear(), "a.gmt", "m"), "GeneSets, not str: use gsfm.corpus.load"),
    ],
)
def test_an_argument_of_the_wrong_type_names_the_right_call(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_a_mapping_is_written_as_a_collection(tmp_path):
    gsfm.sets.write(TERMS, tmp_path / "a.gmt")
    assert gsfm.sets.read(tmp_path / "a.gmt").names == ["a", "b"]


def test_the_map_says_the_limit_of_its_seed():
    with pytest.raises(ValueError, match="random_state must be below 4,294,967,296"):
        gsfm.map(SETS, random_state=1 << 32, model=MODEL)
