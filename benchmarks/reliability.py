"""Are a model's probabilities right? Calibrate it, and measure them on libraries.

    python benchmarks/reliability.py --model DIR [--corpus FILE] [--plots DIR] LIBRARY...

A model that is calibrated already is measured as it is. With ``--corpus``, the model's own training
corpus, it is calibrated anew on the sets that `gsfm train` kept from it with the same ``--seed``
and ``--held-out``; ``--save`` writes it back.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from gsfm import GeneSets, models, sets
from gsfm.evaluation import half_split, reliability
from gsfm.training import HeldOut, calibrate


def main() -> None:
    """Calibrate, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("libraries", nargs="*", type=Path, help="gene-set files")
    parser.add_argument("--model", type=Path, help="a model folder; the shipped model if not given")
    parser.add_argument("--corpus", type=Path, help="calibrate on held-out sets of this corpus")
    parser.add_argument("--held-out", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", action="store_true", help="write the calibrated model back")
    parser.add_argument("--terms", type=int, default=200, help="terms of each library")
    parser.add_argument("--plots", type=Path, help="a folder for a plot of each library")
    options = parser.parse_args()
    if options.save and (options.model is None or options.corpus is None):
        parser.error("--save needs --model and --corpus")

    model = models.load(options.model)
    if options.corpus is not None:
        held, _ = HeldOut.draw(GeneSets.open(options.corpus), options.held_out, seed=options.seed)
        started = time.monotonic()
        measured = calibrate(model, held)
        print(f"calibrated and measured in {time.monotonic() - started:.1f} s")
        for name, value in measured.items():
            print(f"  {name}: {value}")
        if options.save:
            model.manifest.setdefault("training", {})["calibration"] = measured
            model.save(options.model)
    for path in options.libraries:
        library = sets.read(path).reindex(model.vocabulary)
        found = reliability(model, half_split(library, terms=options.terms, splits=1))
        print(f"\n{path.name}, at most {options.terms} terms, half of each shown")
        for row in found.errors.iter_rows(named=True):
            print(
                f"  {row['over']:8} {row['binning']:12} error {row['error']:.5f} "
                f"({row['low']:.5f} to {row['high']:.5f})  told {row['told']:.4f} "
                f"found {row['found']:.4f}"
            )
        if options.plots is not None:
            options.plots.mkdir(parents=True, exist_ok=True)
            name = path.name.split(".")[0]
            found.plot(options.plots / f"{name}.svg", title=name)


if __name__ == "__main__":
    main()
