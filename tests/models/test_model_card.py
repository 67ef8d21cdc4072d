"""The model card: counts come from the model and its own benchmark, or are left out."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from gsfm import GeneSets
from gsfm.models import (
    Adaptive,
    Attribute,
    Cooccurrence,
    Features,
    Linear,
    Model,
    Popularity,
)
from gsfm.models.registry import SHIPPED

ROOT = Path(__file__).parent.parent.parent
SETS = GeneSets.from_lists(
    [["TP53", "MDM2", "CDKN1A"], ["TP53", "BAX", "MDM2"], ["EGFR", "ERBB2", "KRAS"]] * 3
)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "build_model_card", ROOT / "scripts" / "build_model_card.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model() -> Adaptive:
    """Ten members, as in the adaptive model by default, save the one that needs torch."""
    members: list[Model] = [
        Cooccurrence(),
        Linear(regularization=3),
        *(Features(of=of) for of in ("words", "domains", "windows", "regions")),
        *(Attribute(of=of) for of in ("length", "coding", "autosomal")),
        Popularity(),
    ]
    weights = [1.0, 0.2, 0.2, 0.2, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0]
    return Adaptive.of([m.fit(SETS) for m in members], weights, prior_precision=7)


def rows(card: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading row that starts so."""
    lines = card.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def test_the_committed_card_is_up_to_date(script: ModuleType) -> None:
    assert script.TARGET.read_text(encoding="utf-8") == script.render(), (
        "run python scripts/build_model_card.py"
    )


def test_the_shipped_model_by_its_own_files(script: ModuleType) -> None:
    card = script.render()
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    config = json.loads((SHIPPED / "config.json").read_text())
    assert card.startswith(f"# Model card: {manifest['name']}\n")
    assert manifest["corpus"]["hash"] in card
    assert f"{manifest['corpus']['sets']['kept']:,}" in card
    assert [row[1] for row in rows(card, "member")] == [f"{w:g}" for w in config["weights"]]
    of_licenses = rows(card, "license")
    assert sum(int(n) for _, n in of_licenses) == len(manifest["corpus"]["inputs"])
    for each in manifest["corpus"]["inputs"]:
        assert each["source"] in card
    for word in ("Clinical decisions", "hypothesis", "BSD-3-Clause", "vocabulary", "ortholog"):
        assert word in card
    assert "$" not in card


def test_an_adaptive_model_of_ten_with_a_poor_manifest(
    script: ModuleType, model: Adaptive, tmp_path: Path
) -> None:
    model.manifest = {"members": [{} for _ in model.members]}
    model.save(tmp_path / "mine")
    card = script.render(tmp_path / "mine")
    assert card.startswith("# Model card: mine\n")
    found = rows(card, "member")
    assert [row[:2] for row in found] == [
        ["cooccurrence", "1"],
        ["linear", "0.2"],
        ["features, words", "0.2"],
        ["features, domains", "0.2"],
        ["features, windows", "0.6"],
        ["features, regions", "0"],
        ["attribute, length", "0"],
        ["attribute, coding", "0"],
        ["attribute, autosomal", "0"],
        ["popularity", "0"],
    ]
    assert found[1][3].startswith("regularization 3, ")
    assert {row[2] for row in found} == {"7"}
    assert "The prior precision (`prior_precision` in the configuration)" in card
    assert rows(card, "fitted")[1] == ["linear", *["not recorded"] * 5]
    assert "| corpus | not recorded |" in card
    assert "The libraries and their licenses: not recorded." in card
    assert "## Probabilities" not in card
    # The benchmark is not of this model: its figures are not in the card.
    assert card.count("run on another model") == 2
    assert "AUROC |" not in card


