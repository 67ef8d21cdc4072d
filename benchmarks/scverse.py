"""Measure `gsfm.scverse.score` beside the univariate linear model of decoupler, with its memory.

    python benchmarks/scverse.py [--cells 200 100000] [--genes 20000] [--terms 50]

The cells are random sparse counts (a tenth is not 0), log-normalized. Each step runs in a process
of its own; the seconds of its calls and its peak memory are printed. ``nothing`` loads the cells,
``memory`` scores them, and ``backed`` scores those of the file. decoupler, if it is installed, gets
the same signatures as a network, and the same expression, which it does not standardize.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp

import gsfm
from gsfm import scverse

DENSITY = 0.1
#: Cells that are made at once.
BLOCK = 10_000


def make(file: Path, cells: int, genes: int) -> None:
    """Write the cells."""
    rng = np.random.default_rng(0)
    symbols = np.array(gsfm.load().vocabulary.symbols)
    names = rng.choice(symbols, min(genes, len(symbols)), replace=False)
    blocks = []
    for start in range(0, cells, BLOCK):
        shape = min(BLOCK, cells - start), len(names)
        # A tenth of the genes, about evenly spread, of each cell.
        gaps = rng.integers(1, int(2 / DENSITY), (shape[0], int(shape[1] * DENSITY)))
        columns = gaps.cumsum(axis=1, dtype=np.int32)
        counts = 1 + rng.poisson(1.0, columns.shape).astype(np.float32)
        counts[columns >= shape[1]] = 0
        values = np.log1p(counts * (1e4 / counts.sum(axis=1, keepdims=True)))
        there = columns < shape[1]
        indptr = np.append(0, there.sum(axis=1).cumsum())
        blocks.append(sp.csr_matrix((values[there], columns[there], indptr), shape=shape))
    x = sp.vstack(blocks, format="csr")
    obs = pd.DataFrame(index=[f"cell{i}" for i in range(cells)])
    anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=names)).write_h5ad(file)


def library(terms: int) -> gsfm.GeneSets:
    """Random terms of Reactome with 15 to 200 genes."""
    every = gsfm.libraries.load("reactome")
    rows = np.flatnonzero((every.sizes >= 15) & (every.sizes <= 200))
    return every[np.random.default_rng(0).choice(rows, terms, replace=False)]


def step(name: str, file: Path, terms: int, calls: int) -> dict[str, Any]:
    """Run one step and measure it."""
    sets, network = library(terms), file.with_suffix(".pickle")
    if name == "decoupler":
        import decoupler

        net = pd.read_pickle(network)
    adata = anndata.read_h5ad(file, backed="r" if name == "backed" else None)
    seconds: list[float] = []
    more: dict[str, float] = {}
    for _ in range(0 if name == "nothing" else calls):
        start = time.perf_counter()
        if name == "decoupler":
            decoupler.mt.ulm(adata, net, tmin=0, bsize=scverse.BSIZE)
        else:
            scverse.score(adata, sets)
        seconds.append(time.perf_counter() - start)
        if name != "decoupler":
            more.setdefault("signatures", adata.uns["gsfm"]["signatures_seconds"])
    if name == "memory":
        scverse.signatures(sets, genes=list(adata.var_names)).to_pickle(network)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "gb": peak / 1e9, **more}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[200, 100_000])
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--terms", type=int, default=50)
    parser.add_argument("--calls", type=int, default=2, help="the first one makes the signatures")
    parser.add_argument("--folder", type=Path, help="where the cells are, or are written to")
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        name, file = options.step
        print(json.dumps(step(name, Path(file), options.terms, options.calls)))
        return
    names = ["nothing", "memory", "backed"]
    names += ["decoupler"] * bool(importlib.util.find_spec("decoupler"))
    with tempfile.TemporaryDirectory() as temporary:
        for cells in options.cells:
            file = (options.folder or Path(temporary)) / f"{cells}-{options.genes}.h5ad"
            if not file.exists():
                make(file, cells, options.genes)
            found = {}
            for name in names:
                command = [sys.executable, __file__, "--step", name, str(file)]
                command += ["--terms", str(options.terms), "--calls", str(options.calls)]
                one = json.loads(subprocess.run(command, check=True, stdout=-1).stdout)
                times = " / ".join(f"{seconds:.2f} s" for seconds in one["seconds"]) or "0 s"
                made = f", signatures {one['signatures']:.2f} s" if "signatures" in one else ""
                about = f"{times}{made}, peak {one['gb']:.2f} GB"
                print(f"{cells} cells, {options.terms} terms, {name}: {about}", flush=True)
                found[name] = one["seconds"]
            if "decoupler" in found:
                ratio = found["memory"][-1] / found["decoupler"][-1]
                print(f"{cells} cells: the last call takes {ratio:.2f} x the time of decoupler")


if __name__ == "__main__":
    main()
