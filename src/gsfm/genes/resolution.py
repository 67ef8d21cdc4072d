"""The result of `resolve`: a table, and summaries of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import polars as pl

from gsfm.errors import join_names
from gsfm.report import Report

#: A match by a name rather than by an id: in another case, or by another name.
_BY_NAME = r"^(approved \(case\)|previous|ambiguous|.*alias|(mouse|rat) symbol)$"


def _described(name: str | None, candidates: list[str]) -> str:
    """An identifier with up to four of its candidates."""
    more = ["..."] * (len(candidates) > 4)
    return f"{name} ({' or '.join(candidates[:4] + more)})" if candidates else name or "(blank)"


class Resolution(Report):
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
        super().__init__(table, {"species": species})
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
        lines = [f"{len(known):,} of {len(self):,} identifiers are known genes"]
        if len(known):
            ways = ", ".join(f"{n:,} {match}" for match, n in self.mapped_counts.items())
            lines[0] += f" ({known.n_unique():,} distinct): {ways}"
        for match in ("ambiguous", "unmapped"):
            rows = self.table.filter(pl.col("match") == match)
            if rows.height:
                distinct = rows.unique("input", maintain_order=True).select("input", "candidates")
                texts = [_described(*row) for row in distinct.iter_rows()]
                lines.append(f"{match} ({rows.height:,}): {join_names(texts, limit)}")
        if self.species is None and self._like_mouse():
            lines.append(
                "most look like mouse or rat symbols: species 'mouse' prefers their orthologs"
            )
        return "\n".join(lines)

    def _like_mouse(self) -> bool:
        """Whether more than half of the identifiers have the case of Trp53."""
        by_name = pl.col("match").str.contains(_BY_NAME)
        written = pl.col("input").str.contains(r"^\s*[A-Z][a-z0-9-]*[a-z][a-z0-9-]*\s*$")
        return 2 * self.table.filter(by_name & written).height > len(self)

    def _headline(self) -> str:
        counts = {match: self.counts.get(match, 0) for match in ("ambiguous", "unmapped")}
        others = ", ".join(f"{n:,} {match}" for match, n in counts.items())
        n_mapped = len(self) - sum(counts.values())
        return f"{len(self):,} identifiers: {n_mapped:,} mapped, {others}"

    def __repr__(self) -> str:
        return f"Resolution({self._headline()})"
