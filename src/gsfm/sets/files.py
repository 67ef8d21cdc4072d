"""Reading and writing of collections: the formats, and how a file's format is recognized."""

from __future__ import annotations

import dataclasses
import re
import struct
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from gsfm.errors import FormatError, join_names, require
from gsfm.genes import Species
from gsfm.io import archives, foreign, text, workbook
from gsfm.io.notes import Notes, ReadReport
from gsfm.io.streams import Source, file_path, open_source, open_target, without_compression
from gsfm.sets import algebra, recognition
from gsfm.sets.formats import table
from gsfm.sets.formats.raw import Format, finish, restore_first_members
from gsfm.sets.formats.roles import Choice
from gsfm.sets.genesets import GeneSets

#: The modules of `gsfm.sets.formats` that define formats, in the order of lists and messages.
_MODULES = ("gmt", "gmx", "grp", "json", "delimited", "xlsx", "parquet", "msigdb")

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
    sheet: str | int | None = None,
    set_column: str | int | None = None,
    gene_column: str | int | None = None,
) -> GeneSets:
    """Read a collection of gene sets from a file.

    The formats are GMT, GMX, GRP, JSON (MSigDB's and Enrichr's), XML and SQLite of MSigDB, Parquet,
    the ``.gsets`` files of `GeneSets.save`, and any table (CSV, TSV, workbooks): with a set and a
    gene, or several, in each row, as results of enrichment tools have, or with a set in each row or
    column. A file may be in gzip, zstd, zip or tar; all files of an archive are read.
    Irregularities of the file are handled, and noted in the ``report`` of the result, which also
    says what was read.

    Parameters
    ----------
    path
        The file, ``-`` for standard input, or a binary stream.
    format
        One of ``gmt``, ``gmx``, ``grp``, ``json``, ``csv``, ``tsv``, ``xlsx``, ``parquet``,
        ``msigdb-xml``, ``msigdb-db`` and ``gsets``. If None, it is inferred from the content.
    resolve
        Map the identifiers to approved symbols; otherwise they are only trimmed. The identifiers of
        a ``.gsets`` file are never changed.
    species
        The species of the identifiers, as in `gsfm.genes.resolve`. Of a table of markers of several
        species, only its rows are read.
    descriptions
        Whether a GMT or GMX file has descriptions. Some files have genes in their place. None
        infers it; the report says if there are no descriptions.
    sheet
        The name of a sheet of a workbook, or its 1-based number.
    set_column, gene_column
        The column of the sets and of the genes of a table: its name or 1-based number.

    Returns
    -------
    GeneSets
        With ``report``, a `ReadReport`.

    Raises
    ------
    FormatError
        If the file does not have the format, has no gene sets, or can be read in several ways.
    MissingExtraError
        For workbooks without the extra ``xlsx``.

    Examples
    --------
    >>> import io
    >>> sets = read(io.BytesIO(b"repair\\tDNA repair\\tbrca1\\tBRCA2\\tP53\\n"))
    >>> sets[0].genes
    ('BRCA1', 'BRCA2', 'TP53')
    >>> print(sets.report.summary())
    <stdin>: 1 set, 3 identifiers (gmt)
      mapped: 1 by alias, 1 by approved, 1 by approved (case)
    >>> results = b"Term,P-value,Genes\\nDNA repair,0.01,BRCA1;BRCA2\\n"
    >>> print(read(io.BytesIO(results), resolve=False).report.summary())
    <stdin>: 1 set, 2 identifiers (csv: sets from column 'Term', genes from column 'Genes')
      1 cell with several genes, split
    """
    _check_format(format)
    choice = Choice(sheet, set_column, gene_column, species)
    settings: dict[str, Any] = {"format": format, "choice": choice, "descriptions": descriptions}
    members = _read_members(archives.zip_members(path), resolve=False, **settings)
    name, kind = str(path) if file_path(path) else "<stdin>", "zip"
    if not members:
        with open_source(path) as source:
            if not archives.is_tar(source):
                return _read(path, source, resolve=resolve, **settings)
            name, kind = source.name, "tar"
            members = _read_members(archives.tar_members(source), resolve=False, **settings)
    sets = _joined(name, kind, members)
    return sets.resolve(species) if resolve else sets


def _read(
    path: str | Path | BinaryIO,
    source: Source,
    *,
    format: str | None,
    choice: Choice,
    descriptions: bool | None,
    resolve: bool,
) -> GeneSets:
    form = _recognize(source, format)
    if form == "gsets":
        return _open(path, source)
    if not FORMATS[form].is_table:
        choice.check_none(source, form)
        raw = FORMATS[form].read(source)
    elif format is None and form in ("csv", "tsv"):
        raw = table.read(source, choice)
    else:
        raw = FORMATS[form].read(source, choice)
    if not len(raw.sizes):
        raise FormatError(source.name, "it contains no gene set")
    if form in ("gmt", "gmx") and descriptions is not True:
        sure = descriptions is False
        restore_first_members(raw, source.notes, resolve=resolve, sure=sure)
    return finish(raw, source, form, resolve=resolve, species=choice.species)


