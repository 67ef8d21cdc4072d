"""Scores and enrichment for AnnData, in the conventions of scanpy and decoupler.

Needs the extra ``scverse``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm import analysis
from gsfm.analysis import Enrichment
from gsfm.analysis.enrichment.common import false_discovery_rate
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike, Terms, load_terms
from gsfm.completion.batches import batches
from gsfm.completion.identifiers import map_identifiers
from gsfm.completion.inputs import GenesLike, as_identifiers
from gsfm.completion.scorer import describe_model
from gsfm.errors import GsfmError, needs_extra, require
from gsfm.genes import Species
from gsfm.models import load_model
from gsfm.progress import Progress
from gsfm.report import flat, pandas_frame
from gsfm.version import __version__

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData  # type: ignore[import-untyped, unused-ignore]

    from gsfm.models import Model

__all__ = ["enrich", "score", "signatures"]

Numbers = NDArray[np.float64]
#: Number of added genes for each gene of a term.
ADDED = 1.0
#: A gene with a smaller standard deviation, relative to its mean, has the same value in all cells.
FLAT = 1e-9
#: Terms and cells that are processed at once; bounds the working memory.
_TERMS, _CELLS = 64, 2048


def signatures(
    libraries: LibrariesLike,
    *,
    model: Model | None = None,
    added: float = ADDED,
    min_size: int = MIN_SIZE,
    max_size: int | None = None,
    genes: GenesLike | None = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Complete the terms of libraries, as a network for decoupler.

    Parameters
    ----------
    libraries
        One library or several: names, paths or `GeneSets`.
    model
        A calibrated model; the shipped one if None.
    added
        Number of genes to add to a term for each of its own: those with the largest probability.
    min_size, max_size
        Terms with fewer or more genes among `genes` are excluded.
    genes
        Identifiers of the genes that may be in a signature, such as those measured; all of the
        model if None.
    species
        Species of the identifiers, as in `gsfm.genes.resolve`.
    progress
        Called with the task, the amount done and the amount of all.

    Returns
    -------
    pandas.DataFrame
        decoupler's columns ``source`` (the term), ``target`` (the gene, as in `genes`) and
        ``weight``: 1 for the term's genes, and for an added gene the probability that it is one of
        the term's missing genes.

    Raises
    ------
    NotCalibratedError
        If the model is not calibrated.
    GsfmError
        If there is no such library, or no term has enough of the genes.
    MissingExtraError
        If pandas is not installed.

    Examples
    --------
    >>> from gsfm.sets import GeneSets
    >>> terms = GeneSets.from_lists({"response": ["STAT1", "IRF9", "MX1", "OAS1", "ISG15"]})
    >>> net = signatures(terms)
    >>> net.columns.tolist(), len(net), net["weight"].max()
    (['source', 'target', 'weight'], 10, np.float64(1.0))
    """
    with needs_extra("gsfm.scverse", "scverse"):
        import pandas as pd
    sizes = min_size, max_size
    found = _signatures(load_model(model), libraries, added, sizes, genes, species, progress)
    weights = found.weights.tocoo()
    terms, targets = weights.coords
    columns = {
        "source": np.array(found.names, object)[terms],
        "target": np.array(found.genes, object)[targets],
        "weight": weights.data.astype(np.float64),
    }
    return pd.DataFrame(columns)


