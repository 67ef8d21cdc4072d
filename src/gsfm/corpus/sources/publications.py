"""Gene sets from the literature: the genes that NCBI links to a paper are a set.

NCBI Gene lists the papers about every gene (``gene2pubmed``). Grouped by paper, the list has a gene
set for every paper. The same table is in the Bioconductor annotation packages (``org.Hs.eg.db``),
which Debian distributes, too. All of these files can be read.
"""

from __future__ import annotations

import contextlib
import io
import lzma
import re
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

import gsfm.genes
from gsfm.errors import FormatError, GsfmError
from gsfm.genes import Species, Vocabulary
from gsfm.io.download import fetch
from gsfm.io.streams import open_source
from gsfm.sets import GeneSets, ReadReport, csr

#: The complete table of all species at NCBI, updated daily (about 300 MB).
URL = "https://ftp.ncbi.nlm.nih.gov/gene/DATA/gene2pubmed.gz"
LICENSE = "NCBI, public domain"
TAXA = {"human": 9606, "mouse": 10090, "rat": 10116}

_GENE_INFO = {"mouse": "Mus_musculus", "rat": "Rattus_norvegicus"}
_HEADER = ("tax_id", "GeneID", "PubMed_ID")
_CHUNK = 1 << 25

# PubMed ids and the years in which they were assigned. From 8.55 million (1996) on, the ids are in
# order of time; the earlier literature was loaded in blocks that are not. The first anchor is such
# that the line below 1996 passes through the years in which papers about genes were frequent.
# Between 12.98 and 14.57 million are articles of 1950 to 1965.
_ANCHORS = (
    *((0, 1985.0), (8_550_000, 1996.0), (9_000_000, 1997.0), (9_400_000, 1998.0)),
    *((9_900_000, 1999.0), (10_600_000, 2000.0), (11_790_000, 2002.0), (12_490_000, 2003.0)),
    *((12_980_000, 2003.75), (14_570_000, 2003.8), (14_700_000, 2004.0), (15_600_000, 2005.0)),
    *((20_000_000, 2010.0), (25_600_000, 2015.0), (28_600_000, 2017.5), (30_600_000, 2019.0)),
    *((31_900_000, 2020.0), (33_400_000, 2021.0), (34_980_000, 2022.0), (36_000_000, 2022.7)),
)


def years(pmids: ArrayLike) -> NDArray[np.float64]:
    """Return the approximate time of publication of PubMed ids, as a decimal year.

    Piecewise linear between anchors, and extrapolated beyond the last one. Since 1996 the error is
    below one year for papers that entered PubMed when they were published. Ids below 8.55 million
    were not assigned in order of time: 1996 is an upper bound for these papers, and the estimate
    (1985 to 1996) has an error of a few years for papers of 1984 to 1995 and more for older ones.
    The ids of 13.0 to 14.5 million belong to articles of 1950 to 1965, which were entered in 2003.

    Parameters
    ----------
    pmids
        (n,) PubMed ids.

    Returns
    -------
    (n,) float64 years; never decreasing in the PMID.

    Examples
    --------
    >>> years([10_600_000, 18_000_000, 36_000_000]).round(1).tolist()
    [2000.0, 2007.7, 2022.7]
    """
    x, y = np.array(_ANCHORS).T
    pmids = np.asarray(pmids, dtype=np.float64)
    slope = (y[-1] - y[-2]) / (x[-1] - x[-2])
    return np.asarray(np.interp(pmids, x, y) + np.maximum(pmids - x[-1], 0) * slope)


def read(path: str | Path, *, species: Species | None = None) -> GeneSets:
    """Read the papers about genes: one gene set for each paper.

    Parameters
    ----------
    path
        NCBI's ``gene2pubmed`` (plain or gzip), an ``org.*.eg.sqlite``, or the Debian package
        (``r-bioc-org.hs.eg.db_*.deb``) with one. The kind is recognized by the content.
    species
        ``"human"`` (also for None), ``"mouse"`` or ``"rat"``; the genes of the latter two become
        their human orthologs, found by symbol. ``gene2pubmed`` has no symbols: for these two,
        NCBI's ``Mus_musculus.gene_info.gz``, ``Rattus_norvegicus.gene_info.gz`` or
        ``gene_info.gz`` must be in its folder.

    Returns
    -------
    GeneSets
        Every paper, ascending by PMID, with the columns ``name`` (``PMID:12345``), ``source``,
        ``year`` (see `years`), ``species`` and ``link``. A paper without a mapped gene is an empty
        set. The manifest has the license, and the release if the file names it; the report lists
        how the gene ids were mapped.

    Raises
    ------
    FormatError
        If the file is none of these, is damaged, or has no gene of the species.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "gene2pubmed"
    >>> _ = path.write_text(
    ...     "#tax_id\\tGeneID\\tPubMed_ID\\n9606\\t7157\\t10647931\\n9606\\t5925\\t10647931\\n"
    ... )
    >>> read(path)[0]
    GeneSet(name='PMID:10647931', genes=('RB1', 'TP53'), metadata={...'year': 2000, ...})
    """
    path = Path(path)
    species = species or "human"
    if species not in TAXA:
        raise GsfmError(f"unknown species {species!r}: choose from {', '.join(TAXA)}")
    with path.open("rb") as stream:
        start = stream.read(16)
    if start == b"SQLite format 3\0":
        found = _from_sqlite(path, path, species)
    elif start.startswith(b"!<arch>\n"):
        found = _from_deb(path, species)
    else:
        found = _from_text(path, species)
    if not len(found.links):
        raise FormatError(path, f"has no gene of {species} (taxon {TAXA[species]})")
    return _gather(path, found, species)


