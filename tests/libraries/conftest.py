"""A folder of added libraries for each test, and a service on this machine."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gsfm.cli.app import app


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where libraries are added: never the folder of whoever runs the tests."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GSFM_HOME", str(folder))
    monkeypatch.setattr("gsfm.io.download._PAUSE", 0.0)
    for name in ("ENRICHR", "MSIGDB", "WIKIPATHWAYS", "GPROFILER"):
        monkeypatch.delenv(f"GSFM_{name}_URL", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return folder


@dataclass
class Service:
    """Files by path; the requests that came; how many bytes to break off after."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range
    tag: str | None = '"1"'
    break_after: int | None = None
    busy: int = 0  # how many requests are answered by 429


@pytest.fixture
def service() -> Iterator[Service]:
    state = Service()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested = self.headers.get("Range")
            state.requests.append((self.path, requested))
            if state.busy:
                state.busy -= 1
                self.send_response(429)
                self.send_header("Retry-After", "0")
                self.end_headers()
                return
            content = state.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = 0
            if requested and self.headers.get("If-Range") == state.tag:
                start = int(requested.removeprefix("bytes=").removesuffix("-"))
            if start and start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if state.tag:
                self.send_header("ETag", state.tag)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = len(content) if state.break_after is None else start + state.break_after
            self.wfile.write(content[start:end])

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def run() -> Callable[..., Result]:
    """``run("library", "list")``: exit code, stdout and stderr of a command."""

    def call(*arguments: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=stdin, prog_name="gsfm")

    return call
