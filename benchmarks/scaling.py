"""Measure what training costs: seconds per million sets by number of sets, genes and width.

    python benchmarks/scaling.py [--corpus FILE] [--threads N] [--json FILE] [--quick]

The autoencoder is fitted for some steps in one process, on simulated corpora or on parts of a
corpus, with one of the three quantities changed at a time. Each time is compared with that of plain
matrix products of the same shapes, measured in the same run: the peak of the machine for this work.
A cost model with few terms is fitted to the times, and predicts larger corpora.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch.profiler import ProfilerActivity, profile

from gsfm.genes import Vocabulary
from gsfm.models import Autoencoder
from gsfm.models.autoencoder import AutoencoderConfig
from gsfm.sets import GeneSets
from gsfm.training.loop import choose_dtype
from gsfm.training.run import Progress, Run

WARM = 5  # steps before the clock starts
SETS, GENES, WIDTHS = (30_000, 240_000, 1_000_000), (5_000, 10_000, 20_000, 40_000), (128, 256, 512)
QUICK = (2_000, 20_000), (1_000, 2_000, 4_000), (64, 128)
PREDICTED = (1_100_000, 100_000_000)  # Rummagene with RummaGEO; what may come

#: The parts of a step, by the names of torch's operators.
PARTS = {
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm"),
    "softmax": ("aten::_softmax",),
    "optimizer": ("aten::_fused_adamw_",),
    "sums of gene vectors": ("aten::_embedding_bag", "aten::_embedding_bag_dense_backward"),
    "copies between precisions": ("aten::copy_",),
    "zeroing": ("aten::fill_", "aten::zero_"),
}


@dataclass
class Point:
    """One measured fit: its corpus, its width, its times."""

    sets: int
    genes: int
    width: int
    batch: int
    members: float  # of a set in a batch, on average
    corpus_members: int
    prepare: float  # seconds from the start of the fit to its first step
    step: float  # seconds, median
    products: float  # seconds of the plain matrix products of a step

    @property
    def per_million(self) -> float:
        """Seconds for a million sets drawn."""
        return self.step / self.batch * 1e6

    def cells(self) -> list[str]:
        """A row of the table."""
        shape = [f"{self.sets:,}", f"{self.genes:,}", f"{self.width}", f"{self.step * 1e3:.1f}"]
        share = f"{self.products / self.step:.0%} of it"
        return [*shape, f"{self.per_million:.0f}", share, f"{self.prepare:.2f}"]


def made(n_sets: int, n_genes: int, seed: int = 0) -> GeneSets:
    """Sets of 5 to 1,000 genes, most of them small, some genes in many sets."""
    rng = np.random.default_rng(seed)
    parts, sizes = [], []
    for start in range(0, n_sets, 20_000):
        n = min(20_000, n_sets - start)
        size = np.clip(rng.lognormal(3.4, 1.3, n), 5, min(1000, n_genes // 2)).astype(np.int64)
        gene = (n_genes * rng.random(size.sum()) ** 2).astype(np.int64)
        key = np.unique(np.repeat(np.arange(n), size) * n_genes + gene)
        sizes.append(np.bincount(key // n_genes, minlength=n))
        parts.append((key % n_genes).astype(np.int32))
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
    return GeneSets(Vocabulary(f"G{i}" for i in range(n_genes)), indptr, np.concatenate(parts))


def cut(corpus: GeneSets, n_sets: int, n_genes: int) -> GeneSets:
    """At most `n_sets` sets at random, over the `n_genes` genes that are in most sets."""
    rows = np.sort(np.random.default_rng(0).permutation(len(corpus))[:n_sets])
    often = np.argsort(-np.bincount(corpus.indices, minlength=corpus.n_genes), kind="stable")
    return corpus[rows].reindex(Vocabulary(corpus.vocabulary[i] for i in often[:n_genes].tolist()))


def fit(
    sets: GeneSets, settings: dict[str, Any], steps: int, n_threads: int | None, **run: Any
) -> list[float]:
    """Fit for some steps; the times of the start and of the end of each step."""
    times = [time.perf_counter()]
    also: Callable[[Progress], None] = run.pop("progress", lambda now: None)

    def progress(now: Progress) -> None:
        times.append(time.perf_counter())
        also(now)

    config = AutoencoderConfig(**settings)
    model = Autoencoder(config, epochs=(steps - 0.5) * config.batch_size / len(sets))
    model.fit(sets, run=Run(n_threads=n_threads, watches=0, progress=progress, **run))
    return times


def seconds_of(call: Callable[[], object], repeats: int = 5) -> float:
    """The best time of a call."""
    best = math.inf
    for _ in range(repeats + 1):
        started = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - started)
    return best


def products(n: int, genes: int, d: int, hidden: int, dtype: torch.dtype) -> tuple[float, float]:
    """Seconds and floating-point operations of only the matrix products of a step."""
    seconds = operations = 0.0
    # Forward, and the gradients of both factors: of the last layer and of the block.
    shapes = [(n, d, genes), (n, genes, d), (genes, n, d)]
    shapes += [(n, d, hidden), (n, hidden, d), (hidden, n, d)] * 2
    for rows, inner, columns in shapes:
        a = torch.randn(rows, inner).to(dtype)
        b = torch.randn(inner, columns).to(dtype)
        out = torch.empty(rows, columns, dtype=dtype)
        seconds += seconds_of(lambda a=a, b=b, out=out: torch.mm(a, b, out=out))  # type: ignore[misc]
        operations += 2 * rows * inner * columns
    return seconds, operations


def measure(
    sets: GeneSets, width: int, batch: int, steps: int, n_threads: int | None, dtype: torch.dtype
) -> Point:
    """Fit for some steps, and time matrix products of the same shapes."""
    settings = {"dimensions": width, "hidden": 2 * width, "batch_size": batch}
    times = fit(sets, settings, WARM + steps, n_threads)
    durations = np.diff(times)
    plain, _ = products(batch, sets.n_genes, width, 2 * width, dtype)
    step = statistics.median(durations[1 + WARM :])
    kept = np.minimum(sets.sizes[sets.sizes >= 2], AutoencoderConfig.max_members)
    return Point(
        *(len(sets), sets.n_genes, width, batch, float(kept.mean()), len(sets.indices)),
        *(float(durations[0] - step), float(step), plain),
    )


def terms(genes: int, width: int, batch: int, members: float) -> NDArray[Any]:
    """The terms of the cost model for a step, without their factors.

    Matrix products (of the last layer and of the block, which is twice as wide), the softmax, the
    optimizer over the tables, the sums of the members' vectors, and what every step takes. The
    number of sets is not among them: only the passes before the first step depend on it.
    """
    products = batch * width * (genes + 4 * width)
    return np.array([products, batch * genes, genes * width, batch * members * width, 1.0])


def fit_cost(points: list[Point]) -> tuple[NDArray[Any], NDArray[Any], float]:
    """Factors of the terms of a step and of the preparation, and the largest relative error."""
    x = np.array([terms(p.genes, p.width, p.batch, p.members) for p in points])
    y = np.array([p.step for p in points])
    step, _ = nnls(x / y[:, None], np.ones(len(y)))  # relative errors count alike
    ready = np.array([[p.genes * p.width, p.corpus_members] for p in points], np.float64)
    prepare, _ = nnls(ready, np.array([p.prepare for p in points]))
    return step, prepare, float(np.abs(x @ step / y - 1).max())


def parts_of_a_step(
    sets: GeneSets, width: int, batch: int, steps: int, n_threads: int | None
) -> dict[str, float]:
    """Share of a step that each of `PARTS` takes, by torch's profiler."""
    profiler = profile(activities=[ProfilerActivity.CPU])
    clock: list[float] = []

    def progress(now: Progress) -> None:
        if now.step == WARM:
            profiler.start()
            clock.append(time.perf_counter())
        elif now.step == now.steps:
            clock.append(time.perf_counter())
            profiler.stop()

    settings = {"dimensions": width, "hidden": 2 * width, "batch_size": batch}
    fit(sets, settings, WARM + steps, n_threads, progress=progress)
    whole = clock[1] - clock[0]
    own = {e.key: e.self_cpu_time_total / 1e6 for e in profiler.key_averages()}
    shares = {part: sum(own.get(n, 0.0) for n in names) / whole for part, names in PARTS.items()}
    in_torch = sum(s for name, s in own.items() if name.startswith("aten::")) / whole
    shares["other operators"] = in_torch - sum(shares.values())
    shares["outside torch's operators"] = 1 - in_torch
    return shares


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def main() -> None:
    """Measure, print, predict."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, help="a .gsets file to cut; made sets if not given")
    parser.add_argument("--threads", type=int, help="all cores if not given")
    parser.add_argument("--steps", type=int, default=20, help="timed steps of each fit")
    parser.add_argument("--batch", type=int, default=1024, help="sets in a step")
    parser.add_argument("--json", type=Path, help="write every figure to this file")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works")
    options = parser.parse_args()

    if options.threads is not None:
        torch.set_num_threads(options.threads)
    dtype = choose_dtype("auto")
    sizes: tuple[tuple[int, ...], ...] = QUICK if options.quick else (SETS, GENES, WIDTHS)
    sets, genes, widths = sizes
    n, g, d = sets[min(1, len(sets) - 1)], genes[-2], widths[-1]
    corpus = None if options.corpus is None else GeneSets.open(options.corpus)
    if corpus is not None:
        sets = (*(s for s in sets if s < len(corpus)), len(corpus))
        genes = (*(x for x in genes if x < corpus.n_genes), corpus.n_genes)
        n, g = len(corpus), corpus.n_genes
    # One quantity at a time, and one corner, so that the terms can be estimated separately.
    grid = [(n, g, d), *((s, g, d) for s in sets), *((n, x, d) for x in genes)]
    grid += [*((n, g, w) for w in widths), (n, genes[0], widths[0])]
    batch, threads = options.batch, options.threads

    name = str(dtype).removeprefix("torch.")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {name}, batch {batch}")
    points = []
    with tempfile.TemporaryDirectory() as folder:
        fit(made(2_000, 500), {"batch_size": 64}, WARM, threads)  # imports, and first allocations
        for s, x, w in dict.fromkeys(grid):
            path = Path(folder) / f"{s}-{x}.gsets"
            if not path.exists():
                (made(s, x) if corpus is None else cut(corpus, s, x)).save(path)
            mapped = GeneSets.open(path)
            points.append(measure(mapped, w, batch, options.steps, threads, dtype))
        base = GeneSets.open(Path(folder) / f"{n}-{g}.gsets")
        shares = parts_of_a_step(base, d, batch, options.steps, threads)

    table(
        "Cost by sets, genes and width",
        [
            "sets",
            "genes",
            "width",
            "step (ms)",
            "s per million sets",
            "products alone",
            "prepare (s)",
        ],
        [p.cells() for p in points],
    )
    peaks = []
    for kind in dict.fromkeys((dtype, torch.float32)):
        seconds, operations = products(batch, g, d, 2 * d, kind)
        label = str(kind).removeprefix("torch.")
        peaks.append((label, operations / seconds / 1e9, operations / points[0].step / 1e9))
    table(
        f"Share of the peak, {g:,} genes, width {d}",
        ["precision", "plain products (GFLOP/s)", "training (GFLOP/s)", "share"],
        [
            [kind, f"{peak:,.0f}", *([f"{got:,.0f}", f"{got / peak:.0%}"] if not i else ["", ""])]
            for i, (kind, peak, got) in enumerate(peaks)
        ],
    )
    table("Where a step goes", ["part", "share"], [[k, f"{v:.1%}"] for k, v in shares.items()])

    step, prepare, error = fit_cost(points)
    print(
        f"\nseconds of a step = {step[0]:.2e} batch width (genes + 4 width)"
        f" + {step[1]:.2e} batch genes + {step[2]:.2e} genes width"
        f" + {step[3]:.2e} batch members width + {step[4]:.2e}"
        f"\nseconds before the first step = {prepare[0]:.2e} genes width"
        f" + {prepare[1]:.2e} members of the corpus"
        f"\n(largest relative error on a measured step: {error:.0%})"
    )
    passes = AutoencoderConfig.epochs
    rows = []
    for more in PREDICTED:
        one = float(terms(g, d, batch, points[0].members) @ step) * more / batch
        ready = float(np.array([g * d, more * points[0].members]) @ prepare)
        whole = ready + passes * one
        rows.append([f"{more:,}", f"{one / 3600:,.2f} h", f"{whole / 3600:,.1f} h"])
    table(
        f"Predicted for this machine, {g:,} genes, width {d}",
        ["sets", "one pass", f"{passes:g} passes"],
        rows,
    )
    if options.json is not None:
        out: dict[str, Any] = {
            "points": [asdict(p) for p in points],
            "parts": shares,
            "peaks": peaks,
        }
        out |= {"step": step.tolist(), "prepare": prepare.tolist(), "error": error}
        options.json.write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