def download(path: str | Path, *, url: str = URL) -> Path:
    """Download ``gene2pubmed.gz`` from NCBI to the file `path`; a stopped download is resumed.

    Parameters
    ----------
    path
        The file to write.
    url
        The address.

    Raises
    ------
    GsfmError
        If the server cannot be reached, refuses, or closes the connection.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "mirror").write_bytes(b"...")
    >>> download(folder / "gene2pubmed.gz", url=(folder / "mirror").as_uri()).name
    'gene2pubmed.gz'
    """
    return fetch(url, path)


def metadata(pmids: NDArray[np.int64], species: str) -> pl.DataFrame:
    """Return the metadata of papers, all of which are derived from the PubMed ids.

    Parameters
    ----------
    pmids
        (n,) PubMed ids.
    species
        The species of the genes.

    Examples
    --------
    >>> metadata(np.array([10647931]), "human").row(0, named=True)["name"]
    'PMID:10647931'
    """
    table = pl.DataFrame({"pmid": pmids, "year": np.floor(years(pmids)).astype(np.int32)})
    return table.select(
        name=pl.format("PMID:{}", "pmid"),
        source=pl.lit("publications"),
        year="year",
        species=pl.lit(species),
        link=pl.format("https://pubmed.ncbi.nlm.nih.gov/{}", "pmid"),
    )


# -- the three kinds of files ------------------------------------------------------------------


class _Found(NamedTuple):
    format: str
    links: NDArray[np.int64]  # (n, 2) gene id, PubMed id
    symbols: dict[int, str] | None = None  # of the genes; human ids are mapped without symbols
    release: str | None = None


def _from_text(path: Path, species: str) -> _Found:
    parts = [np.empty((0, 2), np.int64)]
    with _open(path) as stream:
        _check_header(path, stream.readline(1000), "gene2pubmed", _HEADER)
        line = 2
        while chunk := stream.read(_CHUNK):
            chunk += stream.readline()
            rows = _parse(path, chunk, line)
            rows = rows.filter(pl.col("tax_id") == TAXA[species]).drop("tax_id")
            parts.append(rows.cast(pl.Int64).to_numpy())
            line += chunk.count(b"\n")
    links = np.concatenate(parts)
    symbols = None if species == "human" or not len(links) else _gene_info(path, species)
    return _Found("gene2pubmed", links, symbols)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """Open a text file, compressed or not."""
    with open_source(path) as source:
        if source.notes.done():  # at its beginning, only of its name
            raise FormatError(path, "ends in .gz but is not gzip: download it again, or rename it")
        yield source.stream


def _check_header(path: Path, header: bytes, what: str, columns: tuple[str, ...]) -> None:
    text = header.decode("utf-8", "replace").strip()
    # NCBI wrote "#Format: tax_id GeneID PubMed_ID (tab is used ...)" until 2016.
    words = text.removeprefix("#Format:").removeprefix("#").split()
    if not text.startswith("#") or tuple(words[: len(columns)]) != columns:
        expected = f"expected the header '#{'<tab>'.join(columns)}' of {what}"
        raise FormatError(path, f"{expected}, found {text[:60]!r}", line=1)


def _parse(path: Path, chunk: bytes, first_line: int) -> pl.DataFrame:
    """Read whole lines of three numbers."""
    schema = dict.fromkeys(_HEADER, pl.UInt64)
    n_lines = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
    with contextlib.suppress(pl.exceptions.PolarsError):
        rows = pl.read_csv(chunk, separator="\t", has_header=False, schema=schema, quote_char=None)
        if rows.height == n_lines and not any(rows.null_count().row(0)):
            return rows
    # A line is wrong, or unusual (blank, a comment, Windows line ends): check each line.
    kept = []
    for number, line in enumerate(chunk.splitlines(), first_line):
        if line.strip() and not line.startswith(b"#"):
            if not re.fullmatch(rb"\d{1,18}(\t\d{1,18}){2}", line):
                text = line[:60].decode("utf-8", "replace")
                reason = f"expected three numbers separated by tabs, found {text!r}"
                raise FormatError(path, reason, line=number)
            kept.append([int(field) for field in line.split(b"\t")])
    return pl.DataFrame(kept, schema=schema, orient="row")


