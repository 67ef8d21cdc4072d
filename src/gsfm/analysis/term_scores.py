"""What annotating a gene and asking for a term's genes share: libraries, and the model's answers.

Everything here is the whole model's; term matrices (`gsfm.models.term_matrix`) have the fast form.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from gsfm.analysis.terms import LibrariesLike, loaded_libraries
from gsfm.completion.ranking import score, z_scores
from gsfm.errors import GsfmError
from gsfm.io.files import atomic_path
from gsfm.models import Model
from gsfm.models.evidence import shuffled
from gsfm.models.term_matrix import Cache, TermMatrix
from gsfm.progress import Progress as Progress
from gsfm.sets import GeneSets

if TYPE_CHECKING:
    from gsfm.libraries import Term

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]

#: What is told of a library, as far as it is known.
ABOUT = ("title", "release", "date", "license", "source")
#: The share of a library's term that is taken to be missing from it. A term is all that was known,
#: not half of it. Of the genes of a process of GO in 2025, 22% were not in it in 2021 (pooled over
#: the 3,506 terms of 10 genes or more), and of those of 2021, 20% not in 2018; of 2023's, 13% were
#: not in 2021's, and of 2025's, 36% not in 2018's. Measured on Enrichr's releases
#: GO_Biological_Process_2018, _2021, _2023 and _2025, by the terms' identifiers.
MISSING = 0.2
#: Questions that the whole model answers at once; bounds the working memory.
BATCH = 32
#: Changes whenever an index kept on the disk would no longer be what is computed.
KEPT_FORMAT = "gsfm-terms/2"
#: Indices kept on the disk: the latest ones.
KEPT_FILES = 24


class Library:
    """The terms of a library that have a gene of the model, and what is known of them so far."""

    def __init__(self, model: Model, sets: GeneSets) -> None:
        self.model, self.sets = model, sets
        about = sets.manifest
        self.name = str(about.get("name", "library"))
        members = model.encode(sets)
        #: The library's row of each term here.
        self.rows = np.flatnonzero(np.diff(members.indptr))
        if not len(self.rows):
            raise GsfmError(
                f"no term of {self.name} has a gene that the model knows; are its genes approved "
                "human symbols? (gsfm sets convert maps other identifiers)"
            )
        self.members = members[self.rows]  # (terms, genes)
        self.sizes = np.diff(self.members.indptr)
        metadata = sets.metadata[self.rows]
        self.names = metadata["name"]
        self.ids = metadata["id"] if "id" in metadata.columns else self.names
        self._matrix: TermMatrix | None = None
        #: Of the terms that were asked about so far.
        self.split_half_auroc: dict[int, float] = {}

    def term_matrix(self, progress: Progress | None = None, *, cache: bool = False) -> TermMatrix:
        """The library, ready for one gene after another; `cache` it on the disk for others."""
        if self._matrix is None:
            told = None
            if progress is not None:
                told = functools.partial(
                    progress, f"reading the {len(self.rows):,} terms of {self}"
                )
            file = _kept_file(self.model, self.members) if cache else None
            arrays = {} if file is None else _read(file)
            as_read = len(arrays)
            self._matrix = self.model.term_matrix(self.members, cache=arrays, progress=told)
            if file is not None and len(arrays) > as_read:
                _write(file, arrays)
        return self._matrix

    def genes(self, term: int) -> NDArray[np.int32]:
        """The model's genes of a term."""
        m = self.members
        return np.asarray(m.indices[m.indptr[term] : m.indptr[term + 1]])

    @functools.cached_property
    def provenance(self) -> dict[str, Any]:
        """Which library it is, and how much of it the model knows."""
        about = self.sets.manifest
        used = np.flatnonzero(np.bincount(self.sets.indices))
        symbols = self.sets.vocabulary.symbols
        known = (self.model.vocabulary.ids([symbols[i] for i in used]) >= 0).sum()
        return {
            "name": self.name,
            **{name: about[name] for name in ABOUT if name in about},
            "terms": len(self.sets),
            "terms_used": len(self.rows),
            "genes": len(used),
            "genes_in_model": int(known),
        }

    def __str__(self) -> str:
        return self.name


def open_libraries(model: Model, given: LibrariesLike) -> list[Library]:
    """The libraries that are meant: all that are shipped or were added, if None."""
    loaded = loaded_libraries(given)
    # A model that is fitted anew has a new manifest.
    return [_library(model, sets, id(model.manifest)) for sets in dict.fromkeys(loaded)]


def find_term(model: Model, text: str, library: str | Path | None) -> tuple[Library, int, Term]:
    """The term that is meant by a text: its library, its row there, and what it is.

    Raises
    ------
    UnknownTermError
        If no term is meant, or more than one; the message names some that could be.
    GsfmError
        If there is no such library, or the model knows no gene of the term.
    """
    # Here and not above: an import that a completion does not need.
    from gsfm import libraries

    meant = libraries.find(text, None if library is None else str(library))
    place = open_libraries(model, meant.library)[0]
    at = np.flatnonzero(place.rows == meant.row)
    if not len(at):
        raise GsfmError(f"the model knows no gene of {meant.name!r} ({meant.id}, {place.name})")
    return place, int(at[0]), meant


@functools.lru_cache(maxsize=32)
def _library(model: Model, sets: GeneSets, fit: int) -> Library:
    return Library(model, sets)


# -- the whole model -------------------------------------------------------------------------------


class Answers(NamedTuple):
    """What the model says of genes, each asked of a set without it."""

    score: Numbers
    z_score: Numbers  # over the genes that are not in the set
    probability: Numbers  # nan if the model is not calibrated
    gene_rank: NDArray[np.int64]  # among the genes that are not in the set; 1 is the best


