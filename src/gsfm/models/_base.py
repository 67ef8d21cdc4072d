"""The contract that every model family keeps.

A family is one file with a frozen dataclass of settings (`Config`) and a subclass of `Model` that
fills in five hooks: `_fit`, `_score`, `_embed_sets`, `_embed_genes`, and the pair `_tensors` /
`_restore` that saving and loading use. Scoring is a pure function of arrays and needs no torch.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from gsfm._errors import ModelFormatError, NotFittedError
from gsfm._version import __version__
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

FORMAT = "gsfm-model/1"

#: What a model can be asked about: a collection, lists of symbols, or arrays of gene ids.
SetsLike: TypeAlias = GeneSets | Sequence[Sequence[str]] | Sequence[NDArray[np.integer[Any]]]

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
    #: Frozen dataclass of settings; every field has a default.
    Config: ClassVar[type[Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "family" in cls.__dict__:
            FAMILIES[cls.family] = cls

    def __init__(self, config: Any = None, **settings: Any) -> None:
        known = {field.name for field in dataclasses.fields(self.Config)}
        unknown = sorted(set(settings) - known)
        if unknown:
            raise ValueError(
                f"{self.family} has no setting {unknown[0]!r}; it has {', '.join(sorted(known))}"
            )
        self.config = dataclasses.replace(config or self.Config(), **settings)
        #: What trained the model: corpus, configuration, version, cost, metrics.
        self.manifest: dict[str, Any] = {}
        self._vocabulary: Vocabulary | None = None

    # -- the contract --------------------------------------------------------------------------

    def fit(self, sets: GeneSets, *, weights: ArrayLike | None = None, seed: int = 0) -> Self:
        """Learn from a collection of gene sets.

        Parameters
        ----------
        sets
            The corpus. Its vocabulary becomes the model's.
        weights
            (n_sets,) weight of each set; `sets.weights` if None.
        seed
            Seed of everything random.

        Returns
        -------
        Model
            The model itself.

        Raises
        ------
        ValueError
            If there is nothing to learn from, or a weight is negative.
        """
        if len(sets) == 0 or len(sets.indices) == 0:
            raise ValueError("the corpus has no set with a gene in it")
        w = np.asarray(sets.weights if weights is None else weights, dtype=np.float32)
        if w.shape != (len(sets),) or not np.isfinite(w).all() or (w < 0).any():
            raise ValueError("weights needs one finite number of 0 or more for each set")
        self._vocabulary = sets.vocabulary
        self._fit(sets, w, seed)
        self.manifest = {
            "gsfm_version": __version__,
            "family": self.family,
            "config": dataclasses.asdict(self.config),
            "seed": seed,
            "corpus": {
                "sets": len(sets),
                "members": len(sets.indices),
                "genes": sets.n_genes,
                **{k: v for k, v in sets.manifest.items() if k in ("hash", "name")},
            },
        }
        return self

    def score(self, sets: SetsLike, *, batch_size: int = 512) -> Floats:
        """Score every gene as a missing member of each set.

        Parameters
        ----------
        sets
            n sets: a `GeneSets`, lists of approved symbols, or arrays of gene ids. Genes that the
            model does not know are left out.
        batch_size
            Sets scored at once; bounds the working memory, never changes the answer.

        Returns
        -------
        ndarray
            (n, genes) float32, in the order of `vocabulary`; larger is more likely missing. The
            scores of the input genes themselves are not comparable with the others.
        """
        members = self.encode(sets)
        out = np.empty(members.shape, np.float32)
        for start in range(0, members.shape[0], batch_size):
            batch = members[start : start + batch_size]
            out[start : start + batch_size] = self._score(batch)
        return out

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

    @property
    def n_parameters(self) -> int:
        """Numbers stored in the model."""
        return sum(tensor.size for tensor in self._tensors().values())

    def encode(self, sets: SetsLike) -> sp.csr_array:
        """(n, genes) float32 0/1 membership of `sets` in the model's vocabulary."""
        vocabulary = self.vocabulary
        if not isinstance(sets, GeneSets):
            rows = []
            for one in sets:
                if isinstance(one, str):
                    raise TypeError("score takes a list of sets; wrap a single set in a list")
                if isinstance(one, np.ndarray) and one.dtype.kind in "iu":
                    ids = one
                    if len(ids) and (ids.min() < 0 or ids.max() >= len(vocabulary)):
                        raise ValueError(f"a gene id is outside 0..{len(vocabulary) - 1}")
                else:
                    ids = vocabulary.ids(one)
                    ids = ids[ids >= 0]
                rows.append(ids)
            sets = GeneSets.from_ids(vocabulary, rows)
        return sets.reindex(vocabulary).to_csr()

    # -- files ---------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> None:
        """Write ``config.json``, ``vocab.txt``, ``model.safetensors`` and ``manifest.json``.

        The folder appears whole or not at all; an earlier model there is replaced.
        """
        folder = Path(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".tmp-model-"))
        try:
            temporary.chmod(0o755)
            config = {"format": FORMAT, "family": self.family, **self._config_json()}
            (temporary / "config.json").write_text(json.dumps(config, indent=2) + "\n")
            (temporary / "vocab.txt").write_text("\n".join(self._vocab_lines()) + "\n")
            tensors = {k: np.ascontiguousarray(v) for k, v in self._tensors().items()}
            save_file(tensors, temporary / "model.safetensors")
            manifest = json.dumps(self.manifest, indent=2) + "\n"
            (temporary / "manifest.json").write_text(manifest)
            if folder.exists():
                if not (folder / "config.json").exists() and any(folder.iterdir()):
                    raise ModelFormatError(f"{folder} is not a model folder; it is left as it is")
                shutil.rmtree(folder)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    @classmethod
    def _load(cls, folder: Path, config: dict[str, Any]) -> Self:
        """Read a checked folder; `gsfm.models.load` chooses the class."""
        model = cls._from_config(folder, config)
        model._vocabulary = cls._read_vocab(folder)
        path = folder / "model.safetensors"
        try:
            tensors = load_file(path)
        except (OSError, SafetensorError) as error:
            raise ModelFormatError(f"{path}: not a readable safetensors file ({error})") from error
        try:
            model._restore(tensors)
        except (KeyError, ValueError) as error:
            raise ModelFormatError(f"{path}: {error.args[0]}") from error
        manifest = folder / "manifest.json"
        if manifest.exists():
            model.manifest = read_json(manifest)
        return model

    @classmethod
    def _from_config(cls, folder: Path, config: dict[str, Any]) -> Self:
        settings = {k: v for k, v in config.items() if k not in ("format", "family")}
        try:
            return cls(**settings)
        except (TypeError, ValueError) as error:
            raise ModelFormatError(f"{folder / 'config.json'}: {error}") from error

    @classmethod
    def _read_vocab(cls, folder: Path) -> Vocabulary:
        path = folder / "vocab.txt"
        try:
            return Vocabulary(path.read_text(encoding="utf-8").splitlines())
        except (OSError, ValueError) as error:
            raise ModelFormatError(f"{path}: {error}") from error

    def _config_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self.config)

    def _vocab_lines(self) -> Sequence[str]:
        return self.vocabulary.symbols

    # -- hooks ---------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, sets: GeneSets, weights: Floats, seed: int) -> None:
        """Learn; `weights` is checked, `self.vocabulary` is set."""

    @abstractmethod
    def _score(self, members: sp.csr_array) -> Floats:
        """(n, genes) 0/1 membership to (n, genes) float32 scores."""

    @abstractmethod
    def _embed_sets(self, members: sp.csr_array) -> Floats:
        """(n, genes) 0/1 membership to (n, dimensions)."""

    @abstractmethod
    def _embed_genes(self) -> Floats:
        """(genes, dimensions)."""

    @abstractmethod
    def _tensors(self) -> Tensors:
        """What ``model.safetensors`` holds."""

    @abstractmethod
    def _restore(self, tensors: Tensors) -> None:
        """Take back what `_tensors` gave; ValueError if a tensor is missing or misshapen."""


def take(tensors: Mapping[str, NDArray[Any]], name: str, *shape: int | None) -> NDArray[Any]:
    """Return a tensor after checking its shape; None in `shape` stands for any length."""
    if name not in tensors:
        raise ValueError(f"the tensor {name!r} is missing")
    tensor = tensors[name]
    if len(tensor.shape) != len(shape) or any(
        want is not None and want != have for want, have in zip(shape, tensor.shape, strict=True)
    ):
        want_text = "x".join("any" if want is None else str(want) for want in shape)
        have_text = "x".join(map(str, tensor.shape))
        raise ValueError(f"the tensor {name!r} has the shape {have_text}, not {want_text}")
    if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
        raise ValueError(f"the tensor {name!r} holds values that are not finite")
    return tensor


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; ModelFormatError says what is wrong with it."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelFormatError(f"{path}: {error.strerror}; is this a model folder?") from error
    except ValueError as error:
        raise ModelFormatError(f"{path}: not JSON ({error})") from error
    if not isinstance(value, dict):
        raise ModelFormatError(f"{path}: not a JSON object")
    return value
