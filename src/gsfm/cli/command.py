"""The frame of a command: its options, its help, its output, and the call of a verb."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, ParamSpec, Protocol, TypeVar, get_args

import polars as pl
import typer
from typer.models import ParameterInfo

from gsfm.cli.output import Form, emit, note
from gsfm.progress import Bar
from gsfm.report import Report

EXIT_CODES = "Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage."
OUTPUT = "Write the result to FILE. The suffix is the format: .json, .csv, else TSV."
FORMATS = ("json", "csv", "tsv")
P = ParamSpec("P")


class Summarized(Protocol):
    """A result that can say how the identifiers were mapped."""

    def summary(self) -> str: ...


R = TypeVar("R", bound=Summarized)
Command = Callable[..., Report | pl.DataFrame | None]


def command(
    app: typer.Typer, name: str | None = None, *, table: bool = True, output: str = OUTPUT
) -> Callable[[Command], Command]:
    """Add a function to a group of commands.

    The parameters of the function are the arguments and options of the command. Their types are
    those of typer; a plain type is an option, and a plain ``bool`` that is False is a flag. The
    help text of a parameter is in the NumPy docstring of the function.

    A command that prints a table returns it, or the report that has it, or None if it printed its
    result. It also has the options ``--json``, ``--csv``, ``--tsv`` and ``--output``, which a
    parameter ``form`` of the function receives. One argument at most can be ``-``, stdin.

    Parameters
    ----------
    app
        The group of the command.
    name
        The name of the command; that of the function if None.
    table
        Whether the command prints a table.
    output
        Help text of ``--output``.
    """

    def register(function: Command) -> Command:
        text, helps = _parse(function.__doc__ or "")
        own = dict(inspect.signature(function, eval_str=True).parameters)
        takes_form = own.pop("form", None) is not None
        parameters = [_parameter(p, helps.get(p.name)) for p in own.values()]
        parameters += _outputs(output) if table else ()

        def run(**values: Any) -> None:
            if table:
                flags = {form: values.pop(form) for form in FORMATS}
                form = Form.of(output=values.pop("output"), **flags)
                check_stdin(values.values())
            if takes_form:
                values["form"] = form
            result = function(**values)
            if result is not None:
                emit(result, form)

        run.__name__, run.__doc__ = function.__name__, text
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name, epilog=EXIT_CODES)(run)
        return function

    return register


def _parse(docstring: str) -> tuple[str, dict[str, str]]:
    """The text of a docstring, and the description of each parameter."""
    text, _, section = inspect.cleandoc(docstring).partition("\n\nParameters\n----------\n")
    text = re.sub(r"(?<!\n)\n(?!\n)", " ", text)  # each paragraph on one line
    entries = re.findall(r"^(\w+)\n((?: +.+\n?)+)", section, re.MULTILINE)
    return text, {name: " ".join(description.split()) for name, description in entries}


def _parameter(parameter: inspect.Parameter, help: str | None) -> inspect.Parameter:
    """The parameter with its help text, as typer needs it."""
    kind, default = parameter.annotation, parameter.default
    info = next((i for i in get_args(kind) if isinstance(i, ParameterInfo)), None)
    if info is None:
        flag = [f"--{parameter.name.replace('_', '-')}"] if kind is bool and not default else []
        info = typer.Option(*flag)
    else:
        kind = get_args(kind)[0]
        info = copy.copy(info)
    info.help = help or info.help
    info.show_default = default is not None
    kind = Annotated[kind, info]
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=kind)


def _outputs(help: str) -> Iterator[inspect.Parameter]:
    """The options of a command that prints a table."""
    for form in FORMATS:
        option = typer.Option(f"--{form}", help=f"Print the result as {form.upper()}.")
        yield inspect.Parameter(
            form, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, option]
        )
    file = typer.Option("-o", "--output", metavar="FILE", help=help, show_default=False)
    yield inspect.Parameter(
        "output",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[Path | None, file],
    )


def check_stdin(values: Iterable[Any]) -> None:
    """Raise typer.BadParameter if more than one argument is stdin."""
    lists = (value if isinstance(value, list) else [value] for value in values)
    if sum(isinstance(one, str) and one == "-" for values in lists for one in values) > 1:
        raise typer.BadParameter("only one input can be stdin (-)")


def call(verb: Callable[P, R], *args: P.args, **options: P.kwargs) -> R:
    """Call a verb of the library with a progress bar, and print the summary of its result."""
    with Bar(verb.__name__) as progress:
        if "progress" in inspect.signature(verb).parameters:
            options["progress"] = progress
        result = verb(*args, **options)
    note(result.summary())
    return result
