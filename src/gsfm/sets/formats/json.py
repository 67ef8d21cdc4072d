"""JSON: the forms of MSigDB and of Enrichr, and the plainest that people write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import polars as pl

from gsfm.errors import FormatError
from gsfm.io.notes import Notes
from gsfm.io.streams import Source
from gsfm.io.text import blocks
from gsfm.sets.formats.cells import TOO_LARGE, check_sets, weight_texts
from gsfm.sets.formats.raw import Raw, from_lists
from gsfm.sets.genesets import GeneSets

_GENES, _WEIGHTS = "geneSymbols", "memberWeights"


class _Object(dict[str, Any]):
    """A JSON object that remembers keys that occur twice."""

    pairs: list[tuple[str, Any]]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = _Object(pairs)
    found.pairs = pairs
    return found


def read_json(source: Source) -> Raw:
    """Read gene sets from JSON.

    Understood are ``{name: {"geneSymbols": [gene, ...], ...}}`` (MSigDB; the other keys are
    metadata), ``{library: {"terms": {term: ...}}}`` (Enrichr; the library becomes the source), and
    ``{term: [gene, ...]}`` or ``{term: {gene: weight}}``.

    Raises
    ------
    FormatError
        If it is not JSON, or none of these.
    """
    notes = Notes()
    text = b"".join(block for _, block in blocks(source, notes))
    try:
        top = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise FormatError(source.name, f"not JSON ({error})", line=line) from error
    if not isinstance(top, _Object) or not top:
        raise FormatError(source.name, "the JSON is not an object of gene sets by name")
    rows: list[dict[str, Any]] = []
    members: list[list[str]] = []
    weights: list[list[float] | None] = []
    for library, name, value in _terms(top):
        genes, heavy, about = _members(value, name, source)
        if library is not None:
            about = {"source": library, **about}
        rows.append({"name": name, **about})
        members.append(genes)
        weights.append(heavy)
    every = None
    if any(heavy is not None for heavy in weights):
        notes.add("weighted-members", sum(len(heavy) for heavy in weights if heavy is not None))
        pairs = zip(weights, members, strict=True)
        every = [[1.0] * len(genes) if heavy is None else heavy for heavy, genes in pairs]
    return from_lists(_table(rows), members, every, notes)


def _terms(top: _Object) -> Iterator[tuple[str | None, str, Any]]:
    """(library, term, members) of every set."""
    for name, value in top.pairs:
        if isinstance(value, _Object) and isinstance(value.get("terms"), _Object):
            for term, genes in value["terms"].pairs:
                yield name, term, genes
        else:
            yield None, name, value


def _members(
    value: Any, name: str, source: Source
) -> tuple[list[str], list[float] | None, dict[str, Any]]:
    """(genes, weights, metadata) of one set."""
    about: dict[str, Any] = {}
    heavy: Any = None
    genes = value
    if isinstance(value, _Object):
        if _GENES in value:
            genes, heavy = value[_GENES], value.get(_WEIGHTS)
            about = {k: v for k, v in value.items() if k not in (_GENES, _WEIGHTS, "name")}
            if "msigdbURL" in about and "link" not in about:
                about["link"] = about.pop("msigdbURL")
        else:
            genes = [gene for gene, _ in value.pairs]
            heavy = [weight for _, weight in value.pairs]
    if not isinstance(genes, list) or not all(_is_gene(gene) for gene in genes):
        reason = f"the set {name!r} is neither a list of genes nor an object of genes and weights"
        raise FormatError(source.name, reason)
    if heavy is not None and (
        not isinstance(heavy, list)
        or len(heavy) != len(genes)
        or not all(type(w) in (int, float) and abs(w) < TOO_LARGE for w in heavy)
    ):
        raise FormatError(source.name, f"the set {name!r} has not one number for each gene")
    return [str(gene) for gene in genes], heavy or None, about


def _is_gene(value: Any) -> bool:
    return type(value) in (str, int)  # Entrez ids may be numbers


def _table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The metadata; a column of mixed types becomes text."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    series = []
    for column in columns:
        values = [row.get(column) for row in rows]
        try:
            series.append(pl.Series(column, values, strict=column != "name"))
        except (TypeError, pl.exceptions.PolarsError):
            texts = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
            series.append(pl.Series(column, texts, dtype=pl.String))
    return pl.DataFrame(series)


def write_json(sets: GeneSets, stream: BinaryIO, target: str) -> None:
    """Write MSigDB's form: every set an object with its genes and its metadata."""
    for reserved in (_GENES, _WEIGHTS):
        if reserved in sets.metadata.columns:
            raise FormatError(target, f"the column {reserved!r} has a meaning in JSON: rename it")
    check_sets(sets, target, None)
    entries = []
    rows = sets.metadata.iter_rows(named=True)
    for row, genes, heavy in zip(rows, _symbol_rows(sets), _weight_rows(sets), strict=True):
        name = row.pop("name")
        value: dict[str, Any] = {_GENES: genes}
        if heavy is not None:
            value[_WEIGHTS] = heavy
        value |= {key: cell for key, cell in row.items() if cell is not None}
        entries.append(f"{_dump(name, target)}: {_dump(value, target)}")
    stream.write(("{\n" + ",\n".join(entries) + "\n}\n").encode())


def write_enrichr_json(sets: GeneSets, stream: BinaryIO, target: str) -> None:
    """Write Enrichr's form: ``{library: {"terms": {term: ...}}}``, the source being the library.

    Sets come library by library; without the column ``source`` it is ``{term: ...}`` alone.
    """
    check_sets(sets, target, None)
    libraries: dict[str | None, list[str]] = {}
    names = sets.names
    sources: list[str | None] = [None] * len(sets)
    if "source" in sets.metadata.columns:
        sources = sets.metadata["source"].cast(pl.String).fill_null("").to_list()
    for library, name, genes, heavy in zip(
        sources, names, _symbol_rows(sets), _weight_rows(sets), strict=True
    ):
        value = genes if heavy is None else dict(zip(genes, heavy, strict=True))
        entry = f"{_dump(name, target)}: {_dump(value, target)}"
        libraries.setdefault(library, []).append(entry)
    parts = []
    for known, entries in libraries.items():
        terms = "{\n" + ",\n".join(entries) + "\n}"
        parts.append(terms if known is None else f'{_dump(known, target)}: {{"terms": {terms}}}')
    text = parts[0] if None in libraries else "{\n" + ",\n".join(parts) + "\n}"
    stream.write((text + "\n").encode())


def _symbol_rows(sets: GeneSets) -> Iterator[list[str]]:
    return (list(sets.genes(i)) for i in range(len(sets)))


def _weight_rows(sets: GeneSets) -> Iterator[list[float] | None]:
    weights = sets.member_weights
    for start, stop in zip(sets.indptr[:-1], sets.indptr[1:], strict=True):
        yield None if weights is None else [float(t) for t in weight_texts(weights[start:stop])]


def _dump(value: Any, target: str) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
        text.encode()
    except ValueError as error:
        raise FormatError(target, f"JSON cannot hold {str(value)[:60]!r} ({error})") from error
    return text
