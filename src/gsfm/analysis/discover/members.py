"""Members of a set, known and predicted, that could be a biomarker or a target, with the reason."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from gsfm import genes as who
from gsfm.analysis.annotation import Which, _descending, _of_which
from gsfm.analysis.query import Asked, evidence
from gsfm.analysis.term_scores import MISSING, Progress, of_genes
from gsfm.completion.calibration import HALF
from gsfm.completion.ranking import probability_told
from gsfm.completion.result import Result
from gsfm.genes import Species, Vocabulary, tables
from gsfm.genes.tables import names_of
from gsfm.models import Model, ModelLike, load_model

#: A gene of the set is scored by the others.
LEAST = 2

KINDS = {
    "biomarkers": "where the gene's protein is found outside the cell",
    "targets": "families of druggable proteins that the gene is of",
}
COLUMNS = {
    "rank": "place among the genes that are of any kind, by how much each looks like one of the "
    "set; a gene of the set by that when it is left out, alone or with up to an eighth of the set",
    "symbol": "approved symbol",
    "name": "approved name",
    "annotated": "whether the set has the gene already; score, z_score, probability and gene_rank "
    "are then leave-one-out, of the set without it",
    "score": "the model's score; larger is likelier; no unit, not a probability; those of known "
    "genes, each of another set, cannot be compared",
    "z_score": "score less the mean, over the standard deviation, of the scores of all genes that "
    "are not in the set",
    "probability": probability_told(),
    "gene_rank": "place among all genes that are not in the set, of any kind; 1 is the best",
    "papers": "papers that NCBI linked to the gene by 2022-09-12",
    "reason": "the terms and domains by which it is: GO of 2022-09-12, FamPlex of 2024-07-10, Pfam "
    "domains of UniProt 2022-09",
}


class Kind(NamedTuple):
    """A kind of protein, by the shipped sources that tell of it."""

    name: str
    terms: tuple[str, ...] = ()  # of go-mf, go-cc or families
    domains: tuple[str, ...] = ()  # accessions of Pfam
    never: tuple[str, ...] = ()  # terms whose genes are not meant


EXTRACELLULAR = "secreted"
#: Where a protein can be met from outside the cell.
PLACES = (
    Kind(EXTRACELLULAR),
    Kind("cell surface", ("GO:0009986", "GO:0009897")),
    Kind("plasma membrane", ("GO:0005887", "GO:0046658")),
)
#: The families that most drugs bind (Hopkins & Groom 2002), but for those of phosphatases and
#: others that few drugs bind.
FAMILIES = (
    Kind("protein kinase", ("GO:0004672",), ("PF00069", "PF07714")),
    Kind("lipid kinase", ("GO:0001727",), ("PF00454",)),
    Kind("GPCR", ("GO:0004930",), ("PF00001", "PF00002", "PF00003"), never=("GO:0004984",)),
    # By the domain alone: GO has other transcription factors among these, such as STAT3.
    Kind("nuclear receptor", (), ("PF00104",)),
    Kind("ion channel", ("GO:0005216", "Voltage_gated_ion_channels", "Ligand_gated_ion_channels")),
    Kind("transporter", ("GO:0022804",), ("PF00083", "PF07690", "PF00005")),
    Kind("protease", ("GO:0008233",), ("PF00089", "PF00413")),
    Kind("phosphodiesterase", ("GO:0004114", "PDE"), ("PF00233",)),
    Kind("histone deacetylase", ("GO:0004407",), ("PF00850",)),
    Kind("cytochrome P450", ("CYP",), ("PF00067",)),
)


class Discovery(Result):
    """The ranked genes of `biomarkers` or of `targets`.

    Attributes
    ----------
    table
        One row a gene, the best first.
    provenance
        The model, the set, the kinds that were looked for, and what the columns mean.
    inputs
        One row an identifier: those of the set or of the term, then those of the background.
    """

    def summary(self, *, limit: int = 50) -> str:
        """What was understood, and how many genes were looked at."""
        p = self.provenance
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in p["kinds"].items())
        return (
            f"{super().summary(limit=limit)}\n"
            f"{p['set']['name']}: {p['set']['genes']:,} genes\n"
            f"genes looked at: {p['genes']:,} ({kinds})"
        )

    def _headline(self) -> str:
        p = self.provenance
        return f"{len(self)} {p['task']} of {p['set']['name']}; model {p['model']['name']}"


def biomarkers(
    about: str | Iterable[str],
    *,
    library: str | Path | None = None,
    top: int | None = 50,
    which: Which = "all",
    background: Iterable[str] = (),
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Discovery:
    """Rank the genes of a set, known and predicted, whose proteins are met outside the cell.

    Parameters
    ----------
    about
        Genes by any identifiers; or a text, which is a term: its identifier or name, as in
        `gsfm.libraries.find`.
    library
        Where to look for the term: the name of a library, or the path of a gene-set file.
    top
        How many genes to return; all of them if None.
    which
        Only genes that are not in the set ("new"), or only those that are ("annotated").
    background
        The only genes to rank, by any identifiers, such as those that an assay can see; all if
        none are given. It does not change what is told of a gene, but for its ``rank``.
    model
        The model to ask: a fitted model, or a model folder; the shipped model if None.
    species
        Where the identifiers come from, as in `gsfm.genes.resolve`.
    progress
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    Discovery
        ``rank``, ``symbol``, ``name``, ``annotated``, ``score``, ``z_score``, ``probability`` if
        the model is calibrated, ``gene_rank``, ``papers``, ``kind`` and ``reason``.

    Raises
    ------
    UnknownGenesError
        If the model knows fewer than 2 genes of the set, or none of the background.
    UnknownTermError
        If no term is meant, or more than one; the message names some that could be.

    Notes
    -----
    A protein is *secreted* if the Gene Ontology has it in the extracellular region (`gsfm.genes.
    facts`), at the *cell surface* by that term or the external side of the plasma membrane, in the
    *plasma membrane* if it is an integral or anchored component of it.

    The probability supposes that a fifth of a term is missing from it, as `term` does, and that
    genes given are a half, as `complete` does.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = [["ALB", "APOA1", "HP", "HNF4A"], ["EGFR", "ERBB2", "GRB2"]] * 5
    >>> model = Linear(regularization=1.0).fit(GeneSets.from_lists(corpus))
    >>> biomarkers(["ALB", "HNF4A"], which="new", model=model).table["symbol"].to_list()[:2]
    ['APOA1', 'HP']
    """
    model = load_model(model)
    return _discover(
        "biomarkers", PLACES, model, about, library, top, which, background, species, progress
    )


def targets(
    about: str | Iterable[str],
    *,
    library: str | Path | None = None,
    top: int | None = 50,
    which: Which = "all",
    background: Iterable[str] = (),
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Discovery:
    """Rank the genes of a set, known and predicted, that are of the families that drugs bind.

    Parameters
    ----------
    about, library, top, which, background, model, species, progress
        As in `biomarkers`.

    Returns
    -------
    Discovery
        As of `biomarkers`; ``kind`` has the druggable families.

    Notes
    -----
    The families are those that most drugs bind: protein and lipid kinases, G protein-coupled
    receptors but those of odorants, nuclear receptors, ion channels, transporters, proteases,
    phosphodiesterases, histone deacetylases, cytochromes P450 [1]_. That a protein is of such a
    family says that its like have been bound, not that it can be, or that to do so helps. Whether a
    ligand is known is not told: none of the shipped sources has ligands.

    References
    ----------
    .. [1] Hopkins & Groom, Nature Reviews Drug Discovery 2002, doi:10.1038/nrd892.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = [["EGFR", "ERBB2", "GRB2", "SHC1"], ["ALB", "APOA1", "HP"]] * 5
    >>> model = Linear(regularization=1.0).fit(GeneSets.from_lists(corpus))
    >>> found = targets(["EGFR", "GRB2"], top=1, which="new", model=model)
    >>> found.table.select("symbol", "kind").row(0)
    ('ERBB2', ['protein kinase'])
    """
    model = load_model(model)
    return _discover(
        "targets", FAMILIES, model, about, library, top, which, background, species, progress
    )


def _discover(
    task: str,
    kinds: tuple[Kind, ...],
    model: Model,
    about: str | Iterable[str],
    library: str | Path | None,
    top: int | None,
    which: Which,
    background: Iterable[str],
    species: Species | None,
    progress: Progress | None,
) -> Discovery:
    if top is not None and top < 1:
        raise ValueError(f"top must be 1 or more, not {top}")
    if which not in ("all", "annotated", "new"):
        raise ValueError(f"which must be all, annotated or new, not {which!r}")
    if isinstance(about, str):
        # Here and not above: an import that a completion does not need.
        from gsfm import libraries

        term = libraries.find(about, None if library is None else str(library))
        name, members, missing = f"{term.name} ({term.id})", list(term.genes), MISSING
    else:
        name, members, missing = "the genes given", list(about), HALF
    background = list(background)
    asked = Asked(model, species, set=members, background=background)
    ids = asked.genes("set", least=LEAST)
    reasons = _reasons(model.vocabulary, kinds)
    pool = np.array(sorted(reasons), np.int64)
    if background:
        pool = np.intersect1d(pool, asked.genes("background", what="the background"))
    ranked = pool[np.argsort(model.vocabulary.alphabetical_rank[pool])]
    order = _descending(evidence(model, [ids])[0].astype(np.float64), ranked)
    known = np.isin(order, ids)
    at = np.flatnonzero(_of_which(known, which))[:top]
    shown = order[at]
    symbols = pl.Series("symbol", [model.vocabulary[int(g)] for g in shown], dtype=pl.String)
    told = [reasons[int(g)] for g in shown]
    table = pl.DataFrame(
        {
            "rank": at + 1,
            "symbol": symbols,
            "name": names_of(symbols),
            "annotated": known[at],
            **of_genes(model, ids, shown, progress, missing_fraction=missing),
            "papers": who.facts(symbols)["papers"],
            "kind": pl.Series([list(one) for one in told], dtype=pl.List(pl.String)),
            "reason": pl.Series(
                [[why for whys in one.values() for why in whys] for one in told],
                dtype=pl.List(pl.String),
            ),
        }
    )
    meanings = {**COLUMNS, "probability": probability_told(missing), "kind": KINDS[task]}
    counted = {kind.name: sum(kind.name in reasons[int(g)] for g in pool) for kind in kinds}
    provenance = asked.provenance(
        task,
        set={"name": name, "genes": len(ids)},
        kinds=counted,
        genes=len(pool),
        background=len(pool) if background else None,
        top=top,
        which=which,
        missing_fraction=missing,
        columns={c: meanings[c] for c in table.columns},
    )
    given = asked.given
    return Discovery(table, provenance, inputs=given.inputs, resolution=given.resolution)


# -- what kind a gene is of ------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def _reasons(vocabulary: Vocabulary, kinds: tuple[Kind, ...]) -> dict[int, dict[str, list[str]]]:
    """The kinds of each gene of a model that is of any, and why it is of each."""
    found: dict[int, dict[str, list[str]]] = {}

    def add(kind: str, why: str, symbols: Iterable[str]) -> None:
        for gene in vocabulary.ids(symbols):
            if gene >= 0:
                found.setdefault(int(gene), {}).setdefault(kind, []).append(why)

    for kind in kinds:
        never = {gene for term in kind.never for gene in _term(term)[1]}
        sources = [_term(term) for term in kind.terms] + [_domain(one) for one in kind.domains]
        if kind.name == EXTRACELLULAR:
            known = who.facts(who.vocabulary().symbols).filter("extracellular")
            sources.append(("extracellular region (GO:0005576)", known["symbol"].to_list()))
        for why, symbols in sources:
            add(kind.name, why, [one for one in symbols if one not in never])
    return found


def _term(identifier: str) -> tuple[str, Iterable[str]]:
    # Here and not above: an import that a completion does not need.
    from gsfm import libraries

    name = next(
        name
        for name in ("go-mf", "go-cc", "families")
        if identifier in libraries.load(name).metadata["id"]
    )
    term = libraries.find(identifier, name)
    return f"{term.name} ({term.id})", term.genes


def _domain(accession: str) -> tuple[str, Iterable[str]]:
    genes = tables.read("genes", ["symbol"]).hstack(tables.read("domains"))
    has = pl.col("domains").list.contains(int(accession.removeprefix("PF")))
    return f"domain {accession}", genes.filter(has)["symbol"].to_list()
