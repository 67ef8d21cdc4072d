"""Papers as gene sets: three kinds of files, the same sets."""

from __future__ import annotations

import gzip
import io
import sqlite3
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsfm import GsfmError
from gsfm.corpus import sources
from gsfm.corpus.sources import publications
from gsfm.errors import FormatError

HEADER = b"#tax_id\tGeneID\tPubMed_ID\n"
# Entrez ids: 7157 TP53, 4193 MDM2, 1026 CDKN1A, 672 BRCA1; 999999999 is no gene.
LINKS = [
    *((7157, 9000001), (4193, 9000001), (7157, 9000001), (999999999, 9000001)),
    *((672, 20000000), (7157, 20000000), (1026, 20000000)),
    (999999999, 300),
]
EXPECTED = {
    "PMID:300": (),
    "PMID:9000001": ("MDM2", "TP53"),
    "PMID:20000000": ("BRCA1", "CDKN1A", "TP53"),
}


def as_sets(sets):
    return {name: sets.genes(i) for i, name in enumerate(sets.names)}


def table(links=LINKS, taxon=9606):
    return HEADER + b"".join(b"%d\t%d\t%d\n" % (taxon, *link) for link in links)


def write_sqlite(path: Path, links=LINKS, taxon="9606", symbols=()):
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE metadata (name TEXT, value TEXT);"
        "CREATE TABLE genes (_id INTEGER, gene_id TEXT);"
        "CREATE TABLE pubmed (_id INTEGER, pubmed_id TEXT);"
        "CREATE TABLE gene_info (_id INTEGER, gene_name TEXT, symbol TEXT);"
    )
    facts = [("TAXID", taxon), ("EGSOURCEDATE", "2022-Sep12")]
    connection.executemany("INSERT INTO metadata VALUES (?, ?)", facts)
    genes = {gene: i for i, gene in enumerate(sorted({gene for gene, _ in links}), 1)}
    connection.executemany("INSERT INTO genes VALUES (?, ?)", [(i, g) for g, i in genes.items()])
    rows = [(genes[gene], str(pmid)) for gene, pmid in links]
    connection.executemany("INSERT INTO pubmed VALUES (?, ?)", rows)
    named = [(genes[gene], "a gene", symbol) for gene, symbol in symbols]
    connection.executemany("INSERT INTO gene_info VALUES (?, ?, ?)", named)
    connection.commit()
    connection.close()
    return path


def ar(members: dict[str, bytes]) -> bytes:
    """An archive as ar(1) writes it: a header of 60 bytes a member, members at even bytes."""
    out = b"!<arch>\n"
    for name, content in members.items():
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
        out += header.encode() + content + b"\n" * (len(content) % 2)
    return out


