"""The result of `resolve`: a table, and summaries of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from gsfm.errors import join_names
from gsfm.report import pandas_frame

if TYPE_CHECKING:
    import pandas as pd


# Matches by a name rather than by an id.
_BY_NAME = (
    *("approved (case)", "previous", "alias", "ambiguous"),
    *("mouse symbol", "rat symbol", "mouse alias", "rat alias"),
)


def _either(symbols: list[str], limit: int = 4) -> str:
    more = ["..."] if len(symbols) > limit else []
    return " or ".join(symbols[:limit] + more)


class Resolution:
    """The result of `resolve`: one row for each identifier, in the order of the input.

    Attributes
    ----------
    table
        ``input``; ``symbol``, the approved symbol or null; ``match``, the kind of match
        (``approved``, ``approved (case)``, ``previous``, ``alias``, ``entrez``, ``hgnc``,
        ``ensembl gene``, ``ensembl transcript``, ``uniprot``, ``mouse symbol``, ``rat symbol``,
        ``mouse alias``, ``rat alias``, ``mgi``, ``rgd``, ``mouse ensembl gene``,
        ``rat ensembl gene``, ``excel date``, ``excel serial``, ``ambiguous``, ``unmapped``);
        ``candidates``, the possible symbols if there are several, beginning with the result;
        ``rule``, the match in words.
    species
        The `species` of `resolve`.

    Examples
    --------
    >>> from gsfm import genes
    >>> found = genes.resolve(["TP53", "SEPT2", "1-Mar"])
    >>> found
    Resolution(3 identifiers: 2 mapped, 1 ambiguous, 0 unmapped)
    >>> found.counts
    {'ambiguous': 1, 'approved': 1, 'previous': 1}
    """

    def __init__(self, table: pl.DataFrame, *, species: str | None = None) -> None:
        self.table = table
        self.species = species

    @functools.cached_property
    def symbols(self) -> list[str | None]:
        """The approved symbols, aligned with the input; None for an unmapped identifier."""
        return self.table["symbol"].to_list()

    def _inputs(self, condition: pl.Expr) -> list[str]:
        return self.table.filter(condition)["input"].drop_nulls().to_list()

    @property
    def mapped(self) -> list[str]:
        """The inputs with a symbol, in order."""
        return self._inputs(pl.col("symbol").is_not_null())

    @property
    def ambiguous(self) -> list[str]:
        """The inputs that match several genes, in order."""
        return self._inputs(pl.col("match") == "ambiguous")

    @property
    def unmapped(self) -> list[str]:
        """The inputs that match no gene, in order, without missing values."""
        return self._inputs(pl.col("match") == "unmapped")

    @functools.cached_property
    def counts(self) -> Mapping[str, int]:
        """The number of inputs by kind of match, most frequent first."""
        counted = self.table.group_by("match").len().sort("len", "match", descending=[True, False])
        return dict(counted.iter_rows())

    @property
    def mapped_counts(self) -> dict[str, int]:
        """`counts` without the ambiguous and unmapped inputs."""
        return {m: n for m, n in self.counts.items() if m not in ("ambiguous", "unmapped")}

    def summary(self, *, limit: int = 10) -> str:
        """Return a text of a few lines: the number of mapped inputs, and the others.

        Examples
        --------
        >>> from gsfm import genes
        >>> print(genes.resolve(["TP53", "SEPT2", "1-Mar", "nonsense"]).summary())
        2 of 4 identifiers are known genes (2 distinct): 1 approved, 1 previous
        ambiguous (1): 1-Mar (MARCHF1 or MTARC1)
        unmapped (1): nonsense
        """
        known = self.table["symbol"].drop_nulls()
        ways = [f"{n:,} {match}" for match, n in self.mapped_counts.items()]
        head = f"{len(known):,} of {len(self):,} identifiers are known genes"
        lines = [f"{head} ({known.n_unique():,} distinct): {', '.join(ways)}" if ways else head]
        for match in ("ambiguous", "unmapped"):
            if count := self.counts.get(match):
                rows = self.table.filter(pl.col("match") == match)
                rows = rows.unique("input", maintain_order=True)
                texts = [
                    f"{name} ({_either(several)})" if several else name or "(blank)"
                    for name, several in rows.select("input", "candidates").iter_rows()
                ]
                lines.append(f"{match} ({count:,}): {join_names(texts, limit)}")
        if self.species is None and self._like_mouse():
            lines.append(
                "most look like mouse or rat symbols: species 'mouse' prefers their orthologs"
            )
        return "\n".join(lines)

    def _like_mouse(self) -> bool:
        """Whether more than half of the identifiers have the case of Trp53."""
        by_name = pl.col("match").is_in([*_BY_NAME])
        written = pl.col("input").str.contains(r"^\s*[A-Z][a-z0-9-]*[a-z][a-z0-9-]*\s*$")
        return 2 * self.table.filter(by_name & written).height > len(self)

    def to_polars(self) -> pl.DataFrame:
        """Return the table as a Polars data frame."""
        return self.table.clone()

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a pandas data frame.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        return pandas_frame(self.table, "Resolution.to_pandas")

    def __len__(self) -> int:
        return self.table.height

    def __repr__(self) -> str:
        ambiguous, unmapped = (self.counts.get(m, 0) for m in ("ambiguous", "unmapped"))
        return (
            f"Resolution({len(self):,} identifiers: {len(self) - ambiguous - unmapped:,} mapped, "
            f"{ambiguous:,} ambiguous, {unmapped:,} unmapped)"
        )
