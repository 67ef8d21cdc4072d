"""The contract of all model families.

A family is a frozen dataclass of settings (`Config`) and a subclass of `Model` that defines the
abstract hooks. The other hooks have a general form here, which a family may replace by a faster
one. Scoring is a pure function of arrays and needs no torch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from gsfm.completion import Calibration, Completion, calibration, rank
from gsfm.errors import GsfmError, NotCalibratedError, NotFittedError, needs_extra, require
from gsfm.genes import Vocabulary
from gsfm.models import storage
from gsfm.models.attribution import Attribution, Kind, shapley
from gsfm.models.evidence import left_out, rows_of, standardize
from gsfm.models.membership import as_corpus, encode, row_blocks, symbols_of
from gsfm.models.settings import check_settings
from gsfm.models.term_matrix import Rescored, TermMatrix
from gsfm.models.types import Cache, Floats, Ids, Mask, Numbers, Parts, Progress, SetsLike, Tensors
from gsfm.models.typical import Typical
from gsfm.sets import GeneSets
from gsfm.training.run import Run
from gsfm.version import __version__

#: Every family by its name; filled when the modules of the families are imported.
FAMILIES: dict[str, type[Model]] = {}


def family_named(name: object) -> type[Model]:
    """Return the family of a name; ValueError if there is none."""
    known = isinstance(name, str) and name in FAMILIES
    require(known, f"family is {name!r}; there are {', '.join(sorted(FAMILIES))}")
    return FAMILIES[str(name)]


class Model(ABC):
    """A model of gene sets, with the interface of an estimator of scikit-learn.

    Parameters
    ----------
    config
        The settings of the family; the defaults if None.
    **settings
        Single settings, which replace those of `config`.

    Raises
    ------
    ValueError
        If a setting is unknown or out of its range.
    """

    #: Name of the family, as in ``config.json`` and ``gsfm train --model``.
    family: ClassVar[str]
    #: One line: what the family is.
    description: ClassVar[str]
    #: Citation with DOI.
    paper: ClassVar[str]
    #: Frozen dataclass of settings; every field has a default and a range.
    Config: ClassVar[type[Any]]
    #: Whether `fit` needs the extra ``train``. Prediction never does.
    fit_needs_torch: ClassVar[bool] = False
    #: Whether a fit that was stopped can be resumed from its checkpoint.
    can_resume: ClassVar[bool] = False
    #: Whether it is fitted step by step, so that `Run.watch` can be called between two steps.
    learns_in_steps: ClassVar[bool] = False
    #: Whether the score of a member is its leave-one-out score already.
    leaves_itself_out: ClassVar[bool] = False
    #: Whether several processes, or a GPU, can fit it.
    can_distribute: ClassVar[bool] = False
    #: Whether `_fit` excludes sets of weight 0 itself. Other families get a copy of the corpus
    #: without them.
    skips_weightless: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "family" in cls.__dict__:
            FAMILIES[cls.family] = cls

    def __init__(self, config: Any = None, **settings: Any) -> None:
        config = self.Config() if config is None else config
        own = isinstance(config, self.Config)
        require(own, f"{self.family} takes its own Config, not {type(config).__name__}")
        self.config = self._replaced(config, settings)
        #: What trained the model: corpus, configuration, version, cost, metrics.
        self.manifest: dict[str, Any] = {}
        self._vocabulary: Vocabulary | None = None
        #: Turns scores into probabilities; None for a model that is not calibrated.
        self.calibration: Calibration | None = None
        #: The evidence for typical gene sets; None if it is not computed yet.
        self.typical: Typical | None = None
        #: How the model is fitted; used by `_fit`.
        self.run = Run()
        #: Learning curve of the last fit, for families that are fitted step by step.
        self.curve: list[dict[str, Any]] = []
        #: Arrays that were computed from the learned ones.
        self._cache: Cache = {}

    # -- settings ------------------------------------------------------------------------------

    @classmethod
    def _replaced(cls, config: Any, settings: dict[str, Any]) -> Any:
        try:
            settings = check_settings(cls.Config, settings)
        except ValueError as error:
            raise ValueError(f"{cls.family}: {error}") from None
        return dataclasses.replace(config, **settings)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings by name; `deep` is there for scikit-learn only.

        Examples
        --------
        >>> from gsfm.models import Popularity
        >>> Popularity().get_params()
        {'pseudocount': 1.0}
        """
        return dict(vars(self.config))

    def set_params(self, **params: Any) -> Self:
        """Change settings, and return the model.

        A fitted model keeps what it has learned, but not its calibration. ValueError if a setting
        is unknown or out of its range; then nothing is changed.

        Examples
        --------
        >>> from gsfm.models import Linear
        >>> Linear().set_params(regularization=20, prune=64)
        Linear(regularization=20.0, prune=64)
        """
        config = self._replaced(self.config, params)
        if config != self.config:
            self.config, self.calibration, self.typical = config, None, None
            for name in ("calibration", "typical"):
                self.manifest.pop(name, None)
            self._cache = {}
        return self

    def __repr__(self) -> str:
        changed = ", ".join(f"{name}={value!r}" for name, value in self._changed().items())
        return f"{type(self).__name__}({changed})"

    def _changed(self) -> dict[str, Any]:
        """The settings that differ from the defaults."""
        default = self.Config()
        return {k: v for k, v in vars(self.config).items() if v != getattr(default, k)}

    # -- the contract --------------------------------------------------------------------------

    def fit(
        self,
        sets: SetsLike,
        *,
        vocabulary: Vocabulary | Iterable[str] | None = None,
        weights: ArrayLike | None = None,
        random_state: int = 0,
        run: Run | None = None,
    ) -> Self:
        """Learn from a collection of gene sets, and return the model.

        A set of weight 0, or without a gene, has no influence, not even through a count of sets.

        Parameters
        ----------
        sets
            The corpus: a `GeneSets`, lists of approved symbols, lists or arrays of gene ids, or a
            sparse matrix with a row for each set and a column for each gene.
        vocabulary
            The symbols of the genes, in the order of their ids. Gene ids and a matrix need it. A
            `GeneSets` has its own. For lists of symbols it is the sorted symbols if None.
        weights
            (n_sets,) weight of each set; `GeneSets.weights`, or 1 for other types, if None.
        random_state
            Seed of everything random: the same seed, corpus and settings give the same model.
        run
            Threads, precision, progress and checkpoints, for the families that have them.

        Raises
        ------
        ValueError
            If there is nothing to learn from, a weight is negative, or `vocabulary` is missing or
            not allowed.
        GsfmError
            If the run needs several processes or a GPU, and the family cannot be fitted so.
        MissingExtraError
            If the family is fitted with torch and torch is not installed.

        Examples
        --------
        >>> import scipy.sparse
        >>> from gsfm.models import Popularity
        >>> members = scipy.sparse.csr_array([[1, 1, 0], [0, 1, 0]])
        >>> model = Popularity().fit(members, vocabulary=["MDM2", "TP53", "EGFR"])
        >>> model.score([["TP53"]]).round(1)
        array([[-0.4,  0. , -1.1]], dtype=float32)
        """
        require(
            isinstance(random_state, int | np.integer) and random_state >= 0,
            f"random_state must be an integer of 0 or more, not {random_state!r}",
        )
        random_state = int(random_state)
        sets = as_corpus(sets, vocabulary)
        w = np.asarray(sets.weights if weights is None else weights, dtype=np.float32)
        right = w.shape == (len(sets),) and np.isfinite(w).all() and (w >= 0).all()
        require(right, "weights needs one finite number of 0 or more for each set")
        keep = (w > 0) & (sets.sizes > 0)
        require(keep.any(), "the corpus has no set with a gene in it and a weight above 0")
        self.run = run or Run()
        self.check_run(self.run)
        self._vocabulary = sets.vocabulary
        self.calibration = self.typical = None
        self.manifest = {
            "gsfm_version": __version__,
            "family": self.family,
            "config": dataclasses.asdict(self.config),
            "seed": random_state,
            "corpus": {
                "sets": int(keep.sum()),
                "members": int(sets.sizes[keep].sum()),
                "genes": sets.n_genes,
                **{k: v for k, v in sets.manifest.items() if k in ("hash", "name")},
            },
        }
        self.curve, self._cache = [], {}
        if self.skips_weightless:
            w = np.where(keep, w, np.float32(0))
        elif not keep.all():
            sets, w = sets[keep], w[keep]
        self._fit(sets, w, random_state)
        # A fit may determine a setting that depends on the corpus.
        self.manifest["config"] = dataclasses.asdict(self.config)
        return self

    @classmethod
    def check_run(cls, run: Run) -> None:
        """Raise GsfmError if the family cannot be fitted with the devices of the run."""
        message = f"a model of the family {cls.family} is fitted by one process on the processor; "
        message += "leave out devices, nodes, strategy and accelerator"
        require(run.is_plain or cls.can_distribute, message, GsfmError)

    def score(self, sets: SetsLike, *, batch_size: int = 512) -> Floats:
        """Score every gene as a missing member of each set.

        Parameters
        ----------
        sets
            n sets: a `GeneSets`, lists of approved symbols, lists or arrays of gene ids, or a
            sparse matrix. Symbols that are not in the model's vocabulary are left out.
        batch_size
            Sets scored at once; bounds the working memory, and changes no more than rounding.

        Returns
        -------
        ndarray
            (n, genes) float32, in the order of `vocabulary`; larger is more likely missing. The
            scores of the input genes themselves are not comparable with the others.
        """
        require(batch_size >= 1, "batch_size must be 1 or more")
        members = self.encode(sets)
        if members.shape[0] <= batch_size:
            scores = self._score(members)
            return scores if scores.flags.writeable else scores.copy()
        out = np.empty(members.shape, np.float32)
        for rows, block in row_blocks(members, batch_size):
            out[rows] = self._score(block)
        return out

    def probability(
        self, sets: SetsLike, *, missing_fraction: float = calibration.HALF, batch_size: int = 512
    ) -> Floats:
        """Return the calibrated probability of every gene for each set.

        It is the probability that the gene is one of the missing genes of the set, if the input
        genes are a random part of the whole set: a half, unless `missing_fraction` says otherwise.

        Parameters
        ----------
        sets, batch_size
            As in `score`.
        missing_fraction
            The fraction of the whole set that is missing from the input genes, above 0 and below 1.
            Models are calibrated on halves: for other fractions the input genes stand for more or
            fewer missing ones, as `Calibration` says.

        Returns
        -------
        ndarray
            (n, genes) float32, in the order of `vocabulary`. For the missing genes of a set it
            never falls as the score rises. The probability of an input gene is that of its
            leave-one-out score, for which up to an eighth of the set is left out together.

        Raises
        ------
        NotCalibratedError
            If the model is not calibrated.
        ValueError
            If `missing_fraction` is out of its range.

        Examples
        --------
        >>> from gsfm.models import Linear
        >>> sets = [["A", "B", "C", "D"], ["W", "X", "Y", "Z"]] * 20
        >>> model = Linear(regularization=1).fit(sets)
        >>> shown, hidden = [one[:2] for one in sets], [one[2:] for one in sets]
        >>> probability = model.calibrate(shown, hidden).probability([["A", "C"]])
        >>> dict(zip(model.vocabulary, probability[0].round(1).tolist()))["B"] > 0.8
        True
        """
        return self.score_and_probability(
            sets, missing_fraction=missing_fraction, batch_size=batch_size
        )[1]

    def score_and_probability(
        self, sets: SetsLike, *, missing_fraction: float = calibration.HALF, batch_size: int = 512
    ) -> tuple[Floats, Floats]:
        """Return the results of `score` and `probability`, for less than the two cost."""
        calibration.check_missing_fraction(missing_fraction)
        require(batch_size >= 1, "batch_size must be 1 or more")
        members = self.encode(sets)
        if self.calibration is None:
            message = f"this {self.family} model is not calibrated, and has no probabilities"
            raise NotCalibratedError(f"{message}; gsfm train calibrates, as does Model.calibrate")
        scores, probabilities = np.empty((2, *members.shape), np.float32)
        for rows, block in row_blocks(members, batch_size):
            scores[rows], of_genes, of_members = self._score_and_evidence(block)
            probabilities[rows] = self.calibration.probabilities(
                of_genes, of_members, block, missing_fraction
            )
        return scores, probabilities

    def evidence(self, sets: SetsLike) -> tuple[Floats, Floats]:
        """Return scores that can be compared between sets, and between members and other genes.

        All sets are scored at once.

        Returns
        -------
        of_genes
            (n, genes) float32 scores, standardized over the genes outside the set.
        of_members
            (members,) float32 leave-one-out evidence for each entry of `encode(sets)`, for which
            up to an eighth of the set is left out together.

        Examples
        --------
        >>> from gsfm.models import Linear
        >>> model = Linear(regularization=1).fit([["A", "B", "C"], ["X", "Y", "Z"]] * 5)
        >>> of_genes, of_members = model.evidence([["A", "B"]])
        >>> of_genes.shape, of_members.shape
        ((1, 6), (2,))
        """
        return self._score_and_evidence(self.encode(sets))[1:]

    def term_matrix(
        self, members: sp.csr_array, *, cache: Cache | None = None, progress: Progress = None
    ) -> TermMatrix:
        """Return an object that gives the evidence for one gene in every term.

        Parameters
        ----------
        members
            (terms, genes) 0/1 membership in the model's vocabulary.
        cache
            The arrays of an earlier term matrix of the same model and terms; filled if it is empty.
        progress
            Called with the number of terms done and the number of all.
        """
        return self._term_matrix(members, {} if cache is None else cache, progress)

    @property
    def has_fast_term_matrix(self) -> bool:
        """Whether `term_matrix` gives the evidence for a gene without scoring every term."""
        return type(self)._term_matrix is not Model._term_matrix

    def attribution(self, ids: Ids, gene: int, *, random_state: int = 0) -> Attribution:
        """Split the score of a gene for a set into the contributions of the genes of the set.

        Parameters
        ----------
        ids
            Gene ids of the set, ascending.
        gene
            The id of a gene outside the set.
        random_state
            Seed of the random orders, for families without a formula.
        """
        score = float(self.score([ids])[0, gene])
        none = np.zeros(len(self.vocabulary), bool)
        base, parts = self._attribution(ids, gene, none, random_state)
        return Attribution(score, 0.0, [Kind(self.family, 1.0, base + parts.sum(), base, parts)])

    def log_gene_frequency(self) -> Numbers | None:
        """(genes,) log frequency of each gene in the training corpus; None if not counted."""
        return None

    def calibrate(self, shown: SetsLike, hidden: SetsLike) -> Self:
        """Learn to turn scores into probabilities, from sets that the model was not fitted on.

        Parameters
        ----------
        shown, hidden
            A random half of each set, and the other half. Sets of the training corpus would make
            the probabilities too high.

        Returns
        -------
        Model
            The model itself. Its manifest has gained ``calibration``: the meaning of the
            probability, the number of ``sets`` and ``hidden`` genes, the ``log_loss`` for each
            hidden gene, and ``error_top_100``, the expected calibration error over the 100 best
            genes of each set in ten bins of equal mass.

        Raises
        ------
        ValueError
            If there is not a hidden half for each shown one.
        GsfmError
            If there are fewer than 20 sets.
        """
        members, missing = self.encode(shown), self.encode(hidden)
        require(members.shape == missing.shape, "shown and hidden must be as many sets")
        blocks = row_blocks(members, calibration.BLOCK)
        bins = calibration.Binned.of
        parts = [bins(*self.evidence(block), block, missing[rows]) for rows, block in blocks]
        require(parts, "there are no sets to calibrate on", GsfmError)
        binned = calibration.Binned.joined(parts)
        self.calibration = Calibration.fit(binned)
        self.manifest["calibration"] = {
            "meaning": calibration.meaning(),
            "sets": members.shape[0],
            "hidden": int(binned.hidden.sum()),
            **{k: round(v, 5) for k, v in self.calibration.errors(binned).items()},
        }
        return self

    def complete(self, genes: Iterable[str] | GeneSets, **options: Any) -> Completion:
        """Rank the genes that are missing from a gene set or library, as `gsfm.complete` does.

        Examples
        --------
        >>> from gsfm.models import Linear
        >>> model = Linear(regularization=1)
        >>> model = model.fit([["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2"]] * 5)
        >>> model.complete(["p53", "CDKN1A"], top=1).table["symbol"].item()
        'MDM2'
        """
        return rank(self, genes, **options)

    def embed_sets(self, sets: SetsLike) -> Floats:
        """Return one vector for each set, (n, dimensions) float32."""
        return np.asarray(self._embed_sets(self.encode(sets)), np.float32)

    def embed_genes(self) -> Floats:
        """Return one vector for each gene, (genes, dimensions) float32, as `vocabulary` orders."""
        self.vocabulary  # noqa: B018  # raises if there is no model yet
        return np.asarray(self._embed_genes(), np.float32)

    @property
    def vocabulary(self) -> Vocabulary:
        """The genes that the model knows, in the order of the scores' columns."""
        if self._vocabulary is None:
            raise NotFittedError(f"this {self.family} model is not fitted; call fit or load first")
        return self._vocabulary

    def fingerprint(self) -> str:
        """SHA-256 of settings, manifest, vocabulary and all that was learned.

        Models of different scores have different fingerprints; a model that was saved and loaded
        keeps its own.
        """
        digest = hashlib.sha256()
        for part in (self.config_json(), self.manifest):
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
        digest.update("\n".join(self.vocabulary.symbols).encode())
        for array in self._fingerprint_arrays():
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def rename_genes(self, vocabulary: Vocabulary) -> None:
        """Replace the symbols of the genes by as many others, in the same order."""
        n = len(self.vocabulary)
        require(len(vocabulary) == n, f"{n} genes need as many symbols")
        self._vocabulary = vocabulary

    @property
    def is_fitted(self) -> bool:
        """Whether the model is fitted or loaded, and can score."""
        return self._vocabulary is not None

    @property
    def n_parameters(self) -> int:
        """Numbers stored in the model."""
        return sum(tensor.size for tensor in self._tensors().values())

    def encode(self, sets: SetsLike) -> sp.csr_array:
        """(n, genes) float32 0/1 membership of `sets` in the model's vocabulary."""
        return encode(sets, self.vocabulary)

    def unknown(self, sets: SetsLike) -> list[tuple[str, ...]]:
        """For each set, the symbols that are not in the vocabulary: it is scored without them."""
        vocabulary = self.vocabulary
        return [tuple(gene for gene in one if gene not in vocabulary) for one in symbols_of(sets)]

    # -- files ---------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> None:
        """Write the folder of the model, whole or not at all; an earlier model is replaced."""
        storage.save(self, Path(folder))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make an empty model from ``config.json``; ValueError names the field that is wrong."""
        settings = {k: v for k, v in config.items() if k not in ("format", "family")}
        return cls(cls._replaced(cls.Config(), settings))

    def config_json(self) -> dict[str, Any]:
        """Family and settings, as ``config.json`` has them."""
        return {"family": self.family, **dataclasses.asdict(self.config)}

    def _read_vocab(self, text: str) -> Vocabulary:
        """Parse ``vocab.txt``; the inverse of `_vocab_lines`."""
        return Vocabulary(storage.vocab_lines(text))

    def _vocab_lines(self) -> Sequence[str]:
        return self.vocabulary.symbols

    def _fingerprint_arrays(self) -> Iterable[NDArray[Any]]:
        """All that was learned; families whose tensors take long to make have a faster form."""
        return self._tensors().values()

    def _cached(self, name: str, compute: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """An array that is computed once for each fit."""
        if name not in self._cache:
            self._cache[name] = compute()
        return self._cache[name]

    # -- hooks ---------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        """Learn; `weights` is checked, `self.vocabulary` is set."""

    @abstractmethod
    def _score(self, members: sp.csr_array) -> Floats:
        """(n, genes) 0/1 membership to (n, genes) float32 scores."""

    def _score_and_evidence(self, members: sp.csr_array) -> tuple[Floats, Floats, Floats]:
        """The results of `score` and `evidence`."""
        scores = self._score(members)
        of_genes = standardize(scores, members)
        if self.leaves_itself_out:
            return scores, of_genes, of_genes[rows_of(members), members.indices]
        rest, at = left_out(members)
        return scores, of_genes, standardize(self._score(rest), rest)[at, members.indices]

    def _embed_sets(self, members: sp.csr_array) -> Floats:
        """(n, dimensions): the mean of the members' vectors; zeros for an empty set."""
        sizes = np.maximum(np.diff(members.indptr), 1).astype(np.float32)
        total = np.asarray(members @ self._embed_genes(), np.float32)
        return np.asarray(total / sizes[:, None])

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        """The result of `term_matrix`."""
        return Rescored(self, members, progress)

    def _attribution(self, ids: Ids, gene: int, others: Mask, random_state: int) -> Parts:
        """The baseline and (n,) the parts of the score of a gene that is not in the set `ids`.

        The score is taken relative to the mean score of the `others`, if there are any.
        """
        return shapley(self, ids, gene, others, random_state)

    def _standardized_attribution(self, ids: Ids, gene: int, random_state: int) -> Parts:
        """The same for the score standardized over the genes outside the set."""
        others = np.ones(len(self.vocabulary), bool)
        others[ids] = False
        spread = self.score([ids])[0, others].astype(np.float64).std()
        if spread == 0:
            return 0.0, np.zeros(len(ids))
        base, parts = self._attribution(ids, gene, others, random_state)
        return base / spread, parts / spread

    def _evidence_attribution(self, ids: Ids, gene: int, random_state: int) -> Parts:
        """The same for `evidence`; the mean and the spread of the scores are held constant."""
        return self._standardized_attribution(ids, gene, random_state)

    @abstractmethod
    def _embed_genes(self) -> Floats:
        """(genes, dimensions)."""

    @abstractmethod
    def _tensors(self) -> Tensors:
        """The arrays for ``model.safetensors``."""

    @abstractmethod
    def _restore(self, tensors: Tensors) -> None:
        """Set the model from `_tensors`, with `take`, which removes what it returns.

        `self.vocabulary` is set. ValueError if a tensor is missing or wrong; a tensor that is left
        over is an error too.
        """


class StepwiseModel(Model):
    """A model that a `gsfm.training.loop.Learner` fits."""

    fit_needs_torch = True
    can_resume = True
    learns_in_steps = True
    #: Module and name of the learner. It needs torch, which scoring does not.
    learner: ClassVar[tuple[str, str]]

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        with needs_extra(f"fitting a model of the family {self.family}", "train"):
            import torch  # noqa: F401
        from gsfm.training.loop import fit

        module, name = self.learner
        learner = getattr(importlib.import_module(module), name)
        self.curve = fit(learner(self, sets, weights, random_state))
