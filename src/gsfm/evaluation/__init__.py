"""How good a model is: protocols, metrics, peers, statistics, reports.

`read_config` and `run` settle a comparison; the parts they are made of can be used alone.
"""

from gsfm.evaluation._compare import compare
from gsfm.evaluation._config import (
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
from gsfm.evaluation._embedding import Embedding
from gsfm.evaluation._leakage import Leaks, covering
from gsfm.evaluation._measure import METRICS, Measured, measure
from gsfm.evaluation._method import Cost, Method
from gsfm.evaluation._metrics import Ranking, matched_auroc
from gsfm.evaluation._peers import LibraryModel, ModelMethod
from gsfm.evaluation._protocols import (
    context_switch,
    half_split,
    hold_out,
    never_seen,
    time_split,
)
from gsfm.evaluation._questions import Questions
from gsfm.evaluation._relations import new_interactions, new_relations
from gsfm.evaluation._releases import Pairs, find_release, pair
from gsfm.evaluation._reliability import Reliability, reliability
from gsfm.evaluation._results import Results
from gsfm.evaluation._run import Event, run
from gsfm.evaluation._statistics import holm, interval, paired

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
