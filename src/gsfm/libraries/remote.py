"""Services that publish libraries, such as ``enrichr:KEGG_2021_Human``."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gsfm import sets
from gsfm.errors import FormatError, GsfmError
from gsfm.genes import Species
from gsfm.io.download import fetch
from gsfm.io.files import sha256_file
from gsfm.paths import data_folder
from gsfm.report import write_text
from gsfm.sets import GeneSets


@dataclass(frozen=True)
class Service:
    """A service: the addresses of its libraries, and facts about all of them."""

    name: str
    example: str
    license: str
    #: The address of the service; the environment variable GSFM_<NAME>_URL names a mirror.
    base: str
    #: The rest of the address of a library; with a release if the service has releases.
    library: str
    release: str | None = None
    #: The release of libraries whose name matches a pattern.
    other: tuple[str, str] = ("(?!)", "")
    #: The page with the current release, and its pattern, if `release` is not fixed.
    index: tuple[str, str] = ("", "")
    #: The species of a library by its name, for which the species may stand, or by the last part of
    #: its release.
    species: Mapping[str, Species] = field(default_factory=dict)


SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service(
            name="enrichr",
            example="enrichr:KEGG_2021_Human",
            license="see the library's own source; Enrichr is free for academic use",
            base="https://maayanlab.cloud/Enrichr",
            library="/geneSetLibrary?mode=text&libraryName={name}",
        ),
        Service(
            name="msigdb",
            example="msigdb:h.all",
            license="CC BY 4.0; some sets have terms of their own (MSigDB)",
            base="https://data.broadinstitute.org/gsea-msigdb/msigdb/release",
            library="/{release}/{name}.v{release}.symbols.gmt",
            release="2024.1.Hs",
            other=(r"m(h|\d)\b", "2024.1.Mm"),  # the collections of mouse
            species={"Hs": "human", "Mm": "mouse"},
        ),
        Service(
            name="wikipathways",
            example="wikipathways:human",
            license="CC0 1.0",
            base="https://data.wikipathways.org",
            library="/{release}/gmt/wikipathways-{release}-gmt-{name}.gmt",
            index=("/current/gmt/", r"wikipathways-(\d{8})-gmt-{name}\.gmt"),
            species={"Homo_sapiens": "human", "Mus_musculus": "mouse", "Rattus_norvegicus": "rat"},
        ),
        Service(
            name="gprofiler",
            example="gprofiler:human",
            license="see the sources; all of g:Profiler's in one library",
            base="https://biit.cs.ut.ee/gprofiler/static",
            library="/gprofiler_full_{name}.name.gmt",
            species={"hsapiens": "human", "mmusculus": "mouse", "rnorvegicus": "rat"},
        ),
    )
}


def split(text: str) -> tuple[Service, str] | None:
    """The service and the name in ``service:name``; None for another text.

    Examples
    --------
    >>> split("enrichr:KEGG_2021_Human")[1], split("a.gmt")
    ('KEGG_2021_Human', None)
    """
    service, colon, name = text.partition(":")
    if not colon or not name or service.lower() not in SERVICES:
        return None
    return SERVICES[service.lower()], name


def read(
    service: Service,
    name: str,
    *,
    release: str | None = None,
    species: Species | None = None,
    mirror: str | None = None,
    refresh: bool = False,
) -> tuple[GeneSets, dict[str, str | None]]:
    """Read a library and facts about it; it is downloaded once.

    Parameters
    ----------
    service, name
        The library.
    release
        The release, if the service has releases; its current one if None.
    species
        The species of the identifiers; that of the library if None.
    mirror
        The address of a mirror of the service.
    refresh
        Download it even if it was downloaded before.

    Raises
    ------
    GsfmError
        If the service cannot be reached, or has no such library.
    FormatError
        If what it sends is not a library.
    """
    base = mirror or os.environ.get(f"GSFM_{service.name.upper()}_URL") or service.base
    base = base.rstrip("/")
    of_species: dict[str, str] = {short: full for full, short in service.species.items()}
    full_name = of_species.get(name.lower(), name)
    if "{release}" in service.library:
        pattern, other = service.other
        usual = other if re.match(pattern, full_name) else service.release
        release = release or usual or _current(service, full_name, base)
    else:
        release = year(name)
    parts = {"name": full_name, "release": release or ""}
    quoted = {key: urllib.parse.quote(value, safe="") for key, value in parts.items()}
    url = base + service.library.format(**quoted)
    path = download(url, f"{service.name}-{file_name(full_name)}", ".gmt", refresh=refresh)
    last = (release or "").rpartition(".")[2]
    own = service.species.get(full_name) or service.species.get(last)
    facts: dict[str, str | None] = {
        "title": f"{full_name} of {service.name}",
        "release": release,
        "license": service.license,
        "species": own,
        "source": url,
        "sha256": sha256_file(path),
    }
    try:
        return sets.read(path, format="gmt", species=species or own), facts
    except FormatError:  # so that it is downloaded again
        path.unlink()
        raise


def download(url: str, name: str, suffix: str, *, refresh: bool = False) -> Path:
    """Download a file once, and check later that it is unchanged.

    Parameters
    ----------
    url
        The address.
    name, suffix
        The beginning and the end of the name of the file in the folder ``downloads``.
    refresh
        Download it again.

    Raises
    ------
    GsfmError
        If the server cannot be reached, or refuses.
    """
    # The hash makes the name unique for each mirror.
    digest = hashlib.sha256(url.encode()).hexdigest()[:12]
    path = data_folder() / "downloads" / f"{name}-{digest}{suffix}"
    checksum = path.with_name(f"{path.name}.sha256")
    is_complete = path.is_file() and checksum.is_file()
    if refresh or not is_complete or sha256_file(path) != checksum.read_text(encoding="utf-8"):
        fetch(url, path)
        write_text(checksum, sha256_file(path))
    return path


def year(name: str) -> str | None:
    """The last year in the name of a library: Enrichr has no releases.

    Examples
    --------
    >>> year("KEGG_2021_Human"), year("CORUM")
    ('2021', None)
    """
    return next(iter(re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", name)[::-1]), None)


def file_name(name: str) -> str:
    """Replace the characters of a name that file names should not have."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", name)


def _current(service: Service, name: str, base: str) -> str:
    """The current release, from the index of the service."""
    page_of_releases, pattern = service.index
    url = base + page_of_releases
    with tempfile.TemporaryDirectory() as folder:
        page = fetch(url, Path(folder) / "index").read_text(encoding="utf-8", errors="replace")
    found: list[str] = re.findall(pattern.replace("{name}", re.escape(name)), page)
    if not found:
        raise GsfmError(f"{url} names no file of {name!r}: check the name, or give a release")
    return max(found)