def score(
    adata: AnnData,
    libraries: LibrariesLike,
    *,
    model: Model | None = None,
    groupby: str | None = None,
    layer: str | None = None,
    added: float = ADDED,
    min_size: int = MIN_SIZE,
    max_size: int | None = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> None:
    r"""Score every cell, or group of cells, for every term, by the completed terms.

    Parameters
    ----------
    adata
        Cells by genes; log-normalized expression. Gene names of any kind in ``var_names``.
    libraries
        One library or several: names, paths or `GeneSets`.
    model
        A calibrated model; the shipped one if None.
    groupby
        A column of ``adata.obs``: score the mean of each of its groups.
    layer
        The layer with the expression; ``adata.X`` if None.
    added, min_size, max_size, species, progress
        As in `signatures`.

    Notes
    -----
    Per cell, as in decoupler's methods: ``adata.obsm["score_gsfm"]`` and
    ``adata.obsm["padj_gsfm"]`` are data frames, cells by terms. Per group, they are in
    ``adata.uns``, groups by terms. ``adata.uns["gsfm"]`` has the provenance.

    Each gene is first standardized over the cells: :math:`x_{cg}`; a group has the mean of its
    cells. Genes with the same value in all cells are excluded, as decoupler excludes empty genes;
    ``adata.uns["gsfm"]["genes_flat"]`` is their number. The score of the term :math:`t` is the
    t-value of the slope in the regression of :math:`x_{c\cdot}` on the signature's weights
    :math:`w_{t\cdot}`, over all genes:

    .. math:: t = r \sqrt{\frac{n - 2}{1 - r^2}}, \qquad r = \mathrm{cor}(x_{c\cdot}, w_{t\cdot})

    It is decoupler's univariate linear model (Badia-i-Mompel et al. 2022,
    doi:10.1093/bioadv/vbac016) with the model's weights. The p-values are those of a two-sided t
    test, adjusted over a cell's terms (Benjamini and Hochberg). As there, their null is that genes
    vary independently: genes do not, and the p-values are too small. Use them for comparisons only.

    Raises
    ------
    NotCalibratedError
        If the model is not calibrated.
    GsfmError
        If there is no such library, layer, or column, or no term has enough of the genes.
    MissingExtraError
        If pandas is not installed.
    """
    with needs_extra("gsfm.scverse", "scverse"):
        import pandas as pd
    expression = _expression(adata, layer)
    groups, rows = (None, adata.obs_names) if groupby is None else _groups(adata, groupby)
    model = load_model(model)
    mean, spread = _moments(expression, progress)
    varies = spread > FLAT * np.abs(mean)
    require(varies.sum() > 2, "fewer than three genes vary over the cells", GsfmError)
    expression, mean, spread = expression[:, varies], mean[varies], spread[varies]
    genes = [str(name) for name in adata.var_names[varies]]
    sizes = min_size, max_size
    found = _signatures(model, libraries, added, sizes, genes, species, progress)
    # The first of several columns of a gene has the weight. Genes that the model does not know are
    # a part of the regression with the weight 0.
    values, p_values = _linear(expression, mean, spread, found.weights, groups, progress)
    where = adata.obsm if groupby is None else adata.uns
    adjusted = np.apply_along_axis(false_discovery_rate, 1, p_values)
    for key, numbers in (("score_gsfm", values), ("padj_gsfm", adjusted)):
        where[key] = pd.DataFrame(numbers, index=rows, columns=found.names)
    adata.uns["gsfm"] = {
        "task": "score",
        "gsfm_version": __version__,
        "model": {k: str(v) for k, v in describe_model(model).items()},
        "libraries": [str(one["name"]) for one in found.libraries],
        "groupby": groupby or "",
        "layer": layer or "X",
        "added": float(added),
        "genes_flat": int((~varies).sum()),
        "genes_mapped": int(found.n_mapped),
        "genes_unmapped": found.unmapped,
    }


def enrich(
    adata: AnnData,
    libraries: LibrariesLike = None,
    *,
    method: str = "model",
    key: str = "rank_genes_groups",
    groups: Sequence[str] | None = None,
    model: Model | None = None,
    top_genes: int = 100,
    **options: Any,
) -> dict[str, Enrichment]:
    """Enrichment of the ranked genes of each group, from ``scanpy.tl.rank_genes_groups``.

    Parameters
    ----------
    adata
        With ``adata.uns[key]``, of which ``names`` and ``scores`` are read.
    libraries
        One library or several; all that are installed if None.
    method
        ``"model"``, ``"ora"`` or ``"prerank"``: `gsfm.analysis.enrich`, `ora` of the
        genes with the largest scores, `prerank`.
    key
        The key of the ranked genes.
    groups
        Names of the groups; all if None.
    model
        For the method ``"model"``; the shipped one if None.
    top_genes
        Number of genes at each end of a group's list for the model, and at its top for ``"ora"``.
    **options
        Other options of the method. The background is the genes in ``adata.var_names`` by default.

    Returns
    -------
    dict of str to Enrichment
        By group. The tables, concatenated after a first column ``group``, are also a pandas data
        frame in ``adata.uns["enrich_gsfm"]``.

    Raises
    ------
    GsfmError
        If there is no such key or group; and as the method does.
    """
    if key not in adata.uns:
        raise GsfmError(f"adata.uns has no {key!r}; run scanpy.tl.rank_genes_groups first")
    ranked = adata.uns[key]
    known = list(ranked["names"].dtype.names or ())
    for group in groups or ():
        there = f"there are {', '.join(known)}"
        require(group in known, f"no group {group!r} in adata.uns[{key!r}]; {there}", GsfmError)
    if method not in ("model", "ora", "prerank"):
        raise GsfmError(f"method is {method!r}; there are model, ora and prerank")
    background = [str(name) for name in adata.var_names]
    options = {"method": method, "background": background, "top": None, **options}
    if method == "model":
        options |= {"model": load_model(model), "top_genes": top_genes}
    found: dict[str, Enrichment] = {}
    for group in groups or known:
        query: list[Any] = [
            (str(gene), float(value))
            for gene, value in zip(ranked["names"][group], ranked["scores"][group], strict=True)
            if np.isfinite(value)
        ]
        if method == "ora":
            best = sorted((pair for pair in query if pair[1] > 0), key=lambda pair: -pair[1])
            query = [gene for gene, _ in best[:top_genes]]
        found[group] = analysis.enrich(query, libraries, **options)
    tables = [
        flat(one.table).insert_column(0, pl.Series("group", [group] * len(one), dtype=pl.String))
        for group, one in found.items()
    ]
    adata.uns["enrich_gsfm"] = pandas_frame(pl.concat(tables), "gsfm.scverse")
    return found


class _Signatures(NamedTuple):
    """The completed terms."""

    weights: sp.csr_array  # (terms, input genes)
    names: list[str]
    genes: Sequence[str]
    libraries: list[dict[str, Any]]
    n_mapped: int
    unmapped: list[str]


def _signatures(
    model: Model,
    libraries: LibrariesLike,
    added: float,
    sizes: tuple[int, int | None],
    genes: GenesLike | None,
    species: Species | None,
    progress: Progress | None,
) -> _Signatures:
    if added < 0:
        raise ValueError(f"added must be 0 or more, not {added}")
    vocabulary = model.vocabulary
    column = np.arange(len(vocabulary))  # (genes,) the input of each gene of the model, or -1
    unmapped: list[str] = []
    if genes is None:
        genes = vocabulary.symbols
    else:
        genes = as_identifiers(genes)
        mapped = map_identifiers(vocabulary, genes, species)
        unmapped = mapped.unused
        column = np.full(len(vocabulary), -1)
        known = np.flatnonzero(mapped.ids >= 0)[::-1]  # reversed: the first of several wins
        column[mapped.ids[known]] = known
    terms = load_terms(libraries, vocabulary)
    terms = terms.within(column >= 0, *sizes, what="the genes that were measured")
    n_added = np.rint(added * terms.sizes).astype(np.int64)
    rows, columns, values = [], [], []
    for part in batches(len(n_added), _TERMS, "completing terms", progress):
        block = terms.members[part]
        sets = np.split(block.indices, block.indptr[1:-1])
        chances = model.probability(sets) if added else np.zeros((len(sets), len(vocabulary)))
        for row, (own, chance) in enumerate(zip(sets, chances, strict=True), part.start):
            p = np.where(column >= 0, chance, -1.0)
            p[own] = -1
            more = np.argsort(-p, kind="stable")[: n_added[row]]
            more = more[p[more] > 0]
            rows.append(np.full(len(own) + len(more), row))
            columns += [column[more], column[own]]
            values += [p[more], np.ones(len(own))]
    weights = sp.csr_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
        shape=(len(n_added), len(genes)),
    )
    n_mapped = int((column >= 0).sum())
    return _Signatures(weights, _names(terms), genes, terms.libraries, n_mapped, unmapped)


