"""Services that publish libraries: ``enrichr:KEGG_2021_Human`` and the like, by name."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gsfm.errors import GsfmError
from gsfm.io.download import fetch
from gsfm.io.files import atomic_path, sha256_file
from gsfm.paths import data_folder


@dataclass(frozen=True)
class Service:
    """A service: where its libraries are, and what is true of all of them."""

    name: str
    example: str
    license: str
    #: The address of the service; the environment variable GSFM_<NAME>_URL names a mirror.
    base: str
    #: What follows for a library; `release` only if the address has one.
    library: str
    release: str | None = None
    #: The page that names the current release, and how; where `release` cannot be known.
    index: str | None = None
    current: str | None = None
    #: Names for people, by what the service says for them.
    aliases: Mapping[str, str] = field(default_factory=dict)
    species: Mapping[str, str] = field(default_factory=dict)


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
            species={"Hs": "human", "Mm": "mouse"},
        ),
        Service(
            name="wikipathways",
            example="wikipathways:human",
            license="CC0 1.0",
            base="https://data.wikipathways.org",
            library="/{release}/gmt/wikipathways-{release}-gmt-{name}.gmt",
            index="/current/gmt/",
            current=r"wikipathways-(\d{8})-gmt-{name}\.gmt",
            aliases={
                "human": "Homo_sapiens",
                "mouse": "Mus_musculus",
                "rat": "Rattus_norvegicus",
            },
        ),
    )
}


@dataclass(frozen=True)
class Fetched:
    """A library as a service gave it."""

    path: Path
    facts: dict[str, str | None]


def split(text: str) -> tuple[Service, str] | None:
    """The service and the name in ``service:name``; None if it is not written so.

    Examples
    --------
    >>> split("enrichr:KEGG_2021_Human")[1], split("a.gmt")
    ('KEGG_2021_Human', None)
    """
    service, colon, name = text.partition(":")
    if not colon or not name or service.lower() not in SERVICES:
        return None
    return SERVICES[service.lower()], name


def get(
    service: Service,
    name: str,
    *,
    release: str | None = None,
    mirror: str | None = None,
    refresh: bool = False,
) -> Fetched:
    """Fetch a library, unless it was fetched before and is whole.

    Parameters
    ----------
    service, name
        What to fetch.
    release
        Which release, of services that keep them; the service's current one if None.
    mirror
        The address of the service, in place of its own.
    refresh
        Fetch it even if it was fetched before.

    Raises
    ------
    GsfmError
        If the service cannot be reached, or has no such library.
    """
    base = mirror or os.environ.get(f"GSFM_{service.name.upper()}_URL") or service.base
    base = base.rstrip("/")
    theirs = service.aliases.get(name.lower(), name)
    if "{release}" in service.library:
        release = release or service.release or _current(service, theirs, base)
    else:
        release = _year(name)
    quoted = {key: urllib.parse.quote(value, safe="") for key, value in (
        ("name", theirs), ("release", release or "")
    )}  # fmt: skip
    url = base + service.library.format(**quoted)
    # One name a file in the folder, whatever the address has in it; the hash keeps mirrors apart.
    plain = re.sub(r"[^A-Za-z0-9._+-]+", "-", theirs)
    digest = hashlib.sha256(url.encode()).hexdigest()[:12]
    path = data_folder() / "downloads" / f"{service.name}-{plain}-{digest}.gmt"
    checksum = path.with_name(f"{path.name}.sha256")
    if refresh or not _is_whole(path, checksum):
        fetch(url, path)
        with atomic_path(checksum) as temporary:
            temporary.write_text(sha256_file(path), encoding="utf-8")
    species = (
        {theirs: human for human, theirs in service.aliases.items()}.get(theirs)
        if service.aliases
        else service.species.get((release or "").rpartition(".")[2])
    )
    facts = {
        "title": f"{theirs} of {service.name}",
        "release": release,
        "license": service.license,
        "species": species,
        "source": url,
        "sha256": checksum.read_text(encoding="utf-8"),
    }
    return Fetched(path, facts)


def forget(fetched: Fetched) -> None:
    """Remove a file that proved to be no library, so that it is fetched anew the next time."""
    fetched.path.unlink(missing_ok=True)
    fetched.path.with_name(f"{fetched.path.name}.sha256").unlink(missing_ok=True)


def _is_whole(path: Path, checksum: Path) -> bool:
    if not path.is_file() or not checksum.is_file():
        return False
    return sha256_file(path) == checksum.read_text(encoding="utf-8")


def _year(name: str) -> str | None:
    """The year in a library's name: Enrichr has no other releases."""
    years = re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", name)
    return years[-1] if years else None


def _current(service: Service, name: str, base: str) -> str:
    """The current release, which the index of the service names."""
    assert service.index is not None  # services without one have a release
    assert service.current is not None
    url = base + service.index
    with tempfile.TemporaryDirectory() as folder:
        page = fetch(url, Path(folder) / "index").read_text(encoding="utf-8", errors="replace")
    found: list[str] = re.findall(service.current.replace("{name}", re.escape(name)), page)
    if not found:
        raise GsfmError(f"{url} names no file of {name!r}: check the name, or give a release")
    return max(found)
