"""Members of a set, annotated and predicted, that may be biomarkers or targets."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from gsfm import genes as gene_names
from gsfm.analysis.query import Query, Which, check_selection
from gsfm.analysis.sources import is_path
from gsfm.analysis.term_scores import MISSING, describe_scores, rank_genes
from gsfm.completion.calibration import HALF
from gsfm.completion.inputs import GenesLike, as_identifiers
from gsfm.completion.result import Result
from gsfm.errors import count
from gsfm.genes import Species, Vocabulary, tables
from gsfm.models import ModelLike, load_model
from gsfm.progress import Progress
from gsfm.sets.genesets import LibraryLike

#: The fewest genes of a set: each is scored by the others.
LEAST = 2

KINDS = {
    "biomarkers": "secreted or surface protein: where the gene's protein is outside the cell",
    "targets": "families of druggable proteins that the gene is a member of",
}
COLUMNS = {
    "rank": "rank among the genes of any kind by the evidence for the set; leave-one-out for genes "
    "of the set, alone or with up to an eighth of the set",
    **describe_scores("the set"),
    "papers": "papers that NCBI linked to the gene by 2022-09-12",
    "reason": "the terms and domains that show the kind: of GO, FamPlex and protein-classes (see "
    "gsfm library list), and Pfam domains of UniProt 2022-09",
}
DRUGS = "approved drugs with the protein among their targets, by the Guide to PHARMACOLOGY 2020.5"


class Kind(NamedTuple):
    """A kind of protein, defined by terms and domains of the shipped sources."""

    name: str
    terms: tuple[str, ...] = ()  # of the libraries of SOURCES
    domains: tuple[str, ...] = ()  # accessions of Pfam
    excluded: tuple[str, ...] = ()  # terms and domains whose genes are excluded


#: The libraries of the terms.
SOURCES = ("go-mf", "go-cc", "families", "protein-classes")
EXTRACELLULAR = "secreted"
#: Where a protein that may be measured is.
PLACES = (
    Kind(EXTRACELLULAR),
    Kind(
        "cell surface",
        (
            "GO:0009986",
            "GO:0009897",
            "surfaceome:CSPA_validated",
            "surfaceome:GPI_anchored",
            "surfaceome:Predicted",
        ),
    ),
    Kind("blood plasma", ("GO:0072562", "GO:0034358")),
)
#: The families that most drugs bind (Hopkins & Groom 2002), without phosphatases and others that
#: few drugs bind.
FAMILIES = (
    # By domain and family: GO's term has regulators and substrates, such as CDKN1A and CCL2.
    Kind(
        "protein kinase",
        ("GtoPdb:atypical-kinase",),
        ("PF00069", "PF07714", "PF02816", "PF10436", "PF02260"),
    ),
    Kind("lipid kinase", (), ("PF00454", "PF01504", "PF00781"), excluded=("PF02259", "PF02260")),
    Kind(
        "GPCR",
        ("GO:0004930", "GtoPdb:gpcr"),
        ("PF00001", "PF00002", "PF00003", "PF01534"),
        excluded=("GO:0004984",),
    ),
    # Not by GO: its term has other transcription factors, such as STAT3.
    Kind("nuclear receptor", ("GtoPdb:nhr",), ("PF00104",)),
    Kind(
        "ion channel",
        (
            "GO:0005216",
            "GtoPdb:lgic",
            "GtoPdb:vgic",
            "GtoPdb:other_ic",
            "Voltage_gated_ion_channels",
            "Ligand_gated_ion_channels",
        ),
    ),
    Kind("transporter", ("GO:0022804", "GtoPdb:transporter"), ("PF00083", "PF07690", "PF00005")),
    Kind("protease", ("GO:0008233", "EC:3.4"), ("PF00089", "PF00413")),
    Kind("phosphodiesterase", ("GO:0004114", "PDE"), ("PF00233",)),
    Kind("histone deacetylase", ("GO:0004407",), ("PF00850",)),
    Kind("cytochrome P450", ("CYP",), ("PF00067",)),
)


class Discovery(Result):
    """The ranked genes of `biomarkers` or of `targets`, the best first.

    Attributes
    ----------
    inputs
        One row an identifier: those of the set or of the term, then those of the background.
    """

    def summary(self, *, limit: int = 50) -> str:
        """How the identifiers were mapped, and the numbers of genes of the set and of each kind."""
        p = self.provenance
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in p["kinds"].items())
        lines = [
            super().summary(limit=limit),
            f"{p['set']['name']}: {count(p['set']['genes'], 'gene')}",
        ]
        if others := p["set"]["others"]:
            lines.append(f"same name in other libraries: {', '.join(others)}")
        return "\n".join([*lines, f"genes ranked: {p['genes']:,} ({kinds})"])

    def _headline(self) -> str:
        p = self.provenance
        return f"{len(self)} {p['task']} of {p['set']['name']}; model {p['model']['name']}"


def biomarkers(
    about: GenesLike,
    *,
    library: LibraryLike | None = None,
    top: int | None = 50,
    which: Which = "all",
    background: GenesLike = (),
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Discovery:
    """Rank the genes of a set, annotated and predicted, with a secreted or surface protein.

    Parameters
    ----------
    about
        Genes: identifiers of any kind. Or a text, the identifier or name of a term, as in
        `gsfm.libraries.find`.
    library
        Where to look for the term: a library of any kind that `gsfm.libraries.load` takes.
    top
        Number of genes to return; all of them if None.
    which
        Only genes that are not in the set ("new"), or only those that are ("annotated").
    background
        Identifiers of the only genes to rank, such as those that an assay can detect; all genes if
        empty. It changes the ``rank`` of a gene and no other column.
    model, species, progress
        As in `complete`.

    Returns
    -------
    Discovery
        ``rank``, ``symbol``, ``name``, ``annotated``, ``score``, ``z_score``, ``probability`` if
        the model is calibrated, ``gene_rank``, ``papers``, ``kind`` and ``reason``.

    Raises
    ------
    UnknownGenesError
        If the model knows fewer than 2 genes of the set, or none of the background.
    UnknownTermError
        If no term matches, or several do; the message names similar terms.

    Notes
    -----
    A protein is *secreted* if the Gene Ontology has it in the extracellular region (`gsfm.genes.
    facts`), at the *cell surface* by that term, the external side of the plasma membrane or the
    tables of the Surfaceome, and in *blood plasma* if GO has it in blood microparticles or
    lipoproteins.

    The probability assumes that a fifth of a term is missing from it, as in `term`, and a half of
    the set from input genes, as in `complete`.

    Examples
    --------
    >>> biomarkers(["ALB", "APOA1"], which="new", top=3).table["symbol"].to_list()
    ['APOC3', 'APOB', 'APOA2']
    """
    return _discover(
        "biomarkers", PLACES, about, library, top, which, background, model, species, progress
    )


def targets(
    about: GenesLike,
    *,
    library: LibraryLike | None = None,
    top: int | None = 50,
    which: Which = "all",
    background: GenesLike = (),
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Discovery:
    """Rank the genes of a set, annotated and predicted, of the families that drugs bind.

    Parameters
    ----------
    about, library, top, which, background, model, species, progress
        As in `biomarkers`.

    Returns
    -------
    Discovery
        As for `biomarkers`; ``kind`` has the druggable families, and ``drugs`` the approved drugs
        with the protein among their targets.

    Notes
    -----
    The families are those that most drugs bind: protein and lipid kinases, G protein-coupled
    receptors except odorant receptors, nuclear receptors, ion channels, transporters, proteases,
    phosphodiesterases, histone deacetylases, cytochromes P450 [1]_. Drugs bind
    other proteins of the family; this does not show that the protein can be bound, or that binding
    it helps.

    References
    ----------
    .. [1] Hopkins & Groom, Nature Reviews Drug Discovery 2002, doi:10.1038/nrd892.

    Examples
    --------
    >>> found = targets(["EGFR", "GRB2"], top=1, which="new")
    >>> found.table.select("symbol", "kind").row(0)
    ('SRC', ['protein kinase'])
    """
    return _discover(
        "targets", FAMILIES, about, library, top, which, background, model, species, progress
    )


def _discover(
    task: str,
    kinds: tuple[Kind, ...],
    about: GenesLike,
    library: LibraryLike | None,
    top: int | None,
    which: Which,
    background: GenesLike,
    model: ModelLike,
    species: Species | None,
    progress: Progress | None,
) -> Discovery:
    """Rank the genes of some kinds for a set or a term."""
    model = load_model(model)
    check_selection(top, which)
    background = as_identifiers(background, "the background")
    members: GenesLike
    if isinstance(about, str) and not is_path(about, library):
        # Imported here: completion does not need it.
        from gsfm import libraries

        term = libraries.find(about, library)
        name, members, missing = f"{term.name} ({term.id})", list(term.genes), MISSING
        files = libraries.load(term.library).files
        others = list(term.others)
    else:
        name, members, missing = "the input genes", as_identifiers(about), HALF
        files, others = {}, []
    query = Query.of(model, species, set=members, background=background)
    ids = query.genes("set", least=LEAST)
    reasons = _reasons(model.vocabulary, kinds)
    pool = np.array(sorted(reasons), np.int64)
    if background:
        pool = np.intersect1d(pool, query.genes("background", what="the background"))
    settings: dict[str, Any] = {"top": top, "which": which, "missing_fraction": missing}
    shown, columns = rank_genes(model, ids, pool, **settings, progress=progress)
    own = [reasons[gene] for gene in shown.tolist()]
    lists = {"kind": [list(one) for one in own], "reason": [[*chain(*one.values())] for one in own]}
    table = pl.DataFrame({**columns, "papers": gene_names.facts(columns["symbol"])["papers"]})
    descriptions = COLUMNS | describe_scores("the set", missing) | {"kind": KINDS[task]}
    if task == "targets":
        of_gene = _drugs()
        lists["drugs"] = [of_gene.get(symbol, []) for symbol in table["symbol"]]
        descriptions["drugs"] = DRUGS
    table = table.hstack(pl.DataFrame(lists, schema=dict.fromkeys(lists, pl.List(pl.String))))
    numbers: dict[str, Any] = {
        "set": {"name": name, "genes": len(ids), "others": others, **files},
        "kinds": {kind.name: sum(kind.name in reasons[g] for g in pool.tolist()) for kind in kinds},
        "genes": len(pool),
        "background": len(pool) if background else None,
    }
    return query.result(Discovery, task, table, descriptions, **numbers, **settings)


# -- kinds of proteins -----------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def _reasons(vocabulary: Vocabulary, kinds: tuple[Kind, ...]) -> dict[int, dict[str, list[str]]]:
    """The kinds of each gene of a model that has any, and the reasons of each."""
    found: dict[int, dict[str, list[str]]] = {}
    for kind in kinds:
        excluded = {gene for one in kind.excluded for gene in _genes(one)[1]}
        sources = [_genes(one) for one in (*kind.terms, *kind.domains)]
        if kind.name == EXTRACELLULAR:
            known = gene_names.facts(gene_names.vocabulary().symbols).filter("extracellular")
            sources.append(("extracellular region (GO:0005576)", known["symbol"].to_list()))
        for why, symbols in sources:
            for gene in vocabulary.ids(one for one in symbols if one not in excluded).tolist():
                if gene >= 0:
                    found.setdefault(gene, {}).setdefault(kind.name, []).append(why)
    return found


def _genes(identifier: str) -> tuple[str, Iterable[str]]:
    """A reason, and the genes of a term or a domain."""
    if identifier.startswith("PF"):
        return _domain(identifier)
    # Imported here: completion does not need it.
    from gsfm import libraries

    name = next(one for one in SOURCES if identifier in libraries.load(one).metadata["id"])
    term = libraries.find(identifier, name)
    return f"{term.name} ({term.id})", term.genes


@functools.cache
def _drugs() -> dict[str, list[str]]:
    """The approved drugs of each gene, by name."""
    from gsfm import libraries

    drugs = libraries.load("drugs")
    found: dict[str, list[str]] = {}
    for row, name in sorted(enumerate(drugs.names), key=lambda one: one[1].lower()):
        for symbol in drugs.genes(row):
            found.setdefault(symbol, []).append(name)
    return found


def _domain(accession: str) -> tuple[str, Iterable[str]]:
    genes = tables.read("genes", ["symbol"]).hstack(tables.read("domains"))
    has = pl.col("domains").list.contains(int(accession.removeprefix("PF")))
    return f"domain {accession}", genes.filter(has)["symbol"].to_list()
