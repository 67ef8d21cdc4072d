"""The contract that every model family keeps.

A family is one file with a frozen dataclass of settings (`Config`) and a subclass of `Model` that
fills in five hooks: `_fit`, `_score`, `_embed_sets`, `_embed_genes`, and the pair `_tensors` /
`_restore` that saving and loading use. Scoring is a pure function of arrays and needs no torch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import numbers
import shutil
import tempfile
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from gsfm.completion import Completion, rank
from gsfm.completion.calibration import (
    BLOCK,
    HALF,
    Binned,
    Calibration,
    check_missing_fraction,
    meaning,
)
from gsfm.errors import GsfmError, ModelFormatError, NotCalibratedError, NotFittedError
from gsfm.genes import Vocabulary
from gsfm.io.files import usual_permissions
from gsfm.models.attribution import Attribution, Kind, shapley
from gsfm.models.evidence import left_out, rows_of, standardize
from gsfm.models.term_matrix import Cache, Ids, Mask, Numbers, Progress, Rescored, TermMatrix
from gsfm.sets import GeneSets
from gsfm.training.run import Run
from gsfm.version import __version__

FORMAT = "gsfm-model/1"

#: What a model can be asked about: a collection, lists of symbols, or lists or arrays of gene ids.
SetsLike: TypeAlias = (
    GeneSets
    | sp.csr_array
    | Sequence[Sequence[str]]
    | Sequence[Sequence[int]]
    | Sequence[NDArray[Any]]
)

Floats: TypeAlias = NDArray[np.float32]
Tensors: TypeAlias = dict[str, NDArray[Any]]

#: Every family by its name; filled as the families' files are imported.
FAMILIES: dict[str, type[Model]] = {}


class Model(ABC):
    """A model of gene sets: what it was fitted on, and what it says of a set.

    Parameters
    ----------
    config
        The settings of the family; the defaults if None.
    **settings
        Single settings, over those of `config`.

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
    #: Frozen dataclass of settings; every field has a default. Its `__post_init__` checks ranges.
    Config: ClassVar[type[Any]]
    #: Whether `fit` needs the extra ``train``. Prediction never does.
    fit_needs_torch: ClassVar[bool] = False
    #: Whether a fit that was stopped can go on from its checkpoint.
    can_resume: ClassVar[bool] = False
    #: Whether it is fitted step by step, and can be looked at, whole, between two steps.
    learns_in_steps: ClassVar[bool] = False
    #: Whether a member's score is what it would be were it not in the set: none speaks for itself.
    leaves_itself_out: ClassVar[bool] = False
    #: Whether several processes, or a GPU, can fit it.
    can_distribute: ClassVar[bool] = False
    #: Whether `_fit` may be given sets of weight 0, and leaves them out itself. The other families
    #: are given a copy of the corpus without them.
    skips_weightless: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "family" in cls.__dict__:
            FAMILIES[cls.family] = cls

    def __init__(self, config: Any = None, **settings: Any) -> None:
        if config is None:
            config = self.Config()
        elif not isinstance(config, self.Config):
            raise ValueError(f"{self.family} takes its own Config, not {type(config).__name__}")
        try:
            settings = check_settings(self.Config, settings)
        except ValueError as error:
            raise ValueError(f"{self.family}: {error}") from None
        self.config = dataclasses.replace(config, **settings)
        #: What trained the model: corpus, configuration, version, cost, metrics.
        self.manifest: dict[str, Any] = {}
        self._vocabulary: Vocabulary | None = None
        #: What turns scores into probabilities; None for a model that is not calibrated.
        self.calibration: Calibration | None = None
        #: How the fit is run; a family's `_fit` reads it.
        self.run = Run()
        #: Learning curve of the last fit, for the families that learn step by step.
        self.curve: list[dict[str, Any]] = []

    # -- the contract --------------------------------------------------------------------------

    def fit(
        self,
        sets: GeneSets,
        *,
        weights: ArrayLike | None = None,
        random_state: int = 0,
        run: Run | None = None,
    ) -> Self:
        """Learn from a collection of gene sets.

        Parameters
        ----------
        sets
            The corpus. Its vocabulary becomes the model's.
        weights
            (n_sets,) weight of each set; `sets.weights` if None.
        random_state
            Seed of everything random: the same seed, corpus and settings give the same model.
        run
            Threads, precision, progress and checkpoints, for the families that have them.

        Returns
        -------
        Model
            The model itself.

        Raises
        ------
        ValueError
            If there is nothing to learn from, or a weight is negative.
        GsfmError
            If the run asks for several processes or a GPU, and the family cannot be fitted so.
        MissingExtraError
            If the family is fitted with torch and torch is not installed.

        Notes
        -----
        A set of weight 0, or without a gene, has no influence, not even through a count of sets.
        """
        w = np.asarray(sets.weights if weights is None else weights, dtype=np.float32)
        if w.shape != (len(sets),) or not np.isfinite(w).all() or (w < 0).any():
            raise ValueError("weights needs one finite number of 0 or more for each set")
        keep = (w > 0) & (sets.sizes > 0)
        if not keep.any():
            raise ValueError("the corpus has no set with a gene in it and a weight above 0")
        run = run or Run()
        self.check_run(run)
        self._vocabulary = sets.vocabulary
        self.calibration = None
        self.run = run
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
        self.curve = []
        if self.skips_weightless:
            w = np.where(keep, w, np.float32(0))
        elif not keep.all():
            sets, w = sets[keep], w[keep]
        self._fit(sets, w, random_state)
        # A fit may settle a setting that depends on the corpus.
        self.manifest["config"] = dataclasses.asdict(self.config)
        return self

    @classmethod
    def check_run(cls, run: Run) -> None:
        """Raise GsfmError if the family cannot be fitted on what the run asks for."""
        if not run.is_plain and not cls.can_distribute:
            raise GsfmError(
                f"a model of the family {cls.family} is fitted by one process on the processor; "
                "leave out devices, nodes, strategy and accelerator"
            )

    def score(self, sets: SetsLike, *, batch_size: int = 512) -> Floats:
        """Score every gene as a missing member of each set.

        Parameters
        ----------
        sets
            n sets: a `GeneSets`, lists of approved symbols, or arrays of gene ids. Genes that the
            model does not know are left out.
        batch_size
            Sets scored at once; bounds the working memory, and changes no more than rounding.

        Returns
        -------
        ndarray
            (n, genes) float32, in the order of `vocabulary`; larger is more likely missing. The
            scores of the input genes themselves are not comparable with the others.

        Raises
        ------
        NotFittedError
            If the model is neither fitted nor loaded.
        """
        if batch_size < 1:
            raise ValueError("batch_size must be 1 or more")
        members = self.encode(sets)
        if members.shape[0] <= batch_size:
            scores = self._score(members)
            return scores if scores.flags.writeable else scores.copy()
        out = np.empty(members.shape, np.float32)
        for start in range(0, members.shape[0], batch_size):
            batch = members[start : start + batch_size]
            out[start : start + batch_size] = self._score(batch)
        return out

    def probability(
        self, sets: SetsLike, *, missing_fraction: float = HALF, batch_size: int = 512
    ) -> Floats:
        """Return the calibrated probability of every gene for each set.

        It is the chance that the gene is one of the set's missing genes, if the genes given are a
        random part of the whole set: a half, unless another share of it is `missing_fraction`. Of a
        set that is whole already, it says which genes would be in it if so many more were.

        Parameters
        ----------
        sets
            As in `score`.
        missing_fraction
            The share of the whole set that is missing from the genes given, above 0 and below 1.
            The larger it is, the larger the probabilities are together; that of a gene behind the
            best may fall a little. They are calibrated on halves: of other shares the genes given
            stand for more or fewer missing ones, as `Calibration` says.
        batch_size
            Sets scored at once.

        Returns
        -------
        ndarray
            (n, genes) float32, in the order of `vocabulary`. For the missing genes of a set it
            never falls as the score rises. The probability of an input gene is that of the score
            that it gets when it is left out of the set, alone or with up to an eighth of the set.

        Raises
        ------
        NotCalibratedError
            If the model is not calibrated.
        NotFittedError
            If the model is neither fitted nor loaded.
        ValueError
            If `missing_fraction` is out of its range.

        Examples
        --------
        >>> from gsfm.models import Linear
        >>> sets = [["A", "B", "C", "D"], ["W", "X", "Y", "Z"]] * 20
        >>> corpus = GeneSets.from_lists(sets)
        >>> model = Linear(regularization=1).fit(corpus)
        >>> shown = GeneSets.from_lists([one[:2] for one in sets], vocabulary=corpus.vocabulary)
        >>> hidden = GeneSets.from_lists([one[2:] for one in sets], vocabulary=corpus.vocabulary)
        >>> probability = model.calibrate(shown, hidden).probability([["A", "C"]])
        >>> dict(zip(corpus.vocabulary.symbols, probability[0].round(1).tolist()))["B"] > 0.8
        True
        """
        return self._ask(sets, missing_fraction, batch_size)[1]

    def score_and_probability(
        self, sets: SetsLike, *, missing_fraction: float = HALF, batch_size: int = 512
    ) -> tuple[Floats, Floats]:
        """Return what `score` and `probability` do, for less than the two together cost."""
        return self._ask(sets, missing_fraction, batch_size)

    def _ask(
        self, sets: SetsLike, missing_fraction: float, batch_size: int
    ) -> tuple[Floats, Floats]:
        check_missing_fraction(missing_fraction)
        members = self.encode(sets)
        if self.calibration is None:
            raise NotCalibratedError(
                f"this {self.family} model is not calibrated: it gives scores and no "
                "probabilities; gsfm train calibrates, as does Model.calibrate"
            )
        if batch_size < 1:
            raise ValueError("batch_size must be 1 or more")
        scores = np.empty(members.shape, np.float32)
        probabilities = np.empty(members.shape, np.float32)
        for start in range(0, members.shape[0], batch_size):
            batch = members[start : start + batch_size]
            rows = slice(start, start + batch_size)
            scores[rows], of_genes, of_members = self._score_and_evidence(batch)
            probabilities[rows] = self.calibration.probabilities(
                of_genes, of_members, batch, missing_fraction
            )
        return scores, probabilities

    def evidence(self, sets: SetsLike) -> tuple[Floats, Floats]:
        """Return scores that can be compared between sets, and between members and other genes.

        Parameters
        ----------
        sets
            As in `score`; all are scored at once.

        Returns
        -------
        of_genes
            (n, genes) float32 scores, standardized over the genes outside the set.
        of_members
            (members,) float32 leave-one-out evidence for each entry of `encode(sets)`: for the gene
            if it were not in the set, alone or with up to an eighth of the set.

        Examples
        --------
        >>> from gsfm.models import Linear
        >>> corpus = GeneSets.from_lists([["A", "B", "C"], ["X", "Y", "Z"]] * 5)
        >>> of_genes, of_members = Linear(regularization=1).fit(corpus).evidence([["A", "B"]])
        >>> of_genes.shape, of_members.shape
        ((1, 6), (2,))
        """
        return self._score_and_evidence(self.encode(sets))[1:]

    def term_matrix(
        self,
        members: sp.csr_array,
        *,
        cache: Cache | None = None,
        progress: Progress = None,
    ) -> TermMatrix:
        """Return the evidence for one gene in every term, gene after gene.

        Parameters
        ----------
        members
            (terms, genes) 0/1 membership in the model's vocabulary.
        cache
            The arrays of an earlier term matrix of the same model and terms; filled if it is empty.
        progress
            Called with the number of terms done and the number of all.

        Notes
        -----
        Of a family without a fast form every term is scored for each gene.
        """
        return self._term_matrix(members, {} if cache is None else cache, progress)

    @property
    def has_fast_term_matrix(self) -> bool:
        """Whether `term_matrix` answers a gene without scoring every term."""
        return type(self)._term_matrix is not Model._term_matrix

    def attribution(self, ids: Ids, gene: int, *, random_state: int = 0) -> Attribution:
        """Split the score of a gene for a set into what each gene of the set adds.

        Parameters
        ----------
        ids
            Gene ids of the set, ascending.
        gene
            The id of a gene outside the set.
        random_state
            Of the random orders, for families without a formula.
        """
        score = float(self.score([ids])[0, gene])
        nobody = np.zeros(len(self.vocabulary), bool)
        base, parts = self._attribution(ids, gene, nobody, random_state)
        return Attribution(score, 0.0, [Kind(self.family, 1.0, base + parts.sum(), base, parts)])

    def log_gene_frequency(self) -> Numbers | None:
        """(genes,) log of how often each gene is in the training corpus; None if not counted."""
        return None

    def calibrate(self, shown: SetsLike, hidden: SetsLike) -> Self:
        """Learn to turn scores into probabilities, from sets that the model was not fitted on.

        Parameters
        ----------
        shown, hidden
            A random half of each set, and the other half. Sets that the model knows would make it
            too sure of itself.

        Returns
        -------
        Model
            The model itself; its manifest has gained ``calibration``: what the probability means,
            the ``sets`` and ``hidden`` genes it was fitted on, and the errors there: the
            ``log_loss`` for each hidden gene, and ``error_top_100``, the expected calibration
            error over the 100 best genes of each set in ten bins of equal mass.

        Raises
        ------
        ValueError
            If there is not a hidden half for each shown one.
        GsfmError
            If there are fewer than 20 sets.
        """
        members, missing = self.encode(shown), self.encode(hidden)
        if members.shape != missing.shape:
            raise ValueError("shown and hidden must be as many sets")
        parts = []
        for start in range(0, members.shape[0], BLOCK):
            rows = slice(start, start + BLOCK)
            parts.append(Binned.of(*self.evidence(members[rows]), members[rows], missing[rows]))
        if not parts:
            raise GsfmError("there are no sets to calibrate on")
        binned = Binned.joined(parts)
        self.calibration = Calibration.fit(binned)
        self.manifest["calibration"] = {
            "meaning": meaning(),
            "sets": members.shape[0],
            "hidden": int(binned.hidden.sum()),
            **{k: round(v, 5) for k, v in self.calibration.errors(binned).items()},
        }
        return self

    def complete(self, genes: Iterable[str] | GeneSets, **options: Any) -> Completion:
        """Rank the genes that are missing from a gene set, or from each set of a library.

        Parameters
        ----------
        genes, **options
            As in `gsfm.complete`.

        Examples
        --------
        >>> from gsfm.models import Linear
        >>> corpus = GeneSets.from_lists([["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2"]] * 5)
        >>> result = Linear(regularization=1).fit(corpus).complete(["p53", "CDKN1A"], top=1)
        >>> result.table["symbol"].item()
        'MDM2'
        """
        return rank(self, genes, **options)

    def embed_sets(self, sets: SetsLike) -> Floats:
        """Return one vector a set, (n, dimensions) float32."""
        return np.asarray(self._embed_sets(self.encode(sets)), np.float32)

    def embed_genes(self) -> Floats:
        """Return one vector a gene, (genes, dimensions) float32, in the order of `vocabulary`."""
        self.vocabulary  # noqa: B018  # raises if there is no model yet
        return np.asarray(self._embed_genes(), np.float32)

    @property
    def vocabulary(self) -> Vocabulary:
        """The genes that the model knows, in the order of the scores' columns."""
        if self._vocabulary is None:
            raise NotFittedError(f"this {self.family} model is not fitted; call fit or load first")
        return self._vocabulary

    def fingerprint(self) -> str:
        """SHA-256 of settings, manifest, vocabulary and a part of what was learned.

        Two fits have different fingerprints; a model that was saved and loaded keeps its own.
        """
        digest = hashlib.sha256()
        for part in (self.config_json(), self.manifest):
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
        digest.update("\n".join(self.vocabulary.symbols).encode())
        for array in self._fingerprint_arrays():
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def rename_genes(self, vocabulary: Vocabulary) -> None:
        """Call the genes by other symbols, in the same order.

        Raises
        ------
        ValueError
            If there are not as many symbols as genes.
        """
        if len(vocabulary) != len(self.vocabulary):
            raise ValueError(f"{len(self.vocabulary)} genes need as many symbols")
        self._vocabulary = vocabulary

    @property
    def is_fitted(self) -> bool:
        """Whether the model can be asked."""
        return self._vocabulary is not None

    @property
    def n_parameters(self) -> int:
        """Numbers stored in the model."""
        return sum(tensor.size for tensor in self._tensors().values())

    def encode(self, sets: SetsLike) -> sp.csr_array:
        """(n, genes) float32 0/1 membership of `sets` in the model's vocabulary."""
        vocabulary = self.vocabulary
        if sp.issparse(sets):
            return _as_members(sets, len(vocabulary))
        if isinstance(sets, GeneSets):
            own = sets.reindex(vocabulary).to_csr()
            data, indices, indptr = own.data, own.indices, own.indptr
        else:
            rows = [np.unique(self._ids(one)) for one in sets]
            indptr = np.cumsum([0, *map(len, rows)])
            indices = np.concatenate(rows) if rows else np.empty(0, np.int32)
            data = np.ones(len(indices), np.float32)
        # 32 bits, if they are enough: a product with a model's 32-bit matrix would copy that first.
        narrow = np.int32 if len(indices) <= np.iinfo(np.int32).max else np.int64
        indptr, indices = indptr.astype(narrow), indices.astype(narrow, copy=False)
        return sp.csr_array((data, indices, indptr), shape=(len(indptr) - 1, len(vocabulary)))

    def unknown(self, sets: SetsLike) -> list[tuple[str, ...]]:
        """For each set, the symbols that the model does not know: it scores the set without them.

        Symbols are compared as they are; `gsfm.genes.resolve` finds the approved symbol first.
        """
        vocabulary = self.vocabulary
        if isinstance(sets, GeneSets):
            lists: list[Any] = [sets.genes(i) for i in range(len(sets))]
        else:
            lists = [one if _are_symbols(one) else () for one in sets]
        return [tuple(gene for gene in one if gene not in vocabulary) for one in lists]

    def _ids(self, one: Any) -> NDArray[np.int32]:
        """The known gene ids of one set of symbols or ids."""
        if isinstance(one, str):
            raise TypeError("a model takes a list of sets; wrap a single set in a list")
        if _are_symbols(one):
            ids = self.vocabulary.ids(one)
            return ids[ids >= 0]
        ids = np.asarray(one)
        if ids.dtype.kind not in "iu":
            raise TypeError(f"a set holds symbols or integer gene ids, not {ids.dtype}")
        if ids.min() < 0 or ids.max() >= len(self.vocabulary):
            raise ValueError(f"a gene id is outside 0..{len(self.vocabulary) - 1}")
        return ids.astype(np.int32)

    # -- files ---------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> None:
        """Write ``config.json``, ``vocab.txt``, ``model.safetensors`` and ``manifest.json``.

        And ``calibration.json``, if the model is calibrated. The folder appears whole or not at
        all; an earlier model there is replaced.
        """
        folder = Path(folder)
        if folder.exists() and not folder.is_dir():
            raise ModelFormatError(f"{folder} is a file; a model is saved as a folder")
        if folder.exists() and any(folder.iterdir()) and not (folder / "config.json").exists():
            raise ModelFormatError(f"{folder} is not a model folder; it is left as it is")
        lines = self._vocab_lines()
        if any("\n" in line or "\r" in line for line in lines):
            raise ValueError("a symbol with a line break in it cannot be saved")
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".tmp-model-"))
        new, old = temporary / "new", temporary / "old"
        try:
            new.mkdir()
            write_json(new / "config.json", {"format": FORMAT, **self.config_json()})
            _write(new / "vocab.txt", "".join(f"{line}\n" for line in lines))
            tensors = {k: np.ascontiguousarray(v) for k, v in self._tensors().items()}
            save_file(tensors, new / "model.safetensors")
            usual_permissions(new / "model.safetensors")
            write_json(new / "manifest.json", self.manifest)
            if self.calibration is not None:
                write_json(new / "calibration.json", self.calibration.to_json())
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    @classmethod
    def _load(cls, folder: Path, config: dict[str, Any]) -> Self:
        """Read a folder whose format and family are known; `gsfm.models.load` chooses the class."""
        try:
            model = cls.from_config(config)
        except (ValueError, RecursionError) as error:
            raise ModelFormatError(f"{folder / 'config.json'}: {error}") from error
        path = folder / "vocab.txt"
        try:
            model._vocabulary = model._read_vocab(_read(path))
        except ValueError as error:
            raise ModelFormatError(f"{path}: {error}") from error
        path = folder / "model.safetensors"
        try:
            tensors = load_file(path)
        # Not only SafetensorError: a dtype that NumPy lacks (bfloat16) is a KeyError or TypeError.
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ModelFormatError(f"{path}: not a readable safetensors file ({error})") from error
        try:
            model._restore(tensors)
            if tensors:
                raise ValueError(f"the tensor {min(tensors)!r} is not part of a {cls.family} model")
        except ValueError as error:
            raise ModelFormatError(f"{path}: {error}") from error
        # A checkpoint published by others has neither our format key nor a manifest.
        if "format" in config or (folder / "manifest.json").exists():
            model.manifest = read_json(folder / "manifest.json")
        path = folder / "calibration.json"
        if path.exists():
            try:
                model.calibration = Calibration.from_json(read_json(path))
            except ValueError as error:
                raise ModelFormatError(f"{path}: {error}") from error
        return model

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make an empty model from ``config.json``; ValueError names the field that is wrong."""
        return cls(**{k: v for k, v in config.items() if k not in ("format", "family")})

    def _read_vocab(self, text: str) -> Vocabulary:
        """Parse ``vocab.txt``; the opposite of `_vocab_lines`."""
        return Vocabulary(vocab_lines(text))

    def config_json(self) -> dict[str, Any]:
        """Family and settings, as ``config.json`` has them."""
        return {"family": self.family, **dataclasses.asdict(self.config)}

    def _vocab_lines(self) -> Sequence[str]:
        return self.vocabulary.symbols

    def _fingerprint_arrays(self) -> Iterable[NDArray[Any]]:
        """What the fingerprint has of the learned arrays; nothing where the manifest tells all."""
        return ()

    # -- hooks ---------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        """Learn; `weights` is checked, `self.vocabulary` is set."""

    @abstractmethod
    def _score(self, members: sp.csr_array) -> Floats:
        """(n, genes) 0/1 membership to (n, genes) float32 scores."""

    def _score_and_evidence(self, members: sp.csr_array) -> tuple[Floats, Floats, Floats]:
        """What `score` and `evidence` return; a family with evidence of its own has it here."""
        scores = self._score(members)
        of_genes = standardize(scores, members)
        if self.leaves_itself_out:
            return scores, of_genes, of_genes[rows_of(members), members.indices]
        rest, at = left_out(members)
        return scores, of_genes, standardize(self._score(rest), rest)[at, members.indices]

    def _embed_sets(self, members: sp.csr_array) -> Floats:
        """(n, genes) 0/1 membership to (n, dimensions): the mean of the members' vectors.

        Zeros for an empty set.
        """
        sizes = np.maximum(np.diff(members.indptr), 1).astype(np.float32)
        total = np.asarray(members @ self._embed_genes(), np.float32)
        mean: Floats = total / sizes[:, None]
        return mean

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        """The form of `term_matrix`; a family with a fast one has it here."""
        return Rescored(self, members, progress)

    def _attribution(
        self, ids: Ids, gene: int, others: Mask, random_state: int
    ) -> tuple[float, Numbers]:
        """The baseline and (n,) the parts of a gene's score less the mean score of the `others`.

        Without others it is the score itself. The gene is not in the set `ids`.
        """
        return shapley(self, ids, gene, others, random_state)

    def _standardized_attribution(
        self, ids: Ids, gene: int, random_state: int
    ) -> tuple[float, Numbers]:
        """The same for the score standardized over the genes outside the set."""
        others = np.ones(len(self.vocabulary), bool)
        others[ids] = False
        spread = self.score([ids])[0, others].astype(np.float64).std()
        if spread == 0:
            return 0.0, np.zeros(len(ids))
        base, parts = self._attribution(ids, gene, others, random_state)
        return base / spread, parts / spread

    def _evidence_attribution(
        self, ids: Ids, gene: int, random_state: int
    ) -> tuple[float, Numbers]:
        """The same for `evidence`, with the mean and the spread of the scores held."""
        return self._standardized_attribution(ids, gene, random_state)

    @abstractmethod
    def _embed_genes(self) -> Floats:
        """(genes, dimensions)."""

    @abstractmethod
    def _tensors(self) -> Tensors:
        """What ``model.safetensors`` holds."""

    @abstractmethod
    def _restore(self, tensors: Tensors) -> None:
        """Take back what `_tensors` gave, with `take`, which removes what it returns.

        `self.vocabulary` is set. ValueError if a tensor is missing or wrong; a tensor left over
        is an error too.
        """


def take(tensors: Tensors, name: str, *shape: int | None, kinds: str = "fiu") -> NDArray[Any]:
    """Remove a tensor from `tensors` and return it, after checking its shape, type and values.

    None in `shape` stands for any length. `kinds` are the NumPy kinds of numbers that will do:
    floats of any width (f), signed (i) and unsigned (u) integers. Floats must be finite.
    """
    if name not in tensors:
        raise ValueError(f"the tensor {name!r} is missing")
    tensor = tensors.pop(name)
    if len(tensor.shape) != len(shape) or any(
        want is not None and want != have for want, have in zip(shape, tensor.shape, strict=True)
    ):
        want_text = "x".join("any" if want is None else str(want) for want in shape)
        have_text = "x".join(map(str, tensor.shape))
        raise ValueError(f"the tensor {name!r} has the shape {have_text}, not {want_text}")
    if tensor.dtype.kind not in kinds:
        want_text = "floats" if kinds == "f" else "numbers" if "f" in kinds else "integers"
        raise ValueError(f"the tensor {name!r} holds {tensor.dtype}, not {want_text}")
    if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
        raise ValueError(f"the tensor {name!r} holds values that are not finite")
    return tensor


def check_settings(config: type[Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return `settings` as the fields of the dataclass `config` declare them.

    JSON knows no tuples and no difference between 1 and 1.0, so lists become tuples and integers
    become floats where a field says so; anything else that does not fit is a ValueError.
    """
    hints = typing.get_type_hints(config)
    names = [field.name for field in dataclasses.fields(config)]
    checked = {}
    for name, value in settings.items():
        if name not in names:
            raise ValueError(f"there is no setting {name!r}; there are {', '.join(names)}")
        try:
            checked[name] = as_hint(hints[name], value)
        except TypeError:
            hint = hints[name]
            want = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
            raise ValueError(f"{name} must be {want}, not {value!r}") from None
    return checked


