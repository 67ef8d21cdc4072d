"""A map of many gene sets: each is a point in the plane, near similar sets."""

from __future__ import annotations

import html
import importlib.resources
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.analysis.embedding import set_vectors
from gsfm.analysis.query import Query, check_least, row_of
from gsfm.analysis.sources import Source, metadata_column, read_source
from gsfm.completion.identifiers import map_sets
from gsfm.completion.result import Result
from gsfm.errors import GsfmError, MissingExtraError, printable
from gsfm.genes import Species
from gsfm.io.files import atomic_path
from gsfm.models import ModelLike, load_model
from gsfm.models.sparse import principal_rows
from gsfm.models.types import Floats
from gsfm.progress import Progress
from gsfm.report import json_value

#: Principal directions of the sets' vectors that the map shows.
DIRECTIONS = 50
#: The most groups with colors of their own.
CLUSTERS = 12
#: Genes of a set that the page shows.
SHOWN = 8
#: The fewest sets of a map.
LEAST = 5

COLUMNS = {
    "x": "place on the map; sets near each other have genes that are similar to the model; the "
    "axes and large distances have no meaning",
    "y": "as x",
    "group": "the source of the set; if there is one source, its cluster, named by the set closest "
    "to its center and three genes that are more frequent there than elsewhere",
    "example_genes": "some genes of the set: those that are in the fewest sets",
    "genes": "genes of the set that the model knows",
}


class Map(Result):
    """A map of gene sets.

    Attributes
    ----------
    table
        One row a set: ``set``, ``description``, ``x``, ``y``, ``group``, ``genes``,
        ``example_genes``, ``link``.
    """

    def to_page(self) -> str:
        """The map as a self-contained page: no other file, no network.

        The pointer shows names, a search highlights sets, the wheel and dragging move through the
        map, and a click on a group hides it.
        """
        page = importlib.resources.files("gsfm.analysis").joinpath("map.html").read_text("utf-8")
        rows = self.table.with_columns(pl.col("x", "y").round(2))
        data = {name: rows[name].to_list() for name in rows.columns}
        p = self.provenance
        drawn = "" if p["sets"] == p["drawn"] else f"{p['drawn']:,} drawn at random of "
        title = f"{drawn}{p['sets']:,} gene sets of {p['library']['name']}"
        # In a script, "</" could end it.
        text = json.dumps(json_value({"sets": data, "about": p}), ensure_ascii=False)
        return page.replace("{{TITLE}}", html.escape(printable(title))).replace(
            "{{DATA}}", text.replace("<", "\\u003c")
        )

    def to_html(self, path: str | Path) -> None:
        """Write the map as a self-contained page, see `to_page`."""
        with atomic_path(path) as temporary:
            temporary.write_text(self.to_page(), encoding="utf-8")

    def _headline(self) -> str:
        p = self.provenance
        return f"a map of {len(self)} of {p['sets']:,} sets; model {p['model']['name']}"


