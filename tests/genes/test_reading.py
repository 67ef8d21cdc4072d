"""Files of genes and ranked lists: the tables of common tools, and what is no list of genes.

The tables are made here in the form in which each tool writes them.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import re
import sys
import zipfile
from pathlib import Path

import hypothesis.strategies as st
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings

import gsfm
from gsfm import FormatError, genes
from gsfm.genes import columns, meanings

SYMBOLS = ["TP53", "CDKN1A", "MDM2", "BAX", "GADD45A", "SESN1", "FAS", "RB1"]
VALUES = [2.0, -1.5, 1.25, 0.5, -0.25, 3.75, -4.0, 0.125]


def read(text: str | bytes, **options):
    return genes.read(io.BytesIO(text.encode() if isinstance(text, str) else text), **options)


def rows(*columns, sep="\t", header=None):
    lines = [sep.join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join([*([sep.join(header)] if header else []), *lines]) + "\n"


ENSEMBL = dict(genes.table().select("symbol", "ensembl_id").iter_rows())
P = [0.01 * (i + 1) for i in range(8)]
MEAN = [100 + 7 * i for i in range(8)]
ROW = list(range(8))
#: The table of each tool, and the column of its statistic.
TOOLS = {
    "DESeq2, write.csv": (
        rows([f'"{s}"' for s in SYMBOLS], MEAN, [v / 2 for v in VALUES], P, VALUES, P, P, sep=",",
             header=['""', '"baseMean"', '"log2FoldChange"', '"lfcSE"', '"stat"', '"pvalue"',
                     '"padj"']),
        "stat",
    ),
    "DESeq2, write.table": (
        "baseMean\tlog2FoldChange\tlfcSE\tstat\tpvalue\tpadj\n"
        + rows(SYMBOLS, MEAN, [v / 2 for v in VALUES], P, VALUES, P, P),
        "stat",
    ),
    "edgeR": (
        rows([f'"{s}"' for s in SYMBOLS], VALUES, MEAN, MEAN, P, P, sep=",",
             header=['""', '"logFC"', '"logCPM"', '"F"', '"PValue"', '"FDR"']),
        "logFC",
    ),
    "limma": (
        rows(SYMBOLS, [v / 2 for v in VALUES], MEAN, VALUES, P, P, [v / 9 for v in VALUES],
             header=["", "logFC", "AveExpr", "t", "P.Value", "adj.P.Val", "B"]),
        "t",
    ),
    "scanpy": (
        rows(ROW, SYMBOLS, VALUES, [v / 2 for v in VALUES], P, P, sep=",",
             header=["", "names", "scores", "logfoldchanges", "pvals", "pvals_adj"]),
        "scores",
    ),
    "Seurat 3": (
        rows(SYMBOLS, P, VALUES, P, P, P, sep=",",
             header=['""', '"p_val"', '"avg_logFC"', '"pct.1"', '"pct.2"', '"p_val_adj"']),
        "avg_logFC",
    ),
    "Seurat 5, FindAllMarkers": (
        rows(SYMBOLS, P, VALUES, P, P, P, [0] * 8, SYMBOLS, sep=",",
             header=["", "p_val", "avg_log2FC", "pct.1", "pct.2", "p_val_adj", "cluster", "gene"]),
        "avg_log2FC",
    ),
    "sleuth": (
        rows(SYMBOLS, P, P, VALUES, P, MEAN, P, header=["target_id", "pval", "qval", "b", "se_b",
             "mean_obs", "var_obs"]),
        "b",
    ),
    "GEO2R": (
        rows(["200746_at"] * 8, P, P, VALUES, MEAN, [v / 2 for v in VALUES], SYMBOLS, ["x"] * 8,
             header=["ID", "adj.P.Val", "P.Value", "t", "B", "logFC", "Gene.symbol",
                     "Gene.title"]),
        "t",
    ),
    "rank and log fold change": (
        rows(SYMBOLS, range(1, 9), VALUES, sep=",", header=["gene", "rank", "logFC"]), "logFC",
    ),
    "semicolons and decimal commas": (
        rows(SYMBOLS, [str(v).replace(".", ",") for v in VALUES], sep=";", header=["gene", "stat"]),
        "stat",
    ),
    "biomaRt": (
        rows([ENSEMBL[s] for s in SYMBOLS], SYMBOLS, VALUES,
             header=["ensembl_gene_id", "external_gene_name", "log2FoldChange"]),
        "log2FoldChange",
    ),
    "MAGeCK, gene_summary": (
        rows(SYMBOLS, [4] * 8, P, P, ROW, [3] * 8, VALUES, P, P, ROW, [1] * 8, VALUES,
             header=["id", "num", *(f"{side}|{name}" for side in ("neg", "pos") for name in
                     ("score", "p-value", "rank", "goodsgrna", "lfc"))]),
        "neg|lfc",
    ),
    "MAGeCK, MLE": (
        rows(SYMBOLS, [4] * 8, VALUES, [2 * v for v in VALUES], P, header=["Gene", "sgRNA",
             "drug|beta", "drug|z", "drug|p-value"]),
        "drug|beta",
    ),
    "BAGEL": (rows(SYMBOLS, VALUES, P, [8] * 8, header=["GENE", "BF", "STD", "NumObs"]), "BF"),
    "drugZ": (
        rows(SYMBOLS, [4] * 8, [2 * v for v in VALUES], VALUES, P, ROW, P, P, ROW, P,
             header=["GENE", "numObs", "sumZ", "normZ", "pval_synth", "rank_synth", "fdr_synth",
                     "pval_supp", "rank_supp", "fdr_supp"]),
        "normZ",
    ),
    "Cufflinks": (
        rows(["XLOC_1"] * 8, SYMBOLS, ["chr1:1-9"] * 8, ["OK"] * 8, MEAN, MEAN,
             [v / 2 for v in VALUES], VALUES, P, P, ["no"] * 8,
             header=["test_id", "gene", "locus", "status", "value_1", "value_2",
                     "log2(fold_change)", "test_stat", "p_value", "q_value", "significant"]),
        "test_stat",
    ),
    "Partek": (
        rows(ROW, SYMBOLS, P, MEAN, VALUES, header=["Column ID", "Gene Symbol", "p-value(A vs. B)",
             "Ratio(A vs. B)", "Fold-Change(A vs. B)"]),
        "Fold-Change(A vs. B)",
    ),
    "Perseus": (
        rows([2 * v for v in VALUES], VALUES, MEAN, SYMBOLS, header=["Student's T-test Difference",
             "Student's T-test Test statistic", "-Log Student's T-test p-value", "Gene names"]),
        "Student's T-test Test statistic",
    ),
    "columns of a contrast": (
        rows(SYMBOLS, [v / 2 for v in VALUES], VALUES, P, header=["gene", "KO_vs_WT.log2FoldChange",
             "KO_vs_WT.stat", "KO_vs_WT.padj"]),
        "KO_vs_WT.stat",
    ),
    "Prism": (
        rows(SYMBOLS, P, MEAN, VALUES, P, [4] * 8, header=["", "P value", "Mean of A", "Difference",
             "SE of difference", "df"]),
        "Difference",
    ),
    "row names read by pandas": (rows(SYMBOLS, VALUES, header=["Unnamed: 0", "stat"]), "stat"),
    "one column of statistics of a condition": (
        rows(SYMBOLS, MEAN, P, VALUES, header=["gene", "B mean", "padj", "stat_B"]), "stat_B",
    ),
    "symbol and Entrez id": (
        rows(["7157", "1026", "4193", "581", "1647", "27244", "355", "5925"], SYMBOLS, VALUES,
             header=["entrezgene", "hgnc_symbol", "score"]),
        "score",
    ),
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tables_of_common_tools(tool):
    text, statistic = TOOLS[tool]
    found = read(text, ranked=True)
    assert found.table.rows() == list(zip(SYMBOLS, VALUES, strict=True))
    assert found.provenance["score_column"] == repr(statistic)
    assert read(text).genes == SYMBOLS


@pytest.mark.parametrize("tool", ["DESeq2, write.table", "scanpy", "semicolons and decimal commas"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tool, encoding, end):
    data = TOOLS[tool][0].replace("\n", end).encode(encoding)
    assert read(data, ranked=True).table.rows() == list(zip(SYMBOLS, VALUES, strict=True))
    assert read(data).genes == SYMBOLS


NUMBERS = {
    "decimal comma, no header": ("{}\t{}", lambda v: str(v).replace(".", ",")),
    "minus of typesetters": ("{}\t{}", lambda v: str(v).replace("-", "\u2212")),
    "minus of Windows": ("{}\t{}", lambda v: str(v).replace("-", "\x96")),
    "white space": ("{}   {}", str),
    "bars": ("{}|{}", str),
    "quotes": ('"{}","{}"', str),
}


@pytest.mark.parametrize("form", NUMBERS)
def test_ranked_lists_without_a_header(form):
    line, write = NUMBERS[form]
    text = "\n".join(line.format(s, write(v)) for s, v in zip(SYMBOLS, VALUES, strict=True))
    data = text.encode("latin-1" if "\x96" in text else "utf-8")
    assert read(data, ranked=True).table.rows() == list(zip(SYMBOLS, VALUES, strict=True))


def test_the_names_of_statistics_are_those_of_the_documentation():
    text = (Path(__file__).parents[2] / "docs" / "reading.md").read_text(encoding="utf-8")
    table = text.split("| column | names, in any case | order |\n| --- | --- | --- |\n")[1]
    cells = [line.split(" | ") for line in table.split("\n\n")[0].splitlines()]
    assert [row[0].removeprefix("| ") for row in cells] == [m.kind for m in meanings.MEANINGS]
    for (_, names, order), wanted in zip(cells, meanings.MEANINGS, strict=True):
        assert order.startswith(str(wanted.rank) if wanted.rank else "never")
        for name in re.findall("`([^`]+)`", names):
            assert meanings.meaning(name) == (wanted, False), name


def test_missing_values_are_left_out_and_counted():
    cells = ["NA", "2.5", "#N/A", "", "nan", "-1", "NULL", "."]
    found = read(rows(SYMBOLS, cells), ranked=True)
    assert found.table.rows() == [("CDKN1A", 2.5), ("SESN1", -1.0)]
    assert found.provenance["left_out"] == {"no statistic": 6}
    assert "6 of 8 rows left out: no statistic" in found.summary()


def test_integers_are_entrez_ids_only_if_nothing_else_is():
    ids = ["7157", "1026", "4193", "581"]
    assert read(rows(SYMBOLS[:4], ids)).genes == SYMBOLS[:4]
    assert read(rows(ids, VALUES[:4])).genes == ids
    assert read("\n".join(ids)).genes == ids
    assert read(rows(["1", "2", "3", "4"], SYMBOLS[:4], VALUES[:4])).genes == SYMBOLS[:4]


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("DDR1 /// MIR4640", ["DDR1", "MIR4640"]),
        ("BRCA1;BRCA2", ["BRCA1", "BRCA2"]),
        ("BRCA1;BRCA1", ["BRCA1"]),
        ("STAT1/IRF9", ["STAT1", "IRF9"]),
        ("TP53|7157", ["TP53|7157"]),
        ("sp|P04637|P53_HUMAN", ["sp|P04637|P53_HUMAN"]),
        ("HLA-A", ["HLA-A"]),
        ("qqq/zzz", ["qqq/zzz"]),
        ("9/2/2022", ["9/2/2022"]),
        (
            "ENST00000269305.9|OTTHUMG1|TP53-201|2579|",
            ["ENST00000269305.9", "OTTHUMG1", "TP53-201"],
        ),
    ],
)
def test_cells_with_several_genes(cell, parts):
    found = read(rows([*SYMBOLS, cell], [*VALUES, 1.0], header=["gene", "logFC"]))
    assert found.genes == [*SYMBOLS, *parts]


@pytest.mark.parametrize(
    "text",
    [
        'c("TP53", "MDM2", "BAX")',
        "genes <- c('TP53','MDM2','BAX')",
        "['TP53', 'MDM2', 'BAX']",
        '["TP53",\n "MDM2",\n "BAX"]\n',
        "Index(['TP53', 'MDM2', 'BAX'], dtype='object')",
        "array(['TP53', 'MDM2',\n 'BAX'], dtype='<U4')",
        "TP53, MDM2\nBAX",
        "TP53 MDM2\tBAX",
        "TP53 # CAT\nMDM2\t# MAX\nBAX\n",
        "[1] TP53 MDM2\n[3] BAX\nLevels: BAX CAT MAX MDM2 TP53\n",
        "TP53\uff0cMDM2\u3001BAX",
        '"x"\n"TP53"\n"MDM2"\n"BAX"\n',
        '"","x"\n"1","TP53"\n"2","MDM2"\n"3","BAX"\n',
    ],
)
def test_lists(text):
    found = read(text).genes
    assert [gene for gene in found if gene != "x"] == ["TP53", "MDM2", "BAX"]


def test_a_result_of_enrichment_is_no_ranked_list():
    text = (
        "All rights\n\nPathway\tz-score\tMolecules\ncell death\t2\tBAX,FAS\nDNA repair\t\tATM,ATR\n"
    )
    with pytest.raises(FormatError, match="gene-set file"):
        read(text, ranked=True)


def test_a_title_without_separators_above_a_table():
    text = "Table S3: genes of the study\n\n" + rows(SYMBOLS, VALUES, header=["Gene", "log2FC"])
    found = read(text, ranked=True)
    assert found.table.rows() == list(zip(SYMBOLS, VALUES, strict=True))
    assert "1 line above the table, not read: 'Table S3: genes of the study'" in found.summary()


@pytest.mark.parametrize(
    "title", ["Up regulated genes", "Gene Symbol (HGNC)", "T cell receptors:", "Up in the KO, n=3"]
)
def test_a_title_above_a_list(title):
    found = read(f"{title}\nTP53\nMDM2\nBAX\n")
    assert found.genes == ["TP53", "MDM2", "BAX"]
    assert "a title, not read" in found.summary()
    assert read("TP53 unheard\nMDM2\nBAX\n").genes == ["TP53", "unheard", "MDM2", "BAX"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ID\n7157\n4193\n", ["7157", "4193"]),  # aliases of ATP8B2, IDS, ACACA, ELAVL2
        ("IDs\nENSG00000141510\nENSG00000135679\n", ["ENSG00000141510", "ENSG00000135679"]),
        ("ACC\nP04637\nQ00987\n", ["P04637", "Q00987"]),
        ("Hub\nTP53\nMDM2\n", ["TP53", "MDM2"]),
        ("IDS\nTP53\n", ["IDS", "TP53"]),
        ("TP53\n4193\n672\n", ["TP53", "4193", "672"]),
        ("p53\nMDM2\nBAX\n", ["p53", "MDM2", "BAX"]),
    ],
)
def test_a_header_of_a_list_that_is_a_synonym_of_a_gene(text, expected):
    assert read(text).genes == expected


@pytest.mark.parametrize(
    "note", ["n = 3", "3 genes", "Total: 3", "Note: TP53 was validated, p<.05"]
)
def test_a_footnote_below_a_list(note):
    """3 is the Entrez id of a gene, and was an alias of one."""
    found = read(f"TP53\nMDM2\nBAX\n{note}\n")
    assert found.genes == ["TP53", "MDM2", "BAX"]
    assert f"a footnote, not read: {note!r}" in found.summary()
    assert read("TP53\nMDM2\nBAX unheard\n").genes[-1] == "unheard"


def test_names_with_a_common_beginning():
    """2 and 3 are Entrez ids, and B is an alias."""
    assert read("gene,x\nAKT1/2/3;FAS,1\nS100A8/A9,2\n").genes == [
        *("AKT1", "AKT2", "AKT3", "FAS", "S100A8", "S100A9")
    ]
    found = read("ERK1/2, SMAD2/3\nHLA-A/B/C\n7157/4193\n").genes
    assert found[:4] == ["ERK1", "ERK2", "SMAD2", "SMAD3"]
    assert found[4:] == ["HLA-A", "HLA-B", "HLA-C", "7157", "4193"]


UP_AND_DOWN = [
    "UP\nTP53\nMDM2\nDOWN\nBAX\nFAS\n",
    "Upregulated:\nTP53\nMDM2\n\nDownregulated:\nBAX\n",
    "[up]\nTP53, MDM2\n[down]\nBAX, FAS\n",
    "TP53\nMDM2\n== Down-regulated genes ==\nBAX\n",
    "up: TP53, MDM2\ndown: BAX\n",
    "up\tTP53\tMDM2\ndown\tBAX\tFAS\n",
    '$up\n[1] "TP53" "MDM2"\n\n$down\n[1] "BAX"\n',
    "Cluster 1\nTP53\nCluster 2\nBAX\n",
    "Interferon response:\nIFIT1\nHallmark apoptosis:\nBAX\n",
]


@pytest.mark.parametrize("text", UP_AND_DOWN)
def test_several_lists_in_a_file(text):
    """UP is an alias of UPP1; a heading is no gene."""
    with pytest.raises(FormatError, match=r"several lists, below .* in line \d|as sets: --library"):
        read(text)


@pytest.mark.parametrize("heading", ["UP", "[up]", "Down-regulated genes:", "down-regulated in AD"])
def test_the_heading_of_one_list(heading):
    found = read(f"{heading}\nTP53\nMDM2\n")
    assert found.genes == ["TP53", "MDM2"]
    assert "a title, not read" in found.summary()
    assert read("up: TP53, MDM2\n").genes == ["TP53", "MDM2"]
    assert read("Genes: TP53, MDM2").genes == ["TP53", "MDM2"]
    assert read("TP53 UP MDM2").genes == ["TP53", "UP", "MDM2"]


def test_headings_within_a_table():
    text = 'gene,logFC\nUP,\nTP53,2\nMDM2,1\nDOWN,\nBAX,-2\n"* p < 0.05, Wald",\n'
    for ranked in (False, True):
        found = read(text, ranked=ranked)
        assert found.genes == ["TP53", "MDM2", "BAX"]
        assert found.provenance["left_out"] == {"a heading or a footnote": 3}


def test_a_direction_beside_each_gene():
    labels = ["UP", "down", "NS", "up"] * 2
    for header in (None, ["gene", "x"]):
        assert read(rows(SYMBOLS, labels, header=header)).genes == SYMBOLS
        assert read(rows(labels, SYMBOLS, header=header and header[::-1])).genes == SYMBOLS


def test_dates_with_spaces_are_one_identifier():
    assert read("1. Mrz\n2. Sep, TP53\nSep 02\n").genes == ["1. Mrz", "2. Sep", "TP53", "Sep 02"]


def test_thousands_and_formulas():
    text = 'gene;score\n="TP53";1.234,5\nMDM2;-2.000\nBAX;12,5\n'
    assert read(text, ranked=True).table.rows() == [
        ("TP53", 1234.5),
        ("MDM2", -2000),
        ("BAX", 12.5),
    ]


@pytest.mark.parametrize("minus", "\u2212\u2010\u2011\u2012\u2013\uff0d")
@pytest.mark.parametrize("space", "\u00a0\u2009\u202f'\u2019")
def test_numbers_of_typesetters(minus, space):
    text = f"gene\tlogFC\nTP53\t1{space}234,5\nMDM2\t{minus}2,5\n"
    assert read(text, ranked=True).table.rows() == [("TP53", 1234.5), ("MDM2", -2.5)]


@pytest.mark.parametrize("header", ["gene,logFC\n", ""])
def test_decimal_commas_between_commas(header):
    """A header with one name less than there are cells is that of row names in R."""
    with pytest.raises(FormatError, match=r"header has 2 names for 3 cells|with a decimal comma"):
        read(f"{header}TP53,1,5\nMDM2,-2,25\nBAX,3,0\n", ranked=True)


@pytest.mark.parametrize("name", ["gene", "feature"])
def test_a_gene_that_is_the_same_in_all_rows(name):
    """The gene that was knocked out is not the one that was measured."""
    text = rows(["RB1"] * 8, SYMBOLS, VALUES, header=["perturbed_gene", name, "t"])
    if name == "gene":
        assert read(text).genes == SYMBOLS
    else:
        with pytest.raises(FormatError, match="'perturbed_gene', 'feature'"):
            read(text)


def test_the_names_of_uniprot_in_a_cell():
    names = ["TP53 P53", "CDKN1A CAP20 WAF1", "MDM2", "CALM1 CALM CAM; CALM2 CAM2", "BAX; FAS"]
    text = rows(["P04637"] * 5, names, header=["Entry", "Gene Names"])
    expected = ["TP53", "CDKN1A", "MDM2", "CALM1", "CALM2", "BAX", "FAS"]
    assert read(text).genes == expected


@pytest.mark.parametrize("rule", ["|---|---|", "|:--|--:|"])
def test_lines_between_rows(rule):
    text = f"| gene | logFC |\n{rule}\n| TP53 | 2 |\n| MDM2 | -1 |\n"
    assert read(text, ranked=True).table.rows() == [("TP53", 2.0), ("MDM2", -1.0)]


def test_title_rows_above_the_header():
    text = "Supplementary Table 3\t\n\t\n" + rows(SYMBOLS, VALUES, header=["Gene", "log2FC"])
    found = read(text, ranked=True)
    assert found.table.rows() == list(zip(SYMBOLS, VALUES, strict=True))
    assert found.provenance["header"] == 3


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_concatenated_files(mark):
    assert read(f"{mark}TP53\n{mark}MDM2\n# end\n{mark}BAX\n").genes == ["TP53", "MDM2", "BAX"]


@pytest.mark.parametrize(("title", "sep"), [
    ("Table S2: genes, sorted by p\nAbbreviations: FC, fold change", ","),
    ("Supplementary Table", " "),
])  # fmt: skip
def test_a_title_with_as_many_cells_as_the_header(title, sep):
    text = f"{title}\n" + rows(SYMBOLS, VALUES, sep=sep, header=["gene", "score"])
    for ranked in (True, False):
        assert read(text, ranked=ranked).genes == SYMBOLS


def test_a_compressed_list():
    text = b"TP53\nMDM2\nBAX\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("genes.txt", text)
    for data in (gzip.compress(text), packed.getvalue()):
        assert read(data).genes == ["TP53", "MDM2", "BAX"]
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("more.txt", "EGFR\n")
    with pytest.raises(FormatError, match=r"the zip holds 2 files \(genes.txt, more.txt\)"):
        read(packed.getvalue())


def test_a_stream_of_text(tmp_path):
    text = "gene\tstat\nTP53\t-1\nMDM2\t2\n"
    path = tmp_path / "a.tsv"
    path.write_text(text)
    with path.open() as opened:
        for stream in (io.StringIO(text), opened):
            assert genes.read(stream, ranked=True).genes == ["TP53", "MDM2"]


def test_quotes():
    assert read('"gene" "note of it" "stat"\n"TP53" "a b" 1.5\n"MDM2" "c  d" 2\n').genes == [
        "TP53",
        "MDM2",
    ]
    lines = 'gene,note,stat\nTP53,"a\n\n#b",1.5\nMDM2,"say ""c""",2\n'
    assert read(lines, ranked=True).table.rows() == [("TP53", 1.5), ("MDM2", 2.0)]
    stray = "gene\tnote\tstat\nTP53\t\"5' end\t1.5\nMDM2\tx\t2\n"
    assert read(stray, ranked=True).genes == ["TP53", "MDM2"]
    with pytest.raises(FormatError, match="line 3: the quotes do not match"):
        read('gene,stat\nTP53,"1.5\nMDM2,2\n', gene_column="gene")


