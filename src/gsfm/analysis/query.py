"""Queries: the input genes, scores of sets, the best rows, and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar, get_args

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.completion.batches import batches
from gsfm.completion.identifiers import Ids, MappedIdentifiers, map_identifiers
from gsfm.completion.inputs import GenesLike, Identifiers, as_identifiers
from gsfm.completion.result import Result
from gsfm.completion.scorer import provenance
from gsfm.errors import UnknownGenesError
from gsfm.errors import check_least as check_least
from gsfm.genes import Species
from gsfm.models import Model
from gsfm.models.evidence import standardize
from gsfm.models.types import Floats, Mask
from gsfm.progress import Progress

#: All rows, only annotated ones (a term that has the gene, a gene of the term), or only the others.
Which: TypeAlias = Literal["all", "annotated", "new"]
#: Descriptions by the name of a column.
Columns: TypeAlias = Mapping[str, Any]
R = TypeVar("R", bound=Result)

#: Sets that are scored at once.
BATCH = 64


@dataclass
class Query:
    """The identifiers of a query, mapped to the genes of a model together, in groups."""

    model: Model
    mapped: MappedIdentifiers
    groups: Mapping[str, slice] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Model, species: Species | None, **groups: GenesLike | None) -> Query:
        """Map groups of identifiers by their names, such as ``gene`` and ``set``."""
        every, lists = Identifiers(), {}
        for name, group in groups.items():
            lists[name] = as_identifiers(() if group is None else group, f"{name!r}")
            every.add(lists[name])
        mapped = map_identifiers(model.vocabulary, every, species)
        ends = np.cumsum([len(own) for own in lists.values()])
        parts = zip(lists.items(), ends.tolist(), strict=True)
        return cls(model, mapped, {name: slice(end - len(own), end) for (name, own), end in parts})

    def gene(self, group: str) -> int:
        """The one gene of a group; UnknownGenesError if the model does not know it."""
        part = self.groups[group]
        [gene] = self.mapped.ids[part]
        if gene < 0:
            row = self.mapped.inputs.row(part.start, named=True)
            reason = "no known gene"
            if row["symbol"] is not None:
                reason = "a gene that the model does not know"
            elif row["match"] == "ambiguous":
                reason = f"ambiguous: {' or '.join(row['candidates'])}"
            own = f"{row['input']}: "
            hints = [hint for hint in self.mapped.resolution.hints if hint.startswith(own)]
            advice = "gsfm genes resolve shows how identifiers are mapped"
            advice = next(iter(hints), advice).removeprefix(own)
            raise UnknownGenesError(f"{row['input']} is {reason}; {advice}")
        return int(gene)

    def genes(self, group: str, *, least: int = 1, what: str = "the set") -> Ids:
        """The distinct genes of a group, ascending; UnknownGenesError if fewer than `least`."""
        part = self.groups[group]
        inputs, ids = self.mapped.inputs[part], self.mapped.ids[part]
        return self.mapped._replace(inputs=inputs, ids=ids).require(what, least=least)

    def result(
        self,
        kind: type[R],
        task: str,
        table: pl.DataFrame,
        columns: Columns,
        *,
        beside: Columns | None = None,
        parts: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> R:
        """The result of a verb, an instance of `kind`, with its provenance.

        Parameters
        ----------
        columns
            Descriptions of columns, of which those of the table are a part of the provenance.
        beside
            Descriptions of what is not in the table.
        parts
            Further tables and arrays of the result.
        **more
            Further entries of the provenance.
        """
        own = {name: columns[name] for name in table.columns if name in columns}
        columns = {**own, **(beside or {})}
        about = provenance(task, self.model, self.mapped, **more, columns=columns)
        return kind(table, about, self.mapped, **(parts or {}))


def standard_scores(
    model: Model,
    sets: Sequence[Ids],
    progress: Progress | None = None,
    *,
    genes: Ids | slice = slice(None),
) -> Floats:
    """(n, genes) scores less the mean, over the standard deviation, of each set's missing genes.

    Of all genes of the model, or of `genes` only.
    """
    parts = [np.empty((0, len(model.vocabulary)), np.float32)[:, genes]]
    for rows in batches(len(sets), BATCH, "scoring sets", progress):
        z = standardize(model.score(sets[rows]), model.encode(sets[rows]))
        parts.append(z[:, genes])
    return np.concatenate(parts)


def singles(genes: NDArray[Any] | Sequence[int]) -> list[Ids]:
    """Sets of one gene each."""
    return list(np.asarray(genes, np.int32)[:, None])


# -- rows -----------------------------------------------------------------------------------------


def check_selection(top: int | None, which: Which) -> None:
    """Raise an error if `top` or `which` is out of its range."""
    check_least(1, top=top)
    if which not in get_args(Which):
        raise ValueError(f"which must be all, annotated or new, not {which!r}")


def best(
    key: NDArray[Any],
    rows: NDArray[np.int64],
    top: int | None = None,
    *,
    which: Which = "all",
    annotated: Mask | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows with the largest keys, and their ranks among all `rows`.

    Parameters
    ----------
    key
        (n,) of every row there is.
    rows
        The rows to rank; ties keep their order.
    top, which, annotated
        The rows to return: how many, and by (n,) whether a row is annotated.
    """
    order = rows[np.argsort(-key[rows], kind="stable")]
    shown = np.ones(len(order), bool)
    if which != "all" and annotated is not None:
        shown = annotated[order] == (which == "annotated")
    at = np.flatnonzero(shown)[:top]
    return order[at], at + 1


def mask_of(ids: NDArray[np.integer[Any]], n: int) -> Mask:
    """(n,) whether each of n genes is among `ids`."""
    mask = np.zeros(n, bool)
    mask[ids] = True
    return mask


def row_of(matrix: sp.csr_array, row: int) -> NDArray[np.int32]:
    """The columns of the entries of a row."""
    return np.asarray(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])
