"""Parquet and workbooks are read in this process: a child for each would take a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gsfm.io import child


@pytest.fixture(scope="module", autouse=True)
def in_this_process() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "_answer", lambda job, held: child.work(job))
        yield
