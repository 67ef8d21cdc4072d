"""resolve: every kind of identifier, precedence, ambiguity, invariants."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsfm import genes


def one(identifier: object, **options: object) -> tuple[str | None, str]:
    """Return symbol and match of one identifier."""
    row = genes.resolve([identifier], **options).table.row(0, named=True)
    return row["symbol"], row["match"]


@pytest.mark.parametrize(
    ("identifier", "symbol", "match"),
    [
        ("TP53", "TP53", "approved"),
        ("tp53", "TP53", "approved (case)"),
        ("Tp53", "TP53", "approved (case)"),
        ("C1orf116", "C1orf116", "approved"),
        ("C1ORF116", "C1orf116", "approved (case)"),
        ("c1orf116", "C1orf116", "approved (case)"),
        ("HLA-A", "HLA-A", "approved"),
        ("MT-CO1", "MT-CO1", "approved"),
        # previous symbols and aliases
        ("C1orf112", "FIRRM", "previous"),
        ("MARCH1", "MARCHF1", "previous"),
        ("march1", "MARCHF1", "previous"),
        ("p53", "TP53", "alias"),
        ("P53", "TP53", "alias"),
        ("HER2", "ERBB2", "alias"),
        ("OCT4", "POU5F1", "alias"),
        # Entrez: bare numbers, whatever wrote them
        ("7157", "TP53", "entrez"),
        (7157, "TP53", "entrez"),
        (np.int64(7157), "TP53", "entrez"),
        (7157.0, "TP53", "entrez"),
        ("7157.0", "TP53", "entrez"),
        ("007157", "TP53", "entrez"),
        ("LOC7157", "TP53", "entrez"),
        ("entrez:7157", "TP53", "entrez"),
        ("GeneID:7157", "TP53", "entrez"),
        ("ncbigene:7157", "TP53", "entrez"),
        # 11998 is TP53's number at HGNC, and nobody's at NCBI: a bare number is an Entrez id.
        ("11998", None, "unmapped"),
        ("HGNC:11998", "TP53", "hgnc"),
        ("hgnc:11998", "TP53", "hgnc"),
        ("HGNC:HGNC:11998", "TP53", "hgnc"),
        ("HGNC:6", "UBA1", "hgnc (merged)"),  # an entry that was merged into UBA1's
        ("hgnc:TP53", "TP53", "approved"),
        # Ensembl
        ("ENSG00000141510", "TP53", "ensembl gene"),
        ("ENSG00000141510.18", "TP53", "ensembl gene"),
        ("ensg00000141510.18", "TP53", "ensembl gene"),
        ("Ensembl:ENSG00000141510", "TP53", "ensembl gene"),
        ("ENSG00000182378.15_PAR_Y", "PLCXD1", "ensembl gene"),
        ("ENSG00000206503", "HLA-A", "ensembl gene"),
        ("ENSG00000224320", "HLA-A", "ensembl gene"),  # on an alternative haplotype
        ("ENST00000269305", "TP53", "ensembl transcript"),
        ("ENST00000269305.9", "TP53", "ensembl transcript"),
        ("ENSG00000000000", None, "unmapped"),
        ("ENSP00000269305", None, "unmapped"),
        # UniProt
        ("P04637", "TP53", "uniprot"),
        ("p04637", "TP53", "uniprot"),
        ("P04637-2", "TP53", "uniprot"),
        ("UniProtKB:P04637-2", "TP53", "uniprot"),
        ("sp|P04637|P53_HUMAN", "TP53", "uniprot"),
        ("sp|P04637-2|P53_HUMAN", "TP53", "uniprot"),
        ("K7PPA8", "TP53", "uniprot (other)"),
        # mouse and rat
        ("Trp53", "TP53", "mouse symbol"),
        ("TRP53", "TP53", "mouse symbol"),
        ("MGI:98834", "TP53", "mgi"),
        ("ENSMUSG00000059552", "TP53", "mouse ensembl gene"),
        ("ENSMUSG00000059552.14", "TP53", "mouse ensembl gene"),
        ("RGD:3889", "TP53", "rgd"),
        ("ENSRNOG00000010756", "TP53", "rat ensembl gene"),
        ("Ins-2", "INS", "mouse alias"),
        ("Cyp2f2", "CYP2F1", "mouse symbol"),  # the other ortholog, CYP2F2P, is a pseudogene
        # what surrounds a name in files
        ("  TP53\t", "TP53", "approved"),
        ('"TP53"', "TP53", "approved"),
        ("'TP53'", "TP53", "approved"),
        ("\u201cTP53\u201d", "TP53", "approved"),
        ("\ufeffTP53\u00a0", "TP53", "approved"),
        ("HLA\u2013A", "HLA-A", "approved"),  # an en dash
        # nothing
        ("not-a-gene", None, "unmapped"),
        ("TP53 MDM2", None, "unmapped"),
        ("7157.5", None, "unmapped"),
        ("HGNC:999999999", None, "unmapped"),
        ("99999999999999999999", None, "unmapped"),
        ("-7157", None, "unmapped"),
    ],
)
def test_known_answers(identifier: object, symbol: str | None, match: str) -> None:
    assert one(identifier) == (symbol, match)


@pytest.mark.parametrize("nothing", ["", "  ", "NA", "nan", "N/A", "#N/A", "None", "-", None])
def test_missing_values_are_not_genes(nothing: str | None) -> None:
    """NA was once the symbol of XK and NaN is an alias of SCN11A; in a list they mean nothing."""
    row = genes.resolve([nothing]).table.row(0, named=True)
    assert (row["symbol"], row["match"], row["rule"]) == (None, "unmapped", "a missing value")
    assert row["input"] == nothing


def test_identifiers_of_every_type() -> None:
    values = [b"TP53", 7157, 7157.0, None, float("nan"), pd.NA, pd.NaT, "\ud800", "TP53"]
    found = genes.resolve(values)
    assert found.symbols == [*["TP53"] * 3, *[None] * 5, "TP53"]
    assert found.table["input"].to_list()[3:8] == [*[None] * 4, "?"]
    for wrong in ({"TP53": 1}, pd.DataFrame({"gene": ["TP53"]}), b"TP53", np.array("TP53"), 7157):
        with pytest.raises(TypeError, match="resolve takes a list of identifiers"):
            genes.resolve(wrong)  # type: ignore[arg-type]


def test_nan_is_a_missing_value() -> None:
    assert genes.resolve([float("nan"), "TP53"]).symbols == [None, "TP53"]


class TestPrecedence:
    def test_approved_beats_alias(self) -> None:
        """AR is the androgen receptor, and an alias of AKR1B1."""
        row = genes.resolve(["AR"]).table.row(0, named=True)
        assert (row["symbol"], row["match"]) == ("AR", "approved")
        assert row["candidates"][0] == "AR"
        assert "AKR1B1" in row["candidates"]

    def test_previous_beats_alias(self) -> None:
        """DEC1 was DELEC1's symbol, and is an alias of BHLHE40."""
        row = genes.resolve(["DEC1"]).table.row(0, named=True)
        assert (row["symbol"], row["match"]) == ("DELEC1", "previous")
        assert row["candidates"] == ["DELEC1", "BHLHE40"]
        assert row["rule"] == "previous symbol; taken before the other candidates"

    def test_an_entrez_id_beats_an_alias_of_digits(self) -> None:
        """225 is the Entrez id of ABCD2, and an alias of EGR1."""
        row = genes.resolve(["225"]).table.row(0, named=True)
        assert (row["symbol"], row["match"]) == ("ABCD2", "entrez")
        assert row["candidates"] == ["ABCD2", "EGR1"]

    def test_human_alias_beats_mouse_symbol_unless_asked(self) -> None:
        """Hc is C5 in mice; HC is an alias of the human CLTC."""
        assert one("Hc") == ("CLTC", "alias")
        assert one("Hc", species="human") == ("CLTC", "alias")
        assert one("Hc", species="mouse") == ("C5", "mouse symbol")

    def test_species_prefers_its_symbols_to_approved_ones(self) -> None:
        """The ortholog of mouse Ceacam3 is not the human CEACAM3 (HGNC, MGI)."""
        assert one("Ceacam3") == ("CEACAM3", "approved (case)")
        assert one("Ceacam3", species="mouse") == ("CEACAM7", "mouse symbol")

    def test_a_species_keeps_what_only_humans_have(self) -> None:
        assert one("ERVW-1", species="mouse") == ("ERVW-1", "approved")
        assert one("HER2", species="rat")[0] == "ERBB2"

    def test_unknown_species(self) -> None:
        with pytest.raises(ValueError, match="'human', 'mouse', 'rat'"):
            genes.resolve(["TP53"], species="yeast")  # type: ignore[arg-type]


