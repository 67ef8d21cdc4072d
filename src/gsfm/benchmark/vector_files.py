"""Files of gene vectors: an identifier and a row of numbers for each gene."""

from __future__ import annotations

import array
import csv
import itertools
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from gsfm.errors import FormatError
from gsfm.genes.lists import GENE_HEADERS, plain
from gsfm.io.notes import Notes
from gsfm.io.streams import open_source
from gsfm.io.text import lines
from gsfm.sets.formats.table import find

Floats = NDArray[np.float32]

ADVICE = "save it as Parquet or CSV, a row a gene, with the identifiers in the column 'gene'"

#: Names, as `plain` leaves them, of a first column that may hold genes, or numbers of rows.
_INDEX = ("", "unnamed:0", "index", "indexlevel0", "id", "name", "word", "token", "vocab")
#: Names of the arrays of vectors, of which one must be taken if there are several.
_VECTORS = ("vectors", "vector", "embeddings", "embedding", "emb", "x")
#: Written for "no number".
_MISSING = ("", "na", "n/a", "#n/a", "null", "none", "-")


class Table(NamedTuple):
    """Gene vectors as they stand in a file."""

    identifiers: Sequence[Any]
    vectors: Floats  # (rows, dimensions)
    ignored: tuple[str, ...] = ()  # columns that are neither


def read_vectors(path: Path) -> Table:
    """Read a file of any of the formats."""
    try:
        with path.open("rb") as stream:
            magic = stream.read(8)
    except OSError as error:
        raise FormatError(path, error.strerror or "cannot be read") from error
    if path.suffix.lower() == ".safetensors":
        return _read_safetensors(path)
    if magic[:4] == b"PAR1":
        return _read_parquet(path)
    if magic[:4] == b"PK\x03\x04":
        members = _members(path)
        if any(name.endswith(".pkl") for name in members):
            raise FormatError(path, f"it holds a pickle, which could run any code; {ADVICE}")
        if members and all(name.endswith(".npy") for name in members):
            return _read_npz(path)
    if magic[:4] == b"\x89HDF":
        raise FormatError(path, f"HDF5 files are not read; {ADVICE}")
    if magic[:6] == b"\x93NUMPY":
        raise FormatError(path, f"an array alone does not say whose vectors it holds; {ADVICE}")
    if magic[:1] == b"\x80" and magic[1:2] <= b"\x05":
        raise FormatError(path, f"it is a pickle, which could run any code; {ADVICE}")
    return _read_text(path)


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise FormatError(path, f"not a readable zip file ({error})") from error


def _read_parquet(path: Path) -> Table:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise FormatError(path, f"not a readable Parquet file ({error})") from error
    kinds = frame.schema
    lists = [c for c, kind in kinds.items() if kind.is_nested() and _is_numeric(kind)]
    others = [c for c in kinds if c not in lists]
    texts = [c for c in others if kinds[c] in (pl.String, pl.Categorical, pl.Enum)]
    gene = _gene_column(path, others, texts)
    if lists:
        if len(lists) > 1:
            raise FormatError(path, f"{' and '.join(lists)} are both lists of numbers: keep one")
        vectors = _from_lists(path, frame[lists[0]])
        used = {gene, lists[0]}
    else:
        numbers = [c for c in others if c != gene and kinds[c].is_numeric() and not _is_id(c)]
        table = frame.select(pl.col(numbers).cast(pl.Float32).fill_null(float("nan")))
        vectors = table.to_numpy() if numbers else np.empty((frame.height, 0), np.float32)
        used = {gene, *numbers}
    ignored = tuple(c for c in frame.columns if c not in used)
    return Table(frame[gene].cast(pl.String).to_list(), np.asarray(vectors, np.float32), ignored)


def _is_numeric(kind: pl.DataType) -> bool:
    inner = getattr(kind, "inner", None)
    return isinstance(kind, pl.List | pl.Array) and inner is not None and inner.is_numeric()


def _from_lists(path: Path, column: pl.Series) -> Floats:
    """(rows, dimensions) of a column of lists, all of the same length."""
    kind = pl.List(pl.Float32)
    column = column.cast(kind)
    lengths = column.list.len().fill_null(0).to_numpy()
    wrong = np.flatnonzero(lengths != lengths[:1])
    if len(wrong):
        at = int(wrong[0])
        raise FormatError(
            path,
            f"{lengths[at]} numbers, where the first row has {lengths[0]}: all rows must have as "
            "many",
            line=at + 1,
        )
    flat = column.explode(keep_nulls=True, empty_as_null=False).fill_null(float("nan"))
    width = int(lengths[0]) if len(lengths) else 0
    return np.asarray(flat.to_numpy(), np.float32).reshape(len(lengths), width)