OTHERS = {
    "%PDF-1.7\n": "a PDF",
    "#1.2\n2\t2\nNAME\tDescription\tA\tB\nTP53\tx\t1\t2\n": "GCT",
    "4 2 1\n# WT KO\n0 0 1 1\n": "CLS",
    "chr1\t109200000\t109600000\n": "BED",
    "##fileformat=VCFv4.2\n": "VCF",
    ">sp|P04637|P53_HUMAN\nMEEPQSDPSVEPPLSQETFSDLWKLLPENN\n": "FASTA",
    "Probe Set ID\tGene Symbol\tGene Title\n1_at\tTP53\tx\n": "CHIP",
    "<?xml version='1.0'?><MSIGDB></MSIGDB>": "XML",
    "SQLite format 3\0": "SQLite",
    "repair\tx\tBRCA1\tBRCA2\tRAD51\nedge\tx\tTP53\tMDM2\n": "gene-set file",
    "s1\tx\tTP53\tMDM2\tBAX\ns2\tx\tBRCA1\tRAD51\n": "gene-set file",
    "set1\tTP53\tMDM2\tBAX\nset2\tBRCA1\tRAD51\n": "gene-set file",
    "REPAIR\thttps://a.org/REPAIR\tBRCA1\tBRCA2\n": "gene-set file",
    "P53\t7157\t1026\t4193\nIFN\t6772\t10379\t4599\n": "gene-set file",
    'term,genes\nDNA repair,"BRCA1, BRCA2"\napoptosis,TP53;BAX\n': "gene-set file",
    "up,down\nTP53,BRCA1\nMDM2,BRCA2\nBAX,RAD51\n": "'up', 'down'",
    "<table><tr><td>TP53</td></tr></table>": "HTML",
    '{"TP53": 1}': "JSON",
    '[{"gene": "TP53", "stat": 2}]': "JSON",
    "shape: (1, 1)\n\u250c\u2500\u2510\n\u2502 gene \u2502\n": "drawn lines",
    "# A tibble: 1 x 1\n  gene\n  <chr>\n1 TP53\n": "as R prints it",
    "set\tnote\tgenes\nA\tx\tTP53\tBAX\nB\ty\tATM\tFAS\n": "3 names for 4 cells",
    "We found that TP53 was not bound by MDM2.\n": r"a text and no list \(we, that, was",
    "TP53 tumor protein p53\nBAX BCL2 associated X\nKIT KIT receptor\n": "a text and no list",
    "HGNC ID\n11998\n959\n": "below 'HGNC ID' may be no Entrez ids: .* 'entrez'",
    "PMID\n7157\n4193\n": "below 'PMID' may be no Entrez ids",
    "hgnc_id\tscore\n11998\t0.5\n959\t0.1\n": "no column has identifiers",
    "Upregulated genes include TP53 and BAX, as well as MDM2": "no gene below the title",
    "1\n2\n3\n4\n": "the numbers count the lines",
    "7,157\n4,193\n581\n": "'7,157' may be one Entrez id or several: write 7157",
    "gene,logFC\nTP53;2\nMDM2\t-1\n": "neither a list of genes, nor a table",
    "gene,a,logFC\nTP53,x;y,2\nMDM2, one, of two,1\n": "neither a list of genes, nor a table",
    "cell,TP53,MDM2,BAX\nc1,1,2,0\nc2,5,0,3\n": "transpose",
    "pathway,size,rank at max\none,7,7157\ntwo,9,4193\n": "no column has identifiers",
    "note,grade\nlow one,first\nmiddle one,second\n": "no column has identifiers",
}


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_no_list_is_named(text):
    with pytest.raises(FormatError, match=OTHERS[text]):
        read(text)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"logFC_a": VALUES, "logFC_b": VALUES[::-1]}, r"'logFC_a', 'logFC_b'.*--score-column"),
        ({"A": VALUES, "B": VALUES[::-1]}, "2 columns can be the statistic"),
        ({"a": VALUES, "b": VALUES[::-1]}, "2 columns can be the statistic"),
        ({"stat": VALUES, "stat_B": VALUES[::-1]}, r"'stat', 'stat_B'.*--score-column"),
        ({"t": VALUES, "t_B": VALUES[::-1]}, r"'t', 't_B'.*--score-column"),
        ({"neg|lfc": VALUES, "pos|lfc": VALUES[::-1]}, r"'neg\|lfc', 'pos\|lfc'"),
        ({"hits": MEAN}, r"no column has a signed statistic: each of 'hits' is .* a count"),
        ({"pvalue": P, "rank": range(1, 9)}, "no column has a signed statistic"),
        ({"note": ["x"] * 8}, "no column of numbers"),
        ({"-log10(p)": MEAN}, "no column has a signed statistic"),
        ({"fold change": MEAN}, "no column has a signed statistic"),
        ({"Ratio H/L": MEAN}, "no column has a signed statistic"),
        ({"intensity a": MEAN, "note": ["x"] * 8}, "no column has a signed statistic"),
        ({"log2FC": [""] * 8, "b2": VALUES}, "'log2FC' has no values"),
        ({"t": ["inf", *VALUES[1:]]}, "'inf' is not a finite number"),
        ({"logFC": ["1,234", "-2,345"] * 4}, "'1,234' of column 'logFC' may be"),
        ({"logFC": ["1.234", "-900"] * 4}, "'1.234' of column 'logFC' may be"),
    ],
)
def test_a_statistic_that_the_file_does_not_decide(columns, message):
    text = rows(SYMBOLS, *columns.values(), header=["gene", *columns])
    with pytest.raises(FormatError, match=message):
        read(text, ranked=True)
    name, cells = next(iter(columns.items()))
    if all(isinstance(cell, int | float) for cell in cells):
        chosen = read(text, ranked=True, score_column=name)
        assert chosen.table["statistic"].to_list() == pytest.approx(list(cells))