class TestAmbiguity:
    @pytest.mark.parametrize(
        ("identifier", "candidates"),
        [
            ("OCT1", ["POU2F1", "SLC22A1"]),  # alias of both
            ("SEP2", ["SEPTIN6", "SEPTIN8"]),
            ("P23610", ["F8A1", "F8A2", "F8A3"]),  # three genes, one protein
        ],
    )
    def test_it_is_reported_and_not_guessed(self, identifier: str, candidates: list[str]) -> None:
        found = genes.resolve([identifier])
        row = found.table.row(0, named=True)
        assert (row["symbol"], row["match"]) == (None, "ambiguous")
        assert row["candidates"] == candidates
        assert row["rule"].endswith("several genes, none taken")
        assert found.ambiguous == [identifier]
        assert found.mapped == found.unmapped == []

    def test_several_orthologs(self) -> None:
        row = genes.resolve(["Fcnb"]).table.row(0, named=True)
        assert (row["match"], row["candidates"]) == ("ambiguous", ["FCN1", "FCN2"])

    def test_the_ortholog_of_the_same_name_is_meant(self) -> None:
        """HGNC lists a mouse gene with several human genes; the namesake is the one."""
        mouse = genes.table().select("symbol", "mouse").explode("mouse").drop_nulls()
        several = mouse.filter(pl.len().over("mouse") > 1)
        namesakes = several.filter(pl.col("symbol") == pl.col("mouse").str.to_uppercase())
        assert namesakes.height > 100
        found = genes.resolve(namesakes["mouse"], species="mouse")
        assert found.symbols == namesakes["symbol"].to_list()

    def test_a_former_name_tells_which_ortholog_is_meant(self) -> None:
        """HGNC lists Cd8b1 with CD8B, once CD8B1, and with CD8B2."""
        assert one("Cd8b1", species="mouse") == ("CD8B", "mouse symbol")
        assert one("MGI:88347") == ("CD8B", "mgi")

    def test_unambiguous_identifiers_have_no_candidates(self) -> None:
        assert genes.resolve(["TP53", "zzz"]).table["candidates"].to_list() == [[], []]


