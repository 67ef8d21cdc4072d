"""Libraries that do not come with gsfm: how they are listed, and how `add` gets them."""

from __future__ import annotations

import csv
import io

import pytest

from gsfm import GsfmError, UnknownTermError, libraries
from gsfm.io import download
from gsfm.libraries import catalogue, remote

HPO = (
    "ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id\n"
    "6010\tRHO\tHP:0000510\tRod-cone dystrophy\t-\tOMIM:613731\n"
    "24\tABCA4\tHP:0000510\tRod-cone dystrophy\t-\tOMIM:601718\n"
)


def test_the_list_of_all_libraries(run):
    rows = list(csv.DictReader(io.StringIO(run("library", "list", "--all", "--csv").stdout)))
    by_name = {row["name"]: row for row in rows}
    assert len(by_name) == len(rows) > 250
    for row in rows:
        assert all(row[key] for key in ("license", "species", "trained"))
        assert row["where"] in ("shipped", "view", "download", "by hand")
        assert bool(row["reason"]) == (row["where"] != "shipped")
        assert bool(row["size"]) == (row["where"] == "shipped")
        assert bool(row["command"]) == (row["where"] in ("download", "by hand"))
    assert by_name["hpo"]["command"] == "gsfm library add hpo"
    assert by_name["corum"]["trained"] == "CORUM"
    assert by_name["enrichr:CellMarker_2024"]["trained"] == "CellMarker_2024"
    assert by_name["tissues"]["trained"] == "GTEx_Tissues_V8_2023"
    assert by_name["enrichr:KEGG_2021_Human"]["release"] == "2021"
    assert by_name["msigdb:mh.all"]["species"] == "mouse"
    assert by_name["drugs"]["license"].startswith("CC BY-SA 4.0")
    assert sum(name.startswith("enrichr:") for name in by_name) >= 200


def test_each_recipe_can_be_followed():
    names = {f"{service}:{name}" for service, name, _, _ in catalogue.services()}
    for recipe in catalogue.RECIPES.values():
        assert recipe.source in {None, *names}
        assert all((recipe.title, recipe.license, recipe.reason, recipe.command))
        assert recipe.name not in libraries.names()
    assert {service for service, *_ in catalogue.services()} == set(remote.SERVICES)


def test_a_short_name_is_a_library_of_a_service(service, run, monkeypatch):
    service.files["/geneSetLibrary?mode=text&libraryName=CORUM"] = b"Core\t\tPSMA1\tPSMB1\n"
    monkeypatch.setenv("GSFM_ENRICHR_URL", service.url)
    assert run("library", "add", "corum").exit_code == 0
    manifest = libraries.load("corum").manifest
    assert (manifest["title"], manifest["trained"]) == ("CORUM complexes", "CORUM")
    row = libraries.available().table.row(-1, named=True)
    assert (row["name"], row["trained"], row["where"]) == ("corum", "CORUM", "added")
    assert "also trained on it (CORUM)" in run("library", "show", "corum").stderr
    with pytest.raises(GsfmError, match="'corum' already"):
        libraries.add("corum")


def test_hpo_is_downloaded_or_says_what_to_do(service):
    with pytest.raises(UnknownTermError) as error:
        libraries.find("hp:0000510")
    message = str(error.value)
    for words in ("gsfm library add hpo", "license", "genes_to_phenotype.txt", "--by phenotypes"):
        assert words in message
    with pytest.raises(GsfmError, match=r"could not fetch .*; by hand: download https.*--name hpo"):
        libraries.add("hpo", mirror=service.url)
    service.files["/genes_to_phenotype.txt"] = HPO.encode()
    libraries.add("hpo", mirror=service.url)
    assert libraries.find("HP:0000510").genes == ("ABCA4", "RHO")
    diseases = libraries.add("hpo-diseases", mirror=service.url)
    assert diseases.metadata["id"].to_list() == ["OMIM:601718", "OMIM:613731"]
    assert diseases.manifest["license"].startswith("HPO")
    assert diseases.manifest["source"] == catalogue.RECIPES["hpo"].urls[0]


def test_a_table_of_transcription_factors(service):
    table = b"source,target,weight\nTP53,CDKN1A,1\nTP53,MDM2,1\nMYC,CDK4,1\n"
    service.files["/CollecTRI_regulons.csv"] = table
    library = libraries.add("collectri", mirror=service.url)
    assert libraries.find("TP53", "collectri").genes == ("CDKN1A", "MDM2")
    assert library.manifest["title"].startswith("CollecTRI")


def test_a_slip_in_the_name_of_a_library(service):
    with pytest.raises(GsfmError, match=r"did you mean enrichr:KEGG_2021_Human\?$"):
        libraries.add("enrichr:KEGG_2021_Humn", mirror=service.url)
    with pytest.raises(GsfmError, match=r"no such file; .*; did you mean hallmarks\?$"):
        libraries.add("hallmark")


def test_collections_of_mouse_genes(service):
    path = "/2024.1.Mm/mh.all.v2024.1.Mm.symbols.gmt"
    service.files[path] = b"HALLMARK\t\tTrp53\tCdkn1a\n"
    library = libraries.add("msigdb:mh.all", mirror=service.url)
    assert (library.genes(0), library.manifest["species"]) == (("CDKN1A", "TP53"), "mouse")


def test_what_must_be_done_by_hand(run):
    found = run("library", "add", "clingen")
    assert (found.exit_code, found.stderr.count("\n")) == (1, 1)
    assert "https://clinicalgenome.org, then: gsfm library add FILE" in found.stderr


def test_a_file_comes_before_a_name(tmp_path, monkeypatch):
    (tmp_path / "go").write_text("mine\t\tTP53\tBAX\n")
    monkeypatch.chdir(tmp_path)
    assert libraries.add("go", name="own").names == ["mine"]


def test_all_of_gprofiler(service):
    gmt = b"GO:0006281\tDNA repair\tBRCA1\tBRCA2\n"
    service.files["/gprofiler_full_hsapiens.name.gmt"] = gmt
    library = libraries.add("gprofiler:human", mirror=service.url, name="g")
    assert library.genes(0) == ("BRCA1", "BRCA2")
    assert library.manifest["species"] == "human"


def test_a_busy_server_is_asked_again(service, tmp_path, monkeypatch):
    service.files["/a"] = b"content"
    service.busy = 2
    assert download.fetch(f"{service.url}/a", tmp_path / "a").read_bytes() == b"content"
    assert len(service.requests) == 3
    service.busy = 9
    with pytest.raises(GsfmError, match="Too Many Requests"):
        download.fetch(f"{service.url}/a", tmp_path / "b")


def test_requests_to_one_server_are_apart(service, tmp_path, monkeypatch):
    waited: list[float] = []
    clock = iter(range(100))
    monkeypatch.setattr(download, "_PAUSE", 10.0)
    monkeypatch.setattr(download, "_last", {})
    monkeypatch.setattr(download.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(download.time, "sleep", waited.append)
    service.files["/a"] = b"x"
    for name in ("a", "b"):
        download.fetch(f"{service.url}/a", tmp_path / name)
    # The first request is at 1, the second is asked for at 2.
    assert waited == [0.0, 9.0]
