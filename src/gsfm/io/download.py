"""Download of files: atomic, and resumed after an interruption."""

from __future__ import annotations

import contextlib
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
    """Download `url` to the file `path`.

    If the connection is lost, the received part is stored beside `path`, provided that the server
    names the version of the file (``ETag`` or ``Last-Modified``). The next call resumes the
    download if the server still has that version.

    Parameters
    ----------
    url
        Address of the file.
    path
        The file to write.
    sha256
        Expected SHA-256 checksum of the file, as hex; not checked if None.
    timeout
        Seconds to wait for a response, and for each further part of it.

    Raises
    ------
    GsfmError
        If the server cannot be reached, refuses, or closes the connection, or if the checksum does
        not match.

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
        advice = "fetch it by other means and use the file instead"
        if part.can_resume():
            advice = "try again to resume the download"
        reason = getattr(error, "reason", None) or error
        raise GsfmError(f"could not fetch {url} ({reason}): {advice}") from error
    finally:
        if not part.can_resume():
            part.remove()
    if sha256 is not None and (found := sha256_file(part.file)) != sha256.lower():
        part.remove()
        raise GsfmError(f"{url} is another file than expected: its SHA-256 is {found}")
    usual_permissions(part.file)
    part.file.replace(path)
    part.remove()
    return path


class _Part:
    """The received part of a file, and a note of its address and version."""

    def __init__(self, path: Path) -> None:
        self.file = path.with_name(f".{path.name}.part")
        self.note = path.with_name(f".{path.name}.part.json")
        self.complete = False

    def can_resume(self) -> bool:
        """Whether the part is worth storing."""
        return self.complete or (self.note.exists() and self.file.exists())

    def remove(self) -> None:
        """Delete the part and the note."""
        self.file.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def load(self, url: str, timeout: float) -> None:
        """Load the file, or the rest of it."""
        try:
            request = urllib.request.Request(url)
        except ValueError as error:
            raise GsfmError(f"{url!r} is not an address: {error}") from error
        start, version = self._so_far(url)
        if start and version:
            request.add_header("Range", f"bytes={start}-")
            # A server that has another version by now sends the whole file.
            request.add_header("If-Range", version)
        try:
            response = urllib.request.urlopen(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            self.remove()
            response = urllib.request.urlopen(url, timeout=timeout)
        with response:
            if getattr(response, "status", None) != http.client.PARTIAL_CONTENT:
                start = 0
                self.remove()
            if version := _version(response.headers.get):
                self.note.write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")
            with self.file.open("ab") as stream:
                shutil.copyfileobj(response, stream, 1 << 20)
                received = stream.tell() - start
            expected = response.headers.get("Content-Length")
            if expected is not None and received != int(expected):
                raise ConnectionError(f"{received} of {expected} bytes received")
        self.complete = True

    def _so_far(self, url: str) -> tuple[int, str | None]:
        """How many bytes of `url` there are, and of which version."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            note = json.loads(self.note.read_text(encoding="utf-8"))
            if note["url"] == url:
                return self.file.stat().st_size, note["version"]
        self.remove()
        return 0, None


def _version(header: Callable[[str], str | None]) -> str | None:
    """The version of the file as the server names it; a weak ``ETag`` cannot be resumed."""
    tag = header("ETag")
    return tag if tag and not tag.startswith("W/") else header("Last-Modified")
