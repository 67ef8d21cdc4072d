"""Building a corpus: every set is accounted for, and the order of the inputs does not matter."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import itertools
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gsfm
from gsfm import GeneSets, GsfmError, corpus
from gsfm.corpus import inputs as inputs_module
from gsfm.errors import FormatError, MissingExtraError
from gsfm.sets.files import stem

GENES = ["TP53", "MDM2", "CDKN1A", "BRCA1", "BRCA2", "EGFR", "MYC", "KRAS", "RB1", "PTEN"]


def gmt(path: Path, sets: dict[str, list[str]]) -> Path:
    text = "".join("\t".join([name, "about", *genes]) + "\n" for name, genes in sets.items())
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def as_sets(sets):
    return {name: set(sets.genes(i)) for i, name in enumerate(sets.names)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two libraries with what a build has to deal with; the sources beside them."""
    folder = tmp_path / "libraries"
    folder.mkdir()
    gmt(
        folder / "Alpha_2020.gmt",
        {
            "p53": ["TP53", "MDM2", "CDKN1A"],
            "p53 again": ["p53", "HDM2", "CDKN1A"],  # the same genes by their aliases
            "two": ["TP53", "MDM2"],
            "none": ["NOTAGENE1", "NOTAGENE2", "NOTAGENE3"],
            "all": GENES,
        },
    )
    gmt(
        folder / "Beta.v1.2.gmt.gz",
        {"repair": ["BRCA1", "BRCA2", "TP53"], "p53 of beta": ["TP53", "CDKN1A", "MDM2"]},
    )
    (folder / "SOURCES.tsv").write_text(
        "library\tsets\tavailable_by\tlicense\tspecies\tkind\n"
        "Beta.v1.2\t2\t2015\tCC0\thuman\tpathways\n"
        "Alpha_2020\t5\t2020\t\thuman+mouse (upper-cased symbols)\t\n"
    )
    return folder


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    path = tmp_path / "gene2pubmed"
    links = [(7157, 9000001), (4193, 9000001), (1026, 9000001), (672, 9000002)]
    rows = "".join(f"9606\t{gene}\t{pmid}\n" for gene, pmid in links)
    path.write_text("#tax_id\tGeneID\tPubMed_ID\n" + rows)
    return path


def test_the_whole(folder, papers):
    lines = []
    built = corpus.build(
        [folder, ("publications", papers)], min_size=3, max_size=9, near_duplicates=None,
        progress=lines.append,
    )  # fmt: skip
    assert as_sets(built) == {
        "PMID:9000001": {"TP53", "MDM2", "CDKN1A"},
        "repair": {"BRCA1", "BRCA2", "TP53"},
    }
    assert list(built.vocabulary) == ["BRCA1", "BRCA2", "CDKN1A", "MDM2", "TP53"]
    assert built.metadata.to_dicts() == [
        {
            "name": "PMID:9000001",
            "description": None,
            "source": "publications",
            "year": 1997,
            "species": "human",
            "link": "https://pubmed.ncbi.nlm.nih.gov/9000001",
            "duplicates": ["Alpha_2020: p53", "Alpha_2020: p53 again", "Beta.v1.2: p53 of beta"],
        },
        {
            "name": "repair",
            "description": "about",
            "source": "Beta.v1.2",
            "year": 2015,
            "species": "human",
            "link": None,
            "duplicates": None,
        },
    ]
    manifest = built.manifest
    assert manifest["gsfm_version"] == gsfm.__version__
    assert manifest["settings"] == {
        "min_size": 3,
        "max_size": 9,
        "min_gene_sets": 1,
        "near_duplicates": None,
        "shrink": 1.0,
        "species": None,
        "exclude": [],
    }
    assert manifest["sets"] == {
        "read": 9,
        "kept": 2,
        "dropped": {
            "no_known_gene": 1,
            "too_small": 2,
            "too_large": 1,
            "duplicate": 3,
            "rare_genes": 0,
        },
    }
    assert manifest["genes"] == {"kept": 5, "rare": 0}
    assert manifest["members"] == 6
    assert manifest["hash"] == corpus.content_hash(built)
    publications, alpha, beta = manifest["inputs"]
    assert [publications["source"], alpha["source"], beta["source"]] == [
        "publications",
        "Alpha_2020",
        "Beta.v1.2",
    ]
    for record, path in (
        (publications, papers),
        (alpha, folder / "Alpha_2020.gmt"),
        (beta, folder / "Beta.v1.2.gmt.gz"),
    ):
        assert record["file"] == path.name
        assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert record["bytes"] == path.stat().st_size
    assert publications["license"] == "NCBI, public domain"
    assert publications["sets"] == {"read": 2, "kept": 1, "dropped": {"too_small": 1}}
    assert alpha["sets"] == {
        "read": 5,
        "kept": 0,
        "dropped": {"no_known_gene": 1, "too_small": 1, "too_large": 1, "duplicate": 2},
    }
    assert "license" not in alpha
    assert alpha["available_by"] == 2020
    assert alpha["identifiers"]["unmapped"] == 3
    assert alpha["identifiers"]["most_frequent_unmapped"] == {
        "NOTAGENE1": 1,
        "NOTAGENE2": 1,
        "NOTAGENE3": 1,
    }
    assert beta["sets"] == {"read": 2, "kept": 1, "dropped": {"duplicate": 1}}
    assert (beta["license"], beta["kind"], beta["species"]) == ("CC0", "pathways", "human")
    assert lines[0] == "[1/3] publications: 2 sets"
    assert lines[-1] == "2 sets, 5 genes, 6 members"


