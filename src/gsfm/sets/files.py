"""Reading and writing of collections: the formats, and how a file's format is recognized."""

from __future__ import annotations

import re
import struct
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from gsfm.errors import FormatError, require
from gsfm.genes.resolver import Species
from gsfm.io.notes import ReadReport
from gsfm.io.streams import Source, file_path, open_source, open_target, without_compression
from gsfm.sets.formats.raw import Format, finish, restore_first_members
from gsfm.sets.formats.table import header_separator
from gsfm.sets.genesets import GeneSets

#: The modules of `gsfm.sets.formats` that define formats, in the order of lists and messages.
_MODULES = ("gmt", "gmx", "grp", "json", "table", "xlsx", "parquet")

FORMATS: dict[str, Format] = {
    form.name: form
    for module in _MODULES
    for form in import_module(f"gsfm.sets.formats.{module}").FORMATS
}
_BY_SUFFIX = {suffix: name for name, form in FORMATS.items() for suffix in form.suffixes}
_BY_SUFFIX[".gsets"] = "gsets"
#: The suffixes of all formats.
SUFFIXES = tuple(_BY_SUFFIX)

_MAPPED = "a .gsets file is mapped from the disk: give its path, not compressed"


def read(
    path: str | Path | BinaryIO,
    *,
    format: str | None = None,
    resolve: bool = True,
    species: Species | None = None,
    descriptions: bool | None = None,
) -> GeneSets:
    """Read a collection of gene sets from a file.

    The formats are GMT, GMX, GRP, JSON (MSigDB's and Enrichr's), long CSV and TSV, XLSX, Parquet,
    and the ``.gsets`` files of `GeneSets.save`; plain, or in gzip, zstd or zip. Irregularities of
    the file are handled, and noted in the ``report`` of the result.

    Parameters
    ----------
    path
        The file, ``-`` for standard input, or a binary stream.
    format
        One of ``gmt``, ``gmx``, ``grp``, ``json``, ``csv``, ``tsv``, ``xlsx``, ``parquet`` and
        ``gsets``. If None, it is inferred from the suffix, or else from the content.
    resolve
        Map the identifiers to approved symbols; otherwise they are only trimmed. The identifiers of
        a ``.gsets`` file are never changed.
    species
        The species of the identifiers, as in `gsfm.genes.resolve`.
    descriptions
        Whether a GMT or GMX file has descriptions. Some files have genes in their place. None
        infers it; the report says if there are no descriptions.

    Returns
    -------
    GeneSets
        With ``report``, a `ReadReport`.

    Raises
    ------
    FormatError
        If the file does not have the format.
    MissingExtraError
        For XLSX without the extra ``xlsx``.

    Examples
    --------
    >>> import io
    >>> sets = read(io.BytesIO(b"repair\\tDNA repair\\tbrca1\\tBRCA2\\tP53\\n"))
    >>> sets[0].genes
    ('BRCA1', 'BRCA2', 'TP53')
    >>> print(sets.report.summary())
    <stdin>: 1 set, 3 identifiers (gmt)
      mapped: 1 by alias, 1 by approved, 1 by approved (case)
    """
    _check_format(format)
    with open_source(path) as source:
        form = _recognize(source, format)
        if form == "gsets":
            return _open(path, source)
        raw = FORMATS[form].read(source)
        if not len(raw.sizes):
            raise FormatError(source.name, "it contains no gene set")
        if form in ("gmt", "gmx") and descriptions is not True:
            sure = descriptions is False
            restore_first_members(raw, source.notes, resolve=resolve, sure=sure)
        return finish(raw, source, form, resolve=resolve, species=species)


def _check_format(format: str | None) -> None:
    known = format in (None, *FORMATS, "gsets")
    require(known, f"no format {format!r}; there are {', '.join(FORMATS)} and gsets")