def test_a_signed_statistic_precedes_one_without_a_sign():
    """A likelihood ratio, the U of a rank sum test and a count have no direction."""
    for name in ("stat", "statistic", "score"):
        text = rows(SYMBOLS, MEAN, VALUES, header=["gene", name, "log2FoldChange"])
        assert read(text, ranked=True).provenance["score_column"] == "'log2FoldChange'"
        assert read(rows(SYMBOLS, MEAN, header=["gene", name]), ranked=True).table.height == 8
    with pytest.raises(FormatError, match="no column has a signed statistic"):
        read(rows(SYMBOLS, P), ranked=True)  # numbers from 0 to 1 without a name


@pytest.mark.parametrize(
    "values",
    [MEAN, [0, 12, 3, 3, 1, 0, 7, 900], VALUES, [-3, 2, 5, 0, 1, 1, 7, 4], [9.5] * 7 + [1]],
)
def test_numbers_without_a_name(values):
    """A ranked list has signs or fractions; integers without them are counts, as of cells."""
    text = rows(SYMBOLS, values)
    if all(v == int(v) >= 0 for v in values):
        with pytest.raises(FormatError, match=r"each of 2 is .* a count .*--score-column"):
            read(text, ranked=True)
        assert read(text, ranked=True, score_column=2).table["statistic"].to_list() == values
    else:
        assert read(text, ranked=True).table["statistic"].to_list() == values


