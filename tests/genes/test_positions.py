"""Where genes lie: known places, invariants, and the shape of the answer."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsfm import GsfmError, genes

#: Bases of the chromosomes of GRCh38.
LENGTHS = {
    "1": 248_956_422,
    "2": 242_193_529,
    "3": 198_295_559,
    "4": 190_214_555,
    "5": 181_538_259,
    "6": 170_805_979,
    "7": 159_345_973,
    "8": 145_138_636,
    "9": 138_394_717,
    "10": 133_797_422,
    "11": 135_086_622,
    "12": 133_275_309,
    "13": 114_364_328,
    "14": 107_043_718,
    "15": 101_991_189,
    "16": 90_338_345,
    "17": 83_257_441,
    "18": 80_373_285,
    "19": 58_617_616,
    "20": 64_444_167,
    "21": 46_709_983,
    "22": 50_818_468,
    "X": 156_040_895,
    "Y": 57_227_415,
    "MT": 16_569,
}


@pytest.mark.parametrize(
    ("symbol", "chromosome", "start", "end", "strand", "band"),
    [
        # As NCBI gives them on GRCh38, in ends that did not move since.
        ("MYC", "8", 127_735_434, 127_742_951, 1, "8q24.21"),
        ("KRAS", "12", 25_205_246, 25_250_929, -1, "12p12.1"),
        ("BRCA1", "17", 43_044_295, 43_125_364, -1, "17q21.31"),
        ("GAPDH", "12", 6_534_517, 6_538_371, 1, "12p13.31"),
        ("MIR21", "17", 59_841_266, 59_841_337, 1, "17q23.1"),
    ],
)
def test_known_to_the_base(
    symbol: str, chromosome: str, start: int, end: int, strand: int, band: str
) -> None:
    row = genes.positions([symbol]).row(0)
    assert row == (symbol, chromosome, start, end, strand, band)


def test_tp53() -> None:
    row = genes.positions(["TP53"]).row(0, named=True)
    assert (row["chromosome"], row["strand"], row["band"]) == ("17", -1, "17p13.1")
    assert 7_660_000 < row["start"] < row["end"] < 7_690_000


def test_a_long_gene() -> None:
    row = genes.positions(["DMD"]).row(0, named=True)
    assert row["chromosome"] == "X"
    assert 2_200_000 < row["end"] - row["start"] < 2_300_000


@pytest.mark.parametrize(
    ("cluster", "chromosome", "strand"),
    [("HOXA", "7", -1), ("HOXB", "17", -1), ("HOXC", "12", 1), ("HOXD", "2", 1)],
)
def test_hox_genes_stand_in_the_order_of_their_numbers(
    cluster: str, chromosome: str, strand: int
) -> None:
    numbered = {name: n for n in range(1, 14) if (name := f"{cluster}{n}") in genes.vocabulary()}
    found = genes.positions(numbered)
    assert found["chromosome"].unique().to_list() == [chromosome]
    assert found["strand"].unique().to_list() == [strand]
    # HOX1 is transcribed last: the clusters run from 13 to 1.
    assert found["start"].is_sorted(descending=strand == 1)
    assert len(numbered) >= 9
    assert found["end"].max() - found["start"].min() < 250_000


def test_mitochondrial_genes() -> None:
    found = genes.table().filter(pl.col("chromosome") == "MT")
    assert found["symbol"].str.starts_with("MT-").all()
    types = dict(found["locus_type"].value_counts().rows())
    assert types == {
        "gene with protein product": 13,
        "RNA, transfer": 22,
        "RNA, ribosomal": 2,
    }
    assert found["start"].null_count() == 37  # not in the source


def test_pseudoautosomal_genes_are_on_x() -> None:
    found = genes.positions(["SHOX", "CD99", "ASMT", "IL9R", "VAMP7"])
    assert found["chromosome"].unique().to_list() == ["X"]
    start = found["start"].to_list()
    assert max(start[:3]) < 2_781_479  # the end of the first region
    assert min(start[3:]) > 155_701_383  # the start of the second


def test_the_copy_in_the_named_band() -> None:
    """Chromosome 21 has false copies of these on its short arm."""
    found = genes.positions(["CBS", "U2AF1", "ICOSLG", "CRYAA"])
    assert found["band"].unique().to_list() == ["21q22.3"]
    assert found["start"].min() > 40_000_000


def test_genes_lie_within_their_chromosomes() -> None:
    table = genes.table()
    lengths = pl.col("chromosome").replace_strict(LENGTHS, return_dtype=pl.Int64)
    placed = table.filter(pl.col("start").is_not_null()).with_columns(bases=lengths)
    assert placed.filter(~pl.col("start").is_between(1, pl.col("end"))).is_empty()
    assert placed.filter(pl.col("end") > pl.col("bases")).is_empty()
    assert placed["strand"].is_in([1, -1]).all()
    assert set(table["chromosome"].drop_nulls()) == set(LENGTHS)
    # PTPRD is the longest; alignments over several copies would be longer.
    assert (placed["end"] - placed["start"]).max() < 2_400_000
    micro = placed.filter(pl.col("locus_type") == "RNA, micro")
    assert (micro["end"] - micro["start"] < 200).mean() > 0.99


def test_what_is_has_co_membership() -> None:
    table = genes.table()
    unknown = table.select(pl.col("chromosome", "start", "end", "strand", "band").is_null())
    assert (unknown["start"] == unknown["end"]).all()
    assert (unknown["start"] == unknown["strand"]).all()
    assert not (unknown["chromosome"] & ~unknown["start"]).any()
    assert not (unknown["chromosome"] & ~unknown["band"]).any()
    provenance = genes.provenance()
    assert provenance["assembly"] == "GRCh38"
    for column, name in (("chromosome", "chromosome"), ("start", "position"), ("band", "band")):
        assert provenance[f"genes with {name}"] == table[column].count()
    coding = table.filter(pl.col("locus_type") == "gene with protein product")
    assert coding["start"].count() > 0.99 * coding.height
    assert "positions on GRCh38, UCSC 2022-08-31" in provenance["sources"][-1]["content"]


def test_bands_name_the_chromosome_and_the_side_of_its_centromere() -> None:
    banded = genes.table().filter(pl.col("band").is_not_null())
    form = r"^(\d+|[XY])([pq]|cen)[\dpqter.cn-]*$"
    parts = banded["band"].str.extract_groups(form).struct.unnest()
    chromosome, arm = (parts[name] for name in parts.columns)
    assert (chromosome == banded["chromosome"]).all()
    wrong = 0
    placed = banded.with_columns(arm=arm).drop_nulls("start")
    for _, part in placed.group_by("chromosome"):
        side = part.sort("start")["arm"].to_numpy()
        # Cut where the fewest are on the wrong side.
        short_after = (side == "p").sum() - np.cumsum(side == "p")
        wrong += min((short_after + np.cumsum(side == "q")).min(), (side == "p").sum())
    assert wrong <= 1


def test_the_table_has_the_same() -> None:
    columns = ["symbol", "chromosome", "start", "end", "strand", "band"]
    found = genes.positions(genes.vocabulary())
    assert found.equals(genes.table().select(columns))
    assert found.schema == {
        "symbol": pl.String,
        "chromosome": pl.String,
        "start": pl.Int64,
        "end": pl.Int64,
        "strand": pl.Int8,
        "band": pl.String,
    }


SOME = st.sampled_from([*genes.vocabulary()[:50], "tp53", "", "no gene"])


@given(st.lists(SOME | st.none(), max_size=20))
def test_one_row_a_symbol_in_order(symbols: list[str | None]) -> None:
    found = genes.positions(symbols)
    assert found["symbol"].to_list() == symbols
    each = [genes.positions([symbol]).row(0) for symbol in symbols]
    assert found.rows() == each


@pytest.mark.parametrize("form", [tuple, np.array, pl.Series, iter])
def test_any_list_of_symbols(form: type) -> None:
    found = genes.positions(form(["MYC", "nothing", "MYC"]))
    assert found["chromosome"].to_list() == ["8", None, "8"]


def test_one_text_is_refused() -> None:
    with pytest.raises(TypeError, match=r"use \['TP53'\]"):
        genes.positions("TP53")


def test_show() -> None:
    gene = genes.show("p53")
    assert (gene.chromosome, gene.strand, gene.band) == ("17", -1, "17p13.1")
    assert gene.position == f"17:{gene.start}-{gene.end} (-)"
    assert f"  chromosome     {gene.position} on GRCh38" in str(gene).splitlines()
    assert "  band           17p13.1" in str(gene).splitlines()
    assert (genes.show("MYC").position or "").endswith("(+)")

    mitochondrial = genes.show("MT-ND1")
    assert mitochondrial.position is None
    assert "  chromosome     MT" in str(mitochondrial).splitlines()

    unplaced = next(
        row["symbol"] for row in genes.table().iter_rows(named=True) if row["chromosome"] is None
    )
    assert "chromosome" not in str(genes.show(unplaced))


# -- the genes of a place --------------------------------------------------------------------------


def test_the_genes_of_a_place() -> None:
    known = genes.within("chr17:43,000,000-43,200,000")
    assert known == genes.within("17:43000000-43200000") == genes.within(" Chr17:43000000-43200000")
    assert "BRCA1" in known
    place = genes.positions(known)
    assert place["start"].is_sorted()
    assert (place["start"] <= 43_200_000).all()
    assert (place["end"] >= 43_000_000).all()


@given(st.sampled_from(["1", "17", "X", "Y"]), st.integers(1, 2 * 10**8), st.integers(0, 10**7))
def test_a_place_holds_what_overlaps_it_and_nothing_else(chromosome, first, length) -> None:
    last = first + length
    there = pl.col("chromosome") == chromosome, pl.col("start") <= last, pl.col("end") >= first
    expected = genes.table().filter(*there)["symbol"].to_list()
    if not expected:
        with pytest.raises(GsfmError, match="no gene lies in"):
            genes.within(f"{chromosome}:{first}-{last}")
    else:
        assert sorted(genes.within(f"{chromosome}:{first}-{last}")) == sorted(expected)


@pytest.mark.parametrize(
    "text", ["chr1", "TP53", "chr1:5", "chr1:7-5", "chr23:1-9", "chr1:a-b", ""]
)
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(GsfmError, match="is no place on the genome"):
        genes.within(text)
