"""``gsfm benchmark``: compare methods on the same questions, and show what was found."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsfm.cli.output import CsvOption, JsonOption, TsvOption, emit, note
from gsfm.report import cell_text

if TYPE_CHECKING:
    from gsfm.benchmark.runner import Event

app = typer.Typer(
    help="Compare models, baselines and gene vectors on the same questions.", no_args_is_help=True
)

LINE_SECONDS = 10.0  # between two lines of what is going on where there is no terminal

ResultsArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="A folder of results: the -o of gsfm benchmark run.")
]


@app.command()
def run(
    config: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG.toml", help="What is asked of which methods; see docs/benchmark.md."
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="The folder for the results.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the paths of CONFIG start; the folder of CONFIG if not given.",
            show_default=False,
        ),
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|default",
            help="The corpus to train on, in place of that of CONFIG.",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TASK", help="Do only the task of this name; repeatable.", show_default=False
        ),
    ] = None,
    n_threads: Annotated[
        int | None,
        typer.Option(
            "--n-threads",
            "--threads",
            min=1,
            help="Threads for training; all cores if left out.",
            show_default=False,
        ),
    ] = None,
    models: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the trained models are, or shall be: that of another run with the same "
            "corpus spares their training. DIR/models of the results if not given.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        bool, typer.Option(help="Write report.html and report.md; needs the extra bench.")
    ] = True,
) -> None:
    """Run a benchmark; print its table in Markdown.

    The same command goes on with a run that was stopped: what is finished is not computed again.
    """
    from gsfm.benchmark.config import read_config
    from gsfm.benchmark.runner import run as run_benchmark

    benchmark = read_config(config, data=data, corpus=corpus)
    reporter = _Reporter()
    try:
        results = run_benchmark(
            benchmark,
            output,
            n_threads=n_threads,
            models=models,
            only=only or (),
            pages=report,
            progress=reporter,
        )
    except KeyboardInterrupt:
        reporter.clear()
        note("Stopped; what was finished is kept. The same command goes on.")
        raise typer.Exit(130) from None
    finally:
        reporter.clear()
    typer.echo(results.markdown(), nl=False)
    note(f"results in {output}")


@app.command()
def report(folder: ResultsArgument) -> None:
    """Make the summary and the pages of a folder of results again; print the Markdown table."""
    from gsfm.benchmark.results import Results

    results = Results.open(folder)
    results.summarize()
    results.write_pages()
    typer.echo(results.markdown(), nl=False)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A folder of results.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one, such as a later one.")],
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
) -> None:
    """Show what differs between two results, B less A, by task, method and metric.

    Only tasks that asked the same questions are compared, term by term.
    """
    from gsfm.benchmark.comparison import compare as compare_results

    emit(compare_results(a, b), json=json, csv=csv, tsv=tsv)


class _Reporter:
    """Progress on stderr: lines that stay, and on a terminal one that is rewritten."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.shown = time.monotonic()
        self.passing = False

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        if event.passing and now - self.shown < (0.1 if self.terminal else LINE_SECONDS):
            return
        self.shown = now
        text = cell_text(self._text(event))
        self.clear()
        if event.passing and self.terminal:
            # A line that is wrapped could not be removed.
            sys.stderr.write(text[: shutil.get_terminal_size().columns - 1])
            self.passing = True
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def _text(self, event: Event) -> str:
        from gsfm.benchmark.runner import clock

        count = f"[{event.done}/{event.units}] " if event.units else ""
        left = "" if event.seconds_left is None else f"  ({clock(event.seconds_left)} left)"
        return f"{count}{event.text}{left}"

    def clear(self) -> None:
        """Remove the line that was not to stay."""
        if self.passing:
            sys.stderr.write("\r\x1b[2K")
            self.passing = False