@pytest.mark.parametrize("codes", [
    ["B2", "D1", "F6", "H3", "H10", "A9", "C7", "E11"],
    ["ATG", "CAT", "ACC", "TTT", "GAC", "GGG", "GCA", "CGT"],
    ["yes", "no", "yes", "no", "yes", "no", "yes", "no"],
    ["4/23/05", "7/24/22", "3/8/10", "9/2/19", "1/1/07", "5/5/15", "6/6/16", "2/9/12"],
])  # fmt: skip
def test_short_codes_and_dates_are_no_genes(codes):
    """Codes of wells, codons and answers are an alias of some gene."""
    ids = [7157, 1026, 4193, 581, 1647, 27244, 355, 5925]
    text = rows(codes, ids, VALUES, sep=",", header=["Sample", "gene", "logFC"])
    assert read(text, ranked=True).genes == [str(one) for one in ids]
    with pytest.raises(FormatError, match="no column has identifiers of genes"):
        read(rows(codes, VALUES, P, sep=",", header=["Sample", "logFC", "pvalue"]))


@pytest.mark.parametrize("text", [
    rows(["#N/A", "#REF!", "#NV", ">0.05", *P[4:]], SYMBOLS, VALUES, sep=",",
         header=["p", "gene", "stat"]),
    "gene,baseMean,stat,padj\n,AU,,a.u.\n" + rows(SYMBOLS, MEAN, VALUES, P, sep=","),
    "gene,logFC,t,padj\n,log2,AU,\n" + rows(SYMBOLS, P, VALUES, P, sep=","),
    "Table S2: genes, sorted\n"
    + rows(SYMBOLS, [str(v).replace(".", ",") for v in VALUES], sep=";", header=["gene", "stat"]),
    rows([f'"{s}"' for s in SYMBOLS], [f"{v:.3f}".replace(".", ",") for v in VALUES], sep=" ",
         header=['"gene"', '"stat"']),
    "p\tstat\tgene\tcount\n\t\tlog2\t\t\n"
    + rows(ROW, P, VALUES, SYMBOLS, [f"{i + 1},{100 + i}" for i in ROW]),
])  # fmt: skip
def test_the_separator_the_units_and_the_errors_of_spreadsheets(text):
    found = read(text, ranked=True)
    assert dict(found.table.rows()) == pytest.approx(dict(zip(SYMBOLS, VALUES, strict=True)))


