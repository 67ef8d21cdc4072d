"""The metadata that every library has, whatever file it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from gsfm.sets import GeneSets

#: How files write an identifier into a term's name: "DNA Repair (GO:0006281)", "Apoptosis WP254",
#: "Apoptosis_Homo sapiens_hsa04210".
_ID = (
    r"^(.*\S)(?:\s+|_Homo sapiens_|_Mus musculus_)"
    r"(?:\(([A-Za-z]+:[A-Za-z0-9_.-]+)\)|(R-[A-Z]{3}-\d+|WP\d+|hsa\d{5}|[HM]P:\d{7}))$"
)
#: How WikiPathways writes name, release, identifier and species into one.
_WIKIPATHWAYS = r"^(.+)%WikiPathways_\d+%(WP\d+)%[^%]+$"
_COLUMNS = ("name", "id", "description", "link", "source", "species")


def complete(sets: GeneSets, facts: Mapping[str, Any]) -> GeneSets:
    """The same sets with the metadata and the manifest of a library.

    Parameters
    ----------
    sets
        The sets; what their metadata say of the columns of a library stays.
    facts
        What the manifest shall say; ``name`` and ``species`` go into the metadata too.

    Examples
    --------
    >>> sets = GeneSets.from_lists({"Apoptosis WP254": ["BAX", "TP53"], "mine": ["TP53"]})
    >>> complete(sets, {"name": "own"}).metadata.select("name", "id", "source").rows()
    [('Apoptosis', 'WP254', 'own'), ('mine', 'mine', 'own')]
    """
    table = sets.metadata
    text = {
        column: table[column].cast(pl.String)
        if column in table.columns
        else pl.Series([None] * len(sets), dtype=pl.String)
        for column in _COLUMNS
    }
    known = pl.DataFrame(text)
    parts = known.select(
        pl.col("name").str.extract_groups(_ID).struct.rename_fields(["name", "id", "other"]),
    ).unnest("name")
    wiki = known.select(
        pl.col("name").str.extract_groups(_WIKIPATHWAYS).struct.rename_fields(["name", "id"])
    ).unnest("name")
    name = pl.coalesce(wiki["name"], parts["name"], known["name"])
    found = pl.coalesce(wiki["id"], parts["id"], parts["other"])
    told = known["id"].is_not_null()
    known = known.with_columns(
        name=pl.when(told).then(known["name"]).otherwise(name),
        id=pl.coalesce(known["id"], found, known["name"]),
        description=known["description"].fill_null(""),
        link=known["link"].fill_null(""),
        source=pl.lit(facts["name"]),
        species=known["species"].fill_null(facts.get("species") or ""),
    )
    others = [column for column in table.columns if column not in _COLUMNS]
    manifest = {
        **sets.manifest,
        **facts,
        "terms": len(sets),
        "genes": sets.n_genes,
        "members": len(sets.indices),
    }
    result = GeneSets(
        sets.vocabulary,
        sets.indptr,
        sets.indices,
        known.hstack(table.select(others)),
        member_weights=sets.member_weights,
        manifest=manifest,
    )
    result.report = sets.report
    return result
