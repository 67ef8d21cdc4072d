"""The folders of the user: data that they add, and a cache that may be deleted."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """Return the folder for added data: ``GSFM_HOME``, or the platform's folder for user data.

    On Linux this is ``gsfm`` in ``XDG_DATA_HOME``, or in ``~/.local/share``.

    Examples
    --------
    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, GSFM_HOME="/data/gsfm"):
    ...     print(data_folder(), cache_folder())
    /data/gsfm /data/gsfm/cache
    """
    home = os.environ.get("GSFM_HOME")
    return Path(home) if home else platformdirs.user_data_path("gsfm", appauthor=False)


def cache_folder() -> Path:
    """Return the folder for cached results: ``cache`` in ``GSFM_HOME``, or the platform's cache.

    On Linux this is ``gsfm`` in ``XDG_CACHE_HOME``, or in ``~/.cache``.
    """
    home = os.environ.get("GSFM_HOME")
    return Path(home, "cache") if home else platformdirs.user_cache_path("gsfm", appauthor=False)
