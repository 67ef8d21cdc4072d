"""Training: fit a model on a corpus, evaluate it on held-out sets, and save it."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gsfm.completion.calibration import FEWEST
from gsfm.errors import GsfmError, check_least, require
from gsfm.io.files import atomic_path
from gsfm.models import Model, typical
from gsfm.models.held_out import HeldOut, calibrate
from gsfm.models.storage import read_json, write_json
from gsfm.models.typical import Typical
from gsfm.sets import GeneSets
from gsfm.training.interrupt import Interrupted
from gsfm.training.processes import start
from gsfm.training.run import Run


def train(
    model: Model,
    corpus: GeneSets,
    folder: str | Path,
    *,
    random_state: int = 0,
    held_out: int = 2000,
    typical_sets: int = typical.SETS,
    run: Run | None = None,
    snapshots: Mapping[int | str, str | Path] | None = None,
) -> Model:
    """Fit a model of any family on a corpus and save it with its manifest.

    Parameters
    ----------
    model
        An unfitted model: its family and settings.
    corpus
        The gene sets to learn from.
    folder
        Where to save the model folder.
    random_state
        Seed of everything random. The same seed, corpus, settings and number of threads give the
        same model, also when the run was stopped and resumed.
    held_out
        Number of sets held out from training (at most a tenth of the corpus). Recall is measured on
        all of them; every other one is used to calibrate the model.
    typical_sets
        Number of training sets that enrichment compares a gene set with. If 0, or if fewer than 200
        sets have 15 to 600 genes, `enrich` uses papers of the embedded corpus.
    run
        Threads, precision, progress, checkpoint, and processes. All processes return the model,
        but only the first one writes, watches and reports.
    snapshots
        Folders in which the model is also saved during training. The key is the number of an
        evaluation (1 to `run.watches`), or ``"best"``: that with the best recall@50. The manifest
        of a snapshot contains its ``step`` and ``seconds``; a snapshot is not calibrated.

    Returns
    -------
    Model
        The fitted model. Its manifest has gained ``training``: seconds, peak memory in bytes (of
        the first process), threads, processes, recall@50 on the held-out sets, and the result of
        `calibrate`; null with fewer than 40 such sets, or if the fit was stopped.

    Raises
    ------
    Interrupted
        On Ctrl-C, after the model and, for families that can resume, a checkpoint were saved.
    GsfmError
        If the family cannot be resumed, or fitted by several processes, and the run needs it.
    MissingExtraError
        If torch or Lightning Fabric is needed and not installed.

    Examples
    --------
    >>> import tempfile
    >>> from gsfm.models import Popularity
    >>> corpus = GeneSets.from_lists([["TP53", "MDM2"], ["TP53", "ATM"], ["TP53", "CHEK2"]])
    >>> folder = Path(tempfile.mkdtemp()) / "model"
    >>> model = train(Popularity(), corpus, folder)
    >>> sorted(path.name for path in folder.iterdir())
    ['config.json', 'manifest.json', 'model.safetensors', 'vocab.txt']
    """
    message = f"model must be an unfitted model, such as gsfm.models.Linear(), not {model!r:.50}"
    require(isinstance(model, Model), message, TypeError)
    message = f"corpus must be a GeneSets, not {type(corpus).__name__}: use gsfm.corpus.load"
    require(isinstance(corpus, GeneSets), message, TypeError)
    check_least(0, random_state=random_state, held_out=held_out, typical_sets=typical_sets)
    run = run or Run()
    message = f"a model of the family {model.family} is fitted in one go; do not resume it"
    require(model.can_resume or not run.resume, message, GsfmError)
    model.check_run(run)
    processes = start(run)
    held, rows = HeldOut.draw(corpus, held_out, random_state=random_state)
    message = "snapshots need held-out sets, and a family that learns in steps and is watched"
    can_watch = model.learns_in_steps and len(held) and run.watches
    require(can_watch or not snapshots, message, GsfmError)
    taken = [_Snapshot(at, Path(place), run) for at, place in (snapshots or {}).items()]

    def watch(model: Model) -> float:
        recall = held.recall(model)
        for snapshot in taken:
            snapshot.evaluated(model, recall)
        return recall

    if len(held):
        run = dataclasses.replace(run, watch=watch)
    weights = np.zeros(len(corpus), np.float32)
    weights[rows] = corpus.weights[rows]
    started = time.monotonic()
    stopped: Interrupted | None = None
    try:
        model.fit(corpus, weights=weights, random_state=random_state, run=run)
    except Interrupted as stop:
        if not model.is_fitted:  # an ensemble with unfitted members: there is only its checkpoint
            raise
        stopped = stop
    if processes.is_first:
        # The curve includes the time before a resumed run was stopped.
        seconds = max(time.monotonic() - started, *(point["seconds"] for point in model.curve), 0.0)
        can_calibrate = len(held) >= 2 * FEWEST
        training: dict[str, Any] = {
            "seconds": round(seconds, 1),
            "peak_memory_bytes": peak_memory(),
            "threads": run.n_threads,
            "processes": processes.count,
            "held_out_sets": len(held),
            "recall_at_50": round(held.recall(model), 4) if len(held) else None,
            "calibration": calibrate(model, held) if can_calibrate and stopped is None else None,
            "finished": stopped is None,
            "curve": model.curve,
        }
        compared = typical.sample(corpus, typical_sets, random_state, rows=rows)
        if stopped is None and len(compared) >= typical.FEWEST:
            model.typical = Typical.fit(model, compared, "training sets")
            model.manifest["typical"] = {"sets": len(compared), "source": "training sets"}
        model.manifest["training"] = {**model.manifest.get("training", {}), **training}
        model.save(folder)
        for snapshot in taken:
            snapshot.finish(model.curve, finished=stopped is None)
        if stopped is None and run.checkpoint is not None:
            run.checkpoint.unlink(missing_ok=True)
    # A launcher may end all processes when one ends, so wait until the model is saved.
    processes.wait()
    if stopped is not None:
        raise stopped
    return model


class _Snapshot:
    """Saves a model in training at one evaluation, or whenever its recall is better than before.

    A resumed run may repeat an evaluation, which changes nothing.
    """

    def __init__(self, at: int | str, folder: Path, run: Run) -> None:
        right = at == "best" or (isinstance(at, int) and 1 <= at <= run.watches)
        places = f"at 'best' or at evaluation 1 to {run.watches}"
        require(right, f"a snapshot is taken {places}, not {at!r}")
        self.at, self.folder, self.recall = at, folder, -1.0
        resumes = run.resume and run.checkpoint is not None and run.checkpoint.exists()
        self.exists = resumes and (folder / "manifest.json").exists()
        if self.exists:
            self.recall = read_json(folder / "manifest.json")["training"]["recall_at_50"]

    def evaluated(self, model: Model, recall: float) -> None:
        """Save the model if this is the evaluation, or the best one so far."""
        number = len(model.curve) + 1
        if number != self.at and not (self.at == "best" and recall > self.recall):
            return
        self.recall, self.exists = recall, True
        manifest = model.manifest
        training = {"recall_at_50": recall, "evaluation": number, "finished": False}
        config = dataclasses.asdict(model.config)
        model.manifest = {**manifest, "config": config, "training": training}
        model.save(self.folder)
        model.manifest = manifest

    def finish(self, curve: list[dict[str, Any]], *, finished: bool) -> None:
        """Add the step and the cost of the evaluation to the manifest."""
        if not self.exists:  # the run was stopped before
            return
        manifest = read_json(self.folder / "manifest.json")
        point = curve[manifest["training"]["evaluation"] - 1]
        manifest["training"] |= {
            "seconds": round(point["seconds"], 1),
            "peak_memory_bytes": peak_memory(),
            "step": point["step"],
            "steps": curve[-1]["step"],
            "finished": finished,
        }
        with atomic_path(self.folder / "manifest.json") as temporary:
            write_json(temporary, manifest)


def peak_memory() -> int | None:
    """Return the peak memory of this process in bytes; None where it is unknown.

    Examples
    --------
    >>> peak_memory() > 1_000_000
    True
    """
    # Better than getrusage, which begins with the memory of the process that started this one.
    with contextlib.suppress(OSError, IndexError, ValueError):
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
