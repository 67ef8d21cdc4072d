"""What an identifier looks like that is no known gene, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from gsfm.genes.lookup import CODE, UNIPROT, find_names, unpack


class Hint(NamedTuple):
    """What identifiers of a form are, and what to do: two parts of a sentence."""

    what: str
    pattern: str
    advice: str


_PROBE = "map it to a gene with the annotation of the array (GEO's GPL table)"
_GUIDE = "guide RNA"
_FOREIGN, _ORTHOLOGS = "non-human gene", "map it to a human ortholog first"

#: In order: the first pattern that a key (in upper case) matches is its hint.
HINTS = (
    Hint(
        "Affymetrix probe set",
        r"^(?:AFFX-.+|\d+(?:_[A-Z])?_AT|[A-Z]{1,2}\d{5,}_(?:\w+_)?AT|TC\d+\.HG\.\d|\d+_ST)$",
        _PROBE,
    ),
    Hint("Illumina probe", r"^ILMN_\d+$", _PROBE),
    Hint("Agilent probe", r"^(?:A_\d\d_P\d+|\(\+\)E1A|GE_BRIGHT)", _PROBE),
    Hint("CpG probe of a methylation array", r"^C[GH]\.?\d{7,8}", _PROBE),
    Hint(
        "variant",
        r"^RS\d{3,}$|[:(][CGMNPR]\.\S|^[A-Z0-9-]+[ _][A-Z]\d{2,4}(?:[A-Z*]|FS.*)$",
        "give the gene that it affects",
    ),
    Hint("modified site", r"^\S+_[STYKCRM]\d+(?:_.*)?$", "give the protein without the site"),
    Hint("region of a chromosome", r"^CHR[0-9XYM]+[:_]\d", "list its genes with genes.within"),
    Hint(
        "decoy or contaminant of a protein search",
        r"^(?:CON|REV|DECOY|RAND|XXX)_{1,2}[A-Z0-9]|^(?:CONTAM|BIOGNOSYS)",
        "remove it, as the search engine advises",
    ),
    Hint("fly gene", r"^(?:FB[A-Z]{2}\d{7}|CG\d{3,5}|DMEL.+|DME:.+)$", _ORTHOLOGS),
    Hint(
        "yeast gene",
        r"^(?:Y[A-P][LR]\d{3}[WC](?:-[A-H])?|YNC[A-Q]\d{4}[WC]|Q0\d{3}|SGD:S\d+|S0000\d{5}|SCE:.+)$",
        _ORTHOLOGS,
    ),
    Hint("S. pombe gene", r"^SP(?:[ABC][CP][A-Z0-9]*|NCRNA|MIT)\.\d+C?(?:\.\d)?$", _ORTHOLOGS),
    Hint(
        "plant gene",
        r"^(?:AT[1-5CM]G\d{5}|(?:LOC_)?OS\d\dG\d{5,7}|ZM\d+[A-Z]+\d+|GRMZM\w+|GLYMA[._]?\d|SOLYC\d|"
        r"MEDTR\d|MTR_\d|POTRI\.|POPTR_|TRAES|HORVU|VIT_\d|VITVI\d|PP3C\d|SOBIC\.|SORBI_|BRA[AC]?\d\d|"
        r"BNA[AC]\d\d|CRE\d\d\.|CHLRE_)",
        _ORTHOLOGS,
    ),
    Hint("Xenopus gene", r"^[A-Z0-9.-]+\.[LS]$|^(?:XELAEV_|XETROV|XB-GENE)", _ORTHOLOGS),
    Hint(
        "worm gene",
        r"^(?:WBGENE\d{8}|CELE_.+|(?:ZK\d+|[BCDEFHKMRTW]0\d{3}|[A-Z]+\d+[A-Z]+\d*)\.\d+[A-Z]?)$",
        _ORTHOLOGS,
    ),
    Hint(
        "bacterial gene",
        r"^(?:(?:ECO:)?B\d{4}|JW\d{4}|ECK\d{4}|BSU_?\d{5}|RV\d{4}[A-C]?|PA\d{4}|STM\d{4}|VCA?\d{4}|"
        r"LMO\d{4})$",
        _ORTHOLOGS,
    ),
    Hint("zebrafish gene", r"^(?:ENSDAR[GTP]\d+|ZDB-GENE-.+|ZGC:\d+|SI:[A-Z0-9]+-.+)", _ORTHOLOGS),
    Hint("microRNA of another species", r"^[A-Z]{3}-(?:MIR|LET|BANTAM)-?\w", _ORTHOLOGS),
    Hint("mouse transcript or protein", r"^ENSMUS[TP]\d+", "give the id of its gene (ENSMUSG)"),
    Hint("rat transcript or protein", r"^ENSRNO[TP]\d+", "give the id of its gene (ENSRNOG)"),
    Hint(
        "mouse or rat gene without a human ortholog in the table",
        r"^(?:ENSMUSG\d+|ENSRNOG\d+|MGI:\d+|RGD:\d+|GM\d{3,}|\d{7}[A-Z]\d\dRIK|RGD\d{5,}|\S+RIK)",
        "leave it out",
    ),
    Hint(
        _FOREIGN,
        r"^(?:ENS[A-Z]{3,}[GTP]\d{11}|ORF19\.\d+|C[1-7R]_\d{5}[WC]|CAALFM_|AN\d{4}$|AFU(?:A_)?\dG\d{5}|"
        r"NCU\d{5}|DDB_G\d+|TB\d+\.\d+\.|LMJF\.|LINJ_|AGAP\d{6}|AAEL\d{6}|KH\.[CL]\d+\.|"
        r"(?:MMU|RNO|CEL|DRE|ATH|SPO|XLA|GGA|BTA|SSC|CFA):\w)",
        _ORTHOLOGS,
    ),
    Hint(
        "Ensembl protein that the table lacks",
        r"^(?:9606\.)?ENSP\d+",
        "give the id of its gene (ENSG) or transcript (ENST)",
    ),
    Hint(
        "Ensembl id that the table lacks",
        r"^ENS[GT]\d+",
        "it is retired, newer than the table, or of no gene with a symbol",
    ),
    Hint(
        "RefSeq accession of no human gene in the table",
        r"^(?:[NX][MRP]|YP|WP|NG|NC|NT|NW)_\d+",
        "it is of another species, or newer than 2022; give symbols",
    ),
    Hint(
        "UniProt entry name that the table lacks",
        r"^[A-Z0-9]{1,10}_(?:PIG|CAT|[A-Z]{4}[A-Z0-9])$",
        "give the accession or the symbol, of human, mouse or rat",
    ),
    Hint(
        "UniProt accession of no human, mouse or rat gene in the table",
        rf"^{UNIPROT}(?:[-.]\d+)?$",
        "give symbols",
    ),
    Hint(_GUIDE, r"^[A-Z0-9-]+_\d{3,}[A-Z]?$|^HGLIB[AB]_\d+", "give the gene that it targets"),
    Hint(
        "NCBI gene without an approved symbol",
        r"^LOC\d+$",
        "leave it out, or look it up at NCBI: the id may have been replaced",
    ),
    Hint(
        "clone-based name of Ensembl",
        r"^(?:[A-Z]{2}\d{6}\.\d+|(?:RP|CT[A-D]|XX|LA|LL|GS|KB|CH|AP)[A-Z0-9]*-\S+\.\d+)(?:[-.]\d+)?$",
        "give the Ensembl id",
    ),
    Hint("GenBank accession", r"^[A-Z]{1,3}\d{5,8}(?:\.\d+)?$", "give the symbol of its gene"),
    Hint("several names in one", r"[^\s;,/|]\s*(?:///?|[;,|])\s*[^\s;,/|]", "give them one by one"),
)
_ANY = "|".join(f"(?:{hint.pattern})" for hint in HINTS)
_NUMBER = {hint.what: i for i, hint in enumerate(HINTS)}
_TEXTS = pl.Series([f"{hint.what}: {hint.advice}" for hint in HINTS])
#: A gene and a number, or a locus tag: the sequencing project and a number.
_TAG = r"^([A-Z0-9-]+)_\d{3,}[A-Z]?$"
_TWO = r"^([A-Z0-9]+)(?:-|--|::|_)([A-Z][A-Z0-9]+)$"


def explain(keys: pl.Series) -> pl.Series:
    """Return what each key looks like and what to do about it; null for none.

    Examples
    --------
    >>> for text in explain(pl.Series(["202763_AT", "EML4-ALK", "XYZ"])):
    ...     print(text)
    Affymetrix probe set: map it to a gene with the annotation of the array (GEO's GPL table)
    fusion or read-through of EML4 and ALK: give the genes one by one
    None
    """
    found = np.full(len(keys), -1)
    rest = np.flatnonzero(keys.str.contains(_ANY).to_numpy())
    for i, hint in enumerate(HINTS):
        if not len(rest):
            break
        is_so = keys.gather(rest).str.contains(hint.pattern).to_numpy()
        found[rest[is_so]] = i
        rest = rest[~is_so]
    tags = keys.str.extract(_TAG)
    guides = (pl.Series(found) == _NUMBER[_GUIDE]) & tags.is_not_null()
    if guides.any():
        rows = np.flatnonzero(guides.to_numpy())
        found[rows[~_is_symbol(tags.gather(rows))]] = _NUMBER[_FOREIGN]
    index = pl.Series(found, dtype=pl.Int64)
    texts = _TEXTS.gather(index.set(index < 0, None) if len(index) else index)
    pairs = np.flatnonzero((texts.is_null() & keys.str.contains(_TWO)).to_numpy())
    if len(pairs):
        both = keys.gather(pairs).str.extract_groups(_TWO).struct.unnest()
        known = [_is_symbol(both[column]) for column in both.columns]
        pairs, both = pairs[known[0] & known[1]], both.filter(pl.Series(known[0] & known[1]))
        names = [f"fusion or read-through of {a} and {b}: give the genes one by one"
                 for a, b in both.rows()]  # fmt: skip
        texts = texts.scatter(pairs, names)
    return texts


def _is_symbol(keys: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    row, kind, _ = unpack(find_names(np.arange(len(keys)), keys))
    return np.isin(np.arange(len(keys)), row[kind <= CODE["previous"]])
