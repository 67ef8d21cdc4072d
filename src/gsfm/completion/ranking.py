"""Completion: the genes that are missing from a gene set, ranked.

The model gives the scores. This module maps the identifiers, chooses the genes that are ranked, and
adds a standardized score that can be compared between sets and models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.completion.batches import batches
from gsfm.completion.calibration import HALF, check_missing_fraction, meaning, require_finite
from gsfm.completion.identifiers import Ids, MappedIdentifiers, map_identifiers, map_sets
from gsfm.completion.inputs import GenesLike
from gsfm.completion.result import Result, gene_columns
from gsfm.completion.scorer import Floats, Scorer, provenance, score
from gsfm.errors import check_least, count, require
from gsfm.genes import Species, Vocabulary
from gsfm.progress import Progress
from gsfm.sets import GeneSets

Numbers = NDArray[np.float64]
#: The columns of the ranked genes, best first; ``gene`` is their id.
Ranked: TypeAlias = dict[str, NDArray[Any]]

#: Descriptions of the columns of a completion; a part of every provenance.
COLUMNS = {
    "rank": "rank among the ranked genes; 1 is the best; ties are in the order of symbols",
    "score": "the model's score; a larger score is more likely; no unit, not a probability",
    "z_score": "score minus the mean, divided by the standard deviation, of the scores of the "
    "genes of the background that are not in the set",
}
IN_INPUT = (
    "whether the gene is an input gene; its score, z_score and probability are then leave-one-out, "
    "from the set without the gene, and the order is by z_score"
)
#: Input genes whose leave-one-out scores are computed at once; bounds the working memory.
BATCH = 256


def describe_probability(missing_fraction: float = HALF) -> str:
    """The description of the column ``probability``, by `missing_fraction`."""
    more = f"{100 * missing_fraction / (1 - missing_fraction):.3g}% more"
    return (
        f"{meaning(missing_fraction)}. It depends on the set only, not on the background, and "
        "never falls as the score rises. For a list that is complete already, it is the "
        "probability to be in it "
        f"if {'as many again' if missing_fraction == HALF else more} were"
    )


class Completion(Result):
    """The ranked genes of `complete`.

    Attributes
    ----------
    table
        One row a ranked gene: ``rank``, ``symbol``, ``name``, ``score``, ``z_score``,
        ``probability`` if the model is calibrated, and ``in_input`` if the input genes were ranked
        too.
    provenance, inputs, resolution
        As in `Result`, with the background and the descriptions of the columns.
    """

    def _listed(self) -> dict[str, list[str]]:
        p = self.provenance
        return {
            **super()._listed(),
            "of the background, not used": p["background"]["unused"],
            "to exclude, not in the model": p["exclude"]["unused"],
        }

    def _headline(self) -> str:
        p = self.provenance
        return (
            f"{len(self)} of {p['background']['genes']} genes; "
            f"{count(p['input']['genes'], 'input gene')}; model {p['model']['name']}"
        )


class LibraryCompletion(Completion):
    """The ranked genes of `complete`, for many sets.

    Attributes
    ----------
    table
        As in `Completion`, after a first column ``set``.
    sets
        One row a set: ``set``, ``genes`` (its identifiers), ``in_model`` (genes that the model
        knows). A set with none of them has no row in `table`.
    """

    sets: pl.DataFrame

    @property
    def empty(self) -> list[str]:
        """The names of the sets without a gene that the model knows."""
        return self.sets.filter(pl.col("in_model") == 0)["set"].to_list()

    def _listed(self) -> dict[str, list[str]]:
        return {**super()._listed(), "sets without a known gene": self.empty}

    def _headline(self) -> str:
        done = self.sets.height - len(self.empty)
        size = f"{count(len(self), 'gene')} for {count(done, 'set')}"
        return f"{size}; model {self.provenance['model']['name']}"


def rank(
    model: Scorer,
    genes: GenesLike,
    *,
    batch_size: int = BATCH,
    progress: Progress | None = None,
    **options: Any,
) -> Completion:
    """Rank the genes that are missing from a gene set or each set of a library: `gsfm.complete`."""
    ranker = _Ranker(model, **options)
    if isinstance(genes, Mapping):
        genes = GeneSets.from_lists(genes)
    if isinstance(genes, GeneSets):
        return ranker.rank_sets(genes, batch_size, progress)
    return ranker.rank(genes)


@dataclass
class _Ranker:
    """Ranks the genes of a background by the scores of a model."""

    model: Scorer
    _: KW_ONLY
    top: int | None = 100
    background: GenesLike | None = None
    exclude: GenesLike = ()
    include_input: bool = False
    missing_fraction: float = HALF
    species: Species | None = None

    def __post_init__(self) -> None:
        check_least(1, top=self.top)
        check_missing_fraction(self.missing_fraction)
        vocabulary = self.model.vocabulary
        #: (genes,) whether a gene may be ranked.
        self.pool = np.ones(len(vocabulary), bool)
        #: The background and the genes to exclude, mapped to the genes of the model.
        self.mapped_background = None
        if self.background is not None:
            what = "the background"
            mapped = map_identifiers(vocabulary, self.background, self.species, what)
            self.mapped_background = mapped
            mapped.require(what)
            self.pool = mapped.mask(len(vocabulary))
        self.n_background = int(self.pool.sum())
        self.excluded = map_identifiers(vocabulary, self.exclude, self.species, "exclude")
        self.pool[self.excluded.genes] = False

    def rank(self, genes: GenesLike) -> Completion:
        mapped = map_identifiers(self.model.vocabulary, genes, self.species)
        ids = mapped.require("the set")
        scores, probabilities = self._score([ids])
        ranked = self._ranked(ids, scores[0], probabilities[0])
        return Completion(self._table(ranked, True), self._provenance(mapped), mapped)

    def rank_sets(
        self, sets: GeneSets, batch_size: int, progress: Progress | None
    ) -> LibraryCompletion:
        require(batch_size >= 1, "batch_size must be 1 or more")
        mapped, members = map_sets(self.model.vocabulary, sets, self.species)
        counts = np.array([len(ids) for ids in members], np.int64)
        rows = np.flatnonzero(counts)
        ranked: list[Ranked] = []
        for part in batches(len(rows), batch_size, "completing sets", progress):
            batch = [members[i] for i in rows[part]]
            ranked += map(self._ranked, batch, *self._score(batch))
        sizes = [len(one["gene"]) for one in ranked]
        joined = {name: np.concatenate([one[name] for one in ranked]) for name in ranked[0]}
        table = self._table(joined, np.concatenate([np.arange(n) + 1 for n in sizes]))
        names = sets.metadata["name"].cast(pl.String).alias("set")
        table = table.insert_column(0, names[np.repeat(rows, sizes)])
        about = self._provenance(mapped)
        about["input"] = {"sets": len(sets), **about["input"], **sets.files}
        own = pl.DataFrame([names, pl.Series("genes", sets.sizes), pl.Series("in_model", counts)])
        return LibraryCompletion(table, about, mapped, sets=own)

    def _score(self, sets: list[Ids]) -> tuple[Floats, Floats]:
        return score(self.model, sets, missing_fraction=self.missing_fraction)

    def _ranked(self, ids: Ids, scores: Floats, probabilities: Floats) -> Ranked:
        """Rank the missing genes of the set `ids` by its `scores`, (genes,)."""
        pool = self.pool.copy()
        pool[ids] = False
        genes = np.flatnonzero(pool)
        score = scores[genes]
        columns: list[tuple[NDArray[Any], ...]] = [
            (genes, score, z_scores(score, score), probabilities[genes])
        ]
        own = ids[self.pool[ids]] if self.include_input and len(ids) > 1 else ids[:0]
        if len(own):
            columns.append((own, *self._leave_one_out(ids, own, genes)))
        genes, score, z_score, probability = map(np.concatenate, zip(*columns, strict=True))
        key: NDArray[Any] = z_score if len(own) else score
        require_finite(key)
        found: Ranked = {"gene": genes, "score": score, "z_score": z_score}
        if self.model.calibration is not None:
            found["probability"] = probability
        if self.include_input:
            found["in_input"] = np.arange(len(genes)) >= len(genes) - len(own)
        best = best_genes(key, genes, self.top, self.model.vocabulary)
        return {name: column[best] for name, column in found.items()}

    def _leave_one_out(
        self, ids: Ids, own: Ids, missing: NDArray[np.int64]
    ) -> tuple[Floats, Numbers, Floats]:
        """Score, z-score among the `missing` genes and probability of each of the set's `own`."""
        columns = []
        for at in batches(len(own), BATCH):
            part, row = own[at], np.arange(len(own[at]))
            scores, probabilities = self._score([ids[ids != gene] for gene in part])
            score = scores[row, part]
            z_score = z_scores(score[:, None], scores[:, missing])[:, 0]
            columns.append((score, z_score, probabilities[row, part]))
        score, z_score, probability = map(np.concatenate, zip(*columns, strict=True))
        return score, z_score, probability

    def _table(self, ranked: Ranked, rank: NDArray[np.int64] | bool) -> pl.DataFrame:
        genes = gene_columns(self.model.vocabulary, ranked.pop("gene"), rank=rank)
        return pl.DataFrame({**genes, **ranked})

    def _provenance(self, mapped: MappedIdentifiers) -> dict[str, Any]:
        manifest, background = self.model.manifest, self.mapped_background
        columns, calibration = dict(COLUMNS), {}
        if self.model.calibration is not None:
            columns["probability"] = describe_probability(self.missing_fraction)
            on = {k: v for k, v in manifest.get("calibration", {}).items() if k != "meaning"}
            measured = (manifest.get("training") or {}).get("calibration")
            calibration = {"calibration": {"fitted": on or None, "measured": measured}}
        if self.include_input:
            columns["in_input"] = IN_INPUT
        return provenance(
            "complete",
            self.model,
            mapped,
            background={
                "identifiers": None if background is None else background.inputs.height,
                "genes": self.n_background,
                "unused": [] if background is None else background.unused,
                **({} if background is None else background.files),
            },
            exclude={
                "identifiers": self.excluded.inputs.height,
                "unused": self.excluded.unused,
                **self.excluded.files,
            },
            top=self.top,
            include_input=self.include_input,
            missing_fraction=self.missing_fraction,
            **calibration,
            columns=columns,
        )


def z_scores(values: NDArray[np.float32], against: NDArray[np.float32]) -> Numbers:
    """`values` less the mean of `against`, over its standard deviation, along the last axis."""
    if not against.size:
        return np.zeros(values.shape)
    mean = against.mean(axis=-1, keepdims=True, dtype=np.float64)
    spread = against.std(axis=-1, keepdims=True, dtype=np.float64)
    # Scores that are all the same have a spread of rounding errors only.
    same = spread <= np.finfo(np.float32).eps * np.abs(mean)
    z: Numbers = np.where(same, 0.0, (values - mean) / np.where(same, 1.0, spread))
    return z


def best_genes(
    key: NDArray[Any], genes: NDArray[np.int64], top: int | None, vocabulary: Vocabulary
) -> NDArray[np.int64]:
    """Positions of the `top` largest keys, largest first, ties in the order of the symbols."""
    chosen = np.arange(len(key))
    if top is not None and top < len(key):
        # Everything above the last place and everything tied with it: a sort of few, not of all.
        chosen = np.flatnonzero(key >= np.partition(key, len(key) - top)[len(key) - top])
    order = np.lexsort((vocabulary.alphabetical_rank[genes[chosen]], -key[chosen]))
    return chosen[order[:top]]
