"""Fitting the methods of a run, each in a process of its own.

The peak memory of a process is the largest that it ever had. Only a process that does nothing else
can tell what a fit needs; and its memory is free again when it ends. The process speaks JSON: it
reads one job from stdin and writes progress, a line each, to stdout.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from gsfm.benchmark.config import WATCHES
from gsfm.errors import GsfmError, MissingExtraError
from gsfm.io.files import atomic_path
from gsfm.models import FAMILIES, Model
from gsfm.models.storage import read_json
from gsfm.sets import GeneSets
from gsfm.training import Progress, Run

#: Between two lines of progress.
PAUSE = 0.2
# Ctrl-C while Python starts and imports ends the process without a word.
_CODE = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "from gsfm.benchmark.fitting import serve; serve()"
)


def unfitted(family: str, settings: dict[str, Any]) -> Model:
    """Return a model that is to be fitted.

    Raises
    ------
    GsfmError
        If there is no such family, or a setting is wrong.
    MissingExtraError
        If the family is fitted with torch and torch is not installed.

    Examples
    --------
    >>> unfitted("linear", {"regularization": 20}).config.regularization
    20.0
    """
    if family not in FAMILIES:
        raise GsfmError(f"there is no family {family!r}; there are {', '.join(sorted(FAMILIES))}")
    try:
        model = FAMILIES[family](**settings)
    except ValueError as error:
        raise GsfmError(str(error)) from None
    if needs_torch(model):
        try:
            import torch  # noqa: F401
        except ImportError:
            raise MissingExtraError(f"fitting a model of the family {family!r}", "train") from None
    return model


def needs_torch(model: Model) -> bool:
    """Whether fitting the model needs torch; of an ensemble, whether that of a member does."""
    members = getattr(model, "members", None)
    return model.fit_needs_torch if members is None else any(map(needs_torch, members))


def trained(
    model: Model,
    corpus: GeneSets,
    corpus_hash: str,
    folder: Path,
    *,
    seed: int = 0,
    held_out: int = 0,
    n_threads: int | None = None,
    max_seconds: float | None = None,
    snapshots: Mapping[int | str, Path] | None = None,
    progress: Callable[[Progress], None] = lambda now: None,
) -> None:
    """See to it that `folder` holds this model fitted on this corpus.

    A finished model is used again; a stopped one goes on from its checkpoint, or is begun again if
    its family has none.

    Parameters
    ----------
    model
        The family and its settings.
    corpus, corpus_hash
        What it is fitted on, with its column ``weight``, and the hash of its content.
    folder
        Where the model is, or shall be. What it is made of is in a file beside, ``<folder>.json``.
    snapshots
        As in `gsfm.models.train`; the model is then looked at `WATCHES` times.
    seed, held_out, n_threads, max_seconds, progress
        As in `gsfm.models.train` and `Run`.

    Raises
    ------
    GsfmError
        If the folder holds another model, or the fit fails.
    KeyboardInterrupt
        On Ctrl-C, after the model so far and its checkpoint were saved.
    """
    identity = {
        "family": model.family,
        "settings": dataclasses.asdict(model.config),
        "seed": seed,
        "held_out": held_out,
        "max_seconds": max_seconds,
        "snapshots": sorted(map(str, snapshots or ())),
        "corpus": corpus_hash,
        "weights": _checksum(corpus.weights),
    }
    identity = json.loads(json.dumps(identity))
    about = folder.with_name(f"{folder.name}.json")
    checkpoint = folder.with_name(f"{folder.name}.checkpoint")
    if about.exists():
        before = read_json(about)
        differs = [key for key in identity if before.get(key) != identity[key]]
        if differs:
            raise GsfmError(
                f"{folder}: this model was made otherwise (another {differs[0]}); remove it and "
                f"{about.name}, or choose another folder for the results"
            )
        if _is_finished(folder):
            return
    elif folder.exists():
        raise GsfmError(
            f"{folder}: without {about.name} it is not known how this model was made; remove it, "
            "or choose another folder for the results"
        )
    else:
        with atomic_path(about) as temporary:
            temporary.write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
    with _saved(corpus, folder) as path:
        job = {
            "family": model.family,
            "config": model.config_json(),
            "corpus": str(path),
            "folder": str(folder),
            "seed": seed,
            "held_out": held_out,
            "threads": n_threads,
            "max_seconds": max_seconds,
            "checkpoint": str(checkpoint) if model.can_resume else None,
            "snapshots": [[at, str(place)] for at, place in (snapshots or {}).items()],
        }
        _run(job, progress)


def _is_finished(folder: Path) -> bool:
    path = folder / "manifest.json"
    return path.exists() and bool(read_json(path).get("training", {}).get("finished"))


def _checksum(weights: Any) -> int:
    import zlib

    return zlib.crc32(np.ascontiguousarray(weights).data)


@contextlib.contextmanager
def _saved(corpus: GeneSets, folder: Path) -> Iterator[Path]:
    """The corpus in a file for as long as it is needed."""
    path = folder.with_name(f".{folder.name}.gsets")
    corpus.save(path)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _run(job: dict[str, Any], progress: Callable[[Progress], None]) -> None:
    """Do a job in a process of its own."""
    environment = dict(os.environ)
    if job["threads"] is not None:
        # The libraries for matrices read these when they are loaded.
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment |= dict.fromkeys(names, str(job["threads"]))
    last: dict[str, Any] = {}
    with subprocess.Popen(
        [sys.executable, "-c", _CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment,
        # A group of its own: Ctrl-C in a terminal comes from here, once.
        start_new_session=True,
    ) as process:
        try:
            last = _converse(process, job, progress)
        except KeyboardInterrupt:
            _stop(process)
            raise
        except BaseException:
            process.kill()
            raise
    if "stopped" in last:
        raise KeyboardInterrupt(last["stopped"])
    if "error" in last:
        raise GsfmError(f"{Path(job['folder']).name}: {last['error']}")
    if process.returncode or "done" not in last:
        ended = f"exit code {process.returncode}"
        if process.returncode == -signal.SIGINT:
            raise KeyboardInterrupt
        if process.returncode < 0:
            ended = f"signal {-process.returncode}; was there enough memory?"
        raise GsfmError(f"{Path(job['folder']).name}: the fit ended without a model ({ended})")


def _converse(
    process: subprocess.Popen[str], job: dict[str, Any], progress: Callable[[Progress], None]
) -> dict[str, Any]:
    """Hand over the job, and follow what is said until the end; return the last word."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(job))
        process.stdin.close()
    last: dict[str, Any] = {}
    for line in process.stdout:
        last = json.loads(line)
        if "step" in last:
            progress(Progress(**last))
    return last


