"""The tables of tools whose columns are known; ``docs/reading.md`` lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gsfm.genes.columns import Column, plain


@dataclass(frozen=True)
class Tool:
    """A table of a tool: the columns of its genes, of the names of its sets, and of their ids."""

    name: str
    genes: str
    sets: str
    id: str | None = None

    def columns(self, columns: Mapping[str, Column]) -> tuple[Column, Column] | None:
        """The columns of genes and sets among those by normalized name; None without them."""
        wanted = [plain(name) for name in (self.genes, self.sets, self.id) if name is not None]
        if not all(name in columns for name in wanted):
            return None
        return columns[wanted[0]], columns[wanted[1]]


#: The first one that fits is used: those with an id, which have more columns, precede others.
TOOLS = (
    Tool("clusterProfiler (enrich*, compareCluster)", "geneID", "Description", "ID"),
    Tool("clusterProfiler (gse*)", "core_enrichment", "Description", "ID"),
    Tool("fgsea", "leadingEdge", "pathway"),
    Tool("g:Profiler (site)", "intersections", "term_name", "term_id"),
    Tool("gprofiler2", "intersection", "term_name", "term_id"),
    Tool("gprofiler-official", "intersections", "name", "native"),
    Tool("Metascape", "Symbols", "Description", "Term"),
    Tool("WebGestalt", "userId", "description", "geneSet"),
    Tool("STRING", "matching proteins in your network (labels)", "term description", "term ID"),
    Tool("STRING (API)", "preferredNames", "description", "term"),
    Tool("ToppGene", "Hit in Query List", "Name", "ID"),
    Tool("Reactome", "Submitted entities found", "Pathway name", "Pathway identifier"),
    Tool("IPA", "Molecules", "Ingenuity Canonical Pathways"),
    Tool("IPA", "Molecules", "Ingenuity Toxicity Lists"),
    Tool("IPA", "Molecules", "Diseases or Functions Annotation"),
    Tool("IPA", "Target Molecules in Dataset", "Upstream Regulator"),
    Tool("IPA", "Target Molecules in Dataset", "Master Regulator"),
    Tool("MSigDB (TSV of a set)", "GENE_SYMBOLS", "STANDARD_NAME", "SYSTEMATIC_NAME"),
    Tool("msigdbr", "gene_symbol", "gs_name"),
    Tool("PanglaoDB", "official gene symbol", "cell type"),
    Tool("CellMarker (1)", "geneSymbol", "cellName"),
    Tool("CellMarker (2.0)", "Symbol", "cell_name"),
    Tool("CORUM", "subunits(Gene name)", "ComplexName", "ComplexID"),
    Tool("CORUM (5)", "subunits_gene_name", "complex_name", "complex_id"),
    Tool("ScType", "geneSymbolmore1", "cellName"),
    Tool("HPO", "gene_symbol", "hpo_name", "hpo_id"),
    Tool("Seurat (FindAllMarkers)", "gene", "cluster"),
    Tool("scanpy (rank_genes_groups_df)", "names", "group"),
    Tool("GSEApy (prerank)", "Lead_genes", "Term"),
    Tool("GSEApy, Enrichr, DAVID", "Genes", "Term"),
)


def columns_of(columns: Sequence[Column]) -> tuple[Column, Column] | None:
    """The genes and the sets of a table of a tool; None for other tables."""
    by_name = {column.name: column for column in reversed(columns)}
    return next(filter(None, (tool.columns(by_name) for tool in TOOLS)), None)
