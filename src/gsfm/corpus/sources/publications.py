"""Gene sets from the literature: the genes that NCBI links to one paper are one set.

NCBI Gene lists, for every gene, the papers that are about it (``gene2pubmed``). Turned around, the
list holds a gene set for every paper. The same table travels inside the Bioconductor annotation
packages (``org.Hs.eg.db``), which Debian packages too; each of these files is read as it is.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import shutil
import sqlite3
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from gsfm._errors import FormatError, GsfmError
from gsfm._files import atomic_path
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

#: The complete table at NCBI, of all species, renewed daily (about 300 MB).
URL = "https://ftp.ncbi.nlm.nih.gov/gene/DATA/gene2pubmed.gz"
LICENCE = "NCBI, public domain"
TAXA = {"human": 9606, "mouse": 10090, "rat": 10116}

_HEADER = ("tax_id", "GeneID", "PubMed_ID")
_CHUNK = 1 << 25

# PubMed ids and the year in which they were given out. From 8.55 million on (1996) the numbers
# follow time; the earlier literature was loaded in blocks that do not. The first anchor is chosen
# so that the line below 1996 passes through the years in which papers about genes were frequent.
_ANCHORS = (
    (0, 1985.0),
    (8_550_000, 1996.0),
    (9_000_000, 1997.0),
    (9_400_000, 1998.0),
    (9_900_000, 1999.0),
    (10_600_000, 2000.0),
    (15_600_000, 2005.0),
    (20_000_000, 2010.0),
    (25_600_000, 2015.0),
    (28_600_000, 2017.5),
    (30_600_000, 2019.0),
    (31_900_000, 2020.0),
    (33_400_000, 2021.0),
    (34_980_000, 2022.0),
    (36_000_000, 2022.7),
)


def years(pmids: ArrayLike) -> NDArray[np.float64]:
    """Return the approximate time of publication of PubMed ids, as a decimal year.

    Piecewise-linear between anchors; beyond the last anchor the last slope goes on. Since 1996 the
    error is below one year for papers that entered PubMed as they appeared. Ids below 8.55 million
    were not given out in the order of time: 1996 bounds these papers from above, and the estimate
    (1985 to 1996) is a few years off for papers of 1984 to 1995 and more for older ones. The ids
    of 13 to 15 million include articles of the 1940s to 1960s that were entered in 2003 and 2004.

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
    return np.where(pmids > x[-1], y[-1] + (pmids - x[-1]) * slope, np.interp(pmids, x, y))