def test_bounds_are_strict(tmp_path):
    path = gmt(tmp_path / "a.gmt", {str(n): GENES[:n] for n in range(1, 11)})
    built = corpus.build(path, min_size=4, max_size=6, near_duplicates=None)
    assert built.sizes.tolist() == [4, 5, 6]


def test_the_order_of_the_inputs_does_not_matter(folder, papers):
    inputs = [folder / "Alpha_2020.gmt", folder / "Beta.v1.2.gmt.gz", ("publications", papers)]
    builds = [corpus.build(order, min_size=2) for order in itertools.permutations(inputs)]
    for other in builds[1:]:
        assert other.manifest == builds[0].manifest
        assert other.metadata.equals(builds[0].metadata)
        assert (other.indices == builds[0].indices).all()
    # A file that is given twice, by itself and with its folder, counts once.
    twice = corpus.build([folder, *inputs, ("publications", str(papers))], min_size=2)
    assert twice.manifest == builds[0].manifest


def test_save_and_build_again(folder, tmp_path):
    built = corpus.build(folder, min_size=2)
    built.save(tmp_path / "a.gsets")
    again = corpus.build(tmp_path / "a.gsets", min_size=2)
    assert again.manifest["hash"] == built.manifest["hash"]
    # The sets keep their sources; they do not take the name of the file.
    assert again.metadata.equals(built.metadata)
    opened = corpus.load(tmp_path / "a.gsets")
    assert opened.manifest == built.manifest
    assert opened.metadata.equals(built.metadata)


def test_building_upon_a_corpus_keeps_all_names(folder, tmp_path):
    corpus.build(folder / "Alpha_2020.gmt", min_size=3, max_size=8).save(tmp_path / "first.gsets")
    built = corpus.build([tmp_path / "first.gsets", folder / "Beta.v1.2.gmt.gz"], min_size=3)
    assert built.names == ["repair", "p53 of beta"]
    assert built.metadata["duplicates"].to_list() == [
        None,
        ["Alpha_2020: p53", "Alpha_2020: p53 again"],
    ]


def test_the_earliest_year_of_duplicates_counts(tmp_path):
    gmt(tmp_path / "A.gmt", {"a": GENES[:5], "b": GENES[:6], "c": GENES[:7]})
    gmt(tmp_path / "B.gmt", {"a": GENES[:5], "b": GENES[:6]})
    table = tmp_path / "SOURCES.tsv"
    table.write_text("library\tavailable_by\nA\t2020\nB\t2011\n")
    built = corpus.build(tmp_path, near_duplicates=None)
    assert built.metadata["year"].to_list() == [2011, 2011, 2020]
    assert built.metadata["source"].to_list() == ["A", "A", "A"]
    table.write_text("library\tavailable_by\nB\t2011\n")
    built = corpus.build(tmp_path, near_duplicates=None)
    assert built.metadata["year"].to_list() == [2011, 2011, None]


