"""Calibrate a model, and measure its probabilities on libraries.

    python benchmarks/reliability.py --model DIR [--corpus FILE] [--plots DIR] LIBRARY...

Half of each term is hidden, or the fraction ``--missing-fraction``. A calibrated model is measured
as it is. With ``--corpus``, the training corpus of the model, it is calibrated again on the sets
that `gsfm train` held out with the same ``--seed`` and ``--held-out``; ``--save`` writes it back.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np

from gsfm import GeneSets, models, sets
from gsfm.benchmark import Questions, half_split, reliability
from gsfm.models import HeldOut, calibrate


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
    parser.add_argument(
        "--missing-fraction", type=float, default=0.5, help="share of each term to hide"
    )
    parser.add_argument(
        "--assumed", type=float, help="the missing fraction that the model assumes, if another"
    )
    parser.add_argument("--plots", type=Path, help="a folder for a plot of each library")
    options = parser.parse_args()
    if options.save and (options.model is None or options.corpus is None):
        parser.error("--save needs --model and --corpus")
    missing = options.missing_fraction
    assumed = missing if options.assumed is None else options.assumed
    if not (0 < missing < 1 and 0 < assumed < 1):
        parser.error("--missing-fraction and --assumed must be above 0 and below 1")

    model = models.load(options.model)
    if options.corpus is not None:
        held, _ = HeldOut.draw(
            GeneSets.open(options.corpus), options.held_out, random_state=options.seed
        )
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
        questions = hide(half_split(library, terms=options.terms, splits=1), missing)
        found = reliability(model, questions, missing_fraction=assumed)
        shown = "half" if missing == 0.5 else f"{100 * (1 - missing):.3g}%"
        also = "" if assumed == missing else f", {assumed:g} assumed to be missing"
        print(f"\n{path.name}, at most {options.terms} terms, {shown} of each shown{also}")
        for row in found.errors.iter_rows(named=True):
            print(
                f"  {row['over']:8} {row['binning']:12} error {row['error']:.5f} "
                f"({row['low']:.5f} to {row['high']:.5f})  predicted {row['predicted']:.4f} "
                f"observed {row['observed']:.4f}"
            )
        if options.plots is not None:
            options.plots.mkdir(parents=True, exist_ok=True)
            name = path.name.split(".")[0]
            found.plot(options.plots / f"{name}.svg", title=name)


def hide(questions: Questions, missing_fraction: float) -> Questions:
    """The same terms, with the share `missing_fraction` of each hidden instead of a half.

    It is a gene at least. The genes hidden of a small share are among those of a larger one.
    """
    if missing_fraction == 0.5:
        return questions
    rng = np.random.default_rng(0)
    shown, hidden = [], []
    for i in range(len(questions)):
        # What is hidden of less than a half is a part of the half.
        halves = questions.hidden.ids(i), questions.shown.ids(i)
        genes = np.concatenate([rng.permutation(half) for half in halves])
        n = min(max(1, round(missing_fraction * len(genes))), len(genes) - 1)
        hidden.append(np.sort(genes[:n]))
        shown.append(np.sort(genes[n:]))
    background = questions.background
    return dataclasses.replace(
        questions,
        shown=GeneSets.from_ids(background, shown),
        hidden=GeneSets.from_ids(background, hidden),
    )


if __name__ == "__main__":
    main()