@pytest.mark.parametrize("text", [
    "p53\nTNF-\u03b1\nIL-1\u03b2\n",
    "HER2\nhsa-miR-155-5p\nhsa-let-7a-5p\n",
    "p53\n2-Sep\n1-Mar\n",
    "0    TP53\n1    MDM2\n2     BAX\n3 ATM\ndtype: object\n",
])  # fmt: skip
def test_a_synonym_above_other_forms_of_symbols(text):
    assert read(text).genes[0] in ("p53", "HER2", "TP53")


def test_descriptions_beside_entrez_ids():
    """Some words of descriptions are genes."""
    ids = [7157, 1026, 4193, 581, 1647, 27244, 355, 5925]
    about = ["tumor protein, p53", "cell cycle inhibitor", *["a kinase of unknown function"] * 6]
    text = rows(about, ids, VALUES, header=["Gene Name", "Gene Symbol", "logFC"])
    assert read(text, ranked=True).genes == [str(one) for one in ids]


def test_names_beside_entrez_ids_of_other_genes():
    ids = [7157, 1026, 4193, 581, 1647, 27244, 355, 5925]
    drugs = ["EGF", "IL2", "TNF", "KIT", "INS", "LEP", "EPO", "GH1"]
    with pytest.raises(FormatError, match=r"2 columns of genes \('Drug', 'gene'\): choose one"):
        read(rows(drugs, ids, VALUES, sep=",", header=["Drug", "gene", "logFC"]))
    text = rows(SYMBOLS, ids, VALUES, sep=",", header=["Feature", "gene", "logFC"])
    assert read(text).genes == SYMBOLS


