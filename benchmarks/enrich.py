"""Compare enrichment by overlap, GSEA prerank and a model: known answers, and calibrated p-values.

    python benchmarks/enrich.py truth --data DATA --model DIR [-o FILE]
    python benchmarks/enrich.py truth --data DATA --train DIR [-o FILE]
    python benchmarks/enrich.py null [--model DIR] [-o FILE]

`enrich_known.py` has further tasks.

DATA holds ``train/*.gmt.gz`` and ``benchmark/*.gmt.gz``. ``truth`` has two tasks:

* from the genes that change when a transcription factor is perturbed, find the factor among those
  of ChEA 2016 (targets by ChIP): the rank of the factor by its best term;
* from the genes that change in a disease, find the disease among the traits of the GWAS Catalog
  2023: the rank of the best trait that has all words of the disease's name.

Each task is run with the whole list, with 20 of its genes, and with a list in which half of the
genes are random.
The model must not have seen these lists: ``--train DIR`` fits one on the publications inside gsfm
and on all libraries of DATA/train but those of such signatures (`LEFT_OUT`), and keeps it in DIR.

The lists are sets. For GSEA prerank the genes of the set come before all others of the library,
both in random order, and the sum is unweighted; it runs on the first ``--prerank`` lists only.

``null`` tests random sets, and correlated ones on a library with exchanged genes: how often are the
p-values small?
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm import GeneSets, GsfmError, corpus, libraries, models, sets
from gsfm.analysis import enrich, ora, prerank
from gsfm.analysis.gene_frequency import popularity
from gsfm.analysis.terms import load_terms
from gsfm.models import Adaptive, Model, typical
from gsfm.models.typical import Typical
from gsfm.report import plain_lines

#: Libraries of signatures of single genes and of diseases, and those with the same experiments.
LEFT_OUT = (
    *("TF_Perturbations_*", "TF-LOF_*", "GEO_RNAseq_TF_*", "KEA3_TF_perts_*"),
    *("Single_Gene_Perturbations_*", "GSEAInContext_*", "CREEDS_*", "Kinase_Perturbations_*"),
    *("Disease_Perturbations_*", "Disease_Signatures_*", "STARGEO_*", "RNA-Seq_Disease_*"),
    *("MSigDB_c2.cgp*", "MSigDB_m2.cgp*", "MSigDB_c6*", "Aging_Perturbations_*", "Diabetes_*"),
)
FACTORS = (
    "TF_Perturbations_Followed_by_Expression",
    "TF-LOF_Expression_from_GEO",
    "GEO_RNAseq_TF_perturbations_up",
    "GEO_RNAseq_TF_perturbations_down",
)
DISEASES = (
    "Disease_Perturbations_from_GEO_up",
    "Disease_Perturbations_from_GEO_down",
    "Disease_Signatures_from_GEO_up_2014",
    "Disease_Signatures_from_GEO_down_2014",
    "STARGEO_disease_DE",
)
LISTS = ("full", "short", "noisy")
EACH = 3  # lists of a factor or disease, at most
LONGEST, SHORT = 300, 20
HALF_WEIGHT = 100  # of a term of so many genes, in "ora, size"
#: Words that tell no disease from another.
EMPTY = {"disease", "disorder", "syndrome", "of", "the", "and", "type", "due", "to", "in", "with"}


class Query(NamedTuple):
    """A list and what is true of it."""

    genes: list[str]
    truth: str
    answers: frozenset[str]  # the names of the candidates that are right


class Task(NamedTuple):
    """Lists to ask, and the library to find the truth in."""

    name: str
    library: GeneSets
    candidate: list[str]  # of each term: the factor, or the trait
    queries: list[Query]


def factor_of(name: str) -> str:
    """The factor of a term of ChEA or of a signature: all before the first underscore."""
    return name.split("_")[0].upper()


def words(name: str) -> frozenset[str]:
    """The words of a disease's name, without ids, studies and words that tell nothing."""
    name = re.sub(r"(\s+(C\d{7}|DOID-\d+).*|_GSE.*|\s+(up|down|dn)\s*$)", "", name, flags=re.I)
    name = re.sub(r"'s\b|\([^)]*\)", "", name.lower())
    return frozenset(re.findall(r"[a-z0-9]+", name)) - EMPTY


