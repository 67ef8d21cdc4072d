"""The progress bar of commands, on a terminal and elsewhere."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import sys
import time

import pytest

from gsfm import GeneSets
from gsfm import progress as progress_module
from gsfm.analysis import annotate, enrich
from gsfm.models import Linear
from gsfm.progress import Bar

pty = pytest.importorskip("pty")  # not on Windows


@pytest.fixture
def terminal(monkeypatch):
    """A terminal, and what was written to it; a second is short here."""
    monkeypatch.setattr(progress_module, "PATIENCE", 0.05)
    monkeypatch.setattr(progress_module, "EVERY", 0.01)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:

        def written() -> str:
            stream.write("\n")  # so that there is something to read
            stream.flush()
            return os.read(ours, 1 << 16).decode().removesuffix("\r\n")

        yield stream, written
    os.close(ours)


def test_long_work_is_shown_on_a_terminal_and_removed(terminal):
    stream, written = terminal
    with Bar("reading", stream) as progress:
        time.sleep(0.2)
        progress("scoring the sets", 1, 4)
        time.sleep(0.2)
    text = written()
    assert "\r\x1b[2Kreading: 0 s" in text
    assert re.search(r"\[#{5}-{15}\] scoring the sets: 25%, \d+ s left", text)
    assert text.endswith("\r\x1b[2K")


def test_short_work_is_not_shown(terminal, monkeypatch):
    monkeypatch.setattr(progress_module, "PATIENCE", 1.0)
    stream, written = terminal
    with Bar("reading", stream) as progress:
        progress("scoring the sets", 1, 2)
    assert written() == ""


def test_nothing_is_shown_elsewhere(monkeypatch):
    monkeypatch.setattr(progress_module, "PATIENCE", 0.0)
    stream = io.StringIO()
    with Bar("reading", stream) as progress:
        progress("scoring the sets", 1, 2)
        time.sleep(0.05)
    assert stream.getvalue() == ""


def test_an_error_removes_the_line(terminal):
    stream, written = terminal

    def fail():
        with Bar("reading", stream):
            time.sleep(0.2)
            raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        fail()
    assert written().endswith("\r\x1b[2K")


def test_a_line_fits_a_narrow_terminal(terminal):
    fcntl = pytest.importorskip("fcntl")
    termios = pytest.importorskip("termios")
    stream, written = terminal
    fcntl.ioctl(stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
    with Bar("reading the very many terms of a library", stream):
        time.sleep(0.2)
    assert max(map(len, written().split("\r\x1b[2K"))) == 19


def test_a_terminal_that_goes_away_stops_nothing(monkeypatch):
    class Gone(io.StringIO):
        def isatty(self):
            return True

        def write(self, text):
            raise OSError("gone")

    monkeypatch.setattr(progress_module, "PATIENCE", 0.0)
    with Bar("reading", Gone()):
        time.sleep(0.05)


def test_a_command_shows_progress_on_a_terminal_only(tmp_path):
    library, model = tmp_path / "terms.gmt", tmp_path / "model"
    library.write_text("arrest\t\tTP53\tMDM2\tCDKN1A\ngrowth\t\tEGFR\tERBB2\tGRB2\n")
    Linear(regularization=1.0).fit(GeneSets.from_lists([["TP53", "MDM2", "CDKN1A"]] * 5)).save(
        model
    )
    script = "from gsfm import progress, cli; progress.PATIENCE = 0; cli.main()"
    command = [sys.executable, "-c", script, "annotate", "TP53", "--library", str(library),
               "--model", str(model), "--no-cache", "--csv"]  # fmt: skip
    piped = subprocess.run(command, capture_output=True, text=True, check=True)
    ours, theirs = pty.openpty()
    shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True)
    os.close(theirs)
    shown_text = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "\r\x1b[2Kannotate: 0 s" in shown_text
    assert shown_text.rpartition("\x1b[2K")[2].replace("\r\n", "\n") == piped.stderr
    assert "\x1b" not in piped.stderr
    assert shown.stdout == piped.stdout


def test_the_library_is_silent(capsys, monkeypatch):
    monkeypatch.setattr(progress_module, "PATIENCE", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    model = Linear(regularization=1.0).fit(GeneSets.from_lists([["TP53", "MDM2", "CDKN1A"]] * 5))
    terms = GeneSets.from_lists({"arrest": ["CDKN1A", "MDM2"], "growth": ["TP53", "MDM2"]})
    enrich(["p53"], terms, min_size=2, model=model)
    annotate("p53", terms, model=model)
    assert capsys.readouterr() == ("", "")