def test_a_footnote_below_the_statistic():
    """The column of the statistic remains one of numbers."""
    text = rows(VALUES[:6], SYMBOLS[:6], P[:6], header=["z", "gene", "coef"])
    found = read(f"{text}Source: this study\t\t\n", ranked=True)
    assert found.table["statistic"].to_list() == VALUES[:6]


def test_a_row_with_another_number_of_cells():
    """Its other cells would be read in place of the statistic."""
    names = [*ALL[:16]]
    table = rows(names, ["a kinase"] * 16, VALUES * 2, P * 2, sep=",",
                 header=["gene", "about", "stat", "p"])  # fmt: skip
    start = f"{names[2]},a kinase,"
    for new in (f"{names[2]},", f"{start} 2,"):
        with pytest.raises(FormatError, match=r"line 4: the row has [35] cells instead of 4"):
            read(table.replace(start, new), ranked=True)
    marks = [""] * 14 + ["*"] * 2
    text = rows(names, VALUES * 2, marks, header=["gene", "stat", "mark"])
    assert read(text.replace("\t\n", "\n", 1), ranked=True).genes == names


@pytest.mark.parametrize("name", ["cluster", "group", "Label", "hours"])
def test_several_groups_are_no_ranked_list(name):
    """Also in a column of another name, if the genes repeat from label to label."""
    text = rows(SYMBOLS * 2, VALUES * 2, ["a"] * 8 + ["b"] * 8, header=["gene", "logFC", name])
    with pytest.raises(FormatError, match=rf"2 groups, in column '{name}'.*\(a, b\)"):
        read(text, ranked=True)
    assert "the genes are of 2 groups" in read(text).summary()
    one = rows(SYMBOLS, VALUES, list("aabbabab"), header=["gene", "logFC", name])
    assert read(one, ranked=True).table.height == 8


def test_two_rows_of_names():
    """Merged cells of a workbook, or the columns of two levels of pandas."""
    parts = {"A": VALUES, "B": VALUES[::-1]}
    frame = pd.concat(
        {k: pd.DataFrame({"mean": MEAN, "logFC": v}, index=SYMBOLS) for k, v in parts.items()},
        axis=1,
    )
    merged = ",A,,B,\n,mean,logFC,mean,logFC\n" + rows(
        SYMBOLS, MEAN, VALUES, MEAN, VALUES[::-1], sep=","
    )
    for text in (merged, frame.to_csv()):
        with pytest.raises(FormatError, match="'A logFC', 'B logFC'"):
            read(text, ranked=True)
        found = read(text, ranked=True, score_column="B logFC")
        assert found.table.rows() == list(zip(SYMBOLS, VALUES[::-1], strict=True))


