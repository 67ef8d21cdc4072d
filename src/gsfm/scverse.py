"""Scores and enrichment for AnnData, in the conventions of scanpy and decoupler.

Needs the extra ``scverse``.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm import analysis
from gsfm.analysis import Enrichment
from gsfm.analysis.enrichment.common import false_discovery_rate
from gsfm.analysis.enrichment.enrich import METHODS, WITH_MODEL, Method
from gsfm.analysis.signatures import Signatures, complete_terms
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike, Terms, load_terms
from gsfm.completion.batches import batches
from gsfm.completion.identifiers import map_identifiers
from gsfm.completion.inputs import GenesLike, as_identifiers
from gsfm.completion.scorer import describe_model
from gsfm.errors import GsfmError, check_number, needs_extra, require
from gsfm.genes import Species, Vocabulary
from gsfm.models import load_model
from gsfm.models.types import Mask
from gsfm.progress import Bar, Progress
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
#: The fields of scanpy's ranked genes that can rank them.
STATISTICS = ("scores", "logfoldchanges", "pvals", "pvals_adj")
#: Cells that are read at once, by default, and results that are tested at once.
BSIZE, _TESTS = 2048, 2**20
#: A gene's mean is far from 0 if it is more of its standard deviations from there.
FAR = 100.0


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
        Called with the task, the amount done and the amount of all; a line on the terminal if None.

    Returns
    -------
    pandas.DataFrame
        decoupler's columns ``source`` (the term), ``target`` (the gene, as in `genes`) and
        ``weight``: 1 for the term's genes, and for an added gene the probability that it is one of
        the term's missing genes. They are remembered for the same model, terms and genes, and those
        of many terms are stored in the cache folder.

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
    with _bar(progress) as report:
        found = _network(load_model(model), libraries, added, sizes, genes, species, report)
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
    raw: bool = False,
    empty: bool = True,
    bsize: int | float = BSIZE,
    progress: Progress | None = None,
) -> AnnData | None:
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
    raw
        Whether to use ``adata.raw``, its expression and its genes. Not with `layer`.
    empty
        Whether to exclude cells without expression, and genes with the same value in all cells.
    bsize
        Number of cells that are read at once. It bounds the working memory, and changes no more
        than rounding.

    Returns
    -------
    AnnData or None
        As in decoupler: None, and the scores are in `adata`; or, if there are empty cells that are
        excluded, a copy without them, which has the scores. The cells of a file (backed) are never
        excluded, and groups need no copy.

    Notes
    -----
    Per cell, as in decoupler's methods: ``adata.obsm["score_gsfm"]`` and
    ``adata.obsm["padj_gsfm"]`` are data frames, cells by terms. Per group, they are in
    ``adata.uns``, groups by terms. ``adata.uns["gsfm"]`` has the provenance.

    Each gene is first standardized over the cells: :math:`x_{cg}`; a group has the mean of its
    cells. Genes with the same value in all cells are excluded, as decoupler excludes empty genes;
    ``adata.uns["gsfm"]["genes_flat"]`` is their number. If `empty` is False, they are a part of the
    regression, with 0. The score of the term :math:`t` is the
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
    values, names = _values(adata, layer, raw)
    is_number = isinstance(bsize, int | float | np.number)
    whole = is_number and 1 <= bsize < np.inf and bsize == int(bsize)
    require(whole, f"bsize must be a whole number of cells, 1 or more, not {bsize!r}")
    expression = _Expression(values, int(bsize))
    grouping = None if groupby is None else _grouping(adata, groupby)
    model = load_model(model)
    with _bar(progress) as report:
        # As in decoupler, all cells of a file are scored: it cannot be copied without some.
        cells = empty and not adata.isbacked
        moments = _moments(expression, cells=cells, genes=empty, progress=report)
        used = np.flatnonzero(moments.used)
        genes = [str(name) for name in names[used]]
        sizes = min_size, max_size
        found = _network(model, libraries, added, sizes, genes, species, report)
        # The first of several columns of a gene has the weight. Genes that the model does not know
        # are a part of the regression with the weight 0.
        parts = found.weights.data, used[found.weights.indices], found.weights.indptr
        weights = sp.csr_array(parts, shape=(len(found.names), len(names)))
        n_empty = int((~expression.cells).sum())
        rows, scored = adata.obs_names[expression.cells], adata
        if grouping is not None:
            expression, rows = _means(expression, grouping, report)
        elif n_empty:
            scored = adata[expression.cells].copy()
        scores, adjusted = _linear(expression, moments, weights, report)
    where = scored.obsm if groupby is None else scored.uns
    for key, numbers in (("score_gsfm", scores), ("padj_gsfm", adjusted)):
        where[key] = pd.DataFrame(numbers, index=rows, columns=found.names)
    scored.uns["gsfm"] = {
        "task": "score",
        "gsfm_version": __version__,
        "model": {k: str(v) for k, v in describe_model(model).items()},
        "libraries": [str(one["name"]) for one in found.libraries],
        "groupby": groupby or "",
        "layer": "raw" if raw else layer or "X",
        "added": float(added),
        "cells_empty": n_empty,
        "genes_flat": int((moments.inverse == 0).sum()),
        "genes_mapped": int(found.n_mapped),
        "genes_unmapped": list(found.unmapped),
        "signatures": found.signatures.source,
        "signatures_seconds": round(found.signatures.seconds, 3),
    }
    return None if scored is adata else scored


def enrich(
    adata: AnnData,
    libraries: LibrariesLike = None,
    *,
    method: Method = "combined",
    key: str = "rank_genes_groups",
    groups: Sequence[str] | None = None,
    statistic: str = "scores",
    pval_cutoff: float | None = None,
    log2fc_min: float | None = None,
    model: Model | None = None,
    top_genes: int = 100,
    **options: Any,
) -> dict[str, Enrichment]:
    """Enrichment of the ranked genes of each group, from ``scanpy.tl.rank_genes_groups``.

    Parameters
    ----------
    adata
        With the result of scanpy in ``adata.uns[key]``.
    libraries
        One library or several; all that are installed if None.
    method
        As in `gsfm.analysis.enrich`; ``"ora"`` tests the genes with the largest statistics as a
        set.
    key
        The key of the ranked genes.
    groups
        Names of the groups; all if None.
    statistic
        The field that ranks the genes: ``"scores"``, scanpy's default; ``"logfoldchanges"``; or
        ``"pvals"`` or ``"pvals_adj"``, as minus the decimal logarithm with the sign of the score.
    pval_cutoff, log2fc_min
        As in ``scanpy.get.rank_genes_groups_df``: only genes with a smaller adjusted p-value, or a
        larger log2 fold change. Not for ``"prerank"``, which needs all genes.
    model
        For ``"combined"`` and ``"model"``; the shipped one if None.
    top_genes
        Number of genes at each end of a group's list for the model, and at its top for ``"ora"``.
    **options
        Other options of the method. The background is all genes of ``adata``, or of ``adata.raw``
        if scanpy ranked those.

    Returns
    -------
    dict of str to Enrichment
        By group, without groups of which no gene is left. ``provenance["ranked"]`` has the key, the
        statistic, the test, and the numbers of genes that were left out.
        The tables, concatenated after a first column ``group``, are also a pandas data frame in
        ``adata.uns["enrich_gsfm"]``. ``adata.uns["gsfm_enrich"]`` says how they were made.

    Raises
    ------
    GsfmError
        If there is no such key, group or field, or no gene is left; and as the method does.
    ValueError
        If there is no such method or statistic.
    """
    if key not in adata.uns:
        raise GsfmError(f"adata.uns has no {key!r}; run scanpy.tl.rank_genes_groups first")
    ranked = adata.uns[key]
    known = list(ranked["names"].dtype.names or ())
    for group in groups or ():
        there = f"there are {', '.join(known)}"
        require(group in known, f"no group {group!r} in adata.uns[{key!r}]; {there}", GsfmError)
    if method not in METHODS:
        raise GsfmError(f"method is {method!r}; there are {', '.join(METHODS)}")
    right = statistic in STATISTICS
    require(right, f"statistic is {statistic!r}; there are {', '.join(STATISTICS)}")
    bounds = {"pval_cutoff": pval_cutoff, "log2fc_min": log2fc_min}
    cut = {name: value for name, value in bounds.items() if value is not None}
    check_number(**cut)
    message = f"prerank needs all genes; leave out {' and '.join(cut)}"
    require(method != "prerank" or not cut, message)
    test = {k: str(v) for k, v in ranked.get("params", {}).items()}
    of_raw = adata.raw is not None and test.get("use_raw") == "True"
    background = [str(name) for name in (adata.raw if of_raw else adata).var_names]
    options = {"method": method, "background": background, "top": None, "group": False, **options}
    if method in WITH_MODEL:
        options |= {"model": load_model(model), "top_genes": top_genes}
    about = {"key": key, "statistic": statistic, **cut, "test": test}
    found: dict[str, Enrichment] = {}
    for group in groups or known:
        query, numbers = _ranking(ranked, key, group, statistic, cut)
        if method == "ora":
            query = sorted((pair for pair in query if pair[1] > 0), key=lambda pair: -pair[1])
        if query:
            genes = [gene for gene, _ in query[:top_genes]] if method == "ora" else query
            found[group] = analysis.enrich(genes, libraries, **options)
            found[group].provenance["ranked"] = {**about, "group": group, **numbers}
    empty = [group for group in groups or known if group not in found]
    require(found, f"no gene of adata.uns[{key!r}] is left: {about}", GsfmError)
    tables = [
        flat(one.table).insert_column(0, pl.Series("group", [group] * len(one), dtype=pl.String))
        for group, one in found.items()
    ]
    adata.uns["enrich_gsfm"] = pandas_frame(pl.concat(tables), "gsfm.scverse")
    adata.uns["gsfm_enrich"] = {
        "task": "enrich",
        "gsfm_version": __version__,
        "method": method,
        **about,
        "groups_without_genes": empty,
    }
    return found


def _ranking(
    ranked: Any, key: str, group: str, statistic: str, cut: dict[str, float]
) -> tuple[list[tuple[str, float]], dict[str, int]]:
    """The genes of a group with their statistics, and the numbers of all and of those left out."""

    def field(name: str) -> Numbers:
        if name not in ranked:
            there = ", ".join(one for one in STATISTICS if one in ranked)
            method = ranked.get("params", {}).get("method", "?")
            message = f"adata.uns[{key!r}] has no {name!r}; its method {method!r} has {there}"
            raise GsfmError(message)
        return np.asarray(ranked[name][group], np.float64)

    values = field(statistic)
    if statistic.startswith("pvals"):
        values = -np.log10(np.maximum(values, np.nextafter(0, 1))) * np.sign(field("scores"))
    # A filter of scanpy replaces names by nan.
    usable = np.isfinite(values) & [isinstance(name, str) for name in ranked["names"][group]]
    chosen = usable.copy()
    if "pval_cutoff" in cut:
        chosen &= field("pvals_adj") < cut["pval_cutoff"]
    if "log2fc_min" in cut:
        chosen &= field("logfoldchanges") > cut["log2fc_min"]
    names = ranked["names"][group]
    pairs = [(str(names[i]), float(values[i])) for i in np.flatnonzero(chosen)]
    numbers = {"genes": len(names), "no_number": int((~usable).sum()), "used": len(pairs)}
    return pairs, numbers


def _bar(progress: Progress | None) -> contextlib.AbstractContextManager[Progress]:
    """The caller's progress, or a line on a terminal."""
    return Bar("loading the model") if progress is None else contextlib.nullcontext(progress)


