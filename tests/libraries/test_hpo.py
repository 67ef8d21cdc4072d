"""Tables of the Human Phenotype Ontology, with the headers of each time. All rows are made up."""

from __future__ import annotations

import gzip

import pytest

from gsfm import FormatError, GsfmError, libraries

# Entrez ids: 4625 MYH7, 4624 MYH6, 213 ALB; 999999999 is none, and NPPA the symbol beside it.
ROWS = [
    ("HP:0000001", "Large heart", "4625", "MYH7", "OMIM:1"),
    ("HP:0000001", "Large heart", "4624", "old name", "OMIM:1"),
    ("HP:0000001", "Large heart", "4624", "old name", "ORPHA:2"),
    ("HP:0000002", "Small liver", "213", "ALB", "ORPHA:2"),
    ("HP:0000002", "Small liver", "999999999", "NPPA", "ORPHA:2"),
    ("HP:0000002", "Small liver", "999999998", "nonsense", "ORPHA:2"),
]
PHENOTYPES = {"HP:0000001": ("MYH6", "MYH7"), "HP:0000002": ("ALB", "NPPA")}
DISEASES = {"OMIM:1": ("MYH6", "MYH7"), "ORPHA:2": ("ALB", "MYH6", "NPPA")}

#: By release and file: the header, and a line of it.
FORMS = {
    "2015 phenotype_to_genes": (
        "#Format: HPO-ID<tab>HPO-Name<tab>Gene-ID<tab>Gene-Name",
        "{0}\t{1}\t{2}\t{3}",
    ),
    "2015 diseases_to_genes_to_phenotypes": (
        "#Format: diseaseId<tab>gene-symbol<tab>gene-id(entrez)<tab>HPO-ID<tab>HPO-term-name",
        "{4}\t{3}\t{2}\t{0}\t{1}",
    ),
    "2020 phenotype_to_genes": (
        "#Format: HPO-id<tab>HPO label<tab>entrez-gene-id<tab>entrez-gene-symbol<tab>"
        "Additional Info from G-D source<tab>G-D source<tab>disease-ID for link",
        "{0}\t{1}\t{2}\t{3}\t\torphadata\t{4}",
    ),
    "2020 genes_to_phenotype": (
        "#Format: entrez-gene-id<tab>entrez-gene-symbol<tab>HPO-Term-ID<tab>HPO-Term-Name<tab>"
        "Frequency-Raw<tab>Frequency-HPO<tab>Additional Info from G-D source<tab>G-D source<tab>"
        "disease-ID for link",
        "{2}\t{3}\t{0}\t{1}\t\t\t-\tmim2gene\t{4}",
    ),
    "2023 phenotype_to_genes": (
        "hpo_id\thpo_name\tncbi_gene_id\tgene_symbol\tdisease_id",
        "{0}\t{1}\t{2}\t{3}\t{4}",
    ),
    "2025 genes_to_phenotype": (
        "ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id",
        "{2}\t{3}\t{0}\t{1}\t-\t{4}",
    ),
}


def table(form):
    header, line = FORMS[form]
    return "\n".join([header, *(line.format(*row) for row in ROWS), ""])


def as_sets(library):
    return {key: library.genes(i) for i, key in enumerate(library.metadata["id"])}


@pytest.mark.parametrize("form", FORMS)
def test_phenotypes(tmp_path, form):
    path = tmp_path / "table.txt.gz"
    path.write_bytes(gzip.compress(table(form).encode()))
    library = libraries.add(path, release="1")
    assert as_sets(library) == PHENOTYPES
    assert library.names == ["Large heart", "Small liver"]
    assert dict(library.report.unmapped) == {"nonsense": 1}
    assert library.metadata["link"][0] == "https://hpo.jax.org/browse/term/HP:0000001"
    assert "hpo.jax.org/app/license" in library.manifest["license"]


@pytest.mark.parametrize("form", [form for form in FORMS if form != "2015 phenotype_to_genes"])
def test_diseases(tmp_path, form):
    path = tmp_path / "table.txt"
    path.write_text(table(form))
    (tmp_path / "phenotype.hpoa").write_text(
        "#description: made up\n#version: 2024-02-03\n"
        "#hpo-version: http://purl.obolibrary.org/obo/hp/releases/2024-02-03/hp.json\n"
        "database_id\tdisease_name\tqualifier\nOMIM:1\tLarge heart disease\t\nOMIM:1\tother\t\n"
    )
    library = libraries.add(path, by="diseases")
    assert as_sets(library) == DISEASES
    assert library.names == ["Large heart disease", "ORPHA:2"]
    assert (library.manifest["release"], library.manifest["date"]) == ("2024-02-03",) * 2
    assert library.metadata["link"][0] == "https://hpo.jax.org/browse/disease/OMIM:1"


def test_genes_to_disease(tmp_path):
    path = tmp_path / "genes_to_disease.txt"
    path.write_text(
        "ncbi_gene_id\tgene_symbol\tassociation_type\tdisease_id\tsource\n"
        "NCBIGene:4625\tMYH7\tMENDELIAN\tOMIM:1\thttp://x\n"
        "4624\tMYH6\tPOLYGENIC\tOMIM:1\thttp://x\n"
    )
    library = libraries.add(path)
    assert as_sets(library) == {"OMIM:1": ("MYH6", "MYH7")}
    with pytest.raises(GsfmError, match="names no phenotypes"):
        libraries.add(path, name="other", by="phenotypes")


def test_definitions_come_from_the_ontology_beside(tmp_path):
    path = tmp_path / "phenotype_to_genes.txt"
    path.write_text(table("2023 phenotype_to_genes"))
    (tmp_path / "hp.obo").write_text(
        "format-version: 1.2\ndata-version: hp/releases/2023-06-17\n\n[Term]\nid: HP:0000001\n"
        'name: Large heart\ndef: "A heart that is \\"large\\"." [HPO:x]\n\n[Term]\nid: HP:0000002\n'
    )
    library = libraries.add(path)
    assert library.metadata["description"].to_list() == ['A heart that is "large".', ""]
    assert library.manifest["release"] == "2023-06-17"


def test_a_line_that_is_cut_off(tmp_path):
    path = tmp_path / "phenotype_to_genes.txt"
    path.write_text(
        FORMS["2023 phenotype_to_genes"][0]
        + "\n{}\t{}\t{}\t{}\t{}".format(*ROWS[0])
        + "\nHP:0000001\tLarge heart\n"
    )
    with pytest.raises(FormatError, match="line 3: a column of the header is empty"):
        libraries.add(path)
