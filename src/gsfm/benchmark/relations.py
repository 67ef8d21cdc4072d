"""Protocols about new relations between genes: pairs that first share a set after a date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.benchmark.protocols import check_releases
from gsfm.benchmark.questions import Draws, Questions, make_questions, question_table
from gsfm.errors import GsfmError, require
from gsfm.sets import GeneSets

Ids = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Genes whose partners are looked up at once: two dense rows of the background for each.
BATCH = 256


def new_relations(
    sets: GeneSets,
    *,
    after: int,
    until: int | None = None,
    max_size: int = 50,
    negatives: int = 20,
    queries: int = 2000,
    seed: int = 0,
) -> Questions:
    """Show a gene; hide the genes that first share a set with it after a year.

    The sets are publications, for example, each with the genes that it is about. Two genes are a
    new relation if they are in a set of up to `max_size` genes after the year, and in no set of any
    size up to the year. Each partner of a gene is compared with negatives: genes that share no set
    with the gene, before or after the year, and have a similar popularity. Half of the negatives
    are the next more popular genes (by the number of sets up to the year; ties at random), half the
    next less popular ones. A negative is used for one partner of a gene only. Popularity, which
    explains many co-occurrences, therefore has an AUROC of about 0.5.

    Parameters
    ----------
    sets
        Gene sets with a column ``year``, and the background as vocabulary. A set without a year
        counts as an early one: its relations are not new.
    after
        The last early year.
    until
        The last year of new relations; the last year of the sets if None. Later sets only exclude
        negatives.
    max_size
        Most genes (of the background) of a set with new relations.
    negatives
        Number of negatives of each partner; even. A partner with fewer possible negatives is
        excluded: mostly very popular genes.
    queries
        Number of genes with a question, drawn from those with a new partner.
    seed
        Seed of the drawn genes, and of ties.

    Returns
    -------
    Questions
        One for each gene, with its symbol as ``term``. Other columns are ``popularity`` (of the
        gene) and ``unmatched`` (excluded partners). `older` has the sets up to the year.
        ``skipped`` counts genes.

    Raises
    ------
    GsfmError
        If the sets have no years, none is from before or none from after, or there is no new
        relation.
    ValueError
        If a setting is out of its range.

    Notes
    -----
    A gene in no set up to the year is ignored: there is no data about it.

    Popularity as an explanation: Gillis & Pavlidis 2011, doi:10.1371/journal.pone.0017258.

    Examples
    --------
    >>> early = [["A"], ["A"], ["B"], ["C"], ["C"], ["D"], ["D"], ["D"]]
    >>> sets = GeneSets.from_lists([*early, ["A", "C"]])
    >>> years = pl.Series("year", [1990] * 8 + [2001])
    >>> sets.metadata = sets.metadata.with_columns(years)
    >>> questions = new_relations(sets, after=2000, negatives=2)
    >>> i = questions.table["term"].to_list().index("A")
    >>> questions.hidden.genes(i), questions.candidates.genes(i)
    (('C',), ('B', 'C', 'D'))
    """
    later = until is None or until > after
    require(later, f"until ({until}) must be later than after ({after})")
    unknown = pl.Series([None] * len(sets), dtype=pl.Int64)
    year = sets.metadata.get_column("year", default=unknown).cast(pl.Int64, strict=False)
    if year.null_count() == len(sets):
        raise GsfmError(
            "the sets have no years, so that none is new; give gene sets with a column 'year', "
            'such as the corpus "default" of publications'
        )
    late = (year > after).fill_null(False)
    new = late & (year <= until) if until is not None else late
    before, recent = sets[(~late).to_numpy()], sets[new.to_numpy()]
    end = "" if until is None else f" and up to {until}"
    span = f"the {len(sets)} sets are from {year.min()!r} to {year.max()!r}; give another year"
    require(len(recent), f"no set is after {after}{end}: {span}", GsfmError)
    require(len(before.indices), f"no set is from {after} or before: {span}", GsfmError)
    settings = {"after": after, "until": until, "undated": year.null_count()}
    return _questions(before, recent, sets, max_size, negatives, queries, seed, settings)


def new_interactions(
    older: GeneSets,
    newer: GeneSets,
    *,
    max_size: int = 50,
    negatives: int = 20,
    queries: int = 2000,
    seed: int = 0,
) -> Questions:
    """Show a gene; hide the genes that share a set with it only in a newer release.

    As `new_relations`, with two releases of a library in place of years: for example of complexes,
    or of interactions as sets of two.

    Parameters
    ----------
    older, newer
        Two releases with the background as vocabulary. Popularity is the number of sets of the
        older one.
    max_size, negatives, queries, seed
        As for `new_relations`.

    Returns
    -------
    Questions
        As of `new_relations`; `older` is the older release.

    Raises
    ------
    GsfmError
        If a release has no gene of the background, or there is no new relation.
    ValueError
        If a setting is out of its range, or the releases have different vocabularies.

    Examples
    --------
    >>> edges = [["A", "E"], ["C", "E"], ["C", "F"], ["B", "F"], ["D", "F"], ["D", "G"]]
    >>> older = GeneSets.from_lists(edges)
    >>> newer = GeneSets.from_lists([*edges, ["A", "C"]], vocabulary=older.vocabulary)
    >>> questions = new_interactions(older, newer, negatives=2)
    >>> i = questions.table["term"].to_list().index("A")
    >>> questions.hidden.genes(i)
    ('C',)
    """
    check_releases(older, newer)
    both = older.union(newer)
    return _questions(older, newer, both, max_size, negatives, queries, seed, {})


def _questions(
    before: GeneSets,
    later: GeneSets,
    ever: GeneSets,
    max_size: int,
    negatives: int,
    queries: int,
    seed: int,
    about: Mapping[str, Any],
) -> Questions:
    """The questions about pairs of genes that share a small set in `later` and none in `before`."""
    require(max_size >= 2, f"max_size must be 2 or more, not {max_size}")
    even = negatives >= 2 and negatives % 2 == 0
    require(even, f"negatives must be even, and 2 or more, not {negatives}")
    require(queries >= 1, f"queries must be 1 or more, not {queries}")
    background = before.vocabulary
    draws = Draws(background, seed)
    popularity = before.gene_frequencies
    # The genes with data, from the least to the most popular.
    ranking = draws.shuffle(np.flatnonzero(popularity), "ties")
    ranking = ranking[np.argsort(popularity[ranking], kind="stable")]
    small = later[np.flatnonzero((later.sizes > 1) & (later.sizes <= max_size))]
    queue = draws.shuffle(ranking[np.isin(ranking, small.indices)], "genes")

    genes: list[int] = []
    hidden: list[Ids] = []
    candidates: list[Ids] = []
    unmatched: list[int] = []
    without = Counter[str]()
    for gene, new, stranger in _relations(queue, small, before, ever):
        if len(genes) == queries:
            break
        places = draws.shuffle(np.flatnonzero(new[ranking]), "partners", background[gene])
        matched, matches = _match(places, stranger[ranking], negatives // 2)
        if len(matched):
            genes.append(gene)
            hidden.append(ranking[matched])
            candidates.append(ranking[np.concatenate([matched, matches])])
            unmatched.append(len(places) - len(matched))
        else:
            without["match for a partner" if len(places) else "new partner"] += 1
    if not genes:
        raise GsfmError(
            f"there is no new relation: of {len(ranking)} genes of the background in "
            f"the earlier sets, {len(queue)} are in later sets of 2 to {max_size} genes, of which "
            f"{without['new partner']} have no new partner, and "
            f"{without['match for a partner']} none with {negatives} matches; "
            "raise max_size, or lower negatives"
        )
    skipped = {f"no {what}": n for what, n in without.items()}
    if rest := len(queue) - len(genes) - without.total():
        skipped[f"not in the sample of {queries}"] = rest
    columns = {"popularity": popularity[genes], "unmatched": unmatched}
    return make_questions(
        "new-relations" if "after" in about else "new-interactions",
        background,
        question_table([background[gene] for gene in genes], **columns),
        [[gene] for gene in genes],
        hidden,
        candidates,
        older=before,
        skipped=skipped,
        about={
            **about,
            "max_size": max_size,
            "negatives": negatives,
            "seed": seed,
            "genes": len(genes),
            "relations": sum(map(len, hidden)),
            "relations_unmatched": sum(unmatched),
            "sets_before": len(before),
            "sets_after": len(small),
        },
    )


def _relations(
    genes: Ids, small: GeneSets, before: GeneSets, ever: GeneSets
) -> Iterator[tuple[int, Flags, Flags]]:
    """For each gene: which genes are its new partners, and which share no set with it."""
    members = [sets.to_csr() for sets in (small, before, ever)]
    of_gene = [matrix.T.tocsr() for matrix in members]
    for start in range(0, len(genes), BATCH):
        batch = genes[start : start + BATCH]
        # (genes of the batch, background) whether two genes share a set
        later, early, any_time = (
            np.asarray((sets[batch] @ genes_of).toarray() > 0)
            for sets, genes_of in zip(of_gene, members, strict=True)
        )
        yield from zip(batch.tolist(), later & ~early, ~any_time, strict=True)


def _match(partners: Ids, strangers: Flags, n: int) -> tuple[Ids, Ids]:
    """Choose for each partner the `n` free strangers next above and next below it.

    All genes are places in the order of popularity; earlier partners choose first. A partner with
    fewer strangers on one side gets none, because popularity would be unbalanced. Returns the
    partners that have their strangers, and the strangers.
    """
    free = strangers.copy()
    matched, matches = [], []
    for place in partners.tolist():
        below = np.flatnonzero(free[:place])[-n:]
        above = np.flatnonzero(free[place + 1 :])[:n] + place + 1
        if len(below) == len(above) == n:
            free[below] = free[above] = False
            matched.append(place)
            matches += [below, above]
    return np.array(matched, np.int64), np.concatenate([np.empty(0, np.int64), *matches])
