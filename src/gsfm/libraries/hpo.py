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

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import polars as pl

from gsfm import genes
from gsfm.errors import FormatError, GsfmError
from gsfm.io.streams import open_source
from gsfm.sets import GeneSets, ReadReport

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
    rows = _rows(path, roles).rename({key: "id"})
    # A gene is its Entrez id, or its symbol if the id is no longer known.
    is_known = genes.resolve(rows["gene"]).table["symbol"].is_not_null()
    rows = rows.with_columns(gene=pl.when(is_known).then("gene").otherwise("symbol"))
    terms = rows.group_by("id").agg(pl.col("label").first(), "gene").sort("id")
    if by == "diseases":
        page, defined = f"{SOURCE}/browse/disease/", {}
        labels = _diseases(path.with_name("phenotype.hpoa"))
        terms = terms.with_columns(label=pl.col("id").replace_strict(labels, default=pl.col("id")))
    else:
        page, defined = f"{SOURCE}/browse/term/", definitions(_lines(path.with_name("hp.obo")))
    metadata = terms.select(
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
    found = GeneSets.from_lists(terms["gene"].to_list())
    sets = GeneSets(found.vocabulary, found.indptr, found.indices, metadata, manifest=manifest)
    sets.report = ReadReport(str(path), "HPO", len(sets), sets.n_genes)
    return sets.resolve()


def _rows(path: Path, roles: list[str]) -> pl.DataFrame:
    """The table, with a column for each role; ``label`` is null without such a column."""
    names = [role or f"column {i}" for i, role in enumerate(roles)]
    form: dict[str, Any] = {"separator": "\t", "has_header": False, "quote_char": None}
    schema = dict.fromkeys(names, pl.String)
    with open_source(path) as source:
        content = source.stream.read()
    try:
        table = pl.read_csv(content, skip_rows=1, schema=schema, **form)
    except pl.exceptions.PolarsError as error:
        raise FormatError(path, f"is not a table with tabs ({error})") from error
    needed = table.select(name for name in names if name in ("phenotype", "disease", "gene"))
    for row in needed.select(pl.any_horizontal(pl.all().is_null())).to_series().arg_true():
        reason = f"a column of the header is empty, of {', '.join(needed.columns)}"
        raise FormatError(path, f"{reason}: download it again", line=row + 2)
    return table if "label" in names else table.with_columns(label=pl.lit(None, pl.String))


# -- the files beside the table ----------------------------------------------------------------


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file; none if there is no such file."""
    if path.is_file():
        with path.open(encoding="utf-8", errors="replace") as stream:
            yield from stream


def _diseases(hpoa: Path) -> dict[str, str]:
    """The names of diseases; the first of each."""
    rows = [line.rstrip("\n").split("\t") for line in _lines(hpoa) if not line.startswith("#")]
    return {row[0]: row[1] for row in reversed(rows) if len(row) > 1}


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
    files = (path.with_name(name) for name in ("phenotype.hpoa", "hp.obo"))
    heads = "".join(line for file in files for line in itertools.islice(_lines(file), 10))
    found = re.search(r"releases/(\d{4}-\d\d-\d\d)", heads)
    return found[1] if found else None
