"""What every enrichment returns, and what all of them need: who the genes are, and the FDR."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from gsfm.analysis.terms import Terms
from gsfm.completion.identifiers import Understood, input_told, nothing_known, some, understand
from gsfm.completion.result import Result
from gsfm.errors import UnknownGenesError
from gsfm.genes import Species, Vocabulary
from gsfm.version import __version__

if TYPE_CHECKING:
    pass

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Identifiers of the genes that could have been found; or "library" or "all" of them.
BackgroundLike: TypeAlias = Iterable[str] | Literal["library", "all"]

#: What the columns are, whatever the method.
COLUMNS = {
    "rank": "place among all terms tested; 1 has the smallest p-value",
    "library": "the term's library",
    "term": "the term",
    "id": "the term's identifier in its source",
    "link": "where the source describes the term",
    "size": "genes of the term that are in the background",
    "overlap": "given genes that are in the term",
    "genes": "the given genes that are in the term",
    "fdr": "false discovery rate by Benjamini and Hochberg over all terms that were tested",
}


class Enrichment(Result):
    """The terms of an enrichment, best first.

    Attributes
    ----------
    table
        One row a term: ``rank``, ``library``, ``term``, ``id``, ``link``, ``size``, the numbers of
        the method, ``p_value``, ``fdr``; ``provenance["columns"]`` says what each is.
    provenance
        The method, the input, the background, the libraries, the null; and the model, if one
        was asked.
    inputs
        One row an identifier, as in `Completion`.
    resolution
        What `gsfm.genes.resolve` returned.
    """

    @property
    def not_in_background(self) -> list[str]:
        """The known genes that were not used, because the background does not hold them."""
        return list(self.provenance["input"]["not_in_background"])

    def summary(self, *, limit: int = 50) -> str:
        """What was understood and how, what was not, and what was tested against what.

        Parameters
        ----------
        limit
            How many identifiers a line names; the rest is counted.
        """
        p = self.provenance
        tested = ", ".join(f"{one['name']} ({one['tested']:,})" for one in p["libraries"])
        last = f"terms tested: {tested}; background: {p['background']['told']}"
        return f"{super().summary(limit=limit)}\n{last}"

    def _told(self) -> dict[str, list[str]]:
        p = self.provenance
        return {
            "read as": self._read_as(pl.col("symbol").is_not_null()),
            "known by no other name": self._own,
            "not in the model": self.not_in_model,
            "not in the background, not used": p["input"]["not_in_background"],
            "of the background, not used": p["background"]["unused"],
        }

    def _headline(self) -> str:
        p = self.provenance
        tested = sum(one["tested"] for one in p["libraries"])
        return f"{len(self)} of {tested} terms; {p['input']['genes']} input genes; {p['method']}"


def false_discovery_rate(p_values: ArrayLike) -> Numbers:
    """Adjust p-values for testing many terms.

    Parameters
    ----------
    p_values
        (n,) in any order.

    Returns
    -------
    ndarray
        (n,) the smallest false discovery rate at which each is significant.

    References
    ----------
    Benjamini & Hochberg, J R Stat Soc B 1995, doi:10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> false_discovery_rate([0.01, 0.04, 0.03, 0.8])
    array([0.04      , 0.05333333, 0.05333333, 0.8       ])
    """
    p = np.asarray(p_values, np.float64)
    n = len(p)
    order = np.argsort(-p, kind="stable")
    largest_first = p[order] * n / np.arange(n, 0, -1)
    adjusted = np.empty(n)
    adjusted[order] = np.minimum(1, np.minimum.accumulate(largest_first))
    return adjusted


class Background:
    """The genes that could have been found.

    Parameters
    ----------
    terms
        The libraries that are asked.
    given
        What the user said.
    species
        Of the identifiers.

    Raises
    ------
    UnknownGenesError
        If none of the identifiers is a known gene.
    """

    def __init__(self, terms: Terms, given: BackgroundLike, species: Species | None) -> None:
        if isinstance(given, str) and given not in ("library", "all"):
            raise ValueError(f"background is 'library', 'all', or identifiers, not {given!r}")
        self.kind = given if isinstance(given, str) else "given"
        self.understood: Understood | None = None
        n = len(terms.vocabulary)
        #: (genes,), or (libraries, genes) where each library has its own.
        self.pool: Mask
        if given == "library":
            self.pool = terms.known
            names = ", ".join(one["name"] for one in terms.told)
            self.told = f"the genes of {names}"
        elif given == "all":
            self.pool = np.ones(n, bool)
            self.told = f"all {n:,} genes"
        else:
            self.understood = understand(terms.vocabulary, given, species)
            self.pool = np.zeros(n, bool)
            self.pool[self.understood.ids[self.understood.ids >= 0]] = True
            if not self.pool.any():
                raise UnknownGenesError(nothing_known("the background", self.understood))
            self.told = f"{int(self.pool.sum()):,} given genes"

    @property
    def any(self) -> Mask:
        """(genes,) whether a gene is in the background of a library or other."""
        return self.pool if self.pool.ndim == 1 else np.asarray(self.pool.any(axis=0))

    def provenance(self) -> dict[str, Any]:
        """What the background is."""
        sizes = self.pool.sum(axis=-1)
        return {
            "kind": self.kind,
            "told": self.told,
            "given": None if self.understood is None else self.understood.inputs.height,
            "genes": sizes.tolist(),
            "unused": [] if self.understood is None else self.understood.unused,
        }


class Given:
    """The genes that an enrichment is asked about.

    Raises
    ------
    UnknownGenesError
        If none of them is a known gene, or none is in the background.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        genes: Iterable[str],
        species: Species | None,
        background: Background,
        *,
        model: bool,
    ) -> None:
        understood = understand(vocabulary, genes, species)
        self.resolution, self.inputs = understood.resolution, understood.inputs
        #: (inputs,) the gene of each identifier; -1 for one that is not used.
        self.of_input = understood.ids.astype(np.int64)
        known = self.of_input >= 0
        if not known.any():
            told = nothing_known("the set", understood)
            raise UnknownGenesError(told if model else told.replace(" to the model", ""))
        used = known & background.any[self.of_input]
        column = self.inputs["input"]
        outside = column.filter(pl.Series(known & ~used)).unique(maintain_order=True)
        if not used.any():
            raise UnknownGenesError(
                f"no gene of the set is in the background, {background.told}: "
                f"{some(outside.to_list(), 20)}; give another background or library"
            )
        self.of_input[~used] = -1
        self.ids = np.unique(self.of_input[used])
        self.told = input_told(self.inputs, len(self.ids))
        if not model:
            self.inputs = self.inputs.drop("in_model")
            del self.told["not_in_model"]
        self.told["not_in_background"] = outside.to_list()


