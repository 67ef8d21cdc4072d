"""Libraries that are added: what is kept of them, and where."""

from __future__ import annotations

import io
import sys

import pytest

from gsfm import FormatError, GeneSets, GsfmError, libraries
from gsfm.paths import data_folder

GMT = "Heart\tpumps\tMYH7\tmyh6\tnonsense\nLiver\t\tALB\n\nNothing\t\twhat1\tnonsense\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my organs.gmt"
    path.write_text(GMT)
    return path


def test_a_file(file, home):
    facts = {"release": "3", "date": "2024-01-02", "license": "CC0", "species": "human"}
    added = libraries.add(file, **facts)
    assert dict(added.report.unmapped) == {"nonsense": 2, "what1": 1}
    # A term without a known gene is left out, and counted.
    assert added.names == ["Heart", "Liver"]
    assert added.genes(0) == ("MYH6", "MYH7")
    manifest = added.manifest
    assert {key: manifest[key] for key in facts} == facts
    assert (manifest["name"], manifest["terms"], manifest["genes"]) == ("my-organs", 2, 3)
    assert manifest["dropped"] == {
        "too small": 1,
        "too large": 0,
        "identifiers": {"nonsense": 2, "what1": 1},
    }
    assert added.metadata.row(0) == ("Heart", "Heart", "pumps", "", "my-organs", "human")

    assert libraries.names()[-1] == "my-organs"
    row = libraries.available().table.row(-1, named=True)
    assert row == {
        "name": "my-organs",
        "terms": 2,
        "genes": 3,
        **facts,
        "trained": "no",
        "where": "added",
    }
    loaded = libraries.load("my-organs")
    assert loaded.metadata.equals(added.metadata)
    assert loaded is libraries.load("my-organs")
    assert libraries.find("liver").library == "my-organs"
    assert [path.name for path in (home / "libraries").iterdir()] == ["my-organs.gsets"]


def test_sizes(file):
    added = libraries.add(file, name="large", min_size=2)
    assert added.names == ["Heart"]
    assert added.manifest["dropped"]["too small"] == 2
    assert added.n_genes == 2  # genes of the terms that are left out are no genes of the library
    small = libraries.add(file, name="small", max_size=1)
    assert (small.names, small.manifest["dropped"]["too large"]) == (["Liver"], 1)


def test_names(file):
    libraries.add(file, name="a")
    with pytest.raises(GsfmError, match="'a' already: replace it"):
        libraries.add(file, name="a")
    with pytest.raises(GsfmError, match="comes with gsfm"):
        libraries.add(file, name="go-bp")
    with pytest.raises(GsfmError, match="comes with gsfm"):
        libraries.add(file, name="go-bp-curated")
    for name in ("../a", "a/b", "", ".a", "a b"):
        with pytest.raises(GsfmError, match="cannot be called"):
            libraries.add(file, name=name)
    file.write_text("Brain\t\tGFAP\n")
    libraries.add(file, name="a", replace=True)
    assert libraries.load("a").names == ["Brain"]
    assert libraries.find("Brain", "a").genes == ("GFAP",)


def test_remove(file, home):
    libraries.add(file, name="a")
    libraries.remove("a")
    assert "a" not in libraries.names()
    for name, why in (("a", "was added; added libraries: none"), ("go-bp", "cannot be removed")):
        with pytest.raises(GsfmError, match=why):
            libraries.remove(name)


def test_nothing_is_kept_of_what_fails(file, home, tmp_path):
    file.write_text("one line without a tab, then\x00a zero byte\n")
    with pytest.raises(FormatError):
        libraries.add(file)
    file.write_text("Nothing\t\twhat1\n")
    with pytest.raises(GsfmError, match="none of its 1 terms"):
        libraries.add(file)
    with pytest.raises(GsfmError, match=r"no such file; .* enrichr:KEGG_2021_Human"):
        libraries.add(tmp_path / "none.gmt")
    file.write_text(GMT)
    with pytest.raises(GsfmError, match="only a table of HPO"):
        libraries.add(file, by="diseases")
    assert not (home / "libraries").exists()


def test_stdin_and_mouse(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(b"p53\t\tTrp53\tCdkn1a\n")

    monkeypatch.setattr(sys, "stdin", Stdin)
    with pytest.raises(GsfmError, match="needs a name"):
        libraries.add("-")
    added = libraries.add("-", name="mouse", species="mouse")
    assert added.genes(0) == ("CDKN1A", "TP53")
    assert added.metadata["species"].to_list() == ["mouse"]


def test_a_gsets_file_with_raw_identifiers_and_a_manifest(tmp_path):
    sets = GeneSets.from_lists({"Heart WP1": ["myh6", "MYH7", "what"]})
    sets.manifest = {"release": "7", "license": "mine"}
    sets.save(tmp_path / "raw.gsets")
    added = libraries.add(tmp_path / "raw.gsets", license="CC0")
    assert added.genes(0) == ("MYH6", "MYH7")
    assert (added.manifest["release"], added.manifest["license"]) == ("7", "CC0")
    assert added.metadata.select("name", "id").row(0) == ("Heart", "WP1")


def test_a_file_needs_no_adding(file):
    library = libraries.load(file)
    assert library.names == ["Heart", "Liver", "Nothing"]
    assert library.metadata["source"][0] == "my organs"
    assert libraries.load(str(file)) is library
    file.write_text("Brain\t\tGFAP\n")
    assert libraries.load(file).names == ["Brain"]


@pytest.mark.parametrize(
    ("written", "name", "identifier"),
    [
        ("DNA Repair (GO:0006281)", "DNA Repair", "GO:0006281"),
        ("Abnormal heart (HP:0001627)", "Abnormal heart", "HP:0001627"),
        ("abnormal heart MP:0000266", "abnormal heart", "MP:0000266"),
        ("Apoptosis WP254", "Apoptosis", "WP254"),
        ("Apoptosis R-HSA-109581", "Apoptosis", "R-HSA-109581"),
        ("Apoptosis_Homo sapiens_hsa04210", "Apoptosis", "hsa04210"),
        ("Apoptosis%WikiPathways_20240910%WP254%Homo sapiens", "Apoptosis", "WP254"),
        ("BMI (Adjusted For Smoking)", "BMI (Adjusted For Smoking)", "BMI (Adjusted For Smoking)"),
        ("WP254", "WP254", "WP254"),
    ],
)
def test_identifiers_within_names(tmp_path, written, name, identifier):
    path = tmp_path / "a.gmt"
    path.write_text(f"{written}\t\tBAX\tTP53\n")
    assert libraries.add(path).metadata.select("name", "id").row(0) == (name, identifier)
    assert libraries.find(identifier, "a").genes == ("BAX", "TP53")


def test_where_it_is_kept(monkeypatch, tmp_path, home):
    assert data_folder() == home
    monkeypatch.delenv("GSFM_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert data_folder() == tmp_path / "data" / "gsfm"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder() == tmp_path / ".local" / "share" / "gsfm"