def factors(data: Path, n: int, rng: np.random.Generator) -> Task:
    """Signatures of perturbed transcription factors against ChEA 2016."""
    library = sets.read(data / "benchmark" / "ChEA_2016.gmt.gz")
    of_term = [factor_of(name) for name in library.names]

    def answers(name: str) -> frozenset[str]:
        return frozenset([factor_of(name)]) & frozenset(of_term)

    return Task("factors", library, of_term, _draw(data, FACTORS, answers, n, rng))


def diseases(data: Path, n: int, rng: np.random.Generator) -> Task:
    """Signatures of diseases against the GWAS Catalog 2023."""
    library = sets.read(data / "benchmark" / "GWAS_Catalog_2023.gmt.gz")
    of_term = {name: words(name) for name in library.names}

    def answers(name: str) -> frozenset[str]:
        query = words(name)
        return frozenset(term for term, has in of_term.items() if query and query <= has)

    return Task("diseases", library, library.names, _draw(data, DISEASES, answers, n, rng))


def _draw(
    data: Path, names: tuple[str, ...], answers: Any, n: int, rng: np.random.Generator
) -> list[Query]:
    """At most `n` lists with an answer, at most `EACH` with the same ones."""
    found: list[Query] = []
    for name in names:
        read = sets.read(data / "train" / f"{name}.gmt.gz")
        for i, title in enumerate(read.names):
            right = answers(title)
            if right and read.sizes[i] >= SHORT:
                found.append(Query(list(read.genes(i)), title, right))
    chosen: list[Query] = []
    met: dict[frozenset[str], int] = {}
    for i in rng.permutation(len(found)):
        query = found[i]
        if met.get(query.answers, 0) < EACH and len(chosen) < n:
            met[query.answers] = met.get(query.answers, 0) + 1
            chosen.append(query)
    print(f"{len(found):,} lists with an answer, {len(chosen):,} of them used", flush=True)
    return chosen


def vary(genes: list[str], how: str, others: list[str], rng: np.random.Generator) -> list[str]:
    """A list as it is (at most `LONGEST` genes), in short, or with half its genes exchanged."""
    size = {"full": LONGEST, "short": SHORT, "noisy": LONGEST}[how]
    kept = [genes[i] for i in rng.permutation(len(genes))[:size]]
    if how != "noisy":
        return kept
    half = len(kept) // 2
    return list(dict.fromkeys([*kept[: len(kept) - half], *rng.choice(others, half, False)]))


def rank(
    task: Task, terms: pl.Series, key: NDArray[np.float64], query: Query, rng: np.random.Generator
) -> float:
    """Where the first right candidate stands, 0 (first) to 1 (last), each by its best term.

    Terms have the largest key first; ties are in random order, because that of the library favors
    some candidates. Candidates that were not tested come after those that were, all at one place.
    """
    of_term = dict(zip(task.library.names, task.candidate, strict=True))
    by_key = np.lexsort((rng.random(len(key)), -key))
    order = list(dict.fromkeys(of_term[term] for term in terms[by_key]))
    n = len(set(task.candidate))
    at = [i for i, candidate in enumerate(order) if candidate in query.answers]
    place = at[0] if at else (len(order) + n - 1) / 2
    return place / (n - 1)


def ask(task: Task, model: Model, n_prerank: int, seed: int) -> Iterator[dict[str, Any]]:
    """The rank of the truth, by list, variant and method."""
    others = sorted({task.library.vocabulary[int(i)] for i in task.library.indices})
    started = time.monotonic()
    for i, query in enumerate(task.queries):
        for how in LISTS:
            rng = np.random.default_rng([seed, i, LISTS.index(how)])
            genes = vary(query.genes, how, others, rng)
            settings: dict[str, Any] = {"top": None}
            tables = {}
            try:
                tables["ora"] = ora(genes, task.library, **settings).table
                tables["combined"] = enrich(
                    genes, task.library, **settings, group=False, model=model
                ).table
            except Exception as error:
                raise RuntimeError(f"{query.truth}, {how}") from error
            if i < n_prerank:
                # A little chance in the place of ties.
                ranked = {
                    gene: float(gene in genes) + float(rng.uniform(1e-9, 1e-6)) for gene in others
                }
                tables["prerank"] = prerank(
                    ranked,
                    task.library,
                    weight=0,
                    permutations=50,
                    max_size=None,
                    **settings,
                ).table
            tables["model"] = tables["combined"]
            keys = {method: _key(method, table) for method, table in tables.items()}
            size = tables["ora"]["size"].to_numpy()
            tables["ora, size"] = tables["ora"]
            keys["ora, size"] = keys["ora"] + np.log10(size / (size + HALF_WEIGHT))
            for method, table in tables.items():
                yield {
                    "task": task.name,
                    "query": i,
                    "truth": query.truth,
                    "list": how,
                    "method": method,
                    "rank": rank(task, table["term"], keys[method], query, rng),
                }
        if (i + 1) % 10 == 0:
            spent = time.monotonic() - started
            print(f"{task.name}: {i + 1} of {len(task.queries)}, {spent:.0f} s", flush=True)