def finish(
    method: str,
    terms: Terms,
    given: Given,
    background: Background,
    columns: dict[str, tuple[Any, str]],
    *,
    p_values: Numbers,
    p_value_is: str,
    order: Numbers,
    top: int | None,
    rank_is: str = COLUMNS["rank"],
    more: dict[str, Any],
    fdr: Numbers | None = None,
    rows: NDArray[np.int64] | None = None,
) -> Enrichment:
    """Make the report: order the terms, adjust the p-values, keep the best.

    Parameters
    ----------
    columns
        The method's own columns, each with what it is; of all rows.
    p_values
        (rows,).
    order
        (rows,) what the rows are ordered by, smallest first.
    rank_is
        What that is.
    more
        What else the provenance tells.
    fdr
        In the place of Benjamini and Hochberg's.
    rows
        (rows,) the term of each row; one row a term if None.
    """
    if top is not None and top < 1:
        raise ValueError(f"top must be 1 or more, not {top}")
    rows = np.arange(len(terms.source)) if rows is None else rows
    adjusted = false_discovery_rate(p_values) if fdr is None else fdr
    best = np.lexsort((rows, order))[:top]
    told = {k: COLUMNS[k] for k in ("rank", "library", "term", "id", "link", "size")}
    told["rank"] = rank_is
    table = (
        terms.table[rows[best]]
        .drop("description")
        .with_columns(
            pl.Series("rank", np.arange(len(best)) + 1),
            pl.Series("size", terms.sizes[rows[best]]),
            *(pl.Series(name, _take(values, best)) for name, (values, _) in columns.items()),
            pl.Series("p_value", p_values[best]),
            pl.Series("fdr", adjusted[best]),
        )
    )
    last = [name for name in ("predicted_members", "genes") if name in columns]
    names = [name for name in columns if name not in last]
    table = table.select(*told, *names, "p_value", "fdr", *last)
    told |= {name: columns[name][1] for name in names}
    told |= {"p_value": p_value_is, "fdr": more.pop("fdr", COLUMNS["fdr"])}
    told |= {name: columns[name][1] for name in last}
    provenance = {
        "task": "enrich",
        "method": method,
        "gsfm_version": __version__,
        **more,
        "input": given.told,
        "background": background.provenance(),
        "libraries": terms.told,
        "top": top,
        "columns": told,
    }
    return Enrichment(table, provenance, inputs=given.inputs, resolution=given.resolution)


def _take(values: Any, rows: NDArray[np.int64]) -> Any:
    """The values of some rows; `values` may be a function that makes the one of a row."""
    if callable(values):
        return [values(int(row)) for row in rows]
    return np.asarray(values)[rows]


def symbols_in(terms: Terms, ids: NDArray[np.int64]) -> Any:
    """A function that tells which genes of `ids` a term has, by symbol."""
    symbols, members = terms.vocabulary.symbols, terms.members
    chosen = np.zeros(len(symbols), bool)
    chosen[ids] = True

    def of_term(row: int) -> list[str]:
        own = members.indices[members.indptr[row] : members.indptr[row + 1]]
        return sorted(symbols[g] for g in own[chosen[own]])

    return of_term
