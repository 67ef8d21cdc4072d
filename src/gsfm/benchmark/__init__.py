"""Benchmarks of models: protocols, metrics, baselines, statistics, reports.

`read_config` and `run` do a whole comparison. Its parts can be used alone.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gsfm.errors import MissingExtraError

if TYPE_CHECKING or find_spec("msgspec"):
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
    from gsfm.benchmark.leakage import Leaks, find_leaks
    from gsfm.benchmark.methods import Cost, LibraryModel, Method, ModelMethod
    from gsfm.benchmark.metrics import METRICS, Measured, Ranking, matched_auroc, measure
    from gsfm.benchmark.protocols import (
        context_switch,
        half_split,
        hold_out,
        never_seen,
        time_split,
    )
    from gsfm.benchmark.questions import Questions
    from gsfm.benchmark.relations import new_interactions, new_relations
    from gsfm.benchmark.releases import Pairs, find_release, pair
    from gsfm.benchmark.results import Results
    from gsfm.benchmark.runner import Event, run
    from gsfm.benchmark.statistics import holm, interval, paired

else:  # the package can be imported and listed without the extra, its names cannot

    def __getattr__(name: str) -> Any:
        if name in __all__:
            raise MissingExtraError("A benchmark", "bench")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return []


# Configuration.
__all__ = ["Benchmark", "Corpus", "Embedded", "FromLibrary", "Leakage", "Saved", "Summed", "Task"]
__all__ += ["Trained", "read_config"]
# Runs and their results.
__all__ += ["Event", "Results", "compare", "run"]
# Protocols.
__all__ += ["Pairs", "Questions", "context_switch", "find_release", "half_split", "hold_out"]
__all__ += ["never_seen", "new_interactions", "new_relations", "pair", "time_split"]
# Methods.
__all__ += ["Cost", "Embedding", "LibraryModel", "Method", "ModelMethod"]
# Metrics, leakage, calibration and statistics.
__all__ += ["METRICS", "Leaks", "Measured", "Ranking", "Reliability", "find_leaks", "holm"]
__all__ += ["interval", "matched_auroc", "measure", "paired", "reliability"]
