"""Half split: give one half of every term of a library, and rank the other half.

The protocol of Clarke et al. 2026 (10.1016/j.patter.2026.101565). Each term with at least 5 known
genes on each side is halved several times (seeded). A model sees one half and ranks the library's
background (all genes of the library that every compared model knows) without that half.

    python benchmarks/half_split.py FOLDER [--model DIR ...] [--terms N] [--json FILE]

FOLDER holds the libraries, ``NAME.gmt.gz``. Without ``--model`` the shipped model is measured;
popularity in the embedded corpus is always measured beside it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

import gsfm
from gsfm import GeneSets, Vocabulary, corpus, sets
from gsfm.models import Model, Popularity

LIBRARIES = ("GO_Biological_Process_2023", "KEGG_2021_Human", "GWAS_Catalog_2023", "ChEA_2016")
SMALLEST_HALF = 5
BATCH = 256


def halves(
    library: GeneSets, *, splits: int, seed: int, terms: int | None = None
) -> tuple[list[NDArray[np.int32]], list[NDArray[np.int32]]]:
    """Halve each large enough term `splits` times; return the shown and the hidden halves."""
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(library.sizes >= 2 * SMALLEST_HALF)
    if terms is not None and terms < len(rows):
        rows = np.sort(rng.choice(rows, terms, replace=False))
    shown, hidden = [], []
    for row in np.repeat(rows, splits):
        genes = rng.permutation(library.ids(row))
        shown.append(np.sort(genes[: len(genes) // 2]))
        hidden.append(np.sort(genes[len(genes) // 2 :]))
    return shown, hidden


def measure(
    scores: NDArray[np.float32], shown: NDArray[np.int32], hidden: NDArray[np.int32]
) -> tuple[float, float]:
    """AUROC and average precision of the hidden genes, ties counted as scikit-learn does.

    Parameters
    ----------
    scores
        (genes,) of the background.
    shown, hidden
        Positions in `scores`; the shown ones take no part.
    """
    wanted = np.zeros(len(scores), bool)
    wanted[hidden] = True
    ranked = np.ones(len(scores), bool)
    ranked[shown] = False
    scores, wanted = scores[ranked], wanted[ranked]
    n, n_wanted = len(scores), int(wanted.sum())
    below = rankdata(scores)[wanted].sum() - n_wanted * (n_wanted + 1) / 2
    auroc = below / (n_wanted * (n - n_wanted))
    # At the threshold of each hidden gene: hidden genes at or above it / genes at or above it.
    precision = rankdata(-scores[wanted], "max") / rankdata(-scores, "max")[wanted]
    return float(auroc), float(precision.mean())


def evaluate(
    models: dict[str, Model], library: GeneSets, *, splits: int, seed: int, terms: int | None
) -> dict[str, dict[str, float]]:
    """Measure every model on the same halves against the same background."""
    known = set.intersection(*(set(model.vocabulary) for model in models.values()))
    used = library.vocabulary.symbols
    background = Vocabulary(sorted({used[i] for i in np.unique(library.indices)} & known))
    library = library.reindex(background)
    shown, hidden = halves(library, splits=splits, seed=seed, terms=terms)
    results = {}
    for name, model in models.items():
        started = time.perf_counter()
        columns = model.vocabulary.ids(background)
        figures = []
        for start in range(0, len(shown), BATCH):
            batch = shown[start : start + BATCH]
            scores = model.score([columns[half] for half in batch])[:, columns]
            figures += map(measure, scores, batch, hidden[start : start + BATCH])
        auroc, precision = np.array(figures).T
        results[name] = {
            "terms": len(shown) // splits,
            "splits": splits,
            "background": len(background),
            "median_auroc": round(float(np.median(auroc)), 4),
            "mean_auroc": round(float(auroc.mean()), 4),
            "mean_average_precision": round(float(precision.mean()), 4),
            "seconds": round(time.perf_counter() - started, 1),
        }
    return results


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", action="append", type=Path, default=[])
    parser.add_argument("--terms", type=int, help="a seeded sample of each library's terms")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    models: dict[str, Model] = {"popularity": Popularity().fit(corpus.load("default"))}
    models |= {path.name: gsfm.load(path) for path in options.model} or {"shipped": gsfm.load()}
    found = {}
    print(f"{'library':28} {'model':16} {'terms':>6} {'genes':>6} {'AUROC':>7} {'AP':>7}")
    for name in LIBRARIES:
        library = sets.read(options.folder / f"{name}.gmt.gz")
        found[name] = evaluate(
            models, library, splits=options.splits, seed=options.seed, terms=options.terms
        )
        for model, row in found[name].items():
            print(
                f"{name:28} {model:16} {row['terms']:6} {row['background']:6} "
                f"{row['median_auroc']:7.3f} {row['mean_average_precision']:7.3f}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
