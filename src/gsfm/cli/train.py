"""``gsfm train``: from a corpus to a model folder."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gsfm.cli import options
from gsfm.cli.command import command, options_for
from gsfm.cli.output import StatusLine, counts, note
from gsfm.errors import GsfmError, count, require
from gsfm.progress import clock

if TYPE_CHECKING:
    from gsfm.models import Model
    from gsfm.training.run import Progress

app = typer.Typer()

CALIBRATED = (
    "calibrated on {fitted_sets} of them; on the other {measured_sets}, the top 100 genes of a set "
    "have a mean predicted probability of {predicted_top_100:.3f} and an observed frequency of "
    "{observed_top_100:.3f} (expected calibration error {error_top_100:.3f})"
)


@command(app, table=False)
def train(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR")],
    corpus: Annotated[str, typer.Option(metavar="FILE|default")] = "default",
    model: str = "autoencoder",
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE")] = None,
    random_state: options.RandomState = 0,
    n_threads: options.Threads = None,
    precision: str = "auto",
    held_out: options.Count = 2000,
    typical_sets: options.Count = 1000,
    best: Annotated[Path | None, typer.Option(metavar="DIR")] = None,
    devices: Annotated[str, typer.Option(metavar="N|auto")] = "1",
    nodes: options.Positive = 1,
    strategy: str = "auto",
    accelerator: str = "cpu",
    resume: bool = False,
) -> None:
    """Train a model on a corpus of gene sets and save it.

    Ctrl-C saves the model and a checkpoint. The same command with --resume continues from it, with
    the same result. With --devices or --nodes, processes share each batch; the model is that of one
    process. A launcher such as torchrun or srun can start them instead.

    Parameters
    ----------
    output
        The model folder to write.
    corpus
        A corpus (gsfm corpus build) or any gene-set file; 'default' is the corpus of
        publications that is included in gsfm.
    model
        The family of the model; see gsfm models list.
    settings
        A setting of the family, such as --set epochs=4. Repeatable.
    precision
        auto, bf16 or fp32; auto is bf16 if the processor has it.
    held_out
        Sets held out from training, to measure recall@50 and to calibrate probabilities.
    typical_sets
        Training sets that enrichment compares a gene set with; 0 for papers of the embedded corpus.
    best
        Also write the model with the best recall@50 during the training here.
    devices
        Processes on each machine; auto is one for each GPU.
    nodes
        Machines.
    strategy
        How the processes share the work: auto or ddp.
    accelerator
        cpu, cuda or auto; auto is cuda if there is a GPU.
    resume
        Continue from the checkpoint of a stopped run.
    """
    from gsfm import corpus as corpora
    from gsfm.models import FAMILIES
    from gsfm.models import train as fit
    from gsfm.training import Interrupted, start
    from gsfm.training.run import Run

    if model not in FAMILIES:
        raise typer.BadParameter(f"{model!r} is none of {', '.join(sorted(FAMILIES))}")
    family = FAMILIES[model]
    try:
        unfitted = family(**_parse(family, settings or []))
        changed = {
            "checkpoint": output.with_name(f"{output.name}.checkpoint"),
            "progress": _Reporter(),
            # A word is checked by the run.
            "devices": int(devices) if devices.lstrip("-").isdecimal() else devices,
        }
        run = Run(**options_for(Run, **changed))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    unfitted.check_run(run)
    sets = corpora.load(corpus)
    first = start(run).is_first
    if first:
        sizes = {"set": len(sets), "member": len(sets.indices), "gene": sets.n_genes}
        note(f"corpus: {', '.join(count(n, noun) for noun, n in sizes.items())}")
        dropped = counts(sets.manifest.get("sets", {}).get("dropped", {}))
        if dropped and corpus != "default":
            note(f"excluded: {dropped}")
    changed = {"model": unfitted, "corpus": sets, "folder": output, "run": run}
    snapshots = None if best is None else {"best": best}
    try:
        fitted = fit(**options_for(fit, **changed, snapshots=snapshots))
    except Interrupted as stop:
        if not first:  # the first process reports
            return
        place = f"saved to {output}" if unfitted.is_fitted else "saved in its checkpoint"
        note(f"{stop}; the model is {place}.")
        if unfitted.can_resume:
            note("The same command with --resume continues.")
        raise typer.Exit(130) from None
    except ValueError as error:
        raise GsfmError(str(error)) from error
    if first:
        _summarize(fitted, output)


def _parse(family: type[Model], settings: list[str]) -> dict[str, Any]:
    """The values of ``name=value`` texts."""
    known = sorted(field.name for field in dataclasses.fields(family.Config))
    out: dict[str, Any] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        there = f"--set {text}: {family.family} has the settings {', '.join(known)}"
        require(equals and name in known, there, typer.BadParameter)
        try:
            out[name] = json.loads(value)
        except ValueError:
            out[name] = value  # a word, such as cosine
    return out


class _Reporter(StatusLine):
    """Progress on stderr; measurements and the last step stay."""

    def __call__(self, now: Progress) -> None:
        text = (
            f"step {now.step:,}/{now.steps:,}  {now.sets_per_second:,.0f} sets/s  "
            f"{clock(now.seconds)} gone, {clock(now.seconds_left)} left  loss {now.loss:.3f}"
        )
        if now.watched is not None:
            text += f"  recall@50 {now.watched:.3f}"
        self.write(text, passing=now.watched is None and now.step < now.steps)


def _summarize(model: Model, folder: Path) -> None:
    training = model.manifest["training"]
    size = sum(file.stat().st_size for file in folder.iterdir())
    text = f"saved {folder}: {model.n_parameters:,} numbers, {size / 1e6:.1f} MB, "
    text += f"{training['seconds']:.0f} s"
    if training["peak_memory_bytes"]:
        text += f", peak memory {training['peak_memory_bytes'] / 1e9:.2f} GB"
    if training["recall_at_50"] is not None:
        text += f", recall@50 {training['recall_at_50']:.3f} "
        text += f"on {training['held_out_sets']} sets held out"
    note(text)
    if (measured := training.get("calibration")) is not None:
        note(CALIBRATED.format(**measured))
