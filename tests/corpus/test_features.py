"""What is known of genes one by one: held against a plain count of the gene table."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gsfm
from gsfm import GeneSets, GsfmError, corpus, genes
from gsfm.corpus.gene_features import WIDTHS, windows

KINDS = ("words", "domains", "windows", "regions")


def as_sets(features: GeneSets) -> dict[str, set[str]]:
    return {name: set(features.genes(i)) for i, name in enumerate(features.names)}


def known(kind: str) -> dict[str, set[str]]:
    """Gather the features of two genes or more in loops over the table."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in genes.table().iter_rows(named=True):
        symbol, names = row["symbol"], []
        if kind == "words":
            names = [f"word:{w}" for w in re.findall("[a-z_0-9-]{2,}", (row["name"] or "").lower())]
            names += [f"symbol:{m}" for m in re.findall("^[A-Z]+", symbol)]
            names += [f"symbol:{symbol[:4]}*", f"symbol:{symbol[:3]}*"]
        elif kind == "domains":
            names = row["domains"]
        elif row["start"] is not None:
            for width in [10_000_000] if kind == "regions" else [50_000, 200_000, 1_000_000]:
                first = 1
                while first <= row["end"]:
                    last = first + width - 1
                    if row["start"] <= last:
                        names.append(f"{row['chromosome']}:{first}-{last}")
                    else:  # skip what lies well before the gene
                        behind = (row["start"] - last) // width
                        first += max(behind - 1, 0) * width
                    first += width // 2
        for name in names:
            found[name].add(symbol)
    return {name: some for name, some in found.items() if len(some) > 1}


@pytest.mark.parametrize("kind", KINDS)
def test_all_features_are_those_of_a_plain_count(kind: str) -> None:
    features = corpus.features(kind)
    assert len(set(features.names)) == len(features)
    assert as_sets(features) == known(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_form(kind: str) -> None:
    features = corpus.features(kind)
    features.validate()
    assert features.vocabulary is genes.vocabulary()
    assert features.sizes.min() > 1
    assert features.metadata["source"].unique().to_list() == [kind]
    assert features.metadata["species"].unique().to_list() == ["human"]
    assert not features.metadata["name"].has_nulls()
    # One object for all: nobody may write into it.
    assert corpus.features(kind) is features
    with pytest.raises(ValueError, match="read-only"):
        features.indices[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        features.indptr[0] = 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_saved_and_opened(kind: str, tmp_path) -> None:
    features = corpus.features(kind)
    features.save(tmp_path / "some.gsets")
    opened = GeneSets.open(tmp_path / "some.gsets", validate=True)
    assert opened.manifest == features.manifest
    assert opened.metadata.equals(features.metadata)
    np.testing.assert_array_equal(opened.indices, features.indices)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("words", ["HGNC, MGI and RGD of 2026-06-25", "HGNC, MGI and RGD of 2024-07", "NCBI Gene"]),
        ("domains", ["Pfam domains, UniProt 2022-09"]),
        ("windows", ["positions on GRCh38, UCSC 2022-08-31"]),
    ],
)
def test_manifest(kind: str, texts: list[str]) -> None:
    features = corpus.features(kind)
    manifest = features.manifest
    assert manifest["gsfm_version"] == gsfm.__version__
    assert manifest["settings"]["kind"] == kind
    counts = manifest["sets"]
    assert counts["kept"] == len(features)
    assert counts["read"] == counts["kept"] + sum(counts["dropped"].values())
    assert counts["dropped"]["single_gene"] > 0
    assert manifest["members"] == len(features.indices)
    assert manifest["genes"]["kept"] == len(set(features.indices.tolist()))
    # The sources that the kind is made of, and no others, as the gene table names them.
    assert len(manifest["inputs"]) == len(texts)
    for source, text in zip(manifest["inputs"], texts, strict=True):
        assert text in source["content"]
        assert source in genes.provenance()["sources"]


def test_numbers_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "corpus.md").read_text(encoding="utf-8")
    for kind in KINDS:
        features = corpus.features(kind)
        numbers = (len(features), features.manifest["genes"]["kept"], len(features.indices))
        row = " | ".join(f"{number:,}" for number in numbers)
        assert re.search(rf"\| `{kind}` \| .* \| {row} \|", text)


def test_an_unknown_kind() -> None:
    with pytest.raises(GsfmError, match="words, domains, windows, regions; there are no 'colors'"):
        corpus.features("colors")  # type: ignore[arg-type]


class TestWords:
    def test_words_and_roots_are_told_apart(self) -> None:
        sets = as_sets(corpus.features("words"))
        assert {"TP53", "TP63", "TP73"} <= sets["word:tumor"]
        assert sets["word:kinase"] >= {"ABL1", "CDK2", "MAPK1"}
        # The letters ABC end there; ABC* goes on as it likes.
        assert sets["symbol:ZNF"] >= {"ZNF10", "ZNF709"}
        assert sets["symbol:ZNF"] <= sets["symbol:ZNF*"]
        assert "ABCA1" in sets["symbol:ABC*"] & sets["symbol:ABCA*"] & sets["symbol:ABCA"]
        assert "ABCA1" not in sets.get("symbol:ABC", set())
        assert sets["symbol:TP53*"] >= {"TP53", "TP53BP1", "TP53INP1"}

    def test_every_gene_has_a_root_whether_it_has_a_name_or_not(self) -> None:
        features = corpus.features("words")
        unnamed = genes.table().filter(pl.col("name").is_null())["symbol"]
        ids = genes.vocabulary().ids(unnamed)
        assert len(ids) > 1_000
        of_symbols = [name.startswith("symbol:") for name in features.names]
        members = features.indices[~np.repeat(of_symbols, features.sizes)]
        assert not np.isin(ids, members).any()
        assert np.isin(ids, features.indices).mean() > 0.99

    def test_names(self) -> None:
        form = r"^(word:[a-z_0-9-]{2,}|symbol:[A-Z]+|symbol:[A-Za-z0-9-]{2,4}\*)$"
        names = corpus.features("words").metadata["name"]
        assert names.is_sorted()
        assert names.filter(~names.str.contains(form)).to_list() == []


