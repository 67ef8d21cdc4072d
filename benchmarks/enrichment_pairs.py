"""Match the terms of three libraries by name: the same process in GO, Reactome and KEGG.

    python benchmarks/enrichment_pairs.py --data DATA -o benchmarks/enrichment_pairs.tsv

The table was committed before any enrichment was measured on it. Two names match if they have the
same words in any order, without identifiers, words in parentheses, plural endings and words that
distinguish nothing, and with one word for synonyms. Of several terms of a library with the same
words, the first is used.
"""

from __future__ import annotations

import argparse
import itertools
import re
from pathlib import Path

import polars as pl

from gsfm import GeneSets, libraries, sets
from gsfm.io.files import atomic_path

#: Words that distinguish no two processes.
EMPTY = {"pathway", "of", "the", "and", "in", "process", "by", "to", "a", "via", "human"}
SYNONYMS = {
    "signalling": "signaling",
    "biosynthetic": "biosynthesis",
    "synthesis": "biosynthesis",
    "metabolic": "metabolism",
    "catabolic": "degradation",
    "catabolism": "degradation",
    "mediated": "",
}
MIN_SIZE = 5


def words(name: str) -> frozenset[str]:
    """The words of a name that are compared."""
    name = re.sub(r"\([^)]*\)|R-HSA-\d+", "", name).lower()
    found = (SYNONYMS.get(word, word) for word in re.findall(r"[a-z0-9]+", name))
    return frozenset(map(_singular, (word for word in found if word and word not in EMPTY)))


def _singular(word: str) -> str:
    plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "is"))
    return word[:-1] if plural else word


def pairs(of_library: dict[str, GeneSets]) -> pl.DataFrame:
    """One row a pair of terms: ``library_1``, ``term_1``, ``library_2``, ``term_2``."""
    by_words: dict[str, dict[frozenset[str], str]] = {}
    for name, library in of_library.items():
        terms = by_words.setdefault(name, {})
        for term, size in zip(library.names, library.sizes, strict=True):
            if size >= MIN_SIZE:
                terms.setdefault(words(term), term)
    rows = [
        {"library_1": a, "term_1": term, "library_2": b, "term_2": by_words[b][key]}
        for a, b in itertools.combinations(of_library, 2)
        for key, term in sorted(by_words[a].items(), key=lambda item: item[1])
        if key in by_words[b]
    ]
    return pl.DataFrame(rows)


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder with benchmark/")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    of_library = {name: libraries.load(name) for name in ("go-bp", "reactome")}
    of_library["kegg"] = sets.read(options.data / "benchmark" / "KEGG_2021_Human.gmt.gz")
    with atomic_path(options.output) as temporary:
        pairs(of_library).write_csv(temporary, separator="\t")


if __name__ == "__main__":
    main()
