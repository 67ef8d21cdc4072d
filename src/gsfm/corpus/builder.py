"""Build a training corpus: read, resolve, filter, merge and weight sets; account for each set."""

from __future__ import annotations

import importlib.util
import io
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import gsfm.sets
from gsfm.corpus import inputs as inputs_module
from gsfm.corpus.description import content_hash
from gsfm.errors import (
    FormatError,
    GsfmError,
    MissingExtraError,
    check_sizes,
    check_type,
    count,
    require,
)
from gsfm.genes import Species, Vocabulary
from gsfm.sets import GeneSets, csr
from gsfm.version import __version__

#: Why a set is not in the corpus.
REASONS = ("no_known_gene", "too_small", "too_large", "duplicate", "rare_genes")
_NO_GENE, _SMALL, _LARGE, _DUPLICATE, _RARE = range(1, 6)

_NAMES = pl.List(pl.String)
_COLUMNS: dict[str, Any] = {
    "name": pl.String,
    "description": pl.String,
    "source": pl.String,
    "year": pl.Int32,
    "species": pl.String,
    "link": pl.String,
    "duplicates": _NAMES,
}


def build(
    inputs: str | Path | Iterable[str | Path | tuple[str, str | Path]],
    *,
    min_size: int = 5,
    max_size: int = 1000,
    min_gene_sets: int = 1,
    near_duplicates: float | None = 0.8,
    shrink: float = 1.0,
    species: Species | None = None,
    exclude: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> GeneSets:
    """Build a training corpus from files, folders and public resources.

    The result does not depend on the order of `inputs`. If the folder of a file has a
    ``SOURCES.tsv``, its columns ``library``, ``available_by`` (the year of sets without one),
    ``species`` (of the symbols in the file), ``license`` and ``kind`` (for the manifest) are used.

    Parameters
    ----------
    inputs
        Gene-set files, folders, or pairs of the name of a source and a file of it, such as
        ``("publications", "gene2pubmed.gz")``; ``"-"`` is standard input. Of a folder, every file
        is read that has gene sets. A file that has none is left out, unless its suffix is that of
        a gene-set file.
    min_size, max_size
        Exclude sets with fewer or more genes.
    min_gene_sets
        Exclude genes in fewer sets than this. Sets that become too small or equal are excluded or
        merged, until all rules are met.
    near_duplicates
        Sets with at least this Jaccard index, directly or through other sets, form a cluster; the
        column ``cluster`` numbers the clusters of two or more sets. None skips this search.
    shrink
        A set of a cluster of ``n`` has the weight ``n ** -shrink``: with 1 a cluster counts as one
        set, with 0 as ``n`` sets. The weights are in the column ``weight``.
    species
        The species of the identifiers, for files without a species in a ``SOURCES.tsv``.
    exclude
        Names of libraries to exclude, with the wildcards ``*`` and ``?``.
    progress
        Called with a line of text for each step, and for each file that is left out.

    Returns
    -------
    GeneSets
        With the columns ``name``, ``description``, ``source`` (of the set, or else the name of the
        file), ``year`` (the earliest of merged duplicates), ``species``, ``link``, ``duplicates``
        (``source: name`` of the sets with the same genes), ``cluster`` and ``weight``. The
        vocabulary is the sorted symbols that occur. The manifest is specified in
        ``docs/corpus.md``; for every input, it counts the kept sets and those that were dropped for
        each reason.

    Raises
    ------
    GsfmError
        If there is no input, no set remains, a source is unknown, or a folder has no gene-set file.
    FormatError
        If a file does not have its format.
    MissingExtraError
        If near-duplicates are searched without the extra ``corpus``.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "library.gmt"
    >>> _ = path.write_text(
    ...     "repair\\t\\tBRCA1\\tBRCA2\\tPALB2\\n"
    ...     "recombination\\t\\tPALB2\\tBRCA2\\tBRCA1\\n"
    ...     "pair\\t\\tRB1\\tE2F1\\n"
    ... )
    >>> corpus = build(path, min_size=3)
    >>> corpus[0].name, corpus[0].genes, corpus[0].metadata["duplicates"]
    ('repair', ('BRCA1', 'BRCA2', 'PALB2'), ['library: recombination'])
    >>> corpus.manifest["inputs"][0]["sets"]["dropped"]
    {'too_small': 1, 'duplicate': 1}
    """
    check_sizes(min_size, max_size)
    sizes = f"{min_size} to {max_size} genes"
    if near_duplicates is not None:  # checked first, because the search is late
        bounds = f"near_duplicates must be above 0 and up to 1, not {near_duplicates}"
        check_type((int, float), "a number", near_duplicates=near_duplicates)
        require(0 < near_duplicates <= 1, bounds, GsfmError)
        if importlib.util.find_spec("datasketch") is None:
            raise MissingExtraError("a search for near-duplicates (None skips it)", "corpus")
    say = progress or (lambda line: None)
    several = [inputs] if isinstance(inputs, str | Path) else inputs
    found, excluded, left_out = inputs_module.find(several, exclude)
    parts, records, reasons = [], [], []
    for number, item in enumerate(found):
        try:
            sets, record = read(item, species)
        except FormatError as error:
            if item.claimed:
                raise
            left_out[str(item.path)] = error.reason
            continue
        say(f"[{number + 1}/{len(found)}] {item.name}: {count(len(sets), 'set')}")
        reason = by_size(sets.sizes, min_size, max_size)
        # Release the sets of a wrong size now: there may be millions.
        parts.append(_tidy(sets[np.flatnonzero(reason == 0)], item))
        records.append(record)
        reasons.append(np.bincount(reason, minlength=len(REASONS) + 1))
    for path, why in left_out.items():
        say(f"left out {path}: {why}")
    require(parts, f"nothing to build from: {len(left_out)} files were left out", GsfmError)
    counts = np.array(reasons)  # (n_inputs, 1 + n_reasons); kept sets first
    owner = np.repeat(np.arange(len(parts)), counts[:, 0])
    corpus = gsfm.sets.concat(parts)
    del parts

    say(f"{len(corpus):,} sets of {sizes}: merging duplicates")
    corpus, later, rare = _merge(corpus, min_size, min_gene_sets)
    if not len(corpus):
        raise GsfmError(f"no set is left: none has {sizes}")
    counts[:, 0] = 0
    np.add.at(counts, (owner, later), 1)
    for record, row in zip(records, counts, strict=True):
        record["sets"] = account(row)
    if near_duplicates is not None:
        say(f"{len(corpus):,} sets: looking for near-duplicates")
        corpus = _weigh(corpus, near_duplicates, shrink)
    settings = {
        **{"min_size": min_size, "max_size": max_size, "min_gene_sets": min_gene_sets},
        **{"near_duplicates": near_duplicates, "shrink": shrink},
        **{"species": species, "exclude": sorted(exclude)},
    }
    corpus.manifest = manifest(
        corpus, settings, records, excluded=excluded, left_out=left_out, rare_genes=rare
    )
    members = count(len(corpus.indices), "member")
    say(f"{count(len(corpus), 'set')}, {count(corpus.n_genes, 'gene')}, {members}")
    return corpus


def read(item: inputs_module.Input, species: Species | None) -> tuple[GeneSets, dict[str, Any]]:
    """The resolved sets of a file, and its entry in the manifest, without the counts of sets."""
    species = item.species or species
    if item.source:
        sets = item.source.read(item.path, species=species)
    elif item.path.suffix.lower() == ".gsets":
        sets = GeneSets.open(item.path).resolve(species)
    else:
        file = item.path if item.content is None else io.BytesIO(item.content)
        sets = gsfm.sets.read(file, species=species)
    report = sets.report
    assert report is not None  # reading and resolving always make one
    record = {
        "source": item.name,
        "file": item.path.name,
        "bytes": item.n_bytes,
        "sha256": item.sha256,
        "license": item.license,
        "release": sets.manifest.get("release") if item.source else None,
        "kind": item.facts.get("kind"),
        "available_by": item.year,
        "species": species,
        "format": report.format,
        "notes": {note.kind: note.count for note in report.notes},
        "identifiers": {
            "total": report.n_identifiers,
            "mapped": dict(report.mapped),
            "ambiguous": len(report.ambiguous),
            "unmapped": len(report.unmapped),
            "most_frequent_unmapped": dict(itertools.islice(report.unmapped.items(), 20)),
        },
    }
    return sets, {key: value for key, value in record.items() if value is not None}


def by_size(sizes: NDArray[np.int64], min_size: int, max_size: int) -> NDArray[np.int64]:
    """(n_sets,) the reason why a set of this size is dropped; 0 for none."""
    reasons = {_NO_GENE: sizes == 0, _SMALL: sizes < min_size, _LARGE: sizes > max_size}
    return np.select(list(reasons.values()), list(reasons), 0)


def account(counts: NDArray[np.int64]) -> dict[str, Any]:
    """The counts of sets for the manifest, from (1 + n_reasons,) counts."""
    kept, *dropped = counts.tolist()
    reasons = {reason: n for reason, n in zip(REASONS, dropped, strict=True) if n}
    return {"read": kept + sum(dropped), "kept": kept, "dropped": reasons}


def manifest(
    corpus: GeneSets,
    settings: dict[str, Any],
    inputs: list[dict[str, Any]],
    *,
    excluded: Sequence[str] = (),
    left_out: Mapping[str, str] | None = None,
    rare_genes: int = 0,
) -> dict[str, Any]:
    """The manifest of a corpus, specified in ``docs/corpus.md``."""
    dropped: Counter[str] = Counter()
    for record in inputs:
        dropped.update(record["sets"]["dropped"])
    return {
        "gsfm_version": __version__,
        "settings": settings,
        "sets": {
            "read": sum(record["sets"]["read"] for record in inputs),
            "kept": len(corpus),
            "dropped": {reason: dropped[reason] for reason in REASONS},
        },
        "genes": {"kept": corpus.n_genes, "rare": rare_genes},
        "members": len(corpus.indices),
        "excluded": list(excluded),
        **({"left_out": {Path(k).name: v for k, v in left_out.items()}} if left_out else {}),
        "inputs": inputs,
        "hash": content_hash(corpus),
    }


def _tidy(sets: GeneSets, item: inputs_module.Input) -> GeneSets:
    """The sets with the columns of a corpus; missing values are those of the library."""
    table = sets.metadata
    default = {"source": item.name, "year": item.year, "species": item.facts.get("species")}
    columns = []
    for name, dtype in _COLUMNS.items():
        # A list column is that of a corpus that is an input, or has another meaning.
        usable = name in table and isinstance(table.schema[name], pl.List) == (dtype == _NAMES)
        own = pl.col(name).cast(dtype, strict=False) if usable else pl.lit(None, dtype)
        columns.append(pl.coalesce(own, pl.lit(default.get(name), dtype)).alias(name))
    # `with_columns` keeps the height if every column is a constant.
    table = table.with_columns(columns).select(*_COLUMNS)
    return GeneSets(sets.vocabulary, sets.indptr, sets.indices, table)


def _merge(
    sets: GeneSets, min_size: int, min_gene_sets: int
) -> tuple[GeneSets, NDArray[np.int64], int]:
    """Merge equal sets and exclude rare genes until there are none.

    Returns the corpus, why each of `sets` is not in it (0: it is), and the number of rare genes.
    """
    table = sets.metadata
    reason = np.zeros(len(sets), np.int64)
    leader = np.arange(len(sets))  # the set into which each set is merged
    rows = np.arange(len(sets))  # the original rows of the remaining sets
    rare = 0
    while True:
        first = csr.first_equal(sets.indptr, sets.indices)
        alone = first == np.arange(len(sets))
        leader[rows[~alone]] = rows[first[~alone]]
        reason[rows[~alone]] = _DUPLICATE
        sets, rows = sets[np.flatnonzero(alone)], rows[alone]
        frequency = sets.gene_frequencies
        kept = np.flatnonzero((frequency > 0) & (frequency >= min_gene_sets))
        dropped = int(np.count_nonzero(frequency)) - len(kept)
        sets = sets.reindex(Vocabulary(sorted(sets.vocabulary[int(gene)] for gene in kept)))
        if not dropped:
            break
        rare += dropped
        small = sets.sizes < min_size
        reason[rows[small]] = _RARE
        sets, rows = sets[np.flatnonzero(~small)], rows[~small]
    while (leader[leader] != leader).any():
        leader = leader[leader]
    # The names of the duplicates of each set, and the earliest year.
    duplicates = np.flatnonzero(reason == _DUPLICATE)
    none = pl.lit([], _NAMES)
    own = pl.concat_list(
        pl.format("{}: {}", "source", "name"), pl.col("duplicates").fill_null(none)
    )
    merged = (
        table[duplicates]
        .select(own.alias("names"), row=pl.Series(leader[duplicates]), first="year")
        .explode("names")
        .group_by("row", maintain_order=True)
        .agg("names", pl.col("first").min())
    )
    names = pl.concat_list(pl.col("duplicates", "names").fill_null(none))
    table = (
        table[rows]
        .with_columns(row=pl.Series(rows))
        .join(merged, on="row", how="left", maintain_order="left")
        .with_columns(
            year=pl.min_horizontal("year", "first"),
            duplicates=pl.when(names.list.len() > 0).then(names),
        )
        .select(*_COLUMNS)
    )
    return GeneSets(sets.vocabulary, sets.indptr, sets.indices, table), reason, rare


def _weigh(sets: GeneSets, threshold: float, shrink: float) -> GeneSets:
    """The sets with the columns ``cluster`` and ``weight``."""
    n = len(sets)
    first = gsfm.sets.clusters(sets.near_duplicates(threshold), n)
    size = np.bincount(first, minlength=n)[first]
    # Number the clusters of two or more sets, in the order of their first sets.
    cluster = np.full(n, -1)
    _, cluster[size > 1] = np.unique(first[size > 1], return_inverse=True)
    table = sets.metadata.with_columns(
        cluster=pl.Series(cluster, dtype=pl.Int32).replace(-1, None),
        weight=pl.Series(np.power(size, -float(shrink)), dtype=pl.Float32),
    )
    return GeneSets(sets.vocabulary, sets.indptr, sets.indices, table)
