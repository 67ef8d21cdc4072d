"""Time `gsfm.genes.resolve` against a lookup in a dictionary.

    python benchmarks/resolve.py [--identifiers 1000000] [--repeat 5]

One run times three ways on the same identifiers: gsfm; a plain Python dictionary (upper-cased
symbols, previous symbols, aliases and ids, built beforehand, one lookup for each identifier); and,
if pandas is installed, a left merge with the same dictionary as a table. The peers handle neither
precedence, ambiguity, versions nor dates: the fraction of identifiers that they resolve is printed
too.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

import polars as pl

from gsfm import genes


def identifiers(n: int, seed: int = 0) -> list[str]:
    """Return `n` identifiers, all kinds mixed."""
    rng = random.Random(seed)
    table = genes.table()
    symbols = table["symbol"].to_list()
    columns = {
        column: table[column].explode().drop_nulls().to_list()
        if table.schema[column] == pl.List
        else table[column].drop_nulls().to_list()
        for column in ("previous", "aliases", "entrez_id", "uniprot", "mouse", "rat", "mgi_id")
    }
    ensembl = [f"{i}.{rng.randint(1, 20)}" for i in table["ensembl_id"].drop_nulls()]
    pools = [symbols, symbols, [s.lower() for s in symbols], ensembl, *columns.values()]
    mixed = [rng.choice(pools[rng.randrange(len(pools))]) for _ in range(n - n // 50)]
    junk = [f"unknown_{rng.randrange(n)}" for _ in range(n // 50)]
    result = mixed + junk
    rng.shuffle(result)
    return result


def dictionary() -> dict[str, str]:
    """Return a dictionary as most projects build it: any name in upper case -> symbol."""
    table = genes.table()
    found: dict[str, str] = {}
    for column in ("symbol", "previous", "aliases", "entrez_id", "ensembl_id", "uniprot", "mouse"):
        rows = table.select("symbol", key=column)
        if rows.schema["key"] == pl.List:
            rows = rows.explode("key")
        for symbol, key in rows.drop_nulls().iter_rows():
            found.setdefault(key.upper(), symbol)
    return found


def best(function: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    """Return the shortest time of `repeat` runs, in seconds, and the last result."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--identifiers", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    start = time.perf_counter()
    genes.resolve(["TP53"])
    first = time.perf_counter() - start
    mixed = identifiers(options.identifiers)
    print(f"{len(mixed):,} identifiers, {len(set(mixed)):,} distinct; best of {options.repeat}")
    print(f"first call (reads the names)          {1e3 * first:8.1f} ms")
    few = mixed[:50]
    genes.resolve(mixed)  # reads the rest of the ids
    seconds, _ = best(lambda: genes.resolve(few), 20)
    print(f"50 identifiers, warm                  {1e3 * seconds:8.1f} ms")

    def report(name: str, seconds: float, found: list[str | None], ours: float) -> None:
        share = sum(symbol is not None for symbol in found) / len(found)
        print(f"{name:37} {seconds:8.3f} s  {seconds / ours:5.2f}x  {share:6.1%} resolved")

    ours, symbols = best(lambda: genes.resolve(mixed).symbols, options.repeat)
    report("gsfm.genes.resolve(...).symbols", ours, symbols, ours)

    lookup = dictionary()
    seconds, plain = best(
        lambda: [lookup.get(name.strip().upper()) for name in mixed], options.repeat
    )
    report("dict.get(name.strip().upper())", seconds, plain, ours)

    try:
        import pandas as pd
    except ImportError:
        return
    keys = pd.DataFrame({"key": list(lookup), "symbol": list(lookup.values())})

    def merge() -> list[str | None]:
        names = pd.DataFrame({"key": pd.Series(mixed).str.strip().str.upper()})
        merged = names.merge(keys, on="key", how="left")["symbol"]
        return [symbol if isinstance(symbol, str) else None for symbol in merged.tolist()]

    seconds, merged = best(merge, options.repeat)
    report("pandas merge", seconds, merged, ours)


if __name__ == "__main__":
    main()
