"""Time the metrics of a batch of rankings against scikit-learn in a loop on the same data.

    python benchmarks/metrics.py [--questions N] [--peer N] [--genes N] [--hidden N] [--repeat N]
                                 [--json FILE]

The data are simulated (seeded): random scores of `--genes` genes, with ties, for `--questions`
questions of about `--hidden` hidden genes each. The default shape is that of a half split of GO
biological processes, with 2,048 instead of 27,000 questions. Two parts are timed, each in one
thread, the best of the repeats:

- *shared*: AUROC, average precision and NDCG@100, which scikit-learn has too. It is timed on the
  first `--peer` questions, where both results must be the same.
- *all*: those, and recall@10/50/100, the enrichment score, the popularity-matched AUROC and the
  two curves: everything that a benchmark run measures of a question.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from gsfm.benchmark.metrics import Ranking, matched_percentiles

SEED = 0
BATCH = 256  # as in a benchmark run

Matrices = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]


def make(n: int, genes: int, hidden: float) -> Matrices:
    """Scores of two decimals, the ranked genes (as many are shown as hidden), the hidden genes."""
    rng = np.random.default_rng(SEED)
    chance = rng.random((n, genes), np.float32)
    wanted = chance < hidden / genes
    ranked = chance < 1 - hidden / genes
    wanted[:, 0], ranked[:, 0] = True, True  # at least one
    scores = (rng.standard_normal((n, genes), np.float32) + 2 * wanted).round(2)
    return scores, ranked, wanted


def rows(data: Matrices, start: int, stop: int) -> Matrices:
    """Some of the questions."""
    scores, ranked, wanted = data
    return scores[start:stop], ranked[start:stop], wanted[start:stop]


def shared(data: Matrices) -> NDArray[np.float64]:
    """(3, n) the metrics that both compute."""
    ranking = Ranking.of(*data)
    return np.array([ranking.auroc(), ranking.average_precision(), ranking.ndcg(100)])


def everything(data: Matrices, order: NDArray[np.int64]) -> list[object]:
    """All metrics and curves."""
    ranking = Ranking.of(*data)
    return [
        ranking.auroc(),
        ranking.average_precision(),
        ranking.ndcg(100),
        *(ranking.recall(k) for k in (10, 50, 100)),
        ranking.enrichment_score(),
        matched_percentiles(*data, order),
        ranking.roc(),
        ranking.precision_recall(),
    ]


def peer(data: Matrices) -> NDArray[np.float64]:
    """(3, n) by scikit-learn, question by question."""
    found = []
    for scores, ranked, wanted in zip(*data, strict=True):
        mine, truth = scores[ranked], wanted[ranked]
        found.append(
            (
                roc_auc_score(truth, mine),
                average_precision_score(truth, mine),
                ndcg_score(truth[None], mine[None], k=100),
            )
        )
    return np.array(found).T


def best(function: Callable[[], object], repeat: int) -> float:
    """Seconds of the fastest call."""
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--questions", type=int, default=2048)
    parser.add_argument("--peer", type=int, default=256, help="questions given to scikit-learn")
    parser.add_argument("--genes", type=int, default=14_700)
    parser.add_argument("--hidden", type=float, default=15, help="hidden genes of a question")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()

    data = make(options.questions, options.genes, options.hidden)
    order = np.random.default_rng(SEED).permutation(options.genes)
    n, n_peer = options.questions, min(options.peer, options.questions)
    batches = [rows(data, i, i + BATCH) for i in range(0, n, BATCH)]
    few = rows(data, 0, n_peer)
    np.testing.assert_allclose(shared(few), peer(few), rtol=1e-9)

    repeat = options.repeat
    milliseconds = {
        "scikit-learn, shared": 1e3 * best(lambda: peer(few), repeat) / n_peer,
        "gsfm, shared": 1e3 * best(lambda: [shared(b) for b in batches], repeat) / n,
        "gsfm, all": 1e3 * best(lambda: [everything(b, order) for b in batches], repeat) / n,
    }
    base = milliseconds["scikit-learn, shared"]
    print(
        f"{n:,} questions ({n_peer:,} for scikit-learn), {options.genes:,} genes, the same results"
    )
    print(f"{'':24}{'ms a question':>14}{'27,000 in s':>13}{'ratio':>9}")
    for name, ms in milliseconds.items():
        print(f"{name:24}{ms:>14.3f}{ms * 27:>13.1f}{base / ms:>8.1f}x")
    if options.json:
        figures = {"questions": n, "genes": options.genes, "ms_a_question": milliseconds}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
