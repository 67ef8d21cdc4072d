"""Candidate genes for a phenotype, ranked by their similarity to its known genes.

The phenotype becomes one set of seed genes, which the model completes. Of several terms, the seeds
are the genes whose own terms are most similar to these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm import genes as gene_names
from gsfm.analysis.gene_frequency import empirical_p_value, popularity
from gsfm.analysis.query import Query, check_least, standard_scores
from gsfm.analysis.term_scores import (
    BATCH,
    MISSING,
    Library,
    describe_scores,
    find_term,
    score_genes,
)
from gsfm.completion.batches import batches
from gsfm.completion.calibration import HALF
from gsfm.completion.identifiers import Ids
from gsfm.completion.inputs import GenesLike, Identifiers, as_identifiers, is_path
from gsfm.completion.ranking import best_genes, describe_probability
from gsfm.completion.result import Result, gene_columns, symbols_of
from gsfm.errors import GsfmError, UnknownGenesError, check_type, count
from gsfm.genes import Species
from gsfm.models import Model, ModelLike, load_model
from gsfm.models.evidence import evidence
from gsfm.models.types import Numbers
from gsfm.progress import Progress
from gsfm.sets.genesets import LibraryLike

if TYPE_CHECKING:
    from gsfm.libraries import Term

#: Seeds for several terms. Chosen on the genes that HPO gained from 2020 to 2023: with 25 the
#: median rank among neighbors is 13, with 50 it is 11, with 100 13, with 400 16.
SEEDS = 50
#: A seed that is also a candidate needs another seed for its score.
LEAST_SEEDS = 2
#: Genes of similar popularity in the null of a candidate.
ALIKE = 1000
#: Seeds that are listed for each candidate.
REASONS = 3
#: The beginning of a place on the genome.
_PLACE = re.compile(r"(chr[^:]*|[0-9]{1,2}|X|Y):", re.IGNORECASE)

OF_SEEDS = "Here the input genes are the seeds"

COLUMNS = {
    "rank": "rank among the candidates by z_score; ties are in the order of symbols",
    **describe_scores("the seeds"),
    "annotated": "whether the gene is an input seed or annotated in a term; if so, its numbers are "
    "leave-one-out",
    "probability": OF_SEEDS,
    "percentile": "percent of all genes but the seeds with a lower rank",
    "p_value": f"fraction of the {ALIKE:,} genes closest to the candidate in popularity, without "
    "seeds, with such a z-score or a larger one, (1 + k) / (1 + n); not corrected for the number "
    "of candidates",
    "term": "the term with the largest z-score of the candidate; by_term has all of them",
    "why": f"up to {REASONS} seeds with the largest shares of the score, in percent of all above 0",
}
TERM_COLUMNS = {
    "size": "genes of the term that the model knows",
    "seeds": "number of these that are seeds",
    "annotated": "whether the candidate is annotated in the term",
    "z_score": "z-score of the candidate for the term alone; leave-one-out for genes of the term",
}


class Priorities(Result):
    """The ranked candidates of `prioritize`.

    Attributes
    ----------
    table
        One row a candidate, the best first.
    by_term
        One row for each candidate of the table and term of the phenotype: ``symbol``, ``library``,
        ``id``, ``term``, ``size``, ``seeds``, ``annotated`` and ``z_score``.
    inputs
        One row an identifier: the candidates, with the genes of each locus, then the input seeds.
    """

    by_term: pl.DataFrame

    @property
    def seeds(self) -> list[str]:
        """The symbols of the genes that the candidates are compared with."""
        return list(self.provenance["phenotype"]["seeds"])

    def summary(self, *, limit: int = 50) -> str:
        """How the identifiers were mapped, and the seeds of the phenotype, in a few lines."""
        phenotype, candidates = self.provenance["phenotype"], self.provenance["candidates"]
        lines = [super().summary(limit=limit)]
        lines += [f"{place}: {count(n, 'gene')}" for place, n in candidates["loci"].items()]
        lines += [
            f"{t['term']} ({t['id']}, {t['library']}): {count(t['size'], 'gene')}"
            for t in phenotype["terms"]
        ]
        lines.append(
            f"{candidates['genes']:,} candidates ({candidates['annotated']:,} annotated), "
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
    candidates: GenesLike,
    *,
    terms: str | Iterable[str] = (),
    seeds: GenesLike = (),
    library: LibraryLike | None = None,
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
        Genes: identifiers of any kind; and places on the genome (GRCh38) such as
        ``"chr7:117000000-118000000"``, which stand for the genes there. One or several, or a file
        of them, also in BED.
    terms
        The phenotype as terms: identifiers or names, as in `gsfm.libraries.find`; one or several.
    seeds
        Genes of the phenotype: identifiers of any kind; with terms or without.
    library
        Where to look for the terms: a library of any kind that `gsfm.libraries.load` takes. All
        libraries that are shipped or were added if None.
    top
        Number of candidates to return; all of them if None.
    why
        List the seeds with the largest shares of each candidate's score, which takes a tenth of a
        second each.
    model, species, progress
        As in `complete`.

    Returns
    -------
    Priorities
        ``rank``, ``symbol``, ``name``, ``annotated``, ``score``, ``z_score``, ``probability`` if
        the model is calibrated, ``gene_rank``, ``percentile``, ``p_value``, ``term`` if there are
        terms, and ``why``.

    Raises
    ------
    UnknownGenesError
        If the model knows no candidate, or fewer than 2 genes of the phenotype.
    UnknownTermError
        If no term matches, or several do; the message names similar terms.
    GsfmError
        If there is no such library, or a text is no place on the genome.

    Notes
    -----
    The probability assumes that a fifth of the whole is missing from terms, as in `term`, and half
    of it from seeds alone.

    The seeds are the input seeds and genes of the terms: all genes of a single term; of several
    terms the 50 genes g with the largest

    .. math:: \frac{\sum_{t \ni g,\, t \in Q} I_t}{\sqrt{\sum_{t \ni g} I_t}}, \qquad
              I_t = \log \frac{N}{n_t}

    for the terms Q of the phenotype, the :math:`n_t` genes of each term and the N genes of its
    library: the cosine of the gene's terms and the phenotype's, each weighted by its information
    content, up to a constant factor. It is large for a gene that has many of the terms, above all
    rare ones, and few others.

    References
    ----------
    .. [1] Aerts et al., Nature Biotechnology 2006, doi:10.1038/nbt1203.

    Examples
    --------
    >>> found = prioritize(["EGFR", "hdm2", "GRB2"], seeds=["TP53", "CDKN1A"], top=1)
    >>> found.table.select("rank", "symbol", "annotated").row(0)
    (1, 'MDM2', False)
    """
    model = load_model(model)
    check_least(1, top=top)
    check_type(Iterable, "a term or a list of terms", terms=terms)
    terms = [terms] if isinstance(terms, str) else list(terms)
    for one in terms:
        check_type(str, "one text, the name or identifier of a term", term=one)
    terms = list(dict.fromkeys(terms))
    if isinstance(candidates, str) and not is_path(candidates):
        candidates = [candidates]
    expanded, loci = _expanded(as_identifiers(candidates, "candidates", loci=True))
    seeds = as_identifiers(seeds, "seeds")
    query = Query.of(model, species, candidates=expanded, seeds=seeds)
    genes = query.genes("candidates", what="the candidates")
    input_seeds = query.genes("seeds", what="the seeds") if seeds else genes[:0]
    if not (library is None or isinstance(library, str | Path)):
        from gsfm import libraries  # here: completion does not need it

        library = libraries.load(library)
    phenotype = [_Term(*find_term(model, text, library)) for text in terms]
    if not phenotype and not seeds:
        raise GsfmError("no phenotype is given: give terms, or seed genes")
    ids, how = _seeds(input_seeds, phenotype)
    if len(ids) < LEAST_SEEDS:
        raise UnknownGenesError(
            f"the model knows {len(ids)} gene of the phenotype; it needs at least {LEAST_SEEDS}: "
            "give more terms, a wider one, or seed genes"
        )

    missing = MISSING if phenotype else HALF
    scores = _scores(model, ids, genes, missing, progress)
    annotated = np.isin(genes, np.concatenate([input_seeds, *(one.genes for one in phenotype)]))
    best = best_genes(scores["z_score"], genes.astype(np.int64), top, model.vocabulary)
    shown = genes[best]
    by_term, strongest = _by_term(model, phenotype, ids, shown, progress)
    columns: dict[str, Any] = {
        **gene_columns(model.vocabulary, shown, rank=True),
        "annotated": annotated[best],
        **{name: values[best] for name, values in scores.items()},
    }
    if phenotype:
        columns["term"] = strongest
    if why:
        one_by_one = batches(len(shown), 1, "computing shares", progress)
        reasons = [_why(model, ids, int(shown[at][0])) for at in one_by_one]
        columns["why"] = pl.Series(reasons, dtype=pl.List(pl.String))
    n_annotated = int(annotated.sum())
    numbers = {"genes": len(genes), "annotated": n_annotated, "loci": loci, "assembly": "GRCh38"}
    return query.result(
        Priorities,
        "prioritize",
        pl.DataFrame(columns),
        {**COLUMNS, "probability": f"{describe_probability(missing)}. {OF_SEEDS}"},
        beside={"columns of by_term": TERM_COLUMNS},
        parts={"by_term": by_term},
        candidates=numbers,
        phenotype={
            "terms": [one.describe(ids) for one in phenotype],
            "libraries": [library.provenance for library in _libraries(phenotype)],
            "input_seeds": len(input_seeds),
            "seeds": list(symbols_of(model.vocabulary, ids)),
            "chosen": how,
        },
        null={"genes": ALIKE, "popularity": popularity(model)[1]},
        top=top,
        missing_fraction=missing,
    )