def _key(method: str, table: pl.DataFrame) -> NDArray[np.float64]:
    """What a method orders the terms by, the largest first."""
    column = {"combined": "score", "prerank": "nes"}.get(method)
    if column is not None:
        return np.asarray(table[column].to_numpy(), np.float64)
    p_values = table["model_p_value" if method == "model" else "p_value"].to_numpy()
    return np.asarray(-np.log10(np.maximum(p_values, 1e-300)), np.float64)


def summarize(rows: pl.DataFrame) -> pl.DataFrame:
    """Mean rank, the share near the top, and the difference to ora with a bootstrap interval."""
    rng = np.random.default_rng(0)
    table_rows = []
    for (task, how), part in rows.group_by("task", "list", maintain_order=True):
        wide = part.pivot("method", index="query", values="rank")
        groups: list[tuple[str, pl.DataFrame, list[str]]]
        own = ["ora", "ora, size", "model", "combined"]
        groups = [("all lists", wide, [m for m in own if m in wide.columns])]
        if "prerank" in wide.columns:
            ranked = wide.drop_nulls("prerank")
            groups.append((f"first {ranked.height}", ranked, ["ora", "prerank", "combined"]))
        for which, table, methods in groups:
            for method in methods:
                x = table[method].to_numpy()
                difference = x - table["ora"].to_numpy()
                drawn = rng.integers(0, len(x), (2000, len(x)))
                low, high = np.quantile(difference[drawn].mean(axis=1), [0.025, 0.975])
                first = (x < 0.01).astype(float) - (table["ora"].to_numpy() < 0.01)
                first_low, first_high = np.quantile(first[drawn].mean(axis=1), [0.025, 0.975])
                table_rows.append(
                    {
                        "task": task,
                        "list": how,
                        "of": which,
                        "lists": len(x),
                        "method": method,
                        "mean rank": x.mean(),
                        "median": float(np.median(x)),
                        "in first 1%": (x < 0.01).mean(),
                        "in first 10%": (x < 0.1).mean(),
                        "less ora": difference.mean(),
                        "low": low,
                        "high": high,
                        "first 1% less ora": first.mean(),
                        "first low": first_low,
                        "first high": first_high,
                    }
                )
    return pl.DataFrame(table_rows)