class TestDates:
    @pytest.mark.parametrize(
        ("date", "symbol"),
        [
            ("2-Sep", "SEPTIN2"),
            ("02-Sep", "SEPTIN2"),
            ("Sep-02", "SEPTIN2"),
            ("Sep-2", "SEPTIN2"),
            ("2-Sept", "SEPTIN2"),
            ("2-SEP", "SEPTIN2"),
            ("2 Sep", "SEPTIN2"),
            ("2-Sep-2019", "SEPTIN2"),
            ("02/Sep/19", "SEPTIN2"),
            ("2006/09/02", "SEPTIN2"),
            ("2022-09-02", "SEPTIN2"),
            ("2022-09-02 00:00:00", "SEPTIN2"),
            ("02.09.2022", "SEPTIN2"),
            ("2. Sep", "SEPTIN2"),
            ("9-sept", "SEPTIN9"),
            ("Sep 02", "SEPTIN2"),
            ("02. Sep. 2022", "SEPTIN2"),
            ("2-set", "SEPTIN2"),
            ("3. Mrz", "MARCHF3"),
            ("03.M\u00e4r", "MARCHF3"),
            ("3 mars", "MARCHF3"),
            ("3-mrt", "MARCHF3"),
            ("1-d\u00e9c", "DELEC1"),
            ("1. Dez", "DELEC1"),
            ("4. Okt", "POU5F1"),
            ("15-Sep", "SELENOF"),  # SEP15
            ("3-Mar", "MARCHF3"),
            ("11-Mar", "MARCHF11"),
            ("1-Dec", "DELEC1"),
            ("2-Dec", "BHLHE41"),
            ("4-Oct", "POU5F1"),
        ],
    )
    def test_dates_that_were_genes(self, date: str, symbol: str) -> None:
        assert one(date) == (symbol, "excel date")

    @pytest.mark.parametrize(
        ("date", "candidates"),
        [
            ("1-Mar", ["MARCHF1", "MTARC1"]),
            ("Mar-01", ["MARCHF1", "MTARC1"]),
            ("2-Mar", ["MARCHF2", "MTARC2"]),
            ("1-Oct", ["POU2F1", "SLC22A1"]),
        ],
    )
    def test_dates_that_were_one_of_several(self, date: str, candidates: list[str]) -> None:
        row = genes.resolve([date]).table.row(0, named=True)
        assert (row["match"], row["candidates"]) == ("ambiguous", candidates)

    @pytest.mark.parametrize("date", ["31-Jan", "9/2/2022", "2022-13-01", "0-Sep", "32-Sep"])
    def test_other_dates_are_not_genes(self, date: str) -> None:
        assert one(date) == (None, "unmapped")

    def test_serials_only_on_request(self) -> None:
        assert one("44621")[0] is None
        row = genes.resolve(["44621", 44623], excel_serials=True).table
        assert row["match"].to_list() == ["ambiguous", "excel serial"]  # 1 and 3 March 2022
        assert row["candidates"].to_list() == [["MARCHF1", "MTARC1"], []]
        assert row["symbol"].to_list() == [None, "MARCHF3"]

    def test_serials_of_other_days_remain_entrez_ids(self) -> None:
        # 54205 (27 May 2048) is the Entrez id of CYCS, and no gene is called MAY27.
        assert one("54205", excel_serials=True) == ("CYCS", "entrez")
        assert one("7157", excel_serials=True) == ("TP53", "entrez")