class TestDomains:
    def test_families(self) -> None:
        sets = as_sets(corpus.features("domains"))
        assert {"ABL1", "EGFR", "SRC", "JAK2"} <= sets["PF07714"]  # tyrosine kinases
        assert {"CDK2", "MAPK1", "AKT1", "PLK1"} <= sets["PF00069"]  # other protein kinases
        assert {"HOXA1", "PAX6", "NANOG", "POU5F1"} <= sets["PF00046"]  # homeodomain
        assert {"INS", "IGF1", "IGF2"} <= sets["PF00049"]  # insulin
        assert sets["PF00870"] == {"TP53", "TP63", "TP73"}  # the DNA-binding domain of p53

    def test_names_and_links(self) -> None:
        metadata = corpus.features("domains").metadata
        assert metadata["name"].is_sorted()
        assert metadata["name"].str.contains(r"^PF\d{5}$").all()
        ends = metadata["link"].str.extract("/(PF[0-9]+)/$")
        assert (ends == metadata["name"]).all()


class TestWindows:
    @staticmethod
    def spans(features: GeneSets) -> pl.DataFrame:
        parts = features.metadata["name"].str.extract_groups(r"^(\w+):(\d+)-(\d+)$").struct.unnest()
        parts.columns = ["chromosome", "first", "last"]
        return parts.with_columns(pl.col("first", "last").cast(pl.Int64))

    @pytest.mark.parametrize("kind", WIDTHS)
    def test_no_window_is_wider_than_told_and_all_its_genes_reach_into_it(self, kind) -> None:
        features = corpus.features(kind)
        spans = self.spans(features)
        width = spans["last"] - spans["first"] + 1
        assert set(width) == set(WIDTHS[kind])
        assert ((spans["first"] - 1) % (width // 2) == 0).all()
        place = genes.positions(genes.vocabulary())[features.indices]
        window = spans[np.repeat(np.arange(len(features)), features.sizes)]
        assert (place["chromosome"] == window["chromosome"]).all()
        assert (place["start"] <= window["last"]).all()
        assert (place["end"] >= window["first"]).all()

    def test_in_the_order_of_the_chromosomes(self) -> None:
        spans = self.spans(corpus.features("windows"))
        order = [*map(str, range(1, 23)), "X", "Y"]
        assert spans["chromosome"].unique(maintain_order=True).to_list() == order
        keys = [(order.index(c), last - first, first) for c, first, last in spans.iter_rows()]
        assert keys == sorted(keys)

    def test_every_gene_with_a_position_is_in_windows_of_every_width(self) -> None:
        table = genes.table().with_row_index("gene")
        found = windows(table, WIDTHS["windows"])
        assert not found.is_duplicated().any()
        widths = found.group_by("gene").agg(pl.col("width").n_unique(), windows=pl.len())
        assert set(widths["gene"]) == set(table.drop_nulls("start")["gene"])
        assert widths["width"].unique().to_list() == [3]
        assert widths["windows"].min() >= 3
        # DMD: 2.2 million bases, a small window every 25 thousand.
        (dmd,) = genes.vocabulary().ids(["DMD"])
        place = genes.positions(["DMD"]).row(0, named=True)
        small = found.filter(gene=dmd, width=50_000)
        assert abs(small.height - (place["end"] - place["start"] + 50_000) / 25_000) <= 1

    def test_neighbors(self) -> None:
        sets = as_sets(corpus.features("windows"))
        assert {"TP53", "WRAP53", "EFNB3", "ATP1B2"} <= sets["17:7500001-8500000"]
        hox = {f"HOXA{n}" for n in range(1, 8)}
        assert hox <= sets["7:27000001-28000000"]
        assert not hox & sets["17:7500001-8500000"]

    @given(
        start=st.integers(1, 249_000_000),
        length=st.integers(1, 3_000_000),
        chromosome=st.sampled_from(["1", "X", "MT"]),
    )
    def test_of_any_gene(self, start: int, length: int, chromosome: str) -> None:
        end = start + length - 1
        place = {"gene": [7], "chromosome": [chromosome], "start": [start], "end": [end]}
        found = windows(pl.DataFrame(place), WIDTHS["windows"])
        assert found["gene"].unique().to_list() == [7]
        assert found["chromosome"].cast(pl.String).unique().to_list() == [chromosome]
        for width in WIDTHS["windows"]:
            first = found.filter(width=width)["first"].to_list()
            # All windows in a row from the first to the last that the gene reaches, and no more.
            assert first == list(range(first[0], first[-1] + 1, width // 2))
            assert first[0] >= 1
            assert first[0] <= start <= first[0] + width - 1
            assert first[-1] <= end <= first[-1] + width - 1
            before, after = first[0] - width // 2, first[-1] + width // 2
            assert before < 1 or before + width - 1 < start
            assert after > end
