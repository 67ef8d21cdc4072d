"""Fetching a file: whole or not at all, and on from where it broke off."""

from __future__ import annotations

import hashlib

import pytest

from gsfm import GsfmError
from gsfm.io.download import fetch

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def url(service):
    service.files["/a"] = CONTENT
    return f"{service.url}/a"


def test_a_file_comes_whole(url, tmp_path):
    path = fetch(url, tmp_path / "new" / "a", sha256=hashlib.sha256(CONTENT).hexdigest())
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["a"]


def test_it_goes_on_where_it_broke_off(service, url, tmp_path):
    service.break_after = 100_000
    for came in (100_000, 200_000):
        with pytest.raises(GsfmError, match=r"bytes received.*try again"):
            fetch(url, tmp_path / "a")
        assert (tmp_path / ".a.part").stat().st_size == came
        assert not (tmp_path / "a").exists()
    service.break_after = None
    assert fetch(url, tmp_path / "a").read_bytes() == CONTENT
    assert [part for _, part in service.requests] == [
        None,
        "bytes=100000-",
        "bytes=200000-",
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_another_version_is_fetched_from_its_start(service, url, tmp_path):
    service.break_after = 100_000
    with pytest.raises(GsfmError):
        fetch(url, tmp_path / "a")
    service.break_after = None
    service.tag, service.files["/a"] = '"2"', CONTENT[::-1]
    assert fetch(url, tmp_path / "a").read_bytes() == CONTENT[::-1]


def test_a_part_that_is_whole_or_longer_is_fetched_anew(service, url, tmp_path):
    service.break_after = 100
    with pytest.raises(GsfmError):
        fetch(url, tmp_path / "a")
    service.break_after = None
    (tmp_path / ".a.part").write_bytes(CONTENT + b"more")
    assert fetch(url, tmp_path / "a").read_bytes() == CONTENT


@pytest.mark.parametrize("tag", [None, 'W/"1"'])
def test_without_a_version_nothing_is_kept(service, url, tmp_path, tag):
    service.break_after, service.tag = 100, tag
    with pytest.raises(GsfmError, match=r"100 of 256000 bytes received.*by other means"):
        fetch(url, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_another_address_is_not_used(service, url, tmp_path):
    service.break_after = 100
    with pytest.raises(GsfmError):
        fetch(url, tmp_path / "a")
    service.break_after = None
    service.files["/b"] = b"another"
    assert fetch(f"{service.url}/b", tmp_path / "a").read_bytes() == b"another"
    assert service.requests[-1] == ("/b", None)


def test_a_wrong_checksum_leaves_nothing(url, tmp_path):
    with pytest.raises(GsfmError, match="another file than expected"):
        fetch(url, tmp_path / "a", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["{}/none", "http://127.0.0.1:9/a", "nothing"])
def test_errors_take_one_line(service, tmp_path, address):
    with pytest.raises(GsfmError) as error:
        fetch(address.format(service.url), tmp_path / "a")
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