def train(data: Path, folder: Path, epochs: float) -> Model:
    """Fit a model without the signatures of the tasks, or load it if it is there."""
    if (folder / "config.json").exists():
        return models.load(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    publications = folder.parent / "publications.gsets"
    corpus.embedded().save(publications)
    built = corpus.build(
        [publications, data / "train"], exclude=LEFT_OUT, near_duplicates=None, progress=print
    )
    model = Adaptive(
        members=(
            {"family": "autoencoder", "epochs": epochs},
            {"family": "linear", "regularization": 20.0, "prune": 64, "dimensions": 128},
            {"family": "popularity"},
        ),
        weights=(1.0, 0.2, 0.0),
    )
    started = time.monotonic()
    model.fit(built)
    model.typical = Typical.fit(model, typical.sample(built, typical.SETS, 0), "training sets")
    print(f"trained in {time.monotonic() - started:.0f} s on {built}")
    model.save(folder)
    return model


def null(model: Model, library: str, n: int, seed: int) -> pl.DataFrame:
    """How often p-values are small, of random sets: of all kinds of genes, or famous ones.

    A set's genes are exchanged for such as are within a tenth as popular, whatever the strata.
    Correlated sets are papers; the library's genes are exchanged for such as are as popular.
    """
    rng = np.random.default_rng(seed)
    read = libraries.load(library)
    terms = load_terms(read, model.vocabulary)
    of_gene, _ = popularity(model, terms)
    order = np.argsort(-of_gene, kind="stable")
    falling = -of_gene[order]

    def exchanged(genes: NDArray[np.int64]) -> list[str]:
        low = np.searchsorted(falling, -of_gene[genes] - np.log(1.1))
        high = np.searchsorted(falling, -of_gene[genes] + np.log(1.1), side="right")
        drawn = {int(order[rng.integers(a, b)]) for a, b in zip(low, high, strict=True)}
        return [model.vocabulary[i] for i in drawn]

    rows = []
    for power, size in itertools.product((0.0, 1.0, 2.0), (5, 30, 150, 500)):
        share = np.exp(power * (of_gene - of_gene.max()))
        share /= share.sum()
        lists = [exchanged(rng.choice(len(share), size, False, share)) for _ in range(n)]
        kind = f"frequency ** {power:g}"
        rows += _null_rows(kind, size, lists, read, model)
    # Genes of the library that are as popular change places: each term keeps its popularity.
    pairs = np.flatnonzero(terms.known.any(axis=0))
    pairs = pairs[np.argsort(-of_gene[pairs], kind="stable")]
    names = list(model.vocabulary)
    swapped: dict[str, str] = {}
    for start in range(0, len(pairs), 20):
        part = pairs[start : start + 20]
        swapped |= {names[a]: names[b] for a, b in zip(part, rng.permutation(part), strict=True)}
    renamed = GeneSets.from_lists(
        {
            name: [swapped[gene] for gene in read.genes(i) if gene in swapped]
            for i, name in enumerate(read.names)
        }
    )
    papers = corpus.embedded()
    fit = np.flatnonzero((papers.sizes >= 15) & (papers.sizes <= 600))
    lists = [list(papers.genes(int(i))) for i in rng.choice(fit, 3 * n, replace=False)]
    rows += _null_rows("papers, exchanged terms", 0, lists, renamed, model)
    return pl.DataFrame(rows)


def _null_rows(
    kind: str, size: int, lists: list[list[str]], library: GeneSets, model: Model
) -> list[dict[str, Any]]:
    rows = []
    columns = {"ora": ["p_value"], "combined": ["overlap_p_value", "model_p_value", "p_value"]}
    for method, names in columns.items():
        own: dict[str, Any] = {"method": method}
        own |= {"model": model} if method == "combined" else {}
        found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}
        for genes in lists:
            with contextlib.suppress(GsfmError):  # of five genes, none may be in a term
                table = enrich(genes, library, top=None, group=False, **own).table
                for name in names:
                    found[name].append(table[name].to_numpy())
        for name, values in found.items():
            p = np.concatenate(values)
            rows.append(
                {
                    "sets": kind,
                    "genes": str(size or "15 to 600"),
                    "p-value": f"{method}: {name}",
                    "lists": len(values),
                    **{
                        f"<= {x:g}": (p <= x).mean() / x for x in (0.5, 0.1, 0.05, 0.01, 1e-3, 1e-4)
                    },
                }
            )
            print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Ask, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["truth", "null"])
    parser.add_argument("--data", type=Path, help="the folder with train/ and benchmark/")
    parser.add_argument("--model", type=Path, help="a model folder")
    parser.add_argument("--train", type=Path, metavar="DIR", help="fit a model, and keep it there")
    parser.add_argument("--epochs", type=float, default=4, help="of the network in --train")
    parser.add_argument("--queries", type=int, default=200, help="lists of each task")
    parser.add_argument("--prerank", type=int, default=20, help="lists for GSEA, which is slow")
    parser.add_argument("--library", default="reactome", help="for null")
    parser.add_argument("--sets", type=int, default=40, help="random sets of each kind, for null")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, help="write all rows as TSV")
    options = parser.parse_args()
    if options.what == "null":
        model = models.load(options.model)
        table = null(model, options.library, options.sets, options.seed)
    else:
        if options.data is None or (options.model is None) == (options.train is None):
            parser.error("truth needs --data, and --model or --train")
        model = (
            models.load(options.model)
            if options.train is None
            else train(options.data, options.train, options.epochs)
        )
        rng = np.random.default_rng(options.seed)
        tasks = [make(options.data, options.queries, rng) for make in (factors, diseases)]
        settings = (options.prerank, options.seed)
        rows = pl.DataFrame(row for task in tasks for row in ask(task, model, *settings))
        if options.output is not None:
            rows.write_csv(options.output, separator="\t")
        table = summarize(rows)
    print("\n".join(plain_lines(table)))
    if options.what == "null" and options.output is not None:
        table.write_csv(options.output, separator="\t")


if __name__ == "__main__":
    main()
