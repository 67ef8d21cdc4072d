"""Gene vectors as a method: GenePT, gene2vec, scGPT and similar ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

import gsfm.genes
from gsfm.benchmark.methods import Cost, Method
from gsfm.benchmark.questions import Questions
from gsfm.benchmark.vector_files import ADVICE, Floats, Table, read_vectors
from gsfm.errors import FormatError, count
from gsfm.genes import Resolution, Species, Vocabulary
from gsfm.sets.files import stem


@dataclass(frozen=True, eq=False)
class EmbeddingReport:
    """How the rows of a table of gene vectors were read."""

    file: str
    rows: int
    dimensions: int
    resolution: Resolution  # of the identifiers
    zero: int  # rows of mapped genes that were excluded because they are all zeros
    not_finite: int  # or because they have a value that is not finite
    merged: int  # rows that were averaged with another row of the same gene
    cancelled: int  # genes excluded because their rows average to zero
    genes: int  # with a vector
    ignored: tuple[str, ...] = ()  # columns that are neither identifiers nor numbers of a vector

    def summary(self) -> str:
        """A few lines of text.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "two.csv"
        >>> _ = path.write_text("gene,0,1\\np53,1,0\\nTP53,0,1\\nMDM2,0,0\\nwho,1,1\\n")
        >>> print(Embedding.read(path).report.summary())
        two.csv: 4 rows of 2 numbers; 1 gene has a vector
        excluded: 1 row of zeros
        averaged: 2 rows of genes with several
        3 of 4 identifiers are known genes (2 distinct): 2 approved, 1 alias
        unmapped (1): who
        """
        have = "gene has" if self.genes == 1 else "genes have"
        shape = f"{count(self.rows, 'row')} of {count(self.dimensions, 'number')}"
        excluded = (
            (self.zero, "row", "of zeros"),
            (self.not_finite, "row", "with a value that is not a number"),
            (self.cancelled, "gene", "whose rows average to zero"),
        )
        parts = [f"{count(n, noun)} {why}" for n, noun, why in excluded if n]
        text = [
            f"{self.file}: {shape}; {self.genes:,} {have} a vector",
            f"excluded: {', '.join(parts)}" if parts else "",
            f"averaged: {count(self.merged, 'row')} of genes with several" if self.merged else "",
            f"columns not used: {', '.join(self.ignored)}" if self.ignored else "",
            self.resolution.summary(),
        ]
        return "\n".join(filter(None, text))

    def to_dict(self) -> dict[str, Any]:
        """The counts; JSON-serializable."""
        counts = ("rows", "dimensions", "genes", "zero", "not_finite", "merged", "cancelled")
        return {
            "file": self.file,
            **{name: getattr(self, name) for name in counts},
            "identifiers": dict(self.resolution.counts),
            "ignored": list(self.ignored),
        }


class Embedding(Method):
    r"""Gene vectors as a method: the score is the mean cosine with the genes shown.

    .. math:: s_j = \frac{1}{|S|} \sum_{i \in S} \frac{v_i \cdot v_j}{|v_i| |v_j|}

    Parameters
    ----------
    name
        Name in the report.
    genes
        The genes, by approved symbol.
    vectors
        (genes, dimensions) their vectors.
    report
        How the rows of the file were read, if there is a file.

    Raises
    ------
    ValueError
        If there is not one vector for each gene, or one is all zeros or not finite.

    Examples
    --------
    >>> import polars as pl
    >>> from gsfm.sets import GeneSets
    >>> genes = Vocabulary(["A", "B", "C"])
    >>> questions = Questions(
    ...     "half-split",
    ...     genes,
    ...     shown=GeneSets.from_lists([["A"]], vocabulary=genes),
    ...     hidden=GeneSets.from_lists([["B"]], vocabulary=genes),
    ...     table=pl.DataFrame({"term": ["a term"], "split": [0], "k": [None]}),
    ... )
    >>> Embedding("mine", genes, [[1, 0], [3, 4], [0, 9]]).score(questions, slice(0, 1))
    array([[1. , 0.6, 0. ]], dtype=float32)
    """

    kind = "gene vectors, mean cosine"

    def __init__(
        self,
        name: str,
        genes: Vocabulary,
        vectors: ArrayLike,
        report: EmbeddingReport | None = None,
    ) -> None:
        table = np.asarray(vectors, np.float32)
        if table.ndim != 2 or len(table) != len(genes) or not table.shape[1]:
            raise ValueError("vectors must be one row of numbers a gene")
        bad = ~np.isfinite(table).all(axis=1) | ~table.any(axis=1)
        if bad.any():
            gene = genes[int(np.argmax(bad))]
            raise ValueError(f"the vector of {gene!r} is all zeros or not finite")
        self.name = name
        self.report = report
        self._genes = genes
        self._unit = _unit(table)  # (genes, dimensions)
        self._gathered: tuple[NDArray[np.int32], Floats] | None = None

    @classmethod
    def read(
        cls, path: str | Path, name: str | None = None, *, species: Species | None = None
    ) -> Self:
        """Read a table of gene vectors.

        The formats are Parquet (columns of numbers, or one of lists), CSV and TSV (with or without
        a header; the genes in a column ``gene``, ``symbol``, ``Ensembl ID``, ... or in the first
        column), the text files of word2vec and gene2vec, NPZ (an array of names and one of
        vectors), and safetensors with a ``vocab.txt`` in the same folder. Text may be compressed
        with gzip, zstd or zip. Pickles are refused.

        The identifiers may be of any kind that `gsfm.genes.resolve` maps. All columns of numbers
        are parts of the vectors, except ids and row numbers. Rows of the same gene are averaged;
        rows of zeros or with a missing value are excluded. `report` counts them.

        Parameters
        ----------
        path
            The file.
        name
            Name in the report; the file's name if None.
        species
            Species of the identifiers, for symbols that differ between species.

        Raises
        ------
        FormatError
            If the format is another, the rows differ in length, or the file has no number or no
            known gene.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "small.txt"
        >>> _ = path.write_text("3 2\\nTP53 0.5 1.0\\nMDM2 0.5 0.9\\nEGFR -1.0 0.1\\n")
        >>> Embedding.read(path).vocabulary.symbols
        ('EGFR', 'MDM2', 'TP53')
        """
        path = Path(path)
        table = read_vectors(path)
        if not table.vectors.shape[1] or not len(table.vectors):
            raise FormatError(path, f"there are no numbers in it; {ADVICE}")
        genes, vectors, report = _by_gene(path, table, species)
        embedding = cls(stem(path) if name is None else name, genes, vectors, report)
        embedding.cost = Cost(size_bytes=path.stat().st_size)
        return embedding

    @property
    def vocabulary(self) -> Vocabulary:
        """The genes that have a vector."""
        return self._genes

    def score(self, questions: Questions, rows: slice) -> Floats:
        """(n, background) float32 mean cosines; 0 where no gene is shown."""
        unit = self._of(questions.background)  # (background, dimensions)
        shown = questions.shown[rows]
        sizes = np.maximum(shown.sizes, 1).astype(np.float32)
        # The mean of the cosines is the product with the mean of the unit vectors.
        mean = (shown.to_csr() @ unit) / sizes[:, None]  # (n, dimensions)
        return np.asarray(mean @ unit.T, np.float32)

    def _of(self, background: Vocabulary) -> Floats:
        """(background, dimensions) the unit vectors of its genes."""
        columns = self.columns(background)
        if self._gathered is None or self._gathered[0] is not columns:
            self._gathered = columns, self._unit[columns]
        return self._gathered[1]


def _by_gene(
    path: Path, table: Table, species: Species | None
) -> tuple[Vocabulary, Floats, EmbeddingReport]:
    """One vector for each gene, from the rows that are finite and not all zeros."""
    if _are_row_numbers(table.identifiers):
        reason = "its rows are numbered, not named; if its columns are genes, transpose it"
        raise FormatError(path, f"{reason}; {ADVICE}")
    resolution = gsfm.genes.resolve(table.identifiers, species=species)
    known = resolution.table["symbol"].is_not_null().to_numpy()
    if not known.any():
        first = ", ".join(str(name) for name in table.identifiers[:3])
        many = count(len(known), "identifier")
        raise FormatError(path, f"none of its {many} ({first}, ...) is a known gene; {ADVICE}")
    finite, zero = np.isfinite(table.vectors).all(axis=1), ~table.vectors.any(axis=1)
    rows = np.flatnonzero(known & finite & ~zero)
    symbols = resolution.table["symbol"].gather(rows)
    genes = Vocabulary(symbols.unique().sort())
    owner = genes.ids(symbols)  # of each row
    times = np.bincount(owner, minlength=len(genes))
    # Summed, then divided: rows that are each other's opposite give exactly zero.
    one = np.ones(len(rows), np.float32)
    of_gene = sp.csr_array((one, (owner, rows)), shape=(len(genes), len(known)))
    vectors: Floats = (of_gene @ table.vectors) / times[:, None].astype(np.float32)
    left = vectors.any(axis=1)
    if not left.any():
        raise FormatError(path, "no known gene in it has a vector of numbers that are not all zero")
    report = EmbeddingReport(
        path.name,
        rows=len(known),
        dimensions=vectors.shape[1],
        resolution=resolution,
        zero=int((known & zero).sum()),
        not_finite=int((known & ~finite).sum()),
        merged=int(times[times > 1].sum()),
        cancelled=int((~left).sum()),
        genes=int(left.sum()),
        ignored=table.ignored,
    )
    return Vocabulary(genes[i] for i in np.flatnonzero(left)), vectors[left], report


def _are_row_numbers(identifiers: Sequence[Any]) -> bool:
    """Whether all identifiers are 0, 1, 2, ... or 1, 2, 3, ...: these are Entrez ids, too."""
    first = str(identifiers[0])
    if len(identifiers) < 2 or first not in ("0", "1"):
        return False
    return all(str(name) == str(i) for i, name in enumerate(identifiers, int(first)))


def _unit(vectors: Floats) -> Floats:
    """Rows of length 1; the largest entry first becomes 1, so that no square is out of range."""
    scaled = vectors / np.abs(vectors).max(axis=1, keepdims=True)
    return np.asarray(scaled / np.linalg.norm(scaled, axis=1, keepdims=True), np.float32)
