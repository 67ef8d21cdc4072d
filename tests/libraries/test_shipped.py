"""The libraries inside the package: known terms, their relations, and what is said of them."""

from __future__ import annotations

import hashlib
import importlib.resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gsfm
from gsfm import GeneSets, libraries
from gsfm.genes import Vocabulary
from gsfm.libraries import shipped
from gsfm.sets import packed

DEFAULT = ["go-bp", "go-mf", "go-cc", "reactome", "families"]
SHIPPED = [
    *DEFAULT,
    "wikipathways",
    "clinvar",
    "drugs",
    "target-families",
    "protein-classes",
    "tissues",
]
DATA = importlib.resources.files("gsfm.libraries") / "data"


def genes(term):
    return set(libraries.find(term).genes)


# Textbook members, and genes that are none.
@pytest.mark.parametrize(
    ("term", "members", "others"),
    [
        ("go-bp:DNA repair", "BRCA1 BRCA2 MLH1 MSH2 XPA ERCC1", "ALB INS HBB"),
        ("go-bp:glycolytic process", "HK1 PFKM ALDOA GAPDH PKM ENO1", "BRCA1 ALB"),
        ("go-mf:protein tyrosine kinase activity", "EGFR SRC ABL1 JAK2", "TP53 ACTB"),
        ("go-cc:cytosolic large ribosomal subunit", "RPL3 RPL5 RPL11", "RPS3 RPS6 ALB"),
        ("reactome:Interferon alpha/beta signaling", "STAT1 STAT2 IRF9 ISG15 MX1", "BRCA1 HBB"),
        ("reactome:Glycolysis", "HK1 PFKM ALDOA GAPDH PKM ENO1", "BRCA1 ALB"),
        ("families:MCM", "MCM2 MCM3 MCM4 MCM5 MCM6 MCM7", "ORC1 CDC6"),
        ("wikipathways:WP254", "BAX CASP3 TP53", "ALB"),
        ("clinvar:Hypertrophic cardiomyopathy", "MYH7 MYBPC3", "CFTR BRCA1"),
        ("clinvar:Cystic fibrosis", "CFTR", "HBB"),
        ("drugs:imatinib", "ABL1 DDR1", "ALB BRCA1"),
        ("target-families:Integrins", "ITGA1 ITGB3", "COL1A1"),
        ("protein-classes:GtoPdb:gpcr", "ADRB1 DRD2 SMO", "GNAS"),
        ("protein-classes:MEROPS:A", "REN BACE1 CTSD", "SERPINA1"),
        ("protein-classes:surfaceome:CSPA_validated", "EGFR CD44", "TP53"),
        ("tissues:Liver", "ALB APOA1 CYP3A4", "GFAP INS"),
        ("tissues:Brain", "GFAP SLC1A2", "ALB"),
    ],
)
def test_annotated_terms(term, members, others):
    assert set(members.split()) <= genes(term)
    assert not set(others.split()) & genes(term)


@pytest.mark.parametrize(
    ("below", "above"),
    [
        ("go-bp:double-strand break repair", "go-bp:DNA repair"),
        ("go-bp:glycolytic process", "go-bp:carbohydrate metabolic process"),
        ("go-cc:cytosolic large ribosomal subunit", "go-cc:ribosome"),
        ("go-mf:protein tyrosine kinase activity", "go-mf:kinase activity"),
        ("reactome:Glycolysis", "reactome:Metabolism of carbohydrates"),
    ],
)
def test_a_gene_of_a_term_is_one_of_the_terms_above(below, above):
    assert genes(below) < genes(above)


def test_regulators_are_not_mixed_with_what_they_regulate():
    # As gene2go annotates it: a regulator of DNA repair, not itself a part of the repair.
    assert genes("go-bp:regulation of DNA repair") - genes("go-bp:DNA repair")


def test_proteins_of_several_genes_bring_all_of_them():
    histones = genes("reactome:R-HSA-2299718")  # condensation of prophase chromosomes
    # P62805, histone H4, is the product of fourteen genes.
    assert {"H4C1", "H4C2", "H4C3", "H4C16"} <= histones


@pytest.mark.parametrize("name", ["go-bp", "go-mf", "go-cc"])
def test_annotations_that_a_curator_has_reviewed(name):
    whole, curated = libraries.load(name), libraries.load(f"{name}-curated")
    curated.validate()
    assert curated.manifest["terms"] == len(curated) < len(whole)
    assert len(whole.indices) - len(curated.indices) > whole.manifest["electronic"] * 0.9
    rows = {term: row for row, term in enumerate(whole.metadata["id"])}
    for row, term in enumerate(curated.metadata["id"][:200]):
        assert set(curated.genes(row)) <= set(whole.genes(rows[term]))
    assert curated.sizes.min() >= 5
    assert set(curated.metadata["source"]) == {f"{name}-curated"}
    assert f"{name}-curated" not in libraries.names()


@pytest.mark.parametrize("name", SHIPPED)
def test_each_library(name):
    library = libraries.load(name)
    library.validate()
    table, manifest = library.metadata, library.manifest
    assert table.columns == ["name", "id", "description", "link", "source", "species"]
    assert sum(table.null_count().row(0)) == 0
    assert table["id"].is_unique().all()
    assert set(table["source"]) == {name}
    if manifest["link"]:
        assert table["link"].str.ends_with(table["id"]).all()
        assert table["link"].str.starts_with("https://").all()
    assert set(library.vocabulary) <= set(gsfm.genes.vocabulary())
    # Every gene of the vocabulary occurs.
    assert np.bincount(library.indices, minlength=library.n_genes).min() >= 1
    settings = manifest["settings"]
    assert library.sizes.min() >= settings["min_size"]
    assert library.sizes.max() <= settings["max_size"] == 2000
    assert (manifest["terms"], manifest["genes"]) == (len(library), library.n_genes)
    assert manifest["members"] == len(library.indices)
    for fact in ("title", "release", "date", "license", "species", "source", "files", "dropped"):
        assert manifest[fact], fact
    content = (DATA / f"{name}{shipped.ENDING}").read_bytes()
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert libraries.load(name) is library


def test_definitions():
    for name in ("go-bp", "go-mf", "go-cc"):
        assert (libraries.load(name).metadata["description"] != "").all()
    row = libraries.find("GO:0006281").row
    text = libraries.load("go-bp").metadata["description"][row]
    assert text.startswith("The process of restoring DNA after damage.")


def test_the_files_are_small():
    sizes = [len((DATA / f"{name}{shipped.ENDING}").read_bytes()) for name in SHIPPED]
    assert sum(sizes) < 3_000_000


def test_the_list():
    assert libraries.default_names() == DEFAULT
    report = libraries.available()
    assert report.table["name"].to_list() == libraries.names() == SHIPPED
    assert set(report.table["where"]) == {"shipped"}
    assert set(report.provenance["columns"]) == set(report.table.columns)
    assert report.table.null_count().row(0) == (0,) * report.table.width


@given(st.lists(st.sets(st.integers(0, 299), max_size=30), min_size=1, max_size=20))
def test_packing_and_unpacking_is_the_identity(rows):
    vocabulary = Vocabulary([f"G{i}" for i in range(300)])
    sets = GeneSets.from_ids(vocabulary, [sorted(row) for row in rows])
    found = packed.unpack(packed.pack(sets))
    assert found[0] == vocabulary
    assert (found[1] == sets.indptr).all()
    assert (found[2] == sets.indices).all()


def test_packing_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="does not fit"):
        packed.planes(np.array([1 << 16]), 2)
    with pytest.raises(ValueError, match="line break"):
        packed.lines(["a\nb"])