def test_the_index_of_a_data_frame_is_read():
    frame = pd.DataFrame({"stat": VALUES}, index=SYMBOLS).reset_index()
    for text in (frame.to_csv(), frame.to_csv(index=False)):
        assert read(text, ranked=True).table.rows() == list(zip(SYMBOLS, VALUES, strict=True))
    frame.columns = [0, 1]
    for text in (frame.to_csv(), frame.to_csv(index=False)):
        assert read(text, ranked=True).table.rows() == list(zip(SYMBOLS, VALUES, strict=True))


def test_blank_cells_at_the_end_of_rows_are_no_column():
    for text in ("gene,logFC\nTP53,1.5,\nMDM2,-2,\n", "gene,logFC,,\nTP53,1.5,,\nMDM2,-2,,\n"):
        assert read(text, ranked=True).table.rows() == [("TP53", 1.5), ("MDM2", -2.0)]


def test_the_table_within_an_rcc_file():
    parts = "CodeClass,Name,Accession,Count\n" + "".join(
        f"Endogenous,{s},NM_1.1,{i}\n" for i, s in enumerate(SYMBOLS)
    )
    found = read(f"<Header>\nFileVersion,1.7\n</Header>\n<Code_Summary>\n{parts}</Code_Summary>\n")
    assert found.genes == SYMBOLS


def test_a_vector_as_r_prints_it():
    assert read('[1] "TP53" "MDM2"\n[3] "BAX"\n').genes == ["TP53", "MDM2", "BAX"]


def test_a_header_in_a_comment():
    text = "# MIM\ttype\tsymbol\n100\tphenotype\t\n200\tgene\tTP53\n300\tgene\tMDM2\n"
    assert read(text).genes == ["TP53", "MDM2"]


def test_a_column_by_name_and_number():
    text = rows(SYMBOLS, SYMBOLS[::-1], VALUES, header=["source", "target", "weight"])
    with pytest.raises(FormatError, match="choose one with --gene-column"):
        read(rows(SYMBOLS, SYMBOLS[::-1], VALUES, header=["gene 1", "gene 2", "weight"]))
    assert read(text, gene_column="source").genes == SYMBOLS
    assert (
        read(text, gene_column=2).genes == read(text, gene_column="Target").genes == SYMBOLS[::-1]
    )
    with pytest.raises(FormatError, match="there is no column 'genes'"):
        read(text, gene_column="genes")


@pytest.fixture
def workbook(tmp_path):
    pytest.importorskip("xlsxwriter")
    path = tmp_path / "book.xlsx"
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("README")
        sheet.write(0, 0, "Genes of the study")
        for name, sign in (("Up", 1), ("Down", -1)):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["Supplementary Table"])
            sheet.write_row(2, 0, ["Gene symbol", "log2FC"])
            for i, (symbol, value) in enumerate(zip(SYMBOLS, VALUES, strict=True)):
                sheet.write_row(3 + i, 0, [symbol, sign * abs(value)])
    return path


def test_a_workbook(workbook):
    with pytest.raises(FormatError, match=r"choose a sheet.*'Up', 'Down'"):
        genes.read(workbook)
    for sheet in ("Down", 3, "3"):
        found = genes.read(workbook, ranked=True, sheet=sheet)
        assert found.table.rows() == [(s, -abs(v)) for s, v in zip(SYMBOLS, VALUES, strict=True)]
        assert (found.provenance["sheet"], found.provenance["header"]) == ("Down", 3)
    with pytest.raises(FormatError, match="no sheet 'Side'"):
        genes.read(workbook, sheet="Side")
    with pytest.raises(FormatError, match="no workbook"):
        read("TP53\n", sheet="Up")


@pytest.mark.parametrize("hide", [False, True])
def test_the_only_sheet_with_genes_is_read(tmp_path, hide):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        notes = book.add_worksheet("Notes")
        for i, row in enumerate([("Sheet", "Meaning"), ("DE", "results"), ("WT", "controls")]):
            notes.write_row(i, 0, row)
        book.add_worksheet("Sheet2")
        book.add_chartsheet("Plot")
        book.add_worksheet("Genes").write_column(0, 0, ["gene", *SYMBOLS])
        if hide:
            old = book.add_worksheet("Old")
            old.write_column(0, 0, ["gene", *SYMBOLS[:3]])
            old.hide()
    found = genes.read(path)
    assert (found.genes, found.provenance["sheet"]) == (SYMBOLS, "Genes")
    others = "Notes, Old" if hide else "Notes"
    assert f"of the workbook, not read ({others})" in found.summary()


def test_a_cell_far_out_does_not_end_the_process(tmp_path):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    path = tmp_path / "far.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "TP53")
        sheet.write(1_048_575, 16_383, "MDM2")
    with pytest.raises(FormatError, match=r"cells: delete empty rows|MB of memory"):
        genes.read(path)


ALL = genes.vocabulary().symbols


def quoted(frame, *, row_names):
    """A data frame as R's write.csv writes it; as write.table without a header for the rows."""
    text = frame.set_axis([f"row {i}" for i in range(len(frame))]).to_csv(
        sep="," if row_names else " ", quoting=csv.QUOTE_NONNUMERIC, index_label=""
    )
    return text if row_names else text.removeprefix('"" ')


