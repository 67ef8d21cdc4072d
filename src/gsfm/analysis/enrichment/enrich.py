"""Enrichment of a gene set or of a ranked list, by one of the methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from gsfm import genes as gene_names
from gsfm.analysis.enrichment.combined import combined
from gsfm.analysis.enrichment.common import BackgroundLike, Enrichment
from gsfm.analysis.enrichment.lists import as_lists, combine
from gsfm.analysis.enrichment.model import by_model
from gsfm.analysis.enrichment.ora import ora
from gsfm.analysis.enrichment.ordered import ordered_ora
from gsfm.analysis.enrichment.prerank import prerank
from gsfm.analysis.query import check_least
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike, load_libraries
from gsfm.completion.inputs import GenesLike, RankedLike, as_identifiers, is_pair, is_path
from gsfm.errors import GsfmError, UnknownGenesError, require
from gsfm.genes import GeneList, Species
from gsfm.io.frames import is_frame
from gsfm.models import ModelLike, load_model
from gsfm.progress import Progress
from gsfm.sets import GeneSets

Method: TypeAlias = Literal["combined", "model", "ora", "prerank"]


class _Method(NamedTuple):
    """The functions of a method, for a gene set and for a ranked list, and its own parameters."""

    of_set: Callable[..., Enrichment] | None
    of_list: Callable[..., Enrichment]
    parameters: tuple[str, ...] = ()


METHODS = {
    "combined": _Method(combined, combined, ("top_genes", "random_state", "model")),
    "model": _Method(by_model, by_model, ("top_genes", "random_state", "model")),
    "ora": _Method(ora, ordered_ora, ("random_state",)),
    "prerank": _Method(None, prerank, ("random_state", "weight", "permutations", "n_threads")),
}
#: Methods that need a model.
WITH_MODEL = ("combined", "model")


def enrich(
    genes: GenesLike | RankedLike,
    libraries: LibrariesLike = None,
    *,
    method: Method = "combined",
    background: BackgroundLike | None = None,
    top: int | None = 20,
    min_size: int = MIN_SIZE,
    max_size: int | None = None,
    top_genes: int | None = None,
    weight: float | None = None,
    permutations: int | None = None,
    random_state: int | None = None,
    n_threads: int | None = None,
    group: bool = True,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Enrichment:
    """Find the terms of libraries that gene sets, or ranked lists, are enriched for.

    Parameters
    ----------
    genes
        A gene set: identifiers of any kind, or the path of a file. Or a ranked list: a mapping or a
        pandas Series of identifiers to a signed statistic, pairs of the two, or a data frame or
        file, of which `gsfm.genes.read` reads the columns. For a model, a data frame is a ranked
        list, and a file a gene set: give ``gsfm.genes.read(file, ranked=True)`` for a ranked list.
        Or several of them: a mapping of names to gene sets or to ranked lists, a `GeneSets`, such
        as ``gsfm.sets.read(file)``, or a data frame with a column ``cluster``.
    libraries
        One library or several, of any kind that `gsfm.libraries.load` takes; all that are installed
        if None.
    method
        ``"combined"``: the overlap and the model together; finds what either finds. ``"model"``:
        the model's evidence for the genes of a term, compared with that for typical gene sets;
        finds terms without an overlap with the set, too. ``"ora"``: over-representation, the
        hypergeometric test of the overlap; of a ranked list, of the overlap with the first genes,
        of a number that is chosen for each term. ``"prerank"``: GSEA by GSEApy; a ranked list only.
    background
        ``"all"``: all genes that the model knows; of ora all approved genes. ``"library"``: the
        genes in any term of the library. Or identifiers, such as the genes that an assay measured,
        or a file of them; of combined and ora also a number of genes. The default is ``"library"``
        (``"all"`` for method ``"model"``), and the genes of a ranked list.
    top
        Number of terms of each library to return; all if None.
    min_size, max_size
        Terms with fewer or more genes of the background are not tested. The default of `max_size`
        is no bound, and 500 for prerank.
    top_genes
        Methods with a model, ranked list: genes at each end of the list that are a set for the
        model; 100 if None.
    weight, permutations
        Method ``"prerank"``: power of the statistics in the running sum (1 if None), and permuted
        lists in the null (1,000 if None).
    random_state
        Of the permutations, and of the order of ties; 0 if None.
    n_threads
        Method ``"prerank"``: number of threads; all cores if None.
    group
        Whether to find groups of redundant terms, as `Enrichment.grouped` does.
    model
        Methods with a model: a fitted model, or a model folder; the shipped model if None.
    species, progress
        As in `complete`.

    Returns
    -------
    Enrichment
        One row a term, library by library, best first; ranks and false discovery rates are those
        within the library. ``provenance["columns"]`` describes the columns. Of several lists, the
        first column is ``list``, and each list has its own ranks and false discovery rates.

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
    gsfm.analysis.ora, gsfm.analysis.ordered_ora, gsfm.analysis.prerank :
        The methods with their formulas and references.

    Examples
    --------
    >>> found = enrich(["BRCA1", "BRCA2", "RAD51", "PALB2"], "reactome", method="ora", top=1)
    >>> found.table["overlap"].to_list()
    [4]
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = [["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2", "GRB2"], ["MYC", "MAX"]] * 5
    >>> settings = {"min_size": 2, "model": Linear(regularization=1.0).fit(corpus)}
    >>> terms = GeneSets.from_lists({"arrest": ["CDKN1A", "MDM2"], "growth": ["EGFR", "GRB2"]})
    >>> enrich(["p53"], terms, **settings).table.select("term", "overlap").rows()
    [('arrest', 0), ('growth', 0)]
    >>> changes = {"TP53": 3.1, "MYC": 0.1, "MAX": -0.1, "ERBB2": -2.5}
    >>> found = enrich(changes, terms, top_genes=1, background="all", **settings)
    >>> best = found.table.unique("direction", keep="first")
    >>> sorted(best.select("direction", "term").rows())
    [('down', 'growth'), ('up', 'arrest')]
    >>> both = {"up": ["CDKN1A", "MDM2"], "down": ["EGFR", "GRB2"]}
    >>> enrich(both, terms, method="ora", min_size=2, top=1).table.select("list", "term").rows()
    [('up', 'arrest'), ('down', 'growth')]
    >>> enrich(["BRCA1"], method="prerank")
    Traceback (most recent call last):
    ValueError: method 'prerank' takes a ranked list, not a gene set; the others take both; ...
    """
    check_least(0, random_state=random_state, min_size=0 if min_size is None else min_size)
    require(min_size is not None, "min_size must be a whole number, not None", TypeError)
    if method not in list(METHODS):
        raise ValueError(f"method must be combined, model, ora or prerank, not {method!r}")
    if (lists := as_lists(genes)) is not None:
        settings: dict[str, Any] = {
            "method": method,
            "background": background,
            "top": top,
            "min_size": min_size,
            "max_size": max_size,
            "top_genes": top_genes,
            "weight": weight,
            "permutations": permutations,
            "random_state": random_state,
            "n_threads": n_threads,
            "group": group,
            "model": load_model(model) if method in WITH_MODEL else model,
            "species": species,
            "progress": progress,
        }
        loaded: Any = load_libraries(libraries)
        results, errors = {}, {}
        for name, one in lists.items():
            try:
                results[name] = enrich(one, loaded, **settings)
            except GsfmError as error:
                if type(error) not in (GsfmError, UnknownGenesError):
                    raise
                errors[name] = error
        return combine(results, errors, genes.files if isinstance(genes, GeneSets) else {})
    ranked, is_ranked = _as_list(genes, method)
    own = METHODS[method]
    function = own.of_list if is_ranked else own.of_set
    if function is None:
        raise ValueError(
            f"method {method!r} takes a ranked list, not a gene set; the others take both; "
            "a ranked list maps genes to statistics"
        )
    if top_genes is not None and not is_ranked:
        raise ValueError("top_genes belongs to a ranked list")
    options: dict[str, Any] = {
        "top_genes": top_genes,
        "random_state": random_state,
        "model": model,
        "weight": weight,
        "permutations": permutations,
        "n_threads": n_threads,
    }
    for name, value in options.items():
        if value is not None and (name not in own.parameters or function is ora):
            first = next(other for other, one in METHODS.items() if name in one.parameters)
            raise ValueError(f"{name} belongs to method {first!r}")
    options |= {"background": background, "max_size": max_size}
    options = {name: value for name, value in options.items() if value is not None}
    if method in WITH_MODEL:
        options["is_ranked"] = is_ranked
    if method != "ora":
        options["progress"] = progress
    found = function(ranked, libraries, top=top, min_size=min_size, species=species, **options)
    if not group:
        return found
    return found.grouped(model=load_model(model) if method in WITH_MODEL else None)


def _counts_rows(frame: Any) -> bool:
    """Whether a data frame has no index, or one that counts its rows."""
    return type(getattr(frame, "index", range(0))).__name__ in ("range", "RangeIndex")


def _as_list(genes: Any, method: Method) -> tuple[Any, bool]:
    """A gene set or a ranked list, and whether it is ranked."""
    is_file = isinstance(genes, Path) or (isinstance(genes, str) and is_path(genes))
    if is_frame(genes) or (is_file and method == "prerank"):
        # One column, beside row numbers, has no statistic.
        is_list = is_frame(genes) and genes.shape[1] == 1 and _counts_rows(genes)
        genes = gene_names.read(genes, ranked=method != "ora" and not is_list)
    is_read = isinstance(genes, GeneList) and "statistic" in genes.table.columns
    if is_read or isinstance(genes, Mapping):
        return genes, True
    # A pandas Series; numbers without names may be Entrez ids, for a gene set.
    is_named = hasattr(genes, "items") and hasattr(genes, "dtype")
    if is_named and not (method == "ora" and _counts_rows(genes)):
        kind = getattr(genes.dtype, "kind", "O")
        if kind in "if" or (kind == "O" and all(isinstance(one, float) for one in genes)):
            return genes, True
    genes = as_identifiers(genes)
    return genes, bool(genes) and is_pair(genes[0])