def _gene_column(path: Path, columns: list[str], texts: list[str]) -> str:
    """The column of identifiers: by its name, or the only one of texts."""
    gene = find(columns, GENE_HEADERS)
    if gene is None and len(texts) != 1:
        named = [c for c in texts if plain(c) in _INDEX]
        if len(named) != 1:
            what = f"which of {', '.join(texts)} holds the genes" if texts else "whose they are"
            raise FormatError(path, f"there are vectors, but it is not clear {what}; {ADVICE}")
        return named[0]
    return texts[0] if gene is None else gene


def _is_id(column: str) -> bool:
    """Whether a column of numbers is one of ids (Entrez), or of row numbers."""
    return plain(column) in (*GENE_HEADERS, "unnamed:0", "index", "indexlevel0")


def _read_npz(path: Path) -> Table:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        if "allow_pickle" in str(error):
            raise FormatError(
                path,
                "an array is a pickle, which could run any code; save names as texts: "
                "names.astype(str)",
            ) from error
        raise FormatError(path, f"not a readable NPZ file ({error})") from error
    names = [k for k, v in arrays.items() if v.ndim == 1 and v.dtype.kind in "US"]
    genes = names[0] if len(names) == 1 else find(names, GENE_HEADERS)
    if genes is None:
        raise FormatError(
            path,
            f"it needs one array of texts, the names of the genes; it holds "
            f"{_shapes(arrays.items())}",
        )
    vectors = _one_table(path, arrays)
    identifiers = arrays[genes]
    if identifiers.dtype.kind == "S":
        identifiers = np.char.decode(identifiers, "utf-8", "replace")
    if len(identifiers) != len(vectors):
        raise FormatError(path, f"{len(identifiers):,} names and {len(vectors):,} vectors")
    return Table(identifiers.tolist(), vectors)


def _read_safetensors(path: Path) -> Table:
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise FormatError(path, f"not a readable safetensors file ({error})") from error
    vectors = _one_table(path, tensors)
    vocab = path.with_name("vocab.txt")
    try:
        text = vocab.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = f"the names of the genes must stand beside it, a line each, in {vocab.name}"
        raise FormatError(path, f"{reason} ({error})") from error
    identifiers = text.removesuffix("\n").split("\n")
    if len(identifiers) != len(vectors):
        raise FormatError(
            path, f"{len(vectors):,} vectors, and {len(identifiers):,} lines in {vocab.name}"
        )
    return Table(identifiers, vectors)


def _one_table(path: Path, arrays: dict[str, NDArray[Any]]) -> Floats:
    """The array of vectors among all arrays of a file."""
    tables = {k: v for k, v in arrays.items() if v.ndim == 2 and v.dtype.kind in "fiu"}
    name = next(iter(tables)) if len(tables) == 1 else find(list(tables), _VECTORS)
    if name is None:
        raise FormatError(
            path,
            "it needs one array of vectors, (genes, dimensions) numbers, or one with the name "
            f"'vectors'; it holds {_shapes(arrays.items())}",
        )
    with np.errstate(over="ignore"):  # too large for float32 is infinite, and left out
        return np.asarray(tables[name], np.float32)


def _shapes(arrays: Iterable[tuple[str, NDArray[Any]]]) -> str:
    shown = [f"{k} ({' x '.join(map(str, v.shape))} {v.dtype})" for k, v in arrays]
    return ", ".join(shown[:5]) + (", ..." if len(shown) > 5 else "") or "nothing"


# -- text ------------------------------------------------------------------------------------------


def _read_text(path: Path) -> Table:
    """CSV, TSV, and the text files of word2vec: which of them, the first lines tell."""
    with open_source(path) as source:
        rows = lines(source, Notes())
        head = list(itertools.islice(rows, 3))
        if not head:
            raise FormatError(path, "there are only blank lines in it")
        promised = _promised([line for _, line in head])
        if promised is not None:
            del head[0]
        separator = _separator(head[min(1, len(head) - 1)][1])
        first = _split(head[0][1], separator)
        second = _split(head[1][1], separator) if len(head) > 1 else None
        header = None if promised is not None else _header(first, second)
        if header is not None:
            del head[0]
        if not head:
            raise FormatError(path, "there is a header, and no row below it")
        columns = _Columns.of(path, header, _split(head[0][1], separator))
        identifiers, numbers = columns.take(path, itertools.chain(head, rows), separator)
    vectors = np.frombuffer(numbers, np.float32).reshape(len(identifiers), -1)
    if promised is not None and promised != len(identifiers):
        raise FormatError(
            path,
            f"the first line promises {promised:,} rows, and there are {len(identifiers):,}: is "
            "the file whole?",
        )
    return Table(identifiers, vectors, columns.ignored)