#: Every way to write a data frame: text, or bytes in an encoding of a spreadsheet.
WRITERS = {
    "pandas": lambda frame: frame.to_csv(),
    "pandas without index": lambda frame: frame.to_csv(index=False),
    "polars": lambda frame: pl.DataFrame(frame.to_dict("list")).write_csv(),
    "polars, tabs": lambda frame: pl.DataFrame(frame.to_dict("list")).write_csv(separator="\t"),
    "R, write.csv": lambda frame: quoted(frame, row_names=True),
    "R, write.table": lambda frame: quoted(frame, row_names=False),
    "Excel, tabs": lambda frame: frame.to_csv(sep="\t", index=False, lineterminator="\r\n"),
    "Excel, Unicode text": lambda frame: frame.to_csv(sep="\t", index=False).encode("utf-16"),
    "Excel, UTF-8": lambda frame: frame.to_csv(index=False).encode("utf-8-sig"),
    "Excel, decimal comma": lambda frame: frame.to_csv(
        sep=";", decimal=",", index=False, lineterminator="\r\n"
    ),
}
STATISTICS = ["stat", "t", "logFC", "log2FoldChange", "avg_log2FC", "score", "NES", "z-score"]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(8, 40),
    writer=st.sampled_from(sorted(WRITERS)),
    statistic=st.sampled_from(STATISTICS),
    order=st.permutations(["gene", "statistic", "pvalue", "mean", "label"]),
)
def test_any_table_gives_its_genes_and_statistic(seed, n, writer, statistic, order):
    """Whoever wrote the table, and in whatever order its columns are."""
    random_ = random.Random(seed)
    data = {
        "gene": random_.sample(ALL, n),
        "statistic": [round(random_.gauss(0, 2), 4) for _ in range(n)],
        "pvalue": [round(random_.random(), 6) for _ in range(n)],
        "mean": [random_.randrange(1, 10_000) for _ in range(n)],
        "label": [random_.choice(["treated", "control sample"]) for _ in range(n)],
    }
    frame = pd.DataFrame({name: data[name] for name in order})
    written = WRITERS[writer](frame.rename(columns={"statistic": statistic}))
    content = written if isinstance(written, bytes) else written.encode()
    found = genes.read(io.BytesIO(content), ranked=True)
    assert found.genes == data["gene"]
    assert found.table["statistic"].to_list() == pytest.approx(data["statistic"])


@pytest.mark.parametrize("engine", ["openpyxl", "xlsxwriter"])
def test_any_workbook_gives_its_genes_and_statistic(tmp_path, engine):
    pytest.importorskip(engine)
    random_ = random.Random(len(engine))
    data = {"p": [random_.random() for _ in range(30)], "gene": random_.sample(ALL, 30)}
    data["logFC"] = [random_.gauss(0, 2) for _ in range(30)]
    pd.DataFrame(data).to_excel(tmp_path / "a.xlsx", engine=engine)
    found = genes.read(tmp_path / "a.xlsx", ranked=True)
    assert found.genes == data["gene"]
    assert found.table["statistic"].to_list() == pytest.approx(data["logFC"])


def test_a_bed_file_is_places_where_they_are_taken(tmp_path):
    path = tmp_path / "loci.bed"
    path.write_text("track name=x\nchr7\t117449999\t117700000\tpeak\nX\t10\t20\n")
    with pytest.raises(FormatError, match=r"intervals \(BED\): .* gsfm prioritize"):
        genes.read(path)
    found = genes.read(path, loci=True)
    assert found.genes == ["chr7:117450000-117700000", "X:11-20"]
    assert genes.within(found.genes[0]) == ["CFTR", "CFTR-AS1"]
    path.write_text("chr7\t117449999\t117700000\n")
    ranked = gsfm.prioritize(path, seeds=["SCNN1A", "SLC26A9"], why=False)
    assert ranked.provenance["candidates"]["loci"] == {"chr7:117450000-117700000": 2}
    assert ranked.provenance["input"]["read"][0]["identifiers"] == "places on GRCh38"
    path.write_text("chr7\t117449999\t117700000\nchr7\tx\ty\n")
    with pytest.raises(FormatError, match="line 2: this is no interval"):
        genes.read(path, loci=True)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("TP53\nMDM2\n", {"gene_column": "nope"}, "no column 'nope'"),
        ("TP53\nMDM2\n", {"gene_column": 2}, "no column 2"),
        ("p53 targets\t\tTP53\tMDM2\n", {}, "gene-set file"),
        ("TP53\t1\nMDM2\t1\n", {"ranked": True}, "all values of column 2 are 1"),
    ],
)
def test_no_column_and_no_list(text, options, message):
    with pytest.raises(FormatError, match=message):
        genes.read(io.BytesIO(text.encode()), **options)
    assert genes.read(io.BytesIO(b"gene\nTP53\n"), gene_column="gene").genes == ["TP53"]


def test_numbers_are_no_names_of_the_columns_of_a_frame():
    """1 is the Entrez id of A1BG."""
    frame = pd.DataFrame([["x", "TP53", 1.5], ["y", "MDM2", -2.0], ["z", "BAX", 3.0]])
    expected = [("TP53", 1.5), ("MDM2", -2.0), ("BAX", 3.0)]
    assert genes.read(frame, ranked=True).table.rows() == expected
    series = frame.set_index(1)[2].rename(None).rename_axis(None)
    assert genes.read(series.reset_index(), ranked=True).table.rows() == expected


def test_a_frame_without_rows_has_no_genes():
    with pytest.raises(FormatError, match="it has no rows"):
        gsfm.complete(pl.DataFrame({"g": []}))


def cost(data):
    """Calls of functions to read a file."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        read(data)
    finally:
        sys.setprofile(None)
    return calls


SHAPES = {
    "lines": lambda n: "\n".join(ALL[:n]),
    "one line": lambda n: ", ".join(ALL[:n]),
    "TSV": lambda n: rows(ALL[:n], range(n), [0.5] * n, header=["gene", "row", "logFC"]),
    "CSV with quotes": lambda n: rows([f'"{s}"' for s in ALL[:n]], [0.5] * n, sep=","),
    "several in a cell": lambda n: rows([f"{s};TP53" for s in ALL[:n]], [0.5] * n),
    "wide": lambda n: (
        "\t".join(["gene", *(f"c{i}" for i in range(n))])
        + "".join(f"\n{s}" + "\tx" * n for s in SYMBOLS)
    ),
    "short rows": lambda n: "gene\tlogFC\n" + "TP53\n" * n,
    "blank lines": lambda n: "gene\tlogFC\nTP53\t1\n" + "\n" * n,
    "headings": lambda n: "UP\n" + "TP53\n" * n,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_reading_is_linear_in_the_bytes(shape):
    read(SHAPES[shape](20))  # what is loaded once
    small, large = (cost(SHAPES[shape](n)) for n in (100, 400))
    assert large <= 4.5 * small + 2000


def test_a_wide_table_is_resolved_at_once(monkeypatch):
    calls = []
    monkeypatch.setattr(
        columns, "resolve", lambda *a, **k: calls.append(a) or genes.resolve(*a, **k)
    )
    header = ["note", *(f"c{i}" for i in range(40)), "gene"]
    text = rows(["low"] * 8, *([f"w{i}"] * 8 for i in range(40)), SYMBOLS, header=header)
    assert read(text).genes == SYMBOLS
    assert len(calls) == 1
