"""Arguments of any wrong kind, to every public function: no error of Python without advice."""

from __future__ import annotations

import inspect
import os
import traceback
from pathlib import Path

import pytest

import gsfm
from gsfm.models import Linear

GENES = ["TP53", "MDM2"]
ROWS = [["TP53", "MDM2", "CDKN1A", "BAX"], ["EGFR", "ERBB2", "GRB2"], ["MYC", "MAX", "TP53"]] * 5
TERMS = {"arrest": ["TP53", "BAX", "MDM2"], "growth": ["EGFR", "GRB2"]}
SETS = gsfm.GeneSets.from_lists(ROWS)
MODEL = Linear(regularization=1.0, dimensions=2).fit(SETS)
RANKED = {"TP53": 1.0, "MDM2": -1.0, "BAX": 2.0, "EGFR": 0.5}
#: No argument is all of these; some are right for some parameters.
WRONG = {
    **{"None": None, "negative": -1, "huge": 10**30, "half": 2.5, "nan": float("nan")},
    **{"empty": "", "bytes": b"x", "no path": Path("/no/such/file"), "object": object()},
    **{"list": [], "nested": [[]], "missing": [None], "dict": {}, "type": int},
}
#: Right arguments of the parameters of all functions, and those of some.
RIGHT = {
    **{"text": "arrest", "gene": "BAX", "identifier": "TP53", "locus": "chr17:7600000-7700000"},
    **dict.fromkeys(("genes", "identifiers", "symbols", "about", "seeds"), GENES),
    **{"candidates": ["BAX"], "ranked": RANKED, "sets": SETS, "corpus": SETS, "model": MODEL},
    **dict.fromkeys(("library", "libraries", "among"), TERMS),
    **{"collections": [SETS], "min_size": 1, "permutations": 5, "draws": 20, "source": TERMS},
    **{"pairs": SETS.near_duplicates(), "n_sets": len(SETS), "why": False},
}
OWN = {
    "corpus.load": {"corpus": "/no/such/file"},
    "genes.read": {"path": "/no/such/file"},
    "libraries.load": {"name": TERMS},
    "libraries.show": {"name": "families"},
    "sets.read": {"path": "/no/such/file"},
    "sets.write": {"path": "none/such/file.gmt"},
}
#: If one of these is None, it is what is shipped.
DEFAULTS = ("library", "libraries", "model", "path")
#: They write files, start processes, or are slow; tests of their own have them.
EXCLUDED = {"corpus.build", "corpus.plot", "map", "models.calibrate", "models.train"}


def functions():
    found = {}
    for package in ("genes", "sets", "libraries", "corpus", "models", "analysis"):
        module = getattr(gsfm, package)
        for name in module.__all__:
            if inspect.isfunction(function := getattr(module, name)):
                found[name if package == "analysis" else f"{package}.{name}"] = function
    return {name: function for name, function in found.items() if name not in EXCLUDED}


FUNCTIONS = functions()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_argument_is_an_error_without_advice(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GSFM_HOME", str(tmp_path))
    function, plain = FUNCTIONS[name], []
    parameters = inspect.signature(function).parameters
    right = {key: value for key, value in RIGHT.items() if key in parameters} | OWN.get(name, {})
    for parameter in set(parameters) - {"cache", "options", "progress", "mirror"}:
        for kind, wrong in WRONG.items():
            if wrong is None and parameter in DEFAULTS:
                continue
            try:
                function(**right | {parameter: wrong})
            except Exception as error:
                last = traceback.extract_tb(error.__traceback__)[-1]
                good = isinstance(error, gsfm.GsfmError | TypeError | ValueError | OSError)
                said = f"{os.sep}gsfm{os.sep}" in last.filename and "raise" in last.line
                if not (good and said) or "\n" in str(error):
                    plain.append(f"{parameter}={kind}: {type(error).__name__}: {error}")
    assert plain == []