class TestInputs:
    def test_any_iterable(self) -> None:
        names = ["TP53", "7157", "p53"]
        expected = ["TP53"] * 3
        assert genes.resolve(names).symbols == expected
        assert genes.resolve(tuple(names)).symbols == expected
        assert genes.resolve(iter(names)).symbols == expected
        assert genes.resolve(np.array(names)).symbols == expected
        assert genes.resolve(np.array(names, dtype=object)).symbols == expected
        assert genes.resolve(pl.Series(names)).symbols == expected
        assert genes.resolve(pl.Series(names, dtype=pl.Categorical)).symbols == expected

    def test_numbers(self) -> None:
        assert genes.resolve(np.array([7157, 1956])).symbols == ["TP53", "EGFR"]
        assert genes.resolve(pl.Series([7157, None])).symbols == ["TP53", None]
        assert genes.resolve([7157, "MDM2"]).symbols == ["TP53", "MDM2"]
        assert genes.resolve(["MDM2", 7157, None]).symbols == ["MDM2", "TP53", None]
        assert (
            genes.resolve(pl.Series([7157.0, None, float("nan")])).symbols == ["TP53"] + [None] * 2
        )

    def test_pandas(self) -> None:
        pd = pytest.importorskip("pandas")
        series = pd.Series(["TP53", None, "p53"])
        found = genes.resolve(series)
        assert found.symbols == ["TP53", None, "TP53"]
        frame = found.to_pandas()
        assert list(frame.columns) == found.table.columns
        assert frame["match"].tolist() == ["approved", "unmapped", "alias"]
        assert genes.resolve(pd.Series([7157, 1956])).symbols == ["TP53", "EGFR"]
        assert genes.resolve(pd.Series([7157, None])).symbols == ["TP53", None]
        for dtype, values in (("string", ["TP53", None]), ("Int64", [7157, None])):
            assert genes.resolve(pd.Series(values, dtype=dtype)).symbols == ["TP53", None]
        assert genes.resolve([7157, pd.NA]).symbols == ["TP53", None]
        assert genes.resolve(pd.Index(["TP53", "p53"])).symbols == ["TP53", "TP53"]

    def test_nothing(self) -> None:
        found = genes.resolve([])
        assert len(found) == 0
        assert found.symbols == []
        assert found.counts == {}
        assert found.table.columns == ["input", "symbol", "match", "candidates", "rule"]

    def test_one_string_is_a_mistake(self) -> None:
        with pytest.raises(TypeError, match=r"use \['TP53'\]"):
            genes.resolve("TP53")


