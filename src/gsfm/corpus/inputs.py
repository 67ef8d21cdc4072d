"""The inputs of a corpus: files, folders and sources, and facts about them."""

from __future__ import annotations

import fnmatch
import functools
import hashlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import polars as pl

from gsfm.corpus.sources import Source, get
from gsfm.errors import FormatError, GsfmError, check_type, require
from gsfm.genes import Species
from gsfm.io.archives import is_other
from gsfm.io.files import sha256_file
from gsfm.sets.files import SUFFIXES, stem

#: The table with facts about the gene-set files of its folder.
TABLE = "SOURCES.tsv"
_FACTS = ("library", "available_by", "license", "species", "kind")


@dataclass(frozen=True)
class Input:
    """One file of a build."""

    name: str  # of the library: the source of its sets
    path: Path
    source: Source | None  # the public resource whose file it is; None for a gene-set file
    sha256: str
    n_bytes: int
    facts: dict[str, str] = field(default_factory=dict)  # its row of SOURCES.tsv
    content: bytes | None = None  # of standard input
    claimed: bool = True  # that it has gene sets: by its suffix, or as it was given by name

    @property
    def species(self) -> Species | None:
        """The species of the symbols of the file, if its row has one."""
        words = self.facts.get("species", "").lower().split()[:1]
        return next((species for species in get_args(Species) if [species] == words), None)

    @property
    def year(self) -> int | None:
        """The year by which the library was available."""
        return int(self.facts["available_by"]) if "available_by" in self.facts else None

    @property
    def license(self) -> str | None:
        """The terms of use, of the resource or of the row."""
        return self.source.license if self.source else self.facts.get("license")


def find(
    inputs: Iterable[str | Path | tuple[str, str | Path]], exclude: Sequence[str] = ()
) -> tuple[list[Input], list[str], dict[str, str]]:
    """Find the files of a build, the names of the excluded libraries, and why files were left out.

    Files of public resources come first, then libraries by name; the order of `inputs` does not
    matter.
    """
    found: dict[Path, Input] = {}
    left_out: dict[str, str] = {}
    excluded: set[str] = set()
    facts_of = functools.cache(_facts)
    check_type(Iterable, "paths", inputs=inputs)
    for item in inputs:
        check_type((str, Path, tuple), "a path, or a source and a path", input=item)
        name_of_source, file = (None, item) if isinstance(item, str | Path) else item
        source, path = None if name_of_source is None else get(name_of_source), Path(file)
        if not source and str(path) == "-":
            content = sys.stdin.buffer.read()
            digest = hashlib.sha256(content).hexdigest()
            found[path] = Input("stdin", path, None, digest, len(content), content=content)
            continue
        require(path.exists(), f"{path}: no such file or folder", GsfmError)
        is_folder = not source and path.is_dir()
        for file in _files(path, left_out) if is_folder else [path]:
            name = source.name if source else stem(file)
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude):
                excluded.add(name)
            elif file.resolve() not in found:
                facts = {} if source else facts_of(file.with_name(TABLE)).get(name, {})
                size = file.stat().st_size
                claimed = not is_folder or _is_claimed(file)
                found[file.resolve()] = Input(
                    name, file, source, sha256_file(file), size, facts, claimed=claimed
                )
    require(found, "nothing to build from: no file is given, or all are excluded", GsfmError)
    ordered = sorted(found.values(), key=lambda i: (i.source is None, i.name, i.sha256))
    return ordered, sorted(excluded), left_out


def _files(folder: Path, left_out: dict[str, str]) -> list[Path]:
    """The files of a folder that can have gene sets, sorted; without hidden files and folders."""
    files = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or path.is_dir() or path.name == TABLE:
            continue
        if not path.is_file():
            left_out[str(path)] = "not a regular file"
        elif is_other(path.name):
            left_out[str(path)] = "it accompanies the data, by its name"
        else:
            files.append(path)
    require(files, f"{folder}: the folder holds no gene-set file", GsfmError)
    return files


def _is_claimed(path: Path) -> bool:
    """Whether the suffix says that a file has gene sets; otherwise its content decides."""
    return any(suffix.lower() in SUFFIXES for suffix in path.suffixes[-2:])


def _facts(path: Path) -> dict[str, dict[str, str]]:
    """The rows of a SOURCES.tsv by library; empty without such a file."""
    if not path.is_file():
        return {}
    try:
        table = pl.read_csv(path, separator="\t", infer_schema=False, quote_char=None)
    except pl.exceptions.PolarsError as error:
        raise FormatError(path, f"is not a table with tabs ({error})") from error
    if "library" not in table.columns:
        raise FormatError(path, "has no column 'library' (the file names without endings)", line=1)
    if "license" not in table.columns:
        table = table.rename({"licence": "license"}, strict=False)
    rows = {}
    for line, row in enumerate(table.iter_rows(named=True), 2):
        facts = {key: row[key] for key in _FACTS if row.get(key)}
        if not facts.get("available_by", "0").isdigit():
            reason = f"available_by is {facts['available_by']!r}, not a year"
            raise FormatError(path, reason, line=line)
        rows[facts.pop("library", "")] = facts
    return rows
