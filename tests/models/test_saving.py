"""Saving of a model while others read and save it, and after a process was killed."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gsfm import GeneSets
from gsfm.io import files
from gsfm.models import Popularity, load

SETS = GeneSets.from_lists([["TP53", "MDM2"], ["TP53"]])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    Popularity().fit(SETS).save(path)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="two folders can be exchanged on Linux")
def test_a_reader_always_finds_a_model(folder: Path) -> None:
    model, done, missing = load(folder), threading.Event(), []

    def look() -> None:
        while not done.is_set():
            missing.append(not folder.exists())

    reader = threading.Thread(target=look)
    writer = threading.Thread(target=lambda: [model.save(folder) for _ in range(10)])
    reader.start()
    writer.start()
    for _ in range(10):
        model.save(folder)
    writer.join()
    done.set()
    reader.join()
    assert missing
    assert not any(missing)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_folders_of_processes_that_were_killed(folder: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine = files.own_folder(folder.parent, ".tmp-model-")
    number = mine.name.split("-")[-2]
    stale, kept = (
        mine.with_name(mine.name.replace(number, str(ended.pid)) + name) for name in ("a", "b")
    )
    stale.mkdir()
    (kept / "earlier").mkdir(parents=True)  # the only copy of a model
    load(folder).save(folder)
    assert sorted(folder.parent.iterdir()) == sorted([folder, mine, kept])
