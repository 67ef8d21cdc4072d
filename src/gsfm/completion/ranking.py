"""Completion: the genes that are missing from a gene set, ranked.

The scores are the model's. What is added here is who the inputs are, which genes are ranked, and
a standardized score that can be compared between sets and models.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.completion.calibration import HALF, check_missing_fraction, meaning
from gsfm.completion.identifiers import (
    Ids,
    Understood,
    input_told,
    nothing_known,
    some,
    understand,
    understand_sets,
)
from gsfm.completion.result import Result
from gsfm.completion.scorer import Scorer, model_told
from gsfm.errors import GsfmError, UnknownGenesError
from gsfm.genes import Species, Vocabulary
from gsfm.genes.tables import names_of
from gsfm.progress import Progress
from gsfm.version import __version__

if TYPE_CHECKING:
    from gsfm.sets import GeneSets

Numbers = NDArray[np.float64]

#: What the numbers of a completion are; a part of every provenance.
COLUMNS = {
    "rank": "place among the ranked genes; 1 is the likeliest; ties are in the order of symbols",
    "score": "the model's score; larger is likelier; no unit, not a probability",
    "z_score": "score less the mean, over the standard deviation, of the scores of all missing "
    "genes of the background",
}
IN_INPUT = (
    "whether the gene was given; its score and z_score, and its probability if there is one, are "
    "then leave-one-out, of the set without it, and the order is by z_score"
)
# Input genes whose leave-one-out scores are computed at once; bounds the working memory.
BATCH = 256


def probability_told(missing_fraction: float = HALF) -> str:
    """What the probability of a completion is, by `missing_fraction`."""
    more = f"{100 * missing_fraction / (1 - missing_fraction):.3g}% more"
    return (
        f"{meaning(missing_fraction)}. It depends on the set only, not on the background, and "
        "never falls as the score rises. For a list that is complete already, it is the "
        "probability to be in it "
        f"if {'as many again' if missing_fraction == HALF else more} were"
    )


class Completion(Result):
    """The ranked genes of `complete`, and what was understood of the input.

    Attributes
    ----------
    table
        One row a ranked gene: ``rank``, ``symbol``, ``name``, ``score``, ``z_score``,
        ``probability`` if the model is calibrated, and ``in_input`` if the input genes were ranked
        too.
    provenance
        The model, the input, the background, and what the columns mean.
    inputs
        One row an identifier: ``input``, ``symbol``, ``match``, ``candidates`` and ``rule`` as
        `gsfm.genes.resolve` has them, and ``in_model``.
    resolution
        What `gsfm.genes.resolve` returned.
    """

    def _told(self) -> dict[str, list[str]]:
        p = self.provenance
        return {
            **super()._told(),
            "of the background, not used": p["background"]["unused"],
            "to exclude, not in the model": p["exclude"]["unused"],
        }

    def _headline(self) -> str:
        p = self.provenance
        return (
            f"{len(self)} of {p['background']['genes']} genes; "
            f"{p['input']['genes']} input genes; model {p['model']['name']}"
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

    def __init__(self, *args: Any, sets: pl.DataFrame, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sets = sets

    @property
    def empty(self) -> list[str]:
        """The names of the sets without a gene that the model knows."""
        return self.sets.filter(pl.col("in_model") == 0)["set"].to_list()

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it: ``provenance``, ``inputs``, ``sets`` and ``results``."""
        whole = super().to_dict()
        results = whole.pop("results")
        return {**whole, "sets": self.sets.to_dicts(), "results": results}

    def summary(self, *, limit: int = 50) -> str:
        """As in `Completion`, and the sets that could not be completed."""
        lines = [super().summary(limit=limit)]
        if self.empty:
            names = some(self.empty, limit)
            lines.append(f"sets without a known gene ({len(self.empty):,}): {names}")
        return "\n".join(lines)

    def _headline(self) -> str:
        p = self.provenance
        done = self.sets.height - len(self.empty)
        return f"{len(self)} genes for {done} sets; model {p['model']['name']}"