def _gene_info(path: Path, species: str) -> dict[int, str]:
    """The symbols of a species from NCBI's gene_info in the folder of `path`."""
    full = f"{_GENE_INFO[species]}.gene_info"
    names = (f"{full}.gz", "gene_info.gz", full, "gene_info")
    beside = next((file for name in names if (file := path.with_name(name)).is_file()), None)
    if beside is None:
        mend = f"put NCBI's {names[0]} beside the file, or read the org.*.eg.sqlite of the species"
        raise FormatError(path, f"the ids of {species} genes need their symbols: {mend}")
    taxon = str(TAXA[species]).encode()
    with _open(beside) as stream:
        _check_header(beside, stream.readline(1000), "gene_info", ("tax_id", "GeneID", "Symbol"))
        rows = (line.split(b"\t", 3) for line in stream)
        return {int(row[1]): row[2].decode() for row in rows if row[0] == taxon and len(row) > 3}


def _from_sqlite(path: Path, shown: Path, species: str) -> _Found:
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            facts = dict(connection.execute("SELECT name, value FROM metadata"))
            gene = "SELECT CAST(gene_id AS INTEGER),"
            papers = f"{gene} CAST(pubmed_id AS INTEGER) FROM pubmed JOIN genes USING (_id)"
            rows = connection.execute(papers).fetchall()
            names = f"{gene} symbol FROM gene_info JOIN genes USING (_id)"
            symbols = None if species == "human" else dict(connection.execute(names))
    except sqlite3.Error as error:
        raise FormatError(shown, f"is not an org.*.eg.sqlite annotation file ({error})") from error
    taxon = facts.get("TAXID", "unknown")
    if taxon != str(TAXA[species]):
        own = next((name for name, number in TAXA.items() if str(number) == taxon), None)
        hint = f": read it with the species {own!r}" if own else ""
        raise FormatError(shown, f"is of taxon {taxon}, not {TAXA[species]} ({species}){hint}")
    links = np.array(rows, dtype=np.int64).reshape(-1, 2)
    release = f"NCBI Gene {facts['EGSOURCEDATE']}" if "EGSOURCEDATE" in facts else None
    return _Found("org.eg.sqlite", links, symbols, release)


def _from_deb(path: Path, species: str) -> _Found:
    name, data = _data_tar(path)
    try:
        with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=data) as archive:
            for member in archive:
                if Path(member.name).match("extdata/org.*.eg.sqlite"):
                    content = archive.extractfile(member)
                    target = Path(folder) / "org.sqlite"
                    if content is not None:  # a file
                        with content, target.open("wb") as output:
                            shutil.copyfileobj(content, output, 1 << 20)
                        return _from_sqlite(target, path, species)
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as error:
        raise FormatError(path, f"its {name} cannot be unpacked ({error})") from error
    raise FormatError(path, "holds no extdata/org.*.eg.sqlite: not an org.*.eg.db package")


def _data_tar(path: Path) -> tuple[str, IO[bytes]]:
    """The name and the content of the data of a Debian package, which is an ar archive."""
    with path.open("rb") as stream:
        stream.seek(8)
        while header := stream.read(60):
            size = header[48:58].strip()
            if len(header) < 60 or header[58:] != b"`\n" or not size.isdigit():
                raise FormatError(path, f"is a damaged archive (at byte {stream.tell()})")
            content = stream.read(int(size))
            name = header[:16].decode("latin-1").strip().rstrip("/")
            if name.startswith("data.tar"):
                return name, io.BytesIO(content)
            stream.seek(int(size) % 2, io.SEEK_CUR)  # members begin at even offsets
    raise FormatError(path, "is an archive without a data.tar: not a Debian package")


# -- from links to sets ------------------------------------------------------------------------


def _gather(path: Path, found: _Found, species: Species) -> GeneSets:
    entrez, gene, uses = np.unique(found.links[:, 0], return_inverse=True, return_counts=True)
    pmids, paper = np.unique(found.links[:, 1], return_inverse=True)
    if found.symbols is None:
        resolution = gsfm.genes.resolve(entrez)
    else:
        names = [found.symbols.get(number) for number in entrez.tolist()]
        resolution = gsfm.genes.resolve(names, species=species)
    symbols = [symbol or "" for symbol in resolution.symbols]
    vocabulary = Vocabulary(sorted({*symbols} - {""}))
    ids = vocabulary.ids(symbols)[gene].astype(np.int64)
    known = ids >= 0
    # One number for each pair of a paper and a gene, to sort them and remove repeats in one step.
    n_genes = max(len(vocabulary), 1)
    members = np.unique(paper[known] * n_genes + ids[known])
    sizes = np.bincount(members // n_genes, minlength=len(pmids))
    sets = GeneSets(
        vocabulary,
        csr.to_indptr(sizes),
        members % n_genes,
        metadata(pmids, species),
        manifest={"license": LICENSE, "release": found.release},
    )
    table = pl.DataFrame({"match": resolution.table["match"], "id": entrez, "uses": uses})
    table = table.sort("uses", descending=True, maintain_order=True).cast({"id": pl.String})
    unmapped, ambiguous = (
        dict(table.filter(match=match).select("id", "uses").iter_rows())
        for match in ("unmapped", "ambiguous")
    )
    counts = len(sets), len(entrez)
    mapped = resolution.mapped_counts
    sets.report = ReadReport(str(path), found.format, *counts, (), mapped, unmapped, ambiguous)
    return sets
