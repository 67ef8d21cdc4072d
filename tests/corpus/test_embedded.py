"""The corpus in the package: what is in it, and its packing."""

from __future__ import annotations

import importlib.resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gsfm
from gsfm import GeneSets, corpus
from gsfm.corpus import shipped
from gsfm.corpus.sources import publications
from gsfm.genes import Vocabulary


@pytest.fixture(scope="module")
def embedded():
    return corpus.embedded()


def test_what_is_in_it(embedded):
    assert 25_000 < len(embedded) < 50_000
    assert (embedded.sizes >= 4).all()
    assert (embedded.sizes <= 1000).all()
    assert len(set(embedded.names)) == len(embedded)
    # Every gene occurs, and is one that `genes` knows.
    assert np.bincount(embedded.indices, minlength=embedded.n_genes).min() >= 1
    assert list(embedded.vocabulary) == sorted(embedded.vocabulary)
    assert set(embedded.vocabulary) <= set(gsfm.genes.vocabulary())
    embedded.validate()


# As NCBI Gene links them in the release of 2022-09; looked up in org.Hs.eg.sqlite by hand.
@pytest.mark.parametrize(
    ("pmid", "year", "genes"),
    [
        # A strong candidate for the breast and ovarian cancer susceptibility gene BRCA1 (1994).
        (
            7545954,
            1994,
            "AARSD1 ARL4D BRCA1 NBR1 NCF1 PSME3 PTGES3L-AARSD1 RPL27 VAT1",
        ),
        # HnRNP proteins controlled by c-Myc deregulate pyruvate kinase mRNA splicing (2010).
        (20010808, 2010, "HNRNPA1 HNRNPA2B1 MYC PKM"),
        (16959974, 2006, "C8orf44-SGK3 CD109 MAP7D2 MIA2 ZBTB8A"),
    ],
)
def test_known_papers(embedded, pmid, year, genes):
    paper = embedded[embedded.names.index(f"PMID:{pmid}")]
    assert paper.genes == tuple(genes.split())
    assert paper.metadata == {
        "source": "publications",
        "year": year,
        "species": "human",
        "link": f"https://pubmed.ncbi.nlm.nih.gov/{pmid}",
    }


def test_its_manifest_agrees(embedded):
    manifest = embedded.manifest
    (record,) = manifest["inputs"]
    assert record["license"] == "NCBI, public domain"
    assert record["release"] == "NCBI Gene 2022-Sep12"
    assert record["file"] == "r-bioc-org.hs.eg.db_3.16.0-1_all.deb"
    for sets in (manifest["sets"], record["sets"]):
        assert sets["kept"] == len(embedded)
        assert sets["kept"] + sum(sets["dropped"].values()) == sets["read"]
    assert manifest["settings"] == {"min_size": 4, "max_size": 1000, "species": "human"}
    assert manifest["members"] == len(embedded.indices)
    assert manifest["genes"] == {"kept": embedded.n_genes, "rare": 0}
    assert manifest["hash"] == corpus.content_hash(embedded)


def test_its_file_is_small():
    path = importlib.resources.files("gsfm.corpus") / "data" / shipped.FILE
    assert len(path.read_bytes()) < 1_000_000
    assert corpus.embedded().metadata.height > 0


def test_load(tmp_path, embedded):
    assert corpus.load("default").manifest == embedded.manifest
    embedded[:100].save(tmp_path / "some.gsets")
    assert len(corpus.load(tmp_path / "some.gsets")) == 100
    (tmp_path / "some.gmt").write_text("a\t\tTP53\tMDM2\tCDKN1A\tRB1\tMYC\n")
    for given_path in (tmp_path / "some.gmt", str(tmp_path / "some.gmt")):
        assert corpus.load(given_path).names == ["a"]
    with pytest.raises(gsfm.GsfmError, match="no such file"):
        corpus.load(tmp_path / "missing.gmt")
    with pytest.raises(gsfm.GsfmError, match="No such file"):
        corpus.load(tmp_path / "missing.gsets")


@given(
    st.dictionaries(
        st.integers(1, 2**31), st.sets(st.integers(0, 999), max_size=30), min_size=1, max_size=20
    )
)
def test_packing_and_unpacking_is_the_identity(papers):
    pmids = np.array(sorted(papers))
    vocabulary = Vocabulary([f"G{i}" for i in range(1000)])
    sets = GeneSets.from_ids(vocabulary, [sorted(papers[int(pmid)]) for pmid in pmids])
    sets.manifest = {"release": "ä release", "sets": {"kept": len(pmids)}}
    found = shipped.unpack(shipped.pack(pmids, sets))
    assert found.vocabulary == vocabulary
    assert (found.indptr == sets.indptr).all()
    assert (found.indices == sets.indices).all()
    assert found.metadata.equals(publications.metadata(pmids, "human"))
    assert found.manifest == sets.manifest


def test_packing_refuses_what_does_not_fit():
    sets = GeneSets.from_ids(Vocabulary(["A"]), [[0], [0]])
    with pytest.raises(ValueError, match="does not fit"):
        shipped.pack(np.array([5, 3]), sets)