def test_the_species_of_a_library_decides_what_its_symbols_mean(tmp_path):
    # Fh1 is an alias of the human gene FLNB, and the mouse gene of fumarate hydratase, FH.
    gmt(tmp_path / "Mouse.gmt", {"set": [*GENES[:5], "Fh1"]})
    without = corpus.build(tmp_path, near_duplicates=None)
    assert "FLNB" in without.genes(0)
    as_mouse = corpus.build(tmp_path, near_duplicates=None, species="mouse")
    assert "FH" in as_mouse.genes(0)
    assert as_mouse.manifest["settings"]["species"] == "mouse"
    (tmp_path / "SOURCES.tsv").write_text("library\tspecies\nMouse\tmouse (as in Enrichr)\n")
    by_file = corpus.build(tmp_path, near_duplicates=None)
    assert "FH" in by_file.genes(0)
    assert by_file.manifest["inputs"][0]["species"] == "mouse"


def test_exclude(folder):
    built = corpus.build(folder, min_size=2, exclude=["Alpha*"])
    assert built.manifest["excluded"] == ["Alpha_2020"]
    assert set(built.metadata["source"]) == {"Beta.v1.2"}
    with pytest.raises(GsfmError, match="no file is given, or all are excluded"):
        corpus.build(folder, exclude=["*"])


def test_rare_genes_go_until_all_rules_hold(tmp_path):
    sets = {
        "a": ["TP53", "MDM2", "CDKN1A"],
        "b": ["TP53", "MDM2", "CDKN1A", "EGFR"],  # EGFR is rare: without it, b equals a
        "c": ["TP53", "MDM2", "RB1"],
        "d": ["TP53", "CDKN1A", "RB1"],
        "e": ["TP53", "MYC", "KRAS"],  # MYC and KRAS are rare: without them, e is too small
        "f": ["MDM2", "PTEN", "BRCA1"],  # so is f, without BRCA1;
        "g": ["TP53", "RB1", "PTEN"],  # and without f, PTEN is rare and g too small
    }
    path = gmt(tmp_path / "L.gmt", sets)
    built = corpus.build(path, min_size=3, min_gene_sets=2, near_duplicates=None)
    assert as_sets(built) == {name: set(sets[name]) for name in "acd"}
    assert built.metadata["duplicates"].to_list() == [["L: b"], None, None]
    assert built.manifest["sets"]["dropped"] == {
        "no_known_gene": 0,
        "too_small": 0,
        "too_large": 0,
        "duplicate": 1,
        "rare_genes": 3,
    }
    assert built.manifest["genes"] == {"kept": 4, "rare": 5}
    with pytest.raises(GsfmError, match="no set is left"):
        corpus.build(path, min_size=3, min_gene_sets=8, near_duplicates=None)


def test_weights(tmp_path):
    pool = gsfm.genes.vocabulary().symbols[:400]
    sets = {
        "one": pool[:100],
        "one, a gene more": pool[:101],
        "one, a gene less": pool[:99],
        "another": pool[200:250],
        "another, a gene more": pool[200:251],
        "alone": pool[300:320],
    }
    path = gmt(tmp_path / "L.gmt", {name: list(genes) for name, genes in sets.items()})
    built = corpus.build(path)
    assert built.metadata["cluster"].to_list() == [0, 0, 0, 1, 1, None]
    assert built.weights == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0.5, 0.5, 1])
    gentler = corpus.build(path, shrink=0.5)
    assert gentler.weights == pytest.approx([3**-0.5] * 3 + [2**-0.5] * 2 + [1])
    strict = corpus.build(path, near_duplicates=0.995)
    assert strict.weights.tolist() == [1] * 6
    assert strict.metadata["cluster"].null_count() == 6
    # Weights are a setting; the content is the same.
    assert strict.manifest["hash"] == built.manifest["hash"]


def test_settings_of_the_search_are_checked_before_the_work(tmp_path, monkeypatch):
    path = tmp_path / "missing.gmt"
    for wrong in (0, 1.1, -1):
        with pytest.raises(GsfmError, match="must be above 0 and up to 1"):
            corpus.build(path, near_duplicates=wrong)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install '.\[corpus\]'"):
        corpus.build(path)
    with pytest.raises(GsfmError, match="no such file"):
        corpus.build(path, near_duplicates=None)


def test_stdin(monkeypatch, folder):
    content = (folder / "Beta.v1.2.gmt.gz").read_bytes()

    class Stdin:
        buffer = io.BytesIO(content)

    monkeypatch.setattr(sys, "stdin", Stdin)
    built = corpus.build("-", min_size=3)
    assert built.metadata["source"].to_list() == ["stdin", "stdin"]
    record = built.manifest["inputs"][0]
    assert record["sha256"] == hashlib.sha256(content).hexdigest()
    assert record["sets"] == {"read": 2, "kept": 2, "dropped": {}}


