"""Enrichment where the right term is known: overlap, the model, and both together.

    python benchmarks/enrich_known.py names --data DATA [-o FILE]
    python benchmarks/enrich_known.py wrong --data DATA [-o FILE]
    python benchmarks/enrich_known.py halves --data DATA [-o FILE]
    python benchmarks/enrich_known.py later --data DATA --model DIR [-o FILE]
    python benchmarks/enrich_known.py planted [-o FILE]

* ``names``: 5 to 20 genes of a term of one library; the right term is that of the same name in
  another library (``enrichment_pairs.tsv``, matched by name before the first run).
* ``wrong``: the same with 20% and 50% of the genes exchanged for random ones of the library.
* ``halves``: half of the genes of a term of GO BP 2023 or KEGG 2021; in the library, this term has
  only the other half.
* ``later``: genes that GO annotated to a term after 2018; the library is the release of 2018, and
  DIR a model of what was there by 2018.
* ``planted``: a ranked list of 12,000 genes with random statistics, those of a Reactome term
  shifted up or down by several strengths.

All tables have the place of the right term (1 is the first; ties in random order), how often it is
among the first three and significant (p < 0.001), and the paired difference to over-representation
with a 95% bootstrap interval.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import gsfm
from gsfm import GeneSets, libraries, sets
from gsfm.models import Model
from gsfm.report import plain_lines

HERE = Path(__file__).parent
SIGNIFICANT, FIRST = 1e-3, 3
HALF_WEIGHT = 100
STRENGTHS = (0.3, 0.6, 1.0, 1.5)
RANKED_GENES = 12_000
#: GSEA is slow: lists that it ranks, with so many permutations.
GSEA_LISTS, PERMUTATIONS = 10, 100


def answers(
    query: Any, library: GeneSets, model: Model, methods: tuple[str, ...], term: str, seed: int
) -> Iterator[dict[str, Any]]:
    """The place of a term by each method, its p-value, and its false discovery rate."""
    for method in methods:
        how = method.split(",")[0]
        own: dict[str, Any] = {"method": how}
        own |= {"model": model} if how in ("combined", "model") else {}
        if how == "prerank":
            own |= {"permutations": PERMUTATIONS, "max_size": 1000}
        try:
            table = gsfm.enrich(query, library, top=None, group=False, min_size=3, **own).table
        except gsfm.GsfmError:  # no overlap with any term
            yield {"method": method, "place": np.nan, "p_value": 1.0, "fdr": 1.0}
            continue
        column = {"combined": "score", "model": "z_score"}.get(how)
        key = -np.log10(np.maximum(table["p_value"].to_numpy(), 1e-300))
        if column is not None:
            key = table[column].to_numpy()
        elif how == "prerank":
            key = np.abs(table["nes"].to_numpy())
        elif method == "ora, size":
            size = table["size"].to_numpy()
            key = key + np.log10(size / (size + HALF_WEIGHT))
        mine = (table["term"] == term).to_numpy()
        if not mine.any():
            yield {"method": method, "place": np.nan, "p_value": 1.0, "fdr": 1.0}
            continue
        best = key[mine].max()
        ties = np.random.default_rng(seed).integers(0, int(((key == best) & ~mine).sum()) + 1)
        yield {
            "method": method,
            "place": 1 + int((key > best).sum()) + int(ties),
            "p_value": float(table["p_value"].to_numpy()[mine].min()),
            "fdr": float(table["fdr"].to_numpy()[mine].min()),
            "terms": len(table),
        }


def summarize(rows: pl.DataFrame) -> pl.DataFrame:
    """One row for each task and method."""
    rng, out = np.random.default_rng(0), []
    most = rows["terms"].max()
    rows = rows.with_columns(pl.col("place").fill_nan(None).fill_null(pl.lit(most)))
    for (task,), part in rows.group_by("task", maintain_order=True):
        for (method,), own in part.group_by("method", maintain_order=True):
            own = own.sort("query")
            base = part.filter(pl.col("query").is_in(own["query"].implode()), method="ora")
            base = base.sort("query")
            place, before = own["place"].to_numpy(), base["place"].to_numpy()
            found = (place <= FIRST) & (own["p_value"].to_numpy() < SIGNIFICANT)
            base_found = (before <= FIRST) & (base["p_value"].to_numpy() < SIGNIFICANT)
            row = {
                "task": task,
                "method": method,
                "lists": len(place),
                "median place": float(np.median(place)),
                "in first 3": (place <= FIRST).mean(),
                "first 3, p < 0.001": found.mean(),
                "fdr < 0.05": (own["fdr"].to_numpy() < 0.05).mean(),
            }
            pairs = {
                "log10 place": np.log10(place) - np.log10(before),
                "found": found.astype(float) - base_found,
            }
            for name, difference in pairs.items():
                n = len(difference)
                means = difference[rng.integers(0, n, (2000, n))].mean(axis=1)
                low, high = np.quantile(means, [0.025, 0.975])
                row[f"{name} less ora"] = f"{difference.mean():+.3f} ({low:+.3f} to {high:+.3f})"
            out.append(row)
    return pl.DataFrame(out)


def pairs_of(data: Path, n: int, seed: int) -> Iterator[tuple[list[str], str, GeneSets, GeneSets]]:
    """Genes of a term of one library, the term's name in another, and both libraries."""
    read = {name: libraries.load(name) for name in ("go-bp", "reactome")}
    read["kegg"] = sets.read(data / "benchmark" / "KEGG_2021_Human.gmt.gz")
    table = pl.read_csv(HERE / "enrichment_pairs.tsv", separator="\t")
    rng = np.random.default_rng(seed)
    given = 0
    for i in rng.permutation(table.height):
        one, its_term, other, term = table.row(int(i))
        if rng.random() < 0.5:
            one, its_term, other, term = other, term, one, its_term
        # The table is as old as the plan; a later release may have renamed a term.
        if its_term not in read[one].names or term not in read[other].names:
            continue
        genes = list(read[one].genes(read[one].names.index(its_term)))
        size = int(rng.integers(5, 21))
        if len(genes) < 5:
            continue
        yield [genes[j] for j in rng.permutation(len(genes))[:size]], term, read[other], read[one]
        given += 1
        if given == n:
            return


