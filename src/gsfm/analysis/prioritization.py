"""Candidate genes for a phenotype: which of a patient's, or of a locus, is most like its genes.

The phenotype becomes one set of seed genes, which the model completes; a candidate is as good as it
comes out. Of several terms the seeds are the genes whose own terms are most like these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm import genes as who
from gsfm.analysis.gene_frequency import popularity
from gsfm.analysis.query import Asked, evidence, standard_scores
from gsfm.analysis.term_scores import (
    BATCH,
    MISSING,
    Library,
    Progress,
    find_term,
    of_genes,
)
from gsfm.completion.calibration import HALF
from gsfm.completion.identifiers import Ids, Understood
from gsfm.completion.ranking import best_genes, probability_told
from gsfm.completion.result import Result
from gsfm.errors import GsfmError, UnknownGenesError
from gsfm.genes import Species
from gsfm.genes.tables import names_of
from gsfm.models import Model, ModelLike, load_model

if TYPE_CHECKING:
    from gsfm.libraries import Term

Numbers = NDArray[np.float64]

#: Seeds that are made of several terms. Chosen on the genes that HPO gained from 2020 to 2023:
#: with 25 the median place among neighbors is 13, with 50 it is 11, with 100 13, with 400 16.
SEEDS = 50
#: A gene of the phenotype that is a candidate too must leave another to be scored by.
LEAST_SEEDS = 2
#: Genes as popular as a candidate that it is held against.
ALIKE = 1000
#: Seeds that are told of each candidate.
REASONS = 3
#: What begins so is a place on the genome, and no gene.
_PLACE = re.compile(r"(chr[^:]*|[0-9]{1,2}|X|Y):", re.IGNORECASE)

OF_SEEDS = "Here the genes given are the seeds"

COLUMNS = {
    "rank": "place among the candidates by z_score; ties are in the order of symbols",
    "symbol": "approved symbol",
    "name": "approved name",
    "annotated": "whether the gene is given as a seed, or a term of the phenotype holds it: what "
    "is known already. A seed is scored by the other seeds (leave-one-out)",
    "score": "the model's score for the seeds; larger is likelier; no unit, not a probability; "
    "those of candidates that are seeds, each of other seeds, cannot be compared",
    "z_score": "score less the mean, over the standard deviation, of the scores of all genes but "
    "the seeds",
    "probability": OF_SEEDS,
    "gene_rank": "place among all genes but the seeds; 1 is the best",
    "percentile": "percent of all genes but the seeds that the candidate is above",
    "p_value": f"share of the {ALIKE:,} genes closest to the candidate in popularity, seeds not "
    "counted, whose z-score is as high or higher, (1 + k) / (1 + n): 0.05 says that of 20 genes as "
    "well studied one is as like the seeds. Not corrected for the number of candidates",
    "term": "the term of the phenotype for whose genes the candidate stands out most; the table "
    "by_term has all of them",
    "why": f"up to {REASONS} seeds that speak most for the candidate: those with the largest "
    "shares of its score, as in gsfm explain, each in percent of all shares above 0",
}
_BY_TERM = {
    **dict.fromkeys(("symbol", "library", "id", "term"), pl.String),
    **dict.fromkeys(("size", "seeds"), pl.Int64),
    "annotated": pl.Boolean,
    "z_score": pl.Float64,
}
TERM_COLUMNS = {
    "size": "genes of the term that the model knows",
    "seeds": "how many of them are seeds",
    "annotated": "whether the term holds the candidate",
    "z_score": "how far the candidate stands out among all genes for the term's genes alone, in "
    "standard deviations; of a gene of the term as if it were left out, alone or with up to an "
    "eighth of it",
}


class Priorities(Result):
    """The ranked candidates of `prioritize`.

    Attributes
    ----------
    table
        One row a candidate, the best first.
    by_term
        One row a candidate that is shown and a term of the phenotype: ``symbol``, ``library``,
        ``id``, ``term``, ``size``, ``seeds``, ``annotated`` and ``z_score``. Empty without terms.
    provenance
        The model, the candidates, the phenotype with its seeds, the null of the p-values, and what
        the columns mean.
    inputs
        One row an identifier: the candidates, with the genes of each locus, then the seeds given.
    """

    def __init__(
        self,
        table: pl.DataFrame,
        provenance: dict[str, Any],
        *,
        given: Understood,
        by_term: pl.DataFrame,
    ) -> None:
        super().__init__(table, provenance, inputs=given.inputs, resolution=given.resolution)
        self.by_term = by_term

    @property
    def seeds(self) -> list[str]:
        """The symbols of the genes that the candidates are compared with."""
        return list(self.provenance["phenotype"]["seeds"])

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it: ``by_term`` beside the ``results``."""
        return {**super().to_dict(), "by_term": self.by_term.to_dicts()}

    def summary(self, *, limit: int = 50) -> str:
        """What was understood, and what the phenotype was made into, in a few lines."""
        phenotype, candidates = self.provenance["phenotype"], self.provenance["candidates"]
        lines = [super().summary(limit=limit)]
        lines += [f"{place}: {n:,} genes" for place, n in candidates["loci"].items()]
        lines += [
            f"{t['term']} ({t['id']}, {t['library']}): {t['size']:,} genes"
            for t in phenotype["terms"]
        ]
        lines.append(
            f"{candidates['genes']:,} candidates ({candidates['annotated']:,} known), "
            f"by {len(self.seeds):,} seeds: {phenotype['chosen']}"
        )
        return "\n".join(lines)

    def _headline(self) -> str:
        p = self.provenance
        return (
            f"{len(self)} of {p['candidates']['genes']} candidates; {len(self.seeds)} seeds; "
            f"model {p['model']['name']}"
        )


