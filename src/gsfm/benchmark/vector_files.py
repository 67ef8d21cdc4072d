"""Files of gene vectors: an identifier and a row of numbers for each gene."""

from __future__ import annotations

import array
import contextlib
import csv
import itertools
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from gsfm.errors import FormatError, count, join_names, require
from gsfm.genes.columns import GENE_HEADERS, plain
from gsfm.io import child, parsers
from gsfm.io.files import regular_size
from gsfm.io.limits import limits
from gsfm.io.streams import open_source
from gsfm.io.text import lines
from gsfm.sets.formats.long import find

Floats = NDArray[np.float32]

ADVICE = "save it as Parquet or CSV, a row a gene, with the identifiers in the column 'gene'"

#: Names, as `plain` leaves them, of columns of row numbers, and of a first column that may hold
#: genes or row numbers.
_ROW = ("unnamed:0", "index", "indexlevel0")
_INDEX = ("", *_ROW, "id", "name", "word", "token", "vocab")
#: Names of the array of vectors among several arrays.
_VECTORS = ("vectors", "vector", "embeddings", "embedding", "emb", "x")
#: Marks of a missing number.
_MISSING = ("", "na", "n/a", "#n/a", "null", "none", "-")
#: What the readers of damaged files raise.
_ERRORS: tuple[type[BaseException], ...] = (OSError, EOFError, ValueError, TypeError, KeyError)
_ERRORS += (NotImplementedError, zipfile.BadZipFile, zlib.error, SafetensorError)
_ERRORS += (pl.exceptions.PolarsError, pl.exceptions.PanicException)
#: The first bytes of files of other formats, and why these are refused.
_REFUSED = {
    rb"\x89HDF": "HDF5 files are not read",
    rb"\x93NUMPY": "an array alone does not say whose vectors it holds",
    rb"\x80[\x00-\x05]": "it is a pickle, which could run any code",
}


class Table(NamedTuple):
    """The gene vectors of a file."""

    identifiers: Sequence[Any]
    vectors: Floats  # (rows, dimensions)
    ignored: tuple[str, ...] = ()  # columns that are neither


def read_vectors(path: Path) -> Table:
    """Read a file of any of the formats."""
    try:
        regular_size(path)
        with path.open("rb") as stream:
            magic = stream.read(8)
    except OSError as error:
        raise FormatError(path, error.strerror or "cannot be read") from error
    if path.suffix.lower() == ".safetensors":
        return _read_safetensors(path)
    if magic.startswith(b"PAR1"):
        return _read_parquet(path)
    if magic.startswith(b"PK\x03\x04"):
        with _readable(path, "zip"), zipfile.ZipFile(path) as archive:
            suffixes = {Path(name).suffix for name in archive.namelist()}
            content = sum(info.file_size for info in archive.infolist())
            most = limits().decompressed(path.stat().st_size)
            require(content <= most, f"it has {content:,} bytes, more than {most:,}")
        if ".pkl" in suffixes:
            raise FormatError(path, f"it holds a pickle, which could run any code; {ADVICE}")
        if suffixes == {".npy"}:
            return _read_npz(path)
    for start, reason in _REFUSED.items():
        if re.match(start, magic):
            raise FormatError(path, f"{reason}; {ADVICE}")
    return _read_text(path)


@contextlib.contextmanager
def _readable(path: Path, kind: str) -> Iterator[None]:
    """Turn the errors of the libraries that read files into a FormatError."""
    try:
        yield
    except _ERRORS as error:
        if "allow_pickle" in str(error):
            reason = "an array is a pickle, which could run any code; save names as texts: "
            raise FormatError(path, f"{reason}names.astype(str)") from error
        raise FormatError(path, f"not a readable {kind} file ({error})") from error


def _read_parquet(path: Path) -> Table:
    with path.open("rb") as stream:
        frame = pl.read_ipc(child.run(parsers.parquet, stream, str(path)))
    lists = frame.select((cs.list() | cs.array()) & ~cs.string()).columns
    lists = [c for c in lists if frame.schema[c].inner.is_numeric()]  # type: ignore[attr-defined]
    others = frame.drop(lists)
    texts = others.select(cs.string() | cs.categorical() | cs.enum()).columns
    gene = find(others.columns, GENE_HEADERS)
    if gene is None:
        named = texts if len(texts) == 1 else [c for c in texts if plain(c) in _INDEX]
        if len(named) != 1:
            what = f"which of {', '.join(texts)} holds the genes" if texts else "whose they are"
            raise FormatError(path, f"there are vectors, but it is not clear {what}; {ADVICE}")
        (gene,) = named
    if len(lists) > 1:
        raise FormatError(path, f"{' and '.join(lists)} are both lists of numbers: keep one")
    used = lists or [c for c in others.select(cs.numeric()).columns if c != gene and not _is_id(c)]
    if lists:
        vectors = _from_lists(path, frame[lists[0]])
    else:
        vectors = frame.select(pl.col(used).cast(pl.Float32).fill_null(np.nan)).to_numpy()
        vectors = vectors.reshape(frame.height, len(used))
    ignored = tuple(c for c in frame.columns if c not in (gene, *used))
    return Table(frame[gene].cast(pl.String).to_list(), np.asarray(vectors, np.float32), ignored)


