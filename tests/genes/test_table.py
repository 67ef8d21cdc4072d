"""The bundled table: whole, consistent, and as its sources have it."""

from __future__ import annotations

from importlib import resources

import polars as pl
import pytest

import gsfm
from gsfm import UnknownGenesError, genes
from gsfm.genes import lookup, tables
from gsfm.genes.suggestions import close_symbols


def test_symbols_are_distinct_in_any_case_and_sorted() -> None:
    symbols = genes.table()["symbol"]
    assert symbols.is_sorted()
    assert symbols.str.to_uppercase().n_unique() == len(symbols)
    assert not (symbols == "").any()
    assert genes.vocabulary().symbols == tuple(symbols)
    assert genes.vocabulary() is genes.vocabulary()


def test_counts_are_those_of_the_sources() -> None:
    provenance = genes.provenance()
    assert provenance["genes"] == genes.table().height == 44_997  # HGNC, 2026-06-25
    assert provenance["names"] == tables.read("names").height
    assert provenance["transcripts"] == tables.read("transcripts").height
    across = tables.read("orthologs")["species"].value_counts().rows()
    assert dict(across) == {"mouse": provenance["mouse genes"], "rat": provenance["rat genes"]}
    coding = genes.table().filter(pl.col("locus_type") == "gene with protein product")
    assert coding.height == 19_295
    assert coding["entrez_id"].null_count() < 10
    assert (coding["uniprot"].list.len() > 0).sum() > 19_000


def test_every_source_is_named_with_its_license_and_hash() -> None:
    for source in genes.provenance()["sources"]:
        assert source["source"]
        assert source["content"]
        assert source["license"]
        assert all(len(digest) == 64 for digest in source["sha256"].values())


def test_names_are_sorted_as_they_are_looked_up() -> None:
    """`search_sorted` finds nothing in a file that another release of Polars would sort else."""
    names = tables.read("names")
    key = tables.bare(names["name"]).str.to_uppercase()
    assert key.is_sorted()
    assert not (key == "").any()
    kinds = {kind.match for kind in lookup.KINDS}
    assert set(names["kind"].cast(pl.String).unique()) <= kinds
    assert names["gene"].max() < genes.table().height
    assert genes.table().height < 1 << 20  # the bits that a gene has in a hit


def test_ids_look_like_ids() -> None:
    table = genes.table()
    forms = {
        "hgnc_id": r"^HGNC:\d+$",
        "entrez_id": r"^\d+$",
        "ensembl_id": r"^ENSG\d{11}$",
        "ensembl_other": r"^ENSG\d{11}$",
        "uniprot": r"^[A-Z][A-Z0-9]{5,9}$",
        "uniprot_other": r"^[A-Z][A-Z0-9]{5,9}$",
        "domains": r"^PF\d{5}$",
        "mgi_id": r"^MGI:\d+$",
        "rgd_id": r"^RGD:\d+$",
    }
    for column, form in forms.items():
        values = table[column]
        if values.dtype == pl.List:
            assert values.null_count() == 0
            values = values.explode()
        assert values.drop_nulls().str.contains(form).all(), column
    assert table["hgnc_id"].is_unique().all()
    assert table["entrez_id"].drop_nulls().is_unique().all()
    assert table["name"].null_count() < 1_300


@pytest.mark.parametrize(
    ("symbol", "column", "value"),
    [
        ("TP53", "name", "tumor protein p53"),
        ("TP53", "hgnc_id", "HGNC:11998"),
        ("TP53", "entrez_id", "7157"),
        ("TP53", "ensembl_id", "ENSG00000141510"),
        ("TP53", "uniprot", ["P04637"]),
        ("TP53", "locus_type", "gene with protein product"),
        ("TP53", "mouse", ["Trp53"]),
        ("TP53", "rat", ["Tp53"]),
        ("MARCHF1", "previous", ["MARCH1"]),
        ("CDKN2A", "entrez_id", "1029"),
        ("XIST", "locus_type", "RNA, long non-coding"),
        ("MIR21", "hgnc_id", "HGNC:31586"),
        ("INS", "mouse", ["Ins1", "Ins2"]),
        ("INS", "domains", ["PF00049"]),  # insulin
        ("CDK2", "domains", ["PF00069"]),  # protein kinase
        ("HOXA1", "domains", ["PF00046"]),  # homeodomain
        ("TP53", "domains", ["PF00870", "PF07710", "PF08563", "PF18521"]),
        ("XIST", "domains", []),
    ],
)
def test_rows_known_by_hand(symbol: str, column: str, value: object) -> None:
    row = genes.table().row(by_predicate=pl.col("symbol") == symbol, named=True)
    assert row[column] == value


