"""The files of the Gene Ontology: terms (OBO) and annotations of genes with them (GAF).

A gene of a term is also a gene of all terms that it is a kind (``is_a``) or a part (``part_of``)
of, within the same part of the ontology. Relations of regulation are not followed, so that the
genes of a process are not mixed with its regulators. Annotations with NOT and without biological
data (ND) are excluded.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from gsfm import genes
from gsfm.errors import FormatError, GsfmError
from gsfm.genes import Species
from gsfm.io.streams import open_source
from gsfm.sets import GeneSets, ReadReport

Part = Literal["bp", "mf", "cc"]

LICENSE = "CC BY 4.0 (Gene Ontology Consortium)"
SOURCE = "https://geneontology.org"
LINK = "https://amigo.geneontology.org/amigo/term/{id}"

#: The parts of the ontology as OBO files name them.
PARTS: dict[Part, str] = {
    "bp": "biological_process",
    "mf": "molecular_function",
    "cc": "cellular_component",
}
#: Evidence that no curator has reviewed, and no biological data.
ELECTRONIC, NO_DATA = "IEA", "ND"
#: Columns of a GAF file (version 2): accession, symbol, qualifier, term, evidence.
_COLUMNS = {"identifier": 1, "symbol": 2, "qualifier": 3, "term": 4, "evidence": 6, "species": 12}
#: The field of the species of each line.
_TAXA = {"human": "taxon:9606", "mouse": "taxon:10090", "rat": "taxon:10116"}


@dataclass
class Ontology:
    """The terms of an OBO file that are not obsolete."""

    names: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    #: The part of the ontology of each term, such as ``biological_process``.
    parts: dict[str, str] = field(default_factory=dict)
    parents: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: The terms that replace merged and obsolete ones.
    replaced: dict[str, str] = field(default_factory=dict)
    release: str | None = None


@dataclass
class Annotations:
    """The genes that are annotated with each term directly, by their identifiers."""

    members: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: The same without electronic annotations.
    reviewed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: A symbol for each identifier.
    symbols: dict[str, str] = field(default_factory=dict)
    release: str | None = None


def read_obo(lines: Iterable[str]) -> Ontology:
    """Read the terms of an OBO file.

    Examples
    --------
    >>> text = '''data-version: releases/2026-01-01
    ... [Term]
    ... id: GO:2
    ... name: repair
    ... namespace: biological_process
    ... alt_id: GO:3
    ... def: "Mends." [x]
    ... is_a: GO:1 ! above'''
    >>> found = read_obo(text.splitlines())
    >>> found.release, found.names, found.replaced, dict(found.parents)
    ('2026-01-01', {'GO:2': 'repair'}, {'GO:3': 'GO:2'}, {'GO:2': {'GO:1'}})
    """
    found = Ontology()
    for stanza in _stanzas(lines):
        if "id" not in stanza:  # the header
            version = re.search(r"\d{4}-\d\d-\d\d", " ".join(stanza.get("data-version", ())))
            found.release = version[0] if version else None
            continue
        (term,) = stanza["id"]
        if "true" in stanza.get("is_obsolete", ()):
            found.replaced.update((term, new) for new in stanza.get("replaced_by", ()))
            continue
        found.names[term] = stanza.get("name", [term])[0]
        found.parts[term] = stanza.get("namespace", [""])[0]
        found.replaced.update((old, term) for old in stanza.get("alt_id", ()))
        for text in stanza.get("def", ()):
            # The text ends at the quote before its sources; other quotes are escaped.
            text = text.rpartition('" [')[0].removeprefix('"')
            found.definitions[term] = text.replace('\\"', '"').replace("\\n", " ")
        above = [value.split()[0] for value in stanza.get("is_a", ())]
        parts = (value.split() for value in stanza.get("relationship", ()))
        above += [words[1] for words in parts if words[0] == "part_of"]
        if above:
            found.parents[term].update(above)
    return found


def _stanzas(lines: Iterable[str]) -> Iterator[dict[str, list[str]]]:
    """The header of an OBO file, then each of its terms: values by tag."""
    stanza: dict[str, list[str]] = {}
    is_term = True
    for line in lines:
        line = line.strip()
        if line.startswith("["):
            if is_term:
                yield stanza
            stanza, is_term = {}, line == "[Term]"
        tag, colon, value = line.partition(": ")
        if colon:
            stanza.setdefault(tag, []).append(value.strip())
    if is_term:
        yield stanza


def is_gaf(path: Path) -> bool:
    """Whether a file begins as a GAF file."""
    try:
        with open_source(path) as source:
            return source.stream.peek(64).lstrip().startswith(b"!gaf-version")
    except FormatError:
        return False


def read_gaf(lines: Iterable[str], path: str = "GAF", species: Species = "human") -> Annotations:
    """Read the annotations of a GAF file.

    Raises
    ------
    FormatError
        If a line does not have the columns of a GAF file.

    Examples
    --------
    >>> line = "UniProtKB\\tP04637\\tTP53\\t{}\\tGO:1\\tx\\t{}\\t\\tP\\t\\t\\t\\ttaxon:9606\\t2023"
    >>> lines = line.format("", "IEA"), line.format("NOT|enables", "IDA")
    >>> found = read_gaf(lines)
    >>> dict(found.members), dict(found.reviewed), found.symbols
    ({'GO:1': {'P04637'}}, {}, {'P04637': 'TP53'})
    """
    found = Annotations()
    dates: set[str] = set()
    for number, line in enumerate(lines, 1):
        if line.startswith("!"):
            dates.update(re.findall(r"date-generated: *(\d{4}-\d\d-\d\d)", line))
            continue
        cells = line.rstrip("\r\n").split("\t")
        if len(cells) <= _COLUMNS["species"]:
            if not line.strip():
                continue
            raise FormatError(path, "a line of a GAF file has 15 or more columns", line=number)
        row = {name: cells[i] for name, i in _COLUMNS.items()}
        if (
            row["evidence"] == NO_DATA
            or "NOT" in row["qualifier"].split("|")
            or row["species"].split("|")[0] != _TAXA[species]
        ):
            continue
        identifier = row["identifier"]
        found.symbols[identifier] = row["symbol"]
        found.members[row["term"]].add(identifier)
        if row["evidence"] != ELECTRONIC:
            found.reviewed[row["term"]].add(identifier)
    found.release = max(dates, default=None)
    return found


def propagate(
    members: Mapping[str, Iterable[str]], parents: Mapping[str, Iterable[str]]
) -> dict[str, set[str]]:
    """Give each term the members of all terms below it.

    Examples
    --------
    >>> whole = propagate({"below": ["TP53"], "above": ["BAX"]}, {"below": ["above"]})
    >>> sorted(whole["above"]), whole["below"]
    (['BAX', 'TP53'], {'TP53'})
    """
    above: dict[str, frozenset[str]] = {}

    def ancestors(term: str) -> frozenset[str]:
        if term not in above:
            above[term] = frozenset({term}).union(*map(ancestors, parents.get(term, ())))
        return above[term]

    whole: dict[str, set[str]] = defaultdict(set)
    for term, direct in members.items():
        for ancestor in ancestors(term):
            whole[ancestor].update(direct)
    return whole


def of_part(
    ontology: Ontology, members: Mapping[str, set[str]], part: Part | None = None
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The members of the terms of a part, under their present identifiers, and the parents."""
    chosen = {part: PARTS[part]} if part else PARTS
    of = {term for term, name in ontology.parts.items() if name in chosen.values()}
    direct: dict[str, set[str]] = defaultdict(set)
    for term, own in members.items():
        if (present := ontology.replaced.get(term, term)) in of:
            direct[present] |= own
    parts = ontology.parts
    parents = {
        term: {up for up in ontology.parents.get(term, ()) if parts.get(up) == parts[term]}
        for term in of
    }
    return direct, parents


