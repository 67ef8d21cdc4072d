"""Understudied genes, biomarkers and targets, each with its reason."""

from gsfm.analysis.discover.few_papers import Understudied, understudied
from gsfm.analysis.discover.members import Discovery, biomarkers, targets

__all__ = ["Discovery", "Understudied", "biomarkers", "targets", "understudied"]
