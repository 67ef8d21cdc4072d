"""Fetch a file from where it is published: whole or not at all, on from where it broke off."""

from __future__ import annotations

import http.client
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from gsfm.errors import GsfmError
from gsfm.io.files import sha256_file, usual_permissions

_NETWORK = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


def fetch(url: str, path: str | Path, *, sha256: str | None = None, timeout: float = 60) -> Path:
    """Fetch `url` into the file `path`.

    What has come of a file when the connection breaks off is kept beside `path`, if the server
    names the version of the file (``ETag`` or ``Last-Modified``); the next call goes on from there
    as long as the server still has that version.

    Parameters
    ----------
    url
        Where to fetch from.
    path
        The file to write.
    sha256
        The checksum that the file must have, as hex; not checked if None.
    timeout
        Seconds to wait for an answer, and for more of it.

    Raises
    ------
    GsfmError
        If the server cannot be reached, refuses, or breaks off, or the checksum is another.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "there").write_bytes(b"...")
    >>> fetch((folder / "there").as_uri(), folder / "here").read_bytes()
    b'...'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(path)
    try:
        part.load(url, timeout)
    except _NETWORK as error:
        advice = "fetch it by other means and give the file instead"
        if part.can_go_on():
            advice = "try again, to go on from there"
        reason = getattr(error, "reason", None) or error
        raise GsfmError(f"could not fetch {url} ({reason}): {advice}") from error
    finally:
        if not part.can_go_on():
            part.remove()
    if sha256 is not None and (found := sha256_file(part.file)) != sha256.lower():
        part.remove()
        raise GsfmError(f"{url} is another file than expected: its SHA-256 is {found}")
    usual_permissions(part.file)
    part.file.replace(path)
    part.remove()
    return path


class _Part:
    """What has come of a file, and a note of which version of which address it is."""

    def __init__(self, path: Path) -> None:
        self.file = path.with_name(f".{path.name}.part")
        self.note = path.with_name(f".{path.name}.part.json")
        self.whole = False

    def can_go_on(self) -> bool:
        """Whether there is anything to keep."""
        return self.whole or (self.note.exists() and self.file.exists())

    def remove(self) -> None:
        """Forget all of it."""
        self.file.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def load(self, url: str, timeout: float) -> None:
        """Load the file, or what is missing of it."""
        try:
            request = urllib.request.Request(url)
        except ValueError as error:
            raise GsfmError(f"{url!r} is not an address: {error}") from error
        start, version = self._so_far(url)
        if start and version:
            request.add_header("Range", f"bytes={start}-")
            # Whoever has another version by now answers with all of it.
            request.add_header("If-Range", version)
        try:
            answer = urllib.request.urlopen(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            self.remove()
            answer = urllib.request.urlopen(urllib.request.Request(url), timeout=timeout)
        with answer:
            if getattr(answer, "status", None) != http.client.PARTIAL_CONTENT:
                start = 0
                self.remove()
            version = _version(answer.headers.get)
            if version:
                self.note.write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")
            with self.file.open("ab") as stream:
                shutil.copyfileobj(answer, stream, 1 << 20)
                came = stream.tell() - start
            expected = answer.headers.get("Content-Length")
            if expected is not None and came != int(expected):
                raise ConnectionError(f"{came} of {expected} bytes came")
        self.whole = True

    def _so_far(self, url: str) -> tuple[int, str | None]:
        """How many bytes there are of `url`, and of which version."""
        try:
            told = json.loads(self.note.read_text(encoding="utf-8"))
            if told["url"] == url:
                return self.file.stat().st_size, told["version"]
        except (OSError, ValueError, KeyError, TypeError):
            pass
        self.remove()
        return 0, None


def _version(header: Callable[[str], str | None]) -> str | None:
    """What the server calls this version of the file; a weak ``ETag`` may not resume it."""
    tag = header("ETag")
    return tag if tag and not tag.startswith("W/") else header("Last-Modified")
