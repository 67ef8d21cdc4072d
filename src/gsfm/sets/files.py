"""Reading and writing of collections: the formats, and how a file's format is recognized."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from gsfm.errors import FormatError
from gsfm.genes.resolver import Species
from gsfm.io.notes import ReadReport
from gsfm.io.streams import ZIP, Source, open_source, open_target, without_compression
from gsfm.sets.formats.gmt import read_gmt, write_gmt
from gsfm.sets.formats.gmx import read_gmx, write_gmx
from gsfm.sets.formats.grp import read_grp, write_grp
from gsfm.sets.formats.json import read_json, write_enrichr_json, write_json
from gsfm.sets.formats.parquet import read_parquet, write_parquet
from gsfm.sets.formats.raw import Raw, finish, restore_first_members
from gsfm.sets.formats.table import header_separator, read_separated, write_separated
from gsfm.sets.formats.xlsx import read_xlsx, write_xlsx
from gsfm.sets.genesets import GeneSets


class _Format(NamedTuple):
    suffixes: tuple[str, ...]
    read: Callable[[Source], Raw]
    write: Callable[[GeneSets, BinaryIO, str], None]
    #: The metadata that it can hold; None for all.
    columns: tuple[str, ...] | None = None
    member_weights: bool = True


_LABELS = ("name", "description")

FORMATS: dict[str, _Format] = {
    "gmt": _Format((".gmt",), read_gmt, write_gmt, _LABELS),
    "gmx": _Format((".gmx",), read_gmx, write_gmx, _LABELS),
    "grp": _Format((".grp",), read_grp, write_grp, _LABELS, member_weights=False),
    "json": _Format((".json",), read_json, write_json),
    "enrichr-json": _Format((), read_json, write_enrichr_json, ("name", "source")),
    "csv": _Format(
        (".csv",),
        partial(read_separated, separators=",;\t"),
        partial(write_separated, separator=","),
    ),
    "tsv": _Format(
        (".tsv",),
        partial(read_separated, separators="\t,;"),
        partial(write_separated, separator="\t"),
    ),
    "xlsx": _Format((".xlsx",), read_xlsx, write_xlsx),
    "parquet": _Format((".parquet", ".pq"), read_parquet, write_parquet),
}
_BY_SUFFIX = {suffix: name for name, form in FORMATS.items() for suffix in form.suffixes}
_BY_SUFFIX[".gsets"] = "gsets"
#: The suffixes of all formats.
SUFFIXES = tuple(_BY_SUFFIX)
_BINARY = ("xlsx", "parquet", "gsets")


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
        if source.misled:
            raw.notes.add("misleading-suffix", example=Path(source.name).name)
        if form in ("gmt", "gmx") and descriptions is not True:
            restore_first_members(raw, resolve=resolve, sure=descriptions is False)
        return finish(raw, source.name, form, resolve=resolve, species=species)


def _check_format(format: str | None) -> None:
    if format is not None and format not in (*FORMATS, "gsets"):
        raise ValueError(f"no format {format!r}; there are {', '.join(FORMATS)} and gsets")


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
    if not isinstance(path, str | Path) or Path(path).suffix != source.suffix or str(path) == "-":
        reason = "a .gsets file is mapped from the disk: give its path, not compressed"
        raise FormatError(source.name, reason)
    sets = GeneSets.open(path)
    sets.report = ReadReport(source.name, "gsets", len(sets), sets.n_genes)
    return sets


def _recognize(source: Source, declared: str | None) -> str:
    """The format of a file: as declared, or by its suffix, or by its content."""
    head = source.stream.peek(1 << 16)
    signed = _signature(head)
    claimed = declared or _BY_SUFFIX.get(source.suffix)
    if claimed is None:
        return signed or _of_text(head)
    if signed != claimed and (signed is not None or claimed in _BINARY):
        what = signed or "none"
        raise FormatError(source.name, f"this is not {claimed}: by its first bytes it is {what}")
    return claimed


def _signature(head: bytes) -> str | None:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(ZIP):
        return "xlsx"  # other zips have been decompressed
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
    label = str(path) if isinstance(path, str | Path) else "<stream>"
    if format is None and isinstance(path, str | Path):
        format = _BY_SUFFIX.get(without_compression(path).suffix.lower())
    if format is None:
        raise FormatError(label, f"name the format: {', '.join(FORMATS)} or gsets")
    _check_format(format)
    if not len(sets):
        raise FormatError(label, "there is no set to write")
    sets._ensure_valid()
    if format == "gsets":
        if not isinstance(path, str | Path) or path in ("-", Path("-")):
            raise FormatError(label, "a .gsets file is mapped from the disk: give a path")
        if without_compression(path) != Path(path):
            raise FormatError(label, "a .gsets file is mapped from the disk, never compressed")
        sets.save(path)
        return ()
    form = FORMATS[format]
    with open_target(path) as stream:
        form.write(sets, stream, label)
    columns = sets.metadata.columns if form.columns is None else form.columns
    lost = tuple(column for column in sets.metadata.columns if column not in columns)
    complete = form.member_weights or sets.member_weights is None
    return lost if complete else (*lost, "member weights")