class _Network(NamedTuple):
    """The signatures of terms over the genes that were given."""

    weights: sp.csr_array  # (terms, input genes)
    names: list[str]
    genes: Sequence[str]
    libraries: list[dict[str, Any]]
    n_mapped: int
    unmapped: list[str]
    signatures: Signatures


def _network(
    model: Model,
    libraries: LibrariesLike,
    added: float,
    sizes: tuple[int, int | None],
    genes: GenesLike | None,
    species: Species | None,
    progress: Progress | None,
) -> _Network:
    check_number(added=added)
    require(added >= 0, f"added must be 0 or more, not {added}")
    vocabulary = model.vocabulary
    unmapped: list[str] = []
    if genes is None:
        genes, column = vocabulary.symbols, np.arange(len(vocabulary))
    else:
        genes = as_identifiers(genes)
        column, unmapped = _columns(vocabulary, tuple(genes), species)
    pool = column >= 0
    terms = load_terms(libraries, vocabulary)
    terms = terms.within(pool, *sizes, what="the genes that were measured")
    found = complete_terms(model, terms.members, pool, added=added, progress=progress)
    chosen = found.weights.tocoo()
    rows, ids = chosen.coords
    shape = len(terms.sizes), len(genes)
    weights = sp.csr_array((chosen.data, (rows, column[ids])), shape=shape)
    names, n_mapped = _names(terms), int(pool.sum())
    return _Network(weights, names, genes, terms.libraries, n_mapped, unmapped, found)


