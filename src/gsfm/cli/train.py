"""``gsfm train``: from a corpus to a model folder."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gsfm.cli.output import note
from gsfm.errors import GsfmError

if TYPE_CHECKING:
    from gsfm.models import Model
    from gsfm.sets import GeneSets
    from gsfm.training.run import Progress

app = typer.Typer()

LINE_SECONDS = 10.0  # between two lines of progress where there is no terminal


@app.command()
def train(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="The model folder to write.")
    ],
    corpus: Annotated[
        str,
        typer.Option(
            metavar="FILE|default",
            help="A corpus (gsfm corpus build) or any gene-set file; 'default' is the corpus of "
            "publications that comes with gsfm.",
        ),
    ] = "default",
    model: Annotated[
        str, typer.Option(help="The family of the model; gsfm models list shows them.")
    ] = "autoencoder",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting of the family, e.g. --set epochs=4; repeatable.",
        ),
    ] = None,
    random_state: Annotated[
        int, typer.Option("--random-state", "--seed", min=0, help="Seed of everything random.")
    ] = 0,
    n_threads: Annotated[
        int | None,
        typer.Option(
            "--n-threads",
            "--threads",
            min=1,
            help="Threads; all cores if left out.",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        str, typer.Option(help="auto, bf16 or fp32; auto is bf16 where the processor has it.")
    ] = "auto",
    held_out: Annotated[
        int,
        typer.Option(
            min=0,
            help="Sets kept from training, to measure recall@50 on and to calibrate probabilities.",
        ),
    ] = 2000,
    best: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also write here the model as it was when its recall@50 was best.",
            show_default=False,
        ),
    ] = None,
    devices: Annotated[
        str,
        typer.Option(metavar="N|auto", help="Processes on each machine; auto is one for each GPU."),
    ] = "1",
    nodes: Annotated[int, typer.Option(min=1, help="Machines.")] = 1,
    strategy: Annotated[
        str, typer.Option(help="How the processes work together: auto or ddp.")
    ] = "auto",
    accelerator: Annotated[
        str, typer.Option(help="cpu, cuda or auto; auto is cuda where there is a GPU.")
    ] = "cpu",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint of a stopped run.")
    ] = False,
) -> None:
    """Train a model on a corpus of gene sets and save it.

    Ctrl-C saves what was learned and a checkpoint; the same command with --resume goes on from it
    to the same result. With --devices or --nodes, processes share each batch, and give the model of
    one process; a launcher such as torchrun or srun may start them instead.
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
        run = Run(
            n_threads=n_threads,
            precision=precision,
            checkpoint=output.with_name(f"{output.name}.checkpoint"),
            resume=resume,
            progress=_Reporter(),
            devices=_number(devices),
            nodes=nodes,
            strategy=strategy,
            accelerator=accelerator,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    unfitted.check_run(run)
    sets = corpora.load(corpus)
    snapshots: dict[int | str, str | Path] = {} if best is None else {"best": best}
    first = start(run).is_first
    if first:
        _describe(sets, own=corpus != "default")
    try:
        fitted = fit(
            unfitted,
            sets,
            output,
            random_state=random_state,
            held_out=held_out,
            run=run,
            snapshots=snapshots,
        )
    except Interrupted as stop:
        if not first:  # to end well is to leave the last word to the first process
            return
        kept = f"saved to {output}" if unfitted.is_fitted else "kept in its checkpoint"
        note(f"{stop}; what was learned is {kept}.")
        if unfitted.can_resume:
            note("The same command with --resume goes on.")
        raise typer.Exit(130) from None
    except ValueError as error:
        raise GsfmError(str(error)) from error
    if first:
        _summarize(fitted, output)


def _number(text: str) -> Any:
    """A count, or the word that stands for one."""
    return int(text) if text.lstrip("-").isdecimal() else text


def _describe(sets: GeneSets, *, own: bool) -> None:
    note(f"corpus: {len(sets):,} sets, {len(sets.indices):,} members, {sets.n_genes:,} genes")
    dropped = sets.manifest.get("sets", {}).get("dropped", {})
    if own and any(dropped.values()):
        note("left out: " + ", ".join(f"{n:,} {why}" for why, n in dropped.items() if n))


def _parse(family: type[Model], settings: list[str]) -> dict[str, Any]:
    """``name=value`` texts to values of the fields' types."""
    import json

    known = {field.name: field for field in dataclasses.fields(family.Config)}
    out: dict[str, Any] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            raise typer.BadParameter(
                f"--set {text}: {family.family} has the settings {', '.join(sorted(known))}"
            )
        try:
            out[name] = json.loads(value)
        except ValueError:
            out[name] = value  # a word, such as cosine
    return out


class _Reporter:
    """Progress on stderr: a line that is rewritten on a terminal, now and then a line elsewhere."""

    def __init__(self) -> None:
        self.shown = -LINE_SECONDS

    def __call__(self, now: Progress) -> None:
        terminal = sys.stderr.isatty()
        last = now.step == now.steps
        pause = 0.2 if terminal else LINE_SECONDS
        if now.seconds - self.shown < pause and now.watched is None and not last:
            return
        self.shown = now.seconds
        text = (
            f"step {now.step:,}/{now.steps:,}  {now.sets_per_second:,.0f} sets/s  "
            f"{_clock(now.seconds)} gone, {_clock(now.seconds_left)} left  loss {now.loss:.3f}"
        )
        if now.watched is not None:
            text += f"  recall@50 {now.watched:.3f}"
        if terminal:
            keep = now.watched is not None or last
            sys.stderr.write(f"\r\x1b[2K{text}" + ("\n" if keep else ""))
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _summarize(model: Model, folder: Path) -> None:
    training = model.manifest["training"]
    size = sum(file.stat().st_size for file in folder.iterdir())
    parts = [f"{model.n_parameters:,} numbers", f"{size / 1e6:.1f} MB"]
    parts.append(f"{training['seconds']:.0f} s")
    if training["peak_memory_bytes"]:
        parts.append(f"peak memory {training['peak_memory_bytes'] / 1e9:.2f} GB")
    if training["recall_at_50"] is not None:
        parts.append(
            f"recall@50 {training['recall_at_50']:.3f} on {training['held_out_sets']} sets held out"
        )
    note(f"saved {folder}: {', '.join(parts)}")
    if (measured := training.get("calibration")) is not None:
        note(
            f"calibrated on {measured['fitted_sets']} of them; on the other "
            f"{measured['measured_sets']}, the 100 best genes of a set have a probability of "
            f"{measured['told_top_100']:.3f} on average, and {measured['found_top_100']:.3f} of "
            f"them are missing genes (expected calibration error "
            f"{measured['error_top_100']:.3f})"
        )
