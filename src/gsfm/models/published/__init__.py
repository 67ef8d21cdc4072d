"""The architecture of Clarke et al. 2026: its form in NumPy, and how it is fitted."""

from gsfm.models.published.model import Published, PublishedConfig

__all__ = ["Published", "PublishedConfig"]