def rank(
    model: Scorer,
    genes: Iterable[str],
    *,
    top: int | None = 100,
    background: Iterable[str] | None = None,
    exclude: Iterable[str] = (),
    include_input: bool = False,
    missing_fraction: float = HALF,
    species: Species | None = None,
) -> Completion:
    """Rank the genes that are missing from a gene set; see `gsfm.complete`."""
    given = understand(model.vocabulary, genes, species)
    ids = np.unique(given.ids[given.ids >= 0])
    if not len(ids):
        raise UnknownGenesError(nothing_known("the set", given))
    ranker = _Ranker(model, top, background, exclude, include_input, missing_fraction, species)
    scores, probability = ranker.ask([ids])
    chosen = ranker.rank(ids, scores[0], probability[0])
    table = ranker.table(chosen, np.arange(len(chosen.genes)) + 1)
    return Completion(
        table,
        ranker.provenance(given, n_genes=len(ids)),
        inputs=given.inputs,
        resolution=given.resolution,
    )


def rank_sets(
    model: Scorer,
    sets: GeneSets,
    *,
    top: int | None = 100,
    background: Iterable[str] | None = None,
    exclude: Iterable[str] = (),
    include_input: bool = False,
    missing_fraction: float = HALF,
    species: Species | None = None,
    batch_size: int = BATCH,
    progress: Progress | None = None,
) -> LibraryCompletion:
    """Rank the missing genes of each set of a library; see `gsfm.complete`."""
    if batch_size < 1:
        raise ValueError("batch_size must be 1 or more")
    given, known = understand_sets(model.vocabulary, sets, species)
    counts = np.array([len(ids) for ids in known], np.int64)
    if not counts.any():
        raise UnknownGenesError(nothing_known("the library", given))

    ranker = _Ranker(model, top, background, exclude, include_input, missing_fraction, species)
    rows = np.flatnonzero(counts)
    chosen = []
    for start in range(0, len(rows), batch_size):
        batch = [known[i] for i in rows[start : start + batch_size]]
        chosen += list(map(ranker.rank, batch, *ranker.ask(batch)))
        if progress is not None:
            progress("completing sets", start + len(batch), len(rows))
    sizes = [len(one.genes) for one in chosen]
    together = _Chosen(*map(np.concatenate, zip(*chosen, strict=True)))
    table = ranker.table(together, np.concatenate([np.arange(n) + 1 for n in sizes]))
    names = sets.metadata["name"].cast(pl.String).alias("set")
    table = table.insert_column(0, names[np.repeat(rows, sizes)])
    return LibraryCompletion(
        table,
        ranker.provenance(given, n_genes=len(np.unique(np.concatenate(known))), n_sets=len(sets)),
        inputs=given.inputs,
        resolution=given.resolution,
        sets=pl.DataFrame([names, pl.Series("genes", sets.sizes), pl.Series("in_model", counts)]),
    )


# -- ranking ---------------------------------------------------------------------------------------


class _Chosen(NamedTuple):
    """The genes at the top, best first."""

    genes: NDArray[np.int64]
    score: NDArray[np.float32]
    z_score: Numbers
    probability: NDArray[np.float32]  # nan if the model is not calibrated
    in_input: NDArray[np.bool_]


