"""The full record of a gene, and suggestions for misspelled symbols."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from gsfm.errors import UnknownGenesError
from gsfm.genes import tables
from gsfm.genes.resolver import Species, resolve
from gsfm.genes.suggestions import close_symbols


@dataclass(frozen=True)
class GeneRecord:
    """An approved human gene, with all columns of `table`.

    ``match`` and ``rule`` say how the identifier was mapped to the gene.
    """

    symbol: str
    name: str | None
    hgnc_id: str
    locus_type: str
    chromosome: str | None
    start: int | None
    end: int | None
    strand: int | None
    band: str | None
    previous: tuple[str, ...]
    aliases: tuple[str, ...]
    entrez_id: str | None
    ensembl_id: str | None
    ensembl_other: tuple[str, ...]
    uniprot: tuple[str, ...]
    uniprot_other: tuple[str, ...]
    domains: tuple[str, ...]
    mouse: tuple[str, ...]
    mgi_id: tuple[str, ...]
    rat: tuple[str, ...]
    rgd_id: tuple[str, ...]
    match: str
    rule: str

    @property
    def position(self) -> str | None:
        """Chromosome, first and last base and strand on GRCh38, as text; None if unknown.

        Examples
        --------
        >>> from gsfm import genes
        >>> genes.show("TP53").position
        '17:7668402-7687550 (-)'
        """
        if self.start is None:
            return None
        strand = "+" if self.strand == 1 else "-"
        return f"{self.chromosome}:{self.start}-{self.end} ({strand})"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON, with lists in place of tuples."""
        fields = dataclasses.asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()}

    def __str__(self) -> str:
        lines = [f"{self.symbol}: {self.name}" if self.name else self.symbol]
        fields = self.to_dict()
        if self.position:
            fields["chromosome"] = f"{self.position} on GRCh38"
        for field, value in fields.items():
            if value and field not in ("symbol", "name", "start", "end", "strand", "match", "rule"):
                text = ", ".join(value) if isinstance(value, list) else value
                lines.append(f"  {field.replace('_', ' '):14} {text}")
        return "\n".join(lines)


def show(identifier: str | int, *, species: Species | None = None) -> GeneRecord:
    """Return the record of the gene with this identifier.

    Parameters
    ----------
    identifier
        Any identifier that `resolve` maps.
    species
        The species of the identifier, as in `resolve`.

    Raises
    ------
    UnknownGenesError
        If the identifier matches no gene (the message suggests similar symbols), or several genes
        (the message lists them).

    Examples
    --------
    >>> from gsfm import genes
    >>> print(genes.show("DELEC1"))
    DELEC1: deleted in esophageal cancer 1
      hgnc id        HGNC:23658
      locus type     RNA, long non-coding
      chromosome     9:115141818-115402644 (+) on GRCh38
      band           9q33.1
      previous       DEC1
      aliases        CTS9
      entrez id      50514
      ensembl id     ENSG00000173077
      uniprot        Q9P2X7
    >>> genes.show("TP35")
    Traceback (most recent call last):
        ...
    gsfm.errors.UnknownGenesError: no gene is known as 'TP35'; did you mean TP53, ...
    """
    found = resolve([identifier], species=species).table.row(0, named=True)
    if found["match"] == "ambiguous":
        choices = ", ".join(found["candidates"])
        reason = f"may mean {choices} ({found['rule']}); name one of them"
        raise UnknownGenesError(f"{str(identifier)!r} {reason}")
    if found["symbol"] is None:
        close = close_symbols(str(identifier))
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise UnknownGenesError(f"no gene is known as {str(identifier)!r}{hint}")
    row = tables.table().row(tables.symbols().search_sorted(found["symbol"]), named=True)
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return GeneRecord(**fields, match=found["match"], rule=found["rule"])
