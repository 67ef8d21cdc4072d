"""Relations between genes that came to light after a date: who will be seen with whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.benchmark.protocols import check_releases
from gsfm.benchmark.questions import Draws, Questions, question_table
from gsfm.errors import GsfmError
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

    The sets are publications, say, each the genes that it is about. Two genes are a new relation
    if a set of up to `max_size` genes after the year has both, and no set of any size up to the
    year has. Each partner of a gene is set against genes that share no set with it at all, early
    or late, and that are as popular as the partner: half of them are the next more popular genes
    (by the number of sets up to the year; ties at random), half the next less popular ones. No
    gene stands against two partners of one gene. So the popularity of genes, which otherwise
    explains much of who is seen with whom, scores about 0.5 here.

    Parameters
    ----------
    sets
        Gene sets with a column ``year``, over the background as their vocabulary. A set without a
        year counts as one from before: what is in it is not new.
    after
        The last year that counts as before.
    until
        The last year in which relations are new; the last there is if None. Later sets only tell
        which genes never meet.
    max_size
        Most genes (of the background) of a set that relates any two of them.
    negatives
        Genes to set against each partner; even. A partner for which there are not so many is left
        out: mostly very popular genes, which nearly all genes meet.
    queries
        How many genes to ask about, drawn from those with a new partner.
    seed
        Seed of the genes that are asked about, and of ties.

    Returns
    -------
    Questions
        One for each gene, its symbol the ``term``. Further columns are ``popularity`` (of the
        gene) and ``unmatched`` (partners that were left out). `older` is the sets up to the year.
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
    A gene in no set up to the year takes no part: nothing could be known of it.

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
    if until is not None and until <= after:
        raise ValueError(f"until ({until}) must be later than after ({after})")
    year = pl.Series([None] * len(sets), dtype=pl.Int64)
    if "year" in sets.metadata.columns:
        year = sets.metadata["year"].cast(pl.Int64, strict=False)
    if year.null_count() == len(sets):
        raise GsfmError(
            "the sets have no years, so that none is new; give gene sets with a column 'year', "
            'such as the corpus "default" of publications'
        )
    late = (year > after).fill_null(False)
    new = late & (year <= until) if until is not None else late
    before, later = sets[(~late).to_numpy()], sets[new.to_numpy()]
    span = f"the {len(sets)} sets are from {year.min()!r} to {year.max()!r}"
    if len(later) == 0:
        raise GsfmError(f"no set is after {after}{_until(until)}: {span}; give another year")
    if len(before.indices) == 0:
        raise GsfmError(f"no set is from {after} or before: {span}; give another year")
    settings = {"after": after, "until": until, "undated": year.null_count()}
    return _ask("new-relations", before, later, sets, max_size, negatives, queries, seed, settings)


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

    As `new_relations`, with two releases of a library in place of years: of complexes, say, or of
    interactions, each a set of two.

    Parameters
    ----------
    older, newer
        Two releases over one background, their vocabulary. Popularity is the number of sets of
        the older one.
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
        If a setting is out of its range, or the releases count by different vocabularies.

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
    return _ask("new-interactions", older, newer, both, max_size, negatives, queries, seed, {})


def _ask(
    protocol: str,
    before: GeneSets,
    later: GeneSets,
    ever: GeneSets,
    max_size: int,
    negatives: int,
    queries: int,
    seed: int,
    about: Mapping[str, Any],
) -> Questions:
    """Ask about the pairs of genes that share a small set in `later` and none in `before`."""
    if max_size < 2:
        raise ValueError(f"max_size must be 2 or more, not {max_size}")
    if negatives < 2 or negatives % 2:
        raise ValueError(f"negatives must be even, and 2 or more, not {negatives}")
    if queries < 1:
        raise ValueError(f"queries must be 1 or more, not {queries}")
    background = before.vocabulary
    draws = Draws(background, seed)
    popularity = np.bincount(before.indices, minlength=len(background))
    # The genes of which something is known, from the least to the most popular.
    ranking = draws.shuffle(np.flatnonzero(popularity), "ties")
    ranking = ranking[np.argsort(popularity[ranking], kind="stable")]
    small = later[np.flatnonzero((later.sizes > 1) & (later.sizes <= max_size))]
    queue = ranking[np.isin(ranking, small.indices)]
    queue = draws.shuffle(queue, "genes")

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
            f"there is no new relation to ask about: of {len(ranking)} genes of the background in "
            f"the earlier sets, {len(queue)} are in later sets of 2 to {max_size} genes, of which "
            f"{without['new partner']} have no new partner, and "
            f"{without['match for a partner']} none with {negatives} matches; "
            "raise max_size, or lower negatives"
        )
    skipped = {f"no {what}": n for what, n in without.items()}
    if rest := len(queue) - len(genes) - without.total():
        skipped[f"not in the sample of {queries}"] = rest
    symbols = [background[gene] for gene in genes]
    popular = popularity[genes]
    rows = np.arange(len(genes))
    table = question_table(symbols, rows, popularity=popular, unmatched=unmatched)
    return Questions(
        protocol,
        background,
        GeneSets.from_ids(background, [[gene] for gene in genes], names=symbols),
        GeneSets.from_ids(background, hidden, names=symbols),
        table,
        candidates=GeneSets.from_ids(background, candidates, names=symbols),
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
    """For each gene: which genes are its new partners, and which it never meets."""
    later, early, any_time = (_Meetings(sets) for sets in (small, before, ever))
    for start in range(0, len(genes), BATCH):
        batch = genes[start : start + BATCH]
        new = later.of(batch) & ~early.of(batch)
        yield from zip(batch.tolist(), new, ~any_time.of(batch), strict=True)


class _Meetings:
    """Which genes share a set."""

    def __init__(self, sets: GeneSets) -> None:
        self._members = sets.to_csr()
        self._of_gene = self._members.T.tocsr()

    def of(self, genes: Ids) -> Flags:
        """(n, background) whether a gene shares a set with each of `genes`, as itself does."""
        return np.asarray((self._of_gene[genes] @ self._members).toarray() > 0)


def _match(partners: Ids, strangers: Flags, n: int) -> tuple[Ids, Ids]:
    """Give each partner the `n` strangers next above and next below it that are still free.

    Parameters
    ----------
    partners
        Places in the order of popularity; the first choose first.
    strangers
        (genes,) by place: who may be chosen.
    n
        Of either side. A partner with fewer on one side gets none, lest popularity favor it.

    Returns
    -------
    (ids, ids)
        The partners that have their strangers, and the strangers.
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
    if not matched:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.array(matched, np.int64), np.concatenate(matches)


def _until(year: int | None) -> str:
    return "" if year is None else f" and up to {year}"
