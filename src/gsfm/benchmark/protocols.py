"""Protocols about the terms of a library: find the hidden genes of a term.

All genes of the background except the shown ones are ranked, except in `context_switch`.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.benchmark.questions import Draws, Questions, make_questions, question_table
from gsfm.benchmark.releases import nearest, pair
from gsfm.errors import GsfmError, require
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

Rows = NDArray[np.int64]
Ids = NDArray[Any]

#: Largest share of the smaller term's genes in the overlap of two unrelated terms.
MAX_OVERLAP = 0.1

NONE = "no gene of the background"
WHOLE = "all genes of the background"
FULL = "too large for so much noise: no gene of the background would be left to compare with"


def half_split(
    library: GeneSets,
    *,
    splits: int = 5,
    smallest: int = 5,
    noise: float = 0.0,
    terms: int | None = None,
    seed: int = 0,
) -> Questions:
    """Show one half of each term and hide the other (Clarke et al. 2026).

    With `noise`, random genes of the background that are not in the term are shown, too. They are
    added to the true genes, as false positives in a list of hits, and `noise` is their share of
    the shown genes: the false discovery rate of the list. The terms, the true genes shown and the
    hidden genes are the same for any noise, and the wrong genes for less noise are a subset of
    those for more. Wrong genes are shown and therefore not ranked.

    Parameters
    ----------
    library
        The terms, with the background as vocabulary.
    splits
        Number of random splits of each term.
    smallest
        Least genes in a half; terms with fewer than twice as many are skipped. If the number of
        genes is odd, the hidden half has one more.
    noise
        Share of wrong genes among the shown ones, from 0 to below 1, rounded to whole genes: 0.2
        adds 1 gene to 4 true ones, and 5 to 20. Terms are skipped if no other gene would remain to
        compare with.
    terms
        Size of a random sample of the terms; a smaller sample is a subset of a larger one.
    seed
        Seed of the halves and of the sample. The halves of a term depend only on the seed, the
        name of the term and its genes. An additional gene in the term moves at most one other gene
        to the other half.

    Returns
    -------
    Questions
        Ordered by term; the splits count from 1. With noise, the column ``wrong`` counts the wrong
        genes of each question, and ``about["genes_wrong"]`` all of them.

    Raises
    ------
    GsfmError
        If no gene of the library is in the background, or no term is large enough.
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> library = GeneSets.from_lists({"repair": list("ABCDEFGHIJ"), "growth": list("XYZ")})
    >>> questions = half_split(library, splits=2)
    >>> questions.shown.sizes.tolist(), dict(questions.skipped)
    ([5, 5], {'fewer than 10 genes of the background': 1})
    >>> noisy = half_split(library, splits=2, noise=0.2)
    >>> noisy.shown.sizes.tolist(), noisy.hidden.genes(0) == questions.hidden.genes(0)
    ([6, 6], True)
    """
    return _halves(library, splits, smallest, terms, seed, noise)[0]


def hold_out(
    library: GeneSets,
    *,
    shown: Sequence[int] = (3, 5, 10, 20, 50),
    splits: int = 5,
    smallest: int = 5,
    terms: int | None = None,
    seed: int = 0,
) -> Questions:
    """Show a few genes of each term and hide all others.

    The draws are nested: in a split, the 3 shown genes are a subset of the 5, and these of the 10.
    A term has a question for each number of shown genes that leaves `smallest` hidden ones, so that
    larger numbers have fewer and larger terms. The column ``every_k`` marks the terms with a
    question for every number: the numbers are comparable on these.

    Parameters
    ----------
    library
        The terms, with the background as vocabulary.
    shown
        The numbers of shown genes.
    splits
        Number of random draws from each term.
    smallest
        Least hidden genes.
    terms, seed
        As for `half_split`. The sample is of the terms that are large enough for the smallest
        number.

    Returns
    -------
    Questions
        Ordered by term, split and number. ``about["terms_of"]`` counts the terms of each number.

    Raises
    ------
    GsfmError
        If no gene of the library is in the background, or no term is large enough.
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> library = GeneSets.from_lists({"repair": list("ABCDEFGHIJ"), "growth": ["X"]})
    >>> hold_out(library, shown=(3, 5, 10), splits=1).table["k"].to_list()
    [3, 5]
    """
    ks = np.unique(np.asarray(shown, np.int64))
    require(len(ks) > 0 and ks[0] >= 1, "shown must be one or more numbers of 1 or more")
    _check(splits=splits, smallest=smallest, terms=terms)
    rows, skipped = _choose(library, int(ks[0]) + smallest, terms, seed)
    largest_k = library.sizes - smallest
    every = np.array([*itertools.product(rows, range(1, splits + 1), ks)])
    row, split, k = every[every[:, 2] <= largest_k[every[:, 0]]].T
    terms_of = {str(k): int((largest_k[rows] >= k).sum()) for k in ks}
    names = library.metadata["name"].gather(row)
    return make_questions(
        "hold-out",
        library.vocabulary,
        question_table(names, split=split, k=k, every_k=largest_k[row] >= ks[-1]),
        *_divide(library, row, split, k, seed),
        skipped=skipped,
        about=_about(rows, seed, splits=splits, smallest=smallest) | {"terms_of": terms_of},
    )


def time_split(
    older: GeneSets,
    newer: GeneSets,
    *,
    smallest: int = 5,
    smallest_hidden: int = 5,
    terms: int | None = None,
    seed: int = 0,
) -> Questions:
    """Show the genes of a term in an older release; hide the genes that a newer release adds.

    Genes that the newer release has dropped are shown, too; the column ``dropped`` counts them.

    Parameters
    ----------
    older, newer
        Two releases with the background as vocabulary. `pair` matches their terms.
    smallest, smallest_hidden
        Least shown and hidden genes.
    terms
        Size of a random sample of the terms; a smaller sample is a subset of a larger one.
    seed
        Seed of the sample; nothing else is random.

    Returns
    -------
    Questions
        One for each term, by its newer name. Other columns are ``older_term``, ``by`` (how the
        two were paired) and ``dropped``. `older` is the whole older release.

    Raises
    ------
    GsfmError
        If no gene of a release is in the background, or no term has gained enough genes.
    ValueError
        If a setting is out of its range, or the releases have different vocabularies.

    Examples
    --------
    >>> background = Vocabulary("ABCDEFGHIJXYZ")
    >>> older = {"DNA repair (GO:0006281)": list("ABCDEX")}
    >>> newer = {"Repair of DNA (GO:0006281)": list("ABCDEFGHIJ")}
    >>> older = GeneSets.from_lists(older, vocabulary=background)
    >>> newer = GeneSets.from_lists(newer, vocabulary=background)
    >>> questions = time_split(older, newer)
    >>> questions.hidden.genes(0), questions.table["dropped"].to_list()
    (('F', 'G', 'H', 'I', 'J'), [1])
    """
    _check(smallest=smallest, smallest_hidden=smallest_hidden, terms=terms)
    check_releases(older, newer)
    pairs = pair(older, newer)
    before = older[pairs.table["older_row"].to_numpy()].to_csr()
    after = newer[pairs.table["newer_row"].to_numpy()].to_csr()
    added = (after - after.multiply(before)).tocsr()
    n_shown, n_hidden, dropped = (
        np.asarray(matrix.sum(axis=1), np.int64)
        for matrix in (before, added, before - before.multiply(after))
    )
    known, grown = n_shown >= smallest, n_hidden >= smallest_hidden
    room = n_shown + n_hidden < len(older.vocabulary)
    candidates = np.flatnonzero(known & grown & room)
    if len(candidates) == 0:
        raise GsfmError(
            f"the time split is empty: {len(pairs)} terms are in both releases, of {len(older)} in "
            f"the older and {len(newer)} in the newer; {known.sum()} of them have {smallest} genes "
            "of the background or more in the older release, and the most genes that one of these "
            f"gained is {n_hidden[known].max(initial=0)}. Give two releases of one library, or "
            f"lower smallest ({smallest}) or smallest_hidden ({smallest_hidden})"
        )
    rows = _sample(pairs.table["newer_name"].to_list(), candidates, terms, seed)
    names, old_names, by = pairs.table[rows].select("newer_name", "older_name", "by")
    table = question_table(names, older_term=old_names, by=by, dropped=dropped[rows])
    skipped = {
        "only in the older release": len(pairs.older_only),
        "only in the newer release": len(pairs.newer_only),
        f"fewer than {smallest} genes of the background in the older release": ~known,
        f"fewer than {smallest_hidden} genes added": known & ~grown,
        WHOLE: known & grown & ~room,
        f"not in the sample of {terms}": len(candidates) - len(rows),
    }
    counts = {"genes_shown": n_shown, "genes_dropped": dropped, "genes_hidden": n_hidden}
    return Questions(
        "time-split",
        older.vocabulary,
        _from_csr(before[rows], older.vocabulary, table),
        _from_csr(added[rows], older.vocabulary, table),
        table,
        older=older,
        skipped=_counted(skipped),
        about=_about(rows, seed, smallest=smallest, smallest_hidden=smallest_hidden)
        | {"paired_by": pairs.ways}
        | {name: int(values[rows].sum()) for name, values in counts.items()},
    )


def never_seen(
    older: GeneSets,
    newer: GeneSets,
    *,
    splits: int = 5,
    smallest: int = 5,
    terms: int | None = None,
    seed: int = 0,
) -> Questions:
    """Split the terms that only the newer release has, as in `half_split`.

    Parameters
    ----------
    older, newer
        Two releases with the background as vocabulary. `pair` matches their terms.
    splits, smallest, terms, seed
        As for `half_split`.

    Returns
    -------
    Questions
        As of `half_split`, with the column ``older_jaccard``: the largest Jaccard index of the
        term with a term of the older release. `older` is the whole older release.

    Raises
    ------
    GsfmError
        If no gene of a release is in the background, or no new term is large enough.
    ValueError
        If a setting is out of its range, or the releases have different vocabularies.

    Examples
    --------
    >>> newer = GeneSets.from_lists({"repair": list("ABCDEF"), "Ferroptosis": list("ABUVWXYZMN")})
    >>> older = GeneSets.from_lists({"Repair": list("ABCDE")}, vocabulary=newer.vocabulary)
    >>> never_seen(older, newer, splits=1).table.select("term", "older_jaccard").rows()
    [('Ferroptosis', 0.153...)]
    """
    check_releases(older, newer)
    pairs = pair(older, newer)
    if len(pairs.newer_only) == 0:
        raise GsfmError(
            f"no term is new: all {len(newer)} terms of the newer release are in the older one; "
            "give an earlier older release, or a later newer one"
        )
    new = newer[pairs.newer_only]
    halves, rows = _halves(new, splits, smallest, terms, seed)
    jaccard = pl.Series(np.repeat(nearest(new[rows], older), splits))
    return dataclasses.replace(
        halves,
        protocol="never-seen",
        table=halves.table.with_columns(older_jaccard=jaccard),
        older=older,
        skipped=_counted({"in the older release too": len(pairs), **halves.skipped}),
        about={**halves.about, "paired_by": pairs.ways},
    )


def context_switch(
    library: GeneSets,
    *,
    context_genes: int = 5,
    pairs: int = 2000,
    smallest: int = 5,
    seed: int = 0,
) -> Questions:
    """Show a gene of two unrelated terms with context genes of one, and hide its other genes.

    The function of a gene depends on the context. For a gene of the terms A and B, there are two
    questions: with context genes from A, the other genes of A are hidden; with context genes from
    B, those of B. The candidates are the same genes of A and B for both questions, without the
    context genes. The mean AUROC of the two questions is exactly 0.5 for a ranking that ignores the
    context.

    Two terms are unrelated if their overlap is at most a tenth of the smaller one. Each must have
    `context_genes` and `smallest` genes that are not in the other.

    Parameters
    ----------
    library
        The terms, with the background as vocabulary.
    context_genes
        Number of context genes: genes of one term, and not of the other.
    pairs
        Number of pairs of terms. Every gene in two unrelated terms is used once before any is used
        twice.
    smallest
        Least candidates from each term; both terms have the same number.
    seed
        Seed of the genes, the terms and the draws from them.

    Returns
    -------
    Questions
        Two for each pair, one after another, with the same ``term`` (``"GENE: A / B"``) and the
        splits 1 and 2: a mean over the splits of a term is a mean over both. Other columns are
        ``gene``, ``context`` (the term of the context genes and the hidden genes) and ``other``.

    Raises
    ------
    GsfmError
        If no gene of the library is in the background, no term is large enough, or no gene is in
        two unrelated terms.
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> library = GeneSets.from_lists({"one": list("ABCDEFGHIJK"), "two": list("AQRSTUVWXYZ")})
    >>> questions = context_switch(library)
    >>> questions.table.select("term", "split", "context").rows()
    [('A: two / one', 1, 'two'), ('A: two / one', 2, 'one')]
    """
    _check(context_genes=context_genes, pairs=pairs, smallest=smallest)
    least = 1 + context_genes + smallest
    _need(library, least)
    large = library[np.flatnonzero(library.sizes >= least)]
    names, symbols = large.names, large.vocabulary.symbols
    triples = list(itertools.islice(_unrelated(large, context_genes + smallest, seed), pairs))
    if not triples:
        raise GsfmError(
            f"no gene is in two unrelated terms: of {len(library)} terms {len(large)} have {least} "
            f"genes or more, and wherever two of them have a gene in common, they share more than "
            f"{MAX_OVERLAP:.0%} of the smaller one, or the rest is too small; "
            "lower context_genes or smallest, or take a library with more terms"
        )
    draws = Draws(symbols, seed)
    shown, hidden, candidates, rows = [], [], [], []
    for gene, one, other in triples:
        label = f"{symbols[gene]}: {names[one]} / {names[other]}"
        sides = [large.ids(one), large.ids(other)]
        own = [np.setdiff1d(mine, theirs) for mine, theirs in (sides, sides[::-1])]
        own = [draws.shuffle(ids, label) for ids in own]
        n = min(map(len, own))
        candidates += [np.concatenate([ids[context_genes:n] for ids in own])] * 2
        for split, ids, near, far in ((1, own[0], one, other), (2, own[1], other, one)):
            shown.append([gene, *ids[:context_genes]])
            hidden.append(ids[context_genes:n])
            rows.append((label, split, symbols[gene], names[near], names[far]))
    labels, splits, genes, nears, fars = zip(*rows, strict=True)
    return make_questions(
        "context-switch",
        library.vocabulary,
        question_table(labels, split=splits, gene=genes, context=nears, other=fars),
        shown,
        hidden,
        candidates,
        skipped=_counted({_fewer(least): len(library) - len(large)}),
        about={
            "context_genes": context_genes,
            "smallest": smallest,
            "most_shared": MAX_OVERLAP,
            "seed": seed,
            "pairs": len(triples),
            "genes": len({gene for gene, _, _ in triples}),
        },
    )


# -- the parts ---------------------------------------------------------------------------------


def _halves(
    library: GeneSets, splits: int, smallest: int, terms: int | None, seed: int, noise: float = 0.0
) -> tuple[Questions, Rows]:
    """The questions of `half_split`, and the rows of its terms."""
    _check(splits=splits, smallest=smallest, terms=terms)
    require(0 <= noise < 1, f"noise must be 0 or more and below 1, not {noise}")
    n_shown = library.sizes // 2
    n_wrong = np.floor(n_shown * noise / (1 - noise) + 0.5).astype(np.int64)
    rows, skipped = _choose(library, 2 * smallest, terms, seed, n_wrong)
    row, split = np.repeat(rows, splits), np.tile(np.arange(1, splits + 1), len(rows))
    shown, hidden = _divide(library, row, split, n_shown[row], seed)
    about = _about(rows, seed, splits=splits, smallest=smallest)
    # Without noise there are no such entries, so that the hashes of earlier runs stay valid.
    columns = {}
    if noise:
        shown = _add_wrong(shown, library, row, split, n_wrong[row], seed)
        columns = {"wrong": n_wrong[row]}
        about |= {"noise": noise, "genes_wrong": int(n_wrong[row].sum())}
    table = question_table(library.metadata["name"].gather(row), split=split, **columns)
    sets = library.vocabulary, table, shown, hidden
    return make_questions("half-split", *sets, skipped=skipped, about=about), rows


def _about(rows: Rows, seed: int, **settings: int) -> dict[str, Any]:
    """The settings and the number of terms of a protocol."""
    return {**settings, "seed": seed, "terms": len(rows)}


def _divide(
    library: GeneSets, rows: Rows, splits: Rows, n_shown: Rows, seed: int
) -> tuple[list[Ids], list[Ids]]:
    """Show the first genes of each term in the random order of a split; hide the others."""
    draws, names = Draws(library.vocabulary, seed), library.names
    triples = zip(rows.tolist(), splits.tolist(), n_shown.tolist(), strict=True)
    orders = [(draws.shuffle(library.ids(i), names[i], split), n) for i, split, n in triples]
    return [genes[:n] for genes, n in orders], [genes[n:] for genes, n in orders]


def _add_wrong(
    shown: list[Ids], library: GeneSets, rows: Rows, splits: Rows, n_wrong: Rows, seed: int
) -> list[Ids]:
    """Add random genes that are not in the term to the shown ones."""
    draws, names = Draws(library.vocabulary, seed), library.names
    everyone = np.arange(len(library.vocabulary))
    lists = []
    for ids, row, split, n in zip(shown, rows.tolist(), splits.tolist(), n_wrong, strict=True):
        others = np.delete(everyone, library.ids(row))
        lists.append(np.concatenate([ids, draws.first(n, others, names[row], split, "wrong")]))
    return lists


def _choose(
    library: GeneSets, least: int, terms: int | None, seed: int, wrong: Rows | int = 0
) -> tuple[Rows, dict[str, int]]:
    """The rows of the chosen terms, ascending, and the reasons for skipping the others.

    `wrong` is the number of wrong genes that will be shown with each term.
    """
    _need(library, least)
    sizes, n_genes = library.sizes, len(library.vocabulary)
    large, whole, full = sizes >= least, sizes == n_genes, sizes + wrong >= n_genes
    candidates = np.flatnonzero(large & ~full)
    if len(candidates) == 0:
        noise = " with their noise" if (full & ~whole).any() else ""
        raise GsfmError(
            f"the {large.sum()} terms of {least} genes or more are{noise} the whole background of "
            f"{n_genes} genes, which leaves none to compare with; "
            f"take a larger background{' or less noise' if noise else ''}"
        )
    rows = _sample(library.names, candidates, terms, seed)
    reasons = {
        NONE: sizes == 0,
        _fewer(least): (sizes > 0) & ~large,
        WHOLE: large & whole,
        FULL: large & full & ~whole,
        f"not in the sample of {terms}": len(candidates) - len(rows),
    }
    return rows, _counted(reasons)


def _sample(names: Sequence[str], rows: Rows, terms: int | None, seed: int) -> Rows:
    """`terms` of the rows, drawn by their names; ascending."""
    return rows if terms is None else np.sort(Draws(names, seed).shuffle(rows, "sample")[:terms])


def _unrelated(library: GeneSets, least: int, seed: int) -> Iterator[tuple[int, int, int]]:
    """(gene, term, other term): a gene of two unrelated terms.

    Each term has `least` genes or more that are not in the other. Every gene comes once before any
    comes again.
    """
    members, sizes = library.to_csr(), library.sizes
    # A byte for each pair of terms: 30 MB for GO.
    unrelated = np.zeros((len(library), len(library)), np.bool_)
    for start in range(0, len(library), 512):
        rows = slice(start, start + 512)
        shared = (members[rows] @ members.T).toarray()
        smaller = np.minimum(sizes[rows, None], sizes)
        unrelated[rows] = (shared <= MAX_OVERLAP * smaller) & (smaller - shared >= least)
    by_gene = members.T.tocsr()
    symbols = library.vocabulary.symbols
    genes, terms = Draws(symbols, seed), Draws(library.names, seed)
    queue = genes.shuffle(np.flatnonzero(np.diff(by_gene.indptr) > 1), "genes").tolist()
    turn = 0
    while queue:
        again = []
        for gene in queue:
            of_gene = by_gene.indices[by_gene.indptr[gene] : by_gene.indptr[gene + 1]]
            of_gene = terms.shuffle(of_gene, symbols[gene])
            first, second = np.nonzero(np.triu(unrelated[np.ix_(of_gene, of_gene)]))
            if turn < len(first):
                yield gene, int(of_gene[first[turn]]), int(of_gene[second[turn]])
                again.append(gene)
        queue, turn = again, turn + 1


def _from_csr(matrix: sp.csr_array, vocabulary: Vocabulary, table: pl.DataFrame) -> GeneSets:
    """Sets of the non-zero entries, with the names of the table."""
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return GeneSets(vocabulary, matrix.indptr, matrix.indices, table.select(name="term"))


def _fewer(least: int) -> str:
    return f"fewer than {least} genes of the background"


def _counted(reasons: Mapping[str, Any]) -> dict[str, int]:
    """The number of terms for each reason that has some."""
    counts = {reason: int(np.sum(what)) for reason, what in reasons.items()}
    return {reason: count for reason, count in counts.items() if count}


def _check(*, terms: int | None = None, **counts: int) -> None:
    """Raise ValueError unless all are 1 or more."""
    for name, value in (counts if terms is None else counts | {"terms": terms}).items():
        require(value >= 1, f"{name} must be 1 or more, not {value}")


def _need(library: GeneSets, least: int, what: str = "library") -> None:
    """Raise GsfmError unless a term has `least` genes of the background."""
    largest = int(library.sizes.max(initial=0))
    if largest == 0:
        raise GsfmError(
            f"none of the genes of the {what} ({len(library)} terms) is in the background of "
            f"{len(library.vocabulary)} genes; are its identifiers resolved to approved symbols, "
            "as gsfm.sets.read does?"
        )
    if largest < least:
        raise GsfmError(
            f"no term of the {what} has {least} genes of the background or more; the largest of "
            f"{len(library)} has {largest}. Ask for fewer genes, or take another library"
        )


def check_releases(older: GeneSets, newer: GeneSets) -> None:
    """Raise an error unless both releases have the same vocabulary, and genes of it."""
    same = older.vocabulary == newer.vocabulary
    require(same, "both releases must have the same vocabulary, the background")
    _need(older, 1, "older release")
    _need(newer, 1, "newer release")