@functools.lru_cache(maxsize=4)
def _columns(
    vocabulary: Vocabulary, genes: tuple[Any, ...], species: Species | None
) -> tuple[NDArray[np.int64], list[str]]:
    """The first of `genes` that is each gene of the model, or -1; and those that are none."""
    mapped = map_identifiers(vocabulary, genes, species)
    column = np.full(len(vocabulary), -1)
    known = np.flatnonzero(mapped.ids >= 0)[::-1]  # reversed: the first of several wins
    column[mapped.ids[known]] = known
    return column, mapped.unused


def _names(terms: Terms) -> list[str]:
    """The names of the terms; with the id or the library where two have the same name."""
    name, n = pl.col("term"), pl.int_range(1, pl.len() + 1).over("term")
    twice = name.is_duplicated()
    table = terms.table
    for more, which in (("id", twice), ("library", twice), (n, n > 1)):
        longer = pl.format("{} ({})", name, more).fill_null(name)
        table = table.with_columns(pl.when(which).then(longer).otherwise(name).alias("term"))
    return table["term"].to_list()


def _values(adata: AnnData, layer: str | None, raw: bool) -> tuple[Any, Any]:
    """The expression, cells by genes, and the names of the genes."""
    if not hasattr(adata, "var_names"):
        raise TypeError(f"adata must be an AnnData, not {type(adata).__name__}")
    if raw and layer is not None:
        raise GsfmError(f"give layer={layer!r} or raw=True, not both: adata.raw has no layers")
    if raw and adata.raw is None:
        raise GsfmError("adata.raw is empty; leave out raw=True")
    if layer is not None and layer not in adata.layers:
        raise GsfmError(f"no layer {layer!r}; there are {', '.join(adata.layers) or 'none'}")
    where = adata.raw if raw else adata
    values = where.X if layer is None else adata.layers[layer]
    if values is None:
        raise GsfmError("adata.X is empty; name a layer")
    return values, where.var_names