METHODS = ("ora", "ora, size", "model", "combined")
Rows = Iterator[dict[str, Any]]


def names(data: Path, model: Model, n: int, seed: int) -> Rows:
    """Terms of the same name in two libraries."""
    for i, (genes, term, library, _) in enumerate(pairs_of(data, n, seed)):
        for row in answers(genes, library, model, METHODS, term, i):
            yield {"task": "names", "query": i, "term": term, **row}


def wrong(data: Path, model: Model, n: int, seed: int) -> Rows:
    """The same with wrong genes."""
    for i, (genes, term, library, own) in enumerate(pairs_of(data, n, seed)):
        for share in (0.2, 0.5):
            rng = np.random.default_rng([seed, i])
            others = sorted({own.vocabulary[int(g)] for g in np.unique(own.indices)} - {*genes})
            k = max(1, round(share * len(genes)))
            mixed = [*genes[k:], *rng.choice(others, k, replace=False)]
            for row in answers(mixed, library, model, METHODS, term, i):
                yield {"task": f"{share:.0%} wrong", "query": i, "term": term, **row}


def halves(data: Path, model: Model, n: int, seed: int) -> Rows:
    """Half of a term; the library has the other half."""
    for file, name in (
        ("GO_Biological_Process_2023", "GO BP 2023"),
        ("KEGG_2021_Human", "KEGG 2021"),
    ):
        library = sets.read(data / "benchmark" / f"{file}.gmt.gz")
        rng = np.random.default_rng(seed)
        rows = rng.permutation(np.flatnonzero(library.sizes >= 10))[: n // 2]
        lists = {one: list(library.genes(i)) for i, one in enumerate(library.names)}
        for i in rows.tolist():
            term = library.names[i]
            genes = [lists[term][j] for j in rng.permutation(len(lists[term]))]
            half = len(genes) // 2
            other = GeneSets.from_lists({**lists, term: genes[half:]})
            for row in answers(genes[:half], other, model, METHODS, term, i):
                yield {"task": f"halves, {name}", "query": i, "term": term, **row}


def later(data: Path, model: Model, n: int, seed: int) -> Rows:
    """Genes that were annotated after 2018."""
    old, new = (
        sets.read(data / "benchmark" / f"GO_Biological_Process_{year}.gmt.gz")
        for year in (2018, 2025)
    )
    by_id = {name.split("(GO:")[-1]: name for name in old.names}
    queries = []
    for i, name in enumerate(new.names):
        term = by_id.get(name.split("(GO:")[-1])
        if term is None:
            continue
        known = set(old.genes(old.names.index(term)))
        genes = [gene for gene in new.genes(i) if gene not in known]
        if len(known) >= 5 and len(genes) >= 5:
            queries.append((genes, term))
    rng = np.random.default_rng(seed)
    for i in rng.permutation(len(queries))[:n].tolist():
        genes, term = queries[i]
        genes = [genes[j] for j in rng.permutation(len(genes))[:20]]
        for row in answers(genes, old, model, METHODS, term, i):
            yield {"task": "later than 2018", "query": i, "term": term, **row}


def planted(data: Path, model: Model, n: int, seed: int) -> Rows:
    """Shifted statistics of the genes of a term."""
    library = libraries.load("reactome")
    rng = np.random.default_rng(seed)
    known = sorted({library.vocabulary[int(g)] for g in np.unique(library.indices)})
    others = sorted({*model.vocabulary.symbols} - {*known})
    genes = [*known, *rng.choice(others, max(0, RANKED_GENES - len(known)), replace=False)]
    fit = np.flatnonzero((library.sizes >= 20) & (library.sizes <= 200))
    for i, row_of_term in enumerate(rng.choice(fit, n, replace=False).tolist()):
        term, own = library.names[row_of_term], set(library.genes(row_of_term))
        noise = rng.normal(size=len(genes))
        sign = 1 if i % 2 else -1
        for strength in STRENGTHS:
            shift = np.array([sign * strength * (gene in own) for gene in genes])
            ranked = dict(zip(genes, (noise + shift).tolist(), strict=True))
            methods = ("ora", "model", "combined", *(["prerank"] if i < GSEA_LISTS else []))
            for row in answers(ranked, library, model, methods, term, i):
                yield {"task": f"{strength:g} SD", "query": i, "term": term, **row}


TASKS: dict[str, Callable[[Path, Model, int, int], Rows]] = {
    "names": names,
    "wrong": wrong,
    "halves": halves,
    "later": later,
    "planted": planted,
}


def main() -> None:
    """Run a task, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--data", type=Path, help="the folder with benchmark/")
    parser.add_argument("--model", type=Path, help="a model folder; the shipped model by default")
    parser.add_argument("--lists", type=int, default=200, help="lists of each task")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, help="write all rows as TSV")
    options = parser.parse_args()
    if options.data is None and options.task != "planted":
        parser.error(f"{options.task} needs --data")
    model = gsfm.load(options.model)
    rows = []
    for row in TASKS[options.task](options.data, model, options.lists, options.seed):
        rows.append(row)
        if len(rows) % 200 == 0:
            print(len(rows), flush=True)
    table = pl.DataFrame(rows, infer_schema_length=None)
    if options.output is not None:
        table.write_csv(options.output, separator="\t")
    print("\n".join(plain_lines(summarize(table))))


if __name__ == "__main__":
    main()
