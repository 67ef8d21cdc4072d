"""Measure how long a user waits: a cold ``gsfm complete``, and a warm one in Python.

    python benchmarks/latency.py [--model DIR] [--repeats 7]

Machines differ, so every figure is a ratio against a peer measured in the same run. For cold starts
the peer is importing polars and scipy.sparse. For a warm completion it is one forward pass of the
published architecture in torch (Clarke et al. 2026, d_model 256, depth 2), if torch is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import gsfm
from gsfm import analysis, models
from gsfm.genes import resolve
from gsfm.models import Model

N_GENES = 50


def process(*arguments: str) -> Callable[[], object]:
    """Return a function that runs Python with `arguments` in a process and waits for its end."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, capture_output=True)


def measure(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each call; the calls alternate, so that a busy machine slows all of them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()  # fills the file cache, and gsfm's own tables
    for _ in range(repeats):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def show(title: str, seconds: dict[str, list[float]], peer: str | None) -> None:
    """Print a table; the ratio is of the best times."""
    print(f"\n{title:52} {'best':>9} {'median':>9} {'ratio':>7}")
    for name, values in seconds.items():
        ratio = f"{min(values) / min(seconds[peer]):7.2f}" if peer else ""
        best, median = min(values) * 1e3, statistics.median(values) * 1e3
        print(f"{name:52} {best:6.1f} ms {median:6.1f} ms {ratio}")


def torch_forward(n_genes: int, members: list[int]) -> Callable[[], object]:
    """One multi-hot set through the published architecture, and its 100 best genes."""
    import torch

    d, layer = 256, torch.nn.Linear
    network = torch.nn.Sequential(
        *(layer(n_genes + 2, 2 * d), torch.nn.ReLU(), layer(2 * d, d)),
        *(layer(d, d), torch.nn.ReLU(), layer(d, n_genes + 2)),
    ).eval()

    def call() -> object:
        with torch.inference_mode():
            given = torch.zeros(1, n_genes + 2)
            given[0, members] = 1
            return network(given).topk(100)

    return call


def warm(model: Model, symbols: list[str]) -> dict[str, Callable[[], object]]:
    """A completion, and its parts."""
    return {
        f"complete {N_GENES} genes": lambda: model.complete(symbols),
        "  of it: resolve": lambda: resolve(symbols),
        "  of it: score": lambda: model.score([symbols]),
        "complete, input ranked too (leave-one-out)": lambda: analysis.complete(
            symbols, include_input=True, model=model
        ),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="a model folder; the shipped model if not given")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()

    model = models.load(options.model)
    folder = options.model or Path(models.__file__).parent / "shipped"
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    print(f"gsfm {gsfm.__version__}, Python {sys.version.split()[0]}")
    print(f"model: {model.family}, {len(model.vocabulary):,} genes, {size:.1f} MB")
    chosen = np.random.default_rng(0).choice(len(model.vocabulary), N_GENES, replace=False)
    symbols = [model.vocabulary[int(i)] for i in chosen]

    peer = "import polars, scipy.sparse"
    settings = ["--model", str(folder), "--json"]
    cold = {
        peer: process("-c", peer),
        "import gsfm": process("-c", "import gsfm"),
        "gsfm --version": process("-m", "gsfm", "--version"),
        "gsfm complete, 3 genes": process("-m", "gsfm", "complete", *symbols[:3], *settings),
        f"gsfm complete, {N_GENES} genes": process("-m", "gsfm", "complete", *symbols, *settings),
    }
    show("cold: a new process", measure(cold, options.repeats), peer)

    seconds = measure(warm(model, symbols), 5 * options.repeats)
    forward = None
    if importlib.util.find_spec("torch"):
        # Last, and not in turn: its threads go on spinning, and slow down whoever comes next.
        forward = "torch: published architecture, forward and topk"
        call = torch_forward(len(model.vocabulary), chosen.tolist())
        seconds = {**measure({forward: call}, 5 * options.repeats), **seconds}
    show("warm: in Python", seconds, forward)


if __name__ == "__main__":
    main()
