"""The result of `resolve`: a table, and short answers from it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from gsfm._errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]


class Resolution:
    """What `resolve` returns: one row an identifier, in the order given.

    Attributes
    ----------
    table
        ``input``; ``symbol``, the approved symbol (null: none); ``match``, how it was found
        (``approved``, ``approved (case)``, ``previous``, ``alias``, ``entrez``, ``hgnc``,
        ``ensembl gene``, ``ensembl transcript``, ``uniprot``, ``mouse symbol``, ``rat symbol``,
        ``mouse alias``, ``rat alias``, ``mgi``, ``rgd``, ``mouse ensembl gene``,
        ``rat ensembl gene``, ``excel date``, ``excel serial``, ``ambiguous``, ``unmatched``);
        ``candidates``, the symbols that it could mean where these are several, the one taken
        first; ``rule``, in words.

    Examples
    --------
    >>> from gsfm import genes
    >>> found = genes.resolve(["TP53", "SEPT2", "1-Mar"])
    >>> found
    Resolution(3 identifiers: 2 matched, 1 ambiguous, 0 unmatched)
    >>> found.counts
    {'ambiguous': 1, 'approved': 1, 'previous': 1}
    """

    def __init__(self, table: pl.DataFrame) -> None:
        self.table = table

    @functools.cached_property
    def symbols(self) -> list[str | None]:
        """The approved symbols, aligned with the input; None where there is none."""
        return self.table["symbol"].to_list()

    def _inputs(self, condition: pl.Expr) -> list[str]:
        return self.table.filter(condition)["input"].drop_nulls().to_list()

    @property
    def matched(self) -> list[str]:
        """The inputs with a symbol, in order."""
        return self._inputs(pl.col("symbol").is_not_null())

    @property
    def ambiguous(self) -> list[str]:
        """The inputs that may mean several genes, in order."""
        return self._inputs(pl.col("match") == "ambiguous")

    @property
    def unmatched(self) -> list[str]:
        """The inputs that mean nothing known, in order (missing values are left out)."""
        return self._inputs(pl.col("match") == "unmatched")

    @functools.cached_property
    def counts(self) -> Mapping[str, int]:
        """How many inputs were matched in which way, most frequent first."""
        counted = self.table.group_by("match").len().sort("len", "match", descending=[True, False])
        return dict(counted.iter_rows())

    def summary(self, *, limit: int = 10) -> str:
        """Return a few lines for people: how many were matched and how, and which were not.

        Examples
        --------
        >>> from gsfm import genes
        >>> print(genes.resolve(["TP53", "SEPT2", "1-Mar", "nonsense"]).summary())
        2 of 4 identifiers are known genes (2 distinct): 1 approved, 1 previous
        ambiguous (1): 1-Mar (MARCHF1 or MTARC1)
        unmatched (1): nonsense
        """
        known = self.table["symbol"].drop_nulls()
        ways = [f"{n:,} {m}" for m, n in self.counts.items() if m not in ("ambiguous", "unmatched")]
        head = f"{len(known):,} of {len(self):,} identifiers are known genes"
        lines = [f"{head} ({known.n_unique():,} distinct): {', '.join(ways)}" if ways else head]
        for match in ("ambiguous", "unmatched"):
            if count := self.counts.get(match):
                rows = self.table.filter(pl.col("match") == match).unique(
                    "input", maintain_order=True
                )
                told = [
                    f"{name} ({' or '.join(several[:4])})" if several else f"{name}"
                    for name, several in rows.select("input", "candidates").head(limit).iter_rows()
                ]
                more = f", ... ({rows.height - limit:,} more)" if rows.height > limit else ""
                lines.append(f"{match} ({count:,}): {', '.join(told)}{more}")
        return "\n".join(lines)

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a pandas data frame.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("Resolution.to_pandas", "pandas") from None
        return pd.DataFrame(self.table.to_dict(as_series=False))

    def __len__(self) -> int:
        return self.table.height

    def __repr__(self) -> str:
        ambiguous, unmatched = (self.counts.get(m, 0) for m in ("ambiguous", "unmatched"))
        return (
            f"Resolution({len(self):,} identifiers: {len(self) - ambiguous - unmatched:,} matched, "
            f"{ambiguous:,} ambiguous, {unmatched:,} unmatched)"
        )
