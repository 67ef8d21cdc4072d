"""Plain lists of genes: one a line, or a whole list in a line, or a column of a table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from gsfm.errors import FormatError
from gsfm.io.notes import Notes
from gsfm.io.streams import open_source
from gsfm.io.text import lines

#: Column names (lower case, without spaces, dots and underscores) that say "genes".
GENE_HEADERS = (
    *("gene", "genes", "symbol", "symbols", "genesymbol", "genesymbols", "genename", "hgncsymbol"),
    *("approvedsymbol", "geneid", "entrez", "entrezid", "entrezgene", "entrezgeneid", "ncbigeneid"),
    *("ensembl", "ensemblid", "ensemblgene", "ensemblgeneid", "uniprot", "uniprotid", "hgnc"),
    *("hgncid", "identifier", "identifiers", "member", "members", "target"),
)
_QUOTES = "\"'\u2018\u2019\u201c\u201d"


def plain(header: str) -> str:
    """A column's name without what people vary: case, quotes, spaces, dots, underscores."""
    return re.sub(r"[\s._-]", "", header.strip().strip(_QUOTES)).lower()


def read_genes(path: str | Path | BinaryIO) -> list[str]:
    """Read identifiers from a plain list.

    One a line, or separated by tabs, commas, semicolons, bars or spaces; quotes are taken off,
    lines that start with ``#`` (and ``>``, as in GRP) are left out. A first line that names columns
    (``gene``, ``symbol``, ``Entrez ID``, ...) is not taken for genes; where it names several, the
    file is a table, and the first column of genes in it is read.

    Parameters
    ----------
    path
        The file, ``-`` for standard input, or a binary stream; gzip, zstd and zip are understood.

    Returns
    -------
    list of str
        The identifiers as they are written, in their order, repeats included.

    Raises
    ------
    FormatError
        If the file is empty or not text.

    Examples
    --------
    >>> import io
    >>> read_genes(io.BytesIO(b"# my genes\\nTP53, MDM2\\nEGFR\\n"))
    ['TP53', 'MDM2', 'EGFR']
    >>> read_genes(io.BytesIO(b"Gene symbol\\tlogFC\\nTP53\\t1.5\\n"))
    ['TP53']
    """
    with open_source(path) as source:
        rows = [text.strip() for _, text in lines(source, Notes())]
        name = source.name
    rows = [row for row in rows if not row.startswith(("#", ">"))]
    if not rows:
        raise FormatError(name, "no identifier in it: give one a line")
    for separator in ("\t", ",", ";"):
        header = [plain(cell) for cell in rows[0].split(separator)]
        columns = [i for i, cell in enumerate(header) if cell in GENE_HEADERS]
        if columns and len(header) > 1:
            table = [row.split(separator) for row in rows[1:]]
            cells = [row[columns[0]] for row in table if len(row) > columns[0]]
            return [cell for c in cells if (cell := c.strip().strip(_QUOTES).strip())]
    if plain(rows[0]) in GENE_HEADERS:
        rows = rows[1:]
    parts = (part.strip(_QUOTES) for row in rows for part in re.split(r"[\s,;|]+", row))
    return [part for part in parts if part]
