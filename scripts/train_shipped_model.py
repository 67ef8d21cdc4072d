"""Train the shipped model: networks, a linear model, and a model of gene facts.

    python scripts/train_shipped_model.py --libraries FOLDER --publications FILE

FOLDER holds gene-set libraries with a ``SOURCES.tsv``. None may be a curated term library (GO,
KEGG, Reactome, WikiPathways, GWAS, HPO, MGI, ChIP), because the model is measured on those; a
library with such a name is refused. FILE is ``gene2pubmed.gz`` or ``org.Hs.eg.sqlite``. The
corpus, the members and the checkpoint are kept in ``--work`` and reused if they are there. With
``--until YEAR`` the model is trained only on sets that existed at the end of that year,
for time splits.

benchmarks/ablations/ explains why each member is there, and which alternatives were tried.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import gsfm
from gsfm import GeneSets, corpus
from gsfm.corpus.gene_features import Kind
from gsfm.errors import GsfmError
from gsfm.models import (
    Adaptive,
    Attribute,
    Autoencoder,
    Features,
    Linear,
    Model,
    Popularity,
    calibrate,
    load,
    peak_memory,
    train,
    typical,
)
from gsfm.models.held_out import HeldOut
from gsfm.models.registry import SHIPPED
from gsfm.models.typical import Typical
from gsfm.sets import concat
from gsfm.training.run import Progress, Run

#: Libraries that the model is measured on, or that hold the same knowledge.
FORBIDDEN = re.compile(
    r"(^|_)(GO|GWAS|KEGG|Reactome|WikiPathways?|HPO|MGI|ChEA|ENCODE|ChIP)([_\-.]|$)|Human_Phenotype",
    re.IGNORECASE,
)
#: Collections of signatures into which pathways of KEGG and others were copied under their names.
LEAKING = ("IOBR_signature_collection_2024", "Appyter_breast_cancer_gene_sets")
NAME = "gsfm-2026.11.6"
PASSES = 2.8  # of a network, over sets, papers and features; the single one takes 1 in its place
KEEP, LINEAR_FROM = 64, 30  # weights of the linear model that are kept of each gene; its least sets
CONFIDENCE, OF_LENGTH = 5.0, 1.0  # in the weights: few sets show whether gene length matters
#: Of the draws of a network, for each kind of what is known of genes.
FEATURES: dict[Kind, float] = {"words": 0.04, "domains": 0.04, "windows": 0.02, "regions": 0.02}
SEED, HELD_OUT = 0, 2000
FEW = 200  # draws kept from a network, to watch it; the held-out sets are, anyway


def build_corpus(libraries: Path, publications: Path, file: Path) -> GeneSets:
    """Compile the corpus, or open it if it is there."""
    if not file.exists():
        refused = [path.name for path in libraries.iterdir() if FORBIDDEN.search(path.name)]
        if refused:
            raise GsfmError(f"{libraries}: a model must not train on {', '.join(refused)}")
        built = corpus.build(
            [libraries, ("publications", publications)],
            min_size=5,
            max_size=1000,
            min_gene_sets=3,
            near_duplicates=None,
            exclude=LEAKING,
            progress=say,
        )
        built.save(file)
    return GeneSets.open(file)


def member(model: Model, sets: GeneSets, folder: Path, run: Run, held_out: int, seed: int) -> Model:
    """Train a member, or load it if it is there."""
    if not (folder / "config.json").exists():
        run = dataclasses.replace(run, resume=model.can_resume)
        train(model, sets, folder, random_state=seed, held_out=held_out, run=run)
    return load(folder)


def seconds_of(model: Model) -> float:
    """The seconds that its training took."""
    return float(model.manifest["training"]["seconds"])


def peak_of(model: Model) -> int:
    """The peak memory of its training; 0 if that was not recorded."""
    return int(model.manifest["training"].get("peak_memory_bytes") or 0)


def papers_first(sets: GeneSets) -> GeneSets:
    """The corpus with a weight of 3 on each paper, which improves the linear model."""
    is_paper = pl.col("source") == "publications"
    return weighted(sets, pl.when(is_paper).then(3.0).otherwise(1.0))


def drawn_by(sets: GeneSets, weights: NDArray[np.floating]) -> GeneSets:
    """The sets with these weights."""
    metadata = sets.metadata.with_columns(weight=weights.astype(np.float32))
    return GeneSets(sets.vocabulary, sets.indptr, sets.indices, metadata, manifest=sets.manifest)


def weighted(sets: GeneSets, weight: pl.Expr) -> GeneSets:
    """The sets with these weights, which may depend on their ``size`` and number of ``papers``."""
    duplicates = pl.col("duplicates").list.len().fill_null(0)
    metadata = sets.metadata.with_columns(size=pl.Series(sets.sizes), papers=1 + duplicates)
    return drawn_by(sets, metadata.select(weight.cast(pl.Float32)).to_series().to_numpy())


def balanced(sets: GeneSets) -> GeneSets:
    """The corpus with less weight on each set of a large source, so that none drowns the others."""
    return weighted(sets, pl.len().over("source").cast(pl.Float64) ** -0.25)


def joint(*parts: tuple[float, GeneSets]) -> GeneSets:
    """Sets of several kinds in one corpus, each kind drawn in this share of the cases."""
    total = sum(share for share, _ in parts)
    weights = np.concatenate([share / total * s.weights / s.weights.sum() for share, s in parts])
    return drawn_by(concat([sets for _, sets in parts]), weights * len(weights))


def known_of_genes(sets: GeneSets) -> dict[str, GeneSets]:
    """Gene sets of words in gene names, of protein domains, and of windows of the genome.

    They say something of genes that no set or paper tells of. A set of many genes tells more.
    """
    found: dict[str, GeneSets] = {}
    for kind in FEATURES:
        features = corpus.features(kind).reindex(sets.vocabulary)
        features = features[np.flatnonzero((features.sizes > 1) & (features.sizes < 1001))]
        found[kind] = drawn_by(features, np.minimum(features.sizes - 1, 100))
    return found


def all_papers(publications: Path, file: Path, sets: GeneSets, held_out: GeneSets) -> GeneSets:
    """All papers of 2 genes or more, by the genes of `sets`, without those that are held out.

    Nine papers in ten name fewer genes than a set of the corpus needs. They are about just these.
    """
    if not file.exists():
        source = [("publications", publications)]
        built = corpus.build(source, min_size=2, near_duplicates=None, progress=say)
        built.save(file)
    papers = GeneSets.open(file)
    kept = held_out.metadata
    names = kept.filter(source="publications")["name"].to_list()
    merged = kept["duplicates"].explode().drop_nulls().str.strip_prefix("publications: ")
    hidden = pl.col("name").is_in([*names, *merged])
    papers = papers[np.flatnonzero(papers.metadata.select(~hidden).to_series().to_numpy())]
    manifest = papers.manifest
    papers = papers.reindex(sets.vocabulary)
    papers = papers[np.flatnonzero(papers.sizes > 1)]
    papers.manifest = manifest
    return papers


def until(sets: GeneSets, year: int | None) -> GeneSets:
    """The sets that existed at the end of a year; all sets if no year is set."""
    if year is None:
        return sets
    there = sets.metadata.select(pl.col("year").fill_null(9999) <= year).to_series().to_numpy()
    manifest = {**sets.manifest, "until": year}
    sets = sets[np.flatnonzero(there)]
    sets.manifest = manifest
    return sets


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
    parser.add_argument(
        "--until", type=int, metavar="YEAR", help="learn from what was there by then"
    )
    parser.add_argument(
        "--passes", type=float, default=PASSES, help="of networks, over sets, papers and features"
    )
    parser.add_argument(
        "-o", "--output", type=Path, help="where to save; the shipped model's place"
    )
    options = parser.parse_args()
    if options.until is not None and options.output is None:
        parser.error("a model of the past needs an --output: it is not to be shipped")
    options.work.mkdir(parents=True, exist_ok=True)

    started = time.monotonic()
    work, year = options.work, options.until
    sets = until(build_corpus(options.libraries, options.publications, work / "corpus.gsets"), year)
    say(f"{len(sets):,} sets, {len(sets.indices):,} members, {sets.n_genes:,} genes")
    # All members are fitted without these sets: the same seed draws the same ones.
    held_out, rest = HeldOut.draw(sets, HELD_OUT, random_state=SEED)
    kept = sets[np.setdiff1d(np.arange(len(sets)), rest)]
    papers = all_papers(options.publications, work / "papers.gsets", sets, kept)
    papers = until(papers, year)
    say(f"{len(papers):,} papers")
    if year is not None:
        work = work / str(year)
    work.mkdir(exist_ok=True)
    run = Run(progress=say, resume=True, checkpoint=work / "checkpoint")

    def trained(
        name: str, model: Model, on: GeneSets = sets, keep: int = HELD_OUT, seed: int = SEED
    ) -> Model:
        return member(model, on, work / name, run, keep, seed)

    # Networks err differently: two are to find hidden genes, one whole sets, and a small one tells
    # of each gene by itself whether it is a member, as suits large sets. A paper of many genes
    # tells of many pairs. What is held out was taken from the papers already, and is taken from
    # the sets here.
    drawn = weighted(papers, pl.col("papers") * pl.min_horizontal(pl.col("size") - 1, 100))
    known, features = balanced(sets[rest]), known_of_genes(sets)
    kinds = {"sets": known, "papers": drawn, **features}
    draws = {
        name: {
            "sets": round(1 - of_papers - sum(FEATURES.values()), 9),
            "papers": of_papers,
            **FEATURES,
        }
        for name, of_papers in (("hidden", 0.35), ("again", 0.35), ("whole", 0.4), ("single", 0.4))
    }

    def network(name: str, width: int = 448, passes: float = options.passes, **how: Any) -> Model:
        how |= {"dimensions": width, "hidden": 2 * width, "epochs": passes, "dropout": 0.1}
        mixed = joint(*((draws[name][kind], kinds[kind]) for kind in kinds))
        model = Autoencoder(**how, tied=True, storage="float32")
        return trained(name, model, mixed, FEW, seed=list(draws).index(name))

    networks = [
        network("hidden"),
        network("again"),
        network("whole", targets="all"),
        network("single", 384, options.passes / PASSES, targets="all", loss="logistic"),
    ]
    for each in networks:  # what is shipped is smaller
        each.config = dataclasses.replace(each.config, storage="int4")
    linear = trained(
        "linear", Linear(regularization=20.0, min_sets=LINEAR_FROM), papers_first(sets)
    )
    assert isinstance(linear, Linear)
    # As much of each pair of a paper's genes as there are others in it.
    shared = weighted(papers, pl.col("papers") / (pl.col("size") - 1))
    parts: list[tuple[float, Model]] = [
        *zip((0.4, 0.4, 0.4, 0.1), networks, strict=True),
        (0.1, linear.pruned(KEEP)),
        (0.3, trained("papers", Features(of="sets", largest=100), shared, FEW)),
        *((0.2, trained(of, Features(of=of))) for of in ("words", "domains")),
        (0.6, trained("windows", Features(of="windows"))),
        (0.0, trained("regions", Features(of="regions"))),
        *((0.0, trained(of, Attribute(of=of))) for of in ("length", "coding", "autosomal")),
        (0.0, trained("popularity", Popularity())),
    ]
    is_length = [isinstance(m, Attribute) and m.config.of == "length" for _, m in parts]
    sure = [OF_LENGTH if each else CONFIDENCE for each in is_length]
    shipped = Adaptive.of(
        [m for _, m in parts], [weight for weight, _ in parts], prior_precision=tuple(sure)
    )
    shipped.manifest |= {
        "name": NAME if year is None else f"{NAME}-until-{year}",
        "gsfm_version": gsfm.__version__,
        "corpus": {
            **{key: sets.manifest[key] for key in ("hash", "sets", "genes", "settings")},
            "inputs": [
                {key: each[key] for key in ("source", "sha256", "license") if key in each}
                for each in sets.manifest["inputs"]
            ],
            "papers": {"sets": len(papers), "hash": corpus.content_hash(papers)},
            "features": {
                kind: {"sets": len(of), "hash": corpus.content_hash(of)}
                for kind, of in features.items()
            },
            "draws": draws,
        },
        "metrics": {"held_out_sets": len(held_out), "recall_at_50": held_out.recall(shipped)},
    }
    shipped.typical = Typical.fit(shipped, typical.sample(sets, typical.SETS, 0), "training sets")
    shipped.manifest["typical"] = {"sets": typical.SETS, "source": "training sets"}
    shipped.manifest["training"] = {
        "seconds": round(sum(seconds_of(m) for _, m in parts), 1),
        # Members that were there already were trained by another process.
        "peak_memory_bytes": max(peak_memory() or 0, *map(peak_of, (m for _, m in parts))),
        "calibration": calibrate(shipped, held_out),
    }
    output = options.output or SHIPPED
    shipped.save(output)
    size = sum(file.stat().st_size for file in output.iterdir())
    say(f"saved {output}: {size / 1e6:.1f} MB, {time.monotonic() - started:.0f} s in all")


if __name__ == "__main__":
    main()