def _from_lists(path: Path, column: pl.Series) -> Floats:
    """(rows, dimensions) of a column of lists, all of the same length."""
    column = column.cast(pl.List(pl.Float32))
    lengths = column.list.len().fill_null(0).to_list()
    for line, length in enumerate(lengths, 1):
        if length != lengths[0]:
            reason = f"{length} numbers, where the first row has {lengths[0]}"
            raise FormatError(path, f"{reason}: all rows must be of one length", line=line)
    flat = column.explode(keep_nulls=True, empty_as_null=False).fill_null(np.nan)
    return np.asarray(flat.to_numpy(), np.float32).reshape(len(lengths), max(lengths, default=0))


def _is_id(column: str) -> bool:
    """Whether a column of numbers is one of ids (Entrez), or of row numbers."""
    return plain(column) in (*GENE_HEADERS, *_ROW)


def _read_npz(path: Path) -> Table:
    with _readable(path, "NPZ"), np.load(path, allow_pickle=False) as archive:
        arrays = dict(archive)
    names = [k for k, v in arrays.items() if v.ndim == 1 and v.dtype.kind in "US"]
    genes = names[0] if len(names) == 1 else find(names, GENE_HEADERS)
    if genes is None:
        reason = "it needs one array of texts, the names of the genes"
        raise FormatError(path, f"{reason}; it holds {_shapes(arrays)}")
    identifiers = arrays[genes]
    if identifiers.dtype.kind == "S":
        identifiers = np.char.decode(identifiers, "utf-8", "replace")
    return _of_arrays(path, arrays, identifiers.tolist(), "names")


def _read_safetensors(path: Path) -> Table:
    with _readable(path, "safetensors"):
        tensors = load(path.read_bytes())  # not mapped: a mapped file that shrinks ends the process
    vocab = path.with_name("vocab.txt")
    try:
        identifiers = vocab.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = f"the names of the genes must stand beside it, a line each, in {vocab.name}"
        raise FormatError(path, f"{reason} ({error})") from error
    return _of_arrays(path, tensors, identifiers, f"lines in {vocab.name}")


def _of_arrays(
    path: Path, arrays: dict[str, NDArray[Any]], identifiers: list[str], what: str
) -> Table:
    """The array of vectors among all arrays of a file, with the identifiers."""
    tables = {k: v for k, v in arrays.items() if v.ndim == 2 and v.dtype.kind in "fiu"}
    name = next(iter(tables)) if len(tables) == 1 else find(list(tables), _VECTORS)
    if name is None:
        reason = "it needs one array of vectors, (genes, dimensions), or one named 'vectors'"
        raise FormatError(path, f"{reason}; it holds {_shapes(arrays)}")
    with np.errstate(over="ignore"):  # too large for float32: infinite, and excluded
        vectors = np.asarray(tables[name], np.float32)
    if len(identifiers) != len(vectors):
        raise FormatError(path, f"{len(vectors):,} vectors, and {len(identifiers):,} {what}")
    return Table(identifiers, vectors)


def _shapes(arrays: dict[str, NDArray[Any]]) -> str:
    shown = [f"{k} ({' x '.join(map(str, v.shape))} {v.dtype})" for k, v in arrays.items()]
    return join_names(shown) or "nothing"


# -- text ------------------------------------------------------------------------------------------


class _Columns(NamedTuple):
    """The roles of the columns of a text."""

    width: int
    gene: int
    numbers: list[int]
    ignored: tuple[str, ...]