class TestResolution:
    def test_lists_and_counts(self) -> None:
        found = genes.resolve(["TP53", "OCT1", "zzz", "p53", None, "zzz"])
        assert found.mapped == ["TP53", "p53"]
        assert found.ambiguous == ["OCT1"]
        assert found.unmapped == ["zzz", "zzz"]
        assert found.counts == {"unmapped": 3, "alias": 1, "ambiguous": 1, "approved": 1}
        assert list(found.counts) == ["unmapped", "alias", "ambiguous", "approved"]
        assert repr(found) == "Resolution(6 identifiers: 2 mapped, 1 ambiguous, 3 unmapped)"

    def test_summary_is_short(self) -> None:
        lines = genes.resolve([f"unknown{i}" for i in range(100)]).summary(limit=2).splitlines()
        assert lines == [
            "0 of 100 identifiers are known genes",
            "unmapped (100): unknown0, unknown1 and 98 more",
        ]

    def test_summary_tells_of_many_candidates(self) -> None:
        assert (
            "P62805 (H4C1 or H4C11 or H4C12 or H4C13 or ...)" in genes.resolve(["P62805"]).summary()
        )

    def test_summary_recognizes_a_list_from_mice(self) -> None:
        mouse = ["Trp53", "Cd8b1", "Gapdh", "TP63"]
        assert "warning: most identifiers are mouse symbols" in genes.resolve(mouse).summary()
        assert "warning" not in genes.resolve(mouse, species="mouse").summary()
        assert "warning" not in genes.resolve(["TP53", "Trp53"]).summary()

    def test_without_pandas(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pandas", None)
        with pytest.raises(ImportError, match="pip install"):
            genes.resolve(["TP53"]).to_pandas()


# -- against a plain implementation --------------------------------------------------------------


def plain_index(columns: list[str]) -> dict[str, list[set[str]]]:
    """Return key -> the symbols that it means, column by column."""
    found: dict[str, list[set[str]]] = defaultdict(lambda: [set() for _ in columns])
    for row in genes.table().iter_rows(named=True):
        for i, column in enumerate(columns):
            values = row[column] if isinstance(row[column], list) else [row[column]]
            for value in values:
                key = value.strip().strip("'").upper()
                found[key][i].add(row["symbol"])
    return found


def test_every_human_name_as_a_plain_implementation_has_it() -> None:
    index = plain_index(["symbol", "previous", "aliases", "uniprot", "uniprot_other"])
    for digits in ("225", "3635", "52"):  # Entrez ids first
        index.pop(digits)
    for nothing in ("NA", "NAN"):
        index.pop(nothing)
    for ensembl in [key for key in index if key.startswith(("ENSG0", "ENST0"))]:
        index.pop(ensembl)
    keys = list(index)
    found = genes.resolve(keys).table
    for key, symbol, match, candidates in found.select(
        "input", "symbol", "match", "candidates"
    ).iter_rows():
        best = next(meaning for meaning in index[key] if meaning)
        everything = set().union(*index[key])
        assert symbol == (next(iter(best)) if len(best) == 1 else None), key
        assert (match == "ambiguous") == (len(best) > 1), key
        assert set(candidates) == (everything if len(everything) > 1 else set()), key
        assert not candidates or candidates[0] in best, key


@pytest.mark.parametrize(
    ("column", "match"),
    [
        ("hgnc_id", "hgnc"),
        ("entrez_id", "entrez"),
        ("ensembl_id", "ensembl gene"),
        ("ensembl_other", "ensembl gene"),
    ],
)
def test_every_id_leads_to_its_gene(column: str, match: str) -> None:
    rows = genes.table().select("symbol", key=column)
    if rows.schema["key"] == pl.List:
        rows = rows.explode("key")
    rows = rows.drop_nulls().group_by("key", maintain_order=True).agg("symbol")
    assert rows.height > 3_000
    found = genes.resolve(rows["key"]).table
    columns = (rows["symbol"], found["symbol"], found["match"], found["candidates"])
    for symbols, symbol, way, candidates in zip(*(c.to_list() for c in columns), strict=True):
        if len(symbols) == 1:
            assert symbol == symbols[0]
            assert way == match
        else:
            assert way == "ambiguous"
            assert set(symbols) <= set(candidates)


@pytest.mark.parametrize(
    ("species", "names", "ids"), [("mouse", "mouse", "mgi_id"), ("rat", "rat", "rgd_id")]
)
def test_orthologs_lead_to_their_genes(species: genes.Species, names: str, ids: str) -> None:
    """By symbol or by id: one of the human genes of the table, or all of them as candidates."""
    for column in (names, ids):
        rows = (
            genes.table()
            .select("symbol", key=column)
            .explode("key")
            .drop_nulls()
            .group_by("key", maintain_order=True)
            .agg("symbol")
        )
        assert rows.height > 18_000
        found = genes.resolve(rows["key"], species=species).table
        clear = 0
        columns = (rows["symbol"], found["symbol"], found["candidates"])
        for symbols, symbol, candidates in zip(*(c.to_list() for c in columns), strict=True):
            assert symbol in symbols or set(symbols) <= set(candidates)
            clear += symbol is not None
        assert clear > 0.95 * rows.height


def test_transcripts() -> None:
    """Well-known transcripts (Ensembl canonical), and one that belongs to no gene."""
    known = {
        "ENST00000269305": "TP53",
        "ENST00000275493.7": "EGFR",
        "ENST00000357654.9": "BRCA1",
        "ENST00000380152.8": "BRCA2",
        "ENST00000256078.10": "KRAS",
        "ENST00000229239.10": "GAPDH",
        "ENST00000371953.8": "PTEN",
    }
    found = genes.resolve([*known, "ENST00000000001"])
    assert found.symbols == [*known.values(), None]
    assert found.counts == {"ensembl transcript": len(known), "unmapped": 1}


# -- invariants ------------------------------------------------------------------------------------

_TABLE = genes.table()
_NAMES = sorted(
    {
        *_TABLE["symbol"].gather_every(97),
        *_TABLE["previous"].explode().drop_nulls().gather_every(53),
        *_TABLE["aliases"].explode().drop_nulls().gather_every(101),
        *_TABLE["mouse"].explode().drop_nulls().gather_every(89),
        *_TABLE["uniprot"].explode().drop_nulls().gather_every(101),
        *_TABLE["hgnc_id"].gather_every(301),
        *_TABLE["ensembl_id"].drop_nulls().gather_every(301),
        *_TABLE["entrez_id"].drop_nulls().gather_every(301),
        *("2-Sep", "1-Mar", "OCT1", "NA", "MGI:98834", "P04637-2", "LOC7157"),
    }
)
known = st.sampled_from(_NAMES)
anything = st.one_of(known, st.text(max_size=12), st.none())
species_or_none = st.sampled_from([None, "human", "mouse", "rat"])


@given(st.lists(anything, max_size=30), species_or_none, st.booleans())
@settings(max_examples=60)
def test_rows_stay_in_their_places(
    identifiers: list[str | None], species: genes.Species | None, serials: bool
) -> None:
    found = genes.resolve(identifiers, species=species, excel_serials=serials)
    assert found.table["input"].to_list() == identifiers
    assert len(found) == len(found.symbols) == len(identifiers)
    assert sum(found.counts.values()) == len(identifiers)
    species = found.species  # may be inferred from the whole list
    alone = {i: genes.resolve([i], species=species, excel_serials=serials) for i in identifiers}
    assert found.symbols == [alone[i].symbols[0] for i in identifiers]


@given(st.lists(anything, min_size=1, max_size=30), species_or_none)
@settings(max_examples=60)
def test_an_answer_is_approved_and_means_itself(
    identifiers: list[str | None], species: genes.Species | None
) -> None:
    symbols = [s for s in genes.resolve(identifiers, species=species).symbols if s is not None]
    again = genes.resolve(symbols)
    assert again.symbols == symbols
    assert set(again.table["match"]) <= {"approved"}
    assert all(symbol in genes.vocabulary() for symbol in symbols)


@given(st.lists(known, min_size=1, max_size=30), species_or_none)
@settings(max_examples=60)
def test_case_does_not_matter(names: list[str], species: genes.Species | None) -> None:
    answers = [
        genes.resolve([change(name) for name in names], species=species or "human").symbols
        for change in (str, str.upper, str.lower, str.swapcase)
    ]
    assert answers[1:] == answers[:1] * 3


@given(
    st.sampled_from(["ENSG00000141510", "ENST00000269305", "ENSMUSG00000059552"]),
    st.integers(0, 10**6),
)
@settings(max_examples=30)
def test_versions_do_not_matter(identifier: str, version: int) -> None:
    assert genes.resolve([f"{identifier}.{version}"]).symbols == ["TP53"]


@given(known, st.text(" \t\n\"'\u00a0\ufeff", max_size=4), st.text(" \t\"'", max_size=4))
@settings(max_examples=60)
def test_blanks_and_quotes_do_not_matter(name: str, before: str, after: str) -> None:
    assert genes.resolve([before + name + after]).symbols == genes.resolve([name]).symbols


def test_import_is_light() -> None:
    """Neither torch nor pandas nor scipy is read with the genes alone."""
    code = (
        "import sys, gsfm.genes.resolver as r; r.resolve(['TP53']);"
        "assert not {'torch', 'pandas', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