def read(path: str | Path, *, species: str | None = None) -> GeneSets:
    """Read the papers about genes: one gene set per paper.

    Parameters
    ----------
    path
        NCBI's ``gene2pubmed`` (plain or gzip), an ``org.*.eg.sqlite``, or the Debian package
        (``r-bioc-org.hs.eg.db_*.deb``) that holds one. The content decides, not the name.
    species
        ``"human"`` (also for None), ``"mouse"`` or ``"rat"``; the genes of the latter two become
        their human orthologs.

    Returns
    -------
    GeneSets
        Every paper, ascending by PMID, with the columns ``name`` (``PMID:12345``), ``source``,
        ``year`` (see `years`), ``species`` and ``link``. A paper none of whose genes is known keeps
        its row, empty. The manifest holds the licence, the release where the file names it, and how
        many of the gene ids were resolved.

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
        links, release = _from_sqlite(path, path, TAXA[species])
    elif start.startswith(b"!<arch>\n"):
        links, release = _from_deb(path, TAXA[species])
    else:
        links, release = _from_text(path, TAXA[species]), None
    if not len(links):
        raise FormatError(path, f"has no gene of {species} (taxon {TAXA[species]})")
    return _gather(links, species, release)


def download(path: str | Path, *, url: str = URL) -> Path:
    """Fetch ``gene2pubmed.gz`` from NCBI into the file `path`, whole or not at all.

    Parameters
    ----------
    path
        The file to write.
    url
        Where to fetch it from.

    Raises
    ------
    GsfmError
        If the server cannot be reached, refuses, or breaks off.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "mirror").write_bytes(b"...")
    >>> download(folder / "gene2pubmed.gz", url=(folder / "mirror").as_uri()).name
    'gene2pubmed.gz'
    """
    path = Path(path)
    try:
        with (
            urllib.request.urlopen(url, timeout=60) as answer,
            atomic_path(path) as temporary,
            temporary.open("wb") as stream,
        ):
            shutil.copyfileobj(answer, stream, 1 << 20)
            expected = answer.headers.get("Content-Length")
            if expected is not None and stream.tell() != int(expected):
                raise ConnectionError(f"{stream.tell()} of {expected} bytes came")
    except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        raise GsfmError(
            f"could not fetch {url} ({reason}): fetch it by other means and give the file instead"
        ) from error
    return path


# -- the three kinds of files: each gives (n, 2) int64 rows of gene id and PubMed id -----------------


def _from_text(path: Path, taxon: int) -> NDArray[np.int64]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    if not packed and path.suffix == ".gz":
        raise FormatError(path, "ends in .gz but is not gzip: fetch it anew, or mend its name")
    opener: Callable[..., Any] = gzip.open if packed else open
    parts = [np.empty((0, 2), np.int64)]
    try:
        with opener(path, "rb") as stream:
            _check_header(path, stream.readline(1000))
            line = 2
            while chunk := stream.read(_CHUNK):
                chunk += stream.readline()
                rows = _parse(path, chunk, line)
                rows = rows.filter(pl.col("tax_id") == taxon).drop("tax_id")
                parts.append(rows.cast(pl.Int64).to_numpy())
                line += chunk.count(b"\n")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(path, f"is damaged gzip ({error}): fetch it anew") from error
    return np.concatenate(parts)


def _check_header(path: Path, header: bytes) -> None:
    text = header.decode("utf-8", "replace").strip()
    # NCBI wrote "#Format: tax_id GeneID PubMed_ID (tab is used ...)" until 2016.
    words = text.removeprefix("#Format:").removeprefix("#").split()
    if not text.startswith("#") or tuple(words[:3]) != _HEADER:
        raise FormatError(
            path,
            f"expected the header '#tax_id<tab>GeneID<tab>PubMed_ID' of gene2pubmed, "
            f"an SQLite file or a Debian package; found {text[:60]!r}",
            line=1,
        )


def _parse(path: Path, chunk: bytes, first_line: int) -> pl.DataFrame:
    schema = dict.fromkeys(_HEADER, pl.UInt64)
    try:
        rows = pl.read_csv(
            io.BytesIO(chunk), separator="\t", has_header=False, schema=schema, quote_char=None
        )
        if rows.height == chunk.count(b"\n") + (not chunk.endswith(b"\n")) and not any(
            rows.null_count().row(0)
        ):
            return rows
    except pl.exceptions.PolarsError:
        pass
    # Something is wrong with a line, or is merely unusual (blank or Windows lines): look at each.
    kept = []
    for number, line in enumerate(chunk.splitlines(), first_line):
        fields = line.split(b"\t")
        if not line.strip() or line.startswith(b"#"):
            continue
        if len(fields) != 3 or not all(f.isdigit() and len(f) < 19 for f in fields):
            shown = line[:60].decode("utf-8", "replace")
            raise FormatError(
                path, f"expected three numbers with tabs between, found {shown!r}", line=number
            )
        kept.append([int(field) for field in fields])
    return pl.DataFrame(kept, schema=schema, orient="row")


def _from_sqlite(path: Path, shown: Path, taxon: int) -> tuple[NDArray[np.int64], str | None]:
    query = """SELECT CAST(gene_id AS INTEGER), CAST(pubmed_id AS INTEGER)
               FROM pubmed JOIN genes USING (_id)"""
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            facts = dict(connection.execute("SELECT name, value FROM metadata"))
            rows = connection.execute(query).fetchall()
    except sqlite3.Error as error:
        raise FormatError(shown, f"is not an org.*.eg.sqlite annotation file ({error})") from error
    found = facts.get("TAXID", "")
    if found != str(taxon):
        names = {str(number): name for name, number in TAXA.items()}
        hint = f"; read it with the species {names[found]!r}" if found in names else ""
        raise FormatError(shown, f"is of taxon {found or 'unknown'}, not {taxon}{hint}")
    release = f"NCBI Gene {facts['EGSOURCEDATE']}" if "EGSOURCEDATE" in facts else None
    return np.array(rows, dtype=np.int64).reshape(-1, 2), release


def _from_deb(path: Path, taxon: int) -> tuple[NDArray[np.int64], str | None]:
    with path.open("rb") as stream, tempfile.TemporaryDirectory() as folder:
        data = next((m for m in _ar_members(stream, path) if m[0].startswith("data.tar")), None)
        if data is None:
            raise FormatError(path, "is an archive without a data.tar: not a Debian package")
        target = Path(folder) / "org.sqlite"
        try:
            with tarfile.open(fileobj=io.BytesIO(stream.read(data[1]))) as archive:
                for member in archive:
                    name = Path(member.name)
                    if member.isfile() and name.match("extdata/org.*.eg.sqlite"):
                        content = archive.extractfile(member)
                        assert content is not None  # isfile
                        with content, target.open("wb") as output:
                            shutil.copyfileobj(content, output, 1 << 20)
                        return _from_sqlite(target, path, taxon)
        except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as error:
            raise FormatError(path, f"cannot unpack its {data[0]} ({error})") from error
    raise FormatError(path, "holds no extdata/org.*.eg.sqlite: not an org.*.eg.db package")


def _ar_members(stream: IO[bytes], path: Path) -> Iterator[tuple[str, int]]:
    """Name and size of each member of an ar archive, with the stream at the member's start."""
    stream.seek(8)
    while header := stream.read(60):
        size = header[48:58].strip()
        if len(header) < 60 or header[58:] != b"`\n" or not size.isdigit():
            raise FormatError(path, f"is a damaged archive (at byte {stream.tell()})")
        start = stream.tell()
        yield header[:16].decode("latin-1").strip().rstrip("/"), int(size)
        stream.seek(start + int(size) + int(size) % 2)  # members start at even bytes