def _expanded(candidates: Identifiers) -> tuple[Identifiers, dict[str, int]]:
    """The candidates, with the genes of each locus in its place, and the number of these."""
    expanded = Identifiers(read=candidates.read)
    loci: dict[str, int] = {}
    for one in candidates:
        if isinstance(one, str) and _PLACE.match(one.strip()):
            there = gene_names.within(one)
            loci[one.strip()] = len(there)
            expanded += there
        else:
            expanded.append(one)
    return expanded, loci


# -- the phenotype ---------------------------------------------------------------------------------


class _Term(NamedTuple):
    """A term of the phenotype."""

    library: Library
    row: int
    term: Term

    @property
    def genes(self) -> Ids:
        return self.library.genes(self.row)

    def describe(self, seeds: Ids) -> dict[str, Any]:
        """The first columns of `by_term`."""
        return {
            "library": self.library.name,
            "id": self.term.id,
            "term": self.term.name,
            "size": len(self.genes),
            "seeds": int(np.isin(self.genes, seeds).sum()),
        }


def _libraries(terms: Sequence[_Term]) -> list[Library]:
    """The libraries of the terms, each once."""
    return list({id(one.library): one.library for one in terms}.values())


def _seeds(input_seeds: Ids, terms: Sequence[_Term]) -> tuple[Ids, str]:
    """The seeds, ascending, and how they were chosen."""
    if not terms:
        return input_seeds, "the input seeds"
    own = np.unique(np.concatenate([one.genes for one in terms]))
    how = "all genes of the term" if len(terms) == 1 else "all genes of the terms"
    if len(terms) > 1 and len(own) > SEEDS:
        own = own[np.argsort(-_similarity(terms)[own], kind="stable")[:SEEDS]]
        how = f"the {SEEDS} genes whose terms are most similar to these"
    how += " and the input seeds" if len(input_seeds) else ""
    return np.union1d(input_seeds, own).astype(np.int32), how