def stem(path: str | Path) -> str:
    """Return the name of a file without the suffixes of its format and compression.

    Examples
    --------
    >>> stem("folder/c2.all.gmt.gz"), stem("genes.txt")
    ('c2.all', 'genes')
    """
    name = without_compression(Path(path).name).name
    found = re.search(r"\.\w+$", name)
    known = found and found.start() and found[0].lower() in (*_BY_SUFFIX, ".txt")
    return name[: found.start()] if found and known else name


def _open(path: str | Path | BinaryIO, source: Source) -> GeneSets:
    file = file_path(path)
    if file is None or file.suffix != source.suffix:
        raise FormatError(source.name, _MAPPED)
    sets = GeneSets.open(file, trusted=False)
    sets.report = ReadReport(source.name, "gsets", len(sets), sets.n_genes)
    return sets


def _recognize(source: Source, declared: str | None) -> str:
    """The format of a file: as declared, or by its suffix, or by its content."""
    head = source.stream.peek(1 << 16)
    signed = _signature(head)
    claimed = declared or _BY_SUFFIX.get(source.suffix)
    if claimed is None:
        return signed or _of_text(head)
    if signed != claimed and (signed or claimed == "gsets" or FORMATS[claimed].signature):
        what = signed or "none"
        raise FormatError(source.name, f"this is not {claimed}: by its first bytes it is {what}")
    return claimed


def _signature(head: bytes) -> str | None:
    """The binary format of a file; zips that are not workbooks have been decompressed."""
    for name, form in FORMATS.items():
        if form.signature and head.startswith(form.signature):
            return name
    if len(head) > 8 and head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] < 1 << 32:
        return "gsets"
    return None


def _of_text(head: bytes) -> str:
    text = head.decode("utf-8", "replace").lstrip("\ufeff").lstrip()
    if text.startswith("{"):
        return "json"
    for line in text.splitlines():
        if separator := header_separator(line):
            return "tsv" if separator == "\t" else "csv"
        if not line.startswith("#") and line.strip():
            return "gmt" if "\t" in line else "grp"
    return "grp"


def write(
    sets: GeneSets, path: str | Path | BinaryIO, *, format: str | None = None
) -> tuple[str, ...]:
    """Write a collection of gene sets to a file, atomically.

    Reading the file gives the same collection. A value that the format cannot hold is an error; a
    column that the format does not have is not written.

    Parameters
    ----------
    sets
        The collection.
    path
        The file, compressed if it ends in ``.gz``, ``.zst`` or ``.zip``. ``-`` is standard output.
    format
        ``gmt``, ``gmx``, ``grp`` (one set), ``json`` (MSigDB's form), ``enrichr-json``, ``csv``,
        ``tsv``, ``xlsx``, ``parquet`` or ``gsets``; inferred from the suffix if None.

    Returns
    -------
    tuple of str
        What was not written: columns of the metadata, ``"member weights"``.

    Raises
    ------
    FormatError
        If the format cannot hold the collection, or cannot be inferred from the suffix.
    MissingExtraError
        For XLSX without the extra ``xlsx``.

    Examples
    --------
    >>> import io
    >>> stream = io.BytesIO()
    >>> write(GeneSets.from_lists({"repair": ["BRCA1", "BRCA2"]}), stream, format="gmt")
    ()
    >>> stream.getvalue()
    b'repair\\t\\tBRCA1\\tBRCA2\\n'
    """
    file = file_path(path)
    label = str(path) if isinstance(path, str | Path) else "<stream>"
    if format is None and file is not None:
        format = _BY_SUFFIX.get(without_compression(file).suffix.lower())
    if format is None:
        raise FormatError(label, f"name the format: {', '.join(FORMATS)} or gsets")
    _check_format(format)
    if not len(sets):
        raise FormatError(label, "there is no set to write")
    if format == "gsets":
        if file is None or without_compression(file) != file:
            raise FormatError(label, _MAPPED)
        sets.save(file)
        return ()
    form = FORMATS[format]
    with open_target(path) as stream:
        stream.writelines(form.write(sets, label))
    lost = [c for c in sets.metadata.columns if form.columns is not None and c not in form.columns]
    if sets.member_weights is not None and not form.member_weights:
        lost.append("member weights")
    return tuple(lost)
