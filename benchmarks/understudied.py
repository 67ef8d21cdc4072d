"""Measure how many of the most confident predictions for understudied genes are confirmed later.

    python benchmarks/understudied.py --old GO_BP_2023.gmt --new GO_BP_2025.gmt [--papers 20]

`gsfm.analysis.understudied` predicts with the terms of the older release. A prediction is confirmed
if the newer release has the gene in that term; terms that the newer release lacks are left out. The
peer is chance: the same terms, each predicted for every other gene among the predictions.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import gsfm
from gsfm import libraries
from gsfm.analysis import understudied

TOPS = (50, 100, 200, 500)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--old", type=Path, required=True, help="a library, a gene-set file")
    parser.add_argument("--new", type=Path, required=True, help="its newer release")
    parser.add_argument("--model", type=Path, help="a model folder; the shipped model if not given")
    parser.add_argument("--papers", type=int, default=20, help="the most papers of a gene")
    options = parser.parse_args()

    new = libraries.load(options.new)
    members = {term: set(new.genes(i)) for i, term in enumerate(new.metadata["id"])}
    # A few more than are counted, for the terms that the newer release lacks.
    found = understudied(
        options.old, max_papers=options.papers, top=2 * max(TOPS), model=gsfm.load(options.model)
    )
    print(found.summary())
    rows = [row for row in found.table.select("symbol", "id").rows() if row[1] in members]
    for top in TOPS:
        genes, terms = zip(*rows[:top], strict=True)
        true = np.array([[gene in members[term] for gene in genes] for term in terms])
        came = np.diag(true).mean()
        chance = (true.sum() - np.diag(true).sum()) / (len(true) * (len(true) - 1))
        print(f"of the {top} surest {came:.1%} came true; by chance {chance:.1%}")


if __name__ == "__main__":
    main()