def _similarity(terms: Sequence[_Term]) -> Numbers:
    """(genes,) the cosine of each gene's terms and these, up to a constant factor."""
    shared = total = np.zeros(1)
    for library in _libraries(terms):
        rows = [one.row for one in terms if one.library is library]
        n_genes = len(np.unique(library.members.indices))
        content = np.log(n_genes / library.sizes)  # (terms,) information content
        shared = shared + content[rows] @ library.members[rows]
        total = total + content @ library.members
    return np.asarray(shared / np.sqrt(np.maximum(total, np.finfo(np.float32).eps)))


# -- the candidates --------------------------------------------------------------------------------


def _scores(
    model: Model, ids: Ids, genes: Ids, missing_fraction: float, progress: Progress | None
) -> dict[str, NDArray[Any]]:
    """The columns of numbers, (candidates,) each."""
    columns = score_genes(model, ids, genes, missing_fraction, progress)
    z = standard_scores(model, [ids])[0].astype(np.float64)
    rest = np.setdiff1d(np.arange(len(z)), ids)
    popular = popularity(model)[0]
    # A seed is ranked among the other genes.
    others = np.maximum(len(rest) + np.isin(genes, ids) - 1, 1)
    columns["percentile"] = 100 * (1 - (columns["gene_rank"] - 1) / others)
    columns["p_value"] = np.empty(len(genes))
    for i, gene in enumerate(genes):
        pool = rest[rest != gene]
        distance = np.abs(popular[pool] - popular[gene])
        alike = pool[np.argpartition(distance, min(ALIKE, len(pool)) - 1)[:ALIKE]]
        columns["p_value"][i] = empirical_p_value(columns["z_score"][i], z[alike])
    return columns


def _by_term(
    model: Model, terms: Sequence[_Term], ids: Ids, genes: Ids, progress: Progress | None
) -> tuple[pl.DataFrame, list[str]]:
    """The z-score of each candidate for each term alone, and the term with the largest one."""
    z = np.empty((len(terms), len(genes)))
    for part in batches(len(terms), BATCH, "scoring each term", progress):
        z[part] = evidence(model, [one.genes for one in terms[part]])[:, genes]
    texts, numbers = ("library", "id", "term"), ("size", "seeds")
    schema = {**dict.fromkeys(texts, pl.String), **dict.fromkeys(numbers, pl.Int64)}
    about = pl.DataFrame([one.describe(ids) for one in terms], schema=schema)
    annotated = np.array([np.isin(genes, one.genes) for one in terms], bool).reshape(z.shape)
    # One row for each candidate and term, candidate by candidate.
    table = about[np.tile(np.arange(len(terms)), len(genes))].with_columns(
        symbol=symbols_of(model.vocabulary, np.repeat(genes, len(terms))),
        annotated=annotated.T.ravel(),
        z_score=z.T.ravel(),
    )
    strongest = [terms[i].term.name for i in z.argmax(axis=0)] if terms else []
    return table.select("symbol", pl.exclude("symbol")), strongest


def _why(model: Model, ids: Ids, gene: int) -> list[str]:
    """The seeds with the largest shares of a candidate's score."""
    rest = ids[ids != gene]
    shares = model.attribution(rest, gene).by_gene
    total = shares[shares > 0].sum()
    best = [i for i in np.argsort(-shares, kind="stable")[:REASONS] if shares[i] > 0]
    return [f"{model.vocabulary[int(rest[i])]} {100 * shares[i] / total:.0f}%" for i in best]
