"""Choose the best settings of each peer on held-out sets, one setting after another.

    python benchmarks/peers.py --corpus corpus.gsets -o peers.tsv [--only linear svd]

Each candidate is fitted on the corpus without the 2,000 held-out sets of a benchmark run (the same
sets, by the same seed), and its recall@50 is measured on them. The values of the first setting are
tried with the defaults of the others, then those of the second with the best of the first, and so
on. No term library is used. The table is written after each fit, and a run that was stopped
resumes after the last one.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from gsfm import GeneSets
from gsfm.benchmark.corpora import weighted
from gsfm.io.files import atomic_path
from gsfm.models import FAMILIES
from gsfm.models.held_out import HeldOut

#: What is tried, in this order; ``publications`` is the weight of the sets of that source.
TRIED: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "cooccurrence": {"similarity": ["cosine", "conditional"]},
    "svd": {
        "dimensions": [256, 512, 1024],
        "size_exponent": [0.5, 0.0, 1.0],
        "gene_exponent": [0.25, 0.0, 0.4],
        "publications": [1.0, 3.0],
    },
    "als": {
        "confidence": [10.0, 3.0, 30.0, 100.0],
        "regularization": [1.0, 0.1, 10.0],
        "publications": [1.0, 3.0],
        "dimensions": [512, 64, 128, 256, 1024],  # last: a fit with 1,024 takes 20 minutes
    },
    "linear": {
        "regularization": [20.0, 5.0, 50.0, 100.0, 200.0],
        "size_exponent": [0.5, 0.0, 1.0],
        "publications": [1.0, 3.0, 10.0],
    },
}
#: Settings that are not tried. Every pair counts in co-occurrence; of the linear model the genes of
#: few sets are left out here, which halves the time of a fit.
FIXED: Mapping[str, Mapping[str, Any]] = {
    "cooccurrence": {"top": 30000},
    "linear": {"min_sets": 30},
}


def measure(
    family: str, chosen: Mapping[str, Any], sets: GeneSets, held: HeldOut
) -> dict[str, Any]:
    """Fit a candidate on `sets` and return its row of the table."""
    settings = dict(chosen)
    source_weight = settings.pop("publications", 1.0)
    weights = weighted(sets, {"publications": source_weight}).weights
    started = time.monotonic()
    model = FAMILIES[family](**settings, **FIXED.get(family, {}))
    model.fit(sets, weights=weights, random_state=0)
    seconds = time.monotonic() - started
    return {
        "family": family,
        "settings": json.dumps(chosen, sort_keys=True),
        "recall_at_50": round(held.recall(model), 5),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Try all settings of all families, or resume."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--held-out", type=int, default=2000)
    parser.add_argument("--only", nargs="*", choices=TRIED, default=list(TRIED))
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    corpus = GeneSets.open(options.corpus)
    held, rows = HeldOut.draw(corpus, options.held_out, random_state=0)
    sets = corpus[rows]
    table = (
        pl.read_csv(options.output, separator="\t").to_dicts() if options.output.exists() else []
    )
    for family in options.only:
        chosen: dict[str, Any] = {setting: values[0] for setting, values in TRIED[family].items()}
        for setting, values in TRIED[family].items():
            found = {}
            for value in values:
                tried = {**chosen, setting: value}
                key = json.dumps(tried, sort_keys=True)
                row = next(
                    (r for r in table if (r["family"], r["settings"]) == (family, key)), None
                )
                if row is None:
                    row = measure(family, tried, sets, held)
                    table.append(row)
                    with atomic_path(options.output) as temporary:
                        pl.DataFrame(table).write_csv(temporary, separator="\t")
                    print(*row.values(), sep="\t", flush=True)
                found[value] = row["recall_at_50"]
            chosen[setting] = max(found, key=lambda value: found[value])
        print(f"{family}: {json.dumps(chosen)}", flush=True)


if __name__ == "__main__":
    main()
