"""Time reading a large GMT: gsfm, with and without resolving, against a reader in plain Python.

    python benchmarks/read_gmt.py [--sets N] [--size N] [--repeat N] [--json FILE]

The file is simulated (seeded): sets of log-normal size, genes of Zipf-like popularity, one
identifier in thirty an alias or previous symbol, one in fifty in lower case. Every reader runs in
its own process, so that its peak memory can be measured; the best of the repeats counts. The
default is a tenth of the full size, ``--sets 1000000``.

The plain reader makes a dict of lists by splitting each line at its tabs. It keeps the identifiers
as they are, and checks neither duplicates nor the format of the file.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEED = 0
READERS = {
    "resolved": "gsfm.sets.read(file)",
    "raw": "gsfm.sets.read(file, resolve=False)",
    "plain": "line.split('\\t') into lists",
}


def make(path: Path, n_sets: int, size: int) -> None:
    """Write a file of `n_sets` sets with about `size` members on average."""
    import numpy as np

    import gsfm.genes

    rng = np.random.default_rng(SEED)
    table = gsfm.genes.table()
    symbols = np.array(table["symbol"].to_list(), object)
    others = np.array(
        [(aliases or previous or [symbol])[0] for symbol, aliases, previous in
         table.select("symbol", "aliases", "previous").iter_rows()],
        object,
    )  # fmt: skip
    popularity = 1 / np.arange(10, len(symbols) + 10) ** 0.7
    # A million tickets, each gene as many as it is popular.
    tickets = np.repeat(
        rng.permutation(len(symbols)), np.ceil(popularity / popularity.sum() * 1e6).astype(int)
    )
    spread = 0.9
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        done = 0
        while done < n_sets:
            n = min(10_000, n_sets - done)
            # The mean of a log-normal; a few draws in a hundred repeat and are lost.
            mean = np.log(size * 1.02) - spread**2 / 2
            sizes = np.maximum(rng.lognormal(mean, spread, n).astype(int), 5)
            owner = np.repeat(np.arange(n), sizes)
            keys = np.unique(owner << 32 | tickets[rng.integers(0, len(tickets), len(owner))])
            genes = keys & 0xFFFFFFFF
            names = symbols[genes]
            chance = rng.random(len(genes))
            names[chance < 1 / 30] = others[genes[chance < 1 / 30]]
            small = chance > 1 - 1 / 50
            names[small] = [name.lower() for name in names[small]]
            ends = np.searchsorted(keys >> 32, np.arange(1, n + 1)).tolist()
            start = 0
            for i, end in enumerate(ends, done):
                members = names[start:end]
                rng.shuffle(members)
                stream.write(f"set {i}\tmade for measuring\t" + "\t".join(members) + "\n")
                start = end
            done += n


def plain(path: str) -> dict[str, list[str]]:
    """Read with the plain reader, the peer."""
    sets = {}
    with open(path, encoding="utf-8") as stream:  # noqa: PTH123  # as everyone writes it
        for line in stream:
            name, _, *genes = line.rstrip("\n").split("\t")
            sets[name] = genes
    return sets


def measure(reader: str, path: str) -> dict[str, float]:
    """Read once in this process."""
    if reader == "plain":
        start = time.perf_counter()
        found = plain(path)
        seconds = time.perf_counter() - start
        counts = {"sets": len(found), "members": sum(map(len, found.values()))}
    else:
        import gsfm.sets

        start = time.perf_counter()
        sets = gsfm.sets.read(path, resolve=reader == "resolved")
        seconds = time.perf_counter() - start
        counts = {"sets": len(sets), "members": len(sets.indices), "genes": sets.n_genes}
    # Kilobytes on Linux, bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"seconds": seconds, "peak_gb": peak / 1e9, **counts}


def run(*arguments: str) -> str:
    """Run this script in its own process."""
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Make the file, read it with every reader, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=100_000, help="number of sets")
    parser.add_argument("--size", type=int, default=90, help="members a set, on average")
    parser.add_argument("--repeat", type=int, default=1, help="readings of each, the best counts")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--make", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, metavar=("READER", "FILE"), help=argparse.SUPPRESS)
    settings = parser.parse_args()
    if settings.make:
        make(Path(settings.make), settings.sets, settings.size)
        return
    if settings.measure:
        print(json.dumps(measure(*settings.measure)))
        return

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.gmt"
        run("--make", str(path), "--sets", str(settings.sets), "--size", str(settings.size))
        print(f"{path.stat().st_size / 1e6:,.0f} MB")
        results = {}
        for reader in READERS:
            runs = [json.loads(run("--measure", reader, str(path))) for _ in range(settings.repeat)]
            results[reader] = min(runs, key=lambda one: one["seconds"])
    base = results["plain"]
    print(f"{'reader':34}{'sets':>11}{'members':>13}{'seconds':>9}{'peak GB':>9}{'ratio':>7}")
    for reader, one in results.items():
        ratio = base["seconds"] / one["seconds"]
        print(
            f"{READERS[reader]:34}{one['sets']:>11,}{one['members']:>13,}"
            f"{one['seconds']:>9.2f}{one['peak_gb']:>9.2f}{ratio:>6.2f}x"
        )
    if settings.json:
        settings.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
