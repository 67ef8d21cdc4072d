"""Completion: the genes that are missing from a gene set, or from each set of a library."""

from __future__ import annotations

from typing import overload

from gsfm.completion import Completion, LibraryCompletion, rank
from gsfm.completion.calibration import HALF
from gsfm.completion.inputs import GenesLike
from gsfm.completion.ranking import BATCH
from gsfm.genes import Species
from gsfm.models import ModelLike, load_model
from gsfm.progress import Progress
from gsfm.sets import GeneSets


@overload
def complete(
    genes: GeneSets,
    *,
    top: int | None = 100,
    background: GenesLike | None = None,
    exclude: GenesLike = (),
    include_input: bool = False,
    missing_fraction: float = HALF,
    model: ModelLike = None,
    species: Species | None = None,
    batch_size: int = BATCH,
    progress: Progress | None = None,
) -> LibraryCompletion: ...
@overload
def complete(
    genes: GenesLike,
    *,
    top: int | None = 100,
    background: GenesLike | None = None,
    exclude: GenesLike = (),
    include_input: bool = False,
    missing_fraction: float = HALF,
    model: ModelLike = None,
    species: Species | None = None,
) -> Completion: ...
def complete(
    genes: GenesLike,
    *,
    top: int | None = 100,
    background: GenesLike | None = None,
    exclude: GenesLike = (),
    include_input: bool = False,
    missing_fraction: float = HALF,
    model: ModelLike = None,
    species: Species | None = None,
    batch_size: int = BATCH,
    progress: Progress | None = None,
) -> Completion:
    """Rank the genes that are missing from a gene set, or from each set of a library.

    Parameters
    ----------
    genes
        The set: identifiers of any kind that `gsfm.genes.resolve` knows. Or a library, whose sets
        hold such identifiers.
    top
        Number of genes to return for each set; all of them if None.
    background
        Identifiers of the genes to rank, such as those that an assay can detect: ranks and
        z-scores are over these genes. All genes of the model if None.
    exclude
        Identifiers of genes to leave out of the ranking.
    include_input
        Rank the input genes too, marked in the column ``in_input``, each by its leave-one-out
        score: the score for the set without the gene. Scores of different sets have no common
        zero, so the order is by z-score. A single known gene leaves no set to score it by, and is
        not ranked.
    missing_fraction
        The fraction of the whole set that is missing from the input genes, above 0 and below 1. It
        changes the probabilities only.
    model
        A fitted model or a model folder; the shipped model if None.
    species
        Species of the identifiers, as in `gsfm.genes.resolve`.
    batch_size
        Sets scored at once; bounds the working memory. For a library only.
    progress
        Called with the task, the number of sets done and the number of all. For a library only.

    Returns
    -------
    Completion or LibraryCompletion
        The ranked genes, and how each identifier was mapped. For a library one long table with a
        first column ``set``, in the order of the library; sets without a gene known to the model
        are listed in ``empty``.

    Raises
    ------
    UnknownGenesError
        If the model knows no gene of the set, of any set of the library, or of the background.
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    The z-score of a gene with the score :math:`s` is :math:`(s - m) / d`, where :math:`m` and
    :math:`d` are the mean and the standard deviation of the scores of all genes of the background
    outside the set that are not excluded. It is not a test statistic. It is 0 if these scores are
    all equal.

    The probability is that of `Model.probability`: the probability that the gene is one of the
    missing genes of the set, if the input genes are a random half of the whole set (or the fraction
    that is not `missing_fraction`).

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> corpus = [["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2", "GRB2"]] * 5
    >>> model = Linear(regularization=1.0).fit(GeneSets.from_lists(corpus))
    >>> result = complete(["p53", "CDKN1A", "no such gene"], top=1, model=model)
    >>> result.table["symbol"].to_list(), result.unmapped
    (['MDM2'], ['no such gene'])
    >>> mine = GeneSets.from_lists({"arrest": ["p53", "CDKN1A"], "growth": ["EGFR", "GRB2"]})
    >>> complete(mine, top=1, model=model).table.select("set", "symbol").rows()
    [('arrest', 'MDM2'), ('growth', 'ERBB2')]
    """
    return rank(
        load_model(model),
        genes,
        top=top,
        background=background,
        exclude=exclude,
        include_input=include_input,
        missing_fraction=missing_fraction,
        species=species,
        batch_size=batch_size,
        progress=progress,
    )
