"""Compare enrichment by overlap, GSEA prerank and a model: known answers, and calibrated p-values.

    python benchmarks/enrich.py truth --data DATA --model DIR [-o FILE]
    python benchmarks/enrich.py truth --data DATA --train DIR [-o FILE]
    python benchmarks/enrich.py null [--model DIR] [-o FILE]

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

``null`` runs a model on random sets: are the p-values uniform, and how often are they small?
"""

from __future__ import annotations

import argparse
import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from gsfm import GeneSets, corpus, models, sets
from gsfm.analysis import enrich, ora, prerank
from gsfm.analysis.gene_frequency import popularity
from gsfm.analysis.terms import load_terms
from gsfm.models import Adaptive, Model
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


def rank(task: Task, table: pl.DataFrame, query: Query) -> float:
    """Where the first right candidate stands, 0 (first) to 1 (last), each by its best term.

    Candidates that were not tested come after those that were, all at the same place.
    """
    names = task.library.names
    of_term = dict(zip(names, task.candidate, strict=True))
    order = list(dict.fromkeys(of_term[term] for term in table["term"]))
    n = len(set(task.candidate))
    at = [i for i, candidate in enumerate(order) if candidate in query.answers]
    place = at[0] if at else (len(order) + n - 1) / 2
    return place / (n - 1)


def ask(
    task: Task, model: Model, draws: int, n_prerank: int, seed: int
) -> Iterator[dict[str, Any]]:
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
                tables["model"] = enrich(
                    genes, task.library, draws=draws, **settings, model=model
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
            for method, table in tables.items():
                yield {
                    "task": task.name,
                    "query": i,
                    "truth": query.truth,
                    "list": how,
                    "method": method,
                    "rank": rank(task, table, query),
                }
        if (i + 1) % 10 == 0:
            spent = time.monotonic() - started
            print(f"{task.name}: {i + 1} of {len(task.queries)}, {spent:.0f} s", flush=True)


def summarize(rows: pl.DataFrame) -> pl.DataFrame:
    """Mean rank, the share near the top, and the difference to ora with a bootstrap interval."""
    rng = np.random.default_rng(0)
    table_rows = []
    for (task, how), part in rows.group_by("task", "list", maintain_order=True):
        wide = part.pivot("method", index="query", values="rank")
        groups: list[tuple[str, pl.DataFrame, list[str]]]
        groups = [("all lists", wide, [m for m in ("ora", "model") if m in wide.columns])]
        if "prerank" in wide.columns:
            ranked = wide.drop_nulls("prerank")
            groups.append((f"first {ranked.height}", ranked, ["ora", "prerank", "model"]))
        for which, table, methods in groups:
            for method in methods:
                x = table[method].to_numpy()
                difference = x - table["ora"].to_numpy()
                means = [rng.choice(difference, len(x)).mean() for _ in range(2000)]
                low, high = np.quantile(means, [0.025, 0.975])
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
    print(f"trained in {time.monotonic() - started:.0f} s on {built}")
    model.save(folder)
    return model


def null(model: Model, library: str, n: int, draws: int, seed: int) -> pl.DataFrame:
    """How p-values of random sets are distributed: 30 or 150 genes, of all kinds or famous ones.

    A set's genes are exchanged for such as are within a tenth as popular, whatever the strata.
    """
    from scipy.stats import kstest

    rng = np.random.default_rng(seed)
    terms = load_terms(library, model.vocabulary)
    of_gene, _ = popularity(model, terms)
    order = np.argsort(-of_gene, kind="stable")
    falling = -of_gene[order]
    rows = []
    for power, size in itertools.product((0.0, 1.0, 2.0), (30, 150)):
        share = np.exp(power * (of_gene - of_gene.max()))
        first = rng.choice(len(share), size, replace=False, p=share / share.sum())
        low = np.searchsorted(falling, -of_gene[first] - np.log(1.1))
        high = np.searchsorted(falling, -of_gene[first] + np.log(1.1), side="right")
        p_values, started = [], time.monotonic()
        for _ in range(n):
            ids: set[int] = set()
            for a, b in zip(low, high, strict=True):
                ids.add(int(order[rng.integers(a, b)]))
            genes = [model.vocabulary[i] for i in ids]
            found = enrich(genes, library, draws=draws, top=None, model=model)
            p_values.append(found.table.sort("id")["p_value"].to_numpy())
        p = np.array(p_values)
        one_each = p[np.arange(n), rng.integers(0, p.shape[1], n)]
        rows.append(
            {
                "popularity": f"frequency ** {power:g}",
                "genes": size,
                "sets": n,
                "KS p-value": kstest(one_each, "uniform").pvalue,
                **{f"p <= {x:g}": (p <= x).mean() for x in (0.5, 0.1, 0.05, 0.01, 1e-3, 1e-4)},
                "seconds": time.monotonic() - started,
            }
        )
        print(rows[-1], flush=True)
    return pl.DataFrame(rows)


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
    parser.add_argument("--draws", type=int, default=None, help="random sets; 60 for truth, or 200")
    parser.add_argument("--library", default="reactome", help="for null")
    parser.add_argument("--sets", type=int, default=40, help="random sets of each kind, for null")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, help="write all rows as TSV")
    options = parser.parse_args()
    if options.what == "null":
        model = models.load(options.model)
        table = null(model, options.library, options.sets, options.draws or 200, options.seed)
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
        settings = (options.draws or 60, options.prerank, options.seed)
        rows = pl.DataFrame(row for task in tasks for row in ask(task, model, *settings))
        if options.output is not None:
            rows.write_csv(options.output, separator="\t")
        table = summarize(rows)
    print("\n".join(plain_lines(table)))
    if options.what == "null" and options.output is not None:
        table.write_csv(options.output, separator="\t")


if __name__ == "__main__":
    main()