# -- from links to sets -----------------------------------------------------------------------------


def _gather(links: NDArray[np.int64], species: str, release: str | None) -> GeneSets:
    from gsfm.genes import resolve

    entrez, gene = np.unique(links[:, 0], return_inverse=True)
    pmids, paper = np.unique(links[:, 1], return_inverse=True)
    symbols = resolve([str(number) for number in entrez], species=species).symbols
    vocabulary = Vocabulary(sorted({symbol for symbol in symbols if symbol is not None}))
    ids = vocabulary.ids(symbol or "" for symbol in symbols)[gene].astype(np.int64)
    known = ids >= 0
    # One number per (paper, gene): sorted and without repeats in one step.
    members = np.unique(paper[known] * len(vocabulary) + ids[known])
    sizes = np.bincount(members // max(len(vocabulary), 1), minlength=len(pmids))
    metadata = pl.DataFrame({"pmid": pmids, "year": np.floor(years(pmids)).astype(np.int32)})
    metadata = metadata.select(
        name=pl.format("PMID:{}", "pmid"),
        source=pl.lit("publications"),
        year="year",
        species=pl.lit(species),
        link=pl.format("https://pubmed.ncbi.nlm.nih.gov/{}", "pmid"),
    )
    manifest = {
        "licence": LICENCE,
        "release": release,
        "genes": {"given": len(entrez), "resolved": sum(s is not None for s in symbols)},
        "links": {"given": len(links), "resolved": int(known.sum())},
    }
    return GeneSets(
        vocabulary,
        np.concatenate([[0], np.cumsum(sizes)]),
        (members % max(len(vocabulary), 1)).astype(np.int32),
        metadata,
        manifest=manifest,
    )
