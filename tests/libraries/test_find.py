"""Find the term that a text names; an error if there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsfm import GsfmError, UnknownTermError, libraries


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.gmt"
    path.write_text(
        "Heart\tpumps\tMYH7\tMYH6\nHeart failure\t\tNPPA\tNPPB\nheart\t\tTNNT2\nLiver\t\tALB\n"
    )
    return str(path)


@pytest.mark.parametrize(
    "text", ["GO:0006281", "go:0006281", " go:0006281 ", "go-bp:dna  repair", "go-bp:GO:0006281"]
)
def test_ways_to_say_it(text):
    found = libraries.find(text)
    assert (found.library, found.id, found.name) == ("go-bp", "GO:0006281", "DNA repair")
    library = libraries.load(found.library)
    assert found.genes == library.genes(found.row)
    assert library.names[found.row] == found.name


@given(st.integers(0, 2000))
def test_every_identifier_finds_its_term(row):
    for name in ("go-mf", "reactome"):
        library = libraries.load(name)
        row %= len(library)
        found = libraries.find(library.metadata["id"][row].swapcase(), name)
        assert (found.library, found.row) == (name, row)


def test_a_beginning_that_is_of_one_term_alone(mine):
    assert libraries.find("liv", mine).name == "Liver"
    assert libraries.find("Heart f", mine).genes == ("NPPA", "NPPB")


def test_several_terms(mine):
    with pytest.raises(UnknownTermError, match="2 terms are 'HEART': Heart, heart; give an id"):
        libraries.find("HEART", mine)
    with pytest.raises(UnknownTermError, match=r"3 terms are 'hea': Heart, .*; give an identifier"):
        libraries.find("hea", mine)
    assert libraries.find("DNA repair", "reactome").id == "R-HSA-73894"


def test_the_best_of_several_libraries(tmp_path):
    # The same case first, then the order of the list; the others are named.
    found = libraries.find("DNA repair")
    assert (found.library, found.id) == ("go-bp", "GO:0006281")
    assert found.others == ("reactome: DNA Repair (R-HSA-73894)",)
    assert libraries.find("DNA Repair").id == "R-HSA-73894"
    assert libraries.find("dna repair").id == "GO:0006281"
    assert libraries.find("GO:0006281").others == ()
    path = tmp_path / "mine.gmt"
    path.write_text("DNA repair\t\tBRCA1\n")
    libraries.add(path)
    mine = libraries.find("dna repair")
    assert (mine.library, mine.genes, len(mine.others)) == ("mine", ("BRCA1",), 2)
    path.write_text("DNA repair\t\tBRCA1\ndna repair\t\tBRCA2\n")
    libraries.add(path, replace=True)
    with pytest.raises(UnknownTermError, match="4 terms are 'dna repair'"):
        libraries.find("dna repair")


@pytest.mark.parametrize(
    ("text", "library"), [("cilium assembly", "go-bp"), ("Cilium Assembly", "reactome")]
)
def test_the_command_says_which_term_it_took(run, text, library):
    found = run("term", text, "--top", "3")
    assert found.exit_code == 0
    assert f", {library}): " in found.stderr
    assert "same name in other libraries: " in found.stderr


@pytest.mark.parametrize(
    ("text", "library", "like"),
    [
        ("spermatogenisis", "go-bp", "spermatogenesis (GO:0007283)"),
        ("interferon respons type", "go-bp", "response to type I interferon (GO:0034340)"),
        ("Apoptosys", None, "reactome: Apoptosis (R-HSA-109581)"),
    ],
)
def test_a_slip_gets_suggestions(text, library, like):
    with pytest.raises(UnknownTermError) as error:
        libraries.find(text, library)
    message = str(error.value)
    assert like in message
    assert 1 <= message.count("(") <= 5
    assert "\n" not in message
    assert isinstance(error.value, GsfmError)


def test_nothing_is_like_nonsense(mine):
    for text in ("qqqqzzzz", "", "   "):
        with pytest.raises(UnknownTermError):
            libraries.find(text)
    with pytest.raises(UnknownTermError, match=r"no term 'Brain' in .*none is like it"):
        libraries.find("Brain", mine)


def test_an_unknown_library():
    with pytest.raises(GsfmError, match=r"no library 'go-pb'.* did you mean 'go-bp'"):
        libraries.find("DNA repair", "go-pb")
    with pytest.raises(GsfmError, match="no library 'go-pb'"):
        libraries.load("go-pb")


def test_show(mine):
    terms = libraries.show(mine)
    assert terms.table.select("term", "size").rows()[:2] == [("Heart", 2), ("Heart failure", 2)]
    one = libraries.show("go-bp", "GO:0006281")
    assert one.table["symbol"].to_list() == list(libraries.find("GO:0006281").genes)
    assert dict(one.table.rows())["BRCA2"] == "BRCA2 DNA repair associated"
    assert one.provenance["term"]["size"] == len(one)
    assert one.provenance["library"]["date"] == "2023-11-16"
    assert "The process of restoring DNA" in one.summary()
    with pytest.raises(UnknownTermError):
        libraries.show("go-bp", "nonsense")
