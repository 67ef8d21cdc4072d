"""Decorated identifiers: what databases, arrays, R and people write around a name or id.

A `Form` recognizes keys that are not found as they are, and rewrites them. Forms are tried in
order, each on what the ones before it left; `resolver` looks up the results.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from gsfm.genes.lookup import UNIPROT, look_up, unpack

#: A text to look up, and the kind of match that it is then; "" is the kind of what is found. After
#: "?", a synonym of a mouse or rat gene alone is no match.
Option = tuple[str, str]


class Form(NamedTuple):
    """A way to decorate an identifier.

    Attributes
    ----------
    pattern
        What the keys have in common; for a column of text.
    rule
        What was removed, in words; "" where the kind of match says it.
    options
        The texts that a key may stand for.
    kinds
        The kinds of match that count; all if it is empty.
    together
        Whether all the texts must be the same gene.
    """

    pattern: str
    rule: str
    options: Callable[[str], Iterator[Option]]
    kinds: tuple[str, ...] = ()
    together: bool = False


def _replacing(*pairs: tuple[str, str]) -> Callable[[str], Iterator[Option]]:
    """Return the options of replacing regular expressions, one after the other."""
    compiled = [(re.compile(pattern), text) for pattern, text in pairs]

    def options(key: str) -> Iterator[Option]:
        for pattern, text in compiled:
            key = pattern.sub(text, key)
        yield key.strip(), ""

    return options


_DASH = "[\u2010-\u2015\u2212]"
_ASSEMBLY = r"(?:GRC[HM]\d\d|HG\d\d|MM\d\d?|HUMAN|MOUSE|HSAPIENS|MMUSCULUS)[_-]+"
_DATABASES = (
    r"ENSEMBL|HGNC|SYMBOL|GENE(?:[_ ]?(?:NAME|SYMBOL))?|TRANSCRIPT|PROTEIN|REFSEQ|HSA?|HUMAN|"
    r"UNIPROT(?:KB)?(?:/(?:SWISS-PROT|TREMBL))?"
)
_PREFIXES = _replacing(
    (r"^>", ""),
    (r"^(?:SP|TR)\|([A-Z0-9-]+)(?:\|.*)?$", r"\1"),
    (r"^(?:GI\|\d+\|)?REF\|([^|]+)\|.*$", r"\1"),
    (rf"^{_ASSEMBLY}", ""),
    (r"^(?:(?:ENTREZ|NCBI)(?:[-_ ]?GENE)?(?:[-_ ]?ID)?|GENE[_ ]?ID|HSA) ?[:=_] ?", ""),
    (r"^LOC(\d+)$", r"\1"),  # NCBI names a gene that has no symbol after its id
    (r"^HGNC_(\d+)$", r"HGNC:\1"),
    (r"^(MGI|RGD):(?=\1:)", ""),
    (r"^(?:GENE|RNA|CDS)-(?=[A-Z])", ""),  # NCBI's annotation
    (r"^9606\.(?=[A-Z])", ""),  # STRING
    (rf"^(?:{_DATABASES}) ?: ?(?=[A-Z])", ""),
)
_SPLIT = re.compile(r"[|:]|_(?=ENS)|(?<=\d)_(?=[A-Z])| \(|\)$")


def _parts(key: str) -> Iterator[Option]:
    parts = [part for part in _SPLIT.split(key) if re.search(r"\w", part)]  # TCGA has ?|728661
    if len(parts) > 2:  # the header of a GENCODE sequence ends in lengths
        parts = [part for part in parts if not part.isdigit()]
    for part in parts:
        yield part, ""


_MICRORNA = re.compile(r"(?:(?:HSA|MMU|RNO)-)?(MIR|LET)-?(\d+[A-Z]*)(?:-(\d))?(?:-[35]P|\*)?")


def _microrna(key: str) -> Iterator[Option]:
    """The genes of a mature microRNA: hsa-miR-16-5p comes from MIR16-1 and MIR16-2."""
    found = _MICRORNA.fullmatch(key)
    if found:
        family, number, copy = found.groups()
        name = ("MIRLET" if family == "LET" else "MIR") + number
        join = "" if name[-1].isalpha() else "-"
        for i in [copy] if copy else ["", *range(1, 21)]:
            yield f"{name}{join if i else ''}{i}", "mature microrna"


_ALLELE = re.compile(
    r"(?:HLA-)?(?:([ABC])\*?\d|([ABCEFG]|D[A-Z]+[1-9]?)\*?\d{2,3}(?::?\d{2,3}){0,3}[NLSCAQ]?)"
)


def _allele(key: str) -> Iterator[Option]:
    found = _ALLELE.fullmatch(key)
    if found:
        yield f"HLA-{found[1] or found[2]}", "hla allele"


_REPEAT = re.compile(r"(?=\d*[A-Z])(.*)(?:\.\d{1,2}|-[1-9])")


def _names_of_r(key: str) -> Iterator[Option]:
    repeat = _REPEAT.fullmatch(key)
    base = repeat[1] if repeat else key
    if repeat:
        yield base, "make.unique"
    for text in dict.fromkeys((key, base)):
        if "." in text:
            yield text.replace(".", "-"), "make.names"


def _hyphens(key: str) -> Iterator[Option]:
    """scanpy's CCL2-1 is a repeat of CCL2, and GATA-4 a spelling of GATA4."""
    repeat = _REPEAT.fullmatch(key)
    if repeat:
        yield repeat[1], "make.unique"
    yield key.replace("-", ""), "spelling"


