"""Enrichment: over-representation, GSEA of a ranked list, and by a model."""
