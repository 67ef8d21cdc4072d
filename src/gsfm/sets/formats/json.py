"""JSON: the forms of MSigDB and Enrichr, and two simple forms."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from gsfm.errors import FormatError
from gsfm.io import strict_json
from gsfm.io.grid import Grid
from gsfm.io.limits import exceeded, is_sparse, limits
from gsfm.io.streams import Source
from gsfm.io.text import blocks
from gsfm.sets.formats.cells import TOO_LARGE, check_sets
from gsfm.sets.formats.json_table import rows_of
from gsfm.sets.formats.raw import Format, Raw, from_lists
from gsfm.sets.formats.roles import NO_CHOICE, Choice
from gsfm.sets.formats.table import of_grid
from gsfm.sets.genesets import GeneSets

_GENES, _WEIGHTS = "geneSymbols", "memberWeights"


class _Object(dict[str, Any]):
    """A JSON object that keeps keys that occur twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def read(source: Source, choice: Choice = NO_CHOICE) -> Raw:
    """Read gene sets from JSON.

    The forms are ``{name: {"geneSymbols": [gene, ...], ...}}`` (MSigDB; the other keys are
    metadata), ``{library: {"terms": {term: ...}}}`` (Enrichr; the library becomes the source),
    ``{term: [gene, ...]}``, ``{term: {gene: weight}}``, and tables (see `json_table`). Anything
    else is a FormatError.
    """
    text = b"".join(block for _, block in blocks(source, longest=limits().size))
    try:
        top = _parsed(text)
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise FormatError(source.name, f"not JSON ({error})", line=line) from error
    try:
        cells = rows_of(top)
    except ValueError as error:
        raise FormatError(source.name, str(error)) from error
    if cells is not None:
        return of_grid(source, Grid(source.name, cells, list(range(1, len(cells) + 1))), choice)
    choice.check_none(source, "JSON without a table")
    if not isinstance(top, _Object) or not top:
        raise FormatError(source.name, "the JSON is not an object of gene sets by name")
    rows: list[dict[str, Any]] = []
    members: list[list[str]] = []
    weights: list[list[float]] = []
    for origin, name, value in _terms(top):
        genes, own_weights, about = _members(value, name, source)
        rows.append({"name": name, **origin, **about})
        members.append(genes)
        weights.append(own_weights)
    columns, most = dict.fromkeys(key for row in rows for key in row), limits().columns
    if len(columns) > most:
        reason = exceeded("columns", f"the sets have more than {most:,} different keys")
        raise FormatError(source.name, reason)
    if is_sparse(len(columns) * len(rows), sum(map(len, rows))):
        raise FormatError(source.name, "the metadata of most sets have other keys: leave them out")
    return from_lists(_table(rows, columns), members, weights)


def _parsed(text: bytes) -> Any:
    """The value; of several objects, one in each line, a list of them."""
    try:
        return strict_json.loads(text, make=_Object, constants=True)
    except json.JSONDecodeError as error:
        lines = text.splitlines()
        if error.msg != "Extra data" or not all(line.startswith(b"{") for line in lines):
            raise
        return [strict_json.loads(line, make=_Object, constants=True) for line in lines]


def _terms(top: _Object) -> Iterator[tuple[dict[str, str], str, Any]]:
    """(its source, name, members) of every set."""
    for name, value in top.pairs:
        if isinstance(value, _Object) and isinstance(value.get("terms"), _Object):
            for term, genes in value["terms"].pairs:
                yield {"source": name}, term, genes
        else:
            yield {}, name, value


def _members(
    value: Any, name: str, source: Source
) -> tuple[list[str], list[float], dict[str, Any]]:
    """(genes, weights, metadata) of one set."""
    about: dict[str, Any] = {}
    genes, weights = value, None
    if isinstance(value, _Object) and _GENES in value:
        genes, weights = value[_GENES], value.get(_WEIGHTS)
        about = {k: v for k, v in value.items() if k not in (_GENES, _WEIGHTS, "name")}
        if "msigdbURL" in about and "link" not in about:
            about["link"] = about.pop("msigdbURL")
        most = limits().nesting
        if _depth(about) > most:
            reason = exceeded(
                "nesting", f"the metadata of {name!r} is nested more than {most} deep"
            )
            raise FormatError(source.name, reason)
    elif isinstance(value, _Object):
        genes, weights = [gene for gene, _ in value.pairs], [weight for _, weight in value.pairs]
    # Entrez ids may be numbers.
    if not isinstance(genes, list) or not all(type(gene) in (str, int) for gene in genes):
        reason = f"the set {name!r} is neither a list of genes nor an object of genes and weights"
        raise FormatError(source.name, reason)
    if weights is None:
        weights = [math.nan] * len(genes)
    elif (
        not isinstance(weights, list)
        or len(weights) != len(genes)
        or not all(type(w) in (int, float) and abs(w) < TOO_LARGE for w in weights)
    ):
        raise FormatError(source.name, f"the set {name!r} does not have one number for each gene")
    return [str(gene) for gene in genes], weights, about