_GREEK = {
    "\u0391": "ALPHA", "\u0392": "BETA", "\u0393": "GAMMA", "\u0394": "DELTA",
    "\u0395": "EPSILON", "\u0396": "ZETA", "\u0397": "ETA", "\u0398": "THETA",
    "\u0399": "IOTA", "\u039a": "KAPPA", "\u039b": "LAMBDA", "\u039c": "MU",
    "\u03a3": "SIGMA", "\u03a4": "TAU", "\u03a6": "PHI", "\u03a8": "PSI", "\u03a9": "OMEGA",
}  # fmt: skip
_LETTER = re.compile("-?([\u0391-\u03a9])-?")


def _greek(key: str) -> Iterator[Option]:
    """The name of the letter, or the Latin one; with and without hyphens."""
    for length in (None, 1):
        for before, after in (("-", "-"), ("-", ""), ("", "")):
            names = {
                ord(letter): f"{before}{name[:length]}{after}" for letter, name in _GREEK.items()
            }
            text = _LETTER.sub(r"\1", key).translate(names).strip("-")
            kind = "?spelling" if length else "spelling"
            yield text, kind
            yield text.replace("-", ""), kind


def _typed(key: str) -> Iterator[Option]:
    """Letters of full width, and characters that are not seen, such as soft hyphens."""
    yield re.sub("[\u00ad\u2060]", "", unicodedata.normalize("NFKC", key)), ""


FORMS = (
    Form("[\u00ad\u2060\uff01-\uff5e]", "in plain letters", _typed),
    Form(_DASH, "with a plain hyphen", _replacing((_DASH, "-"))),
    Form(
        r"[,;:*.]$|[)\]]$|~WITHDRAWN$",
        "before its ending",
        _replacing((r"[,;:*.]+$|\s*[(\[](?:HUMAN|HOMO SAPIENS)[)\]]$|~WITHDRAWN$", "")),
    ),
    Form(
        rf"^>|[:=|]|^(?:GENE|RNA|CDS)-|^LOC\d|^HGNC_|^9606\.|^{_ASSEMBLY}|^(?:ENTREZ|NCBI|GENE)",
        "after its prefix",
        _PREFIXES,
    ),
    Form(r"[|:]|_ENS|\d_[A-Z]|^\S+ \(\S+\)$", "by two names", _parts, together=True),
    Form(
        r"^(?:\d+|ENS[GT]\d+(?:\.\d+)?|[NX][MR]_\d+(?:\.\d+)?)_AT$",
        "of a probe set (BrainArray)",
        _replacing(("_AT$", "")),
    ),
    Form("-MRNA$", "of a NanoString panel", _replacing(("-MRNA$", ""))),
    Form("^ENSGR0", "on chromosome Y", _replacing(("^ENSGR0", "ENSG00"))),
    Form(r"^ENS[GT]\d+\.?\d*_\d+$", "of GENCODE on GRCh37", _replacing((r"_\d+$", ""))),
    Form(
        rf"^{UNIPROT}(?:[-.]\d+|_(?:HUMAN|MOUSE|RAT))$",
        "without isoform or species",
        _replacing((r"[-._][A-Z0-9]+$", "")),
    ),
    Form(
        r"^(?:(?:HSA|MMU|RNO)-)?(?:MIR|LET)-?\d", "", _microrna,
        ("approved", "mouse symbol", "rat symbol"),
    ),
    Form(r"^(?:HLA-(?:[ABC]|[A-Z]+\d?\*?\d)\*?\d|(?:[ABCEFG]|D[A-Z]{2}\d?)\*\d\d)", "", _allele),
    Form(
        r"^[A-Z0-9-]*[A-Z][A-Z0-9-]*\.[A-Z0-9.-]+$", "", _names_of_r,
        ("approved", "previous", "mouse symbol", "rat symbol"),
    ),
    Form(
        r"^[A-Z0-9]*[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+$", "", _hyphens,
        ("approved", "mouse symbol", "rat symbol"),
    ),
    Form("[\u0391-\u03a9]", "", _greek),
)  # fmt: skip


def is_affymetrix(keys: pl.Series) -> bool:
    """Whether numbers with ``_AT`` are probe sets of Affymetrix; else they are Entrez ids.

    They are if a probe set of another form is in the list, or a tenth of the numbers is no gene.

    Examples
    --------
    >>> is_affymetrix(pl.Series(["7157_AT"])), is_affymetrix(pl.Series(["1053_AT", "1007_S_AT"]))
    (False, True)
    """
    probes = keys.filter(keys.str.contains(r"^(?:AFFX-|\d+_(?:[A-Z]_)?AT$)")).unique()
    numbers = probes.str.extract(r"^(\d+)_AT$").drop_nulls()
    if len(numbers) < len(probes):
        return True
    known = np.unique(unpack(look_up(np.arange(len(numbers)), numbers))[0])
    return 10 * len(known) < 9 * len(numbers)