def _names(terms: Terms) -> list[str]:
    """The names of the terms; with the id or the library where two have the same name."""
    name, n = pl.col("term"), pl.int_range(1, pl.len() + 1).over("term")
    twice = name.is_duplicated()
    table = terms.table
    for more, which in (("id", twice), ("library", twice), (n, n > 1)):
        longer = pl.format("{} ({})", name, more).fill_null(name)
        table = table.with_columns(pl.when(which).then(longer).otherwise(name).alias("term"))
    return table["term"].to_list()


def _expression(adata: AnnData, layer: str | None) -> Any:
    """The expression, cells by genes, dense or sparse."""
    if not hasattr(adata, "var_names"):
        raise TypeError(f"adata must be an AnnData, not {type(adata).__name__}")
    if layer is not None and layer not in adata.layers:
        raise GsfmError(f"no layer {layer!r}; there are {', '.join(adata.layers) or 'none'}")
    values = adata.X if layer is None else adata.layers[layer]
    if values is None:
        raise GsfmError("adata.X is empty; name a layer")
    if adata.n_obs < 2:
        raise GsfmError("a gene is standardized over the cells: give two or more")
    return values


def _groups(adata: AnnData, groupby: str) -> tuple[Numbers, Any]:
    """(groups, cells) the share of each cell in its group, and the names of the groups."""
    if groupby not in adata.obs:
        raise GsfmError(f"adata.obs has no column {groupby!r}; there are {', '.join(adata.obs)}")
    groups = adata.obs[groupby].astype("category").cat
    codes = np.asarray(groups.codes)
    used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(groups.categories)))
    share = (codes[None, :] == used[:, None]).astype(np.float64)
    return share / share.sum(axis=1, keepdims=True), groups.categories[used].astype(str)


