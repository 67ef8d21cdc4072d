"""``gsfm benchmark``: compare methods on the same queries, and report the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsfm.cli import options
from gsfm.cli.command import command, options_for
from gsfm.cli.output import StatusLine, note
from gsfm.progress import clock
from gsfm.report import Report

if TYPE_CHECKING:
    from gsfm.benchmark.runner import Event

app = typer.Typer(
    help="Compare models, baselines and gene vectors on the same queries.", no_args_is_help=True
)


@command(app, table=False)
def run(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR")],
    data: Annotated[Path | None, typer.Option(metavar="DIR")] = None,
    corpus: Annotated[str | None, typer.Option(metavar="FILE|default")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="TASK")] = None,
    n_threads: options.Threads = None,
    models: Annotated[Path | None, typer.Option(metavar="DIR")] = None,
    report: bool = True,
) -> None:
    """Run a benchmark; print its table in Markdown.

    The same command continues a stopped run: finished parts are not computed again.

    Parameters
    ----------
    config
        The tasks and the methods; see docs/benchmark.md.
    output
        The folder for the results.
    data
        The folder of the paths in CONFIG; that of CONFIG by default.
    corpus
        The corpus to train on, instead of that in CONFIG.
    only
        Run only the task of this name. Repeatable.
    models
        The folder of the trained models. With that of another run on the same corpus, they are
        not trained again. By default the folder models of the results.
    report
        Write report.html and report.md; needs the extra bench.
    """
    from gsfm.benchmark import read_config
    from gsfm.benchmark import run as run_benchmark

    benchmark = read_config(config, data=data, corpus=corpus)
    reporter = _Reporter()
    try:
        changed = {"only": only or (), "pages": report, "progress": reporter}
        results = run_benchmark(benchmark, output, **options_for(run_benchmark, **changed))
    except KeyboardInterrupt:
        reporter.clear()
        note("Stopped; what was finished is kept. The same command goes on.")
        raise typer.Exit(130) from None
    finally:
        reporter.clear()
    typer.echo(results.markdown(), nl=False)
    note(f"results in {output}")


@command(app, table=False)
def report(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Write the summary and the pages of a folder of results again; print the Markdown table.

    Parameters
    ----------
    folder
        A folder of results: the -o of gsfm benchmark run.
    """
    from gsfm.benchmark import Results

    results = Results.open(folder)
    results.summarize()
    results.write_pages()
    typer.echo(results.markdown(), nl=False)


@command(app)
def compare(
    a: Annotated[Path, typer.Argument(metavar="A")],
    b: Annotated[Path, typer.Argument(metavar="B")],
) -> Report:
    """Show the differences of two results, B minus A, by task, method and metric.

    Only tasks with the same queries are compared, term by term.

    Parameters
    ----------
    a
        A folder of results.
    b
        Another one, such as a later one.
    """
    from gsfm.benchmark import compare as compare_results

    return compare_results(a, b)


class _Reporter(StatusLine):
    """Progress on stderr."""

    def __call__(self, event: Event) -> None:
        count = f"[{event.done}/{event.units}] " if event.units else ""
        left = "" if event.seconds_left is None else f"  ({clock(event.seconds_left)} left)"
        self.write(f"{count}{event.text}{left}", passing=event.passing)
