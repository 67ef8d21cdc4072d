"""Fit the methods of a run, each in its own process.

The peak memory of a process is its maximum so far, so that a fit needs its own process to measure
it. The memory is also released at the end. The process reads a job as JSON from stdin, and writes
its progress as lines of JSON to stdout.
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
import zlib
from collections.abc import Callable, Mapping
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

#: Seconds between two lines of progress.
PAUSE = 0.2
# Ctrl-C ends the process without a traceback while Python starts and imports.
_CODE = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "from gsfm.benchmark.fitting import serve; serve()"
)


def unfitted(family: str, settings: dict[str, Any]) -> Model:
    """Return a model that is not fitted yet.

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
    """Whether fitting the model, or a member of an ensemble, needs torch."""
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
    """Fit a model on a corpus, unless `folder` holds the fitted model.

    A stopped fit continues from its checkpoint, or restarts if its family has none.

    Parameters
    ----------
    model
        The family and its settings.
    corpus, corpus_hash
        The training corpus, with its column ``weight``, and the hash of its content.
    folder
        Folder of the model. Its family, settings and data are in the file ``<folder>.json``.
    snapshots
        As in `gsfm.models.train`; the model is then evaluated `WATCHES` times.
    seed, held_out, n_threads, max_seconds, progress
        As in `gsfm.models.train` and `Run`.

    Raises
    ------
    GsfmError
        If the folder holds another model, or the fit fails.
    KeyboardInterrupt
        On Ctrl-C, after the current model and its checkpoint were saved.
    """
    identity = {
        "family": model.family,
        "settings": dataclasses.asdict(model.config),
        "seed": seed,
        "held_out": held_out,
        "max_seconds": max_seconds,
        "snapshots": sorted(map(str, snapshots or ())),
        "corpus": corpus_hash,
        "weights": zlib.crc32(np.ascontiguousarray(corpus.weights).data),
    }
    identity = json.loads(json.dumps(identity))
    about = folder.with_name(f"{folder.name}.json")
    checkpoint = folder.with_name(f"{folder.name}.checkpoint")
    if about.exists():
        before = read_json(about)
        differs = [key for key in identity if before.get(key) != identity[key]]
        if differs:
            raise GsfmError(
                f"{folder}: this model was fitted with another {differs[0]}; remove it and "
                f"{about.name}, or choose another folder for the results"
            )
        path = folder / "manifest.json"
        if path.exists() and read_json(path).get("training", {}).get("finished"):
            return
    elif folder.exists():
        raise GsfmError(
            f"{folder}: without {about.name} the settings of this model are unknown; remove it, "
            "or choose another folder for the results"
        )
    else:
        with atomic_path(about) as temporary:
            temporary.write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
    path = folder.with_name(f".{folder.name}.gsets")
    job = identity | {
        "config": model.config_json(),
        "corpus": str(path),
        "folder": str(folder),
        "threads": n_threads,
        "checkpoint": str(checkpoint) if model.can_resume else None,
        "snapshots": [[at, str(place)] for at, place in (snapshots or {}).items()],
    }
    try:
        corpus.save(path)
        _run(job, progress)
    finally:
        path.unlink(missing_ok=True)


def _run(job: dict[str, Any], progress: Callable[[Progress], None]) -> None:
    """Do a job in its own process."""
    environment = dict(os.environ)
    if job["threads"] is not None:
        # Numerical libraries read these when they are loaded.
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
        # In its own group: it gets Ctrl-C only from this process.
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
    """Send the job, and report the progress until the end; return the last message."""
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
    """Interrupt the process, and wait until it has saved its state; a second Ctrl-C kills it."""
    assert process.stdout is not None
    try:
        if sys.platform != "win32":  # there it gets Ctrl-C from the terminal
            process.send_signal(signal.SIGINT)
        process.stdout.read()
        process.wait()
    except KeyboardInterrupt:
        process.kill()
        raise


# -- in the process --------------------------------------------------------------------------------


def serve() -> None:
    """Do the job from stdin: the entry point of the process."""
    # stdout is for messages only; what a library prints goes to stderr.
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    job = json.load(sys.stdin)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _fit(job, stream)
        message: dict[str, Any] = {"done": True}
    except KeyboardInterrupt as stop:
        message = {"stopped": str(stop)}
    except (GsfmError, ValueError, MemoryError) as error:
        message = {"error": str(error) or type(error).__name__}
    _send(stream, message)


def _fit(job: dict[str, Any], stream: TextIO) -> None:
    from gsfm.models import train

    last = 0.0

    def progress(now: Progress) -> None:
        nonlocal last
        if time.monotonic() - last > PAUSE or now.step == now.steps:
            last = time.monotonic()
            _send(stream, dataclasses.asdict(now))

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


def _send(stream: TextIO, message: dict[str, Any]) -> None:
    stream.write(json.dumps(message) + "\n")
    stream.flush()
