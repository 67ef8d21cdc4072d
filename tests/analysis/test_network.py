"""A set as a network: edges by hand, communities as biology has them, files that others read."""

from __future__ import annotations

import json

import networkx as nx
import pytest

from gsfm import GsfmError, UnknownGenesError
from gsfm.analysis import network, relate

REPAIR = {
    "mismatch": ["MSH2", "MSH6", "MLH1", "PMS2"],
    "excision": ["XPA", "XPC", "ERCC1", "ERCC2", "ERCC5"],
    "recombination": ["BRCA1", "BRCA2", "RAD51", "PALB2", "BARD1"],
    "joining": ["XRCC4", "LIG4", "XRCC5", "XRCC6"],
}


@pytest.fixture(scope="module")
def repair(shipped):
    return network([gene for part in REPAIR.values() for gene in [*part]], add=3, model=shipped)


def test_communities_are_pathways(repair):
    community = dict(repair.table.select("symbol", "community").rows())
    found = {name: {community[gene] for gene in part} for name, part in REPAIR.items()}
    assert sum(len(one) == 1 for one in found.values()) >= 3
    assert len(set.union(*found.values())) >= 3
    assert (~repair.table["in_input"]).sum() == 3


def test_edges_are_relations_and_the_nearest(small, worlds):
    genes = [*worlds[0][:4], *worlds[1][:3]]
    found = network(genes, min_relation=0.2, degree=2, model=small)
    weights = {frozenset((a, b)): w for a, b, w in found.edges.rows()}
    relation = {
        frozenset((a, b)): relate(a, b, draws=10, model=small).relation["relation"]
        for i, a in enumerate(genes)
        for b in genes[:i]
    }
    expected = set()
    for a in genes:
        near = sorted((g for g in genes if g != a), key=lambda g: -relation[frozenset((a, g))])
        expected |= {frozenset((a, g)) for g in near[:2] if relation[frozenset((a, g))] >= 0.2}
    assert set(weights) == expected
    for pair, weight in weights.items():
        assert weight == pytest.approx(relation[pair], rel=1e-4)
    degree = dict(found.table.select("symbol", "degree").rows())
    strength = dict(found.table.select("symbol", "strength").rows())
    for gene in genes:
        own = [w for pair, w in weights.items() if gene in pair]
        assert degree[gene] == len(own)
        assert strength[gene] == pytest.approx(sum(own))


def test_a_gene_without_an_edge_is_alone(small, worlds):
    found = network([*worlds[0][:3], worlds[1][0]], min_relation=0.5, model=small)
    alone = found.table.row(found.table["symbol"].to_list().index("EGFR"), named=True)
    assert (alone["degree"], alone["strength"]) == (0, 0)
    assert (found.table["community"] == alone["community"]).sum() == 1


def test_files(repair, tmp_path):
    repair.save(tmp_path / "net.graphml")
    graph = nx.read_graphml(tmp_path / "net.graphml")
    assert graph.number_of_nodes() == len(repair)
    assert graph.nodes["BRCA1"]["in_input"] is True
    a, b, weight = repair.edges.row(0)
    assert graph.edges[a, b]["weight"] == pytest.approx(weight)
    for name in ("net.cyjs", "net.json"):
        repair.save(tmp_path / name)
        data = json.loads((tmp_path / name).read_text())
        assert data["data"]["provenance"]["task"] == "network"
        again = nx.cytoscape_graph(data)
        assert set(again.nodes) == set(graph.nodes)
        assert again.number_of_edges() == repair.edges.height
    repair.save(tmp_path / "net.svg")
    text = (tmp_path / "net.svg").read_text()
    assert text.startswith("<?xml")
    with pytest.raises(GsfmError, match=r"net\.txt: choose an ending"):
        repair.save(tmp_path / "net.txt")


def test_the_same_seed_gives_the_same_network(small, worlds):
    genes = worlds[0] + worlds[2]
    one, other = (
        network(genes, random_state=3, model=small),
        network(genes, random_state=3, model=small),
    )
    assert one.to_dict() == other.to_dict()
    assert json.loads(json.dumps(one.to_dict()))["edges"] == one.edges.to_dicts()


def test_bad_questions(small):
    with pytest.raises(UnknownGenesError, match="no gene of the set"):
        network(["nonsense"], model=small)
    with pytest.raises(UnknownGenesError, match="at least 2"):
        network(["TP53", "p53"], model=small)
    with pytest.raises(GsfmError, match="too large"):
        network(["TP53", "MDM2"], add=2000, model=small)
    with pytest.raises(ValueError, match="degree"):
        network(["TP53", "MDM2"], degree=0, model=small)
    assert network(["TP53", "MDM2", "nonsense"], model=small).unmapped == ["nonsense"]
