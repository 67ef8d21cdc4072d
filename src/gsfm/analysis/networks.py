"""A gene set as a network of relations, with its communities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.analysis import figures
from gsfm.analysis.query import Query, check_least, singles, standard_scores
from gsfm.analysis.relations import RELATION
from gsfm.completion.inputs import GenesLike
from gsfm.completion.ranking import best_genes
from gsfm.completion.result import Result, gene_columns
from gsfm.errors import (
    GsfmError,
    MissingExtraError,
    check_given,
    check_number,
    printable,
    require,
)
from gsfm.genes import Species
from gsfm.io.files import atomic_path
from gsfm.models import ModelLike, load_model
from gsfm.models.types import Numbers
from gsfm.progress import Progress
from gsfm.report import json_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from networkx import Graph

#: The most genes of a network: the model scores a set for each.
MOST = 2000

COLUMNS = {
    "community": "number of the community (Louvain), the largest first; a gene without an edge "
    "is a community of its own",
    "degree": "edges of the gene",
    "strength": "sum of the weights of its edges",
    "in_input": "whether the gene is an input gene; the others are the model's best completions",
}
#: The suffixes of the files of a network; the last four are drawings.
FORMATS = (".graphml", ".cyjs", ".json", *figures.FORMATS)


class Network(Result):
    """A gene set as a network.

    Subclasses have other nodes: `node` is the column with their names, and `nodes` are these in
    words.

    Attributes
    ----------
    table
        The nodes, by community and strength: ``symbol``, ``name``, ``community``, ``degree``,
        ``strength``, ``in_input``.
    edges
        ``source``, ``target``, ``weight``, the largest weight first.
    """

    edges: pl.DataFrame
    node, nodes = "symbol", "genes"
    #: Whether a drawing leaves out the names that would be on top of others.
    spaced = False

    def graph(self) -> Graph:
        """The network as a `networkx.Graph`, with the columns as attributes."""
        graph = _networkx().Graph(name=f"gsfm network, {self._headline()}")
        for row in self:
            symbol = row.pop(self.node)
            graph.add_node(symbol, **{k: "" if v is None else v for k, v in row.items()})
        graph.add_weighted_edges_from(self.edges.rows())
        return graph

    def save(self, path: str | Path) -> None:
        """Write the network to a file, in the format of its suffix.

        Parameters
        ----------
        path
            ``.graphml``; ``.cyjs`` or ``.json``, for Cytoscape; ``.png``, ``.svg``, ``.pdf`` or
            ``.html``, a drawing.

        Raises
        ------
        GsfmError
            If the suffix is another, or matplotlib is needed and not installed.
        """
        path = Path(path)
        suffix = figures.check_suffix(path, FORMATS)
        nx, graph = _networkx(), self.graph()
        with atomic_path(path) as temporary:
            if suffix == ".graphml":
                # Not with lxml, which is not always installed: the file is always the same.
                nx.write_graphml_xml(_without_controls(nx, graph), temporary)
            elif suffix in (".cyjs", ".json"):
                data = nx.cytoscape_data(graph)
                data["data"] = {"name": graph.name, "provenance": json_value(self.provenance)}
                temporary.write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", "utf-8")
            else:
                figures.write(self.draw(), temporary, suffix, graph.name)

    def label(self, node: str) -> str:
        """The name of a node in a drawing."""
        return figures.label(node)

    def draw(self) -> Figure:
        """A drawing of the network."""
        return _draw(self, self.graph())

    def _headline(self) -> str:
        p = self.provenance
        return (
            f"{len(self)} genes, {self.edges.height:,} edges, {p['communities']} communities; "
            f"model {p['model']['name']}"
        )


def network(
    genes: GenesLike,
    *,
    add: int = 0,
    min_relation: float = 2.0,
    degree: int = 5,
    random_state: int = 0,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Network:
    r"""Make a network of a gene set.

    Parameters
    ----------
    genes
        The set: identifiers of any kind.
    add
        Number of the model's best completions of the set to add.
    min_relation
        Two genes are joined if their relation (see `relate`) is as large or larger,
    degree
        and is among this many largest of one of the two. A gene may have more edges.
    random_state
        Seed of the search for communities and of the drawing.
    model, species, progress
        As in `complete`.

    Returns
    -------
    Network
        Nodes, weighted edges and communities; `Network.save` writes them to a file.

    Raises
    ------
    UnknownGenesError
        If the model knows fewer than two genes of the set.
    GsfmError
        If there are more than 2,000 genes.
    MissingExtraError
        If networkx is not installed.

    Notes
    -----
    The weight of an edge is the relation of its two genes. Communities are those of Louvain's
    method (Blondel et al. 2008, doi:10.1088/1742-5468/2008/10/P10008) by these weights.

    Examples
    --------
    >>> found = network(["TP53", "MDM2", "EGFR", "GRB2"])
    >>> found.table.sort("symbol").select("symbol", "community").rows()
    [('EGFR', 1), ('GRB2', 1), ('MDM2', 2), ('TP53', 2)]
    """
    model = load_model(model)
    check_given(add=add, degree=degree)
    check_least(0, add=add, random_state=random_state)
    check_least(1, degree=degree)
    check_number(min_relation=min_relation)
    require(min_relation == min_relation, "min_relation must be a number, not nan")
    _networkx()  # its absence is an error before anything is computed
    query = Query.of(model, species, set=genes)
    ids = query.genes("set", least=2)
    n_input = len(ids)
    if n_input + add > MOST:
        raise GsfmError(f"a network of {n_input + add:,} genes is too large; {MOST:,} is the most")
    if add:
        scores = model.score([ids])[0]
        missing = np.setdiff1d(np.arange(len(scores)), ids)
        best = missing[best_genes(scores[missing], missing, add, model.vocabulary)]
        ids = np.concatenate([ids, best]).astype(np.int32)
    z = standard_scores(model, singles(ids), progress, genes=ids).astype(np.float64)
    relation = (z + z.T) / 2
    np.fill_diagonal(relation, -np.inf)
    rows, columns = _edges(relation, min_relation, degree)
    names = gene_columns(model.vocabulary, ids)
    symbols = names["symbol"]
    weights = {"weight": relation[rows, columns]}
    edges = pl.DataFrame({"source": symbols[rows], "target": symbols[columns], **weights})
    nodes = communities_of(symbols.to_list(), edges, random_state)
    in_input = pl.Series("in_input", np.arange(len(ids)) < n_input)
    table = pl.DataFrame({**names}).with_columns(*nodes.drop("node"), in_input)
    return query.result(
        Network,
        "network",
        table.sort("community", "strength", "symbol", descending=[False, True, False]),
        COLUMNS,
        beside={"weight": RELATION},
        parts={"edges": edges.sort("weight", "source", "target", descending=[True, False, False])},
        communities=nodes["community"].n_unique(),
        add=add,
        min_relation=min_relation,
        degree=degree,
        random_state=random_state,
    )


def communities_of(nodes: list[str], edges: pl.DataFrame, random_state: int) -> pl.DataFrame:
    """One row a node: ``node``, ``community`` (the largest first), ``degree`` and ``strength``."""
    nx = _networkx()
    graph = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_weighted_edges_from(edges.rows())
    communities = nx.community.louvain_communities(graph, weight="weight", seed=random_state)
    communities = sorted(communities, key=lambda one: (-len(one), min(one)))
    number = {node: i for i, one in enumerate(communities, 1) for node in one}
    return pl.DataFrame(
        {
            "node": nodes,
            "community": [number[node] for node in nodes],
            "degree": [graph.degree(node) for node in nodes],
            "strength": [float(graph.degree(node, weight="weight")) for node in nodes],
        }
    )


def _networkx() -> Any:
    try:
        import networkx
    except ImportError as error:
        raise MissingExtraError("a network", "network") from error
    return networkx


def _edges(
    relation: Numbers, least: float, degree: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of genes to join."""
    order = np.argsort(-relation, axis=1, kind="stable")[:, : min(degree, len(relation) - 1)]
    near = np.zeros(relation.shape, bool)
    np.put_along_axis(near, order, True, axis=1)
    rows, columns = np.nonzero(np.triu((near | near.T) & (relation >= least), 1))
    return rows.astype(np.int64), columns.astype(np.int64)


