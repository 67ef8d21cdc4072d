"""The tables of the Human Phenotype Ontology: genes with phenotypes and with diseases.

The columns are recognized by their headers, which have changed over the years. All forms since
2015 are supported: ``phenotype_to_genes.txt`` (with the genes of all descendants),
``genes_to_phenotype.txt`` (direct), ``genes_to_disease.txt``, and the files of all frequencies of
the first years. Files of the same release in the same folder are used: ``hp.obo`` for definitions,
``phenotype.hpoa`` for the names of diseases and for the release.

The license of HPO requires that its release is shown, that it is cited, and that its content is not
altered. Therefore gsfm does not contain it, but reads your copy.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from gsfm import genes
from gsfm.errors import FormatError, GsfmError
from gsfm.genes import Vocabulary
from gsfm.io.streams import open_source
from gsfm.sets import GeneSets, ReadReport, csr

By = Literal["phenotypes", "diseases"]

LICENSE = "HPO (https://hpo.jax.org/app/license): cite it, show the release, do not alter it"
SOURCE = "https://hpo.jax.org"

#: The role of a column, and its headers in all releases.
_ROLES = {
    "phenotype": ("hpo_id", "hpo-id", "hpo-term-id"),
    "label": ("hpo_name", "hpo-name", "hpo label", "hpo-term-name"),
    "gene": ("ncbi_gene_id", "entrez-gene-id", "gene-id", "gene-id(entrez)"),
    "symbol": ("gene_symbol", "entrez-gene-symbol", "gene-symbol", "gene-name"),
    "disease": ("disease_id", "diseaseid", "disease-id", "disease-id for link"),
}
_ROLE = {header: role for role, headers in _ROLES.items() for header in headers}


def recognize(path: Path) -> list[str] | None:
    """The roles of the columns of an HPO table ("" for no role); None for another file."""
    try:
        with open_source(path) as source:
            first = source.stream.peek(4096).partition(b"\n")[0].decode("utf-8", "replace")
    except FormatError:
        return None
    headers = first.strip().lstrip("\ufeff").removeprefix("#Format:").removeprefix("#")
    roles = [_ROLE.get(h.strip().lower(), "") for h in re.split(r"\t|<tab>", headers)]
    is_table = {"gene", "symbol"} <= set(roles) and {"phenotype", "disease"} & set(roles)
    return roles if is_table else None


def read(path: Path, roles: list[str], by: By | None = None) -> GeneSets:
    """Read a table of HPO as a library of phenotypes or diseases.

    Parameters
    ----------
    path
        The table, compressed or not.
    roles
        Its columns, as `recognize` returns them.
    by
        The terms of the library; phenotypes if the table has them, else diseases.

    Raises
    ------
    FormatError
        If a line does not have the columns of the header.
    GsfmError
        If the table does not have these terms.
    """
    by = by or ("phenotypes" if "phenotype" in roles else "diseases")
    key = by.removesuffix("s")
    if key not in roles:
        raise GsfmError(f"{path} names no {by}: it has {', '.join(filter(None, roles))}")
    rows = _rows(path, roles).with_columns(_identifier()).rename({key: "id"})
    names = rows.group_by("id").agg(pl.col("label").first()).sort("id")
    if by == "diseases":
        labels = _diseases(path.with_name("phenotype.hpoa"))
        names = names.with_columns(label=pl.col("id").replace_strict(labels, default=pl.col("id")))
    defined = {} if by == "diseases" else definitions(_lines(path.with_name("hp.obo")))
    page = f"{SOURCE}/browse/{'term' if by == 'phenotypes' else 'disease'}/"
    metadata = names.select(
        name=pl.coalesce("label", "id"),
        id="id",
        description=pl.col("id").replace_strict(defined, default=""),
        link=pl.lit(page) + pl.col("id"),
    )
    release = _release(path)
    manifest = {
        "title": f"HPO: genes of {by}",
        "release": release,
        "date": release,  # the releases of HPO are named by their dates
        "license": LICENSE,
        "species": "human",
        "source": SOURCE,
    }
    vocabulary = Vocabulary(rows["identifier"].unique().sort())
    ids = pl.Series(vocabulary.ids(rows["identifier"]))
    pairs = rows.select(term=names["id"].search_sorted(rows["id"]), gene=ids).unique()
    pairs = pairs.sort("term", "gene")
    indptr = csr.to_indptr(np.bincount(pairs["term"], minlength=len(names)))
    sets = GeneSets(vocabulary, indptr, pairs["gene"].to_numpy(), metadata, manifest=manifest)
    sets.report = ReadReport(str(path), "HPO", len(sets), len(vocabulary))
    return sets.resolve()


def _rows(path: Path, roles: list[str]) -> pl.DataFrame:
    """The table, with a column for each role; ``label`` is null without such a column."""
    with open_source(path) as source:
        content = source.stream.read()
    content = content[content.find(b"\n") + 1 :]
    names = [role or f"column {i}" for i, role in enumerate(roles)]
    try:
        table = pl.read_csv(
            io.BytesIO(content),
            separator="\t",
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            quote_char=None,
        )
    except pl.exceptions.PolarsError as error:
        raise FormatError(path, f"is not a table with tabs ({error})") from error
    needed = table.select(name for name in names if name in ("phenotype", "disease", "gene"))
    for row in needed.select(pl.any_horizontal(pl.all().is_null())).to_series().arg_true():
        reason = f"a column of the header is empty, of {', '.join(needed.columns)}"
        raise FormatError(path, f"{reason}: download it again", line=row + 2)
    if "label" not in names:
        table = table.with_columns(label=pl.lit(None, pl.String))
    return table.select(role for role in _ROLES if role in table.columns)


def _identifier() -> pl.Expr:
    """The identifier of a gene: its Entrez id, or its symbol if the id is no longer known."""

    def known(ids: pl.Series) -> pl.Series:
        return genes.resolve(ids).table["symbol"].is_not_null()

    by_id = pl.col("gene").map_batches(known, return_dtype=pl.Boolean)
    return pl.when(by_id).then("gene").otherwise("symbol").alias("identifier")


# -- the files beside the table ----------------------------------------------------------------


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file; none if there is no such file."""
    if path.is_file():
        with path.open(encoding="utf-8", errors="replace") as stream:
            yield from stream


def _diseases(hpoa: Path) -> dict[str, str]:
    """The names of diseases; the first of each."""
    names: dict[str, str] = {}
    for line in _lines(hpoa):
        if not line.startswith("#"):
            identifier, _, rest = line.partition("\t")
            names.setdefault(identifier, rest.partition("\t")[0])
    return names


def definitions(obo: Iterable[str]) -> dict[str, str]:
    """The definitions of terms by identifier, from the lines of an OBO file."""
    found: dict[str, str] = {}
    identifier = ""
    for line in obo:
        if line.startswith("id: "):
            identifier = line[4:].strip()
        elif line.startswith('def: "'):
            # The text ends at the quote before its sources; other quotes are escaped.
            text = line[6:].rpartition('" [')[0]
            found[identifier] = text.replace('\\"', '"').replace("\\n", " ")
    return found


def _release(path: Path) -> str | None:
    """The date of the release, from the files in the folder of the table."""
    for name in ("phenotype.hpoa", "hp.obo"):
        for line, _ in zip(_lines(path.with_name(name)), range(10), strict=False):
            if found := re.search(r"releases/(\d{4}-\d\d-\d\d)", line):
                return found[1]
    return None