@st.composite
def libraries(draw):
    genes = st.lists(st.sampled_from([*GENES, "NOTAGENE1", "p53"]), min_size=1, max_size=12)
    return draw(st.lists(st.lists(genes, min_size=1, max_size=12), min_size=1, max_size=3))


@settings(max_examples=40)
@given(libraries(), st.integers(1, 4), st.integers(4, 11), st.integers(1, 4), st.randoms())
def test_invariants(tmp_path_factory, libraries, smallest, largest, min_gene_sets, rng):
    folder = tmp_path_factory.mktemp("corpus")
    paths = [
        gmt(folder / f"L{i}.gmt", {f"set {j}": genes for j, genes in enumerate(library)})
        for i, library in enumerate(libraries)
    ]

    def build():
        rng.shuffle(paths)
        return corpus.build(
            paths,
            min_size=smallest,
            max_size=largest,
            min_gene_sets=min_gene_sets,
            near_duplicates=None,
        )

    try:
        built = build()
    except GsfmError:
        with pytest.raises(GsfmError, match="no set is left"):
            build()
        return
    assert build().manifest == built.manifest
    assert ((built.sizes >= smallest) & (built.sizes <= largest)).all()
    assert len({frozenset(genes) for genes in as_rows(built)}) == len(built)
    assert np.bincount(built.indices, minlength=built.n_genes).min() >= min_gene_sets
    assert list(built.vocabulary) == sorted(built.vocabulary)
    manifest = built.manifest
    assert manifest["sets"]["kept"] == len(built)
    for sets, n in [
        (manifest["sets"], sum(map(len, libraries))),
        *((r["sets"], len(libraries[int(r["source"][1:])])) for r in manifest["inputs"]),
    ]:
        assert sets["read"] == n
        assert sets["kept"] + sum(sets["dropped"].values()) == n
    listed = sum(map(len, built.metadata["duplicates"].drop_nulls()))
    assert listed <= manifest["sets"]["dropped"]["duplicate"]
    if min_gene_sets == 1:
        assert listed == manifest["sets"]["dropped"]["duplicate"]


def as_rows(sets):
    return [sets.genes(i) for i in range(len(sets))]


# -- inputs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("KEGG_2021_Human.gmt.gz", "KEGG_2021_Human"),
        ("CREEDS_v1.0.gmt", "CREEDS_v1.0"),
        ("plain", "plain"),
        ("a.csv.zip", "a"),
        ("ENCODE.txt", "ENCODE"),
        ("MSigDB_c2.cgp.v2024.1.Hs.gmt", "MSigDB_c2.cgp.v2024.1.Hs"),
        (".gmt", ".gmt"),
    ],
)
def test_library_names(name, library):
    assert stem(Path("folder") / name) == library


def test_a_folder_is_searched_for_gene_set_files_alone(folder):
    (folder / "README.md").write_text("# About")
    (folder / "LICENSE.txt").write_text("as you like")
    (folder / ".hidden.gmt").write_text("a\t\tTP53\n")
    (folder / ".git").mkdir()
    gmt(folder / ".git" / "x.gmt", {"x": GENES[:5]})
    (folder / "deeper").mkdir()
    gmt(folder / "deeper" / "Gamma.gmt.gz", {"x": GENES[:5]})
    found, *_ = inputs_module.find([folder])
    assert [item.name for item in found] == ["Alpha_2020", "Beta.v1.2", "Gamma"]


