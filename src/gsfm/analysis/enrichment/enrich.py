"""Enrichment of a gene set or of a ranked list, by one of the methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import polars as pl

from gsfm.analysis.enrichment.common import BackgroundLike, Enrichment
from gsfm.analysis.enrichment.model import by_model, by_model_ranked
from gsfm.analysis.enrichment.ora import ora
from gsfm.analysis.enrichment.prerank import prerank
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike
from gsfm.genes import Species
from gsfm.genes.rankings import RankedLike
from gsfm.models import ModelLike
from gsfm.progress import Progress

Method: TypeAlias = Literal["model", "ora", "prerank"]
#: The parameters of some methods only, with these methods.
_OF_METHOD = {
    "top_genes": ("model",),
    "draws": ("model",),
    "random_state": ("model", "prerank"),
    "model": ("model",),
    "weight": ("prerank",),
    "permutations": ("prerank",),
}


def enrich(
    genes: Iterable[str] | RankedLike,
    libraries: LibrariesLike = None,
    *,
    method: Method = "model",
    background: BackgroundLike | None = None,
    top: int | None = 100,
    min_size: int = MIN_SIZE,
    max_size: int | None = None,
    top_genes: int | None = None,
    draws: int | None = None,
    weight: float | None = None,
    permutations: int | None = None,
    random_state: int | None = None,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Enrichment:
    """Find the terms of libraries that a gene set, or a ranked list, is enriched for.

    Parameters
    ----------
    genes
        A gene set: identifiers of any kind. Or a ranked list: a mapping of identifiers to a
        statistic with a sign, pairs of the two, or a Polars table whose first two columns they are.
    libraries
        One library or several: names, paths or `GeneSets`; all that are installed if None.
    method
        ``"model"``: the model's evidence for the genes of a term, against random sets; finds terms
        without an overlap with the set, too. ``"ora"``: over-representation, the hypergeometric
        test of the overlap; a gene set only. ``"prerank"``: GSEA by GSEApy; a ranked list only.
    background
        ``"all"``: all genes that the model knows; of ora all approved genes. ``"library"``: the
        genes in any term of the library. Or identifiers, such as the genes that an assay measured.
        The default is ``"all"`` for a model, ``"library"`` for ora, and the genes of a ranked list.
    top
        Number of terms to return; all if None.
    min_size, max_size
        Terms with fewer or more genes of the background are not tested. The default of `max_size`
        is no bound, and 500 for prerank.
    top_genes
        Method ``"model"``, ranked list: genes at each end of the list that make a set; 100 if None.
    draws
        Method ``"model"``: random sets in the null; 200 if None.
    weight, permutations
        Method ``"prerank"``: power of the statistics in the running sum (1 if None), and permuted
        lists in the null (1,000 if None).
    random_state
        Of the random sets or permutations; 0 if None.
    model
        Method ``"model"``: a fitted model, or a model folder; the shipped model if None.
    species
        Species of the identifiers, as in `gsfm.genes.resolve`.
    progress
        Called with the task, the amount done and the amount of all.

    Returns
    -------
    Enrichment
        One row a term, best first; ``provenance["columns"]`` describes the columns.

    Raises
    ------
    UnknownGenesError
        If no gene of the set is known, or none is in the background.
    GsfmError
        If there is no such library, or no term has enough genes of the background.
    MissingExtraError
        For ``"prerank"`` without GSEApy.
    ValueError
        If the method does not take such an input or parameter.

    See Also
    --------
    gsfm.analysis.ora, gsfm.analysis.prerank : The methods with their formulas and references.

    Examples
    --------
    >>> found = enrich(["BRCA1", "BRCA2", "RAD51", "PALB2"], "reactome", method="ora", top=1)
    >>> found.table["overlap"].to_list()
    [4]
    >>> enrich(["BRCA1"], method="prerank")
    Traceback (most recent call last):
    ValueError: method 'prerank' takes a ranked list, genes with a statistic; a gene set goes with
    'model' and 'ora'
    """
    if method not in ("model", "ora", "prerank"):
        raise ValueError(f"method must be model, ora or prerank, not {method!r}")
    ranked: Any = genes if isinstance(genes, Mapping | pl.DataFrame) else list(genes)
    is_ranked = not isinstance(ranked, list) or (
        bool(ranked) and isinstance(ranked[0], tuple | list) and len(ranked[0]) == 2
    )
    if method == "prerank" and not is_ranked:
        raise ValueError(
            "method 'prerank' takes a ranked list, genes with a statistic; a gene set goes with "
            "'model' and 'ora'"
        )
    if method == "ora" and is_ranked:
        raise ValueError(
            "method 'ora' takes a gene set; a ranked list goes with 'model' and 'prerank'"
        )
    options: dict[str, Any] = {"top": top, "min_size": min_size, "species": species}
    if max_size is not None:
        options["max_size"] = max_size
    if background is not None:
        options["background"] = background
    values = (top_genes, draws, random_state, model, weight, permutations)
    for (name, methods), value in zip(_OF_METHOD.items(), values, strict=True):
        if value is not None:
            if method not in methods:
                raise ValueError(f"{name} belongs to method {methods[0]!r}")
            options[name] = value
    if method == "ora":
        return ora(ranked, libraries, **options)
    if method == "prerank":
        return prerank(ranked, libraries, **options, progress=progress)
    if is_ranked:
        return by_model_ranked(ranked, libraries, **options, progress=progress)
    if top_genes is not None:
        raise ValueError("top_genes belongs to a ranked list")
    return by_model(ranked, libraries, **options, progress=progress)
