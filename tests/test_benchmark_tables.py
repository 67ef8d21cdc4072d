"""The tables of the benchmarks are those of the committed summaries."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gsfm import FormatError

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = ROOT / "benchmarks" / "tables.py"
    spec = importlib.util.spec_from_file_location("benchmark_tables", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


def test_the_committed_tables_are_up_to_date(script):
    for path in script.FILES:
        text = path.read_text(encoding="utf-8")
        assert script.render(text) == text, "run python benchmarks/tables.py"


def test_the_best_setting_is_chosen_in_each_column(script, tmp_path, monkeypatch):
    figures = {
        ("ours", "go"): (0.9, 0.3, 0.8),
        ("ours", "kegg"): (0.95, 0.4, 0.7),
        ("published, partition 0.0", "go"): (0.8, 0.2, 0.6),
        ("published, partition 0.0", "kegg"): (0.7, 0.1, 0.5),
        ("published, partition 0.0, best pass", "go"): (0.85, 0.1, 0.61),
        ("published, partition 0.0, best pass", "kegg"): (0.75, 0.15, 0.55),
    }
    metrics = ("auroc", "average_precision", "matched_auroc")
    summary = {
        "tasks": [{"task": "go", "terms": 1234}, {"task": "kegg", "terms": 5}],
        "methods": [{"method": name} for name in dict.fromkeys(m for m, _ in figures)],
        "results": [
            {
                "task": task,
                "method": method,
                "metric": metric,
                "median": [value, 0, 1] if metric != "average_precision" else [9, 9, 9],
                "mean": [value, 0, 1] if metric == "average_precision" else [9, 9, 9],
            }
            for (method, task), values in figures.items()
            for metric, value in zip(metrics, values, strict=True)
        ],
    }
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "summary.json").write_text(json.dumps(summary))
    table = script.Table("run", {"go": "GO", "kegg": "KEGG"}, metrics, counts=True)
    monkeypatch.setitem(script.TABLES, "small", table)
    text = "before\n<!-- table: small -->\nold\n<!-- end -->\nafter\n"
    expected = """before
<!-- table: small -->

| method | GO (1,234 terms) | KEGG (5 terms) |
| --- | --- | --- |
| ours | 0.900 / 0.300 (0.800) | 0.950 / 0.400 (0.700) |
| published, partition 0.0 | 0.800 / 0.200 (0.600) | 0.700 / 0.100 (0.500) |
| published, partition 0.0, best pass | 0.850 / 0.100 (0.610) | 0.750 / 0.150 (0.550) |
| **published, best setting** | 0.850 / 0.200 (0.610) | 0.750 / 0.150 (0.550) |
| which setting that is | 0.0, best pass / 0.0 / 0.0, best pass | 0.0, best pass |

<!-- end -->
after
"""
    assert script.render(text, tmp_path) == expected
    assert script.render(expected, tmp_path) == expected
    with pytest.raises(FormatError, match="no table 'huge'"):
        script.render(text.replace("small", "huge"), tmp_path)