def _draw(network: Network, graph: Any) -> Figure:
    figure = figures.new_figure(10, 8, "a drawing of a network")
    from matplotlib.collections import LineCollection

    table, edges = network.table, network.edges
    place = _layout(_networkx(), graph, network.provenance["random_state"])
    axes = figure.subplots()
    axes.set_axis_off()
    lines = [(place[a], place[b]) for a, b in edges.select("source", "target").rows()]
    widths = 0.4 + 3 * _relative(edges["weight"].to_numpy())
    if lines:
        axes.add_collection(
            LineCollection(lines, linewidths=widths, colors="#888888", alpha=0.45, zorder=1)
        )
    where = np.array([place[symbol] for symbol in table[network.node]])
    size = 60 + 340 * _relative(table["strength"].to_numpy())
    # The largest communities come first, those of one gene last.
    n_shared = table.filter(pl.len().over("community") > 1)["community"].n_unique()
    palette = dict(enumerate(figures.COLORS[:n_shared], 1))
    colors = [palette.get(c, figures.GRAY) for c in table["community"]]
    # An added gene is a ring, an input gene a disc.
    given = table["in_input"] if "in_input" in table.columns else [True] * len(table)
    faces = [c if own else "white" for c, own in zip(colors, given, strict=True)]
    x, y = where.T
    axes.scatter(x, y, s=size, c=faces, edgecolors=colors, linewidths=1.6, zorder=2)
    text = 9 if len(table) <= 60 else 7 if len(table) <= 150 else 5
    axes.margins(0.06)
    axes.autoscale_view()
    taken: list[tuple[float, float, float]] = []
    for symbol, spot, s in zip(table[network.node], where, size, strict=True):
        name = network.label(symbol)
        if network.spaced:
            # In points; the names before it are of larger communities, or stronger.
            x, y = axes.transData.transform(spot) * 72 / figure.dpi
            half, y = len(name) * text * 0.28, y + np.sqrt(s) / 2
            if any(abs(x - a) < half + b and abs(y - c) < text * 1.2 for a, b, c in taken):
                continue
            taken.append((x, half, y))
        axes.annotate(
            name, tuple(spot), xytext=(0, np.sqrt(s) / 2 + 2), parse_math=False,
            textcoords="offset points", ha="center", va="bottom", fontsize=text, zorder=3,
        )  # fmt: skip
    added = len(table) - sum(given)
    tail = f"; rings: {added} genes added by the model" if added else ""
    title = f"{len(table)} {network.nodes}, {edges.height:,} edges; colors: communities{tail}"
    axes.set_title(title, fontsize=11, loc="left")
    return figure


