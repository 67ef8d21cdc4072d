"""Download of files: atomic, resumed after an interruption, and not too many at once.

Between two requests to the same server there is a pause. A server that asks for patience (429 or
503 with ``Retry-After``) is asked again, up to `_RETRIES` times.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from gsfm.errors import GsfmError
from gsfm.io.files import sha256_file, usual_permissions

_NETWORK = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)

#: Seconds to wait for a response, and for each further part of it.
_TIMEOUT = 60
#: Seconds between two requests to the same server, and the longest wait that a server may ask for.
_PAUSE, _PATIENCE = 0.5, 120.0
_RETRIES = 3
_BUSY = (http.client.TOO_MANY_REQUESTS, http.client.SERVICE_UNAVAILABLE)
#: The time of the last request to each server.
_last: dict[str, float] = {}


def fetch(url: str, path: str | Path, *, sha256: str | None = None) -> Path:
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
    part, note = (path.with_name(f".{path.name}.{suffix}") for suffix in ("part", "part.json"))
    try:
        _receive(url, part, note)
        note.unlink(missing_ok=True)
        if sha256 is not None and (found := sha256_file(part)) != sha256.lower():
            raise GsfmError(f"{url} is another file than expected: its SHA-256 is {found}")
        usual_permissions(part)
        part.replace(path)
    except _NETWORK as error:
        advice = "fetch it by other means and use the file instead"
        if note.exists() and part.exists():
            advice = "try again to resume the download"
        reason = getattr(error, "reason", None) or error
        raise GsfmError(f"could not fetch {url} ({reason}): {advice}") from error
    finally:
        if not (note.exists() and part.exists()):
            _remove(part, note)
    return path


def _remove(part: Path, note: Path) -> None:
    part.unlink(missing_ok=True)
    note.unlink(missing_ok=True)


def _open(request: urllib.request.Request) -> Any:
    """Open an address, after a pause; again if the server asks for it."""
    server = urllib.parse.urlsplit(request.full_url).netloc
    for remaining in range(_RETRIES, -1, -1):
        if server:
            time.sleep(max(0.0, _last.get(server, -_PAUSE) + _PAUSE - time.monotonic()))
            _last[server] = time.monotonic()
        try:
            return urllib.request.urlopen(request, timeout=_TIMEOUT)
        except urllib.error.HTTPError as error:
            seconds = error.headers.get("Retry-After", "")
            if error.code not in _BUSY or not seconds.isdigit() or not remaining:
                raise
            if float(seconds) > _PATIENCE:
                raise
            error.close()
            time.sleep(float(seconds))
    raise AssertionError  # the last attempt returns or raises


def _receive(url: str, part: Path, note: Path) -> None:
    """Download a file, or the rest of it, to `part`; `note` has its address and version."""
    try:
        request = urllib.request.Request(url)
    except ValueError as error:
        raise GsfmError(f"{url!r} is not an address: {error}") from error
    start = 0
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        about = json.loads(note.read_text(encoding="utf-8"))
        if about["url"] == url:
            # A server that has another version by now sends the whole file.
            request.add_header("If-Range", about["version"])
            start = part.stat().st_size
            request.add_header("Range", f"bytes={start}-")
    if not start:
        _remove(part, note)
    try:
        response = _open(request)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        response = _open(urllib.request.Request(url))
    with response:
        if getattr(response, "status", None) != http.client.PARTIAL_CONTENT:
            start = 0
            _remove(part, note)
        # The version as the server names it; a weak ETag cannot be resumed.
        tag = response.headers.get("ETag", "W/")
        version = response.headers.get("Last-Modified") if tag.startswith("W/") else tag
        if version:
            note.write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")
        with part.open("ab") as stream:
            shutil.copyfileobj(response, stream, 1 << 20)
            received = stream.tell() - start
        expected = response.headers.get("Content-Length")
        if expected is not None and received != int(expected):
            raise ConnectionError(f"{received} of {expected} bytes received")
