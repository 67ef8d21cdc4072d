"""Measure what the older release of a library adds to a model, on genes added later.

    python benchmarks/library.py MODEL OLDER NEWER [OLDER NEWER ...] [--terms 300]

MODEL is a folder of the family adaptive. For each pair of releases and two backgrounds, the table
has median AUROC, mean average precision and median popularity-matched AUROC of four methods on the
same terms: the model, the model with the older release (`Adaptive.with_library`), the annotation
count in the older release, and co-occurrence in the older release. If the training data of the
model are newer than the older release, the figures of the model are too high, and only the gain is
informative. The interval of the gain is a bootstrap over terms.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl

import gsfm
from gsfm import corpus, sets
from gsfm.benchmark import LibraryModel, ModelMethod, measure, time_split
from gsfm.genes import Vocabulary
from gsfm.models import Adaptive

METRICS = {"auroc": "median", "average_precision": "mean", "matched_auroc": "median"}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("releases", type=Path, nargs="+", metavar="OLDER NEWER")
    parser.add_argument("--terms", type=int, default=300)
    options = parser.parse_args()
    model = gsfm.load(options.model)
    if not isinstance(model, Adaptive):
        parser.error(f"{options.model} is of the family {model.family}, not adaptive")
    papers = corpus.load("default")
    print("| releases | background | terms | method | " + " | ".join(METRICS) + " |")
    print("| " + " | ".join(["---"] * (4 + len(METRICS))) + " |")
    for paths in zip(options.releases[::2], options.releases[1::2], strict=True):
        older, newer = map(sets.read, paths)
        used = {s.vocabulary[int(g)] for s in (older, newer) for g in np.unique(s.indices)}
        own = Vocabulary(sorted(used.intersection(model.vocabulary)))
        for name, background in (("library", own), ("genome", model.vocabulary)):
            questions = time_split(
                older.reindex(background), newer.reindex(background), terms=options.terms
            )
            popularity = np.bincount(papers.reindex(background).indices, minlength=len(background))
            methods = [
                ModelMethod("model", model),
                ModelMethod("with the library", model.with_library(older)),
                LibraryModel("annotation count", "popularity"),
                LibraryModel("co-occurrence", "cooccurrence"),
            ]
            found = {}
            for method in methods:
                method.prepare(questions)
                table = measure(method, questions, popularity, popularity).questions
                found[method.name] = table
                figures = [_of(table, metric) for metric in METRICS]
                row = [
                    f"{paths[0].name} to {paths[1].name}",
                    name,
                    str(len(questions)),
                    method.name,
                ]
                print("| " + " | ".join([*row, *(f"{x:.4f}" for x in figures)]) + " |")
            gains = [_gain(found["with the library"], found["model"], m) for m in METRICS]
            print("| " + " | ".join([*row[:3], "gain", *gains]) + " |", flush=True)


def _of(table: pl.DataFrame, metric: str) -> float:
    values = table[metric].drop_nulls().to_numpy()
    return float(np.median(values) if METRICS[metric] == "median" else values.mean())


def _gain(new: pl.DataFrame, old: pl.DataFrame, metric: str) -> str:
    """The difference of the figures, with its 95% interval over terms."""
    rng, draws = np.random.default_rng(0), []
    for _ in range(1000):
        rows = rng.integers(0, len(new), len(new))
        draws.append(_of(new[rows], metric) - _of(old[rows], metric))
    low, high = np.percentile(draws, [2.5, 97.5])
    return f"{_of(new, metric) - _of(old, metric):+.4f} ({low:+.4f} to {high:+.4f})"


if __name__ == "__main__":
    main()
