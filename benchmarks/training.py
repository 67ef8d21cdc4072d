"""Time training against the published architecture in plain torch.

    python benchmarks/training.py --corpus corpus.gsets [--seconds S] [--threads N] [--json FILE]

Each of these is trained for `--seconds` on the same corpus with its own settings, one after
another, each in its own process; the first fifth of the time is not counted:

- *plain*: the published architecture (Clarke et al. 2026, 10.1016/j.patter.2026.101565) in
  plain torch: dense multi-hot vectors, a stack of `torch.nn.Linear`, binary cross-entropy of every
  token, Adam, batches of 128; it uses no code of gsfm;
- *published*: the same network by `gsfm.models.Published`;
- *autoencoder*: `gsfm.models.Autoencoder`.

From the rates the script computes how long the published architecture takes for the 50 passes of
its authors, and for the 31 passes after which it is best on held-out sets (recall@50,
`half_split.toml`), and the ratio of these times to the training time of the shipped model. These
figures are computed from rates, not measured in full runs.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from gsfm import GeneSets
from gsfm.models import Autoencoder, Published, load
from gsfm.training import Progress, Run

#: Of the published architecture: those of its authors, and those after which it is best.
PASSES = (50, 31)
KINDS = ("plain", "published", "autoencoder")


def plain(sets: GeneSets, seconds: float) -> tuple[int, float]:
    """Sets seen and seconds taken by the plain network, after the first fifth of the time."""
    import torch

    tokens = sets.n_genes + 2  # and the two special ones
    widths = [tokens, 512, 256, 256, tokens]
    layers: list[torch.nn.Module] = []
    for i, (a, b) in enumerate(itertools.pairwise(widths)):
        layers.append(torch.nn.Linear(a, b))
        if i in (0, 2):
            layers += [torch.nn.ReLU(), torch.nn.Dropout(0.2)]
    network = torch.nn.Sequential(*layers)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_of = torch.nn.BCEWithLogitsLoss()
    rng = np.random.default_rng(0)
    order = rng.permutation(len(sets))
    seen, counted, started, now = 0, 0, time.monotonic(), 0.0
    warm: float | None = None
    for start in range(0, len(order), 128):
        rows = order[start : start + 128]
        members = np.zeros((len(rows), tokens), np.float32)
        for i, row in enumerate(rows):
            members[i, sets.ids(int(row)) + 2] = 1
        # Nothing is hidden (partition 0, as the authors chose): the input is the target.
        whole = torch.from_numpy(members)
        loss = loss_of(network(whole), whole)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        now = time.monotonic() - started
        if warm is None:
            warm = now if now > seconds / 5 else None
        else:
            counted += len(rows)
        seen += len(rows)
        if now > seconds:
            break
    assert warm is not None, "the corpus is too small for the time"
    return counted, now - warm


def ours(kind: str, sets: GeneSets, seconds: float, n_threads: int | None) -> tuple[int, float]:
    """The same for a family of gsfm."""
    points: list[Progress] = []
    run = Run(n_threads=n_threads, max_seconds=seconds, watches=0, progress=points.append)
    model = Published() if kind == "published" else Autoencoder(epochs=50)
    model.fit(sets, run=run)
    warm = next(i for i, p in enumerate(points) if p.seconds > seconds / 5)
    size = model.config.batch_size
    last = points[-1]
    return (last.step - points[warm].step) * size, last.seconds - points[warm].seconds


def one(options: argparse.Namespace) -> None:
    """Time one kind, and print the result as JSON."""
    sets = GeneSets.open(options.corpus)
    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
    if options.kind == "plain":
        seen, seconds = plain(sets, options.seconds)
    else:
        seen, seconds = ours(options.kind, sets, options.seconds, options.threads)
    print(json.dumps({"sets": seen, "seconds": seconds}))


def main() -> None:
    """Time all kinds, each in its own process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--kind", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.kind:
        one(options)
        return
    n_sets = len(GeneSets.open(options.corpus))
    training = load().manifest.get("training", {})
    figures: dict[str, Any] = {"sets": n_sets, "shipped_seconds": training.get("seconds")}
    for kind in KINDS:
        command = [sys.executable, __file__, "--kind", kind, "--corpus", str(options.corpus)]
        command += ["--seconds", str(options.seconds)]
        command += ["--threads", str(options.threads)] if options.threads else []
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        figures[kind] = json.loads(out.splitlines()[-1])
    base = figures["plain"]["sets"] / figures["plain"]["seconds"]
    print(f"{'':12} {'sets/s':>8} {'x plain':>8}", *(f"{f'{n} passes':>12}" for n in PASSES))
    for kind in KINDS:
        rate = figures[kind]["sets"] / figures[kind]["seconds"]
        figures[kind]["sets_per_second"] = round(rate, 1)
        hours = {n: n * n_sets / rate / 3600 for n in PASSES}
        figures[kind]["hours"] = {str(n): round(value, 2) for n, value in hours.items()}
        print(
            f"{kind:12} {rate:8,.0f} {rate / base:8.1f}", *(f"{h:10.2f} h" for h in hours.values())
        )
    seconds = figures["shipped_seconds"]
    if seconds:
        for kind in ("plain", "published"):
            for n, hours_of in figures[kind]["hours"].items():
                print(
                    f"training the shipped model, {seconds:,.0f} s, fits "
                    f"{hours_of * 3600 / seconds:.1f} times into {n} passes of {kind}"
                )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
