"""Tables of common tools as gene sets: remade in the form in which each tool writes them."""
# ruff: noqa: E501

from __future__ import annotations

import io
import sqlite3
import tarfile

import pytest

from gsfm import FormatError
from gsfm.sets import read

REPAIR, DEATH = ["BRCA1", "BRCA2", "RAD51"], ["BAX", "CASP3", "TP53"]
#: The sets of most files below.
TWO = {"DNA repair": REPAIR, "apoptosis": DEATH}
ENTREZ = {"BRCA1": 672, "BRCA2": 675, "RAD51": 5888, "BAX": 581, "CASP3": 836, "TP53": 7157}


def table(header, *rows, sep="\t"):
    lines = [header, *rows]
    cells = [
        [f'"{c}"' if sep in str(c) or c == "" else str(c) for c in row] if sep == "," else row
        for row in lines
    ]
    return "\n".join(sep.join(map(str, row)) for row in cells) + "\n"


def joined(genes, by):
    return by.join(map(str, genes))


def ids(genes):
    return [ENTREZ[g] for g in genes]


def results(header, rows, by, sep="\t"):
    """A table of results: each row has what precedes the genes, the genes, and what follows."""
    return table(header, *([*a, joined(g, by), *b] for a, g, b in rows), sep=sep)


def long(header, row, sep="\t"):
    return table(
        header, *(row(name, gene) for name, genes in TWO.items() for gene in genes), sep=sep
    )


