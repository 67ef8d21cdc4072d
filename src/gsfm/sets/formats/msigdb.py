"""MSigDB's XML and SQLite files, which are read only."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, BinaryIO, cast

import polars as pl

from gsfm.errors import FormatError
from gsfm.io.streams import Source
from gsfm.io.text import head
from gsfm.sets.formats.raw import Format, Raw, from_lists

_SQLITE = b"SQLite format 3\0"
#: Columns of the metadata, and the attributes of a set in XML.
_ATTRIBUTES = {
    "name": "STANDARD_NAME",
    "description": "DESCRIPTION_BRIEF",
    "id": "SYSTEMATIC_NAME",
    "source": "CATEGORY_CODE",
    "species": "ORGANISM",
    "pmid": "PMID",
    "link": "EXTERNAL_DETAILS_URL",
}
#: The attributes with the members, in order of preference.
_MEMBERS = ("MEMBERS_SYMBOLIZED", "MEMBERS_EZID", "MEMBERS")
_TABLES = ("gene_set", "gene_symbol", "gene_set_gene_symbol")
#: Further columns of the table of details.
_DETAILS = {
    "description": "description_brief",
    "id": "systematic_name",
    "species": "source_species_code",
    "link": "external_details_URL",
}


def read_xml(source: Source) -> Raw:
    """Read MSigDB's XML. Another document is a FormatError."""
    start = head(source)
    if b"<!ENTITY" in start or b"<!DOCTYPE" in start:
        raise FormatError(source.name, "the XML defines entities, which MSigDB's does not")
    rows: list[dict[str, str | None]] = []
    members: list[list[str]] = []
    try:
        for _, element in ET.iterparse(cast(BinaryIO, source.stream), ("end",)):
            if element.tag == "GENESET":
                rows.append({key: element.get(name) for key, name in _ATTRIBUTES.items()})
                genes = next(filter(None, map(element.get, _MEMBERS)), "")
                members.append([gene for gene in genes.split(",") if gene])
            element.clear()
    except ET.ParseError as error:
        raise FormatError(source.name, f"not XML ({error})", line=error.position[0]) from error
    except (LookupError, ValueError) as error:  # of its encoding, in the first line
        raise FormatError(source.name, f"not XML ({error})", line=1) from error
    if not rows:
        raise FormatError(source.name, "this XML is not of MSigDB: it has no element GENESET")
    return from_lists(pl.DataFrame(rows, dict.fromkeys(_ATTRIBUTES, pl.String)), members)


def read_sqlite(source: Source) -> Raw:
    """Read MSigDB's SQLite database. Another database is a FormatError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "msigdb.db"
        with path.open("wb") as copy:
            shutil.copyfileobj(source.stream, copy)
        try:
            uri = f"{path.as_uri()}?mode=ro&immutable=1"
            with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
                # A table with equal keys could be joined with itself without an end.
                most = 1_000_000 + 100 * path.stat().st_size
                database.set_progress_handler(lambda: 1, min(most, 2**31 - 1))
                return _of_database(source, database)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise FormatError(source.name, f"not a readable SQLite database ({error})") from error


def _of_database(source: Source, database: sqlite3.Connection) -> Raw:
    # A view, or a virtual table, of a stranger could run anything.
    database.execute("PRAGMA trusted_schema = OFF")
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
    tables = {name for (name,) in database.execute(query)}
    if not tables.issuperset(_TABLES):
        listed = ", ".join(sorted(tables)[:10]) or "none"
        reason = f"this SQLite database is not MSigDB's: its tables are {listed}"
        raise FormatError(source.name, f"{reason}; export gene sets as a table")

    def columns(table: str) -> set[str]:
        return {row[1] for row in database.execute(f"PRAGMA table_info({table})")}

    wanted = ["s.id", "s.standard_name AS name", "s.collection_name AS source"]
    join = ""
    if "gene_set_details" in tables:
        own = columns("gene_set_details")
        wanted += [f"d.{name} AS {key}" for key, name in _DETAILS.items() if name in own]
        join = "LEFT JOIN gene_set_details d ON d.gene_set_id = s.id"
    found = database.execute(f"SELECT {', '.join(wanted)} FROM gene_set s {join} ORDER BY s.id")
    names = ["set", *(description[0] for description in found.description[1:])]
    rows: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in found]
    members: dict[Any, list[str]] = {row.pop("set"): [] for row in rows}
    pairs = database.execute(
        "SELECT m.gene_set_id, g.symbol FROM gene_set_gene_symbol m "
        "JOIN gene_symbol g ON g.id = m.gene_symbol_id ORDER BY m.rowid"
    )
    for key, symbol in pairs:
        if key in members and symbol is not None:
            members[key].append(str(symbol))
    table = {
        key: [None if row[key] is None else str(row[key]) for row in rows] for key in names[1:]
    }
    return from_lists(pl.DataFrame(table, dict.fromkeys(table, pl.String)), list(members.values()))


_COLUMNS = ("name", "description", "id", "source", "species", "pmid", "link")
FORMATS = (
    Format("msigdb-xml", (".xml",), read_xml, None, _COLUMNS, member_weights=False),
    Format(
        *("msigdb-db", (".db",), read_sqlite, None, _COLUMNS),
        member_weights=False,
        signature=_SQLITE,
    ),
)
