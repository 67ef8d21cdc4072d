"""Enrichment: over-representation, GSEA of a ranked list, and model-based enrichment."""
