"""Vectors of genes and gene sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gsfm.analysis.query import Query
from gsfm.completion.batches import batches
from gsfm.completion.identifiers import Ids, MappedIdentifiers, map_sets
from gsfm.completion.inputs import GenesLike, is_path
from gsfm.completion.result import Result, gene_columns
from gsfm.errors import GsfmError, MissingExtraError, check_least, count
from gsfm.genes import Species
from gsfm.io.files import atomic_path
from gsfm.models import Model, ModelLike, load_model
from gsfm.models.sparse import principal_rows
from gsfm.models.types import Floats
from gsfm.progress import Progress
from gsfm.report import json_text
from gsfm.sets import GeneSets

if TYPE_CHECKING:
    from anndata import AnnData

#: Sets whose vectors are computed at once; bounds the working memory.
SETS_AT_ONCE = 2048
#: The suffixes of vector files.
FORMATS = (".parquet", ".npz", ".h5ad", ".csv", ".tsv", ".json")

VECTOR = (
    "coordinates without a unit; compare vectors of genes with those of genes, and of sets with "
    "those of sets, by their cosine, and only within one model"
)
SET_COLUMNS = {
    "genes": "identifiers of the set",
    "in_model": "genes of the set that the model knows",
}


class Vectors(Result):
    """The vectors of genes or of sets.

    Attributes
    ----------
    table
        One row a vector: ``symbol`` and ``name`` of a gene; ``set``, ``genes`` and ``in_model`` of
        a set.
    vectors
        (n, dimensions) float32, in the order of the table.
    """

    def __init__(
        self,
        table: pl.DataFrame,
        provenance: dict[str, Any],
        mapped: MappedIdentifiers,
        vectors: Floats,
    ) -> None:
        super().__init__(table, provenance, mapped)
        self.vectors = vectors

    def frame(self) -> pl.DataFrame:
        """The table with the vectors in the columns ``v1``, ``v2``, ..."""
        vectors = pl.DataFrame(self.vectors, schema=self._dimensions(), orient="row")
        return self.table.hstack(vectors)

    def _dimensions(self) -> list[str]:
        return [f"v{i + 1}" for i in range(self.vectors.shape[1])]

    def to_dict(self) -> dict[str, Any]:
        """The result for JSON; each of the ``results`` has its ``vector``, a list."""
        whole = super().to_dict()
        for row, vector in zip(whole["results"], self.vectors, strict=True):
            row["vector"] = vector.tolist()
        return whole

    def to_anndata(self) -> AnnData:
        """The vectors as an `anndata.AnnData`: an observation a gene or set; needs anndata."""
        try:
            import anndata
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("AnnData", "scverse") from error
        names, *columns = self.table.iter_columns()
        obs = {one.name: ["" if v is None else v for v in one.to_list()] for one in columns}
        return anndata.AnnData(
            self.vectors.copy(),
            obs=pd.DataFrame(obs, index=pd.Index(names.to_list(), dtype=object)),
            var=pd.DataFrame(index=self._dimensions()),
            uns={"gsfm": json_text(self.provenance)},
        )

    def save(self, path: str | Path) -> None:
        """Write the vectors to a file, in the format of its suffix.

        Parameters
        ----------
        path
            ``.parquet``, ``.csv`` or ``.tsv``, one column a dimension; ``.npz`` with the arrays
            ``names``, ``vectors`` and ``provenance`` (JSON); ``.h5ad``, AnnData; ``.json``.

        Raises
        ------
        GsfmError
            If the suffix is another, or anndata is needed and not installed.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in FORMATS:
            raise GsfmError(f"cannot write {path.name}: choose an ending of {', '.join(FORMATS)}")
        about = json_text(self.provenance)
        with atomic_path(path) as temporary:
            if suffix == ".h5ad":
                self.to_anndata().write_h5ad(temporary)
            elif suffix == ".parquet":
                self.frame().write_parquet(temporary, metadata={"gsfm": about})
            elif suffix == ".npz":
                names = np.array(self.table.to_series(0).to_list(), dtype=str)
                np.savez_compressed(
                    temporary, names=names, vectors=self.vectors, provenance=np.array(about)
                )
            elif suffix == ".json":
                temporary.write_text(json_text(self.to_dict()), encoding="utf-8")
            else:
                self.frame().write_csv(temporary, separator="," if suffix == ".csv" else "\t")

    def _headline(self) -> str:
        n, d = self.vectors.shape
        size = f"{count(n, 'vector')} of {count(d, 'number')}"
        return f"{size}; model {self.provenance['model']['name']}"


