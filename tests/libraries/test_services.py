"""Libraries of Enrichr, MSigDB and WikiPathways by name, from a service on this machine."""

from __future__ import annotations

import pytest

from gsfm import FormatError, GsfmError, libraries

GMT = (
    b"DNA Repair (GO:0006281)\t\tBRCA1\tbrca2\tp53\n"
    b"Glycolysis (GO:0006096)\t\tHK1\tPFKM\tnonsense\n"
)
PATH = "/geneSetLibrary?mode=text&libraryName=GO_Biological_Process_2023"
NAME = "enrichr:GO_Biological_Process_2023"


def test_enrichr(service, monkeypatch, home):
    service.files[PATH] = GMT
    monkeypatch.setenv("GSFM_ENRICHR_URL", service.url)
    library = libraries.add(NAME)
    assert library.metadata.select("name", "id").rows() == [
        ("DNA Repair", "GO:0006281"),
        ("Glycolysis", "GO:0006096"),
    ]
    assert library.genes(0) == ("BRCA1", "BRCA2", "TP53")
    manifest = library.manifest
    assert manifest["release"] == "2023"
    assert manifest["source"] == f"{service.url}{PATH}"
    assert manifest["dropped"]["identifiers"] == {"nonsense": 1}
    assert libraries.load("GO_Biological_Process_2023").names == library.names

    # What was fetched is not fetched again, unless it is damaged or a refresh is requested.
    libraries.add(NAME, name="again")
    assert len(service.requests) == 1
    (file,) = (home / "downloads").glob("*.gmt")
    file.write_bytes(GMT[:30])
    libraries.add(NAME, name="again", replace=True)
    assert len(service.requests) == 2
    libraries.add(NAME, name="again", replace=True, refresh=True)
    assert len(service.requests) == 3


def test_it_goes_on_where_it_broke_off(service):
    service.files[PATH] = GMT
    service.break_after = 40
    with pytest.raises(GsfmError, match="try again"):
        libraries.add(NAME, mirror=service.url)
    service.break_after = None
    assert len(libraries.add(NAME, mirror=service.url)) == 2
    assert service.requests[1][1] == "bytes=40-"


def test_msigdb(service):
    service.files["/2023.2.Mm/mh.all.v2023.2.Mm.symbols.gmt"] = (
        b"HALLMARK\thttp://x\tTrp53\tCdkn1a\n"
    )
    library = libraries.add("msigdb:mh.all", release="2023.2.Mm", mirror=service.url)
    assert library.genes(0) == ("CDKN1A", "TP53")
    assert library.manifest["species"] == "mouse"
    assert library.manifest["release"] == "2023.2.Mm"
    assert library.metadata["species"].to_list() == ["mouse"]


def test_wikipathways_says_which_release_is_current(service):
    index = b'<a href="wikipathways-20240810-gmt-Homo_sapiens.gmt">20240910 20991231</a>'
    service.files["/current/gmt/"] = index + index.replace(b"20240810", b"20240910")
    path = "/20240910/gmt/wikipathways-20240910-gmt-Homo_sapiens.gmt"
    service.files[path] = (
        b"Apoptosis%WikiPathways_20240910%WP254%Homo sapiens\t"
        b"https://www.wikipathways.org/instance/WP254\t7157\t581\n"
    )
    library = libraries.add("wikipathways:human", mirror=service.url, name="wiki")
    assert library.metadata.select("name", "id").row(0) == ("Apoptosis", "WP254")
    assert library.genes(0) == ("BAX", "TP53")
    assert (library.manifest["release"], library.manifest["species"]) == ("20240910", "human")
    assert libraries.find("WP254", "wiki").genes == ("BAX", "TP53")
    with pytest.raises(GsfmError, match="names no file of 'Mus_musculus'"):
        libraries.add("wikipathways:mouse", mirror=service.url)


def test_a_service_that_is_away_is_one_line(run, monkeypatch):
    monkeypatch.setenv("GSFM_ENRICHR_URL", "http://127.0.0.1:9")
    result = run("library", "add", "enrichr:KEGG_2021_Human")
    assert result.exit_code == 1
    assert result.stderr.startswith("gsfm: could not fetch http://127.0.0.1:9/geneSetLibrary")
    assert result.stderr.count("\n") == 1
    assert "KEGG_2021_Human" not in libraries.names()


def test_a_page_in_place_of_a_library_is_forgotten(service, home):
    service.files[PATH] = b"<!doctype html><html>no such library</html>"
    with pytest.raises(FormatError, match="web page"):
        libraries.add(NAME, mirror=service.url)
    service.files[PATH] = GMT
    assert len(libraries.add(NAME, mirror=service.url)) == 2


def test_a_name_cannot_leave_the_folder(service, home):
    name = "enrichr:../../evil?x=1&y"
    service.files["/geneSetLibrary?mode=text&libraryName=..%2F..%2Fevil%3Fx%3D1%26y"] = GMT
    libraries.add(name, mirror=service.url)
    files = [path for path in home.parent.rglob("*") if path.is_file()]
    assert len(files) == 3
    assert all(path.parent.parent == home for path in files)
