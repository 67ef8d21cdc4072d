"""The root command: its groups are imported when they are used, for a fast start."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from gsfm.errors import GsfmError, printable

#: Every command, and its module in `gsfm.cli`, whose `app` is the command or has it.
COMMANDS = {
    "complete": "verbs",
    "annotate": "verbs",
    "term": "verbs",
    "explain": "verbs",
    "relate": "verbs",
    "network": "verbs",
    "nearest": "verbs",
    "embed": "embed",
    "map": "verbs",
    "prioritize": "verbs",
    "discover": "discover",
    "enrich": "verbs",
    "genes": "genes",
    "sets": "sets",
    "library": "library",
    "corpus": "corpus",
    "train": "train",
    "models": "models",
    "benchmark": "benchmark",
}


#: Wrong usage: the base of typer.BadParameter, which typer does not export.
WrongUsage: Any = typer.BadParameter.__mro__[1]


class OnDemand(Mapping[str, Any]):
    """The commands by name; the module of a command is imported when the command is used."""

    def __getitem__(self, name: str) -> Any:
        group = importlib.import_module(f"gsfm.cli.{COMMANDS[name]}").app
        own = [info for info in group.registered_commands if info.name == name]
        if own:  # the other commands of the module are not made, for a fast start
            group = typer.Typer(add_completion=False)
            group.registered_commands = own
        command = typer.main.get_command(group) if own else typer.main.get_group(group)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Root(typer.core.TyperGroup):
    """The root group: commands on demand, and errors in one line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "commands": None})
        self.commands: Any = OnDemand()

    def make_context(self, *arguments: Any, **settings: Any) -> Any:
        """Parse the arguments of the root."""
        with _one_line():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: Any) -> Any:
        """Parse the arguments of a command, and run it."""
        with _one_line():
            return super().invoke(ctx)


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    """Print an error as one line on stderr: exit code 2 for wrong usage, else 1."""
    try:
        yield
        return
    except BrokenPipeError:
        raise typer.Exit(141) from None
    except WrongUsage as error:
        # An error that a command raises itself has no parameter to name.
        own = isinstance(error, typer.BadParameter) and not (error.param or error.param_hint)
        message = error.message if own else error.format_message().rstrip(".")
        if not message:  # without arguments, where help was printed
            raise
        command = error.ctx.command_path if error.ctx else "gsfm"
        message, code = f"{message.replace('Value error, ', '')}; see {command} --help", 2
    except (GsfmError, ValueError, OverflowError, RecursionError) as error:
        message, code = str(error), 1
    except MemoryError:
        message, code = "there is not enough memory", 1
    except OSError as error:
        if error.strerror is None:
            raise
        message, code = ": ".join(map(str, filter(None, (error.filename, error.strerror)))), 1
    typer.echo(f"gsfm: {printable(' '.join(message.split()))}", err=True)
    raise typer.Exit(code)


app = typer.Typer(
    name="gsfm",
    cls=Root,
    help="A Gene Set Foundation Model: complete gene sets, annotate genes, and find relations.",
    epilog="Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage, 130 Ctrl-C.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        from gsfm.version import __version__

        typer.echo(f"gsfm {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass
