"""The result of `resolve`: a table, and summaries of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import polars as pl

from gsfm.errors import join_names
from gsfm.genes import tables
from gsfm.genes.species import LEAST, Species, another, mouse_or_rat, sample
from gsfm.genes.suggestions import close_symbols
from gsfm.report import Report

#: The rule of an identifier of which nothing is known, and of a missing value.
UNKNOWN = "not found among human genes and their mouse and rat orthologs"
MISSING_VALUE = "a missing value"
#: Unknown identifiers that may be slips; more of them are something else.
MOST_SLIPS = 5
#: Matches by a name of a human gene.
_HUMAN_NAMES = ("approved", "approved (case)", "previous", "alias")


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
        (``approved``, ``approved (case)``, ``entrez``, ``ambiguous``, ``unmapped``, ...; the table
        in ``docs/genes.md`` has all of them);
        ``candidates``, the possible symbols if there are several, beginning with the result;
        ``rule``, the match in words; of an unmapped identifier, what it looks like.
    species
        The species whose names have precedence: the `species` of `resolve`, or ``"mouse"`` or
        ``"rat"`` if most identifiers are symbols of that species.

    Examples
    --------
    >>> from gsfm import genes
    >>> found = genes.resolve(["TP53", "SEPT2", "1-Mar"])
    >>> found
    Resolution(3 identifiers: 2 mapped, 1 ambiguous, 0 unmapped)
    >>> found.counts
    {'ambiguous': 1, 'approved': 1, 'previous': 1}
    """

    def __init__(
        self, table: pl.DataFrame, *, species: Species | None = None, inferred: bool = False
    ) -> None:
        super().__init__(table, {"species": species, "inferred": inferred})
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
        lines += [f"hint: {hint}" for hint in self.hints]
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)

    @functools.cached_property
    def hints(self) -> list[str]:
        """What unmapped identifiers look like, and what to do about them: a text for each kind.

        A few identifiers of no kind have the symbols that they differ from by one slip.

        Examples
        --------
        >>> from gsfm import genes
        >>> genes.resolve(["rs7412", "rs429358", "APOE"]).hints
        ['variant (rs7412, rs429358): give the gene that it affects']
        >>> genes.resolve(["BRAC2", "TP53"]).hints
        ['BRAC2: did you mean BRCA2 or RAC2?']
        """
        known = (pl.col("match") == "unmapped") & pl.col("rule").str.contains(": ", literal=True)
        distinct = self.table.filter(known).unique("input", maintain_order=True)
        groups = distinct.group_by("rule", maintain_order=True).agg("input")
        parts = [(*rule.split(": ", 1), names) for rule, names in groups.iter_rows()]
        hints = [f"{what} ({join_names(names, 3)}): {advice}" for what, advice, names in parts]
        return hints + self._slips()

    def _slips(self) -> list[str]:
        """The genes that a few unmapped identifiers may be slips of."""
        unknown = (pl.col("match") == "unmapped") & (pl.col("rule") == UNKNOWN)
        distinct = self.table.filter(unknown)["input"].unique(maintain_order=True).to_list()
        if len(distinct) > MOST_SLIPS:  # then it is another kind of identifier
            return []
        # A name of three letters is a slip of many symbols.
        likes = ((name, close_symbols(name, limit=2)) for name in distinct if len(name) > 3)
        return [f"{name}: did you mean {' or '.join(like)}?" for name, like in likes if like]

    @functools.cached_property
    def warnings(self) -> list[str]:
        """What the whole list suggests: that it is of another species.

        Examples
        --------
        >>> from gsfm import genes
        >>> genes.resolve(["CDC28", "URA3", "PHO5", "RAD51"]).warnings
        ['these look like yeast genes (CDC28, URA3, PHO5): map them to human orthologs first']
        """
        if self.species is None and 2 * (~self.table["match"].is_in(_HUMAN_NAMES)).sum() < LEAST:
            return []  # names of human genes are no evidence; a name that mice alone have is twice
        rows = self.table.select(tables.bare(self.table["input"]), "match", "rule")
        rows = rows.drop_nulls("input").unique("input", maintain_order=True)
        rows = rows.filter(pl.col("rule") != MISSING_VALUE)
        other = another(rows["input"], rows["match"], rows["rule"])
        if other is not None:
            return [other]
        if self.provenance["inferred"]:
            how = f"most identifiers are {self.species} symbols, and were read as such"
            return [f"{how}: species 'human' prefers human symbols"]
        if self.species is None:
            names = sample(rows["input"])
            like = mouse_or_rat(names, least=max(LEAST, len(names) / 10))
            if like is not None:
                return [f"these look like {like} genes: species '{like}' prefers their orthologs"]
        return []

    def _headline(self) -> str:
        counts = {match: self.counts.get(match, 0) for match in ("ambiguous", "unmapped")}
        others = ", ".join(f"{n:,} {match}" for match, n in counts.items())
        n_mapped = len(self) - sum(counts.values())
        return f"{len(self):,} identifiers: {n_mapped:,} mapped, {others}"

    def __repr__(self) -> str:
        return f"Resolution({self._headline()})"
