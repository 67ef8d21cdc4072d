"""The script that builds the shipped libraries, on an ontology of five terms."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sqlite3
import sys
import zipfile
from pathlib import Path

import pytest

from gsfm.libraries import shipped

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_libraries.py"
# Entrez ids of genes in the order of their symbols, so that sets are easy to read.
ENTREZ = {"ALB": 213, "BAX": 581, "BRCA1": 672, "MDM2": 4193, "MYH7": 4625, "TP53": 7157}
SYMBOL = {number: symbol for symbol, number in ENTREZ.items()}


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build_libraries", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_libraries"] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["build_libraries"]


@pytest.fixture
def sources(tmp_path):
    """GO: 1 is above all; 3 is a 2, which is a part of 1; 4 regulates 2; nobody knows about 5."""
    go = sqlite3.connect(tmp_path / "GO.sqlite")
    go.executescript(
        "CREATE TABLE go_term (_id, go_id, term, ontology, definition);"
        "CREATE TABLE go_bp_parents (_id, _parent_id, relationship_type);"
    )
    for i in range(1, 6):
        row = (i, f"GO:{i}", f"term {i}", "BP", None if i == 3 else f"Definition {i}.")
        go.execute("INSERT INTO go_term VALUES (?, ?, ?, ?, ?)", row)
    go.execute("INSERT INTO go_term VALUES (9, 'all', 'all', 'universal', NULL)")
    edges = [(1, 9, "isa"), (2, 1, "part of"), (3, 2, "isa"), (4, 2, "regulates"), (4, 1, "isa")]
    go.executemany("INSERT INTO go_bp_parents VALUES (?, ?, ?)", edges)
    go.commit()
    org = sqlite3.connect(tmp_path / "org.sqlite")
    org.executescript(
        "CREATE TABLE genes (_id, gene_id); CREATE TABLE go_bp (_id, go_id, evidence);"
    )
    org.executemany("INSERT INTO genes VALUES (?, ?)", [(n, str(n)) for n in SYMBOL])
    org.execute("INSERT INTO genes VALUES (1, '999999999')")
    rows = [
        *[(ENTREZ[symbol], "GO:3", "IEA") for symbol in ("ALB", "BAX", "BRCA1")],
        *[(ENTREZ[symbol], "GO:2", "IDA") for symbol in ("BRCA1", "MDM2")],
        (ENTREZ["MYH7"], "GO:4", "TAS"),
        (ENTREZ["TP53"], "GO:5", "ND"),
        (1, "GO:1", "IDA"),
    ]
    org.executemany("INSERT INTO go_bp VALUES (?, ?, ?)", rows)
    org.commit()
    for connection in (go, org):
        connection.close()
    obo = '[Term]\nid: GO:3\ndef: "A later definition." [x]\n'
    with zipfile.ZipFile(tmp_path / "obo.whl", "w") as archive:
        archive.writestr("genescape/data/go-basic.obo.gz", gzip.compress(obo.encode()))
    return tmp_path / "org.sqlite", tmp_path / "GO.sqlite", tmp_path / "obo.whl"


def test_gene_ontology(build, sources, tmp_path):
    terms = build.gene_ontology(*sources, "bp")
    about = {"link": "https://x/{id}", "release": "1"}
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        build.write(tmp_path / folder, "go-bp", terms, about, "a rule", at_least=2)
    content = (tmp_path / "a" / "go-bp.safetensors.xz").read_bytes()
    assert content == (tmp_path / "b" / "go-bp.safetensors.xz").read_bytes()
    manifest = json.loads((tmp_path / "a" / "manifests.json").read_text())["go-bp"]
    library = shipped.unpack(content, manifest)
    # By hand: 2 has the genes of 3, and 1 those of 2 and 4; the gene of 4 is none of 2.
    assert {name: library.genes(i) for i, name in enumerate(library.metadata["id"])} == {
        "GO:1": ("ALB", "BAX", "BRCA1", "MDM2", "MYH7"),
        "GO:2": ("ALB", "BAX", "BRCA1", "MDM2"),
        "GO:3": ("ALB", "BAX", "BRCA1"),
    }
    assert library.metadata["description"].to_list()[1:] == ["Definition 2.", "A later definition."]
    assert library.metadata["link"][0] == "https://x/GO:1"
    dropped = manifest["dropped"]
    assert (dropped["too small"], dropped["too large"], dropped["without a name"]) == (1, 0, 0)
    assert dropped["identifiers"] == ["999999999"]
    assert (manifest["terms"], manifest["genes"], manifest["members"]) == (3, 5, 12)


def test_the_largest_terms_are_left_out(build, sources, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "MAX", 4)
    terms = build.gene_ontology(*sources, "bp")
    build.write(tmp_path, "go-bp", terms, {"link": "{id}"}, "a rule", at_least=2)
    manifest = json.loads((tmp_path / "manifests.json").read_text())["go-bp"]
    assert (manifest["terms"], manifest["dropped"]["too large"]) == (2, 1)


def test_reactome_and_famplex(build, tmp_path):
    wheel = tmp_path / "a.whl"
    folder = "binn/data/downloads/"
    with zipfile.ZipFile(wheel, "w") as archive:
        names = "R-HSA-1\tAbove\tHomo sapiens\nR-HSA-2\tBelow \tHomo sapiens\nR-MMU-2\tx\tMus\n"
        archive.writestr(f"{folder}reactome_pathways_names_2025_01_21.txt", names)
        archive.writestr(f"{folder}reactome_pathways_relation_2025_01_14.txt", "R-HSA-1\tR-HSA-2\n")
        rows = ["P04637\tR-HSA-2\tu\tn\tTAS\tHomo sapiens", "P1\tR-MMU-2\tu\tn\tIEA\tMus musculus"]
        archive.writestr(f"{folder}uniprot_2_reactome_2025_01_14.txt", "\n".join(rows))
        prefix = "famplex-0.0.5.data/resources/"
        archive.writestr(f"{prefix}entities.csv", "RAS\nSMALL_GTPase\n")
        archive.writestr(f"{prefix}descriptions.csv", 'RAS,mesh:D1,"A family, of three."\n')
        relations = "HGNC,KRAS,isa,FPLX,RAS\nFPLX,RAS,isa,FPLX,SMALL_GTPase\nUP,P01112,isa,FPLX,RAS"
        archive.writestr(f"{prefix}relations.csv", relations)
    pathways = build.reactome(wheel)
    assert pathways.names == {"R-HSA-1": "Above", "R-HSA-2": "Below"}
    whole = build.propagate(pathways.members, pathways.parents)
    assert whole == {"R-HSA-1": {"P04637"}, "R-HSA-2": {"P04637"}}
    families = build.famplex(wheel)
    assert families.names == {"RAS": "RAS", "SMALL_GTPase": "SMALL GTPase"}
    assert families.definitions == {"RAS": "A family, of three."}
    assert build.propagate(families.members, families.parents)["SMALL_GTPase"] == {"KRAS", "P01112"}
