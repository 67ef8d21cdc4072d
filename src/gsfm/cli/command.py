"""The frame of a command: its options, its help, its output, and the call of a verb."""

from __future__ import annotations

import copy
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar, get_args

import polars as pl
import typer
from typer.models import ParameterInfo

from gsfm.cli import options
from gsfm.cli.output import SUFFIXES, Form, emit, note
from gsfm.io.streams import is_file
from gsfm.progress import Bar
from gsfm.report import Report

KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY
EXIT_CODES = "Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage."


class Summarized(Protocol):
    """A result that can say how the identifiers were mapped."""

    def summary(self) -> str: ...


R = TypeVar("R", bound=Summarized)
Command = Callable[..., Report | pl.DataFrame | None]
#: The parameters of all commands of a query, and of those that print a table.
QUERY: dict[str, Any] = {
    "species": options.Species,
    "model": options.Model,
    "columns": options.Columns,
}
FORM: Any = Annotated[Form, Form.of]
#: The parameters that are files to write.
OUTPUTS = ("output", "target", "save", "plot")
#: The parameters that are libraries.
LIBRARIES = ("libraries", "library", "among")
#: The parameters that are folders whose files are read.
FOLDERS = ("inputs", "model")
#: The values of the parameters of the command that runs.
_VALUES: ContextVar[Mapping[str, Any]] = ContextVar("values")


def command(
    app: typer.Typer,
    name: str | None = None,
    *,
    query: bool = False,
    table: bool = True,
    suffixes: Iterable[str] = SUFFIXES,
) -> Callable[[Command], Command]:
    """Add a function to a group of commands.

    The parameters of the function are the arguments and options of the command. Their types are
    those of typer; a plain type is an option, and a plain ``bool`` that is False is a flag. If the
    type is ``Annotated[T, make]``, the options are the parameters of the function ``make``, which
    returns the value. The help text of an option is in the NumPy docstring of its function, of the
    module of the command, or of `gsfm.cli.options`.

    A command that prints a table returns it, or the report that has it, or None if it printed its
    result. It also has the options of `Form.of`, whose form a parameter ``form`` of the function
    receives. One argument at most can be ``-``, stdin.

    Parameters
    ----------
    app
        The group of the command.
    name
        The name of the command; that of the function if None.
    query
        Whether the command also has the options of a query: ``--species``, ``--model``,
        ``--sheet`` and ``--gene-column``.
    table
        Whether the command prints a table.
    suffixes
        The suffixes of the files that the command can write its table to.
    """

    def register(function: Command) -> Command:
        text, helps = _parse(function)
        for shared in (sys.modules[function.__module__], options, Form.of):
            helps = {**_parse(shared)[1], **helps}
        own = inspect.signature(function, eval_str=True).parameters
        added = {**(QUERY if query else {}), **({"form": FORM} if table else {})}
        every = [p for p in own.values() if p.name not in added]
        every += [
            inspect.Parameter(name, KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in added.items()
        ]
        makers: dict[str, Callable[..., Any]] = {}
        parameters: list[inspect.Parameter] = []
        for parameter in every:
            group = [parameter]
            if make := next(filter(inspect.isroutine, get_args(parameter.annotation)), None):
                makers[parameter.name] = make
                group = [*inspect.signature(make, eval_str=True).parameters.values()]
            parameters += [_parameter(one, helps.get(one.name)) for one in group]

        def run(**values: Any) -> None:
            if table:
                check_stdin(values.values())
            check_outputs(values)
            # How files are read is set before any of them is.
            for name, make in sorted(makers.items(), key=lambda item: item[0] != "columns"):
                taken = inspect.signature(make).parameters
                values[name] = make(**{option: values.pop(option) for option in taken})
            if table:
                values["form"].check(suffixes)
            _VALUES.set(values)
            result = function(**{name: values[name] for name in own})
            if result is not None:
                emit(result, values["form"])

        run.__name__, run.__doc__ = function.__name__, text
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name or function.__name__, epilog=EXIT_CODES)(run)
        return function

    return register


def _parse(described: object) -> tuple[str, dict[str, str]]:
    """The text of a docstring, and the description of each parameter."""
    text, _, section = (inspect.getdoc(described) or "").partition("\n\nParameters\n----------\n")
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
    return parameter.replace(kind=KEYWORD_ONLY, annotation=Annotated[kind, info])


def check_stdin(values: Iterable[Any]) -> None:
    """Raise typer.BadParameter if more than one argument is stdin."""
    lists = (value if isinstance(value, list) else [value] for value in values)
    if sum(isinstance(one, str) and one == "-" for values in lists for one in values) > 1:
        raise typer.BadParameter("only one input can be stdin (-)")


def check_outputs(values: Mapping[str, Any]) -> None:
    """Raise typer.BadParameter if a file to write is an input, also by another path or a link."""
    texts = {
        name: [str(one) for one in (value if isinstance(value, list) else [value])]
        for name, value in values.items()
        if isinstance(value, str | Path | list)
    }
    outputs = [text for name in OUTPUTS for text in texts.pop(name, ()) if is_file(text)]
    if not outputs:
        return
    inputs = {text for own in texts.values() for text in own}
    # Several files may be in one text: with commas between them, or as NAME=FILE.
    inputs |= {part for text in inputs for part in re.split("[,=]", text)}
    folders = [Path(text).resolve() for name in FOLDERS for text in texts.get(name, ())]
    for output in outputs:
        parents = Path(output).resolve().parents
        is_inside = any(folder in parents for folder in folders)
        if is_inside or any(_is_same(text, output) for text in inputs):
            raise typer.BadParameter(f"{output} is an input: write to another file")


def _is_same(text: str, output: str) -> bool:
    """Whether a text is the path of the file `output`, or - where stdin is this file."""
    try:
        state = os.fstat(sys.stdin.fileno()) if text == "-" else Path(text).stat()
    except (OSError, ValueError):
        return False
    return os.path.samestat(state, Path(output).stat())


def options_for(function: Callable[..., Any], **changed: Any) -> dict[str, Any]:
    """The options of the running command that `function` has too, with `changed` values."""
    names = inspect.signature(function).parameters
    return {name: value for name, value in _VALUES.get().items() if name in names} | changed


def call(verb: Callable[..., R], **changed: Any) -> R:
    """Call a verb with the options of the command and `changed` ones; print the result's summary.

    The verb shows a progress bar if it takes longer than a second.
    """
    with Bar(verb.__name__) as progress:
        if "progress" in inspect.signature(verb).parameters:
            changed["progress"] = progress
        arguments = options_for(verb, **changed)
        for name in arguments.keys() & LIBRARIES:
            arguments[name] = options.with_stdin(arguments[name])
        result = verb(**arguments)
    for name in LIBRARIES:
        options.say_libraries(arguments.get(name))
    note(result.summary())
    return result
