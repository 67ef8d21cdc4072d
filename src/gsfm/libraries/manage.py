"""Keep a library: of any gene-set file, or of a service that publishes libraries."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from gsfm.errors import FormatError, GsfmError
from gsfm.genes import Species, Vocabulary
from gsfm.io.files import sha256_file
from gsfm.libraries import hpo, remote, shipped, store
from gsfm.libraries.metadata import complete
from gsfm.sets import GeneSets, read


def add(
    source: str | Path,
    *,
    name: str | None = None,
    release: str | None = None,
    date: str | None = None,
    license: str | None = None,
    species: Species | None = None,
    by: hpo.By | None = None,
    min_size: int = 1,
    max_size: int | None = None,
    replace: bool = False,
    refresh: bool = False,
    mirror: str | None = None,
) -> GeneSets:
    """Add a library, under a name by which all of gsfm knows it from then on.

    It is kept, with its identifiers resolved, as a ``.gsets`` file in the folder ``libraries`` of
    ``GSFM_HOME``, or else of ``gsfm`` in the user's data folder (``XDG_DATA_HOME``).

    Parameters
    ----------
    source
        A gene-set file of any format that `gsfm.sets.read` takes; a table of the Human Phenotype
        Ontology; or a library of a service: ``enrichr:KEGG_2021_Human``, ``msigdb:h.all``,
        ``wikipathways:human``, which is fetched, checked and kept.
    name
        What to call it; made of the file or the library's name if None.
    release, date, license
        What is known of it; what the source says if None.
    species
        The species of its identifiers; their names win where they contradict those of another.
    by
        Of a table of HPO: whether the terms are its ``"phenotypes"`` or its ``"diseases"``.
    min_size, max_size
        Leave out terms with fewer or more known genes.
    replace
        Replace an added library of the same name.
    refresh
        Fetch a library of a service even if it was fetched before.
    mirror
        The address of the service, in place of its own; ``GSFM_ENRICHR_URL``,
        ``GSFM_MSIGDB_URL`` and ``GSFM_WIKIPATHWAYS_URL`` are the same for all calls.

    Returns
    -------
    GeneSets
        The library, as `load` gives it; its ``report`` says what became of the identifiers, and
        its manifest what was dropped.

    Raises
    ------
    GsfmError
        If the name is taken, no term is left, or the service cannot be reached.
    FormatError
        If the file is not what it claims to be.

    Examples
    --------
    >>> import os, tempfile
    >>> from unittest.mock import patch
    >>> from gsfm import libraries
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "mine.gmt").write_text("p53 targets\\t\\tCDKN1A\\tp21\\tMDM2\\tnonsense\\n")
    >>> with patch.dict(os.environ, GSFM_HOME=str(folder)):
    ...     library = libraries.add(folder / "mine.gmt", release="1", license="CC0")
    ...     term = libraries.find("p53 targets")
    ...     libraries.remove("mine")
    >>> library[0].genes, dict(library.report.unmapped)
    (('CDKN1A', 'MDM2'), {'nonsense': 1})
    >>> term[:]
    ('mine', 0, 'p53 targets', 'p53 targets')
    """
    service = remote.split(source) if isinstance(source, str) else None
    if name is None:
        if str(source) == "-":
            raise GsfmError("what comes from standard input needs a name")
        name = _plain(service[1] if service else _stem(Path(source)))
    path = store.path(name)
    if name in shipped.manifests():
        raise GsfmError(f"a library {name!r} comes with gsfm: give this one another name")
    if path.exists() and not replace:
        raise GsfmError(f"there is a library {name!r} already: replace it, or give another name")

    if service is None:
        sets, facts = _of_file(source, species, by)
    else:
        fetched = remote.get(*service, release=release, mirror=mirror, refresh=refresh)
        facts = dict(fetched.facts)
        try:
            sets = read(fetched.path, format="gmt", species=species or facts["species"])
        except FormatError:
            remote.forget(fetched)
            raise
    sizes = sets.sizes
    keep = (sizes >= max(min_size, 1)) & (sizes <= (max_size or np.inf))
    if not keep.any():
        raise GsfmError(f"{source}: none of its {len(sets):,} terms has so many known genes")
    report = sets.report
    sets = _only_used(sets[np.flatnonzero(keep)])
    given = {"release": release, "date": date, "license": license, "species": species}
    sets = complete(
        sets,
        {
            "title": name,
            **facts,
            **{key: value for key, value in given.items() if value is not None},
            "name": name,
            "settings": {"min": max(min_size, 1), "max": max_size},
            "dropped": {
                "too small": int((sizes < max(min_size, 1)).sum()),
                "too large": int((sizes > (max_size or np.inf)).sum()),
                "identifiers": {} if report is None else {**report.unmapped, **report.ambiguous},
            },
        },
    )
    sets.save(path)
    added = store.load(name)
    added.report = report
    return added


def remove(name: str) -> None:
    """Remove a library that was added.

    Raises
    ------
    GsfmError
        If there is none of this name, or it comes with gsfm.
    """
    if name in shipped.manifests():
        raise GsfmError(f"the library {name!r} comes with gsfm, and stays")
    if name not in store.names():
        known = ", ".join(store.names()) or "none"
        raise GsfmError(f"no library {name!r} was added; added were: {known}")
    store.path(name).unlink()


def _of_file(
    source: str | Path, species: Species | None, by: hpo.By | None
) -> tuple[GeneSets, dict[str, Any]]:
    """The sets of a file by approved symbols, and what it tells of them."""
    facts: dict[str, Any] = {"source": Path(source).name if str(source) != "-" else "stdin"}
    if str(source) == "-":
        return read("-", species=species), facts
    path = Path(source)
    if not path.is_file():
        near = ", ".join(s.example for s in remote.SERVICES.values())
        raise GsfmError(f"{path}: no such file; libraries of services are written {near}")
    facts["files"] = {path.name: sha256_file(path)}
    roles = hpo.recognize(path)
    if roles is not None:
        sets = hpo.read(path, roles, by)
    elif by is not None:
        raise GsfmError(f"{path}: only a table of HPO has {by} to choose")
    else:
        sets = read(path, species=species)
        if path.suffix.lower() == ".gsets":
            sets = sets.resolve(species)  # such a file is read as it is
    told = {key: value for key, value in sets.manifest.items() if value is not None}
    return sets, {**facts, **told}


def _only_used(sets: GeneSets) -> GeneSets:
    """The same sets over the genes that are in any of them."""
    used = np.bincount(sets.indices, minlength=sets.n_genes) > 0
    return sets.reindex(Vocabulary(np.asarray(sets.vocabulary.symbols)[used].tolist()))


def _stem(path: Path) -> str:
    """The name of a file without what says its format and compression."""
    return re.sub(
        r"(?i)(\.(gmt|gmx|grp|json|csv|tsv|txt|xlsx|parquet|pq|gsets|gz|zst|zip))+$", "", path.name
    )


def _plain(name: str) -> str:
    """The name with what a file may be called by."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", name).strip("-._+")
