"""Over-representation: the terms with a larger overlap with a set than by chance."""

from __future__ import annotations

import numpy as np

from gsfm.analysis.enrichment.common import (
    BackgroundLike,
    Enrichment,
    Experiment,
    overlap_columns,
    symbols_in,
)
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike
from gsfm.completion.inputs import GenesLike
from gsfm.errors import GsfmError, check_least, check_sizes
from gsfm.genes import Species
from gsfm.sets.overlap import p_values

COLUMNS = {
    "p_value": "probability of that overlap or more, if the input genes were drawn at random from "
    "the background (hypergeometric, one-sided: Fisher's exact test)",
}


def ora(
    genes: GenesLike,
    libraries: LibrariesLike = None,
    *,
    background: BackgroundLike = "library",
    top: int | None = 20,
    min_size: int = MIN_SIZE,
    max_size: int | None = None,
    species: Species | None = None,
) -> Enrichment:
    r"""Over-representation analysis: the terms with a larger overlap with a set than by chance.

    Parameters
    ----------
    genes
        Identifiers of any kind.
    libraries
        One library or several: names, paths or `GeneSets`; all that are installed if None.
    background
        The genes that the set is compared with. ``"library"``: for each library the genes that are
        in any of its terms. ``"all"``: all approved genes, which makes p-values too small, because
        genes of unknown function are in no set either. Or identifiers, such as the genes that an
        assay measured: these include genes in no term, and input genes that are not among them are
        excluded and reported. Or only the number of these genes: all known genes count as a part.
    top
        Number of terms of each library to return; all if None.
    min_size, max_size
        Terms with fewer or more genes of the background are not tested.
    species
        Species of the identifiers, as in `gsfm.genes.resolve`.

    Returns
    -------
    Enrichment
        Columns ``overlap``, ``expected``, ``odds_ratio`` and ``overlap_genes``, besides the common
        ones.

    Raises
    ------
    UnknownGenesError
        If no gene of the set is known, or none is in the background.
    GsfmError
        If there is no such library, or no term has enough genes of the background.

    Notes
    -----
    Of the :math:`N` genes of the background, :math:`n` are input genes, :math:`m` are in the term,
    and :math:`k` are both:

    .. math:: p = \sum_{i \ge k} \binom{m}{i} \binom{N - m}{n - i} \Big/ \binom{N}{n}, \qquad
              \text{odds ratio} = \frac{k (N - n - m + k)}{(n - k)(m - k)}

    References
    ----------
    Boyle et al., Bioinformatics 2004, doi:10.1093/bioinformatics/bth456

    Examples
    --------
    >>> result = ora(["BRCA1", "BRCA2", "RAD51", "PALB2", "no such gene"], "reactome", top=1)
    >>> result.table["overlap_genes"].to_list(), result.unmapped
    ([['BRCA1', 'BRCA2', 'PALB2', 'RAD51']], ['no such gene'])
    """
    check_least(1, top=top)
    check_sizes(min_size, max_size)
    test = Experiment(genes, libraries, background, species)
    ids, terms = test.ids, test.restrict(test.background, min_size, max_size)
    sizes, overlap = terms.sizes, terms.overlap(ids)
    if not overlap.any():
        raise GsfmError(
            f"no gene of the set is in any tested term of {terms.names}; give another library, "
            "or use method 'model', which needs no overlap"
        )
    pool = np.broadcast_to(test.background, terms.known.shape)  # (libraries, genes)
    of_library = test.background_sizes
    test.check_background()
    n_background = of_library[terms.source]
    n_input = pool[:, ids].sum(axis=1)[terms.source]
    p = np.ones(len(overlap))
    for i, n in enumerate(of_library.tolist()):
        rows = terms.source == i
        p[rows] = p_values(overlap[rows], n_input[rows], sizes[rows], n)
    columns = {
        **overlap_columns(overlap, n_input, sizes, n_background),
        "p_value": p,
        "overlap_genes": symbols_in(terms, ids),
    }
    return test.result("ora", columns, COLUMNS, order=p, top=top)
