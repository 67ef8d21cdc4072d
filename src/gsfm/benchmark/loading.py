"""The methods of a run: their vocabularies, their records, and how to fit or load them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gsfm.benchmark import corpora, fitting, methods
from gsfm.benchmark.config import (
    SHIPPED,
    Benchmark,
    Embedded,
    FromLibrary,
    Saved,
    Snapshot,
    Spec,
    Summed,
    Trained,
    folder_name,
)
from gsfm.benchmark.embedding import Embedding
from gsfm.benchmark.methods import FromOlder, Method, ModelMethod
from gsfm.benchmark.report.summary import WITHOUT_LEAKS
from gsfm.corpus import content_hash
from gsfm.genes import Vocabulary
from gsfm.io.files import sha256_file
from gsfm.models import Adaptive, Ensemble, Model
from gsfm.models.registry import SHIPPED as SHIPPED_FOLDER
from gsfm.sets import GeneSets
from gsfm.training import Progress


@dataclass(eq=False)
class Methods:
    """The methods of a benchmark: `corpus` is the training corpus and the hash of its content.

    Attributes
    ----------
    specs
        All methods, in the order of the report; a sum comes after its members.
    vocabularies
        The genes that each method knows; None for all.
    """

    benchmark: Benchmark
    corpus: tuple[GeneSets, str]
    folder: Path  # of the trained models
    n_threads: int | None  # for training
    progress: Callable[[str, Progress], None]  # gets the name of a model in training

    def __post_init__(self) -> None:
        self.specs: list[Spec] = list(self.benchmark.methods)
        self.vocabularies: dict[str, Vocabulary | None] = {}
        self._reduced = self.corpus  # without the sets that leak a term
        #: SHA-256 of the files of each method, and additions to its record.
        self._hashes: dict[str, dict[str, str]] = {}
        self._read: dict[str, dict[str, Any]] = {}
        for spec in self.specs:
            self.vocabularies[spec.name] = self._vocabulary(spec)

    def _vocabulary(self, spec: Spec) -> Vocabulary | None:
        """The genes that a method knows."""
        match spec:
            case Trained() | Snapshot():
                return self.corpus[0].vocabulary
            case Summed():
                members = [self.vocabularies[name] for name in spec.sum]
                if known := [member for member in members if member is not None]:
                    return Vocabulary(dict.fromkeys(gene for member in known for gene in member))
            case Saved():
                folder = self._saved_folder(spec)
                self._hashes[spec.name] = {
                    name: sha256_file((folder or SHIPPED_FOLDER) / name)
                    for name in ("config.json", "vocab.txt", "model.safetensors")
                }
                saved = ModelMethod.load(spec.name, folder)
                self._read[spec.name] = {"kind": saved.kind}
                return saved.vocabulary
            case Embedded():
                path = self.benchmark.path(spec.embedding)
                self._hashes[spec.name] = {path.name: sha256_file(path)}
                embedding = Embedding.read(path, spec.name)
                assert embedding.report is not None
                self._read[spec.name] = {"read": embedding.report.to_dict()}
                return embedding.vocabulary
        return None

    @property
    def data(self) -> dict[str, str]:
        """SHA-256 of the files of the methods, by ``<method>/<file>``."""
        hashes = self._hashes.items()
        return {f"{name}/{file}": own for name, files in hashes for file, own in files.items()}

    def leave_out(self, rows: NDArray[np.int64]) -> None:
        """Fit the methods of ``leakage.retrain`` again, on the corpus without some sets.

        Each comes after its original. A sum of such methods is summed again, too.
        """
        leakage = self.benchmark.leakage
        if leakage is None or not leakage.retrain or not len(rows):
            return
        reduced = corpora.without(self.corpus[0], rows)
        self._reduced = reduced, content_hash(reduced)
        again: set[str] = set()
        # These do not depend on the corpus.
        independent = {spec.name for spec in self.specs if isinstance(spec, FromLibrary)}
        specs: list[Spec] = []
        for spec in self.specs:
            specs.append(spec)
            name = spec.name + WITHOUT_LEAKS
            members = set(spec.sum) if isinstance(spec, Summed) else set()
            if isinstance(spec, Trained) and spec.name in leakage.retrain:
                specs.append(msgspec.structs.replace(spec, name=name))
            elif isinstance(spec, Summed) and members & again and members <= again | independent:
                new = {old: old + WITHOUT_LEAKS if old in again else old for old in members}
                specs.append(spec.renamed(name, new))
            else:
                continue
            again.add(spec.name)
            self.vocabularies[name] = self.vocabularies[spec.name]
        self.specs = specs

    def record(self, spec: Spec) -> dict[str, Any]:
        """The record of a method before it scores; JSON-serializable."""
        kind = spec.kind
        if isinstance(spec, Trained) and _is_again(spec):
            kind += " without the sets that leak a term"
        return {"method": spec.name, "kind": kind, **self._read.get(spec.name, {})}

    def identity(self, spec: Spec) -> dict[str, Any]:
        """All that a method's scores depend on, except the questions; JSON-serializable."""
        about: dict[str, Any] = {"method": spec.to_dict(), "seed": self.benchmark.seed}
        match spec:
            case Trained():
                sets, about["corpus"] = self._training(spec)
                about["weights"] = hash_of_array(sets.weights)
            case Summed():
                about["members"] = [self.identity(self._by_name(name)) for name in spec.sum]
            case Snapshot():
                about["trained"] = self.identity(self._by_name(spec.snapshot_of))
            case _:
                about["files"] = self._hashes.get(spec.name)
        return about

    def get(self, spec: Spec) -> Method:
        """Load a method; a method that is trained on the run's corpus is fitted first.

        Raises
        ------
        GsfmError
            If a file cannot be read, or a fit fails.
        KeyboardInterrupt
            On Ctrl-C, after a model in training was saved.
        """
        kind = self.record(spec)["kind"]
        match spec:
            case Trained():
                return ModelMethod.load(spec.name, self._trained(spec), kind)
            case Saved():
                return ModelMethod.load(spec.name, self._saved_folder(spec), kind)
            case Snapshot():
                trained = self._by_name(spec.snapshot_of)
                assert isinstance(trained, Trained)
                self._trained(trained)
                return ModelMethod.load(spec.name, self._snapshots(trained)[spec.at], kind)
            case Summed():
                got = (self.get(self._by_name(name)) for name in spec.sum)
                members = [m for m in got if isinstance(m, ModelMethod | FromOlder)]
                fitted = [m.model for m in members if isinstance(m, ModelMethod)]
                join = functools.partial(_join, spec)
                if len(fitted) < len(members):
                    return methods.LibrarySum(spec.name, members, join, kind)
                cost = methods.together([member.cost for member in members])
                return ModelMethod(spec.name, join(fitted), kind, cost)
            case FromLibrary():
                seed = self.benchmark.seed
                return methods.LibraryModel(spec.name, spec.library, dict(spec.settings), seed=seed)
            case Embedded():
                return Embedding.read(self.benchmark.path(spec.embedding), spec.name)
        raise AssertionError(spec)

    def _by_name(self, name: str) -> Spec:
        return next(spec for spec in self.specs if spec.name == name)

    def _training(self, spec: Trained) -> tuple[GeneSets, str]:
        """The training corpus of a method, and the hash of its content."""
        return self._reduced if _is_again(spec) else self.corpus

    def _trained(self, spec: Trained) -> Path:
        """Fit a model unless it is fitted already; return its folder."""
        sets, its_hash = self._training(spec)
        folder = self.folder / folder_name(spec.name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        fitting.trained(
            fitting.unfitted(spec.train, dict(spec.settings)),
            corpora.weighted(sets, spec.weights) if spec.weights else sets,
            its_hash,
            folder,
            seed=self.benchmark.seed,
            held_out=self.benchmark.corpus.held_out,
            n_threads=self.n_threads,
            max_seconds=spec.max_seconds,
            snapshots=self._snapshots(spec),
            progress=lambda now: self.progress(spec.name, now),
        )
        return folder

    def _snapshots(self, spec: Trained) -> dict[int | str, Path]:
        """The folders of the snapshots of a trained method in this benchmark."""
        return {
            other.at: self.folder / f"{folder_name(spec.name)}.{other.at}"
            for other in self.specs
            if isinstance(other, Snapshot) and other.snapshot_of == spec.name
        }

    def _saved_folder(self, spec: Saved) -> Path | None:
        return None if spec.model == SHIPPED else self.benchmark.path(spec.model)


def check(specs: Sequence[Spec]) -> None:
    """Raise MissingExtraError if a family is fitted with torch and torch is not installed."""
    for spec in specs:
        if isinstance(spec, Trained | FromLibrary):
            fitting.unfitted(getattr(spec, spec.key), dict(spec.settings))


def hash_of_array(values: NDArray[Any]) -> str:
    """SHA-256 of the bytes of an array."""
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()


def _join(spec: Summed, models: Sequence[Model]) -> Model:
    """The weighted sum of models."""
    weights = list(spec.sum.values())
    prior_precision = spec.precisions()
    if prior_precision is None:
        return Ensemble.of(models, weights)
    return Adaptive.of(models, weights, prior_precision=prior_precision)


def _is_again(spec: Spec) -> bool:
    """Whether a method is fitted again; only these have such names."""
    return spec.name.endswith(WITHOUT_LEAKS)
