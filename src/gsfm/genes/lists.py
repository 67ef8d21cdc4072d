"""Gene lists: one gene in a line, or several, or a column of a table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from gsfm.errors import FormatError
from gsfm.io.streams import open_source
from gsfm.io.text import lines

#: Names of gene columns, as `plain` returns them.
GENE_HEADERS = (
    *("gene", "genes", "symbol", "symbols", "genesymbol", "genesymbols", "genename", "hgncsymbol"),
    *("approvedsymbol", "geneid", "entrez", "entrezid", "entrezgene", "entrezgeneid", "ncbigeneid"),
    *("ensembl", "ensemblid", "ensemblgene", "ensemblgeneid", "uniprot", "uniprotid", "hgnc"),
    *("hgncid", "identifier", "identifiers", "member", "members", "target"),
)
_QUOTES = "\"'\u2018\u2019\u201c\u201d"


def plain(header: str) -> str:
    """Normalize the name of a column: no case, quotes, spaces, dots, hyphens and underscores."""
    return re.sub(r"[\s._-]", "", header.strip().strip(_QUOTES)).lower()


def unquoted(cell: str) -> str:
    """Remove white space and quotes around a cell."""
    return cell.strip().strip(_QUOTES).strip()


def read_genes(path: str | Path | BinaryIO) -> list[str]:
    """Read the identifiers of a gene list.

    They are separated by line ends, tabs, commas, semicolons, bars or spaces. Quotes are removed,
    and lines that start with ``#`` (or ``>``, as in GRP) are skipped. A first line with the name of
    a gene column (``gene``, ``symbol``, ``Entrez ID``, ...) is a header. If it has several names,
    the file is a table, of which the first gene column is read.

    Parameters
    ----------
    path
        The file, ``-`` for standard input, or a binary stream; may be in gzip, zstd or zip.

    Returns
    -------
    list of str
        The identifiers as in the file, in order, with repeats.

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
        rows = [text.strip() for _, text in lines(source)]
    rows = [row for row in rows if not row.startswith(("#", ">"))]
    if not rows:
        raise FormatError(source.name, "it contains no identifier: write one in each line")
    for separator in ("\t", ",", ";"):
        header = [plain(cell) for cell in rows[0].split(separator)]
        columns = [i for i, cell in enumerate(header) if cell in GENE_HEADERS]
        if columns and len(header) > 1:
            table = [row.split(separator) for row in rows[1:]]
            cells = [row[columns[0]] for row in table if len(row) > columns[0]]
            return list(filter(None, map(unquoted, cells)))
    if plain(rows[0]) in GENE_HEADERS:
        rows = rows[1:]
    parts = (part.strip(_QUOTES) for row in rows for part in re.split(r"[\s,;|]+", row))
    return [part for part in parts if part]