def test_files_of_a_folder_without_a_usual_suffix(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    gmt(folder / "a.txt", {"a": GENES[:5]})
    with zipfile.ZipFile(folder / "b.zip", "w") as archive:
        archive.writestr("x.gmt", "b1\t\t" + "\t".join(GENES[1:6]))
        archive.writestr("y.gmt", "b2\t\t" + "\t".join(GENES[2:7]))
    with tarfile.open(folder / "c.tar.gz", "w:gz") as archive:
        archive.add(folder / "a.txt", "c.gmt")
    (folder / "README.md").write_text("of the data")
    (folder / "list.txt").write_text("\n".join(GENES[:5]))
    (folder / "figure.png").write_bytes(b"\x89PNG\r\n")
    os.mkfifo(folder / "fifo")
    said = []
    built = corpus.build(folder, progress=said.append)
    assert set(built.names) == {"a", "b1", "b2"}
    assert [item["source"] for item in built.manifest["inputs"]] == ["a", "b", "c"]
    left_out = built.manifest["left_out"]
    assert set(left_out) == {"README.md", "list.txt", "figure.png", "fifo"}
    assert "a list of genes, not gene sets" in left_out["list.txt"]
    assert "not a regular file" in left_out["fifo"]
    lines = [line for line in said if line.startswith("left out ")]
    assert {line.split("/")[-1].split(":")[0] for line in lines} == set(left_out)
    (folder / "d.gmt").write_text("damaged")
    with pytest.raises(FormatError, match=r"d\.gmt, line 1: the line has no tab"):
        corpus.build(folder)
    for name in ("a.txt", "b.zip", "c.tar.gz", "d.gmt"):
        (folder / name).unlink()
    with pytest.raises(GsfmError, match="nothing to build from: 4 files were left out"):
        corpus.build(folder)


def test_wrong_inputs(tmp_path):
    with pytest.raises(GsfmError, match=r"missing\.gmt: no such file or folder"):
        corpus.build(tmp_path / "missing.gmt")
    with pytest.raises(GsfmError, match="the folder holds no gene-set file"):
        corpus.build(tmp_path)
    (tmp_path / "notes.md").write_text("nothing")
    with pytest.raises(GsfmError, match="the folder holds no gene-set file"):
        corpus.build([tmp_path])
    with pytest.raises(GsfmError, match="unknown source 'pubs': the known sources are pub"):
        corpus.build([("pubs", tmp_path / "notes.md")])
    with pytest.raises(GsfmError, match="nothing to build from"):
        corpus.build([])
    path = gmt(tmp_path / "a.gmt", {"a": GENES[:3]})
    with pytest.raises(GsfmError, match="no set is left: none has 5 to 1000 genes"):
        corpus.build(path)
    with pytest.raises(GsfmError, match="no size of a term is 5 or more and 4 or fewer"):
        corpus.build(path, max_size=4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\tlicense\na\tCC0\n", r"SOURCES\.tsv, line 1: has no column 'library'"),
        (
            "library\tavailable_by\nb\t2020\na\tsoon\n",
            r"line 3: available_by is 'soon', not a year",
        ),
        ("library\tlicense\na\tCC0\tmore\tand more\n", r"SOURCES\.tsv: is not a table with tabs"),
    ],
)
def test_wrong_tables_of_sources(tmp_path, text, message):
    gmt(tmp_path / "a.gmt", {"a": GENES})
    (tmp_path / "SOURCES.tsv").write_text(text)
    with pytest.raises(FormatError, match=message):
        corpus.build(tmp_path)


# -- the hash --------------------------------------------------------------------------------------


def test_the_hash_tells_contents_apart():
    base = {"a": ["TP53", "MDM2"], "b": ["EGFR"]}
    same = {"b": ["EGFR"], "a": ["MDM2", "TP53"]}
    others = [
        {"a": ["TP53", "MDM2"], "c": ["EGFR"]},
        {"a": ["TP53"], "b": ["EGFR", "MDM2"]},
        {"a": ["TP53", "MDM2"], "b": ["ERBB2"]},
        {"a": ["EGFR"], "b": ["TP53", "MDM2"]},
        {"a": ["TP53", "MDM2"]},
    ]
    one = corpus.content_hash(GeneSets.from_lists(base))
    assert corpus.content_hash(GeneSets.from_lists(same)) == one
    assert len({one, *(corpus.content_hash(GeneSets.from_lists(o)) for o in others)}) == 6
    # Genes that no set has do not count, nor the order of the vocabulary.
    vocabulary = gsfm.genes.Vocabulary(["MYC", "TP53", "EGFR", "MDM2"])
    assert corpus.content_hash(GeneSets.from_lists(base, vocabulary=vocabulary)) == one


def test_the_hash_is_stable():
    sets = GeneSets.from_lists({"a": ["TP53", "MDM2"], "b": ["EGFR"]})
    # Worked out by the rule in the documentation: sorted symbols, ids of 4 bytes, sorted hashes.
    sha = hashlib.sha256
    ids = {"EGFR": 0, "MDM2": 1, "TP53": 2}
    rows = [
        sha(f"name={name}".encode() + b"\0\0" + b"".join(
            ids[g].to_bytes(4, "little") for g in sorted(genes)
        )).digest()
        for name, genes in {"a": ["TP53", "MDM2"], "b": ["EGFR"]}.items()
    ]  # fmt: skip
    vocabulary = sha(b"EGFR\nMDM2\nTP53").hexdigest()
    expected = sha(vocabulary.encode() + b"".join(sorted(rows))).hexdigest()
    assert corpus.content_hash(sets) == expected
