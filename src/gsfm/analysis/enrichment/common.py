"""The result of every enrichment, and the background and input genes of all methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from gsfm.analysis.terms import Terms
from gsfm.completion.identifiers import MappedIdentifiers, map_identifiers
from gsfm.completion.ranking import check_top
from gsfm.completion.result import Result
from gsfm.errors import UnknownGenesError, join_names
from gsfm.genes import Species
from gsfm.version import __version__

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Identifiers of the genes of the background, or the name of one.
BackgroundLike: TypeAlias = Iterable[str] | Literal["library", "all"]

#: Descriptions of the columns of every method.
COLUMNS = {
    "rank": "rank among all tested terms; 1 has the smallest p-value",
    "library": "the term's library",
    "term": "the term",
    "id": "the term's identifier in its source",
    "link": "where the source describes the term",
    "size": "genes of the term that are in the background",
    "overlap": "number of input genes in the term",
    "genes": "the input genes in the term",
    "fdr": "false discovery rate by Benjamini and Hochberg over all tested terms",
}
#: The first columns, and the last ones.
FIRST, LAST = ("rank", "library", "term", "id", "link", "size"), ("predicted_members", "genes")


class Enrichment(Result):
    """The terms of an enrichment, best first.

    Attributes
    ----------
    table
        One row a term: ``rank``, ``library``, ``term``, ``id``, ``link``, ``size``, the numbers of
        the method, ``p_value``, ``fdr``; ``provenance["columns"]`` describes each.
    provenance
        The method, the input, the background, the libraries, the null, and the model, if there is
        one.
    inputs
        One row an identifier, as in `Completion`.
    resolution
        What `gsfm.genes.resolve` returned.
    """

    @property
    def not_in_background(self) -> list[str]:
        """The identifiers of known genes that are not in the background and were not used."""
        return list(self.provenance["input"]["not_in_background"])

    def summary(self, *, limit: int = 50) -> str:
        """How the identifiers were mapped, which ones were not used, and what was tested.

        Parameters
        ----------
        limit
            Number of identifiers that a line lists; the others are counted.
        """
        p = self.provenance
        tested = ", ".join(f"{one['name']} ({one['tested']:,})" for one in p["libraries"])
        last = f"terms tested: {tested}; background: {p['background']['description']}"
        return f"{super().summary(limit=limit)}\n{last}"

    def _listed(self) -> dict[str, list[str]]:
        p = self.provenance
        return {
            "read as": self._renamed(pl.col("symbol").is_not_null()),
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
    """The genes that a set is compared with.

    Parameters
    ----------
    terms
        The libraries.
    background
        Identifiers of the genes, or ``"library"`` or ``"all"``.
    species
        Species of the identifiers.
    is_list
        Whether the identifiers are those of the ranked list.

    Raises
    ------
    UnknownGenesError
        If none of the identifiers is a known gene.
    """

    def __init__(
        self,
        terms: Terms,
        background: BackgroundLike,
        species: Species | None,
        *,
        is_list: bool = False,
    ) -> None:
        self.mapped: MappedIdentifiers | None = None
        n = len(terms.vocabulary)
        #: (genes,), or (libraries, genes) where each library has its own.
        self.pool: Mask
        if not isinstance(background, str):
            self.mapped = map_identifiers(terms.vocabulary, background, species)
            count = len(self.mapped.require("the background"))
            self.pool = self.mapped.mask(n)
            self.kind = "list" if is_list else "custom"
            self.description = f"the {count:,} genes {'of the list' if is_list else 'given'}"
            return
        self.kind = background
        if background == "library":
            self.pool, self.description = terms.known, f"the genes of {terms.names}"
        elif background == "all":
            self.pool, self.description = np.ones(n, bool), f"all {n:,} genes"
        else:
            raise ValueError(f"background is 'library', 'all', or identifiers, not {background!r}")

    @property
    def any(self) -> Mask:
        """(genes,) whether a gene is in the background of at least one library."""
        return self.pool if self.pool.ndim == 1 else np.asarray(self.pool.any(axis=0))

    def provenance(self) -> dict[str, Any]:
        """The kind of the background, its size, and the identifiers that were not used."""
        return {
            "kind": self.kind,
            "description": self.description,
            "identifiers": None if self.mapped is None else self.mapped.inputs.height,
            "genes": self.pool.sum(axis=-1).tolist(),
            "unused": [] if self.mapped is None else self.mapped.unused,
        }


class InputGenes:
    """The input genes of an enrichment.

    Attributes
    ----------
    mapped
        The identifiers and their genes.
    of_input
        (inputs,) the gene of each identifier; -1 if it is not used.
    ids
        The distinct genes that are used, ascending.
    about
        The part of the provenance.

    Raises
    ------
    UnknownGenesError
        If none of the identifiers is a known gene, or none is in the background.
    """

    def __init__(
        self,
        terms: Terms,
        genes: Iterable[str],
        species: Species | None,
        background: Background,
        *,
        with_model: bool,
    ) -> None:
        self.mapped = map_identifiers(terms.vocabulary, genes, species)
        self.mapped.require("the set")
        self.of_input = self.mapped.ids.astype(np.int64)
        known = self.of_input >= 0
        used = known & background.any[self.of_input]
        inputs = self.mapped.inputs
        outside = inputs["input"].filter(pl.Series(known & ~used)).unique(maintain_order=True)
        if not used.any():
            raise UnknownGenesError(
                f"no gene of the set is in the background, {background.description}: "
                f"{join_names(outside.to_list(), 20)}; give another background or library"
            )
        self.of_input[~used] = -1
        self.ids = np.unique(self.of_input[used])
        self.about = {**self.mapped.describe(), "genes": len(self.ids)}
        if not with_model:
            self.mapped = self.mapped._replace(inputs=inputs.drop("in_model"))
            del self.about["not_in_model"]
        self.about["not_in_background"] = outside.to_list()


def finish(
    method: str,
    terms: Terms,
    query: InputGenes,
    background: Background,
    columns: Mapping[str, Any],
    descriptions: Mapping[str, str],
    *,
    order: Numbers,
    top: int | None,
    rows: NDArray[np.int64] | None = None,
    **more: Any,
) -> Enrichment:
    """Make the result: order the terms, adjust the p-values, and choose the best terms.

    Parameters
    ----------
    columns
        The columns of the method, with ``p_value``: the values of all rows, or a function from a
        row to its value. ``fdr`` is that of Benjamini and Hochberg if it is missing.
    descriptions
        Descriptions of these columns, besides or instead of `COLUMNS`.
    order
        (rows,) sort key, smallest first.
    rows
        (rows,) the term of each row; one row a term if None.
    **more
        Further entries of the provenance.
    """
    check_top(top)
    rows = np.arange(len(terms.source)) if rows is None else rows
    best = np.lexsort((rows, order))[:top]
    columns = {"size": terms.sizes[rows], "fdr": None, **columns}
    if columns["fdr"] is None:
        columns["fdr"] = false_discovery_rate(columns["p_value"])
    table = terms.table[rows[best]].with_columns(
        pl.Series("rank", np.arange(len(best)) + 1),
        *(pl.Series(name, _taken(values, best)) for name, values in columns.items()),
    )
    own = [name for name in columns if name not in (*FIRST, *LAST, "p_value", "fdr")]
    last = [name for name in LAST if name in columns]
    table = table.select(*FIRST, *own, "p_value", "fdr", *last)
    descriptions = {**COLUMNS, **descriptions}
    provenance = {
        "task": "enrich",
        "method": method,
        "gsfm_version": __version__,
        **more,
        "input": query.about,
        "background": background.provenance(),
        "libraries": terms.libraries,
        "top": top,
        "columns": {name: descriptions[name] for name in table.columns},
    }
    return Enrichment(table, provenance, query.mapped)


def _taken(values: Any, rows: NDArray[np.int64]) -> Any:
    return [values(int(row)) for row in rows] if callable(values) else np.asarray(values)[rows]


def symbols_in(terms: Terms, ids: NDArray[np.int64]) -> Callable[[int], list[str]]:
    """A function from a term to the symbols of its genes that are among `ids`."""
    symbols, members = terms.vocabulary.symbols, terms.members
    chosen = np.zeros(len(symbols), bool)
    chosen[ids] = True

    def of_term(row: int) -> list[str]:
        own = members.indices[members.indptr[row] : members.indptr[row + 1]]
        return sorted(symbols[g] for g in own[chosen[own]])

    return of_term