def _stop(process: subprocess.Popen[str]) -> None:
    """Ask the process to end, and let it save what it has; a second Ctrl-C does not wait."""
    assert process.stdout is not None
    try:
        if sys.platform != "win32":  # there Ctrl-C has reached it already
            process.send_signal(signal.SIGINT)
        process.stdout.read()
        process.wait()
    except KeyboardInterrupt:
        process.kill()
        raise


# -- the other side --------------------------------------------------------------------------------


def serve() -> None:
    """Do the one job that stdin holds: what the process of a fit runs."""
    # stdout is for the conversation alone; whatever a library prints goes to stderr.
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    job = json.load(sys.stdin)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _fit(job, stream)
        word: dict[str, Any] = {"done": True}
    except KeyboardInterrupt as stop:
        word = {"stopped": str(stop)}
    except (GsfmError, ValueError, MemoryError) as error:
        word = {"error": str(error) or type(error).__name__}
    _say(stream, word)


def _fit(job: dict[str, Any], stream: TextIO) -> None:
    from gsfm.models import train

    said = 0.0

    def progress(now: Progress) -> None:
        nonlocal said
        if time.monotonic() - said > PAUSE or now.step == now.steps:
            said = time.monotonic()
            _say(stream, dataclasses.asdict(now))

    checkpoint = None if job["checkpoint"] is None else Path(job["checkpoint"])
    run = Run(
        n_threads=job["threads"],
        max_seconds=job["max_seconds"],
        checkpoint=checkpoint,
        resume=checkpoint is not None and checkpoint.exists(),
        progress=progress,
        watches=WATCHES if job["snapshots"] else Run.watches,
    )
    train(
        FAMILIES[job["family"]].from_config(job["config"]),
        GeneSets.open(job["corpus"]),
        job["folder"],
        random_state=job["seed"],
        held_out=job["held_out"],
        run=run,
        snapshots=dict(job["snapshots"]),
    )


def _say(stream: TextIO, word: dict[str, Any]) -> None:
    stream.write(json.dumps(word) + "\n")
    stream.flush()
