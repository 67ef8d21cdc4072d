"""A list of another species is noticed; a human list, in whatever case, is not taken for one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import gsfm
from gsfm import genes
from gsfm.cli.app import app

TABLE = genes.table()
SYMBOLS = TABLE["symbol"].to_list()
NAMES = [
    *SYMBOLS,
    *TABLE["aliases"].explode().drop_nulls(),
    *TABLE["previous"].explode().drop_nulls(),
    *TABLE["ensembl_id"].drop_nulls(),
    *TABLE["entrez_id"].drop_nulls(),
]
LISTS = {
    "fly": "w y hh en wg ptc ci dpp sc ac smo N Dl f ev eve",
    "yeast": "CDC28 ACT1 PGK1 TDH3 ADE2 HIS3 RAD51 URA3 PHO5 GAL4 YAL038W",
    "zebrafish": "her1 her2 her4.1 her7 sox10 mitfa tyr tp53 notch1a fgf8a ednrb1a",
    "worm": "unc-5 let-60 daf-16 daf-2 lin-12 ced-3",
    "plant": "AT1G01010 AT4G38200 FLC PHYB LHY",
    "non-human": "ENSSSCG00000000001 ENSSSCG00000000002 ENSBTAG00000000003",
    "bacterial": "thrA lacZ recA dnaK araC gyrA",
    "Xenopus": "tp53.L mdm2.S sox2.L",
    "S. pombe": "SPAC1002.02 SPBC1105.04c SPCC1020.01c SPAPB1A10.09",
}
#: Systematic names: the word of the hint, and genes.
SYSTEMATIC = {
    "bacterial": "b0001 JW0001 ECK0001 Rv0002c PA0424 STM0001 VCA0003 lmo2003 BSU00010",
    "plant": "At1g01010 Os01g0100100 LOC_Os01g01010.1 Zm00001d027230 GRMZM2G000001 Glyma.01G000100 "
    "Solyc01g005010.2 Medtr1g004930 Potri.001G000100 TraesCS1A02G000100 HORVU1Hr1G000010 "
    "VIT_01s0011g00010 Sobic.001G000300 Bra000001 BnaA01g00010D Cre01.g000017 Pp3c1_100V3",
    "non-human": "MSMEG_0001 PA14_00010 SAOUHSC_00001 SP_0001 PF3D7_0100100 TGME49_200010 "
    "CNAG_00001 orf19.2345 C1_00010W_A AN0001 Afu1g00100 NCU00001 DDB_G0267364 Tb927.1.10 "
    "LmjF.01.0010 AGAP000001 Smp_000010 mmu:22059",
    "worm": "F35G12.3a ZK1127.1 B0303.1 CELE_F35G12.3",
    "Xenopus": "XELAEV_18000001m XB-GENE-480990 xetrov90000001m",
    "yeast": "YBR002W-A Q0010 YNCA0001W sce:YAL001C",
}


@pytest.mark.parametrize("species", LISTS)
def test_other_species_are_noticed(species: str) -> None:
    found = genes.resolve(LISTS[species].split())
    (warning,) = found.warnings
    assert warning.startswith(f"these look like {species} genes (")
    assert found.summary().splitlines()[-1] == f"warning: {warning}"


@pytest.mark.parametrize("species", SYSTEMATIC)
def test_systematic_names_of_other_species_are_noticed(species: str) -> None:
    names = SYSTEMATIC[species].split()
    found = genes.resolve(names)
    assert found.mapped == []
    rules = found.table["rule"].to_list()
    assert [r for r in rules if not r.startswith(f"{species} gene: map it to a human")] == []
    (warning,) = found.warnings
    assert warning.startswith(f"these look like {species} genes (")


@pytest.mark.parametrize("names", ["cdc28 ura3 his3 pho5 rad51", "Cdc28p Ura3p His3p Act1p"])
def test_yeast_genes_in_other_case_and_proteins_are_noticed(names: str) -> None:
    (warning,) = genes.resolve(names.split()).warnings
    assert warning.startswith("these look like yeast genes (")


@given(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=60, unique=True),
    st.sampled_from([str, str.lower, str.title, str.upper]),
)
@settings(max_examples=30)
def test_human_lists_are_not(names: list[str], case: type) -> None:
    assert genes.resolve([case(name) for name in names]).warnings == []


@given(st.lists(st.sampled_from(SYMBOLS), min_size=3, max_size=60, unique=True))
@settings(max_examples=30)
def test_human_symbols_in_the_case_of_mice_stay_human(names: list[str]) -> None:
    found = genes.resolve([name.title() for name in names])
    assert found.symbols == names
    assert (found.species, found.warnings) == (None, [])


@pytest.mark.parametrize("gene", ["Trp53", "w", "YAL038W", "FBgn0003996", "unc-5", "a"])
def test_a_single_gene_says_nothing_about_the_list(gene: str) -> None:
    assert genes.resolve([gene]).warnings == []
    assert genes.resolve([gene] * 5).warnings == []


class TestMouse:
    LIST = ("Trp53", "Mdm2", "Cdkn1a", "Bax")

    def test_a_list_of_mouse_symbols_is_read_as_such(self) -> None:
        """Hc is C5 in mice; HC is an alias of the human CLTC."""
        found = genes.resolve([*self.LIST, "Hc"])
        assert found.symbols[-1] == "C5"
        assert found.species == "mouse"
        assert found.warnings == [
            "most identifiers are mouse symbols, and were read as such: "
            "species 'human' prefers human symbols"
        ]
        assert genes.resolve([*self.LIST, "Hc"], species="human").symbols[-1] == "CLTC"
        assert genes.resolve([*self.LIST, "Hc"], species="mouse").warnings == []

    def test_case_alone_does_not_decide(self) -> None:
        human = ["TP53", "MDM2", "CDKN1A", "Trp53"]
        assert genes.resolve([*human, "Hc"]).symbols[-1] == "CLTC"
        assert genes.resolve(["Hc"]).symbols == ["CLTC"]

    @pytest.mark.parametrize("letter", ["a", "A"])
    def test_a_letter_is_a_mouse_gene_only_in_a_list_of_them(self, letter: str) -> None:
        """The mouse gene a (nonagouti) is ASIP; A is no human gene."""
        assert genes.resolve([letter, "TP53", "MDM2"]).symbols[0] is None
        assert genes.resolve([letter, *self.LIST]).symbols[0] == "ASIP"
        assert genes.resolve([letter], species="mouse").symbols == ["ASIP"]

    def test_in_capitals(self) -> None:
        found = genes.resolve(["TRP53", "TRP63", "TRP73", "MDM2"])
        assert found.warnings == [
            "these look like mouse genes: species 'mouse' prefers their orthologs"
        ]

    def test_rats(self) -> None:
        rat = TABLE.explode("rat").drop_nulls("rat")["rat"].unique()
        others = {name.upper() for name in [*NAMES, *TABLE["mouse"].explode().drop_nulls()]}
        own = [n for n in rat.sort() if n.upper() not in others and n[1:].islower()][:8]
        assert genes.resolve([*own, "Mdm2", "Bax"]).species == "rat"


@pytest.mark.parametrize("species", ["fly", "yeast"])
def test_verbs_warn(species: str) -> None:
    identifiers = LISTS[species].split()
    result = gsfm.enrich(identifiers, method="ora", libraries="families")
    warnings = genes.resolve(identifiers).warnings
    assert result.provenance["input"]["warnings"] == warnings
    assert f"warning: {warnings[0]}" in result.summary()
    options = ["--method", "ora", "--libraries", "families"]
    run = CliRunner().invoke(app, ["enrich", *identifiers, *options, "--json"])
    assert f"warning: {warnings[0]}" in run.stderr
    assert json.loads(run.stdout)["provenance"]["input"]["warnings"] == warnings


@pytest.mark.parametrize(
    ("identifiers", "hint"),
    [
        (["FBgn0003996", "FBgn0004647", "FBgn0000463"], "these look like fly genes"),
        (["202763_at", "1007_s_at"], "Affymetrix probe set"),
        (["nonsense"], "gsfm genes resolve shows"),
    ],
)
def test_the_error_says_what_unknown_identifiers_are(identifiers: list[str], hint: str) -> None:
    with pytest.raises(gsfm.errors.UnknownGenesError, match=hint) as error:
        gsfm.enrich(identifiers, method="ora", libraries="families")
    assert "\n" not in str(error.value)


def test_a_library_of_another_species_is_noted() -> None:
    sets = gsfm.GeneSets.from_lists({"cycle": LISTS["yeast"].split()}).resolve()
    assert sets.report is not None
    assert "yeast genes" in sets.report.summary()
