"""Files that are neither a list nor a table: what they are by their content, and what to do."""

from __future__ import annotations

import re

from gsfm.errors import FormatError
from gsfm.io import archives
from gsfm.io.streams import Source
from gsfm.io.text import head as text_head

#: The first bytes of binary files.
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF", "copy the table to a text file or a workbook"),
    (b"\x89PNG", "an image (PNG)", "give the genes as text"),
    (b"\xff\xd8\xff", "an image (JPEG)", "give the genes as text"),
    (b"GIF8", "an image (GIF)", "give the genes as text"),
    (b"II*\0", "an image (TIFF)", "give the genes as text"),
    (b"MM\0*", "an image (TIFF)", "give the genes as text"),
    (b"{\\rtf", "a document (RTF)", "save it as plain text"),
    (b"\x89HDF", "an HDF5 file", "read AnnData with anndata, and use gsfm.scverse"),
    (b"7z\xbc\xaf", "an archive (7z)", "unpack it"),
    (b"Rar!", "an archive (RAR)", "unpack it"),
    (b"RDX", "an object of R", "write the table with write.csv"),
    (b"X\n\0\0\0", "an object of R", "write the table with write.csv"),
    (b"SQLite format 3\0", "an SQLite database", "read it with --library, or export a table"),
    (b"ARROW1", "an Arrow file", "convert it to CSV"),
    (b"PAR1", "a Parquet file", "convert it to CSV"),
    (b"\x80\x04\x95", "a pickle of Python, which is never loaded", "write the table as CSV"),
    (b"\x80\x05\x95", "a pickle of Python, which is never loaded", "write the table as CSV"),
)
#: The beginning of a BED file.
BED = r"(?:track .*\n|browser .*\n|#.*\n)*(?:chr)?[\dXYM]+\t\d+\t\d+(?:\t|\s*\n|$)"
#: The beginning of text files: a regular expression, what the file is, and what to do.
_TEXTS: tuple[tuple[str, str, str], ...] = (
    (r"#1\.[23]\s*\n\d+\t\d+", "an expression matrix (GCT)", "give the genes, or a ranked list"),
    (r"\d+ \d+ 1\s*\n\s*#", "phenotype labels (CLS)", "give the genes, or a ranked list"),
    (r"!gaf-version", "annotations of genes (GAF)", "give a table of terms and genes"),
    (r"##fileformat=VCF", "a file of variants (VCF)", "give the genes at the variants"),
    (
        r"(?:chr)?[\dXYM]+\t\d+\t(?:rs\d+|\.|\w+:\w+)\t[ACGTN]+\t[ACGTN,.<>*]+",
        "a file of variants (VCF)",
        "give the genes at the variants",
    ),
    (
        BED,
        "genomic intervals (BED)",
        "give the genes; gsfm prioritize takes such a file",
    ),
    (r"(?:#.*\n)*\S+\t\S+\t\S+\t\d+\t\d+\t[\d.]+\t[-+.]\t[.012]\t", "annotations (GTF or GFF)",
     "give the genes, or a table with a column of them"),
    (r">[^\n]*\n[A-Za-z*-]{20,}\s*(?:\n|$)", "sequences (FASTA)", "give the genes' identifiers"),
    (r"@(?:HD|SQ)\t", "alignments (SAM)", "give the genes"),
    (r"[^\n]*Probe Set ID\tGene Symbol\tGene Title", "probe annotations (CHIP)",
     "give the genes, or a table of results with gene symbols"),
    (r"(?:shape: .*\n)?\s*[\u250c\u2554\u256d]", "a table with drawn lines", "save it as CSV"),
    (r"# A tibble:", "a table as R prints it", "write it with write.csv"),
    (r"<\?xml|<MSIGDB", "an XML file", "read MSigDB's XML with --library"),
    (r"<[a-z]+[ >]", "a table of a web page (HTML)", "save it as CSV"),
    (r"\[?\s*\{\s*\"[^\"]*\"\s*:", "a JSON object", "read sets with --library, or write CSV"),
)  # fmt: skip


def refuse(source: Source) -> None:
    """Raise FormatError if the beginning of a file shows that it is neither a list nor a table."""
    start = source.stream.peek(16)
    for signature, what, advice in _SIGNATURES:
        if start.startswith(signature):
            raise FormatError(source.name, f"this is {what}: {advice}")
    if archives.is_tar(source):
        raise FormatError(source.name, "this is an archive (tar): unpack it")
    text = text_head(source)[:8192].decode("utf-8", "replace")
    for pattern, what, advice in _TEXTS:
        if re.match(pattern, text):
            raise FormatError(source.name, f"this looks like {what}: {advice}")
