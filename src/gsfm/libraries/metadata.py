"""The metadata of every library, for any source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from gsfm.sets import GeneSets

#: Identifiers within the names of terms: "DNA Repair (GO:0006281)", "Apoptosis WP254",
#: "Apoptosis_Homo sapiens_hsa04210".
_ID = (
    r"^(.*\S)(?:\s+|_Homo sapiens_|_Mus musculus_)"
    r"(?:\(([A-Za-z]+:[A-Za-z0-9_.-]+)\)|(R-[A-Z]{3}-\d+|WP\d+|hsa\d{5}|[HM]P:\d{7}))$"
)
#: Names of WikiPathways: name, release, identifier and species in one.
_WIKIPATHWAYS = r"^(.+)%WikiPathways_\d+%(WP\d+)%[^%]+$"
_COLUMNS = ("name", "id", "description", "link", "source", "species")


def complete(sets: GeneSets, facts: Mapping[str, Any]) -> GeneSets:
    """Return the same sets with the metadata and the manifest of a library.

    Parameters
    ----------
    sets
        The sets; existing values of the columns of a library are kept.
    facts
        Entries of the manifest; ``name`` and ``species`` are added to the metadata, too.

    Examples
    --------
    >>> sets = GeneSets.from_lists({"Apoptosis WP254": ["BAX", "TP53"], "mine": ["TP53"]})
    >>> complete(sets, {"name": "own"}).metadata.select("name", "id", "source").rows()
    [('Apoptosis', 'WP254', 'own'), ('mine', 'mine', 'own')]
    """
    table = sets.metadata
    missing = [pl.lit(None, pl.String).alias(c) for c in _COLUMNS if c not in table.columns]
    wiki = pl.col("name").str.extract_groups(_WIKIPATHWAYS).struct
    parts = pl.col("name").str.extract_groups(_ID).struct
    found_name = pl.coalesce(wiki["1"], parts["1"], "name")
    found_id = pl.coalesce(wiki["2"], parts["2"], parts["3"])
    metadata = (
        table.with_columns(missing)
        .select(pl.col(_COLUMNS).cast(pl.String), pl.exclude(_COLUMNS))
        .with_columns(
            name=pl.when(pl.col("id").is_null()).then(found_name).otherwise("name"),
            id=pl.coalesce("id", found_id, "name"),
            description=pl.col("description").fill_null(""),
            link=pl.col("link").fill_null(""),
            source=pl.lit(facts["name"]),
            species=pl.col("species").fill_null(facts.get("species") or ""),
        )
    )
    counts = {"terms": len(sets), "genes": sets.n_genes, "members": len(sets.indices)}
    result = GeneSets(
        sets.vocabulary,
        sets.indptr,
        sets.indices,
        metadata,
        member_weights=sets.member_weights,
        manifest={**sets.manifest, **facts, **counts},
    )
    result.report = sets.report
    return result