def test_what_a_rich_manifest_tells(script: ModuleType, model: Adaptive, tmp_path: Path) -> None:
    model.manifest |= {
        "name": "rich",
        "gsfm_version": "9.8.7",
        "corpus": {
            "hash": "ab12",
            "sets": {"kept": 1234, "read": 2000, "dropped": {"too_small": 766, "rare_genes": 0}},
            "genes": {"kept": 567},
            "settings": {"min_size": 5, "max_size": 1000, "min_gene_sets": 3},
            "inputs": [
                {"source": "one", "license": "License: CC0"},
                {"source": "two", "license": "GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2"},
                {"source": "three", "license": "GPL-3"},
                {"source": "four"},
            ],
        },
        "metrics": {"held_out_sets": 100, "recall_at_50": 0.25},
        "calibration": {
            "meaning": "the chance of being right",
            "sets": 20000,
            "error_top_100": 0.0123,
            "unseen": {"GO": 0.018},
        },
    }
    model.manifest["members"][0]["training"] = {"seconds": 90, "peak_memory_bytes": 2_000_000_000}
    model.save(tmp_path / "mine")
    card = script.render(tmp_path / "mine")
    assert "| made with | gsfm 9.8.7 |" in card
    assert rows(card, "reason for exclusion") == [
        ["too few mapped genes (many papers have only one or two)", "766"]
    ]
    assert "| size of a set | 5 to 1,000 genes |" in card
    assert rows(card, "license") == [["GPL-3", "2"], ["CC0 1.0", "1"], ["none stated", "1"]]
    assert "- **GPL-3**: three, two\n" in card
    assert rows(card, "fitted")[0][:3] == ["cooccurrence", "90 s", "2.0 GB"]
    recall = "The mean recall@50 of the whole model on 100 held-out sets is 25.0%: "
    assert recall in " ".join(card.split())
    assert "A probability is the chance of being right.\n" in card
    assert rows(card, "calibrated on") == [
        ["sets", "20,000"],
        ["error top 100", "0.0123"],
        ["unseen, GO", "0.018"],
    ]


def test_figures_are_those_of_the_summary(
    script: ModuleType, model: Adaptive, tmp_path: Path
) -> None:
    model.save(tmp_path / "mine")
    files = ("config.json", "vocab.txt", "model.safetensors")
    hashes = {
        f"shipped/{file}": hashlib.sha256((tmp_path / "mine" / file).read_bytes()).hexdigest()
        for file in files
    }

    def result(task: str, method: str, metric: str, kind: str, *figure: float) -> dict:
        return {"task": task, "method": method, "metric": metric, kind: list(figure)}

    def part(task: str, by: str, stratum: str, figure: float) -> dict:
        of = {"by": by, "stratum": stratum, "metric": "auroc", "n": 9}
        return {"task": task, "method": "shipped", **of, "median": [figure, 0, 1]}

    half = {"protocol": "half-split", "background": 14000, "about": {}}
    summary = {
        "about": {"data": hashes},
        "tasks": [
            {"task": "GO", "terms": 5000, **half},
            {"task": "GO, dirty", "terms": 5000, **half, "about": {"noise": 0.2}},
            {"task": "empty", "terms": 0, **half},
            {"task": "few", "terms": 9, "protocol": "hold-out", "background": 9, "about": {}},
        ],
        "results": [
            result("GO", "shipped", "auroc", "median", 0.9, 0.89, 0.91),
            result("GO", "shipped", "average_precision", "mean", 0.2, 0.1, 0.3),
            result("GO", "popularity", "auroc", "median", 0.6, 0.5, 0.7),
            result("GO, dirty", "shipped", "auroc", "median", 0.85, 0.8, 0.9),
        ],
        "strata": [
            part("GO", "popularity", "1", 0.3),
            part("GO", "leaked", "not leaked", 0.88),
            part("few", "shown, same terms", "3", 0.7),
            part("few", "shown, same terms", "10", 0.8),
        ],
    }
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(summary))
    card = script.render(tmp_path / "mine", path)
    found = rows(card, "library | terms | background genes")
    go = ["GO", "5,000", "14,000", "0.900 (0.890–0.910)", "–", "0.200 (0.100–0.300)", "0.600 / –"]
    dirty = ["GO, dirty", "5,000", "14,000", "0.850 (0.800–0.900)", "–", "–", "– / –"]
    assert found == [go, dirty]
    shown = [line for line in card.splitlines() if line.startswith("| library | terms | ")]
    assert shown[1] == "| library | terms | 3 shown | 10 shown |"
    assert "| few | 9 | 0.700 | 0.800 |" in card
    assert rows(card, "library | fewest sets") == [["GO", "0.300", "–", "–", "–", "–", "0.880"]]
    # A byte more in a file, and it is another model.
    with (tmp_path / "mine" / "vocab.txt").open("a") as file:
        file.write("KRAS2\n")
    assert not script.is_of(summary, tmp_path / "mine")