def _depth(value: Any) -> int:
    """The number of lists and objects inside one another."""
    depth, inside = 0, [value]
    while inside:
        # One level after another: a recursion could be too deep.
        parts = (one.values() if isinstance(one, dict) else one for one in inside)
        inside = [item for part in parts for item in part if isinstance(item, list | dict)]
        depth += 1
    return depth


def _table(rows: list[dict[str, Any]], columns: Iterable[str]) -> pl.DataFrame:
    """The metadata; a column of mixed types becomes text."""
    series = []
    for column in columns:
        values = [row.get(column) for row in rows]
        try:
            series.append(pl.Series(column, values, strict=column != "name"))
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            texts = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
            series.append(pl.Series(column, texts, dtype=pl.String))
    return pl.DataFrame(series)


def write(sets: GeneSets, target: str) -> Iterator[bytes]:
    """Write MSigDB's form: each set is an object with its genes and metadata."""
    for reserved in (_GENES, _WEIGHTS):
        if reserved in sets.metadata.columns:
            raise FormatError(target, f"the column {reserved!r} has a meaning in JSON: rename it")
    entries = []
    for row, genes, weights in _rows(sets, target):
        value = {_GENES: genes, _WEIGHTS: weights, **row}
        name = value.pop("name")
        entries.append(_entry(name, {k: v for k, v in value.items() if v is not None}, target))
    yield (_object(entries) + "\n").encode()


def write_enrichr(sets: GeneSets, target: str) -> Iterator[bytes]:
    """Write Enrichr's form: ``{library: {"terms": {term: ...}}}``; the library is the source.

    The sets are grouped by library. Without the column ``source`` the form is ``{term: ...}``.
    """
    libraries: dict[str, list[str]] = {}
    for row, genes, weights in _rows(sets, target):
        value = genes if weights is None else dict(zip(genes, weights, strict=True))
        library = "" if row.get("source") is None else str(row["source"])
        libraries.setdefault(library, []).append(_entry(row["name"], value, target))
    if "source" in sets.metadata.columns:
        entries = [
            f'{_dump(library, target)}: {{"terms": {_object(terms)}}}'
            for library, terms in libraries.items()
        ]
    else:
        (entries,) = libraries.values()
    text = _object(entries) + "\n"
    if sets.member_weights is not None and rows_of(json.loads(text)) is not None:
        reason = "would be read as a table: rename the sets, or write json"
        raise FormatError(target, f"weights of sets with the names of statistics {reason}")
    yield text.encode()


def _rows(
    sets: GeneSets, target: str
) -> Iterator[tuple[dict[str, Any], list[str], list[float] | None]]:
    """The metadata, symbols and weights of each set."""
    check_sets(sets, target, None)
    weights = sets.member_weights
    for i, row in enumerate(sets.metadata.iter_rows(named=True)):
        own = None
        if weights is not None:
            # By way of their shortest texts.
            texts = weights[sets.indptr[i] : sets.indptr[i + 1]].astype(str)
            own = texts.astype(float).tolist()
        yield row, list(sets.genes(i)), own


def _object(entries: Iterable[str]) -> str:
    return "{\n" + ",\n".join(entries) + "\n}"


def _entry(name: str, value: Any, target: str) -> str:
    return f"{_dump(name, target)}: {_dump(value, target)}"


def _dump(value: Any, target: str) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
        text.encode()
    except ValueError as error:
        raise FormatError(target, f"JSON cannot hold {str(value)[:60]!r} ({error})") from error
    return text


FORMATS = (
    Format("json", (".json",), read, write, is_table=True),
    Format("enrichr-json", (), read, write_enrichr, ("name", "source"), is_table=True),
)
