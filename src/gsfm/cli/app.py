"""The root command: its groups are imported when they are used, for a fast start."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from gsfm.errors import GsfmError

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

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an error of gsfm or of a file is one line on stderr, exit code 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise typer.Exit(141) from None
        except (GsfmError, ValueError, OverflowError, RecursionError) as error:
            message = " ".join(str(error).split())
        except OSError as error:
            if error.filename is None:
                raise
            message = f"{error.filename}: {error.strerror}"
        typer.echo(f"gsfm: {message}", err=True)
        raise typer.Exit(1)


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