TOOLS = {
    "GSEApy, enrichr": (
        results(
            ["Gene_set", "Term", "Overlap", "P-value", "Adjusted P-value", "Odds Ratio", "Combined Score", "Genes"],
            [(["KEGG", name, "3/10", 0.01, 0.02, 3, 9], genes, []) for name, genes in TWO.items()],
            ";", ",",
        ),
        TWO,
        "'Term'", "'Genes'",
    ),
    "GSEApy, prerank": (
        results(
            ["Name", "Term", "ES", "NES", "NOM p-val", "FDR q-val", "FWER p-val", "Tag %", "Gene %", "Lead_genes"],
            [(["prerank", name, .5, 1.5, 0, 0, 0, "3/12", "10.1%"], genes, []) for name, genes in TWO.items()],
            ";", ",",
        ),
        TWO,
        "'Term'", "'Lead_genes'",
    ),
    "GSEApy, several libraries": (
        results(
            ["Gene_set", "Term", "Overlap", "P-value", "Genes"],
            [(["KEGG", "repair", "3/10", 0.01], REPAIR, []), (["GO", "repair", "2/10", 0.01], REPAIR[:2], []),
             (["GO", "apoptosis", "3/10", 0.01], DEATH, [])],
            ";", ",",
        ),
        {"repair (KEGG)": REPAIR, "repair (GO)": REPAIR[:2], "apoptosis": DEATH},
        "'Term'", "'Genes'",
    ),
    "Enrichr": (
        results(
            ["Term", "Overlap", "P-value", "Adjusted P-value", "Old P-value", "Old Adjusted P-value",
             "Odds Ratio", "Combined Score", "Genes"],
            [([name, "3/10", .01, .02, 0, 0, 9.1, 20.5], genes, []) for name, genes in TWO.items()],
            ";",
        ),
        TWO, "'Term'", "'Genes'",
    ),
    "clusterProfiler, enrichGO": (
        results(
            ["", "ID", "Description", "GeneRatio", "BgRatio", "pvalue", "p.adjust", "qvalue", "geneID", "Count"],
            [(["GO:0006281", "GO:0006281", "DNA repair", "3/6", "10/200", .01, .02, .02], REPAIR, [3]),
             (["GO:0006915", "GO:0006915", "apoptosis", "3/6", "20/200", .01, .02, .02], DEATH, [3])],
            "/", ",",
        ),
        TWO, "'Description'", "'geneID'",
    ),
    "clusterProfiler, enrichGO of all ontologies": (
        results(
            ["", "ONTOLOGY", "ID", "Description", "GeneRatio", "FoldEnrichment", "pvalue", "geneID", "Count"],
            [(["GO:0006281", "BP", "GO:0006281", "DNA repair", "3/6", 12, .01], REPAIR, [3]),
             (["GO:0006915", "BP", "GO:0006915", "apoptosis", "3/6", 12, .01], DEATH, [3])],
            "/", ",",
        ),
        TWO, "'Description'", "'geneID'",
    ),
    "clusterProfiler, Entrez ids": (
        results(
            ["ID", "Description", "GeneRatio", "BgRatio", "pvalue", "geneID", "Count"],
            [(["hsa03440", "DNA repair", "3/6", "10/200", .01], ids(REPAIR), [3]),
             (["hsa04210", "apoptosis", "3/6", "20/200", .01], ids(DEATH), [3])],
            "/",
        ),
        TWO, "'Description'", "'geneID'",
    ),
    "clusterProfiler, gseGO": (
        results(
            ["ID", "Description", "setSize", "enrichmentScore", "NES", "pvalue", "p.adjust", "qvalue", "rank",
             "leading_edge", "core_enrichment"],
            [(["GO:0006281", "DNA repair", 30, .5, 1.9, .01, .02, .02, 12, "tags=50%, list=10%, signal=45%"],
              REPAIR, []),
             (["GO:0006915", "apoptosis", 30, .5, 1.9, .01, .02, .02, 12, "tags=40%, list=10%, signal=45%"],
              DEATH, [])],
            "/", ",",
        ),
        TWO, "'Description'", "'core_enrichment'",
    ),
    "clusterProfiler, gseKEGG, two ids in each cell": (
        results(
            ["ID", "Description", "NES", "pvalue", "core_enrichment"],
            [(["hsa03440", "DNA repair", 1.9, .01], ids(REPAIR[:2]), []),
             (["hsa04210", "apoptosis", -1.9, .01], ids(DEATH[:2]), [])],
            "/", ",",
        ),
        {"DNA repair": REPAIR[:2], "apoptosis": DEATH[:2]}, "'Description'", "'core_enrichment'",
    ),
    "clusterProfiler, compareCluster": (
        results(
            ["Cluster", "ID", "Description", "GeneRatio", "BgRatio", "pvalue", "geneID", "Count"],
            [(["A", "GO:0006281", "DNA repair", "3/6", "10/200", .01], REPAIR, [3]),
             (["B", "GO:0006281", "DNA repair", "2/6", "10/200", .01], REPAIR[1:], [2])],
            "/", ",",
        ),
        {"DNA repair (A)": REPAIR, "DNA repair (B)": REPAIR[1:]}, "'Description'", "'geneID'",
    ),
    "g:Profiler, site": (
        results(
            ["source", "term_name", "term_id", "highlighted", "adjusted_p_value",
             "negative_log10_of_adjusted_p_value", "term_size", "query_size", "intersection_size",
             "effective_domain_size", "intersections"],
            [(["GO:BP", "DNA repair", "GO:0006281", "true", .01, 2.0, 500, 6, 3, 20000], REPAIR, []),
             (["REAC", "apoptosis", "REAC:R-HSA-109581", "false", .01, 2.0, 180, 6, 3, 20000], DEATH, [])],
            ",", ",",
        ),
        TWO, "'term_name'", "'intersections'",
    ),
    "g:Profiler, Python": (
        table(
            ["", "source", "native", "name", "p_value", "significant", "description", "term_size", "query",
             "parents", "intersections"],
            [0, "GO:BP", "GO:0006281", "DNA repair", .01, "True", "The process, any", 500, "query_1",
             "['GO:0006259']", str(REPAIR)],
            [1, "GO:BP", "GO:0006915", "apoptosis", .02, "True", "Cell death, too", 900, "query_1",
             "['GO:0012501', 'GO:0008219']", str(DEATH)],
            sep=",",
        ),
        TWO, "'name'", "'intersections'",
    ),
    "DAVID": (
        results(
            ["Category", "Term", "Count", "%", "PValue", "Genes", "List Total", "Pop Hits", "Pop Total",
             "Fold Enrichment", "Bonferroni", "Benjamini", "FDR"],
            [(["GOTERM_BP_DIRECT", "GO:0006281~DNA repair", 3, 1.5, .01], REPAIR, [60, 200, 9000, 3.1, .1, .1, .1]),
             (["KEGG_PATHWAY", "hsa04210:Apoptosis", 3, 1.5, .01], DEATH, [60, 200, 9000, 3.1, .1, .1, .1])],
            ", ",
        ),
        {"GO:0006281~DNA repair": REPAIR, "hsa04210:Apoptosis": DEATH}, "'Term'", "'Genes'",
    ),
    "DAVID, clusters": (
        "Annotation Cluster 1\tEnrichment Score: 3.2\nCategory\tTerm\tCount\tPValue\tGenes\n"
        "GOTERM\tDNA repair\t3\t.1\tBRCA1, BRCA2, RAD51\n\nAnnotation Cluster 2\tEnrichment Score: 1.2\n"
        "Category\tTerm\tCount\tPValue\tGenes\nGOTERM\tapoptosis\t3\t.1\tTP53, BAX, CASP3\n",
        TWO, "'Term'", "'Genes'",
    ),
    "clusterProfiler, a gene for each term": (
        "Cluster,ID,Description,GeneRatio,BgRatio,pvalue,geneID,Count\nA,GO:0006281,repair,1/5,3/100,.1,BRCA1,1\n"
        "A,GO:0006282,death,1/5,3/100,.1,BAX,1\nB,GO:0006281,repair,1/5,3/100,.1,RAD51,1\n",
        {"repair (A)": ["BRCA1"], "repair (B)": ["RAD51"], "death": ["BAX"]}, "'Description'", "'geneID'",
    ),
    "IPA": (
        "© 2024 QIAGEN. All rights reserved.\n\nIngenuity Canonical Pathways\t-log(p-value)\tRatio\tz-score\tMolecules\n"
        "DNA repair\t5.1\t0.1\tNaN\tBRCA1,BRCA2,RAD51\napoptosis\t3.1\t0.1\t1.2\tTP53,BAX,CASP3\n",
        TWO, "'Ingenuity Canonical Pathways'", "'Molecules'",
    ),
    "IPA, upstream regulators": (
        "© 2000-2024 QIAGEN. All rights reserved.\n\t\t\t\n"
        "Upstream Regulator\tExpr Log Ratio\tMolecule Type\tActivation z-score\tFlags\tp-value of overlap\t"
        "Target Molecules in Dataset\tMechanistic Network\n"
        "E2F1\t\ttranscription regulator\t2.3\t\t1.2E-10\tBRCA1,BRCA2,RAD51\t120 (5)\n"
        "lipopolysaccharide\t\tchemical drug\t-2.1\tbias\t3.4E-05\tTP53,BAX,CASP3\t\n",
        {"E2F1": REPAIR, "lipopolysaccharide": DEATH}, "'Upstream Regulator'", "'Target Molecules in Dataset'",
    ),
    "IPA, diseases and functions": (
        "© 2000-2024 QIAGEN. All rights reserved.\n\nCategories\tDiseases or Functions Annotation\tp-value\t"
        "Predicted Activation State\tActivation z-score\tFlags\tMolecules\t# Molecules\n"
        "DNA Replication, Recombination, and Repair\tDNA repair\t1E-12\tIncreased\t2.2\t\tBRCA1,BRCA2,RAD51\t3\n"
        "Cell Death and Survival\tapoptosis\t1E-8\t\t1.2\tbias\tTP53,BAX,CASP3\t3\n",
        TWO, "'Diseases or Functions Annotation'", "'Molecules'",
    ),
    "MSigDB, TSV of a set": (
        "STANDARD_NAME\tDNA repair\nSYSTEMATIC_NAME\tM1\nCOLLECTION\tH\nMSIGDB_URL\thttps://x/y\n"
        "DESCRIPTION_FULL\t\nPMID\t26771021\nSOURCE_MEMBERS\t672,675,5888\nGENE_SYMBOLS\tBRCA1,BRCA2,RAD51\n",
        {"DNA repair": REPAIR}, "'STANDARD_NAME'", "'GENE_SYMBOLS'",
    ),
    "Metascape": (
        table(
            ["GroupID", "Category", "Term", "Description", "LogP", "Log(q-value)", "InTerm_InList", "Genes", "Symbols"],
            ["1_Summary", "GO Biological Processes", "GO:0006281", "DNA repair", -5.1, -3.2, "3/500",
             joined(ids(REPAIR), ","), joined(REPAIR, ",")],
            ["2_Summary", "GO Biological Processes", "GO:0006915", "apoptosis", -4.1, -2.2, "3/900",
             joined(ids(DEATH), ","), joined(DEATH, ",")],
            sep=",",
        ),
        TWO, "'Description'", "'Symbols'",
    ),
    "WebGestalt": (
        table(
            ["geneSet", "description", "link", "size", "overlap", "expect", "enrichmentRatio", "pValue", "FDR",
             "overlapId", "userId"],
            ["GO:0006281", "DNA repair", "http://x/GO:0006281", 500, 3, .2, 9.5, .001, .01,
             joined(ids(REPAIR), ";"), joined(REPAIR, ";")],
            ["GO:0006915", "apoptosis", "http://x/GO:0006915", 900, 3, .3, 7.5, .001, .01,
             joined(ids(DEATH), ";"), joined(DEATH, ";")],
        ),
        TWO, "'description'", "'userId'",
    ),
    "STRING": (
        results(
            ["#category", "term ID", "term description", "observed gene count", "background gene count",
             "strength", "false discovery rate", "matching proteins in your network (labels)"],
            [(["GO Process", "GO:0006281", "DNA repair", 3, 500, 1.2, .001], REPAIR, []),
             (["GO Process", "GO:0006915", "apoptosis", 3, 900, 1.1, .001], DEATH, [])],
            ",",
        ),
        TWO, "'term description'", "'matching proteins in your network (labels)'",
    ),
    "ToppGene": (
        results(
            ["Category", "ID", "Name", "Source", "p-value", "q-value FDR B&H", "Hit Count in Query List",
             "Hit in Query List"],
            [(["GO: Biological Process", "GO:0006281", "DNA repair", "", .001, .01, 3], REPAIR, []),
             (["GO: Biological Process", "GO:0006915", "apoptosis", "", .001, .01, 3], DEATH, [])],
            ",",
        ),
        TWO, "'Name'", "'Hit in Query List'",
    ),
    **{
        f"fgsea, fwrite with {by!r}": (
            results(
                ["pathway", "pval", "padj", "log2err", "ES", "NES", "size", "leadingEdge"],
                [([name, .01, .02, .3, .5, 1.5, 30], genes, []) for name, genes in TWO.items()],
                by,
            ),
            TWO, "'pathway'", "'leadingEdge'",
        )
        for by in ("|", " ", ", ")
    },
    "fgsea, R lists": (
        table(["pathway", "pval", "leadingEdge"],
              *([name, .01, "c(""" + ", ".join(f"'{g}'" for g in genes) + ")"] for name, genes in TWO.items())),
        TWO, "'pathway'", "'leadingEdge'",
    ),
    "Seurat, FindAllMarkers": (
        table(
            ["", "p_val", "avg_log2FC", "pct.1", "pct.2", "p_val_adj", "cluster", "gene"],
            *([g, 0, 2.5 - i, .9, .1, 0, 0, g] for i, g in enumerate(REPAIR)),
            *([f"{g}.1" if g == "BAX" else g, 0, 2.5 - i, .9, .1, 0, 1, g] for i, g in enumerate(DEATH)),
            sep=",",
        ),
        {"0": REPAIR, "1": DEATH}, "'cluster'", "'gene'",
    ),
    "scanpy, rank_genes_groups_df": (
        table(
            ["", "group", "names", "scores", "logfoldchanges", "pvals", "pvals_adj"],
            *([i, "B cells", g, 9.5 - i, 2.1, 0, 0] for i, g in enumerate(REPAIR)),
            *([i + 3, "T cells", g, 8.5 - i, 1.1, 0, 0] for i, g in enumerate(DEATH)),
            sep=",",
        ),
        {"B cells": REPAIR, "T cells": DEATH}, "'group'", "'names'",
    ),
    "PanglaoDB": (
        table(
            ["species", "official gene symbol", "cell type", "nicknames", "ubiquitousness index",
             "product description", "gene type", "canonical marker", "germ layer", "organ"],
            *(["Mm Hs", g, "Acinar cells", "X1|Y2", .01, f"a protein, {g}", "protein-coding gene", 1, "Endoderm",
               "Pancreas"] for g in REPAIR),
            *(["Hs", g, "T cells", "NA", .02, f"protein of {g}", "protein-coding gene", 1, "Mesoderm",
               "Immune system"] for g in DEATH),
        ),
        {"Acinar cells": REPAIR, "T cells": DEATH}, "'cell type'", "'official gene symbol'",
    ),
    "CellMarker 2.0": (
        table(
            ["species", "tissue_class", "tissue_type", "cancer_type", "cell_type", "cell_name", "marker",
             "Symbol", "GeneID", "Genetype", "Genename", "UNIPROTID", "marker_source", "PMID", "year"],
            *(["Human", "Blood", "Blood", "Normal", "Normal cell", "T cell", g.lower(), g, ENTREZ[g],
               "protein_coding", f"the gene {g}", "NA", "Experiment", 111, 2020] for g in REPAIR),
            *(["Human", "Liver", "Liver", "Normal", "Normal cell", "T cell", g.lower(), g, ENTREZ[g],
               "protein_coding", f"the gene {g}", "NA", "Experiment", 112, 2021] for g in DEATH),
            *(["Human", "Liver", "Liver", "Normal", "Normal cell", "Hepatocyte", g.lower(), g, ENTREZ[g],
               "protein_coding", f"the gene {g}", "NA", "Review", 113, 2021] for g in DEATH[:2]),
        ),
        {"T cell (Blood)": REPAIR, "T cell (Liver)": DEATH, "Hepatocyte": DEATH[:2]}, "'cell_name'", "'Symbol'",
    ),
    "CellMarker 1": (
        table(
            ["speciesType", "tissueType", "cancerType", "cellType", "cellName", "cellMarker", "geneSymbol",
             "geneID", "PMID"],
            ["Human", "Blood", "Normal", "Normal cell", "T cell", "a, b", "BRCA1, [BRCA2, NA]", "672, [675, NA]", 1],
            ["Human", "Blood", "Normal", "Normal cell", "T cell", "c", "RAD51", "5888", 2],
            ["Human", "Liver", "Normal", "Normal cell", "Hepatocyte", "d, e, f", joined(DEATH, ", "),
             joined(ids(DEATH), ", "), 3],
        ),
        {"T cell": REPAIR, "Hepatocyte": DEATH}, "'cellName'", "'geneSymbol'",
    ),
    "HPO, phenotype_to_genes": (
        long(["hpo_id", "hpo_name", "ncbi_gene_id", "gene_symbol", "disease_id"],
             lambda n, g: [f"HP:000{len(n):04}", n, ENTREZ[g], g, f"OMIM:{ENTREZ[g]:06}"]),
        TWO, "'hpo_name'", "'gene_symbol'",
    ),
    "decoupler": (
        table(["source", "target", "weight"],
              *(["TP53", g, 1.0] for g in ("BAX", "FAS")), *(["E2F1", g, -1.0] for g in REPAIR), sep=","),
        {"TP53": ["BAX", "FAS"], "E2F1": REPAIR}, "'source'", "'target'",
    ),
    "DoRothEA": (
        table(["tf", "confidence", "target", "mor"],
              *(["TP53", "A", g, 1] for g in ("BAX", "FAS")), *(["E2F1", "B", g, -1] for g in REPAIR), sep=","),
        {"TP53": ["BAX", "FAS"], "E2F1": REPAIR}, "'tf'", "'target'",
    ),
    "msigdbr": (
        long(["gs_cat", "gs_subcat", "gs_name", "gene_symbol", "entrez_gene", "ensembl_gene", "gs_id", "gs_description"],
             lambda n, g: ["C5", "GO:BP", n, g, ENTREZ[g], f"ENSG{ENTREZ[g]:011}", f"M{len(n)}", "Genes of it."]),
        TWO, "'gs_name'", "'gene_symbol'",
    ),
    "TERM2GENE": (long(["term", "gene"], lambda n, g: [n, ENTREZ[g]], ","), TWO, "'term'", "'gene'"),
    "no header": (long(["", ""], lambda n, g: [n, g])[2:], TWO, "1", "2"),
    "R's write.table": (
        'term gene\n' + "".join(f'"{i}" "{n}" "{g}"\n' for i, (n, g) in enumerate(
            [(n, g) for n, genes in TWO.items() for g in genes], 1)),
        TWO, "'term'", "'gene'",
    ),
    "an odd name of the sets": (
        long(["Subtype of tumor", "Gene"], lambda n, g: [n, g], ";"), TWO, "'Subtype of tumor'", "'Gene'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tables_of_common_tools(tool):
    text, expected, sets_column, genes_column = TOOLS[tool]
    for data in (text.encode(), text.replace("\n", "\r\n").encode("utf-16")):
        sets = read(io.BytesIO(data))
        found = {name: sorted(sets.genes(i)) for i, name in enumerate(sets.names)}
        assert found == {name: sorted(genes) for name, genes in expected.items()}
        assert (
            sets.report.layout
            == f"sets from column {sets_column}, genes from column {genes_column}"
        )
        assert not sets.report.unmapped


FOUR = {"DNA repair": [*REPAIR, "ATM"], "apoptosis": DEATH}
WHOLE = {
    "a set in each column": "DNA repair,apoptosis\nBRCA1,BAX\nBRCA2,CASP3\nRAD51,TP53\nATM,\n",
    "below a title": "Table S2: genes,\n,\nDNA repair,apoptosis\nBRCA1,BAX\nBRCA2,CASP3\nRAD51,TP53\nATM,\n",
    "with an index": ",DNA repair,apoptosis\n0,BRCA1,BAX\n1,BRCA2,CASP3\n2,RAD51,TP53\n3,ATM,\n",
    "with semicolons": '"DNA repair";"apoptosis"\nBRCA1;BAX\nBRCA2;CASP3\nRAD51;TP53\nATM;\n',
    "with descriptions": "DNA repair\tapoptosis\tlast\nof GO\tof GO\tof us\nBRCA1\tBAX\tFAS\nBRCA2\tCASP3\t\n"
    "RAD51\tTP53\t\nATM\t\t\n",
    "GMX": "DNA repair\tapoptosis\tlast\nna\tna\tna\nBRCA1\tBAX\tFAS\nBRCA2\tCASP3\nRAD51\tTP53\nATM\n",
    "a set in each row": "DNA repair,BRCA1,BRCA2,RAD51,ATM\napoptosis,BAX,CASP3,TP53\n",
    "after colons": "DNA repair: BRCA1, BRCA2, RAD51, ATM\napoptosis: BAX, CASP3, TP53\n",
    "and commas at the end": "DNA repair,BRCA1,BRCA2,RAD51,ATM\napoptosis,BAX,CASP3,TP53,\n",
    "with one name for the genes": "term,genes\nDNA repair,BRCA1,BRCA2,RAD51,ATM\napoptosis,BAX,CASP3,TP53\n",
    "with a header": "set,gene1,gene2,gene3,gene4\nDNA repair,BRCA1,BRCA2,RAD51,ATM\napoptosis,BAX,CASP3,TP53,\n",
    "by pandas": ",0,1,2,3\nDNA repair,BRCA1,BRCA2,RAD51,ATM\napoptosis,BAX,CASP3,TP53,\n",
    "in rows, with descriptions": "DNA repair;of GO;BRCA1;BRCA2;RAD51;ATM\napoptosis;of GO;BAX;CASP3;TP53\n",
    "GMT": "DNA repair\tof GO\tBRCA1\tBRCA2\tRAD51\tATM\napoptosis\t\tBAX\tCASP3\tTP53\n",
    "GMT without descriptions": "DNA repair\tBRCA1\tBRCA2\tRAD51\tATM\napoptosis\tBAX\tCASP3\tTP53\n",
    "GMT in quotes": '"DNA repair"\t"of GO"\t"BRCA1"\t"BRCA2"\t"RAD51"\t"ATM"\n"apoptosis"\t"x"\t"BAX"\t"CASP3"\t"TP53"\n',
    "a list beside a description": "DNA repair\tof GO\tBRCA1,BRCA2,RAD51,ATM\napoptosis\tof us\tBAX,CASP3,TP53\n",
    "with a colon at the end": "DNA repair:;BRCA1;BRCA2;RAD51;ATM\napoptosis:;BAX;CASP3;TP53\n",
    "GMT of equal sizes": "DNA repair\tx\tBRCA1\tBRCA2\tRAD51\tATM\napoptosis\tx\tBAX\tCASP3\tTP53\tBAX\n",
}  # fmt: skip


@pytest.mark.parametrize("form", WHOLE)
@pytest.mark.parametrize("suffix", [".txt", ".gmt"])
def test_a_set_in_each_row_or_column(form, suffix, tmp_path):
    path = tmp_path / f"sets{suffix}"
    path.write_text(WHOLE[form])
    sets = read(path)
    found = {name: sorted(sets.genes(i)) for i, name in enumerate(sets.names) if name != "last"}
    assert found == {name: sorted(genes) for name, genes in FOUR.items()}


LONG_NAMES = {
    "quoted": '"DNA repair, double strand",BRCA1,BRCA2,RAD51\n"apoptosis, x",BAX,CASP3,TP53,ATM\n',
    "quoted, with descriptions": '"DNA repair, double strand","of GO, BP",BRCA1,BRCA2,RAD51\n'
    '"apoptosis, x","of GO, BP",BAX,CASP3,TP53,ATM\n',
    "below names": 'term,genes\nDNA repair, double strand,"BRCA1,BRCA2,RAD51"\napoptosis, x,"BAX,CASP3,TP53,ATM"\n',
    "beside one without": "DNA repair, double strand,BRCA1,BRCA2,RAD51\napoptosis, x,BAX,CASP3,TP53,ATM\nlast,EGFR,FAS\n",
    "before semicolons": "DNA repair, double strand;BRCA1;BRCA2;RAD51\napoptosis, x;BAX;CASP3;TP53;ATM\n",
    "before colons": "DNA repair, double strand: BRCA1, BRCA2, RAD51\napoptosis, x: BAX, CASP3, TP53, ATM\n",
    "GMX of a set": "DNA repair, double strand\nhttps://x/y\nBRCA1\nBRCA2\nRAD51\n",
}  # fmt: skip


@pytest.mark.parametrize("form", LONG_NAMES)
def test_names_with_commas(form):
    sets = read(io.BytesIO(LONG_NAMES[form].encode()))
    found = {name: sorted(sets.genes(i)) for i, name in enumerate(sets.names)}
    expected = {"DNA repair, double strand": REPAIR, "apoptosis, x": sorted([*DEATH, "ATM"])}
    found.pop("last", None)
    assert found == dict(list(expected.items())[: len(found)])


REFUSED = {
    "DNA repair, double strand,BRCA1,RAD51\napoptosis, x,BAX,TP53\n": "'double strand' could be a description, or a part",
    "DNA repair,double strand,BRCA1,RAD51\napoptosis,BAX,TP53\ngrowth,EGFR,KRAS\n": "put quotes around names with commas",
    "uuid\tgene_symbol\tdisease_title\tmoi\n1\tTP53\tone, of it\tAD\n2\tBAX\tx\tAR\n3\tFAS\ty\tAR\n": "no column has a name of sets",
    "#node\tidentifier\tnode_degree\nTP53\tENSP00000269305\t2\nBAX\tENSP00000269305\t1\nFAS\tENSP00000269305\t2\n": "no column has a name of sets",
    "N_unmapped\t5\t5\nN_multi\t5\t5\nENSG00000141510\t9\t7\nENSG00000087088\t10\t12\n": "ranked list",
    "gene\tlogFC\tnote\nTP53\t2\nBAX\t-1\tx\nFAS\t3\n": "no column has a name of sets",
    "NAME\tSIZE\tRANK AT MAX\nHALLMARK_A\t12\t7157\nHALLMARK_B\t15\t4193\n": "no column has identifiers",
    "gene,log2FC\nTP53,Inf\nBAX,-Inf\nFAS,Inf\n": "ranked list",
    "TP53\nMDM2\nBAX\n": "this is a list of genes.*--from grp",
    "gene\nTP53\nMDM2\nBAX\n": "this is a list of genes",
    "TP53, MDM2\nBAX, FAS, RB1\n": "all cells are genes",
    "TP53\t2.5\nMDM2\t-1.5\n": "this is a ranked list.*enrich --ranked",
    "gene,logFC,PValue\nTP53,2.5,.1\nMDM2,-1,.2\n": "this is a ranked list",
    "gene,direction,logFC\nTP53,up,1\nMDM2,up,2\nBAX,down,-1\n": "'direction'.*--set-column",
    "id,symbol,full name\n1,TP53,tumor protein\n2,MDM2,a ligase\n3,BAX,x\n": "--set-column",
    "name,symbol\ntumor protein,TP53\na ligase,MDM2\nregulator,BAX\n": "this is a list of genes",
    "pathway,signature,gene\na,x,TP53\na,y,BAX\nb,x,MDM2\n": "'pathway', 'signature'.*--set-column",
    "term,gene A,gene B\na,TP53,BAX\na,MDM2,FAS\nb,RB1,EGFR\n": "'gene A', 'gene B'.*--gene-column",
    "note,grade\nlow one,first\nmiddle one,second\n": "no column has identifiers of genes",
    "#1.2\n2\t2\nNAME\tDescription\tA\tB\nTP53\tx\t1\t2\n": "GCT",
    "4 2 1\n# WT KO\n0 0 1 1\n": "CLS",
    "chr1\t109200000\t109600000\n": "BED",
    "##fileformat=VCFv4.2\n": "VCF",
    "!gaf-version: 2.2\nUniProtKB\tP38398\tBRCA1\tinvolved_in\tGO:0006281\n": "GAF",
    "# MIM Number\tGene Symbol\tPhenotype\n1\tBRCA1\tof the breast\n2\tBAX\tof it\n": "no column has a name of sets",
    "7z\xbc\xaf'\x1c\0\0": "an archive .7z.",
    ">sp|P04637|P53_HUMAN\nMEEPQSDPSVEPPLSQETFSDLWKLLPENN\n": "FASTA",
    "Probe Set ID\tGene Symbol\tGene Title\n1_at\tTP53\tx\n": "CHIP",
    "%PDF-1.7\n": "PDF",
    "\x89PNG\r\n": "PNG",
    "SQLite format 3\0" + "\0" * 100: "SQLite",
    "<?xml version='1.0'?><other/>": "not of MSigDB",
    "<?xml version='1.0'?><MSIGDB><GENESET": "not XML",
    "<!-- TP53, BAX --><other NAME='A'/>": "not of MSigDB",
    "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><MSIGDB/>": "entities",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_are_no_gene_sets_is_named(text):
    with pytest.raises(FormatError, match=REFUSED[text]):
        read(io.BytesIO(text.encode("latin-1")))


def test_a_column_by_name_and_number():
    text = "pathway,signature,gene A,gene B\na,x,TP53,BAX\na,y,MDM2,FAS\nb,x,RB1,EGFR\n"
    sets = read(io.BytesIO(text.encode()), set_column="signature", gene_column=4)
    assert {n: sets.genes(i) for i, n in enumerate(sets.names)} == {
        "x": ("BAX", "EGFR"),
        "y": ("FAS",),
    }
    with pytest.raises(FormatError, match="there is no column 'x'"):
        read(io.BytesIO(text.encode()), set_column="x")
    with pytest.raises(FormatError, match="neither sheets nor columns"):
        read(io.BytesIO(b"one\td\tTP53\tBAX\n"), set_column="x")


def test_annotations_that_are_negated():
    """In the table of NCBI, gene2go."""
    text = (
        "GeneID\tGO_ID\tQualifier\n7157\tGO:1\tinvolved_in\n581\tGO:1\t-\n"
        "4193\tGO:1\tNOT involved_in\n1026\tGO:2\t\n"
    )
    sets = read(io.BytesIO(text.encode()), set_column="GO_ID")
    assert [sets.genes(i) for i in range(2)] == [("BAX", "TP53"), ("CDKN1A",)]
    assert "1 row that negates an annotation (NOT), left out, first in line 4" in str(sets.report)


def test_markers_of_several_species():
    rows = [("Mm Hs", "TP53"), ("Mm", "Trp63"), ("Hs", "BAX"), ("Mm", "Fas")]
    text = table(
        ["species", "official gene symbol", "cell type"], *([*row, "T cells"] for row in rows)
    )
    both = read(io.BytesIO(text.encode()))
    assert both.genes(0) == ("BAX", "FAS", "TP53", "TP63")
    assert "3 groups of species" in both.report.summary()
    human = read(io.BytesIO(text.encode()), species="human")
    assert human.genes(0) == ("BAX", "TP53")
    assert "2 rows of another species, left out" in human.report.summary()


def test_msigdb_xml():
    text = (
        '<?xml version="1.0"?>\n<MSIGDB NAME="msigdb">\n<GENESET STANDARD_NAME="A" SYSTEMATIC_NAME="M1" '
        'ORGANISM="Homo sapiens" CATEGORY_CODE="H" DESCRIPTION_BRIEF="Up &amp; down" MEMBERS="x,y" '
        'MEMBERS_SYMBOLIZED="TP53,MDM2" MEMBERS_EZID="7157,4193"/>\n'
        '<GENESET STANDARD_NAME="B" CATEGORY_CODE="C2" MEMBERS_EZID="581"/>\n</MSIGDB>\n'
    )
    sets = read(io.BytesIO(text.encode()))
    assert [sets.genes(i) for i in range(2)] == [("MDM2", "TP53"), ("BAX",)]
    assert sets.metadata.row(0, named=True) == {
        **{"name": "A", "description": "Up & down", "id": "M1", "source": "H"},
        "species": "Homo sapiens",
    }


SCHEMA = """
create table gene_set(id integer primary key, standard_name text, collection_name text);
create table gene_symbol(id integer primary key, symbol text, NCBI_id text);
create table gene_set_gene_symbol(gene_set_id int, gene_symbol_id int);
"""


def test_msigdb_sqlite(tmp_path):
    path = tmp_path / "msigdb.db"
    with sqlite3.connect(path) as database:
        database.executescript(SCHEMA)
        database.execute("create table gene_set_details(gene_set_id int, description_brief text)")
        database.executemany(
            "insert into gene_set values (?, ?, ?)", [(1, "A", "H"), (2, "B", "C2")]
        )
        database.executemany("insert into gene_symbol values (?, ?, '')", [(1, "TP53"), (2, "BAX")])
        database.executemany(
            "insert into gene_set_gene_symbol values (?, ?)", [(2, 2), (1, 1), (1, 2)]
        )
        database.execute("insert into gene_set_details values (2, 'of it')")
    database.close()
    sets = read(path)
    assert [sets.genes(i) for i in range(2)] == [("BAX", "TP53"), ("BAX",)]
    assert sets.metadata.rows() == [("A", "H", None), ("B", "C2", "of it")]
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(FormatError, match="SQLite"):
        read(damaged)
    with sqlite3.connect(path) as database:
        database.executescript(
            "drop table gene_symbol; create view gene_symbol as with recursive n(i) as "
            "(select 1 union all select i from n) select i as id, 'TP53' as symbol from n;"
        )
    database.close()
    with pytest.raises(FormatError, match="is not MSigDB's: its tables are"):
        read(path)


def test_a_tar(tmp_path):
    path = tmp_path / "sets.tgz"
    members = {
        "all/README.txt": b"Sets of genes.\n",
        "all/go.gmt": b"repair\tx\tBRCA1\tBRCA2\n",
        "all/table.csv": b"term,gene\nrepair,BAX\nrepair,FAS\n",
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    for source in (path, io.BytesIO(path.read_bytes())):
        sets = read(source)
        assert sets.names == ["repair (go)", "repair (table)"]
        assert [sets.genes(i) for i in range(2)] == [("BRCA1", "BRCA2"), ("BAX", "FAS")]
        assert sets.report.format == "tar"
        assert sets.report.layout == "gmt, csv in go, table"
        assert "1 other file of the archive, not read" in sets.report.summary()