def prioritize(
    candidates: str | Iterable[str],
    *,
    terms: str | Iterable[str] = (),
    seeds: Iterable[str] = (),
    library: str | Path | None = None,
    top: int | None = 20,
    why: bool = True,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Priorities:
    r"""Rank candidate genes for a phenotype.

    Parameters
    ----------
    candidates
        Genes by any identifiers, and places on the genome (GRCh38) such as
        ``"chr7:117000000-118000000"``, which stand for the genes there; one of them or several.
    terms
        The phenotype as terms: identifiers or names, as in `gsfm.libraries.find`; one or several.
    seeds
        Genes of the phenotype, by any identifiers; beside the terms or without.
    library
        Where to look for the terms: the name of a library, or the path of a gene-set file. All
        libraries that are shipped or were added, if None.
    top
        How many candidates to return; all of them if None.
    why
        Tell which seeds speak for each candidate that is returned, a tenth of a second each.
    model
        The model to ask: a fitted model, or a model folder; the shipped model if None.
    species
        Where the identifiers come from, as in `gsfm.genes.resolve`.
    progress
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    Priorities
        ``rank``, ``symbol``, ``name``, ``annotated``, ``score``, ``z_score``, ``probability`` if
        the model is calibrated, ``gene_rank``, ``percentile``, ``p_value``, ``term`` if terms are
        given, and ``why``.

    Raises
    ------
    UnknownGenesError
        If the model knows no candidate, or fewer than 2 genes of the phenotype.
    UnknownTermError
        If no term is meant, or more than one; the message names some that could be.
    GsfmError
        If there is no such library, or a text is no place on the genome.

    Notes
    -----
    The probability supposes that a fifth of the whole is missing from terms, as `term` does, and
    half of it from seeds alone.

    The seeds are the genes given and those of the terms: all genes of a single term; of several
    terms the 50 genes g with the largest

    .. math:: \frac{\sum_{t \ni g,\, t \in Q} I_t}{\sqrt{\sum_{t \ni g} I_t}}, \qquad
              I_t = \log \frac{N}{n_t}

    for the terms Q of the phenotype, the :math:`n_t` genes of each term and the N genes of its
    library: the cosine of the gene's terms and the phenotype's, each weighed by its information
    content, but for what is the same for all genes. So a gene counts that has many of the terms,
    rare ones above all, and few others.

    References
    ----------
    .. [1] Aerts et al., Nature Biotechnology 2006, doi:10.1038/nbt1203.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = [["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2", "GRB2"]] * 5
    >>> model = Linear(regularization=1.0).fit(GeneSets.from_lists(corpus))
    >>> found = prioritize(["EGFR", "hdm2", "GRB2"], seeds=["TP53", "CDKN1A"], top=2, model=model)
    >>> found.table.select("rank", "symbol", "annotated").row(0)
    (1, 'MDM2', False)
    """
    model = load_model(model)
    if top is not None and top < 1:
        raise ValueError(f"top must be 1 or more, not {top}")
    terms = [terms] if isinstance(terms, str) else list(dict.fromkeys(terms))
    named, loci = _expanded([candidates] if isinstance(candidates, str) else candidates)
    seeds = list(seeds)
    asked = Asked(model, species, candidates=named, seeds=seeds)
    wanted = asked.genes("candidates", what="the candidates")
    given = asked.genes("seeds", what="the seeds") if seeds else wanted[:0]
    found = [_Asked(*find_term(model, text, library)) for text in terms]
    if not found and not len(given):
        raise GsfmError("no phenotype is given: give terms, or seed genes")
    ids, chosen = _seeds(given, found)
    if len(ids) < LEAST_SEEDS:
        raise UnknownGenesError(
            f"the model knows {len(ids)} gene of the phenotype; it needs at least {LEAST_SEEDS}: "
            "give more terms, a wider one, or seed genes"
        )

    missing = MISSING if found else HALF
    answers = _answers(model, ids, wanted, progress, missing)
    holding = np.union1d(given, np.concatenate([given, *(one.genes for one in found)]))
    best = best_genes(answers["z_score"], wanted.astype(np.int64), top, model.vocabulary)
    shown = wanted[best]
    by_term, strongest = _by_term(model, found, ids, shown, progress)
    symbols = pl.Series("symbol", [model.vocabulary[int(g)] for g in shown], dtype=pl.String)
    columns: dict[str, Any] = {
        "rank": np.arange(len(shown)) + 1,
        "symbol": symbols,
        "name": names_of(symbols),
        "annotated": np.isin(shown, holding),
        **{name: values[best] for name, values in answers.items()},
    }
    if found:
        columns["term"] = strongest
    if why:
        told = []
        for gene in shown:
            told.append(_why(model, ids, int(gene)))
            if progress is not None:
                progress("looking for reasons", len(told), len(shown))
        columns["why"] = pl.Series(told, dtype=pl.List(pl.String))
    table = pl.DataFrame(columns)
    meanings = {**COLUMNS, "probability": f"{probability_told(missing)}. {OF_SEEDS}"}
    provenance = asked.provenance(
        "prioritize",
        candidates={
            "genes": len(wanted),
            "annotated": int(np.isin(wanted, holding).sum()),
            "loci": loci,
            "assembly": "GRCh38",
        },
        phenotype={
            "terms": [one.told(ids) for one in found],
            "libraries": [place.provenance for place in _places(found)],
            "seeds_given": len(given),
            "seeds": [model.vocabulary[int(g)] for g in ids],
            "chosen": chosen,
        },
        null={"genes": ALIKE, "popularity": popularity(model)[1]},
        top=top,
        missing_fraction=missing,
        columns={
            **{name: meanings[name] for name in table.columns},
            "columns of by_term": TERM_COLUMNS,
        },
    )
    return Priorities(table, provenance, given=asked.given, by_term=by_term)


def _expanded(candidates: Iterable[str]) -> tuple[list[str], dict[str, int]]:
    """The candidates with the genes of each locus in its place, and how many these are."""
    named: list[str] = []
    loci: dict[str, int] = {}
    for one in candidates:
        there = who.within(one) if _PLACE.match(one.strip()) else [one]
        if there != [one]:
            loci[one.strip()] = len(there)
        named += there
    return named, loci


# -- the phenotype ---------------------------------------------------------------------------------


class _Asked(NamedTuple):
    """A term of the phenotype."""

    place: Library
    row: int
    meant: Term

    @property
    def genes(self) -> Ids:
        return self.place.genes(self.row)

    def told(self, seeds: Ids) -> dict[str, Any]:
        """What is told of the term: the first columns of `by_term`."""
        return {
            "library": self.place.name,
            "id": self.meant.id,
            "term": self.meant.name,
            "size": len(self.genes),
            "seeds": int(np.isin(self.genes, seeds).sum()),
        }


def _places(terms: Sequence[_Asked]) -> list[Library]:
    """The libraries of the terms, each once."""
    return list({id(one.place): one.place for one in terms}.values())


def _seeds(given: Ids, terms: Sequence[_Asked]) -> tuple[Ids, str]:
    """The seeds, ascending, and how they were chosen."""
    if not terms:
        return given, "those given"
    own = np.unique(np.concatenate([one.genes for one in terms]))
    how = "all genes of the term" if len(terms) == 1 else "all genes of the terms"
    if len(terms) > 1 and len(own) > SEEDS:
        likeness = _likeness(terms)[own]
        own = own[np.argsort(-likeness, kind="stable")[:SEEDS]]
        how = f"the {SEEDS} genes whose terms are most like these"
    return np.union1d(given, own).astype(np.int32), how + (" and those given" if len(given) else "")


def _likeness(terms: Sequence[_Asked]) -> Numbers:
    """(genes,) how like each gene's terms are to these: the cosine, but for a constant factor."""
    shared = total = np.zeros(1)
    for place in _places(terms):
        rows = [one.row for one in terms if one.place is place]
        known = len(np.unique(place.members.indices))
        content = np.log(known / place.sizes)  # (terms,) information content
        shared = shared + content[rows] @ place.members[rows]
        total = total + content @ place.members
    return np.asarray(shared / np.sqrt(np.maximum(total, np.finfo(np.float32).eps)))


# -- the candidates --------------------------------------------------------------------------------


def _answers(
    model: Model, ids: Ids, wanted: Ids, progress: Progress | None, missing_fraction: float
) -> dict[str, NDArray[Any]]:
    """The columns of numbers, (candidates,) each."""
    columns = of_genes(model, ids, wanted, progress, missing_fraction=missing_fraction)
    every = standard_scores(model, [ids])[0].astype(np.float64)
    rest = np.setdiff1d(np.arange(len(every)), ids)
    popular = popularity(model)[0]
    # A seed is ranked among the others as if it were none.
    others = np.maximum(len(rest) + np.isin(wanted, ids) - 1, 1)
    columns["percentile"] = 100 * (1 - (columns["gene_rank"] - 1) / others)
    columns["p_value"] = np.array(
        [
            _p_value(z, every[alike])
            for z, alike in zip(columns["z_score"], _alike(popular, wanted, rest), strict=True)
        ]
    )
    return columns


def _alike(popular: Numbers, wanted: Ids, rest: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """For each candidate the other genes that are as popular."""
    for gene in wanted:
        others = rest[rest != gene]
        distance = np.abs(popular[others] - popular[gene])
        nearest = np.argpartition(distance, min(ALIKE, len(others)) - 1)[:ALIKE]
        yield others[nearest]


def _p_value(z: float, null: Numbers) -> float:
    return float((1 + (null >= z).sum()) / (1 + len(null)))


def _by_term(
    model: Model,
    terms: Sequence[_Asked],
    ids: Ids,
    shown: Ids,
    progress: Progress | None,
) -> tuple[pl.DataFrame, list[str]]:
    """How far each candidate stands out for each term alone, and the term where it does most."""
    z = np.empty((len(terms), len(shown)))
    known = np.zeros(z.shape, bool)
    for start in range(0, len(terms), BATCH):
        rows = [one.genes for one in terms[start : start + BATCH]]
        z[start : start + len(rows)] = evidence(model, rows)[:, shown]
        for i, genes in enumerate(rows):
            known[start + i] = np.isin(shown, genes)
        if progress is not None:
            progress("asking the model about each term", start + len(rows), len(terms))
    parts = [
        pl.DataFrame({"symbol": [model.vocabulary[int(g)] for g in shown]}).with_columns(
            **{name: pl.lit(value) for name, value in one.told(ids).items()},
            annotated=pl.Series(known[i], dtype=pl.Boolean),
            z_score=pl.Series(z[i]),
        )
        for i, one in enumerate(terms)
    ]
    table = pl.concat(parts) if parts else pl.DataFrame(schema=_BY_TERM)
    place = pl.DataFrame({"symbol": [model.vocabulary[int(g)] for g in shown]})
    table = place.join(table, on="symbol", how="inner", maintain_order="left_right")
    strongest = [terms[i].meant.name for i in z.argmax(axis=0)] if terms else []
    return table, strongest


def _why(model: Model, ids: Ids, gene: int) -> list[str]:
    """The seeds with the largest shares of a candidate's score."""
    rest = ids[ids != gene]
    of_seeds = model.attribution(rest, gene).by_gene
    total = of_seeds[of_seeds > 0].sum()
    best = [i for i in np.argsort(-of_seeds, kind="stable")[:REASONS] if of_seeds[i] > 0]
    return [f"{model.vocabulary[int(rest[i])]} {100 * of_seeds[i] / total:.0f}%" for i in best]