def map(
    sets: Source,
    *,
    most: int | None = 5000,
    random_state: int = 0,
    name: str | None = None,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Map:
    """Make a map of a collection of gene sets.

    Parameters
    ----------
    sets
        The collection: gene sets, a file of them, the name of a library, or ``"papers"`` for the
        embedded corpus.
    most
        Number of sets to draw at random if there are more; all of them if None.
    random_state
        Seed of the drawing and of the map. The same seed gives the same map.
    name
        Title of the collection on the page; from its file or manifest if None.
    model, species, progress
        As in `complete`.

    Returns
    -------
    Map
        The place of each set with a gene that the model knows.

    Raises
    ------
    UnknownGenesError
        If no set has a gene that the model knows.
    GsfmError
        If fewer than 5 sets have one.
    MissingExtraError
        If scikit-learn is not installed.

    Notes
    -----
    The vectors of `embed`, of length 1 each, in their 50 leading directions, are laid out by
    t-SNE (van der Maaten & Hinton, J. Mach. Learn. Res. 2008) from their first two. Clusters are
    those of k-means in the 50 directions.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = GeneSets.from_lists([["A", "B", "C"], ["X", "Y", "Z"], ["A", "B"], ["X", "Y"]] * 5)
    >>> found = map(corpus, model=Linear(dimensions=4).fit(corpus))
    >>> len(found), found.table.columns[:5]
    (20, ['set', 'description', 'x', 'y', 'group'])
    """
    model = load_model(model)
    check_least(LEAST, most=most)
    check_least(0, random_state=random_state)
    if (random_state or 0) >= 1 << 32:  # the limit of scikit-learn
        raise ValueError(f"random_state must be below {1 << 32:,}, not {random_state}")
    try:
        from sklearn.cluster import KMeans
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise MissingExtraError("a map", "map") from error
    library = read_source(sets, resolve=False)
    n_sets, files = len(library), library.files
    rng = np.random.default_rng(random_state)
    if most is not None and n_sets > most:
        library = library[np.sort(rng.choice(n_sets, most, replace=False))]
    mapped, ids = map_sets(model.vocabulary, library, species)
    rows = np.flatnonzero([len(own) > 0 for own in ids])
    if len(rows) < LEAST:
        raise GsfmError(
            f"{len(rows)} of {n_sets} sets have a gene that the model knows; a map needs {LEAST}"
        )
    ids = [ids[i] for i in rows]
    vectors = set_vectors(model, ids, progress)
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    leading: Floats = principal_rows(vectors - vectors.mean(axis=0), DIRECTIONS)
    leading = leading[:, : max(2, min(leading.shape[1], len(rows) - 1))]
    # All in one small region at first, as t-SNE needs it.
    start = leading[:, :2] / max(float(leading[:, 0].std()), 1e-9) * 1e-4
    perplexity = min(30.0, (len(rows) - 1) / 3)
    place = TSNE(
        init=start, perplexity=perplexity, random_state=random_state, n_jobs=1, learning_rate="auto"
    ).fit_transform(leading)
    metadata = library.metadata[rows]
    names = metadata["name"].cast(pl.String)
    members, symbols = model.encode(ids), model.vocabulary.symbols
    group, by = _sources(metadata), "source"
    if group is None:
        k = min(CLUSTERS, max(2, len(rows) // 10))
        clusters = KMeans(k, n_init=4, random_state=random_state).fit(leading)
        distances = clusters.transform(leading)
        group, by = _clusters(clusters.labels_, distances, names, members, symbols), "cluster"
    table = pl.DataFrame(
        {
            "set": names,
            "description": metadata_column(metadata, "description"),
            "x": place[:, 0].astype(np.float64),
            "y": place[:, 1].astype(np.float64),
            "group": group,
            "genes": np.diff(members.indptr).astype(np.int64),
            "example_genes": _example_genes(members, symbols),
            "link": metadata_column(metadata, "link"),
        }
    )
    if name is None:
        name = Path(sets).name if isinstance(sets, str | Path) else library.manifest.get("name")
    return Query(model, mapped).result(
        Map,
        "map",
        table,
        COLUMNS,
        library={"name": name or "a library", **files},
        sets=n_sets,
        drawn=len(library),
        unplaced=len(library) - len(rows),
        group_by=by,
        random_state=random_state,
    )


def _sources(metadata: pl.DataFrame) -> pl.Series | None:
    """The sources of the sets, rare ones together; None if there are fewer than two."""
    source = metadata_column(metadata, "source").fill_null("(no source)")
    counts = source.value_counts(name="n").sort("n", "source", descending=[True, False])
    if counts.height < 2:
        return None
    is_common = source.is_in(counts["source"].head(CLUSTERS - 1).to_list())
    return pl.select(pl.when(is_common).then(source).otherwise(pl.lit("others"))).to_series()


def _clusters(
    labels: NDArray[Any],
    distances: NDArray[Any],
    names: pl.Series,
    members: sp.csr_array,
    symbols: tuple[str, ...],
) -> pl.Series:
    """The name of each set's cluster: the set closest to its center, and typical genes."""
    everywhere = members.sum(axis=0)
    cluster_names = {}
    for label in np.unique(labels):
        inside = np.flatnonzero(labels == label)
        here = members[inside].sum(axis=0)
        # The excess over the sets with the gene expected by chance, in standard deviations.
        expected = everywhere * (len(inside) / len(labels))
        excess = (here - expected) / np.sqrt(np.maximum(expected, 1))
        typical = [symbols[int(g)] for g in np.argsort(-excess, kind="stable")[:3]]
        closest = names[int(inside[np.argmin(distances[inside, label])])]
        cluster_names[label] = f"like {closest} ({', '.join(typical)})"
    return pl.Series([cluster_names[label] for label in labels], dtype=pl.String)


def _example_genes(members: sp.csr_array, symbols: tuple[str, ...]) -> pl.Series:
    """Up to `SHOWN` genes of each set, the rarest first."""
    count = np.asarray(members.sum(axis=0))
    shown = []
    for row in range(members.shape[0]):
        ids = row_of(members, row)
        best = ids[np.argsort(count[ids], kind="stable")[:SHOWN]]
        shown.append([symbols[int(g)] for g in best])
    return pl.Series(shown, dtype=pl.List(pl.String))
