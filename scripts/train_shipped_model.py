"""Train the model that comes with gsfm: networks, a linear model, and what is known of genes.

    python scripts/train_shipped_model.py --libraries FOLDER --publications FILE

FOLDER holds gene-set libraries with a ``SOURCES.tsv``; none may be a curated term library (GO,
KEGG, Reactome, WikiPathways, GWAS, HPO, MGI, ChIP): those are what the model is measured on, and
names that look like one are refused. FILE is ``gene2pubmed.gz`` or ``org.Hs.eg.sqlite``.
The corpus, the members and the checkpoint are kept in ``--work`` and used again if they are there.

What each member is for, and what was tried beside it, is in benchmarks/ablations/.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl

import gsfm
from gsfm import GeneSets, corpus
from gsfm._errors import GsfmError
from gsfm.models import (
    Adaptive,
    Attribute,
    Autoencoder,
    Features,
    Linear,
    Model,
    Popularity,
    load,
)
from gsfm.models._load import SHIPPED
from gsfm.models._run import Progress, Run
from gsfm.training import calibrate, peak_memory, train
from gsfm.training._monitor import HeldOut

#: Libraries that the model is measured on, or that hold the same knowledge.
FORBIDDEN = re.compile(
    r"(^|_)(GO|GWAS|KEGG|Reactome|WikiPathways?|HPO|MGI|ChEA|ENCODE|ChIP)([_\-.]|$)|Human_Phenotype",
    re.IGNORECASE,
)
#: Collections of signatures into which pathways of KEGG and others were copied under their names.
LEAKING = ("IOBR_signature_collection_2024", "Appyter_breast_cancer_gene_sets")
NAME = "gsfm-2026.11.2"
KEEP = 64  # weights of the linear model that are kept of each gene
SEED, HELD_OUT = 0, 2000


def build_corpus(libraries: Path, publications: Path, file: Path) -> GeneSets:
    """Compile the corpus, or open it if it is there."""
    if not file.exists():
        refused = [path.name for path in libraries.iterdir() if FORBIDDEN.search(path.name)]
        if refused:
            raise GsfmError(f"{libraries}: a model must not train on {', '.join(refused)}")
        built = corpus.build(
            [libraries, ("publications", publications)],
            min=4,
            max=1001,
            min_gene_sets=3,
            near_duplicates=None,
            exclude=LEAKING,
            progress=say,
        )
        built.save(file)
    return GeneSets.open(file)


def member(model: Model, sets: GeneSets, folder: Path, run: Run) -> Model:
    """Train a member, or load it if it is there."""
    if not (folder / "config.json").exists():
        run = dataclasses.replace(run, resume=model.can_resume)
        train(model, sets, folder, seed=SEED, held_out=HELD_OUT, run=run)
    return load(folder)


def seconds_of(model: Model) -> float:
    """What its training took."""
    return float(model.manifest["training"]["seconds"])


def papers_first(sets: GeneSets) -> GeneSets:
    """The corpus with a weight of 3 on each paper, which the linear model gains from."""
    is_paper = pl.col("source") == "publications"
    weight = pl.when(is_paper).then(3.0).otherwise(1.0).alias("weight")
    metadata = sets.metadata.with_columns(weight)
    return GeneSets(sets.vocabulary, sets.indptr, sets.indices, metadata, manifest=sets.manifest)


def say(text: object) -> None:
    """Print a line of progress."""
    if isinstance(text, Progress):
        if text.step % 50 and text.watched is None:
            return
        text = (
            f"step {text.step}/{text.steps} {text.sets_per_second:.0f} sets/s "
            f"{text.seconds:.0f} s, loss {text.loss:.3f}"
            + (f", recall@50 {text.watched:.4f}" if text.watched is not None else "")
        )
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Build the corpus, train the members, and save what weighs them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--libraries", type=Path, required=True)
    parser.add_argument("--publications", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("runs/shipped"))
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    started = time.monotonic()
    sets = build_corpus(options.libraries, options.publications, options.work / "corpus.gsets")
    say(f"{len(sets):,} sets, {len(sets.indices):,} members, {sets.n_genes:,} genes")
    run = Run(progress=say, resume=True, checkpoint=options.work / "checkpoint")

    def trained(name: str, model: Model, on: GeneSets = sets) -> Model:
        return member(model, on, options.work / name, run)

    # One learns to find hidden genes, the other whole sets: they err differently.
    small: dict[str, Any] = {"dimensions": 384, "hidden": 768, "epochs": 10, "storage": "float32"}
    networks = [
        trained("hidden", Autoencoder(**small)),
        trained("whole", Autoencoder(targets="all", **small)),
    ]
    for network in networks:  # what is shipped is smaller
        network.config = dataclasses.replace(network.config, storage="int8")
    linear = trained("linear", Linear(regularisation=20.0), papers_first(sets))
    assert isinstance(linear, Linear)
    parts: list[tuple[float, Model]] = [
        *((0.5, network) for network in networks),
        (0.2, linear.pruned(KEEP)),
        *((0.2, trained(of, Features(of=of))) for of in ("words", "domains")),
        (0.4, trained("windows", Features(of="windows"))),
        *((0.0, trained(of, Attribute(of=of))) for of in ("length", "coding")),
        (0.0, trained("popularity", Popularity())),
    ]
    shipped = Adaptive.of([model for _, model in parts], [weight for weight, _ in parts])
    # All members were fitted without these sets: the same seed draws the same ones.
    held_out, _ = HeldOut.draw(sets, HELD_OUT, seed=SEED)
    shipped.manifest |= {
        "name": NAME,
        "gsfm_version": gsfm.__version__,
        "corpus": {
            **{key: sets.manifest[key] for key in ("hash", "sets", "genes", "settings")},
            "inputs": [
                {key: each[key] for key in ("source", "sha256", "licence") if key in each}
                for each in sets.manifest["inputs"]
            ],
        },
        "metrics": {"held_out_sets": len(held_out), "recall_at_50": held_out.recall(shipped)},
    }
    shipped.manifest["training"] = {
        "seconds": round(sum(seconds_of(m) for _, m in parts), 1),
        "peak_memory_bytes": peak_memory(),
        "calibration": calibrate(shipped, held_out),
    }
    shipped.save(options.output)
    size = sum(file.stat().st_size for file in options.output.iterdir())
    say(f"saved {options.output}: {size / 1e6:.1f} MB, {time.monotonic() - started:.0f} s in all")


if __name__ == "__main__":
    main()