def _read_text(path: Path) -> Table:
    """Read CSV, TSV, and the text files of word2vec; the first lines determine the layout."""
    with open_source(path) as source:
        rows = lines(source)
        head = list(itertools.islice(rows, 3))
        if not head:
            raise FormatError(path, "there are only blank lines in it")
        promised = _promised([line for _, line in head])
        if promised is not None:
            del head[0]
            if not head:
                raise FormatError(path, "there are no numbers in it, only the size of the table")
        separator = _separator(head[min(1, len(head) - 1)][1])
        first, *more = (_split(line, separator) for _, line in head[:2])
        header = _header(first, more[0]) if more and promised is None else None
        if header is not None:
            del head[0]
        columns = _columns(header, _split(head[0][1], separator))
        identifiers, numbers = _take(path, itertools.chain(head, rows), separator, columns)
    vectors = np.frombuffer(numbers, np.float32).reshape(len(identifiers), -1)
    if promised not in (None, len(identifiers)):
        reason = f"the first line promises {promised:,} rows, and there are {len(identifiers):,}"
        raise FormatError(path, f"{reason}: is the file complete?")
    return Table(identifiers, vectors, columns.ignored)


def _promised(head: list[str]) -> int | None:
    """The number of rows, if the first line holds rows and dimensions, as in word2vec's files."""
    found = re.fullmatch(r"\s*(\d+)\s+(\d+)\s*", head[0])
    if found is None or (len(head) > 1 and len(head[1].split()) != int(found[2]) + 1):
        return None
    return int(found[1])


def _separator(line: str) -> str | None:
    """The separator of the cells of a line that leaves most numbers; None for white space.

    gene2vec has a tab after the gene and blanks between the numbers.
    """
    marks = ("\t", ",", ";", None)
    return max(marks, key=lambda mark: sum(map(_is_number, _split(line, mark))))


def _split(line: str, separator: str | None) -> list[str]:
    if separator is not None and '"' in line:
        try:
            return next(csv.reader([line], delimiter=separator))
        except csv.Error:  # a cell of more than 128 KiB, for example
            return [line]
    return line.split(separator)


def _header(first: list[str], second: list[str]) -> list[str] | None:
    """The names of the columns, if the first row holds them."""
    if len(first) == len(second) - 1:  # R leaves the column of row names without one
        return ["", *first]
    named = find(first, GENE_HEADERS) is not None or plain(first[0]) in _INDEX
    below = zip(first, second, strict=False)
    if named or any(not _is_number(a) and _is_number(b, missing=False) for a, b in below):
        return first
    return None


def _is_number(cell: str, *, missing: bool = True) -> bool:
    """Whether a cell holds a number or, with `missing`, a mark for a missing number."""
    try:
        float(cell)
    except ValueError:
        return missing and cell.strip().lower() in _MISSING
    return True


def _columns(header: list[str] | None, row: list[str]) -> _Columns:
    """Find the roles of the columns by their names and the first row."""
    names = header or [""] * len(row)
    named = find(names, GENE_HEADERS)
    gene = 0 if named is None else names.index(named)
    numbers, ignored = [], []
    for i, (name, cell) in enumerate(itertools.zip_longest(names, row[: len(names)], fillvalue="")):
        # A blank without a name follows a separator at the end of a line.
        if i == gene or not (cell.strip() or name.strip()):
            continue
        is_row_number = i == 0 and header is not None and plain(name) in _INDEX
        if not _is_number(cell) or (name and _is_id(name)) or is_row_number:
            ignored.append(name or f"column {i + 1}")
        else:
            numbers.append(i)
    return _Columns(len(names), gene, numbers, tuple(ignored))


def _take(
    path: Path, rows: Iterable[tuple[int, str]], separator: str | None, columns: _Columns
) -> tuple[list[str], array.array[float]]:
    """The identifiers, and the numbers row after row."""
    identifiers: list[str] = []
    values = array.array("f")
    chosen = np.isin(np.arange(columns.width), columns.numbers).tolist()
    for line, text in rows:
        cells = _split(text, separator)
        if len(cells) != columns.width:
            reason = f"{count(len(cells), 'cell')}, where the lines before have {columns.width}"
            raise FormatError(path, f"{reason}: all rows must be of one length", line=line)
        identifiers.append(cells[columns.gene])
        try:
            row = list(map(float, itertools.compress(cells, chosen)))
        except ValueError:
            for i in columns.numbers:
                if not _is_number(cells[i]):
                    reason = f"{cells[i].strip()[:40]!r} in column {i + 1} is not a number"
                    raise FormatError(path, reason, line=line) from None
            picked = itertools.compress(cells, chosen)
            row = [float(c) if _is_number(c, missing=False) else np.nan for c in picked]
        values.extend(row)
    return identifiers, values
