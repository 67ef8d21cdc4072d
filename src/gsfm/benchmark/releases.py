"""Two releases of a library: which term of the one is which of the other, and where they lie."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import GsfmError
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets, overlap

Rows = NDArray[np.int64]

#: A renamed term has most of its genes in common with its old self, and a little of its name; or
#: many of its genes and nearly all of its name. See `pair` for what these were tuned on.
SAME_GENES, SOME_NAME = 2 / 3, 0.4
MANY_GENES, SAME_NAME = 0.4, 0.8

#: An identifier within a name: the prefix of an ontology or a pathway database, and a number. The
#: species of a Reactome identifier belongs to it; a version does not.
_IDENTIFIER = re.compile(
    r"""(?<![A-Z0-9])(
    (?:GO|HP|MP|MONDO|EFO|DOID|CL|UBERON|CHEBI|NCIT|MESH|OMIM|ORPHA|ORPHANET|PW|OBA|BTO)
        (?: :[A-Z]?\d+ | _[A-Z]?\d{4,} )
    | R-[A-Z]{3}-\d+
    | WP\d+
    | (?:HSA|MMU|RNO)\d{5}
    | SMP\d{5,}
    )(?:\.\d+|_R\d+)?(?![A-Z0-9])""",
    re.VERBOSE | re.IGNORECASE,
)
#: α to ω, of which ς is an end of a word.
_GREEK = {chr(code): unicodedata.name(chr(code)).split()[-1].lower() for code in range(945, 970)}
_GREEK["ς"] = "sigma"


@dataclass(frozen=True, eq=False)
class Pairs:
    """Which term of an older release is which of a newer one.

    Parameters
    ----------
    table
        One row a pair, in the order of the newer release: ``older_row``, ``newer_row``,
        ``older_name``, ``newer_name``, ``by`` (``"identifier"``, ``"name"`` or ``"content"``) and
        ``jaccard`` (genes in both over genes in either).
    older_only, newer_only
        The rows of the terms without a counterpart.
    """

    table: pl.DataFrame
    older_only: Rows
    newer_only: Rows

    def __len__(self) -> int:
        return self.table.height

    @property
    def ways(self) -> dict[str, int]:
        """How many pairs each way found."""
        counts = Counter(self.table["by"].to_list())
        return {way: counts[way] for way in ("identifier", "name", "content")}


def pair(older: GeneSets, newer: GeneSets) -> Pairs:
    """Find for each term of an older release the same term in a newer one.

    Three ways, one after another, each for the terms that the earlier ones left over:

    1. *identifier*: both names hold the same one (``GO:0001234``, ``hsa04110``, ``R-HSA-69278``,
       ``HP:0000001``, ``WP254``, ``EFO_0000270``, ...);
    2. *name*: the same but for case, accents, punctuation, Greek letters, identifiers and an added
       species (``"Cell cycle_Homo sapiens_hsa04110"``);
    3. *content*: a renamed term. Either two thirds of the genes of both and something of the name
       are the same, or two fifths of the genes and most of the name, with the same numbers in it.
       The two must be each other's best match. Terms that both have an identifier are left out:
       if it is not the same one, they are two terms by the library's own word.

    A key that several terms of one release share pairs none of them.

    Parameters
    ----------
    older, newer
        The releases, over any vocabularies; only approved symbols compare well
        (`gsfm.sets.read` resolves them).

    Returns
    -------
    Pairs
        A term is in one pair at most.

    Notes
    -----
    The likeness of names is the ratio of `difflib.SequenceMatcher`. The bounds were set by looking
    at every pair of terms left over with a Jaccard index of 0.3 or more between GO BP 2018 and
    2025, KEGG 2016 and 2021, and the GWAS Catalog 2019 and 2023, so that no wrong pair was left.
    Just below them lie parts and sums of terms ("Drug metabolism - cytochrome P450" within "Drug
    metabolism"): like, but not the same. A harder trial is GO BP 2018 and 2025 with the
    identifiers taken out of the names: names then pair 3,835 terms, 2 of them wrongly, and content
    158, 20 of them wrongly (mostly a term and its parent, or one that it was merged into).

    Examples
    --------
    >>> older = GeneSets.from_lists({"Prion diseases_Homo sapiens_hsa05020": ["PRNP", "STIP1"]})
    >>> newer = GeneSets.from_lists({"prion diseases": ["PRNP", "STIP1", "NCAM1"]})
    >>> pair(older, newer).table.select("newer_name", "by", "jaccard").rows()
    [('prion diseases', 'name', 0.666...)]
    """
    names = older.names, newer.names
    left = [dict.fromkeys(range(len(release))) for release in names]
    found: list[tuple[int, int, str]] = []
    keys: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("identifier", _identifier),
        ("name", str),
        ("name", _plain),
        ("name", _without_species),
    )
    for way, key in keys:
        rows = [
            _unique({i: key(release[i]) for i in rows})
            for release, rows in zip(names, left, strict=True)
        ]
        for text in rows[0].keys() & rows[1].keys():
            a, b = rows[0][text], rows[1][text]
            found.append((a, b, way))
            del left[0][a], left[1][b]
    one, other = older, newer
    if older.vocabulary != newer.vocabulary:
        both = Vocabulary(sorted({*older.vocabulary, *newer.vocabulary}))
        one, other = older.reindex(both), newer.reindex(both)
    for a, b in _renamed(one, other, np.array([*left[0]], int), np.array([*left[1]], int)):
        found.append((a, b, "content"))
        del left[0][a], left[1][b]
    found.sort(key=lambda row: row[1])
    kinds = {"older_row": pl.Int64, "newer_row": pl.Int64, "by": pl.String}
    table = pl.DataFrame(found, kinds, orient="row")
    a_rows, b_rows = table["older_row"].to_numpy(), table["newer_row"].to_numpy()
    table = table.select(
        "older_row",
        "newer_row",
        pl.Series("older_name", [names[0][a] for a in a_rows], pl.String),
        pl.Series("newer_name", [names[1][b] for b in b_rows], pl.String),
        "by",
        pl.Series("jaccard", _jaccard(one[a_rows], other[b_rows])),
    )
    return Pairs(table, np.array([*left[0]], np.int64), np.array([*left[1]], np.int64))


def nearest(sets: GeneSets, others: GeneSets) -> NDArray[np.float64]:
    """(n,) the largest Jaccard index of each set with any of the others, over one vocabulary."""
    best = np.zeros(len(sets))
    for rows, columns, shared in overlap.shared_counts(sets.to_csr(), others.to_csr()):
        np.maximum.at(best, rows, shared / (sets.sizes[rows] + others.sizes[columns] - shared))
    return best


def find_release(folder: str | Path, library: str, year: int | str) -> Path:
    """Find the file of a library's release by the library's name and the year in the file's name.

    Parameters
    ----------
    folder
        The folder with files such as ``GO_Biological_Process_2018.gmt.gz``.
    library
        What comes before the year, such as ``"GO Biological Process"``; case, spaces and
        punctuation do not matter. Where several files fit (``KEGG_2019_Human``,
        ``KEGG_2019_Mouse``), what comes after the year belongs to it too: ``"KEGG Mouse"``.
    year
        The year, or what stands in its place (``"2017b"``).

    Raises
    ------
    GsfmError
        If there is no such folder or file, or more than one; the message lists what there is.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "KEGG_2021_Human.gmt.gz").touch()
    >>> find_release(folder, "kegg", 2021).name
    'KEGG_2021_Human.gmt.gz'
    """
    folder = Path(folder)
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise GsfmError(f"{folder}: {error.strerror}; give the folder with the libraries") from None
    releases = [(path, match) for path in paths if (match := _RELEASE.match(path.name))]
    wanted = _plain(library)
    of_library = [
        (path, match)
        for path, match in releases
        if wanted in (_plain(match[1]), _plain(f"{match[1]} {match[3]}"))
    ]
    fitting = [path for path, match in of_library if match[2].lower() == str(year).lower()]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(p.name for p in fitting or [path for path, _ in of_library or releases])
    if fitting:
        advice = "add what comes after the year to the library's name, or give the file itself"
        raise GsfmError(f"{folder}: {library!r} of {year} may be each of {names}; {advice}")
    what = f"no release {year}" if of_library else "nothing"
    there = names or "no file with a year in its name"
    raise GsfmError(f"{folder}: {what} of the library {library!r}; there is {there}")


#: The name of a file: the library, the year, what else, and suffixes.
_RELEASE = re.compile(
    r"(.+?)[\W_]+((?:19|20)\d\d[a-z]?)(?![^\W_])([^.]*)(?:\.\w+)+$", re.IGNORECASE
)


def _identifier(name: str) -> str:
    """The last identifier in a name, in one spelling; empty if there is none."""
    found = _IDENTIFIER.findall(name)
    return found[-1].upper().replace("_", ":") if found else ""


def _plain(name: str) -> str:
    """A name as words of plain letters and digits, without identifiers."""
    text = unicodedata.normalize("NFKD", _IDENTIFIER.sub(" ", name)).casefold()
    text = "".join(_GREEK.get(c, c) for c in text if not unicodedata.combining(c))
    # "CD4+ T cells" are not "CD4- T cells".
    text = re.sub(r"['’]s\b", "", text).replace("+", " plus ").replace("&", " and ")
    return " ".join(re.findall(r"[^\W_]+", text))


def _without_species(name: str) -> str:
    return re.sub(r" (homo sapiens|human)$", "", _plain(name))


def _unique(keys: dict[int, str]) -> dict[str, int]:
    """Row by key, for the keys that are there once."""
    counts = Counter(keys.values())
    return {key: row for row, key in keys.items() if key and counts[key] == 1}


def _renamed(older: GeneSets, newer: GeneSets, a_rows: Rows, b_rows: Rows) -> list[tuple[int, int]]:
    """Pairs of rows, among those given, that are each other's best match by content and name."""
    one, other = older[a_rows], newer[b_rows]
    a_names, b_names = one.names, other.names
    candidates = []
    for rows, columns, shared in overlap.shared_counts(one.to_csr(), other.to_csr()):
        jaccard = shared / (one.sizes[rows] + other.sizes[columns] - shared)
        for k in np.flatnonzero(jaccard >= MANY_GENES):
            a, b = int(rows[k]), int(columns[k])
            likeness = _likeness(a_names[a], b_names[b], float(jaccard[k]))
            if likeness is not None:
                candidates.append((-float(jaccard[k]), -likeness, a, b))
    # The best comes first; a later one is never the best of either.
    seen: tuple[set[int], set[int]] = set(), set()
    pairs = []
    for _, _, a, b in sorted(candidates):
        if a not in seen[0] and b not in seen[1]:
            pairs.append((int(a_rows[a]), int(b_rows[b])))
        seen[0].add(a)
        seen[1].add(b)
    return pairs


def _likeness(a: str, b: str, jaccard: float) -> float | None:
    """How like two names are, 0 to 1; None if names and genes do not make them one term."""
    if _identifier(a) and _identifier(b):
        return None
    a, b = _without_species(a), _without_species(b)
    likeness = difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()
    if jaccard >= SAME_GENES and likeness >= SOME_NAME:
        return likeness
    same_numbers = re.findall(r"\d+", a) == re.findall(r"\d+", b)
    return likeness if likeness >= SAME_NAME and same_numbers else None


def _jaccard(one: GeneSets, other: GeneSets) -> NDArray[np.float64]:
    """(n,) Jaccard index row by row; 0 where both are empty."""
    shared = np.asarray(one.to_csr().multiply(other.to_csr()).sum(axis=1)).ravel()
    either = one.sizes + other.sizes - shared
    return np.asarray(shared / np.maximum(either, 1), np.float64)