def _grouping(adata: AnnData, groupby: str) -> Any:
    """The column of a grouping, as categories."""
    if groupby not in adata.obs:
        raise GsfmError(f"adata.obs has no column {groupby!r}; there are {', '.join(adata.obs)}")
    return adata.obs[groupby].astype("category").cat


class _Expression:
    """Expression of cells, which is read block by block and never made dense if it is sparse.

    Parameters
    ----------
    values
        (cells, genes) an array, a sparse matrix, or a data set in a file.
    bsize
        Number of cells that are read at once. Of a matrix by columns as many values are.
    """

    def __init__(self, values: Any, bsize: int) -> None:
        self.values, self.bsize = values, bsize
        #: (cells,) the cells that are used.
        self.cells = np.ones(values.shape[0], bool)

    def blocks(self, task: str, progress: Progress | None) -> Iterator[tuple[slice, slice, Any]]:
        """The places among the cells that are used, and among all genes, of each block."""
        n, n_genes = self.values.shape
        if getattr(self.values, "format", "") == "csc":
            width = max(1, self.bsize * n_genes // n)
            used = slice(0, int(self.cells.sum()))
            for genes in batches(n_genes, width, task, progress):
                yield used, genes, self._used(self.values[:, genes].tocsr(), slice(n))
            return
        before = 0
        for part in batches(n, self.bsize, task, progress):
            block = self._used(self.values[part], part)
            yield slice(before, before + block.shape[0]), slice(n_genes), block
            before += block.shape[0]

    def _used(self, block: Any, part: slice) -> Any:
        block = sp.csr_array(block) if sp.issparse(block) else np.asarray(block)
        used = self.cells[part]
        return block if used.all() else block[used]


class _Moments(NamedTuple):
    """The mean of each gene over the cells, and the inverse of its standard deviation."""

    mean: Numbers  # (genes,)
    inverse: Numbers  # (genes,) 0 if all cells have the same value
    used: Mask  # (genes,) those that are not excluded


def _moments(
    expression: _Expression, *, cells: bool, genes: bool, progress: Progress | None
) -> _Moments:
    """The moments in 64 bits, in two passes.

    With `cells`, cells without expression are excluded from the expression first; with `genes`,
    genes with the same value in all cells.
    """
    n_cells, n_genes = expression.values.shape
    mean, square, stored = np.zeros((3, n_genes))
    found = np.zeros(n_cells, np.int64)
    for rows, columns, block in expression.blocks("averaging", progress):
        mean[columns] += _total(block, block.data if sp.issparse(block) else block)
        found[rows] += np.asarray((block != 0).sum(axis=1)).ravel()
    if cells:
        expression.cells = found > 0
    n = int(expression.cells.sum())
    message = "a gene is standardized over the cells: give two or more"
    require(n > 1, f"{message} with expression" if n < n_cells else message, GsfmError)
    mean /= n
    for _, columns, block in expression.blocks("averaging", progress):
        sparse, center = sp.issparse(block), mean[columns]
        differences = block.data - center[block.indices] if sparse else block - center
        square[columns] += _total(block, differences**2)
        stored[columns] += (
            np.bincount(block.indices, minlength=len(center)) if sparse else len(block)
        )
    square += (n - stored) * mean**2
    if not (np.isfinite(mean).all() and np.isfinite(square).all()):
        raise GsfmError("the expression has values that are not finite numbers")
    spread = np.sqrt(square / n)
    varies = spread > FLAT * np.abs(mean)
    require(varies.sum() > 2, "fewer than three genes vary over the cells", GsfmError)
    inverse = np.divide(1, spread, out=np.zeros(n_genes), where=varies)
    return _Moments(mean, inverse, varies | (not genes))


def _total(block: Any, values: Any) -> Numbers:
    """(genes,) the sums of values, in 64 bits, that are in the places of those of a block."""
    if sp.issparse(block):  # scipy sums in the type of the matrix
        return np.asarray(np.bincount(block.indices, values, block.shape[1]), np.float64)
    return np.asarray(values.sum(axis=0, dtype=np.float64))


def _means(
    expression: _Expression, grouping: Any, progress: Progress | None
) -> tuple[_Expression, Any]:
    """The mean of each group of cells, and the names of the groups that have cells."""
    codes = np.asarray(grouping.codes)[expression.cells]
    used, place = np.unique(codes, return_inverse=True)
    place = np.where(codes < 0, -1, place - (used[0] < 0))  # -1 for a cell without a group
    used = used[used >= 0]
    size = np.bincount(place[place >= 0], minlength=len(used))
    means = np.zeros((len(used), expression.values.shape[1]))
    for cells, genes, block in expression.blocks("averaging groups", progress):
        at = np.flatnonzero(place[cells] >= 0)
        group = place[cells][at]
        shape = len(used), block.shape[0]
        part = sp.csr_array((1 / size[group], (group, at)), shape=shape) @ block
        means[:, genes] += part.toarray() if sp.issparse(part) else part
    return _Expression(means, expression.bsize), grouping.categories[used].astype(str)


def _linear(
    expression: _Expression, moments: _Moments, weights: sp.csr_array, progress: Progress | None
) -> tuple[Numbers, Numbers]:
    """(rows, terms) t-values of the slopes of standardized expression on weights, adjusted p."""
    # Not scipy.stats, which takes half a second to import.
    from scipy.special import stdtr

    rows, n = int(expression.cells.sum()), int(moments.used.sum())
    total, square = np.zeros((2, rows, 1))
    t = np.zeros((rows, weights.shape[0]))
    by_gene = sp.csr_array(weights.T)  # (genes, terms)
    for cells, genes, block in expression.blocks("scoring", progress):
        here = moments.mean[genes], moments.inverse[genes]
        sums = _sums(block, *here, by_gene[genes])
        for whole, more in zip((total, square, t), sums, strict=True):
            whole[cells] += more
    w_mean = np.asarray(weights.sum(axis=1)).ravel() / n
    w_square = np.asarray(weights.multiply(weights).sum(axis=1)).ravel()
    w_norm = np.sqrt(np.maximum(w_square - n * w_mean**2, 1e-300))  # (terms,)
    norm = np.sqrt(np.maximum(square - total**2 / n, 0))
    adjusted = np.empty_like(t)
    for part in batches(rows, max(1, _TESTS // t.shape[1]), "testing", progress):
        r = t[part] - total[part] * w_mean
        r /= w_norm * np.where(norm[part] > 0, norm[part], 1.0)
        r = np.clip(r, -1 + 1e-12, 1 - 1e-12)
        t[part] = r * np.sqrt((n - 2) / (1 - r**2))
        single = 2 * stdtr(n - 2, -np.abs(t[part]))
        adjusted[part] = np.apply_along_axis(false_discovery_rate, 1, single)
    return t, adjusted


def _sums(
    block: Any, mean: Numbers, inverse: Numbers, by_gene: sp.csr_array
) -> tuple[Numbers, Numbers, Numbers]:
    """For each cell the sum of the standardized expression, of its squares, and times weights.

    Of a sparse block, what is stored is added to the sums of a cell without expression. That is
    exact unless a gene's mean is far from 0, in units of its standard deviation. A sparse gene has
    no such mean.
    """
    if not sp.issparse(block):
        z = block - mean
        z *= inverse
        squares = np.einsum("cg,cg->c", z, z)
        return z.sum(axis=1, keepdims=True), squares[:, None], z @ by_gene
    zero = -mean * inverse  # (genes,) of a cell without expression
    far = np.abs(zero) > FAR
    if far.any():
        halves = [
            _sums(part, mean[at], inverse[at], by_gene[at])
            for at, part in ((far, block[:, far].toarray()), (~far, block[:, ~far]))
        ]
        first, second, third = (one + other for one, other in zip(*halves, strict=True))
        return first, second, third
    at, ones = block.indices, np.ones((block.shape[1], 1))
    added = sp.csr_array((block.data * inverse[at], at, block.indptr), shape=block.shape)
    changes = added.data * (added.data + 2 * zero[at])
    squares = sp.csr_array((changes, at, block.indptr), shape=block.shape) @ ones
    times = (added @ by_gene).toarray()
    times += zero @ by_gene
    return added @ ones + zero.sum(), squares + zero @ zero, times