class _Ranker:
    """Ranks the genes of a background by a model's scores."""

    def __init__(
        self,
        model: Scorer,
        top: int | None,
        background: Iterable[str] | None,
        exclude: Iterable[str],
        include_input: bool,
        missing_fraction: float,
        species: Species | None,
    ) -> None:
        if top is not None and top < 1:
            raise ValueError(f"top must be 1 or more, not {top}")
        check_missing_fraction(missing_fraction)
        self.missing_fraction = missing_fraction
        self.model, self.top, self.include_input = model, top, include_input
        n = len(model.vocabulary)
        #: (genes,) whether a gene may be ranked.
        self.pool = np.ones(n, bool)
        self.background = None
        if background is not None:
            self.background = understand(model.vocabulary, background, species)
            self.pool[:] = False
            self.pool[self.background.ids[self.background.ids >= 0]] = True
            if not self.pool.any():
                raise UnknownGenesError(nothing_known("the background", self.background))
        self.n_background = int(self.pool.sum())
        exclude = list(exclude)
        self.exclude = understand(model.vocabulary, exclude, species) if exclude else None
        if self.exclude is not None:
            self.pool[self.exclude.ids[self.exclude.ids >= 0]] = False

    def ask(self, sets: list[Ids]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(n, genes) scores and probabilities, which are nan if the model is not calibrated."""
        return score(self.model, sets, missing_fraction=self.missing_fraction)

    def rank(
        self, ids: Ids, scores: NDArray[np.float32], probabilities: NDArray[np.float32]
    ) -> _Chosen:
        """Rank the missing genes of the set `ids` by its `scores`, (genes,)."""
        pool = self.pool.copy()
        pool[ids] = False
        genes = np.flatnonzero(pool)
        score, probability = scores[genes], probabilities[genes]
        z_score = z_scores(score, score)
        given = ids[self.pool[ids]] if self.include_input and len(ids) > 1 else ids[:0]
        key: NDArray[Any] = score
        if len(given):
            own, own_z, own_probability = self._leave_one_out(ids, given, genes)
            genes = np.concatenate([genes, given])
            score, z_score = np.concatenate([score, own]), np.concatenate([z_score, own_z])
            probability = np.concatenate([probability, own_probability])
            key = z_score
        if not np.isfinite(key).all():
            raise GsfmError("the model gave scores that are not finite numbers; is it damaged?")
        best = best_genes(key, genes, self.top, self.model.vocabulary)
        known = np.arange(len(genes)) >= len(genes) - len(given)
        return _Chosen(genes[best], score[best], z_score[best], probability[best], known[best])

    def _leave_one_out(
        self, ids: Ids, given: Ids, missing: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], Numbers, NDArray[np.float32]]:
        """Score each of the `given` genes by the set without it, against the `missing` genes."""
        score = np.empty(len(given), np.float32)
        z_score = np.empty(len(given))
        probability = np.empty(len(given), np.float32)
        for start in range(0, len(given), BATCH):
            part = given[start : start + BATCH]
            at = slice(start, start + len(part))
            without, chance = self.ask([ids[ids != gene] for gene in part])  # (part, genes)
            score[at] = without[np.arange(len(part)), part]
            probability[at] = chance[np.arange(len(part)), part]
            z_score[at] = z_scores(score[at, None], without[:, missing])[:, 0]
        return score, z_score, probability

    def table(self, chosen: _Chosen, rank: NDArray[np.int64]) -> pl.DataFrame:
        """The chosen genes as a table."""
        symbols = self.model.vocabulary.symbols
        columns = {
            "rank": rank,
            "symbol": pl.Series([symbols[g] for g in chosen.genes], dtype=pl.String),
            "score": chosen.score,
            "z_score": chosen.z_score,
        }
        if self.model.calibration is not None:
            columns["probability"] = chosen.probability
        if self.include_input:
            columns["in_input"] = chosen.in_input
        table = pl.DataFrame(columns)
        return table.insert_column(2, names_of(table["symbol"]))

    def provenance(
        self, given: Understood, *, n_genes: int, n_sets: int | None = None
    ) -> dict[str, Any]:
        """How the answer came to be; JSON-serialisable."""
        model, manifest = self.model, self.model.manifest
        background, exclude = self.background, self.exclude
        columns = dict(COLUMNS)
        calibration = {}
        if model.calibration is not None:
            columns["probability"] = probability_told(self.missing_fraction)
            on = {k: v for k, v in manifest.get("calibration", {}).items() if k != "meaning"}
            measured = (manifest.get("training") or {}).get("calibration")
            calibration = {"calibration": {"fitted": on or None, "measured": measured}}
        if self.include_input:
            columns["in_input"] = IN_INPUT
        return {
            "task": "complete",
            "gsfm_version": __version__,
            "model": model_told(model),
            "input": {
                **({} if n_sets is None else {"sets": n_sets}),
                **input_told(given.inputs, n_genes),
            },
            "background": {
                "given": None if background is None else background.inputs.height,
                "genes": self.n_background,
                "unused": [] if background is None else background.unused,
            },
            "exclude": {
                "given": 0 if exclude is None else exclude.inputs.height,
                "unused": [] if exclude is None else exclude.unused,
            },
            "top": self.top,
            "include_input": self.include_input,
            "missing_fraction": self.missing_fraction,
            **calibration,
            "columns": columns,
        }


def score(
    model: Scorer, sets: Sequence[NDArray[Any]], *, missing_fraction: float = HALF
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n, genes) scores and probabilities; the latter are nan if the model is not calibrated."""
    if model.calibration is not None:
        return model.score_and_probability(sets, missing_fraction=missing_fraction)
    scores = model.score(sets)
    return scores, np.broadcast_to(np.float32(np.nan), scores.shape)


def z_scores(values: NDArray[np.float32], against: NDArray[np.float32]) -> Numbers:
    """`values` less the mean of `against`, over its standard deviation, along the last axis."""
    mean = against.mean(axis=-1, keepdims=True, dtype=np.float64) if against.size else np.zeros(1)
    spread = against.std(axis=-1, keepdims=True, dtype=np.float64) if against.size else np.zeros(1)
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
