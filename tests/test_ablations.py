"""The record of experiments: its tables are those of its runs, and wrong runs are refused."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from gsfm import FormatError

FOLDER = Path(__file__).parent.parent / "benchmarks" / "ablations"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ablations_table", FOLDER / "table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(script: ModuleType, **changes: str) -> dict[str, str]:
    run = dict.fromkeys(script.COLUMNS, "")
    return run | {"question": "wide", "date": "2026-11-22", "change": "512"} | changes


def test_the_committed_tables_are_up_to_date(script: ModuleType) -> None:
    text = script.README.read_text(encoding="utf-8")
    assert script.render(text, script.read()) == text, "run python benchmarks/ablations/table.py"


def test_the_committed_runs_are_plausible(script: ModuleType) -> None:
    runs = script.read()
    assert len({tuple(run.values()) for run in runs}) == len(runs)
    for run in runs:
        for library in script.LIBRARIES:
            auroc, ap, matched = (run[f"{library}_{figure}"] for figure in script.FIGURES)
            assert bool(auroc) == bool(ap)
            for value in (auroc, ap, matched):
                assert not value or 0 < float(value) < 1
        assert any(run[f"{library}_auroc"] for library in script.LIBRARIES)


def test_tables_by_hand(script: ModuleType) -> None:
    runs = [
        made(script, go_auroc="0.89876", go_ap="0.2", go_matched="0.88", seconds="100"),
        made(script, change="768", go_auroc="0.9", go_ap="0.21", kegg_auroc="0.95"),
        made(script, question="deep", change="two blocks", recall_50="0.35"),
    ]
    text = (
        "# A\n<!-- runs: wide -->\nold\n<!-- end -->\n\nB\n<!-- runs: deep -->\n<!-- end -->\nC\n"
    )
    assert script.render(text, runs).splitlines() == [
        "# A",
        "<!-- runs: wide -->",
        "",
        "| run | seconds | GO BP 2023 | KEGG 2021 |",
        "| --- | --- | --- | --- |",
        "| 512 | 100 | 0.899 / 0.200 (0.880) |  |",
        "| 768 |  | 0.900 / 0.210 | 0.950 |",
        "",
        "<!-- end -->",
        "",
        "B",
        "<!-- runs: deep -->",
        "",
        "| run | recall@50 |",
        "| --- | --- |",
        "| two blocks | 0.35 |",
        "",
        "<!-- end -->",
        "C",
    ]
    assert script.render(script.render(text, runs), runs) == script.render(text, runs)
    with pytest.raises(ValueError, match="'wide' has no run in runs"):
        script.render(text, runs[2:])
    with pytest.raises(ValueError, match="'deep' has no region in the README"):
        script.render(text.replace("runs: deep", "run deep"), runs)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda lines: lines[1:], "line 1: the columns must be question, date"),
        (lambda lines: [lines[0], lines[1] + "\t1"], "line 2: 26 cells, not 25"),
        (lambda lines: [*lines, lines[1].replace("0.9", "high")], "line 3: go_auroc is 'high'"),
        (lambda lines: [*lines, lines[1].replace("0.9", "nan")], "which is no number"),
        (lambda lines: [*lines, lines[1].replace("2026-11-22", "")], "line 3: date is empty"),
        (
            lambda lines: [*lines, lines[1].replace("2026-11-22", "2026-12-01")],
            "line 3: commit is empty",
        ),
        (lambda lines: [], "line 1: the columns must be"),
    ],
)
def test_what_is_wrong_is_told(script: ModuleType, tmp_path: Path, change, reason: str) -> None:
    run = made(script, go_auroc="0.9")
    lines = ["\t".join(script.COLUMNS), "\t".join(run[key] for key in script.COLUMNS)]
    path = tmp_path / "runs.tsv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert script.read(path) == [run]
    path.write_text("".join(f"{line}\n" for line in change(lines)), encoding="utf-8")
    with pytest.raises(FormatError, match=reason):
        script.read(path)