def test_domains() -> None:
    """As UniProt has them, whose families are known by their size."""
    coding = pl.col("locus_type") == "gene with protein product"
    table = genes.table().select("symbol", "domains", coding=coding)
    with_domain = table.filter(pl.col("domains").list.len() > 0)
    provenance = genes.provenance()
    assert with_domain.height == provenance["genes with domain"] > 17_000
    assert with_domain["coding"].mean() > 0.98
    assert with_domain["coding"].sum() > 0.9 * table["coding"].sum()
    members = with_domain.explode("domains")
    assert members["domains"].n_unique() == provenance["domains"]
    assert not members.select("symbol", "domains").is_duplicated().any()
    assert table["domains"].list.eval(pl.element().is_sorted()).list.all().all()

    def having(*accessions: str) -> pl.Series:
        return members.filter(pl.col("domains").is_in(accessions))["symbol"].unique()

    # About 500 protein kinases, 380 olfactory receptors, 210 genes with a homeodomain.
    assert 400 < len(having("PF00069", "PF07714")) < 550
    olfactory = having("PF13853")
    assert olfactory.str.contains(r"^OR\d").mean() > 0.95
    assert 350 < len(olfactory) < 420
    homeobox = having("PF00046")
    assert {f"HOXA{n}" for n in (*range(1, 8), 9, 10, 11, 13)} <= set(homeobox)
    assert 180 < len(homeobox) < 260
    assert "Pfam domains, UniProt 2022-09" in provenance["sources"][-1]["content"]
    assert "Pfam CC0" in provenance["sources"][-1]["license"]


def test_size_in_the_wheel() -> None:
    files = (resources.files("gsfm.genes") / "data").iterdir()
    assert sum(len(file.read_bytes()) for file in files) < 4_500_000


class TestShow:
    def test_by_any_identifier(self) -> None:
        gene = genes.show("p53")
        assert gene == genes.show("P53")
        assert (gene.symbol, gene.match, gene.mouse) == ("TP53", "alias", ("Trp53",))
        assert genes.show(7157).ensembl_id == "ENSG00000141510"
        assert genes.show("Hc", species="mouse").symbol == "C5"

    def test_to_dict_and_text(self) -> None:
        gene = genes.show("TP53")
        row = genes.table().row(by_predicate=pl.col("symbol") == "TP53", named=True)
        assert "  domains        PF00870, PF07710, PF08563, PF18521" in str(gene).splitlines()
        assert gene.to_dict() == {**row, "match": "approved", "rule": "approved symbol"}
        assert str(gene).splitlines()[:2] == [
            "TP53: tumor protein p53",
            "  hgnc id        HGNC:11998",
        ]

    def test_last_and_first_gene(self) -> None:
        for symbol in (genes.vocabulary()[0], genes.vocabulary()[-1]):
            assert genes.show(symbol).symbol == symbol

    def test_ambiguous(self) -> None:
        with pytest.raises(UnknownGenesError, match="'OCT1' may mean POU2F1, SLC22A1"):
            genes.show("OCT1")

    def test_unknown_with_and_without_a_suggestion(self) -> None:
        with pytest.raises(
            UnknownGenesError, match=r"no gene is known as 'BRAC1'; did you mean BRC"
        ):
            genes.show("BRAC1")
        with pytest.raises(UnknownGenesError, match=r"no gene is known as 'qwertyuiop'$"):
            genes.show("qwertyuiop")
        with pytest.raises(UnknownGenesError, match=r"no gene is known as ''$"):
            genes.show("")

    @pytest.mark.parametrize(
        ("typed", "right"),
        [
            ("TP35", "TP53"),
            ("EGFRR", "EGFR"),
            ("MDMM2", "MDM2"),
            ("GAPHD", "GAPDH"),
            ("BRC2", "BRCA2"),
        ],
    )
    def test_typing_errors(self, typed: str, right: str) -> None:
        assert right in close_symbols(typed)

    def test_too_short_or_too_long_for_a_guess(self) -> None:
        assert close_symbols("T") == close_symbols("T" * 100) == []


def test_a_slip_has_a_suggestion_everywhere():
    assert genes.resolve(["BRAC2", "rs7412", "qqqq"]).hints[1:] == [
        "BRAC2: did you mean BRCA2 or RAC2?"
    ]
    assert genes.resolve([f"TP5{letter}" for letter in "QWERTY"]).hints == []
    with pytest.raises(UnknownGenesError, match="BRAC2 is no known gene; did you mean BRCA2"):
        gsfm.relate("BRAC2")
    with pytest.raises(UnknownGenesError, match="known: BRAC2; BRAC2: did you mean BRCA2"):
        gsfm.complete(["BRAC2"])
    assert "hint: BRAC2: did you mean BRCA2" in gsfm.complete(["BRAC2", "TP53"]).summary()
