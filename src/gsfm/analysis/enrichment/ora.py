"""Over-representation: which terms share more genes with a set than chance would have it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gsfm.analysis.enrichment.common import (
    COLUMNS,
    Background,
    BackgroundLike,
    Enrichment,
    Given,
    Numbers,
    finish,
    symbols_in,
)
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike, load_terms
from gsfm.errors import GsfmError
from gsfm.genes import Species
from gsfm.sets.overlap import p_values as overlap_p_values

Counts = NDArray[np.int64]

ODDS_RATIO = (
    "odds of being in the term among the given genes, over those among the rest of the background; "
    "infinite where all given genes are in the term or all of the term are given"
)
EXPECTED = "how many of the given genes would be in the term by chance"
P_VALUE = (
    "chance that as many genes or more are in the term, were the given ones drawn at random from "
    "the background (hypergeometric, one-sided: Fisher's exact test)"
)


def ora(
    genes: Iterable[str],
    libraries: LibrariesLike = None,
    *,
    background: BackgroundLike = "library",
    top: int | None = 100,
    min_size: int = MIN_SIZE,
    max_size: int | None = None,
    species: Species | None = None,
) -> Enrichment:
    r"""Over-representation analysis: the terms that share more genes with a set than chance.

    Parameters
    ----------
    genes
        Identifiers of any kind.
    libraries
        One library or several: names, paths or `GeneSets`; all that there are if None.
    background
        The genes that could have been found. ``"library"``: of each library the genes that are in
        any of its terms. ``"all"``: all approved genes, which makes p-values too small, because
        genes that nothing is known of are in no list either. Or identifiers, such as the genes
        that an assay measured: then a gene in no term counts too, and given genes that are not
        in it are left out and reported.
    top
        How many terms to return; all if None.
    min_size, max_size
        Terms with fewer or more genes of the background are not tested.
    species
        Where the identifiers come from, as in `gsfm.genes.resolve`.

    Returns
    -------
    Enrichment
        Columns ``overlap``, ``expected``, ``odds_ratio`` and ``genes``, beside the common ones.

    Raises
    ------
    UnknownGenesError
        If no gene of the set is known, or none is in the background.
    GsfmError
        If there is no such library, or no term has enough genes of the background.

    Notes
    -----
    Of the :math:`N` genes of the background, :math:`n` are given, :math:`m` are in the term, and
    :math:`k` are both:

    .. math:: p = \sum_{i \ge k} \binom{m}{i} \binom{N - m}{n - i} \Big/ \binom{N}{n}, \qquad
              \text{odds ratio} = \frac{k (N - n - m + k)}{(n - k)(m - k)}

    References
    ----------
    Boyle et al., Bioinformatics 2004, doi:10.1093/bioinformatics/bth456

    Examples
    --------
    >>> result = ora(["BRCA1", "BRCA2", "RAD51", "PALB2", "no such gene"], "reactome", top=1)
    >>> result.table["genes"].to_list(), result.unmapped
    ([['BRCA1', 'BRCA2', 'PALB2', 'RAD51']], ['no such gene'])
    """
    terms = load_terms(libraries)
    of = Background(terms, background, species)
    given = Given(terms.vocabulary, genes, species, of, model=False)
    terms = terms.within(of.pool, min_size, max_size, what="the background")
    overlap = np.zeros(len(terms.source), np.int64)
    n_background = np.zeros(len(overlap), np.int64)
    n_given = np.zeros(len(overlap), np.int64)
    p_values = np.ones(len(overlap))
    chosen = np.zeros(len(terms.vocabulary), np.float32)
    chosen[given.ids] = 1
    shared = np.rint(terms.members @ chosen).astype(np.int64)
    for i in range(len(terms.told)):
        pool = of.pool if of.pool.ndim == 1 else of.pool[i]
        rows = np.flatnonzero(terms.source == i)
        n_background[rows], n_given[rows] = pool.sum(), pool[given.ids].sum()
        overlap[rows] = shared[rows]
        p_values[rows] = overlap_p_values(
            overlap[rows], n_given[rows], terms.sizes[rows], int(pool.sum())
        )
    if not overlap.any():
        names = ", ".join(one["name"] for one in terms.told)
        raise GsfmError(
            f"no gene of the set is in any term of {names} that was tested; give another library, "
            "or ask a model (method 'model'), which needs no shared gene"
        )
    sizes = terms.sizes
    expected = n_given * sizes / n_background
    ratio = _odds_ratio(overlap, n_given, sizes, n_background)
    return finish(
        "ora",
        terms,
        given,
        of,
        {
            "overlap": (overlap, COLUMNS["overlap"]),
            "expected": (expected, EXPECTED),
            "odds_ratio": (ratio, ODDS_RATIO),
            "genes": (symbols_in(terms, given.ids), COLUMNS["genes"]),
        },
        p_values=p_values,
        p_value_is=P_VALUE,
        order=p_values,
        top=top,
        more={"min_size": min_size, "max_size": max_size},
    )


def _odds_ratio(k: Counts, n: Counts, m: Counts, N: Counts) -> Numbers:
    """The sample odds ratio; nan where a margin is empty, infinite where it has no bound."""
    above = k.astype(np.float64) * (N - n - m + k)
    below = (n - k).astype(np.float64) * (m - k)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above / below)
