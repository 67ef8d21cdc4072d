"""Tables in JSON, as data frames and web services write them: rows of cells, or no table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gsfm.genes.columns import GENE_HEADERS, Column, plain
from gsfm.io.limits import is_sparse
from gsfm.sets.formats.roles import SET_HEADERS


def rows_of(value: Any) -> list[list[str]] | None:
    """Return the names of the columns and the rows of a table; None for other JSON.

    A table is a list of objects, alone or as the only one of an object, or what `to_json` of pandas
    writes with any `orient` that has the names of the columns. If most cells would be empty, that
    is a ValueError.

    Examples
    --------
    >>> rows_of([{"term": "repair", "genes": ["BRCA1", "BRCA2"]}])
    [['term', 'genes'], ['repair', 'BRCA1;BRCA2']]
    >>> rows_of({"baseMean": {"TP53": 9.5, "BAX": 2.5}, "stat": {"TP53": 2.0}})
    [['name', 'baseMean', 'stat'], ['TP53', '9.5', '2.0'], ['BAX', '2.5', '']]
    >>> rows_of({"repair": {"BRCA1": 1.0, "BRCA2": 0.5}})
    """
    if isinstance(value, Mapping):
        data: Any = value.get("data")
        names = value.get("columns")
        if isinstance(names, list) and _all(data, list):
            index = value.get("index")
            labels = index if isinstance(index, list) else range(len(data))
            pairs = zip(labels, data, strict=False)
            return _rows({k: dict(zip(map(str, names), row, strict=False)) for k, row in pairs})
        tables = [v for v in value.values() if _all(v, Mapping)]
        if len(tables) != 1:
            return _of_frame(value)
        (value,) = tables
    return _rows(dict(enumerate(value))) if _all(value, Mapping) else None


def _all(value: Any, kind: type) -> bool:
    """Whether a value is a list of objects or lists."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, kind) for v in value)


def _of_frame(value: Mapping[str, Any]) -> list[list[str]] | None:
    """The rows of columns by name, or of rows by name, if it is not sets with weights."""
    inside = list(value.values())
    if not inside or not all(isinstance(v, Mapping) and v for v in inside):
        return None
    if any({"geneSymbols", "terms"} & v.keys() for v in inside):
        return None
    labels = list(dict.fromkeys(key for v in inside for key in v))
    # Numbers are weights, unless most names are those of statistics.
    weights = all(type(cell) in (int, float) for v in inside for cell in v.values())
    outer, inner = (_n_names(keys, statistics=weights) for keys in (value, labels))
    if (2 * outer < len(value) and 2 * inner < len(labels)) if weights else not (outer or inner):
        return None
    if outer / len(value) < inner / len(labels):
        return _rows(value)
    by_row: dict[Any, dict[str, Any]] = {label: {} for label in labels}
    for name, cells in value.items():
        for label, cell in cells.items():
            by_row[label][name] = cell
    return _rows(by_row)


def _n_names(keys: Iterable[str], *, statistics: bool) -> int:
    """How many keys are names of columns, or of statistics; one letter could be a gene."""
    known = set() if statistics else {*GENE_HEADERS, *SET_HEADERS}
    return sum(
        len(key) > 1 and (plain(key) in known or Column(0, key, ()).is_statistic_name)
        for key in keys
    )


def _rows(rows: Mapping[Any, Mapping[str, Any]]) -> list[list[str]]:
    """The rows as text, below the names of the columns, with their labels unless these count."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    if is_sparse(len(names) * len(rows), sum(map(len, rows.values()))):
        raise ValueError("most objects have other keys: write a table with the same columns")
    counted = [str(label) for label in rows] == [str(i) for i in range(len(rows))]
    table = [["name", *names], *([str(k), *map(_text, map(r.get, names))] for k, r in rows.items())]
    return [row[1:] for row in table] if counted else table


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(map(_text, value))
    if isinstance(value, Mapping):
        return json.dumps(value)
    return "" if value is None else str(value)
