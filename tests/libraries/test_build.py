"""The script that builds the shipped libraries, on an ontology of five terms."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from gsfm import GsfmError, libraries
from gsfm.libraries import ontology, shipped

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_libraries.py"


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build_libraries", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_libraries"] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["build_libraries"]


TERMS = {"GO:1": "", "GO:2": "part_of GO:1", "GO:3": "is_a GO:2", "GO:4": "regulates GO:2"}


@pytest.fixture
def sources(tmp_path):
    """GO: 1 is above all; 3 is a 2, which is a part of 1; 4 regulates 2; 9 was merged into 4."""
    obo = ["data-version: releases/2026-01-01"]
    for term, relation in TERMS.items():
        obo += ["", "[Term]", f"id: {term}", f"name: term {term[3:]}"]
        obo += ["namespace: biological_process", f'def: "Definition {term[3:]}." [x]']
        tag, _, other = relation.partition(" ")
        obo += [f"is_a: {other} ! x"] if tag == "is_a" else []
        obo += [f"relationship: {tag} {other} ! x"] if tag not in ("", "is_a") else []
    obo += ["alt_id: GO:9", "is_a: GO:1", "", "[Typedef]", "id: part_of"]
    with zipfile.ZipFile(tmp_path / "obo.whl", "w") as archive:
        archive.writestr("go_enrich/data/go-basic.obo", "\n".join(obo))
    rows = [
        *[(symbol, "", "GO:3", "IEA", "9606") for symbol in ("ALB", "BAX", "BRCA1")],
        *[(symbol, "", "GO:2", "IDA", "9606") for symbol in ("BRCA1", "MDM2")],
        ("MYH7", "", "GO:9", "TAS", "9606"),
        ("TP53", "", "GO:1", "ND", "9606"),
        ("TP53", "NOT|involved_in", "GO:1", "IDA", "9606"),
        ("TP53", "", "GO:1", "IDA", "10090"),
        ("NONSENSE", "", "GO:1", "IDA", "9606"),
    ]
    gaf = ["!gaf-version: 2.2", "!date-generated: 2024-02-03T10:00"]
    for symbol, qualifier, term, evidence, taxon in rows:
        cells = ["UniProtKB", symbol, symbol, qualifier, term, "ref", evidence]
        gaf.append("\t".join([*cells, "", "P", "", "", "", f"taxon:{taxon}", "20240101", "x"]))
    with zipfile.ZipFile(tmp_path / "gaf.whl", "w") as archive:
        content = gzip.compress("\n".join(gaf).encode())
        archive.writestr("genescape/data/goa_human.gaf.gz", content)
    return tmp_path / "gaf.whl", tmp_path / "obo.whl"


def test_gene_ontology(build, sources, tmp_path):
    terms = build.gene_ontology("bp")(*sources)
    about = {"link": "https://x/{id}", "release": "1", "title": "GO"}
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        build.write(tmp_path / folder, "go-bp", terms, about, "a rule", at_least=2)
    content = (tmp_path / "a" / "go-bp.safetensors.xz").read_bytes()
    assert content == (tmp_path / "b" / "go-bp.safetensors.xz").read_bytes()
    manifest = json.loads((tmp_path / "a" / "manifests.json").read_text())["go-bp"]
    library = shipped.unpack(content, manifest)
    # By hand: 2 has the genes of 3, and 1 those of 2 and 4; the gene of 4 is none of 2.
    assert members(library) == {
        "GO:1": ("ALB", "BAX", "BRCA1", "MDM2", "MYH7"),
        "GO:2": ("ALB", "BAX", "BRCA1", "MDM2"),
        "GO:3": ("ALB", "BAX", "BRCA1"),
    }
    assert library.metadata["description"].to_list()[1:] == ["Definition 2.", "Definition 3."]
    assert library.metadata["link"][0] == "https://x/GO:1"
    dropped = manifest["dropped"]
    assert (dropped["too small"], dropped["too large"], dropped["without a name"]) == (1, 0, 0)
    assert dropped["identifiers"] == ["NONSENSE"]
    assert (manifest["terms"], manifest["genes"], manifest["members"]) == (3, 5, 12)
    # ALB and BAX have electronic annotations only; BRCA1 is in 3 only by one.
    assert manifest["electronic"] == 2 + 2 + 3
    assert members(shipped.unpack_curated(content, manifest)) == {
        "GO:1": ("BRCA1", "MDM2", "MYH7"),
        "GO:2": ("BRCA1", "MDM2"),
    }


def members(library):
    return {name: library.genes(i) for i, name in enumerate(library.metadata["id"])}


@pytest.fixture
def files(sources, tmp_path):
    """The GAF and the OBO file of the archives."""
    with zipfile.ZipFile(sources[0]) as gaf, zipfile.ZipFile(sources[1]) as obo:
        (tmp_path / "a.gaf.gz").write_bytes(gaf.read("genescape/data/goa_human.gaf.gz"))
        (tmp_path / "a.obo").write_bytes(obo.read("go_enrich/data/go-basic.obo"))
    return str(tmp_path / "a.gaf.gz"), str(tmp_path / "a.obo")


def test_newer_annotations_are_added(run, files):
    gaf, obo = files
    found = run("library", "add", gaf, "--obo", obo, "--name", "go")
    assert found.exit_code == 0
    assert "1 identifier not mapped: NONSENSE" in found.stderr
    library = libraries.load("go")
    assert members(library)["GO:2"] == ("ALB", "BAX", "BRCA1", "MDM2")
    assert members(library)["GO:4"] == ("MYH7",)
    assert library.manifest["release"] == "GO 2026-01-01, annotations 2024-02-03"
    assert library.manifest["license"].startswith("CC BY 4.0")
    assert [*library.manifest["files"]] == ["a.gaf.gz", "a.obo"]
    curated = libraries.add(gaf, obo=obo, electronic=False, by="bp", name="curated")
    assert members(curated)["GO:2"] == ("BRCA1", "MDM2")
    assert "without electronic" in curated.manifest["release"]


def test_the_current_annotations_are_downloaded(service, files):
    for path, name in zip(files, ("goa_human.gaf.gz", "go-basic.obo"), strict=True):
        service.files[f"/{name}"] = Path(path).read_bytes()
    library = libraries.add("go", mirror=service.url)
    assert members(library)["GO:2"] == ("ALB", "BAX", "BRCA1", "MDM2")
    assert library.manifest["source"].endswith("/goa_human.gaf.gz")
    libraries.add("go", mirror=service.url, replace=True, electronic=False)
    assert len(service.requests) == 2
    assert members(libraries.load("go"))["GO:2"] == ("BRCA1", "MDM2")


def test_annotations_need_their_terms(files, tmp_path):
    gaf, obo = files
    with pytest.raises(GsfmError, match="give the file of its terms, --obo FILE"):
        libraries.add(gaf)
    with pytest.raises(GsfmError, match="is no GAF file"):
        libraries.add(obo, obo=obo)
    with pytest.raises(GsfmError, match="has no terms: is it an OBO file"):
        libraries.add(gaf, obo=gaf)
    with pytest.raises(GsfmError, match="parts of GO are bp, mf, cc, not diseases"):
        libraries.add(gaf, obo=obo, by="diseases")
    with pytest.raises(GsfmError, match="no annotation of human genes"):
        libraries.add(gaf, obo=obo, by="mf")
    (tmp_path / "bad.gaf").write_text("!gaf-version: 2.2\nUniProtKB\tP1\n")
    with pytest.raises(GsfmError, match=r"bad\.gaf.*line 2"):
        libraries.add(tmp_path / "bad.gaf", obo=obo)


def test_the_largest_terms_are_left_out(build, sources, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "MAX", 4)
    terms = build.gene_ontology("bp")(*sources)
    build.write(tmp_path, "go-bp", terms, {"link": "{id}"}, "a rule", at_least=2)
    manifest = json.loads((tmp_path / "manifests.json").read_text())["go-bp"]
    assert (manifest["terms"], manifest["dropped"]["too large"]) == (2, 1)


def tar(path, **files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"x/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_diseases_and_tissues(build, tmp_path):
    lines = ["\t".join(["1", "5", "9", "A", "C", keys, "", "0"]) for keys in ("1,0", "1", "")]
    table = "#head\n" + "\n".join(lines)
    ranges = [(6, len(lines[0])), (7 + len(lines[0]), len(lines[1]) + 1 + len(lines[2]))]
    keys = json.dumps(["0000001|Old_age", "0000002|Heart_failure"])
    index = f"# disease_mondo_ids_and_names = {keys}\n" + "\n".join(
        f"{symbol}\t{start}\t{length}"
        for symbol, (start, length) in zip(("TTN", "MYH7"), ranges, strict=True)
    )
    genes = ["# gene", "ALB\t2;0;0;900.5;0\t0;0;0;3;0\t1;0;0;2;0", "MYH7\t0;0;0;1;0\t1;0;0;.5;0"]
    head = "## tissues: Brain_Cortex,F,1;Brain_Other,F,2;Liver,F,3\n"
    archive = tar(
        tmp_path / "a.tgz",
        **{
            "variants/homo-sapiens-variants.tsv.gz": gzip.compress(table.encode()),
            "variants/homo-sapiens-variants.tsv.li.gz": gzip.compress(index.encode()),
            "tissues/homo-sapiens-tissues.tsv.gz": gzip.compress(
                (head + "\n".join(genes)).encode()
            ),
        },
    )
    found = build.clinvar(archive)
    assert found.members == {"MONDO:0000001": {"TTN"}, "MONDO:0000002": {"TTN", "MYH7"}}
    assert found.names["MONDO:0000002"] == "Heart failure"
    # Both tissues of the brain are one organ; MYH7 has 1 TPM there, and none elsewhere.
    assert build.tissues(archive).members == {"GTEx:liver": {"ALB"}, "GTEx:brain": {"MYH7"}}


def test_targets_and_drugs(build, tmp_path):
    families = (
        b"Type,Family id,Family name,HGNC symbol\n"
        b"gpcr,1,5-HT<sub>1A</sub> &amp; others,HTR1A\nenzyme,536,RIO1 subfamily,RIOK1\ngpcr,2,x,\n"
    )
    interactions = (
        b"target_gene_symbol,target_species,ligand,ligand_id,approved_drug\n"
        b"HTR1A|HTR1B,Human,buspirone,36,t\nHTR1A,Rat,other,37,t\nHTR1A,Human,tool,38,f\n"
    )
    folder = "scConnect/data/GTP_tables/2020-5"
    archive = tar(
        tmp_path / "a.tar.gz",
        **{
            f"{folder}/targets_and_families.csv": families,
            f"{folder}/interactions.csv": interactions,
        },
    )
    found = build.gtopdb_families(archive)
    assert found.members == {"iuphar.family:1": {"HTR1A"}, "iuphar.family:536": {"RIOK1"}}
    assert found.names["iuphar.family:1"] == "5-HT1A & others"
    assert build.gtopdb_drugs(archive).members == {"iuphar.ligand:36": {"HTR1A", "HTR1B"}}


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
    whole = ontology.propagate(pathways.members, pathways.parents)
    assert whole == {"R-HSA-1": {"P04637"}, "R-HSA-2": {"P04637"}}
    families = build.famplex(wheel)
    assert families.names == {"RAS": "RAS", "SMALL_GTPase": "SMALL GTPase"}
    assert families.definitions == {"RAS": "A family, of three."}
    assert ontology.propagate(families.members, families.parents)["SMALL_GTPase"] == {
        "KRAS",
        "P01112",
    }