def identifiers(annotations: Annotations, species: Species | None = None) -> dict[str, set[str]]:
    """The identifiers to use in place of each: itself, or the symbols if it matches several genes.

    An identifier that is unknown is replaced by the symbol of the file.
    """
    rows = genes.resolve(sorted(annotations.symbols), species=species).table
    known = rows.select("input", "symbol", "candidates").iter_rows()
    return {
        name: {name} if symbol else set(several) or {annotations.symbols[name]}
        for name, symbol, several in known
    }


def read(
    gaf: Path,
    obo: Path,
    part: Part | None = None,
    *,
    electronic: bool = True,
    species: Species | None = None,
) -> GeneSets:
    """Read the annotations of a GAF file, propagated in the ontology of an OBO file.

    Parameters
    ----------
    gaf, obo
        The files, compressed or not.
    part
        Biological process (``"bp"``), molecular function (``"mf"``) or cellular component
        (``"cc"``); all three if None.
    electronic
        Whether to use annotations that no curator has reviewed (IEA).
    species
        The species of the annotations; human if None.

    Raises
    ------
    FormatError
        If a file does not have its format.
    GsfmError
        If the annotations name no term of the ontology.
    """
    with open_source(obo) as source:
        ontology = read_obo(_lines(source.stream))
    if not ontology.names:
        raise FormatError(obo, "has no terms: is it an OBO file?")
    with open_source(gaf) as source:
        annotations = read_gaf(_lines(source.stream), str(gaf), species or "human")
    chosen = annotations.members if electronic else annotations.reviewed
    direct, parents = of_part(ontology, chosen, part)
    if not direct:
        raise GsfmError(f"{gaf}: no annotation of {species or 'human'} genes with terms of {obo}")
    use = identifiers(annotations, species)
    members = propagate(direct, parents)
    terms = sorted(members)
    rows = [sorted(set().union(*(use[one] for one in members[term]))) for term in terms]
    release = f"GO {ontology.release or 'unknown'}, annotations {annotations.release or 'unknown'}"
    manifest = {
        "title": f"Gene Ontology: {PARTS[part].replace('_', ' ')}" if part else "Gene Ontology",
        "release": release if electronic else f"{release}, without electronic ones (IEA)",
        "date": annotations.release,
        "license": LICENSE,
        "species": species or "human",
        "source": SOURCE,
    }
    metadata = pl.DataFrame(
        {
            "name": [ontology.names[term] for term in terms],
            "id": terms,
            "description": [ontology.definitions.get(term, "") for term in terms],
            "link": [LINK.replace("{id}", term) for term in terms],
        }
    )
    found = GeneSets.from_lists(rows)
    sets = GeneSets(found.vocabulary, found.indptr, found.indices, metadata, manifest=manifest)
    sets.report = ReadReport(str(gaf), "GAF", len(sets), sets.n_genes)
    return sets.resolve(species)


def _lines(stream: Iterable[bytes]) -> Iterator[str]:
    for line in stream:
        yield line.decode("utf-8", "replace")
