"""What all methods share: the terms, the background, the input genes, and the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from gsfm.analysis.enrichment.groups import Members
from gsfm.analysis.enrichment.result import LAST
from gsfm.analysis.enrichment.result import Enrichment as Enrichment
from gsfm.analysis.query import check_least, mask_of
from gsfm.analysis.terms import LibrariesLike, Terms, load_terms
from gsfm.completion.identifiers import map_identifiers
from gsfm.completion.inputs import GenesLike, is_path
from gsfm.errors import GsfmError, UnknownGenesError, join_names
from gsfm.genes import Species, Vocabulary
from gsfm.models.types import Mask, Numbers
from gsfm.sets.overlap import check_background
from gsfm.version import __version__

#: Identifiers of the genes of the background, or the name of one; of ora also their number.
BackgroundLike: TypeAlias = GenesLike | Literal["library", "all"] | int

#: Descriptions of the columns of every method.
COLUMNS = {
    "rank": "rank among the tested terms of the library; 1 has the smallest p-value",
    "library": "the term's library",
    "term": "the term",
    "id": "the term's identifier in its source",
    "link": "where the source describes the term",
    "size": "genes of the term that are in the background",
    "overlap": "number of input genes in the term",
    "expected": "expected number of input genes in the term by chance",
    "odds_ratio": "odds of being in the term among the input genes, over those among the rest of "
    "the background; infinite if one of the two has no other genes",
    "overlap_genes": "the input genes in the term",
    "fdr": "false discovery rate by Benjamini and Hochberg over the tested terms of the library",
}
#: The first columns; the last ones are `LAST`.
FIRST = ("rank", "library", "term", "id", "link", "size")


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
    adjusted = np.empty(n)
    adjusted[order] = np.minimum.accumulate(p[order] * n / np.arange(n, 0, -1))
    return np.minimum(adjusted, 1)


def is_number(background: Any) -> bool:
    """Whether a background is a number, of genes."""
    return isinstance(background, int | float | np.number)


class Experiment:
    """The terms, the background and the input genes of an enrichment.

    Parameters
    ----------
    vocabulary
        The genes of the model; all approved genes if None, for methods without a model.
    is_list
        Whether the background is the genes of a ranked list.
    keeps_all
        Whether genes outside the background stay, for a model, if the background is the library.

    Attributes
    ----------
    terms
        The terms of the libraries; after `restrict` those that are tested.
    background
        (genes,) the background, or (libraries, genes) one for each library.
    mapped, of_input
        The identifiers, and (inputs,) the gene of each; -1 if it is not used.
    ids
        The distinct genes that are used, ascending.
    """

    terms: Terms

    def __init__(
        self,
        genes: GenesLike,
        libraries: LibrariesLike,
        background: BackgroundLike,
        species: Species | None,
        *,
        vocabulary: Vocabulary | None = None,
        is_list: bool = False,
        keeps_all: bool = False,
    ) -> None:
        self.terms = load_terms(libraries, vocabulary)
        self.background = self._background(background, species, is_list)
        with_model = vocabulary is not None
        self.mapped = map_identifiers(self.terms.vocabulary, genes, species)
        self.mapped.require("the set")
        inputs, of_input = self.mapped.inputs, self.mapped.ids.astype(np.int64)
        known = of_input >= 0
        used = known & self.pool[of_input]
        outside = inputs["input"].filter(pl.Series(known & ~used)).unique(maintain_order=True)
        keeps_all = keeps_all and self._of_background["kind"] == "library"
        if keeps_all:
            used = known
        if not used.any():
            raise UnknownGenesError(
                f"no gene of the set is in the background, {self._of_background['description']}: "
                f"{join_names(outside.to_list(), 20)}; give another background or library"
            )
        self.of_input = np.where(used, of_input, -1)
        self.ids = np.unique(of_input[used])
        self.about = {**self.mapped.describe(), "genes": len(self.ids)}
        if not with_model:
            self.mapped = self.mapped._replace(inputs=inputs.drop("in_model"))
            del self.about["not_in_model"]
        unused, for_model = ([], outside.to_list()) if keeps_all else (outside.to_list(), [])
        self.about["not_in_background"] = unused
        if keeps_all:
            self.about["not_in_library"] = for_model

    def _background(self, background: Any, species: Species | None, is_list: bool) -> Mask:
        terms, n = self.terms, len(self.terms.vocabulary)
        kind, n_identifiers, unused = background, None, []
        files: dict[str, Any] = {}
        size = None
        if isinstance(background, str) and background == "library":
            pool, description = terms.known, f"the genes of {terms.names}"
        elif isinstance(background, str) and background == "all":
            pool, description = np.ones(n, bool), f"all {n:,} genes"
        elif is_number(background):
            kind, size = "number", check_background(background)
            pool, description = np.ones(n, bool), f"{background:,} genes, as given"
        elif isinstance(background, str) and not is_path(background):
            words = "'library', 'all', identifiers, or a file of them"
            raise ValueError(f"background is {words}, not {background!r}")
        else:
            what = "the background"
            mapped = map_identifiers(terms.vocabulary, background, species, what)
            count = len(mapped.require(what))
            kind = "list" if is_list else "custom"
            description = f"the {count:,} genes {'of the list' if is_list else 'given'}"
            pool, n_identifiers, unused = mapped.mask(n), mapped.inputs.height, mapped.unused
            files = {} if is_list else mapped.files
        self._of_background = {
            "kind": kind,
            "description": description,
            "identifiers": n_identifiers,
            "genes": pool.sum(axis=-1).tolist() if size is None else size,
            "unused": unused,
            **files,
        }
        return pool

    @property
    def background_sizes(self) -> NDArray[np.int64]:
        """(libraries,) the number of genes of the background of each."""
        sizes = np.asarray(self._of_background["genes"], np.int64)
        return np.broadcast_to(sizes, len(self.terms.known))

    def check_background(self) -> None:
        """Raise an error if a number of genes is smaller than the input and the libraries."""
        known = np.flatnonzero(self.terms.known.any(axis=0))
        least, size = len(np.union1d(self.ids, known)), self._of_background["genes"]
        if self.is_number and size < least:
            raise GsfmError(
                f"a background of {size:,} genes is too small: the set and the libraries have "
                f"{least:,} together"
            )

    @property
    def is_number(self) -> bool:
        """Whether the background is a number of genes."""
        return bool(self._of_background["kind"] == "number")

    @property
    def pool(self) -> Mask:
        """(genes,) whether a gene is in the background of at least one library."""
        return np.asarray(np.atleast_2d(self.background).any(axis=0))

    def restrict(
        self, pool: Mask, min_size: int, max_size: int | None, *, what: str = "the background"
    ) -> Terms:
        """Restrict the terms to a background and to some sizes; see `Terms.within`."""
        self.terms = self.terms.within(pool, min_size, max_size, what=what)
        self._sizes = {"min_size": min_size, "max_size": max_size}
        return self.terms

    def result(
        self,
        method: str,
        columns: Mapping[str, Any],
        descriptions: Mapping[str, str],
        *,
        order: Numbers,
        top: int | None,
        rows: NDArray[np.int64] | None = None,
        ranking: pl.DataFrame | None = None,
        **more: Any,
    ) -> Enrichment:
        """Make the result: in each library, order the terms and adjust the p-values.

        Parameters
        ----------
        columns
            The columns of the method, with ``p_value``: the values of all rows, or a function from
            a row to its value. ``fdr`` is that of Benjamini and Hochberg if it is missing.
        order
            (rows,) sort key, smallest first.
        top
            The number of terms of each library to return; all if None.
        rows
            (rows,) the term of each row; one row a term if None.
        ranking
            ``gene`` and ``statistic`` of a ranked list, for running sums.
        **more
            Further entries of the provenance.
        """
        check_least(1, top=top)
        terms = self.terms
        rows = np.arange(len(terms.source)) if rows is None else rows
        library = terms.source[rows]
        best = np.lexsort((rows, order, library))
        first = np.searchsorted(library[best], np.arange(len(terms.libraries)))
        rank = 1 + np.arange(len(rows)) - first[library[best]]
        shown = slice(None) if top is None else rank <= top
        best, rank = best[shown], rank[shown]
        columns = {"size": terms.sizes[rows], **columns}
        if "fdr" not in columns:
            columns["fdr"] = fdr = np.empty(len(rows))
            for own in (library == i for i in range(len(terms.libraries))):
                fdr[own] = false_discovery_rate(columns["p_value"][own])
        table = terms.table[rows[best]].with_columns(
            pl.Series("rank", rank),
            *(pl.Series(name, _taken(values, best)) for name, values in columns.items()),
        )
        own = [name for name in columns if name not in (*FIRST, *LAST)]
        table = table.select(*FIRST, *own, *(name for name in LAST if name in columns))
        descriptions = {**COLUMNS, **descriptions}
        provenance = {
            "task": "enrich",
            "method": method,
            "gsfm_version": __version__,
            **more,
            **self._sizes,
            "input": self.about,
            "background": self._of_background,
            "libraries": terms.libraries,
            "top": top,
            "columns": {name: descriptions[name] for name in table.columns},
        }
        members = Members(terms.members[rows[best]], terms.vocabulary, ranking)
        return Enrichment(table, provenance, self.mapped, members)


def _taken(values: Any, rows: NDArray[np.int64]) -> Any:
    return [values(int(row)) for row in rows] if callable(values) else np.asarray(values)[rows]


def overlap_columns(
    overlap: NDArray[np.int64],
    n_input: NDArray[np.int64],
    sizes: NDArray[np.int64],
    background: NDArray[np.int64],
) -> dict[str, Any]:
    """The columns of (terms,) overlaps of input genes with terms of a background.

    Examples
    --------
    >>> five = np.array([5])
    >>> columns = overlap_columns(np.array([2]), five, five, np.array([20]))
    >>> columns["expected"], columns["odds_ratio"]  # of 2 * 12 over 3 * 3
    (array([1.25]), array([2.66666667]))
    """
    # nan if a margin is empty, infinite if it has no bound.
    with np.errstate(divide="ignore", invalid="ignore"):
        above = overlap.astype(np.float64) * (background - n_input - sizes + overlap)
        odds_ratio = above / ((n_input - overlap).astype(np.float64) * (sizes - overlap))
    expected = n_input * sizes / background
    return {"overlap": overlap, "expected": expected, "odds_ratio": odds_ratio}


def symbols_in(terms: Terms, ids: NDArray[np.int64]) -> Callable[[int], list[str]]:
    """A function from a term to the symbols of its genes that are among `ids`."""
    chosen, symbols = mask_of(ids, len(terms.vocabulary)), terms.vocabulary.symbols
    return lambda row: sorted(symbols[g] for g in terms.genes(row) if chosen[g])