def _promised(head: list[str]) -> int | None:
    """The number of rows, if the first line tells rows and dimensions, as word2vec's does."""
    found = re.fullmatch(r"\s*(\d+)\s+(\d+)\s*", head[0])
    if found is None or len(head) == 1 or len(head[1].split()) != int(found[2]) + 1:
        return None
    return int(found[1])


def _separator(line: str) -> str | None:
    """What separates the cells of a line; None for white space.

    That which leaves most numbers: gene2vec has a tab after the gene and blanks between the others.
    """
    marks = ("\t", ",", ";", None)
    return max(marks, key=lambda mark: sum(map(_is_number, _split(line, mark))))


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    if '"' in line:
        try:
            return next(csv.reader([line], delimiter=separator))
        except csv.Error:  # a cell of more than 128 KiB, say
            return [line]
    return line.split(separator)


def _header(first: list[str], second: list[str] | None) -> list[str] | None:
    """The names of the columns, if the first row holds them."""
    if second is None:
        return None
    if len(first) == len(second) - 1:  # R leaves the column of row names without one
        return ["", *first]
    named = find(first, GENE_HEADERS) is not None or plain(first[0]) in _INDEX
    below = zip(first, second, strict=False)
    if named or any(not _is_number(a) and _is_number(b, missing=False) for a, b in below):
        return first
    return None


def _is_number(cell: str, *, missing: bool = True) -> bool:
    """Whether a cell holds a number, or what is written for none."""
    try:
        float(cell)
    except ValueError:
        return missing and cell.strip().lower() in _MISSING
    return True


class _Columns(NamedTuple):
    """Which columns of a text are what."""

    width: int
    gene: int
    numbers: list[int]
    ignored: tuple[str, ...]

    @classmethod
    def of(cls, path: Path, header: list[str] | None, row: list[str]) -> _Columns:
        """Tell the columns apart by their names and the first row."""
        width = len(row) if header is None else len(header)
        named = None if header is None else find(header, GENE_HEADERS)
        gene = 0 if header is None or named is None else header.index(named)
        numbers, ignored = [], []
        for i in range(width):
            name = f"column {i + 1}" if header is None else header[i] or f"column {i + 1}"
            cell = row[i] if i < len(row) else ""
            # A blank without a name is what a separator at the end of a line leaves.
            vacant = not cell.strip() and (header is None or not header[i].strip())
            is_row_number = i == 0 and header is not None and plain(header[0]) in _INDEX
            if i == gene or vacant:
                continue
            if not _is_number(cell) or _is_id(name) or is_row_number:
                ignored.append(name)
            else:
                numbers.append(i)
        return cls(width, gene, numbers, tuple(ignored))

    def take(
        self, path: Path, rows: Iterable[tuple[int, str]], separator: str | None
    ) -> tuple[list[str], array.array[float]]:
        """The identifiers, and the numbers row after row."""
        identifiers: list[str] = []
        values = array.array("f")
        pick = _picker(self.numbers)
        for line, text in rows:
            cells = _split(text, separator)
            if len(cells) != self.width:
                raise FormatError(
                    path,
                    f"{count(len(cells), 'cell')}, where the lines before have {self.width}: all "
                    "rows must have as many",
                    line=line,
                )
            identifiers.append(cells[self.gene])
            try:
                row = array.array("f", map(float, pick(cells)))
            except ValueError:
                row = array.array("f", self._with_gaps(path, line, pick(cells)))
            values.extend(row)
        return identifiers, values

    def _with_gaps(self, path: Path, line: int, cells: Sequence[str]) -> Iterator[float]:
        """The numbers of a row in which some are missing."""
        for i, cell in zip(self.numbers, cells, strict=True):
            if not _is_number(cell):
                reason = f"{cell.strip()[:40]!r} in column {i + 1} is not a number"
                raise FormatError(path, reason, line=line)
            yield float("nan") if _is_missing(cell) else float(cell)


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in _MISSING


def _picker(columns: list[int]) -> Callable[[list[str]], Sequence[str]]:
    """What takes these columns out of a row; a slice where they are neighbors."""
    if columns and columns[-1] - columns[0] == len(columns) - 1:
        neighbors = slice(columns[0], columns[-1] + 1)
        return lambda cells: cells[neighbors]
    return lambda cells: [cells[i] for i in columns]


def count(n: int, noun: str) -> str:
    """A number of things, in words.

    Examples
    --------
    >>> count(1, "row"), count(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{n:,} {noun}{'s' * (n != 1)}"
