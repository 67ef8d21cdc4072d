"""resolve: what databases, arrays, R and people write around an identifier; hints for the rest."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsfm import genes

SYMBOLS = genes.table()["symbol"].to_list()


def row(identifier: str, *others: str) -> dict[str, object]:
    found: dict[str, object] = genes.resolve([identifier, *others]).table.row(0, named=True)
    return found


@pytest.mark.parametrize(
    ("identifier", "symbol", "match"),
    [
        # RefSeq, UniProt, Ensembl
        ("NM_000546", "TP53", "refseq"),
        ("NM_000546.6", "TP53", "refseq"),
        ("np_000537.3", "TP53", "refseq"),
        ("NR_176326.1", "TP53", "refseq"),
        ("XM_006719056", "A2M", "refseq"),
        ("YP_003024026.1", "MT-ND1", "refseq"),
        ("ref|NM_000546.6|", "TP53", "refseq"),
        ("P53_HUMAN", "TP53", "uniprot entry name"),
        ("ALBU_HUMAN", "ALB", "uniprot entry name"),
        ("P53_MOUSE", "TP53", "mouse entry name"),
        ("P53_RAT", "TP53", "rat entry name"),
        ("P02340", "TP53", "mouse uniprot"),
        ("P10361", "TP53", "rat uniprot"),
        ("A0A024R1X5", "BECN1", "uniprot (other)"),
        ("A0A024R1X5_HUMAN", "BECN1", "uniprot (other)"),
        ("Q15086", "TP53", "uniprot (merged)"),
        ("sp|P31946-2|1433B_HUMAN", "YWHAB", "uniprot"),
        (">sp|P04637|P53_HUMAN Cellular tumor antigen", "TP53", "uniprot"),
        ("ENSP00000286479", "NAT2", "ensembl protein"),
        ("9606.ENSP00000286479", "NAT2", "ensembl protein"),
        ("ENSGR0000182378", "PLCXD1", "ensembl gene"),
        # prefixes, pairs, endings
        ("hsa:7157", "TP53", "entrez"),
        ("ENTREZ:7157", "TP53", "entrez"),
        ("gene:ENSG00000141510", "TP53", "ensembl gene"),
        ("HGNC_11998", "TP53", "hgnc"),
        ("hg19_TP53", "TP53", "approved"),
        ("GRCh38-TP53", "TP53", "approved"),
        ("mm10___Trp53", "TP53", "mouse symbol"),
        ("TP53|7157", "TP53", "entrez"),
        ("ENSG00000141510.18|TP53", "TP53", "ensembl gene"),
        ("ENSG00000141510_TP53", "TP53", "ensembl gene"),
        ("Cdh5:ENSMUSG00000031871", "CDH5", "approved"),
        ("ENST00000269305.9|ENSG00000141510.18|-|TP53-201|TP53|2579|", None, "unmapped"),
        ("TP53 (human)", "TP53", "approved"),
        ("?|7157", "TP53", "entrez"),
        ("MGI:MGI:98834", "TP53", "mgi"),
        ("gene-TP53", "TP53", "approved"),
        ("ENSG00000141510.18_1", "TP53", "ensembl gene"),
        ("TP53|672", None, "unmapped"),
        ("TP53;", "TP53", "approved"),
        ("TP53*", "TP53", "approved"),
        ("DYRK1AIP3~withdrawn", "PHYHIP", "previous"),
        # arrays
        ("7157_at", "TP53", "entrez"),
        ("TP53 (7157)", "TP53", "entrez"),
        ("BAX (ENSG00000087088)", "BAX", "ensembl gene"),
        ("BAX:", "BAX", "approved"),
        ("\uff34\uff30\uff15\uff13", "TP53", "approved"),
        ("CD\u00adKN1A", "CDKN1A", "approved"),
        ("ENSG00000141510_at", "TP53", "ensembl gene"),
        ("ENST00000269305_at", "TP53", "ensembl transcript"),
        ("TP53-mRNA", "TP53", "approved"),
        ("HLA-DRA-mRNA", "HLA-DRA", "approved"),
        # R and scanpy
        ("TBCE.1", "TBCE", "make.unique"),
        ("MATR3-1", "MATR3", "make.unique"),
        ("HLA.DRA", "HLA-DRA", "make.names"),
        ("HLA.DRA.1", "HLA-DRA", "make.names"),
        ("MT.CO1", "MT-CO1", "make.names"),
        ("NKX2-1", "NKX2-1", "approved"),
        ("IL-6", "IL6", "alias"),
        ("RUNX-1", "RUNX1", "spelling"),
        ("Jun-1", None, "unmapped"),  # 1 June
        ("7157.5", None, "unmapped"),
        ("GENE-44", None, "unmapped"),
        ("IL 33", None, "unmapped"),
        # microRNAs and alleles
        ("hsa-miR-21-5p", "MIR21", "mature microrna"),
        ("hsa-miR-21*", "MIR21", "alias"),
        ("miR-155", "MIR155", "mature microrna"),
        ("mmu-miR-21a-5p", "MIR21", "mature microrna"),
        ("hsa-miR-125b-1-3p", "MIR125B1", "mature microrna"),
        ("hsa-let-7e-5p", "MIRLET7E", "mature microrna"),
        ("HLA-A*02:01", "HLA-A", "hla allele"),
        ("HLA-DRB1*04:01:01:01", "HLA-DRB1", "hla allele"),
        ("A*02:01", "HLA-A", "hla allele"),
        ("HLA-A2", "HLA-A", "hla allele"),
        ("HLA-B0702", "HLA-B", "hla allele"),
        # Greek letters
        ("TNF\u03b1", "TNF", "spelling"),
        ("TNF-\u03b1", "TNF", "spelling"),
        ("IFN-\u03b3", "IFNG", "spelling"),
        ("IL-1\u03b2", "IL1B", "spelling"),
        ("TGF-\u03b21", "TGFB1", "spelling"),
        ("\u03b2-catenin", "CTNNB1", "spelling"),
        ("PPAR\u03b3", "PPARG", "spelling"),
        ("\u03b1-synuclein", "SNCA", "spelling"),
        ("PI3K\u03b1", None, "unmapped"),  # PI3KA is a synonym of another rat gene
    ],
)
def test_forms(identifier: str, symbol: str | None, match: str) -> None:
    found = row(identifier)
    assert (found["symbol"], found["match"]) == (symbol, match)


@pytest.mark.parametrize(
    ("identifier", "candidates"),
    [
        ("NFKB", ["NFKB1", "RELA"]),
        ("NF-kB", ["NFKB1", "RELA"]),
        ("NF-\u03baB", ["NFKB1", "RELA"]),
        ("CCL2-1", ["CCL2", "CCL21"]),  # a repeat of the one, or the other with a hyphen
        ("hsa-miR-16-5p", ["MIR16-1", "MIR16-2"]),
        ("let-7a", ["MIRLET7A1", "MIRLET7A2", "MIRLET7A3"]),
        ("hsa-let-7a-5p", ["MIRLET7A1", "MIRLET7A2", "MIRLET7A3"]),
    ],
)
def test_what_could_be_several_genes_names_them(identifier: str, candidates: list[str]) -> None:
    found = row(identifier)
    assert (found["symbol"], found["match"]) == (None, "ambiguous")
    assert found["candidates"] == candidates


def test_the_rule_says_what_was_removed() -> None:
    assert row("hg19_TP53")["rule"] == "approved symbol, after its prefix"
    assert row("7157_at")["rule"] == "NCBI (Entrez) gene id, of a probe set (BrainArray)"
    assert row("HGNC:AR")["rule"] == (
        "approved symbol, after its prefix; taken before the other candidates"
    )


def test_probe_sets_of_affymetrix_are_no_entrez_ids() -> None:
    """1053 is the Entrez id of CEBPE; the probe set 1053_at is one of RFC2."""
    affymetrix = genes.resolve(["1007_s_at", "1053_at", "ENSG00000141510_at"])
    assert affymetrix.symbols == [None, None, "TP53"]
    unknown = genes.resolve(["202763_at", "200000_at", "1053_at"])
    assert unknown.symbols == [None] * 3
    assert genes.resolve(["1053_at", "7157_at"]).symbols == ["CEBPE", "TP53"]


@pytest.mark.parametrize(
    ("identifier", "hint"),
    [
        ("202763_at", "Affymetrix probe set"),
        ("1007_s_at", "Affymetrix probe set"),
        ("AFFX-BioB-5_at", "Affymetrix probe set"),
        ("ILMN_1762337", "Illumina probe"),
        ("A_23_P100001", "Agilent probe"),
        ("cg00000029", "CpG probe"),
        ("rs7903146", "variant"),
        ("TP53:p.R175H", "variant"),
        ("P04637_S15", "modified site"),
        ("chr17:7668402-7687550", "region of a chromosome"),
        ("CON__P02768", "decoy or contaminant"),
        ("REV__P04637", "decoy or contaminant"),
        ("FBgn0003996", "fly gene"),
        ("YAL038W", "yeast gene"),
        ("WBGene00000001", "worm gene"),
        ("F35G12.3", "worm gene"),
        ("AT1G01010.1", "plant gene"),
        ("ENSDARG00000000001", "zebrafish gene"),
        ("ENSSSCG00000000001", "non-human gene"),
        ("dre-miR-21-5p", "microRNA of another species"),
        ("ENSMUST00000108658", "mouse transcript or protein"),
        ("Gm12345", "mouse or rat gene without a human ortholog"),
        ("ENSP00000269305", "Ensembl protein that the table lacks"),
        ("9606.ENSP00000269305", "Ensembl protein that the table lacks"),
        ("ENSG00000279956", "Ensembl id that the table lacks"),
        ("NM_011640.3", "RefSeq accession of no human gene"),
        ("CDC28_YEAST", "UniProt entry name"),
        ("P00546", "UniProt accession of no"),
        ("TP53_25000", "guide RNA"),
        ("LOC999999999", "NCBI gene without an approved symbol"),
        ("RP11-34P13.7", "clone-based name"),
        ("AC010320.2", "clone-based name"),
        ("AK123456", "GenBank accession"),
        ("DDR1 /// MIR4640", "several names in one"),
        ("EML4-ALK", "fusion or read-through of EML4 and ALK"),
    ],
)
def test_hints(identifier: str, hint: str) -> None:
    found = row(identifier)
    assert (found["symbol"], found["match"]) == (None, "unmapped")
    assert str(found["rule"]).startswith(hint)
    assert ": " in str(found["rule"])
    assert "\n" not in str(found["rule"])
    line = genes.resolve([identifier]).summary().splitlines()[2]
    assert line.startswith(f"hint: {hint}")
    assert identifier in line


def test_a_hint_is_one_line_for_all_of_a_kind() -> None:
    probes = [f"20276{i}_at" for i in range(5)]
    assert genes.resolve([*probes, "TP53", "qqqq"]).summary().splitlines() == [
        "1 of 7 identifiers are known genes (1 distinct): 1 approved",
        "unmapped (6): 202760_at, 202761_at, 202762_at, 202763_at, 202764_at, qqqq",
        "hint: Affymetrix probe set (202760_at, 202761_at, 202762_at and 2 more): "
        "map it to a gene with the annotation of the array (GEO's GPL table)",
    ]


# -- invariants ------------------------------------------------------------------------------------

pieces = st.sampled_from(
    [
        *("TP53", "7157", "ENSG00000141510", "NM_000546", "P04637", "HLA", "MIR", "let-7", "_at"),
        *("sp|", "HGNC:", "hg19_", "_HUMAN", "hsa-", "21", "5p", "A*02:01", "\u03b1"),
        *"-_.|:;/*()~ \u2013",
    ]
)


@given(st.lists(st.one_of(st.text(max_size=20), st.lists(pieces, max_size=5).map("".join))))
@settings(max_examples=50)
def test_any_text_is_resolved_to_itself_or_a_gene(texts: list[str]) -> None:
    found = genes.resolve(texts)
    assert found.table["input"].to_list() == texts
    mapped = [symbol for symbol in found.symbols if symbol is not None]
    assert genes.resolve(mapped, species="human").symbols == mapped
    assert found.table["rule"].null_count() == 0
    assert len(found.summary(limit=3).splitlines()) < 40


DECORATIONS = {
    "prefix": "hgnc:{}".format,
    "assembly": "GRCh38_{}".format,
    "ending": "{},".format,
    "species": "{} (human)".format,
    "lower": str.lower,
    "title": str.title,
    "make.names": lambda name: name.replace("-", "."),
    "make.unique": "{}.12".format,
    "probe set": "{}_at".format,
}


@pytest.mark.parametrize("how", DECORATIONS)
def test_a_decorated_symbol_is_no_other_gene(how: str) -> None:
    symbol = pl.Series("symbol", SYMBOLS).gather_every(3)
    found = genes.resolve([DECORATIONS[how](name) for name in symbol], species="human").table
    other = found.filter(found["symbol"].is_not_null(), found["symbol"] != symbol)
    assert other.height == 0
    wanted = 0 if how == "probe set" else 0.99
    assert (found["symbol"] == symbol).sum() >= wanted * len(symbol)


@pytest.mark.parametrize("column", ["entrez_id", "ensembl_id"])
def test_a_decorated_id_is_its_gene(column: str) -> None:
    rows = genes.table().select("symbol", key=column).drop_nulls().filter(pl.len().over("key") == 1)
    rows = rows.gather_every(7)
    for text in ("{}_at", "gene:{}" if column == "ensembl_id" else "hsa:{}"):
        keys = [text.format(key) for key in rows["key"]]
        assert genes.resolve(keys).symbols == rows["symbol"].to_list()
    both = [f"{symbol}|{key}" for symbol, key in rows.select("symbol", "key").iter_rows()]
    assert genes.resolve(both).symbols == rows["symbol"].to_list()
