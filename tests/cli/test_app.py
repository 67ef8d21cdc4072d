"""The frame: help, errors, pipes, start-up, and the page of commands."""

from __future__ import annotations

import importlib.util
import inspect
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import typer
import typer.main

from gsfm import (
    GeneSets,
    GsfmError,
    __version__,
    analysis,
    benchmark,
    corpus,
    genes,
    libraries,
    models,
    sets,
)
from gsfm.cli import app
from gsfm.cli.output import Form, emit, note, show

ROOT = Path(__file__).parent.parent.parent
GSFM = [sys.executable, "-m", "gsfm"]
FORMS = {"--json", "--csv", "--tsv"}
#: The commands that print no table: they write files, or print one JSON object, or a page.
WITHOUT_TABLE = {
    *("corpus build", "corpus manifest", "corpus download", "sets convert", "train"),
    *("library add", "library remove"),
    *("benchmark run", "benchmark report"),
}


def _leaves():
    """Every command: its words, and the command."""

    def walk(group, context, path):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if hasattr(command, "list_commands"):
                inner = typer.Context(command, info_name=name, parent=context)
                yield from walk(command, inner, [*path, name])
            else:
                yield pytest.param([*path, name], command, id=" ".join([*path, name]))

    root = typer.main.get_command(app.app)
    return list(walk(root, typer.Context(root, info_name="gsfm"), []))


def test_every_command_is_there(run):
    result = run("--help")
    assert result.exit_code == 0
    for name in app.COMMANDS:
        assert name in result.stdout


@pytest.mark.parametrize(("words", "command"), _leaves())
def test_every_command_and_option_has_help(run, words, command):
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert command.help
    for parameter in command.params:
        assert parameter.help, f"{parameter.name} has no help"


@pytest.mark.parametrize(("words", "command"), _leaves())
def test_every_table_comes_in_every_form(words, command):
    options = {name for parameter in command.params for name in parameter.opts}
    assert options & FORMS == (set() if " ".join(words) in WITHOUT_TABLE else FORMS)


METHODS = ("ora", "ordered_ora", "prerank")
#: The verb of each command.
VERBS = {
    name: verb
    for name, verb in vars(analysis).items()
    if inspect.isfunction(verb) and name in analysis.__all__ and name not in METHODS
}
for _name in ("biomarkers", "targets", "understudied"):
    VERBS[f"discover {_name}"] = VERBS.pop(_name)
VERBS["embed genes"] = VERBS["embed sets"] = VERBS.pop("embed")
#: The functions of the other commands.
FUNCTIONS = VERBS | {
    "benchmark compare": benchmark.compare,
    "benchmark run": benchmark.run,
    "corpus build": corpus.build,
    "corpus describe": corpus.describe,
    "genes resolve": genes.resolve,
    "genes show": genes.show,
    "library add": libraries.add,
    "library remove": libraries.remove,
    "library show": libraries.show,
    "models describe": models.describe,
    "sets convert": sets.write,
    "sets describe": sets.describe,
    "sets overlap": GeneSets.overlap,
    "sets similar": GeneSets.near_duplicates,
    "train": models.train,
}
#: Parameters that are arguments of the commands, or that the commands set themselves.
ARGUMENTS = {
    "about",
    "candidates",
    "gene",
    "genes",
    "identifiers",
    "inputs",
    "other",
    "sets",
    "text",
}
ARGUMENTS |= {"a", "b", "benchmark", "corpus", "file", "folder", "model", "path", "self", "source"}
NOT_OPTIONS = {"batch_size", "mirror", "n_permutations", "name", "progress"}
#: Options of another name, and parameters that are several options.
NAMES = {"format": "to", "pages": "report", "run": "resume", "snapshots": "best"}


@pytest.mark.parametrize("words", FUNCTIONS)
def test_a_command_has_the_words_and_the_defaults_of_its_function(words):
    [command] = [leaf.values[1] for leaf in _leaves() if leaf.id == words]
    options = {name: option for option in command.params for name in option.opts}
    arguments = {option.name for option in command.params if not option.opts[0].startswith("-")}
    for name, parameter in inspect.signature(FUNCTIONS[words]).parameters.items():
        option = options.get(f"--{NAMES.get(name, name).replace('_', '-')}")
        if option is None:
            assert name in arguments | ARGUMENTS | NOT_OPTIONS, name
        elif parameter.default is not parameter.empty:
            assert (option.default or None) == (parameter.default or None), name