def embed(
    genes: GenesLike | None = None,
    *,
    dimensions: int | None = None,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Vectors:
    """Return the model's vectors of genes, or of gene sets.

    Parameters
    ----------
    genes
        Genes: identifiers of any kind, each gene once in the order of the first; all genes of the
        model if None. Or gene sets, whose members are identifiers of any kind: a `GeneSets`, or a
        mapping of names to lists.
    dimensions
        Length of the vectors: the leading directions over all genes of the model, or over the sets,
        which keep the products of vectors best. The model's own length if None.
    model, species, progress
        As in `complete`.

    Returns
    -------
    Vectors
        One row of ``table`` and one row of ``vectors`` for each gene or set. A set without a gene
        known to the model has the vector of an empty set; its ``in_model`` is 0.

    Raises
    ------
    UnknownGenesError
        If the model knows none of the genes, or no gene of any set.
    ValueError
        If `dimensions` is out of its range.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> corpus = [["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2", "GRB2"]] * 5
    >>> model = Linear(dimensions=4).fit(GeneSets.from_lists(corpus))
    >>> found = embed(["p53", "EGFR"], model=model)
    >>> found.table["symbol"].to_list(), found.vectors.shape
    (['TP53', 'EGFR'], (2, 4))
    >>> mine = GeneSets.from_lists({"arrest": ["p53", "CDKN1A"], "growth": ["EGFR", "nonsense"]})
    >>> found = embed(mine, model=model)
    >>> found.table.rows(), found.unmapped
    ([('arrest', 2, 2), ('growth', 2, 1)], ['nonsense'])
    """
    if isinstance(genes, Mapping):
        genes = GeneSets.from_lists(genes)
    if isinstance(genes, str) and not is_path(genes):
        raise TypeError(f"give a list of genes, [{genes!r}], or gene sets, gsfm.sets.read(...)")
    model = load_model(model)
    if isinstance(genes, GeneSets):
        mapped, members = map_sets(model.vocabulary, genes, species)
        query = Query(model, mapped)
        vectors = _shortened(set_vectors(model, members, progress), dimensions)
        table = pl.DataFrame(
            {
                "set": genes.metadata["name"].cast(pl.String),
                "genes": genes.sizes,
                "in_model": np.array([len(ids) for ids in members], np.int64),
            }
        )
        about: dict[str, Any] = {"task": "embed sets", "sets": len(genes), **genes.files}
    else:
        query = Query.of(model, species, genes=genes)
        ids: Ids = np.arange(len(model.vocabulary), dtype=np.int32)
        if genes is not None:
            query.genes("genes", what="the genes")
            known = query.mapped.ids[query.mapped.ids >= 0]
            ids = known[np.sort(np.unique(known, return_index=True)[1])]
        vectors = _shortened(model.embed_genes(), dimensions)[ids]
        table = pl.DataFrame(gene_columns(model.vocabulary, ids))
        about = {"task": "embed genes"}
    about["dimensions"] = vectors.shape[1]
    parts, beside = {"vectors": vectors}, {"vector": VECTOR}
    return query.result(
        Vectors, table=table, columns=SET_COLUMNS, beside=beside, parts=parts, **about
    )


def set_vectors(model: Model, sets: Sequence[Ids], progress: Progress | None = None) -> Floats:
    """(n, dimensions) the vectors of sets of gene ids."""
    rows = batches(len(sets), SETS_AT_ONCE, "embedding sets", progress)
    return np.concatenate([model.embed_sets(sets[part]) for part in rows])


def _shortened(vectors: Floats, dimensions: int | None) -> Floats:
    if dimensions is None:
        return vectors
    check_least(1, dimensions=dimensions)
    if dimensions > vectors.shape[1]:
        raise ValueError(f"dimensions must be 1 to {vectors.shape[1]}, not {dimensions}")
    return principal_rows(vectors, dimensions)