def require(holds: bool, what: str) -> None:
    """Raise ValueError saying `what` a setting must be, unless it `holds`."""
    if not holds:
        raise ValueError(what)


def as_hint(hint: Any, value: Any) -> Any:
    """Return `value` as the type `hint`; TypeError if it is something else."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        for argument in arguments:
            try:
                return as_hint(argument, value)
            except TypeError:
                continue
    elif origin is Literal:
        # By type too: True == 1.
        if any(value == a and type(value) is type(a) for a in arguments):
            return value
    elif origin is tuple:
        if isinstance(value, list | tuple) and arguments[1:] == (...,):
            return tuple(as_hint(arguments[0], item) for item in value)
        if isinstance(value, list | tuple) and len(value) == len(arguments):
            return tuple(map(as_hint, arguments, value))
    elif isinstance(value, bool) or hint is bool:
        if isinstance(value, bool) and hint is bool:
            return value
    elif hint is float:
        if isinstance(value, numbers.Real) and math.isfinite(value):
            return float(value)
    elif hint is int:
        if isinstance(value, numbers.Integral):
            return int(value)
    elif isinstance(value, origin or hint):
        return value
    raise TypeError


def vocab_lines(text: str) -> list[str]:
    """The lines of a ``vocab.txt``: one symbol each, a line break after the last."""
    lines = text.split("\n")
    if lines[-1] == "":
        del lines[-1]
    if "" in lines:
        raise ValueError(f"line {lines.index('') + 1} is empty; each line holds one symbol")
    return lines


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; ModelFormatError says what is wrong with it."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a number of JSON")

    try:
        value = json.loads(_read(path), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"{path}: not JSON ({error})") from error
    if not isinstance(value, dict):
        raise ModelFormatError(f"{path}: not a JSON object")
    return value


def _read(path: Path) -> str:
    """Read a text file of a model folder; a missing or undecodable one is a ModelFormatError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelFormatError(f"{path}: {error.strerror}; is this a model folder?") from error
    except UnicodeDecodeError as error:
        raise ModelFormatError(f"{path}: not UTF-8 text ({error})") from error


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write one of the JSON files of a model folder."""
    _write(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _as_members(matrix: Any, genes: int) -> sp.csr_array:
    """A sparse matrix as 0/1 membership; ValueError if it is not one over `genes` genes."""
    if matrix.shape[1] != genes:
        raise ValueError(f"the matrix has {matrix.shape[1]} columns; the model has {genes} genes")
    members = sp.csr_array(matrix, dtype=np.float32)
    members.sort_indices()
    if not (members.data == 1).all():
        raise ValueError("the matrix holds something other than 0 and 1")
    return members


def _are_symbols(one: Any) -> bool:
    """Whether one set is given by symbols (an empty one is) rather than by gene ids."""
    if isinstance(one, np.ndarray):
        return one.dtype.kind not in "iu" or len(one) == 0
    return not isinstance(next(iter(one), ""), int | np.integer)