def _read_members(
    streams: Iterable[BinaryIO], **settings: Any
) -> list[tuple[str, GeneSets | None]]:
    """The path and the sets of each file of an archive; None for a README and the like."""
    found: list[tuple[str, GeneSets | None]] = []
    for stream in streams:
        sets = None
        if not archives.is_other(stream.name):
            with open_source(stream) as source:
                if archives.is_tar(source):
                    raise FormatError(source.name, "an archive in an archive: unpack it")
                sets = _read(stream, source, **settings)
        found.append((stream.name, sets))
    return found


def _joined(name: str, kind: str, members: list[tuple[str, GeneSets | None]]) -> GeneSets:
    """The sets of all files of an archive. Equal names of sets get the name of their file."""
    parts = [(path, sets) for path, sets in members if sets is not None]
    others = [path for path, sets in members if sets is None]
    if not parts:
        raise FormatError(name, f"the {kind} has no file of gene sets")
    found = [sets for _, sets in parts]
    files = [stem(path) for path, _ in parts]
    if len(set(files)) < len(files):  # of several folders
        files = [path.removeprefix(f"{name}/") for path, _ in parts]
    sets = algebra.concat(found)
    origin = [file for file, own in zip(files, found, strict=True) for _ in range(len(own))]
    pairs = pl.DataFrame({"name": sets.metadata["name"], "file": origin})
    several = pairs.select(pl.col("file").n_unique().over("name") > 1).to_series()
    labels = pairs.select(
        pl.when(several).then(pl.format("{} ({})", "name", "file")).otherwise("name").alias("name")
    )
    columns = [labels["name"]]
    if "source" not in sets.metadata.columns:
        columns.append(pl.Series("source", origin))
    sets.metadata = sets.metadata.with_columns(columns)
    notes = Notes()
    for own in found:
        assert own.report is not None  # reading always makes one
        notes.add_all(dataclasses.replace(note, line=None) for note in own.report.notes)
    notes.add("other-files", len(others), example=join_names(others, 3))
    forms = dict.fromkeys(own.report.format for own in found if own.report)
    counts = len(sets), sets.n_genes
    layout = f"{', '.join(forms)} in {join_names(files, 10)}"
    sets.report = ReadReport(name, kind, *counts, notes.done(), layout=layout)
    return sets


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
    known = found and found.start() and found[0].lower() in (*_BY_SUFFIX, ".txt", ".tar", ".tgz")
    return name[: found.start()] if found and known else name


def _open(path: str | Path | BinaryIO, source: Source) -> GeneSets:
    file = file_path(path)
    if file is None or file.suffix != source.suffix:
        raise FormatError(source.name, _MAPPED)
    sets = GeneSets.open(file, trusted=False)
    sets.report = ReadReport(source.name, "gsets", len(sets), sets.n_genes)
    return sets


def _recognize(source: Source, declared: str | None) -> str:
    """The format of a file: as declared, or by its content."""
    signed = _signature(source.stream.peek(64))
    if declared is not None:
        if signed != declared and (signed or declared == "gsets" or FORMATS[declared].signature):
            reason = f"this is not {declared}: by its first bytes it is {signed or 'none'}"
            raise FormatError(source.name, reason)
        return declared
    if signed is not None:
        return signed
    form = recognition.of_text(text.head(source), source.suffix)
    if form in ("gmt", "gmx", "grp", "csv", "tsv") and _BY_SUFFIX.get(source.suffix) != form:
        foreign.refuse(source)
    return form


def _signature(head: bytes) -> str | None:
    """The binary format of a file; zips that are not workbooks have been decompressed."""
    if workbook.kind_of(head) is not None:
        return "xlsx"
    for name, form in FORMATS.items():
        if form.signature and head.startswith(form.signature):
            return name
    if len(head) > 8 and head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] < 1 << 32:
        return "gsets"
    return None


def write(
    sets: GeneSets | Mapping[str, Iterable[str]],
    path: str | Path | BinaryIO,
    *,
    format: str | None = None,
) -> tuple[str, ...]:
    """Write a collection of gene sets to a file, atomically.

    Reading the file gives the same collection. A value that the format cannot hold is an error; a
    column that the format does not have is not written.

    Parameters
    ----------
    sets
        The collection, or a mapping of names to genes.
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
    if isinstance(sets, Mapping):
        sets = GeneSets.from_lists(sets)
    if not isinstance(sets, GeneSets):
        kind = type(sets).__name__
        raise TypeError(f"sets must be a GeneSets, not {kind}: use gsfm.GeneSets.from_lists")
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
    if form.write is None:
        raise FormatError(label, f"{format} is read only: write another format")
    with open_target(path) as stream:
        stream.writelines(form.write(sets, label))
    lost = [c for c in sets.metadata.columns if form.columns is not None and c not in form.columns]
    if sets.member_weights is not None and not form.member_weights:
        lost.append("member weights")
    return tuple(lost)
