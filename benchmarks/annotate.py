"""How long a gene's annotation takes, beside scoring every term with the model.

    python benchmarks/annotate.py [--model DIR] [--terms 50000] [--genes 20] [--repeats 5]

The terms are those of all libraries that are shipped, and of sets of genes drawn from them to make
up the number. The peer is what anyone would do without the fast form: `Model.score` of every term,
of which the gene's column is taken; its time is that of a sample of the terms, scaled up.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import gsfm
from gsfm import GeneSets, libraries, sets
from gsfm.analysis import annotate
from gsfm.models import Model

#: Terms that the peer scores in earnest.
SAMPLE = 256


def timed(call: Callable[[], object]) -> float:
    """Seconds of a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def terms_of(model: Model, n: int) -> GeneSets:
    """`n` terms: those of the shipped libraries, and then halves of them, drawn at random."""
    real = sets.concat([libraries.load(name) for name in libraries.names()])
    real = real.reindex(model.vocabulary)
    real = real[np.flatnonzero(real.sizes)]
    rng = np.random.default_rng(0)
    rows = [real.ids(i) for i in range(min(n, len(real)))]
    for i in rng.integers(0, len(real), n - len(rows)):
        ids = real.ids(int(i))
        rows.append(rng.choice(ids, max(1, len(ids) // 2), replace=False))
    return GeneSets.from_ids(model.vocabulary, rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="a model folder; the shipped model if not given")
    parser.add_argument("--terms", type=int, default=50_000)
    parser.add_argument("--genes", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    model = gsfm.load(options.model)
    terms = terms_of(model, options.terms)
    print(f"gsfm {gsfm.__version__}, Python {sys.version.split()[0]}")
    print(f"model: {model.family}, {len(model.vocabulary):,} genes")
    print(f"{len(terms):,} terms, {len(terms.indices):,} members")

    rng = np.random.default_rng(1)
    counts = np.bincount(terms.indices, minlength=terms.n_genes)
    some = rng.choice(np.flatnonzero(counts), options.genes, replace=False)
    hub = int(counts.argmax())
    symbols = [model.vocabulary[int(g)] for g in some]

    first = timed(lambda: annotate(symbols[0], terms, fast=True, model=model))
    sample = terms[rng.choice(len(terms), min(SAMPLE, len(terms)), replace=False)]
    model.score(sample[:8])
    peer = [timed(lambda: model.score(sample)) for _ in range(options.repeats)]
    scale = len(terms) / len(sample)
    seconds = {
        "peer: Model.score of every term": [value * scale for value in peer],
        "annotate a gene, fast form": [
            timed(functools.partial(annotate, s, terms, fast=True, model=model)) for s in symbols
        ],
        f"  the gene in most terms ({model.vocabulary[hub]}: {counts[hub]:,})": [
            timed(lambda: annotate(model.vocabulary[hub], terms, fast=True, model=model))
            for _ in range(options.repeats)
        ],
        "annotate a gene, 5 terms by the whole model": [
            timed(functools.partial(annotate, s, terms, model=model)) for s in symbols
        ],
        f"annotate a set of {options.genes} genes": [
            timed(lambda: annotate(symbols, terms, model=model)) for _ in range(options.repeats)
        ],
    }
    print(f"ready after {first:.1f} s (once in a process; a command keeps it in a cache folder)")
    print(f"\n{'':52} {'best':>12} {'median':>12} {'peer / it':>10}")
    base = statistics.median(seconds["peer: Model.score of every term"])
    for name, values in seconds.items():
        best, median = min(values) * 1e3, statistics.median(values) * 1e3
        print(f"{name:52} {best:9.1f} ms {median:9.1f} ms {base * 1e3 / median:10.0f}")


if __name__ == "__main__":
    main()
