"""What the tests of gene sets share."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def fast(in_this_process: None) -> None:
    """Read in this process."""