def test_the_page_of_commands_is_up_to_date():
    path = ROOT / "scripts" / "build_cli_docs.py"
    spec = importlib.util.spec_from_file_location("build_cli_docs", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.TARGET.read_text(encoding="utf-8") == script.render(), (
        "run python scripts/build_cli_docs.py"
    )


def test_version(run):
    assert run("--version").stdout == f"gsfm {__version__}\n"


def test_no_command_shows_help_and_is_wrong_usage(run):
    assert run().exit_code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("complet", "No such command 'complet'. Did you mean 'complete'?; see gsfm --help"),
        ("--nope", "No such option: --nope; see gsfm --help"),
        ("complete", "give genes, a file of them, or - for stdin; see gsfm complete --help"),
        ("train", "Missing option '-o' / '--output'; see gsfm train --help"),
        ("models describe a b", "Got unexpected extra argument(s) (b); see gsfm models describe"),
        ("enrich TP53 --method y", "Invalid value for '--method': 'y' is not one of 'combined', "),
        ("complete TP53 --file", "Option '--file' requires an argument; see gsfm"),
    ],
)
def test_wrong_usage_is_one_line(run, words, message):
    result = run(*words.split())
    assert result.exit_code == 2
    assert result.stderr.startswith(f"gsfm: {message}")
    assert result.stderr.endswith(" --help\n")
    assert result.stderr.count("\n") == 1


def test_models_list_and_describe(run, folder, model):
    listed = pl.read_csv(io.StringIO(run("models", "list", "--csv").stdout))
    assert "linear" in listed["name"].to_list()
    described = pl.read_csv(io.StringIO(run("models", "describe", folder, "--csv").stdout))
    values = dict(described.iter_rows())
    assert values["family"] == "linear"
    assert values["genes"] == str(len(model.vocabulary))
    assert values["corpus.sets"] == "150"


@pytest.mark.parametrize("error", [GsfmError("what is wrong"), OSError(2, "not there", "a.txt")])
def test_errors_in_one_line(run, monkeypatch, error):
    def fail(folder):
        raise error

    monkeypatch.setattr("gsfm.models.load", fail)
    result = run("models", "describe")
    assert result.exit_code == 1
    assert result.stderr in ("gsfm: what is wrong\n", "gsfm: a.txt: not there\n")


def test_a_bug_is_not_hidden(run, monkeypatch):
    def fail(folder):
        raise ZeroDivisionError

    monkeypatch.setattr("gsfm.models.load", fail)
    assert isinstance(run("models", "describe").exception, ZeroDivisionError)


# -- true processes ----------------------------------------------------------------------------


def _gsfm(*arguments: str, **options):
    return subprocess.run([*GSFM, *arguments], capture_output=True, text=True, **options)


def test_a_process_reads_stdin_and_writes_stdout(folder):
    result = _gsfm(
        "complete", "-", "--model", folder, "--top", "2", "--csv", input="p53\nBAX\nnonsense\n"
    )
    assert result.returncode == 0
    assert result.stdout.startswith("rank,symbol,name,score,z_score\n1,")
    assert len(result.stdout.splitlines()) == 3
    assert "unmapped (1): nonsense" in result.stderr


def test_a_process_fails_in_one_line(folder):
    result = _gsfm("complete", "nonsense", "--model", folder)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("gsfm: no gene of the set is known")
    assert len(result.stderr.splitlines()) == 1


