"""Vectors of genes and sets, and the sets nearest to a set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import polars as pl

from gsfm.analysis.query import (
    PAPERS,
    Asked,
    AskedSets,
    Collection,
    Floats,
    Numbers,
    Progress,
    Source,
    collection,
)
from gsfm.completion.identifiers import Ids, Understood
from gsfm.completion.result import Result
from gsfm.errors import GsfmError, MissingExtraError
from gsfm.genes import Species
from gsfm.genes.tables import names_of
from gsfm.io.files import atomic_path
from gsfm.models import Model, ModelLike, load_model
from gsfm.models.sparse import principal_rows
from gsfm.report import json_text
from gsfm.sets import GeneSets
from gsfm.sets.overlap import p_values

if TYPE_CHECKING:
    from anndata import AnnData

#: Sets whose vectors are made at once; bounds the working memory.
SETS_AT_ONCE = 2048
#: The endings of files of vectors.
FORMATS = (".parquet", ".npz", ".h5ad", ".csv", ".tsv", ".json")

VECTOR = (
    "coordinates without a unit; vectors of genes are to be compared with those of genes, of sets "
    "with those of sets, by their cosine, and only within one model"
)
NEAREST_COLUMNS = {
    "rank": "place by what was asked for",
    "genes": "genes of the set that the model knows",
    "overlap": "genes of the set that were given",
    "jaccard": "overlap, over the genes in either",
    "p_value": "hypergeometric chance of that overlap or more, had the genes been drawn from all "
    "genes in the collection; not corrected for the number of sets",
    "model_score": "how well the model, shown the genes given, predicts the set's genes: the sum "
    "of their z-scores, less what the model says of no set at all, over the square root of their "
    "number; of a gene in both as if it were left out; about 0 for genes drawn at random, but not "
    "a test statistic",
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
        *,
        given: Understood,
        vectors: Floats,
    ) -> None:
        super().__init__(table, provenance, inputs=given.inputs, resolution=given.resolution)
        self.vectors = vectors

    def frame(self) -> pl.DataFrame:
        """The table with the vectors beside it, in the columns ``v1``, ``v2``, ..."""
        names = [f"v{i + 1}" for i in range(self.vectors.shape[1])]
        return self.table.hstack(pl.DataFrame(self.vectors, schema=names, orient="row"))

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it; each of the ``results`` has its ``vector``, a list."""
        whole = super().to_dict()
        for row, vector in zip(whole["results"], self.vectors, strict=True):
            row["vector"] = vector.tolist()
        return whole

    def to_anndata(self) -> AnnData:
        """The vectors as an `anndata.AnnData`: an observation a gene or set.

        Raises
        ------
        MissingExtraError
            If anndata is not installed.
        """
        try:
            import anndata
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("AnnData", "scverse") from error
        columns = {name: self.table[name].to_list() for name in self.table.columns}
        names = pd.Index(columns.pop(self.table.columns[0]), dtype=object)
        about = json_text(self.provenance)
        return anndata.AnnData(
            self.vectors.copy(),
            obs=pd.DataFrame(
                {k: ["" if v is None else v for v in column] for k, column in columns.items()},
                index=names,
            ),
            var=pd.DataFrame(index=[f"v{i + 1}" for i in range(self.vectors.shape[1])]),
            uns={"gsfm": about},
        )

    def save(self, path: str | Path) -> None:
        """Write the vectors to a file; its ending chooses the format.

        Parameters
        ----------
        path
            ``.parquet``, ``.csv`` or ``.tsv``, a column a dimension; ``.npz`` with the arrays
            ``names``, ``vectors`` and ``provenance`` (JSON); ``.h5ad``, AnnData; ``.json``.

        Raises
        ------
        GsfmError
            If the ending is another.
        MissingExtraError
            If anndata is needed and not installed.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending not in FORMATS:
            raise GsfmError(f"cannot write {path.name}: choose an ending of {', '.join(FORMATS)}")
        about = json_text(self.provenance)
        made = self.to_anndata() if ending == ".h5ad" else None
        with atomic_path(path) as temporary:
            if made is not None:
                made.write_h5ad(temporary)
            elif ending == ".parquet":
                self.frame().write_parquet(temporary, metadata={"gsfm": about})
            elif ending == ".npz":
                names = np.array(self.table.to_series(0).to_list(), dtype=str)
                np.savez_compressed(
                    temporary, names=names, vectors=self.vectors, provenance=np.array(about)
                )
            elif ending == ".json":
                temporary.write_text(json_text(self.to_dict()), encoding="utf-8")
            else:
                self.frame().write_csv(temporary, separator="," if ending == ".csv" else "\t")

    def _headline(self) -> str:
        n, d = self.vectors.shape
        return f"{n:,} vectors of {d} numbers; model {self.provenance['model']['name']}"


@overload
def embed(
    genes: Iterable[str] | None = None,
    *,
    dimensions: int | None = None,
    model: ModelLike = None,
    species: Species | None = None,
) -> Vectors: ...
@overload
def embed(
    genes: GeneSets,
    *,
    dimensions: int | None = None,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Vectors: ...
def embed(
    genes: Iterable[str] | GeneSets | None = None,
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
        model if None. Or gene sets, whose members are identifiers of any kind.
    dimensions
        Length of the vectors: the leading directions over all genes of the model, or over the sets,
        which keep the products of vectors best. The model's own length if None.
    model
        The model to ask: a fitted model, or a model folder; the shipped model if None.
    species
        Species of the identifiers, as in `gsfm.genes.resolve`.
    progress
        Called with the task, the number of sets done and the number of all. For sets only.

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
    if isinstance(genes, str):
        raise TypeError(f"give a list of genes, [{genes!r}], or gene sets, gsfm.sets.read(...)")
    chosen = load_model(model)
    if isinstance(genes, GeneSets):
        return _embed_sets(chosen, genes, dimensions, species, progress)
    return _embed_genes(chosen, genes, dimensions, species)


def _embed_genes(
    model: Model, genes: Iterable[str] | None, dimensions: int | None, species: Species | None
) -> Vectors:
    asked = Asked(model, species, genes=genes)
    if genes is None:
        ids: Ids = np.arange(len(model.vocabulary), dtype=np.int32)
    else:
        asked.genes("genes", what="the genes")
        known = asked.given.ids[asked.given.ids >= 0]
        ids = known[np.sort(np.unique(known, return_index=True)[1])]
    vectors = _shorter(model.embed_genes(), dimensions)[ids]
    symbols = pl.Series("symbol", [model.vocabulary[int(g)] for g in ids], dtype=pl.String)
    table = pl.DataFrame({"symbol": symbols, "name": names_of(symbols)})
    provenance = asked.provenance(
        "embed genes", dimensions=vectors.shape[1], columns={"vector": VECTOR}
    )
    return Vectors(table, provenance, given=asked.given, vectors=vectors)


def _embed_sets(
    model: Model,
    sets: GeneSets,
    dimensions: int | None,
    species: Species | None,
    progress: Progress | None,
) -> Vectors:
    asked = AskedSets(model, sets, species)
    vectors = _shorter(set_vectors(model, asked.ids, progress), dimensions)
    table = pl.DataFrame(
        {
            "set": sets.metadata["name"].cast(pl.String),
            "genes": asked.sizes,
            "in_model": np.array([len(ids) for ids in asked.ids], np.int64),
        }
    )
    provenance = asked.provenance(
        "embed sets",
        sets=len(sets),
        dimensions=vectors.shape[1],
        columns={
            "genes": "identifiers of the set",
            "in_model": "genes of it that the model knows",
            "vector": VECTOR,
        },
    )
    return Vectors(table, provenance, given=asked.given, vectors=vectors)


def set_vectors(model: Model, sets: Sequence[Ids], progress: Progress | None = None) -> Floats:
    """(n, dimensions) the vectors of sets of gene ids."""
    parts = []
    for start in range(0, len(sets), SETS_AT_ONCE):
        parts.append(model.embed_sets(sets[start : start + SETS_AT_ONCE]))
        if progress is not None:
            done = min(start + SETS_AT_ONCE, len(sets))
            progress("making the vectors", done, len(sets))
    return np.concatenate(parts)


def _shorter(vectors: Floats, dimensions: int | None) -> Floats:
    if dimensions is None:
        return vectors
    if not 1 <= dimensions <= vectors.shape[1]:
        raise ValueError(f"dimensions must be 1 to {vectors.shape[1]}, not {dimensions}")
    return principal_rows(vectors, dimensions)


class Nearest(Result):
    """The sets nearest to a set.

    Attributes
    ----------
    table
        ``rank``, ``set``, ``description``, ``year``, ``genes``, ``overlap``, ``jaccard``,
        ``p_value``, ``model_score``, ``overlap_genes`` (the symbols), ``link``.
    """

    def _headline(self) -> str:
        p = self.provenance
        return (
            f"the {len(self)} sets nearest to {p['input']['genes']} genes by {p['by']}, of "
            f"{p['among']['sets']:,} {p['among']['name']}; model {p['model']['name']}"
        )


def nearest(
    genes: Iterable[str],
    among: Source = PAPERS,
    *,
    by: Literal["overlap", "model"] = "overlap",
    top: int | None = 20,
    model: ModelLike = None,
    species: Species | None = None,
) -> Nearest:
    r"""Find the sets of a collection that are nearest to a set.

    Parameters
    ----------
    genes
        The set, by any identifiers.
    among
        The collection: gene sets by approved symbols, a file of them, the name of a library, or
        ``"papers"`` for the embedded corpus.
    by
        ``"overlap"``: the genes in common, the least likely overlap first. ``"model"``: how well
        the model, shown the set, predicts the genes of the other: this finds sets of related
        genes, too, without one in common.
    top
        How many sets to return; all of them if None.
    model
        The model to ask: a fitted model, or a model folder; the shipped model if None.
    species
        Where the identifiers come from, as in `gsfm.genes.resolve`.

    Returns
    -------
    Nearest
        The sets, ranked; both the overlap and the model's score of each are told.

    Raises
    ------
    UnknownGenesError
        If the model knows no gene of the set.
    GsfmError
        If the collection cannot be read, or none of its genes is known.

    Notes
    -----
    The model's score of the set T for the set S is

    .. math:: \frac{1}{\sqrt{|T|}} \sum_{j \in T} r_j(S)

    where r is what is left of the model's standardized scores, of a gene of both as if it were left
    out of S, once what they have in common with those for an empty set is taken off (by least
    squares, as large sets of popular genes would be near to everything), standardized anew. Of the
    other halves of 312 halved KEGG pathways this has 90% in the first place; the cosine of the
    vectors of `embed` has 64%.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> corpus = [["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2", "GRB2"]] * 5
    >>> model = Linear(regularization=1, dimensions=4).fit(GeneSets.from_lists(corpus))
    >>> library = GeneSets.from_lists({"arrest": ["TP53", "CDKN1A"], "growth": ["EGFR", "GRB2"]})
    >>> nearest(["TP53", "EGFR", "ERBB2"], library, model=model).table["set"].to_list()
    ['arrest', 'growth']
    >>> nearest(["MDM2"], library, by="model", model=model).table["set"].to_list()
    ['arrest', 'growth']
    """
    model = load_model(model)
    if by not in ("overlap", "model"):
        raise ValueError(f"by must be 'overlap' or 'model', not {by!r}")
    if top is not None and top < 1:
        raise ValueError(f"top must be 1 or more, not {top}")
    asked = Asked(model, species, set=genes)
    ids = asked.genes("set")
    found = collection(among, model.vocabulary)
    sizes = found.sets.sizes
    overlap = np.bincount(
        np.concatenate([found.holding(int(gene)) for gene in ids]), minlength=len(sizes)
    ).astype(np.int64)
    in_any = np.diff(found.by_gene.indptr) > 0
    score = _model_scores(model, found, ids)
    # By the overlap, only where there is one.
    order = np.flatnonzero(overlap) if by == "overlap" else np.flatnonzero(sizes)
    p = p_values(
        overlap[order], sizes[order], np.full(len(order), int(in_any[ids].sum())), int(in_any.sum())
    ) if len(order) else np.ones(0)  # fmt: skip
    key = p if by == "overlap" else -score[order]
    best = np.lexsort((order, sizes[order], key))[:top]
    order, p = order[best], p[best]
    symbols = model.vocabulary.symbols
    shared = [[symbols[g] for g in np.intersect1d(found.sets.ids(int(i)), ids)] for i in order]
    columns = {
        "rank": np.arange(len(order)) + 1,
        "set": found.column("name").gather(order).cast(pl.String),
        "description": found.column("description").gather(order).cast(pl.String),
        "year": found.column("year").gather(order).cast(pl.Int64, strict=False),
        "genes": sizes[order],
        "overlap": overlap[order],
        "jaccard": overlap[order] / (sizes[order] + len(ids) - overlap[order]),
        "p_value": p,
        "model_score": score[order],
        "overlap_genes": pl.Series(shared, dtype=pl.List(pl.String)),
        "link": found.column("link").gather(order).cast(pl.String),
    }
    provenance = asked.provenance(
        "nearest",
        among=found.about,
        by=by,
        top=top,
        background=int(in_any.sum()),
        columns=NEAREST_COLUMNS,
    )
    given = asked.given
    return Nearest(
        pl.DataFrame(columns), provenance, inputs=given.inputs, resolution=given.resolution
    )


def _model_scores(model: Model, found: Collection, ids: Ids) -> Numbers:
    """(n_sets,) how well the model, shown a set, predicts the genes of each other."""
    members = model.encode([ids])
    of_genes, of_members = model.evidence(members)
    evidence = of_genes[0].astype(np.float64)
    evidence[members.indices] = of_members
    if len(ids) == 1:
        evidence[ids] = 0  # there is nothing to leave it out of
    nothing = model.evidence(model.encode([[]]))[0][0].astype(np.float64)
    if nothing.any():
        evidence -= nothing * (evidence @ nothing) / (nothing @ nothing)
    spread = float(evidence.std())
    if spread > 0:
        evidence /= spread
    total: Numbers = found.by_gene.T @ evidence
    return total / np.sqrt(np.maximum(found.sets.sizes, 1))