def _without_controls(nx: Any, graph: Any) -> Any:
    """A copy of the graph without control characters, which XML cannot hold."""
    plain = nx.relabel_nodes(graph, printable)
    for attributes in (plain.graph, *(about for _, about in plain.nodes(data=True))):
        attributes |= {k: printable(v) for k, v in attributes.items() if isinstance(v, str)}
    return plain


def _relative(values: Numbers) -> Numbers:
    """(n,) the square roots of the values over the largest one."""
    return np.asarray(np.sqrt(np.maximum(values, 0) / max(values.max(initial=0), 1e-9)))


def _layout(nx: Any, graph: Any, random_state: int) -> dict[str, tuple[float, float]]:
    """The place of each gene: each connected component by springs, side by side."""
    parts = sorted(nx.connected_components(graph), key=lambda one: (-len(one), min(one)))
    place: dict[str, tuple[float, float]] = {}
    x = 0.0
    for part in (part for part in parts if len(part) > 1):
        half = np.sqrt(len(part))
        inner = nx.Graph()
        inner.add_nodes_from(sorted(part))  # an order that does not depend on hashes
        for a, b, data in graph.subgraph(part).edges(data=True):
            inner.add_edge(a, b, weight=np.sqrt(max(data["weight"], 1e-9)))
        spots = nx.spring_layout(
            inner, weight="weight", seed=random_state, k=1.6 / half, iterations=200
        )
        for symbol, (dx, dy) in spots.items():
            place[symbol] = (x + half * (1 + float(dx)), half * float(dy))
        x += 2 * half + 1
    # Genes without an edge: rows below.
    top = min((y for _, y in place.values()), default=0.0) - 1.2
    across = int(max(x, 4.0) / 1.1)
    for i, symbol in enumerate(sorted(next(iter(part)) for part in parts if len(part) == 1)):
        place[symbol] = (1.1 * (i % across), top - 0.8 * (i // across))
    return place
