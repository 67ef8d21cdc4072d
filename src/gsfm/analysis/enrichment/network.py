"""A network of similar terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from gsfm.analysis import figures
from gsfm.analysis.enrichment.groups import COSINE, KAPPA, direction, similarity
from gsfm.analysis.networks import Network, communities_of
from gsfm.completion.identifiers import MappedIdentifiers
from gsfm.models import Model

if TYPE_CHECKING:
    from gsfm.analysis.enrichment.result import Enrichment

COLUMNS = {
    "term": "the term, with its library if several have a term of this name",
    "library": "the term's library",
    "id": "the term's identifier in its source",
    "direction": "the end of the ranked list",
    "size": "genes of the term that are in the background",
    "p_value": "the p-value of the enrichment, the best one of several lists",
    "fdr": "its false discovery rate",
    "community": "number of the community (Louvain), the largest first",
    "degree": "edges of the term",
    "strength": "sum of the weights of its edges",
    "weight": f"Cohen's kappa of the genes of two terms, over {KAPPA}; or the cosine of vectors "
    f"of a model, over {COSINE}, if larger; 1 or more",
}


class TermNetwork(Network):
    """Terms that share genes.

    Attributes
    ----------
    table
        The nodes: ``term``, ``library``, ``id``, ``size``, ``p_value``, ``fdr``, ``community``,
        ``degree``, ``strength``.
    edges
        ``source``, ``target``, ``weight``, the largest weight first.
    """

    node, nodes = "term", "terms"
    spaced = True

    def label(self, node: str) -> str:
        """The name of a term, shortened."""
        return figures.label(node, 40)

    def _headline(self) -> str:
        p = self.provenance
        parts = f"{len(self)} terms, {self.edges.height:,} edges, {p['communities']} communities"
        return f"{parts}; method {p['method']}"


def term_network(
    found: Enrichment, rows: list[int], *, model: Model | None = None, random_state: int = 0
) -> TermNetwork:
    """The terms of some rows of an enrichment as a network; see `Enrichment.network`."""
    table = found.table.with_columns(direction(found.table)).with_row_index("row")[rows]
    # A term that several lists, or both ends of a list, have is one node: the best row.
    table = table.sort("p_value", "row").unique(["library", "term"], keep="first").sort("row")
    several = pl.col("term").is_duplicated()
    name = pl.when(several).then(pl.format("{} ({})", "term", "library")).otherwise("term")
    table = table.with_columns(name.alias("term"))
    near = similarity(found.members, table["row"].to_list(), model)
    source, target = np.nonzero(np.triu(near >= 1 - 1e-9, 1))
    names = table["term"].to_numpy()
    edges = pl.DataFrame(
        {"source": names[source], "target": names[target], "weight": near[source, target]},
        schema={"source": pl.String, "target": pl.String, "weight": pl.Float64},
    )
    nodes = communities_of(names.tolist(), edges, random_state)
    chosen = [name for name in COLUMNS if name in table.columns]
    about = pl.concat([table.select(chosen), nodes.drop("node")], how="horizontal")
    if not about["direction"].str.len_chars().sum():
        about = about.drop("direction")
    descriptions = {name: COLUMNS[name] for name in (*about.columns, "weight")}
    provenance = {
        **found.provenance,
        "task": "term network",
        "communities": nodes["community"].n_unique(),
        "random_state": random_state,
        "columns": descriptions,
    }
    mapped = MappedIdentifiers(found.resolution, found.inputs, np.empty(0, np.int32))
    return TermNetwork(
        about.sort("community", "strength", "term", descending=[False, True, False]),
        provenance,
        mapped,
        edges=edges.sort("weight", "source", "target", descending=[True, False, False]),
    )