def _moments(expression: Any, progress: Progress | None) -> tuple[Numbers, Numbers]:
    """(genes,) the mean and the standard deviation over the cells, in 64 bits, in two passes."""
    n, n_genes = expression.shape
    mean, square = np.zeros(n_genes), np.zeros(n_genes)
    for part in batches(n, _CELLS, "averaging", progress):
        mean += np.asarray(expression[part].sum(axis=0, dtype=np.float64)).ravel() / n
    for part in batches(n, _CELLS, "averaging", progress):
        square += (np.asarray(_dense(expression[part]) - mean) ** 2).sum(axis=0) / n
    if not (np.isfinite(mean).all() and np.isfinite(square).all()):
        raise GsfmError("the expression has values that are not finite numbers")
    return mean, np.sqrt(square)


def _dense(block: Any) -> Any:
    return block.toarray() if sp.issparse(block) else np.asarray(block)


def _linear(
    expression: Any,
    mean: Numbers,
    spread: Numbers,
    weights: sp.csr_array,
    groups: Numbers | None,
    progress: Progress | None,
) -> tuple[Numbers, Numbers]:
    """(rows, terms) t-values of the slopes of standardized expression on weights, and p-values."""
    # Not scipy.stats, which takes half a second to import.
    from scipy.special import stdtr

    n = expression.shape[1]
    if groups is not None:
        # The mean of standardized cells is the standardized mean of the cells.
        expression = np.asarray(groups @ expression)
    w_mean = np.asarray(weights.sum(axis=1)).ravel() / n
    w_square = np.asarray(weights.multiply(weights).sum(axis=1)).ravel()
    w_norm = np.sqrt(np.maximum(w_square - n * w_mean**2, 1e-300))  # (terms,)
    t = np.empty((expression.shape[0], weights.shape[0]))
    for part in batches(len(t), _CELLS, "scoring", progress):
        x = (_dense(expression[part]) - mean) / spread
        x -= x.mean(axis=1, keepdims=True)
        norm = np.sqrt((x**2).sum(axis=1, keepdims=True))
        r = (weights @ x.T).T / (w_norm * np.where(norm > 0, norm, 1.0))
        r = np.clip(r, -1 + 1e-12, 1 - 1e-12)
        t[part] = r * np.sqrt((n - 2) / (1 - r**2))
    return t, np.asarray(2 * stdtr(n - 2, -np.abs(t)))
