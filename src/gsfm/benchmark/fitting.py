"""Fit the methods of a run, each in its own process, so that its peak memory can be measured.

The process reads a job as JSON from stdin, and writes its progress as lines of JSON to stdout.
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
from typing import Any

import numpy as np

from gsfm.benchmark.config import WATCHES
from gsfm.errors import GsfmError, needs_extra
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

    A GsfmError if there is no such family or a setting is wrong; a MissingExtraError if the family
    is fitted with torch and torch is not installed.

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
        with needs_extra(f"fitting a model of the family {family!r}", "train"):
            import torch  # noqa: F401
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

    The family, settings and data of the model are in the file ``<folder>.json``. A stopped fit
    continues from its checkpoint, or restarts if its family has none. With snapshots, the model is
    evaluated `WATCHES` times. The other arguments are those of `gsfm.models.train` and `Run`.

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
    if about.exists():
        before = read_json(about)
        if differs := [key for key in identity if before.get(key) != identity[key]]:
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
        with atomic_path(about, parents=True) as temporary:
            temporary.write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
    path = folder.with_name(f".{folder.name}.gsets")
    checkpoint = folder.with_name(f"{folder.name}.checkpoint")
    run: dict[str, Any] = {"n_threads": n_threads, "max_seconds": max_seconds}
    if model.can_resume:
        run |= {"checkpoint": str(checkpoint), "resume": checkpoint.exists()}
    if snapshots:
        run["watches"] = WATCHES
    job = {
        "family": model.family,
        "config": model.config_json(),
        "corpus": str(path),
        "run": run,
        "snapshots": [[at, str(place)] for at, place in (snapshots or {}).items()],
        # The other arguments of `train`.
        "folder": str(folder),
        "random_state": seed,
        "held_out": held_out,
    }
    try:
        corpus.save(path)
        _run(job, progress)
    finally:
        path.unlink(missing_ok=True)


def _run(job: dict[str, Any], progress: Callable[[Progress], None]) -> None:
    """Do a job in its own process."""
    environment = dict(os.environ)
    if job["run"]["n_threads"] is not None:
        # Numerical libraries read these when they are loaded.
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment |= dict.fromkeys(names, str(job["run"]["n_threads"]))
    last: dict[str, Any] = {}
    with subprocess.Popen(
        [sys.executable, "-c", _CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        # In its own group: it gets Ctrl-C only from this process.
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with contextlib.suppress(BrokenPipeError), process.stdin:
                process.stdin.write(json.dumps(job))
            for line in process.stdout:
                last = json.loads(line)
                if "step" in last:
                    progress(Progress(**last))
        except KeyboardInterrupt:
            _stop(process)
            raise
        except BaseException:
            process.kill()
            raise
    name, code = Path(job["folder"]).name, process.returncode
    if "stopped" in last or code == -signal.SIGINT:
        raise KeyboardInterrupt(last.get("stopped", ""))
    if "error" in last:
        raise GsfmError(f"{name}: {last['error']}")
    if code or "done" not in last:
        ended = f"signal {-code}; was there enough memory?" if code < 0 else f"exit code {code}"
        raise GsfmError(f"{name}: the fit ended without a model ({ended})")


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

    def send(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=stream, flush=True)

    job = json.load(sys.stdin)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _fit(job, send)
        send({"done": True})
    except KeyboardInterrupt as stop:
        send({"stopped": str(stop)})
    except (GsfmError, ValueError, MemoryError) as error:
        send({"error": str(error) or type(error).__name__})


def _fit(job: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> None:
    from gsfm.models import train

    last = 0.0

    def progress(now: Progress) -> None:
        nonlocal last
        if time.monotonic() - last > PAUSE or now.step == now.steps:
            last = time.monotonic()
            send(dataclasses.asdict(now))

    run = Run(**job.pop("run"), progress=progress)
    if run.checkpoint is not None:
        run = dataclasses.replace(run, checkpoint=Path(run.checkpoint))
    model = FAMILIES[job.pop("family")].from_config(job.pop("config"))
    snapshots = dict(job.pop("snapshots"))
    train(
        model, GeneSets.open(job.pop("corpus")), run=run, snapshots=snapshots, typical_sets=0, **job
    )