def test_a_reader_that_goes_away_is_no_traceback(folder):
    # A pipe that is closed before anything is written to it.
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [*GSFM, "complete", "TP53", "--model", folder, "--json"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    assert process.returncode == 141
    assert "Traceback" not in process.stderr
    assert "BrokenPipe" not in process.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_ctrl_c_is_exit_code_130(folder, tmp_path):
    # stdin never ends, so that the command waits for it after the other file.
    path = tmp_path / "genes.txt"
    path.write_text("TP53\n")
    process = subprocess.Popen(
        [*GSFM, "complete", "--file", str(path), "--file", "-", "--model", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert str(path) in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in stderr


def test_streams_that_the_caller_closed(folder):
    command = " ".join(f'"{part}"' for part in (*GSFM, "complete", "--model", folder))
    for what, code in (("- <&-", 1), ("TP53 >&-", 0), ("TP53 2>&-", 0)):
        done = subprocess.run(f"{command} {what}", shell=True, capture_output=True, text=True)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False)


def test_completing_needs_no_torch_and_no_other_command(folder):
    code = (
        "import sys\n"
        "from gsfm.cli import main\n"
        f"sys.argv = ['gsfm', 'complete', 'TP53', '--model', {folder!r}, '--json']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as exit:\n"
        "    assert not exit.code, exit.code\n"
        "unwanted = {'torch', 'pandas', 'rich.table', 'matplotlib', 'gsfm.corpus',"
        " 'gsfm.models.trainer', 'gsfm.cli.train', 'gsfm.cli.genes'}\n"
        "print(sorted(unwanted & set(sys.modules)), file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines()[-1] == "[]"


# -- files -------------------------------------------------------------------------------------

TABLE = pl.DataFrame({"symbol": ["TP53", "=1+2"], "score": [0.5, 2.0], "genes": [["A", "B"], []]})
READERS = {
    ".csv": pl.read_csv,
    ".tsv": lambda path: pl.read_csv(path, separator="\t"),
    ".json": pl.read_json,
    ".xlsx": pl.read_excel,
    ".parquet": pl.read_parquet,
}


@pytest.mark.parametrize("suffix", READERS)
def test_the_suffix_of_a_file_is_its_format(tmp_path, suffix):
    path = tmp_path / f"found{suffix}"
    emit(TABLE, Form.of(output=path))
    keeps_lists = suffix in (".json", ".parquet")
    wanted = TABLE if keeps_lists else TABLE.with_columns(pl.col("genes").list.join("|"))
    assert READERS[suffix](path).fill_null("").equals(wanted)


@pytest.mark.parametrize("name", ["x.png", "x", "x.csv.gz", "x.npz"])
def test_a_file_of_another_suffix_is_not_written(run, folder, tmp_path, name):
    result = run("complete", "TP53", "--model", folder, "-o", str(tmp_path / name))
    assert result.exit_code == 2
    assert "the suffix must be one of .csv, .tsv, .txt, .tab, .json, .xlsx, .pa" in result.stderr
    assert not list(tmp_path.iterdir())


def test_no_folder_is_made_for_a_file(run, folder, tmp_path):
    path = tmp_path / "none" / "deeper" / "x.csv"
    for command in (("complete", "TP53", "--model", folder), ("corpus", "build", "none.gmt")):
        result = run(*command, "-o", str(path))
        assert result.exit_code == 1
        assert result.stderr == f"gsfm: {path}: there is no folder {path.parent}\n"
    assert not list(tmp_path.iterdir())


def test_a_file_of_a_chosen_format_may_have_any_name(run, folder, tmp_path):
    path = tmp_path / "found"
    assert run("complete", "TP53", "--model", folder, "--csv", "-o", str(path)).exit_code == 0
    printed = run("complete", "TP53", "--model", folder, "--csv", "-o", "-").stdout
    assert path.read_text() == printed


def test_a_cell_that_a_workbook_cannot_hold_is_an_error(tmp_path):
    path = tmp_path / "found.xlsx"
    with pytest.raises(GsfmError, match="genes: a cell of a workbook holds 32,767 characters"):
        emit(pl.DataFrame({"genes": ["A" * 40_000]}), Form.of(output=path))
    assert not list(tmp_path.iterdir())


# -- tables ------------------------------------------------------------------------------------


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_table_in_a_terminal_is_drawn(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    stream = _Terminal()
    show(pl.DataFrame({"symbol": ["TP53"], "score": [0.123456]}), title="Genes", stream=stream)
    assert "\u2500" in stream.getvalue()
    assert "0.1235" in stream.getvalue()
    assert "Genes" in stream.getvalue()


def test_a_terminal_is_never_given_control_characters():
    table = pl.DataFrame({"symbol": ["\x1b[31mred", "[bold]x[/bold]"]})
    for stream in (_Terminal(), io.StringIO()):
        show(table, stream=stream)
        assert "\x1b[31m" not in stream.getvalue()
        assert "[bold]x[/bold]" in stream.getvalue()


def test_note_keeps_lines_and_drops_control_characters(capsys):
    note("one\ntwo \x1b[2Jthree")
    assert capsys.readouterr().err == "one\ntwo \N{REPLACEMENT CHARACTER}[2Jthree\n"


def test_emit_knows_one_format_at_a_time(capsys):
    table = pl.DataFrame({"symbol": ["TP53"], "aliases": [["a", "b"]], "x": [float("nan")]})
    with pytest.raises(typer.BadParameter):
        Form.of(json=True, tsv=True)
    emit(table, Form.of(json=True))
    assert '"x": null' in capsys.readouterr().out
    emit(table, Form.of(tsv=True))
    assert capsys.readouterr().out == "symbol\taliases\tx\nTP53\ta|b\tNaN\n"


ESCAPES = "\x1b]0;title\x07\x1b[31mred"


@pytest.mark.parametrize(
    "arguments",
    [
        ("complete", "-f", f"{ESCAPES}.txt"),
        ("complete", ESCAPES),
        ("complete", "TP53", "--top", ESCAPES),
        ("sets", "describe", f"{ESCAPES}.gmt"),
        (ESCAPES,),
    ],
)
def test_no_control_character_reaches_the_terminal(arguments, run, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{ESCAPES}.txt").write_text(f"X{ESCAPES}\n")
    (tmp_path / f"{ESCAPES}.gmt").write_text(f"{ESCAPES}\td\t{ESCAPES}\tTP53\n")
    model = ["--model", folder] if arguments[0] == "complete" else []
    found = run(*arguments, *model)
    assert found.stderr
    assert not {c for c in found.stderr + found.stdout if ord(c) < 32} - {"\n"}


def test_formulas_for_a_spreadsheet(run, tmp_path):
    (tmp_path / "a.csv").write_text("name,gene\na,TP53\n")
    found = run("genes", "resolve", "=cmd", "TP53", "--csv", "--spreadsheet")
    assert "\n'=cmd," in found.stdout
