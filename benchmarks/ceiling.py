"""How much of a library's hidden halves can be found at all?

    python benchmarks/ceiling.py DATA [--model DIR] [--terms 400] [--splits 1]

The genes of a term can be predicted only as far as the term is reproducible. So the half split is
also answered with information that a model without the library cannot have:

- *other measurements*: the number of other terms with the same subject that have the gene; ties
  count half. The subject of a ChEA term is its factor (``SOX2`` of ``SOX2 18555785
  ChIP-Seq MESCs Mouse``), that of a trait of the GWAS Catalog its name before a bracket;
- *the library's other terms*: `Adaptive.with_library`, given the very release of the task,
  without the terms of which 45% of the genes are shown (the term itself is one of them).

The first two rows of each library are over the terms that have another measurement, so that they
can be compared; the others are over all. Median AUROC and mean average precision.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import gsfm
from gsfm import sets
from gsfm.benchmark import Method, ModelMethod, Questions, half_split, measure
from gsfm.genes import Vocabulary
from gsfm.models import Adaptive

LIBRARIES = {
    "GO BP 2023": "GO_Biological_Process_2023",
    "KEGG 2021": "KEGG_2021_Human",
    "GWAS 2023": "GWAS_Catalog_2023",
    "ChEA 2016": "ChEA_2016",
}


def subject(library: str, term: str) -> str | None:
    """The subject of a term, if several terms of the library can have the same.

    Examples
    --------
    >>> subject("ChEA 2016", "SOX2 18555785 ChIP-Seq MESCs Mouse")
    'SOX2'
    >>> subject("GWAS 2023", "Type 2 Diabetes (adjusted for BMI)")
    'type 2 diabetes'
    """
    if library.startswith("ChEA"):
        return re.split(r"[\s_-]", term)[0].upper()
    if library.startswith("GWAS"):
        return re.split(r"\s*[(\[]", term.lower())[0].strip()
    return None


class Repeats(Method):
    """How many other terms with the same subject have the gene."""

    name, kind, vocabulary = "other measurements", "other terms of the same subject", None

    def __init__(self, library: gsfm.GeneSets, subjects: list[str | None]) -> None:
        self.rows = {name: i for i, name in enumerate(library.names)}
        self.matrix = library.to_csr()
        self.subjects = np.array(subjects)

    def score(self, questions: Questions, rows: slice) -> NDArray[np.float32]:
        """(n, background) number of other terms with the gene."""
        out = []
        for term in questions.table[rows]["term"]:
            own = self.rows[term]
            others = np.flatnonzero(self.subjects == self.subjects[own])
            out.append(self.matrix[others[others != own]].sum(axis=0))
        return np.asarray(out, np.float32)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with benchmark/NAME.gmt.gz")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--terms", type=int, default=400)
    parser.add_argument("--splits", type=int, default=1)
    options = parser.parse_args()
    model = gsfm.load(options.model)
    if not isinstance(model, Adaptive):
        parser.error(f"the model is of the family {model.family}, not adaptive")
    print(
        "| library | terms | method | AUROC | average precision |\n| --- | --- | --- | --- | --- |"
    )
    for title, file in LIBRARIES.items():
        library = sets.read(options.data / "benchmark" / f"{file}.gmt.gz")
        used = {library.vocabulary[int(g)] for g in np.unique(library.indices)}
        library = library.reindex(Vocabulary(sorted(used.intersection(model.vocabulary))))
        questions = half_split(library, terms=options.terms, splits=options.splits)
        subjects = [subject(title, name) for name in library.names]
        count = Counter(each for each in subjects if each is not None)
        repeated = [
            count[one] > 1 if (one := subject(title, term)) is not None else False
            for term in questions.table["term"]
        ]
        methods: list[Method] = [
            ModelMethod("shipped", model),
            ModelMethod(
                "with the library's other terms", model.with_library(library, max_containment=0.45)
            ),
        ]
        if any(repeated):
            methods.insert(0, Repeats(library, subjects))
        nothing = np.ones(library.n_genes)
        for method in methods:
            method.prepare(questions)
            table = measure(method, questions, nothing, nothing).questions
            if any(repeated):
                show(title, f"{method.name}, terms measured again", table.filter(repeated))
            if not isinstance(method, Repeats):
                show(title, method.name, table)


def show(library: str, method: str, table: pl.DataFrame) -> None:
    """Print a row of the table."""
    auroc = float(np.median(table["auroc"].to_numpy()))
    precision = float(np.mean(table["average_precision"].to_numpy()))
    terms = table["term"].n_unique()
    print(f"| {library} | {terms} | {method} | {auroc:.3f} | {precision:.3f} |", flush=True)


if __name__ == "__main__":
    main()
