"""Add and remove libraries: from a gene-set file, or from a service that publishes libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gsfm.errors import GsfmError, check_sizes, check_type
from gsfm.genes import Species, Vocabulary
from gsfm.io.files import sha256_file
from gsfm.libraries import catalogue, hpo, ontology, remote, shipped, store
from gsfm.libraries.metadata import complete
from gsfm.sets import GeneSets, read
from gsfm.sets.files import stem


def add(
    source: str | Path,
    *,
    name: str | None = None,
    release: str | None = None,
    date: str | None = None,
    license: str | None = None,
    species: Species | None = None,
    sheet: str | int | None = None,
    set_column: str | int | None = None,
    gene_column: str | int | None = None,
    by: hpo.By | ontology.Part | None = None,
    obo: str | Path | None = None,
    electronic: bool = True,
    min_size: int = 1,
    max_size: int | None = None,
    replace: bool = False,
    refresh: bool = False,
    mirror: str | None = None,
) -> GeneSets:
    """Add a library, so that all of gsfm can use it by its name.

    It is stored, with resolved identifiers, as a ``.gsets`` file in the folder ``libraries`` of
    ``GSFM_HOME``, or else of the user's data folder (on Linux ``gsfm`` in ``XDG_DATA_HOME``).

    Parameters
    ----------
    source
        A gene-set file of any format of `gsfm.sets.read`; a table of the Human Phenotype Ontology;
        a library of a service: ``enrichr:KEGG_2021_Human``, ``msigdb:h.all``,
        ``wikipathways:human``, ``gprofiler:human``; or the name of a library that `available`
        lists, such as ``go`` or ``hallmarks``. Libraries of services are downloaded, checked and
        stored.
    name
        Name of the library; derived from the file or the library of the service if None.
    release, date, license
        Facts about the library; as stated by the source if None.
    species
        The species of the identifiers, as in `gsfm.genes.resolve`.
    sheet, set_column, gene_column
        The sheet of a workbook, and the columns of a table, as in `gsfm.sets.read`.
    by
        For a table of HPO: whether the terms are its ``"phenotypes"`` or its ``"diseases"``. For
        annotations of GO: the part of the ontology, ``"bp"``, ``"mf"`` or ``"cc"``; all if None.
    obo
        For annotations of GO (a GAF file): the OBO file of its terms.
    electronic
        Whether to use the annotations of a GAF file that no curator has reviewed (IEA).
    min_size, max_size
        Exclude terms with fewer or more mapped genes.
    replace
        Replace an added library of the same name.
    refresh
        Download a library of a service even if it was downloaded before.
    mirror
        The address of a mirror of the service. The environment variables ``GSFM_ENRICHR_URL``,
        ``GSFM_MSIGDB_URL``, ``GSFM_WIKIPATHWAYS_URL`` and ``GSFM_GPROFILER_URL`` set it for all
        calls.

    Returns
    -------
    GeneSets
        The library, as `load` returns it. Its ``report`` lists how the identifiers were mapped, and
        its manifest what was excluded.

    Raises
    ------
    GsfmError
        If the name is in use, no term remains, or the service cannot be reached.
    FormatError
        If the file does not have the format.

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
    >>> term[:4]
    ('mine', 0, 'p53 targets', 'p53 targets')
    """
    check_sizes(1 if min_size == 0 else min_size, max_size)
    check_type((str, Path), "a file, or the library of a service", source=source)
    check_type((str, type(None)), "a text", name=name, release=release, date=date, license=license)
    recipe = None if Path(source).is_file() else catalogue.RECIPES.get(str(source))
    service = remote.split((recipe and recipe.source) or str(source))
    if name is None:
        if str(source) == "-":
            raise GsfmError("a library from standard input needs a name")
        named = recipe.name if recipe else service[1] if service else stem(source)
        name = remote.file_name(named).strip("-._+")
    path = store.path(name)
    if name in shipped.manifests() or name in shipped.views():
        raise GsfmError(f"a library {name!r} comes with gsfm: choose another name")
    if path.exists() and not replace:
        raise GsfmError(f"there is a library {name!r} already: replace it, or choose another name")

    sets: GeneSets
    facts: dict[str, Any]
    if service is not None:
        settings: dict[str, Any] = {"mirror": mirror, "refresh": refresh}
        try:
            sets, facts = remote.read(*service, release=release, species=species, **settings)
        except GsfmError as error:
            like = catalogue.suggestion(f"{service[0].name}:{service[1]}")
            if not like:
                raise
            raise GsfmError(f"{error}{like}") from error
        facts["trained"] = catalogue.trained(f"{service[0].name}:{service[1]}")
    else:
        options: dict[str, Any] = {
            "by": by,
            "obo": obo,
            "electronic": electronic,
            "species": species,
            "sheet": sheet,
            "set_column": set_column,
            "gene_column": gene_column,
        }
        if recipe is not None:
            files = _files(recipe, mirror, refresh)
            source, options["obo"] = files[0], files[1] if len(files) > 1 else obo
            options.update({k: v for k, v in recipe.options.items() if options[k] is None})
        sets, facts = _of_file(source, **options)
        if recipe is not None:
            facts = {"license": recipe.license, **facts, "source": recipe.urls[0]}
    if recipe is not None:
        facts["title"] = recipe.title
    min_size, report = max(min_size, 1), sets.report
    small, large = sets.sizes < min_size, sets.sizes > (max_size or np.inf)
    if (small | large).all():
        raise GsfmError(f"{source}: none of its {len(sets):,} terms has so many mapped genes")
    sets = sets[np.flatnonzero(~(small | large))]
    used = np.flatnonzero(sets.gene_frequencies)
    sets = sets.reindex(Vocabulary(sets.vocabulary[int(gene)] for gene in used))
    own = {"release": release, "date": date, "license": license, "species": species}
    facts = {
        "title": name,
        **facts,
        **{key: value for key, value in own.items() if value is not None},
        "name": name,
        "settings": {"min_size": min_size, "max_size": max_size},
        "dropped": {
            "too small": int(small.sum()),
            "too large": int(large.sum()),
            "identifiers": {} if report is None else {**report.unmapped, **report.ambiguous},
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    complete(sets, facts).save(path)
    added = store.load(name)
    added.report = report
    return added


def remove(name: str) -> None:
    """Remove a library that was added.

    Raises
    ------
    GsfmError
        If there is no library of this name, or it comes with gsfm.
    """
    check_type(str, "one text", name=name)
    if name in shipped.manifests():
        raise GsfmError(f"the library {name!r} comes with gsfm and cannot be removed")
    if name not in store.names():
        added = ", ".join(store.names()) or "none"
        raise GsfmError(f"no library {name!r} was added; added libraries: {added}")
    store.path(name).unlink()


def _files(recipe: catalogue.Recipe, mirror: str | None, refresh: bool) -> list[Path]:
    """Download the files of a library; the error says what to do by hand."""
    if not recipe.urls:
        raise GsfmError(f"{recipe.title} ({recipe.name}): {recipe.reason}; {recipe.steps}")
    found = []
    for url in recipe.urls:
        file = url.rpartition("/")[2].partition("?")[0]
        address = f"{mirror.rstrip('/')}/{file}" if mirror else url
        stem_, dot, suffix = file.partition(".")
        try:
            path = remote.download(
                address, f"{recipe.name}-{stem_}", f"{dot}{suffix}", refresh=refresh
            )
        except GsfmError as error:
            by_hand = f"; by hand: {recipe.steps}" if recipe.steps else ""
            raise GsfmError(f"{error}{by_hand}") from error
        found.append(path)
    return found


def _of_file(
    source: str | Path,
    *,
    by: Any,
    obo: str | Path | None,
    electronic: bool,
    species: Species | None,
    **choice: Any,
) -> tuple[GeneSets, dict[str, Any]]:
    """The sets of a file over approved symbols, and the facts that it states."""
    if str(source) == "-":
        return read("-", species=species, **choice), {"source": "stdin"}
    path = Path(source)
    if not path.is_file():
        examples = ", ".join(service.example for service in remote.SERVICES.values())
        like = catalogue.suggestion(str(source))
        raise GsfmError(f"{path}: no such file; libraries of services are written {examples}{like}")
    files = [path] if obo is None else [path, Path(obo)]
    roles = None if any(choice.values()) or obo else hpo.recognize(path)
    is_gaf = ontology.is_gaf(path)
    if is_gaf and obo is None:
        raise GsfmError(f"{path} has annotations of GO: give the file of its terms, --obo FILE")
    if obo is not None and not is_gaf:
        raise GsfmError(f"{path} is no GAF file: --obo is for annotations of GO")
    if obo is not None:
        if by not in (None, *ontology.PARTS):
            raise GsfmError(f"{path}: the parts of GO are {', '.join(ontology.PARTS)}, not {by}")
        sets = ontology.read(path, Path(obo), by, electronic=electronic, species=species)
    elif roles is not None:
        sets = hpo.read(path, roles, by)
    elif by is not None:
        raise GsfmError(f"{path}: only a table of HPO has a choice of {by}")
    else:
        sets = read(path, species=species, **choice)
        if path.suffix.lower() == ".gsets":
            sets = sets.resolve(species)  # `read` does not resolve such a file
    hashes = {file.name: sha256_file(file) for file in files}
    facts = {"source": path.name, "files": hashes}
    return sets, {**facts, **{k: v for k, v in sets.manifest.items() if v is not None}}
