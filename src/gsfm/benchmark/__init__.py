"""Benchmarks of models: protocols, metrics, baselines, statistics, reports.

`read_config` and `run` do a whole comparison. Its parts can be used alone.
"""

from gsfm.errors import MissingExtraError

try:
    import msgspec  # noqa: F401
except ImportError as error:
    raise MissingExtraError("A benchmark", "bench") from error

from gsfm.benchmark.calibration import Reliability, reliability
from gsfm.benchmark.comparison import compare
from gsfm.benchmark.config import (
    Benchmark,
    Corpus,
    Embedded,
    FromLibrary,
    Leakage,
    Saved,
    Summed,
    Task,
    Trained,
    read_config,
)
from gsfm.benchmark.embedding import Embedding
from gsfm.benchmark.leakage import Leaks, covering
from gsfm.benchmark.methods import Cost, LibraryModel, Method, ModelMethod
from gsfm.benchmark.metrics import METRICS, Measured, Ranking, matched_auroc, measure
from gsfm.benchmark.protocols import context_switch, half_split, hold_out, never_seen, time_split
from gsfm.benchmark.questions import Questions
from gsfm.benchmark.relations import new_interactions, new_relations
from gsfm.benchmark.releases import Pairs, find_release, pair
from gsfm.benchmark.results import Results
from gsfm.benchmark.runner import Event, run
from gsfm.benchmark.statistics import holm, interval, paired

__all__ = [
    "METRICS",
    "Benchmark",
    "Corpus",
    "Cost",
    "Embedded",
    "Embedding",
    "Event",
    "FromLibrary",
    "Leakage",
    "Leaks",
    "LibraryModel",
    "Measured",
    "Method",
    "ModelMethod",
    "Pairs",
    "Questions",
    "Ranking",
    "Reliability",
    "Results",
    "Saved",
    "Summed",
    "Task",
    "Trained",
    "compare",
    "context_switch",
    "covering",
    "find_release",
    "half_split",
    "hold_out",
    "holm",
    "interval",
    "matched_auroc",
    "measure",
    "never_seen",
    "new_interactions",
    "new_relations",
    "pair",
    "paired",
    "read_config",
    "reliability",
    "run",
    "time_split",
]