def tar(members: dict[str, bytes], compression: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def deb(sqlite: bytes, compression="xz", name="org.Hs.eg.sqlite") -> bytes:
    inside = f"./usr/lib/R/site-library/org.Hs.eg.db/extdata/{name}"
    data = tar({"./usr/share/doc/copyright": b"free", inside: sqlite}, compression)
    return ar(
        {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", f"data.tar.{compression}": data}
    )


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {
        "text": tmp_path / "gene2pubmed",
        "gzip": tmp_path / "gene2pubmed.gz",
        "sqlite": tmp_path / "org.Hs.eg.sqlite",
        "deb": tmp_path / "r-bioc-org.hs.eg.db_3.16.0-1_all.deb",
        "deb.gz": tmp_path / "older.deb",
    }
    paths["text"].write_bytes(table())
    paths["gzip"].write_bytes(gzip.compress(table()))
    content = write_sqlite(paths["sqlite"]).read_bytes()
    paths["deb"].write_bytes(deb(content))
    paths["deb.gz"].write_bytes(deb(content, "gz"))
    return paths


@pytest.mark.parametrize("kind", ["text", "gzip", "sqlite", "deb", "deb.gz"])
def test_all_kinds_of_files_give_the_same_sets(files, kind):
    sets = publications.read(files[kind])
    assert as_sets(sets) == EXPECTED
    assert sets.metadata["link"].to_list() == [
        "https://pubmed.ncbi.nlm.nih.gov/300",
        "https://pubmed.ncbi.nlm.nih.gov/9000001",
        "https://pubmed.ncbi.nlm.nih.gov/20000000",
    ]
    assert sets.metadata["year"].to_list() == [1985, 1997, 2010]
    assert sets.metadata["source"].unique().to_list() == ["publications"]
    assert sets.metadata["species"].unique().to_list() == ["human"]
    assert sets.manifest["license"] == "NCBI, public domain"
    released = "NCBI Gene 2022-Sep12" if kind[:3] in ("sql", "deb") else None
    assert sets.manifest["release"] == released
    assert sets.report.n_identifiers == 5
    assert sets.report.mapped == {"entrez": 4}
    assert sets.report.unmapped == {"999999999": 2}


def test_other_species_are_left_out(tmp_path):
    path = tmp_path / "gene2pubmed"
    path.write_bytes(table() + table([(672, 300), (672, 5)], taxon=10090)[len(HEADER) :])
    assert as_sets(publications.read(path)) == EXPECTED


@pytest.mark.parametrize("companion", ["Mus_musculus.gene_info.gz", "gene_info"])
def test_mouse_genes_become_their_orthologs(tmp_path, companion):
    path = tmp_path / "gene2pubmed"
    path.write_bytes(table([(22059, 9000001), (17246, 9000001), (1, 9000001)], taxon=10090))
    info = b"#tax_id\tGeneID\tSymbol\tLocusTag\n9606\t22059\tEGFR\t-\n10090\t22059\tTrp53\t-\n"
    info += b"10090\t17246\tMdm2\t-\n"
    (tmp_path / companion).write_bytes(gzip.compress(info) if companion[-3:] == ".gz" else info)
    sets = publications.read(path, species="mouse")
    assert as_sets(sets) == {"PMID:9000001": ("MDM2", "TP53")}
    assert sets.metadata["species"].to_list() == ["mouse"]
    assert sets.report.unmapped == {"1": 1}


def test_mouse_sqlite_brings_its_symbols(tmp_path):
    path = write_sqlite(
        tmp_path / "org.Mm.eg.sqlite", [(22059, 7), (17246, 7)], "10090",
        [(22059, "Trp53"), (17246, "Mdm2")],
    )  # fmt: skip
    assert as_sets(publications.read(path, species="mouse")) == {"PMID:7": ("MDM2", "TP53")}


def test_mouse_ids_without_symbols_are_an_error(tmp_path):
    path = tmp_path / "gene2pubmed"
    path.write_bytes(table([(22059, 9)], taxon=10090))
    with pytest.raises(FormatError, match=r"put NCBI's Mus_musculus\.gene_info\.gz beside"):
        publications.read(path, species="mouse")


def test_unusual_lines_are_read_all_the_same(tmp_path):
    path = tmp_path / "gene2pubmed"
    windows = table().replace(b"\n", b"\r\n")
    path.write_bytes(windows + b"\r\n# the end\r\n9606\t672\t300")
    assert as_sets(publications.read(path)) == EXPECTED | {"PMID:300": ("BRCA1",)}


def test_the_header_of_old_files(tmp_path):
    path = tmp_path / "gene2pubmed"
    old = b"#Format: tax_id GeneID PubMed_ID (tab is used as a separator, pound sign - comment)\n"
    path.write_bytes(table().replace(HEADER, old))
    assert as_sets(publications.read(path)) == EXPECTED


@pytest.mark.parametrize("size", [1, 7, 30])
def test_chunks_end_at_lines(files, monkeypatch, size):
    monkeypatch.setattr(publications, "_CHUNK", size)
    assert as_sets(publications.read(files["gzip"])) == EXPECTED


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a", b"", r"a, line 1: expected the header"),
        ("a", b"9606\t1\t2\n", r"line 1: expected the header .* found '9606"),
        ("a", b"\xff\xfe\x00rubbish", r"line 1: expected the header"),
        ("a", HEADER + b"9606\t1\t2\n9606\t1\n", r"a, line 3: expected three numbers"),
        ("a", HEADER + b"9606\t1\t2\t3\n", r"a, line 2: expected three numbers"),
        ("a", HEADER + b"9606\tTP53\t2\n", r"line 2: .* found '9606\\tTP53"),
        ("a", HEADER + b"9606\t1\t-2\n", r"line 2: expected three numbers"),
        ("a", HEADER + b"9606\t1\t" + b"9" * 25, r"line 2: expected three numbers"),
        ("a", HEADER + b'9606\t"1"\t2\n', r"line 2: expected three numbers"),
        ("a", HEADER, r"has no gene of human \(taxon 9606\)"),
        ("a", HEADER + b"10090\t1\t2\n", r"has no gene of human"),
        ("a.gz", HEADER + b"9606\t1\t2\n", r"ends in \.gz but is not gzip"),
        ("a.gz", gzip.compress(table(), mtime=0)[:-9], r"compressed data is damaged or cut short"),
        ("a.gz", b"\x1f\x8b" + b"rubbish" * 9, r"compressed data is damaged"),
        ("a", b"SQLite format 3\0" + b"rubbish" * 99, r"is not an org\.\*\.eg\.sqlite"),
        ("a.deb", b"!<arch>\n", r"without a data\.tar: not a Debian package"),
        ("a.deb", b"!<arch>\nrubbish", r"is a damaged archive"),
        ("a.deb", ar({"data.tar.xz": b"rubbish"}), r"its data\.tar\.xz cannot be unpacked"),
        ("a.deb", ar({"data.tar.zst": b"rubbish"}), r"its data\.tar\.zst cannot be unpacked"),
        ("a.deb", deb(b"", name="org.Hs.eg.txt"), r"holds no extdata/org\.\*\.eg\.sqlite"),
        ("a.deb", deb(b"no database"), r"a\.deb: is not an org\.\*\.eg\.sqlite"),
    ],
)
def test_wrong_files(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        publications.read(path)


def test_a_truncated_package_is_an_error(files):
    content = files["deb"].read_bytes()
    files["deb"].write_bytes(content[: len(content) // 2])
    with pytest.raises(FormatError, match="cannot be unpacked"):
        publications.read(files["deb"])


def test_sqlite_of_another_kind(tmp_path):
    path = tmp_path / "a.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE other (x)")
    connection.commit()
    connection.close()
    with pytest.raises(FormatError, match="no such table: metadata"):
        publications.read(path)


def test_sqlite_of_another_species(tmp_path):
    path = write_sqlite(tmp_path / "org.Mm.eg.sqlite", taxon="10090")
    with pytest.raises(
        FormatError, match=r"taxon 10090, not 9606 .*read it with the species 'mouse'"
    ):
        publications.read(path)


def test_unknown_species(files):
    with pytest.raises(GsfmError, match="unknown species 'yeast': choose from human, mouse, rat"):
        publications.read(files["text"], species="yeast")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        publications.read(tmp_path / "missing.gz")


@given(
    st.lists(
        st.tuples(st.sampled_from([7157, 4193, 1026, 672, 999999999]), st.integers(1, 40)),
        min_size=1,
        max_size=60,
    )
)
def test_sets_are_the_links_turned_around(links):
    symbols = {7157: "TP53", 4193: "MDM2", 1026: "CDKN1A", 672: "BRCA1"}
    expected = {f"PMID:{pmid}": set() for pmid in sorted({pmid for _, pmid in links})}
    for gene, pmid in links:
        expected[f"PMID:{pmid}"] |= {symbols[gene]} if gene in symbols else set()
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gene2pubmed"
        path.write_bytes(table(links))
        found = as_sets(publications.read(path))
    assert list(found) == list(expected)
    assert {name: set(genes) for name, genes in found.items()} == expected


# -- years -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pmid", "year"),
    [
        *((10_600_000, 2000), (15_600_000, 2005), (20_000_000, 2010), (25_600_000, 2015)),
        *((28_600_000, 2017.5), (30_600_000, 2019), (31_900_000, 2020), (33_400_000, 2021)),
        *((34_980_000, 2022), (36_000_000, 2022.7)),
    ],
)
def test_years_at_the_anchors(pmid, year):
    assert publications.years([pmid]).tolist() == [year]


# Papers that everybody knows, with the time when they appeared.
KNOWN = {
    9039911: 1997.15,  # Dolly the sheep, Nature, 27 February 1997
    9254694: 1997.67,  # gapped BLAST, Nucleic Acids Res., 1 September 1997
    9486653: 1998.14,  # RNA interference, Nature, 19 February 1998
    9843981: 1998.94,  # clusters of expression patterns, PNAS, 8 December 1998
    10521349: 1999.79,  # classes of leukaemia, Science, 15 October 1999
    10802651: 2000.33,  # Gene Ontology, Nature Genetics, May 2000
    11237011: 2001.12,  # the human genome, Nature, 15 February 2001
    12402038: 2002.85,  # PDCD1 in lupus, Nature Genetics, November 2002
    12477932: 2002.98,  # 15,000 full-length cDNAs, PNAS, 24 December 2002
    14702039: 2004.0,  # 21,243 full-length cDNAs, Nature Genetics, January 2004
    15489334: 2004.79,  # the Mammalian Gene Collection, Genome Research, October 2004
    16199517: 2005.82,  # gene set enrichment analysis, PNAS, 25 October 2005
    21276005: 2011.0,  # the PD-1 pathway, Ann. N. Y. Acad. Sci., January 2011
    22745249: 2012.63,  # Cas9 guided by RNA, Science, 17 August 2012
    22955616: 2012.68,  # ENCODE, Nature, 6 September 2012
    32015508: 2020.1,  # a new coronavirus, Nature, 3 February 2020
    34265844: 2021.54,  # AlphaFold, Nature, 15 July 2021
}


@pytest.mark.parametrize(("pmid", "year"), KNOWN.items())
def test_years_of_known_papers(pmid, year):
    assert publications.years([pmid])[0] == pytest.approx(year, abs=0.3)


# In the order in which PubMed numbered them, papers of before 1996 are not in that of time.
@pytest.mark.parametrize(
    ("pmid", "year"),
    [
        (2231712, 1990.8),  # BLAST
        (2475911, 1989.7),  # the cystic fibrosis gene
        (7545954, 1994.8),  # BRCA1
        (8458085, 1993.2),  # the Huntington's disease gene
        (8524414, 1995.98),  # BRCA2
    ],
)
def test_years_before_1996_are_rough(pmid, year):
    assert publications.years([pmid])[0] == pytest.approx(year, abs=3.0)
    assert publications.years([pmid])[0] < 1996


@given(st.lists(st.integers(0, 60_000_000), min_size=2, max_size=20).map(sorted))
def test_years_never_decrease(pmids):
    found = publications.years(pmids)
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 1985
    assert np.isfinite(found).all()


# -- the download and the registry -----------------------------------------------------------------


def test_download(tmp_path):
    (tmp_path / "mirror.gz").write_bytes(gzip.compress(table()))
    path = publications.download(tmp_path / "gene2pubmed.gz", url=(tmp_path / "mirror.gz").as_uri())
    assert as_sets(publications.read(path)) == EXPECTED


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/gene2pubmed.gz", "file:///no/such/file"])
def test_a_failed_download_says_what_to_do_and_leaves_nothing(tmp_path, url):
    with pytest.raises(GsfmError, match=r"could not fetch .*: fetch it by other means"):
        publications.download(tmp_path / "gene2pubmed.gz", url=url)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_off_is_an_error(tmp_path, monkeypatch):
    class Answer(io.BytesIO):
        headers = {"Content-Length": "1000"}  # noqa: RUF012

    monkeypatch.setattr("urllib.request.urlopen", lambda *a, **k: Answer(b"short"))
    with pytest.raises(GsfmError, match="5 of 1000 bytes received"):
        publications.download(tmp_path / "gene2pubmed.gz")
    assert list(tmp_path.iterdir()) == []


def test_registry():
    assert sources.get("publications").read is publications.read
    assert sources.table()["name"].to_list() == sorted(sources.SOURCES)
    with pytest.raises(
        GsfmError, match="unknown source 'pubs': the known sources are publications"
    ):
        sources.get("pubs")