def ask(
    model: Model,
    sets: Sequence[NDArray[Any]],
    genes: Sequence[int],
    progress: Progress | None = None,
    *,
    missing_fraction: float,
) -> Answers:
    """Ask the model of one gene for each set; a gene that is in its set is taken out of it.

    The share `missing_fraction` of each whole set is taken to be.
    """
    n = len(sets)
    out = Answers(np.zeros(n), np.zeros(n), np.full(n, np.nan), np.zeros(n, np.int64))
    for start in range(0, n, BATCH):
        at = range(start, min(start + BATCH, n))
        rest = [sets[i][sets[i] != genes[i]] for i in at]
        scores, probabilities = score(model, rest, missing_fraction=missing_fraction)
        for i, ids, row, chance in zip(at, rest, scores, probabilities, strict=True):
            others = np.delete(row, ids)
            own = row[genes[i]]
            out.score[i], out.probability[i] = own, chance[genes[i]]
            out.z_score[i] = z_scores(own[None], others)[0]
            out.gene_rank[i] = 1 + (others > own).sum()
        if progress is not None:
            progress("asking the model", at.stop, n)
    return out


def of_genes(
    model: Model,
    ids: NDArray[Any],
    genes: NDArray[Any],
    progress: Progress | None = None,
    *,
    missing_fraction: float,
) -> dict[str, NDArray[Any]]:
    """What the model says of genes for one set, as columns; of the set's own, each for the rest.

    The share `missing_fraction` of the whole set is taken to be.
    There is no ``probability`` if the model is not calibrated.
    """
    scores, probabilities = (
        values[0] for values in score(model, [ids], missing_fraction=missing_fraction)
    )
    others = np.sort(np.delete(scores, ids))
    out = Answers(
        scores[genes].astype(np.float64),
        z_scores(scores[genes], others),
        probabilities[genes].astype(np.float64),
        1 + len(others) - np.searchsorted(others, scores[genes], side="right"),
    )
    at = np.flatnonzero(np.isin(genes, ids))
    if len(at):
        own = ask(
            model, [ids] * len(at), genes[at].tolist(), progress, missing_fraction=missing_fraction
        )
        for of_all, theirs in zip(out, own, strict=True):
            of_all[at] = theirs
    columns = out._asdict()
    if model.calibration is None:
        del columns["probability"]
    return columns


def split_half_auroc(
    asked: Iterable[tuple[Library, Iterable[int]]], progress: Progress | None = None
) -> Numbers:
    """(k,) AUROC with which one half of a term finds the other; nan for a term of one gene."""
    terms = [(library, int(term)) for library, some in asked for term in some]
    new = [(library, t) for library, t in dict.fromkeys(terms) if t not in library.split_half_auroc]
    if new:
        sets = [library.genes(term) for library, term in new]
        found = _halves(new[0][0].model, sets, progress)
        for (library, term), value in zip(new, found, strict=True):
            library.split_half_auroc[term] = value
    return np.array([library.split_half_auroc[term] for library, term in terms], np.float64)


def _halves(
    model: Model, sets: Sequence[NDArray[Any]], progress: Progress | None
) -> Iterable[float]:
    """The AUROC of each set's halves, the mean of both ways weighed by the genes to be found."""
    # A random number that each gene has: a term is halved in the same way each time.
    number = shuffled(len(model.vocabulary))
    for start in range(0, len(sets), BATCH // 2):
        batch = [ids[np.argsort(number[ids])] for ids in sets[start : start + BATCH // 2]]
        halves = [half for ids in batch for half in (ids[::2], ids[1::2])]
        scores = model.score(halves)
        for i, ids in enumerate(batch):
            others = np.sort(np.delete(scores[2 * i : 2 * i + 2], ids, axis=1), axis=1)
            first = _auroc(scores[2 * i, ids[1::2]], others[0])
            second = _auroc(scores[2 * i + 1, ids[::2]], others[1])
            yield float(np.mean([*first, *second])) if len(ids) > 1 else np.nan
        if progress is not None:
            progress("finding each term's half by the other", start + len(batch), len(sets))


def _auroc(found: Floats, others: Floats) -> Numbers:
    """(k,) the share of the others, in ascending order, that are below each; ties count half."""
    below = np.searchsorted(others, found) + np.searchsorted(others, found, side="right")
    return np.asarray(below / (2 * max(len(others), 1)))


# -- on the disk -----------------------------------------------------------------------------------


def _kept_file(model: Model, members: sp.csr_array) -> Path:
    """Where the index of these terms is kept for this model."""
    digest = hashlib.sha256(KEPT_FORMAT.encode())
    digest.update(model.fingerprint().encode())
    for array in (members.indptr, members.indices):
        digest.update(array.tobytes())
    if given := os.environ.get("GSFM_HOME"):
        base = Path(given) / "cache"
    else:
        cache = os.environ.get("XDG_CACHE_HOME", "")
        # The XDG specification has relative paths ignored.
        base = (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "gsfm"
    return base / "terms" / f"{digest.hexdigest()[:32]}.safetensors"


def _read(file: Path) -> Cache:
    try:
        cache: Cache = load_file(file)
        os.utime(file)
    except (OSError, SafetensorError):
        return {}  # not there, or damaged: it is computed and written anew
    return cache


def _write(file: Path, cache: Cache) -> None:
    """Keep an index, and forget the oldest; a disk that cannot be written to keeps nothing."""
    try:
        with atomic_path(file) as temporary:
            save_file({k: np.ascontiguousarray(v) for k, v in cache.items()}, temporary)
        files = sorted(file.parent.glob("*.safetensors"), key=lambda f: f.stat().st_mtime)
        for old in files[:-KEPT_FILES]:
            old.unlink(missing_ok=True)
    except OSError:
        pass
