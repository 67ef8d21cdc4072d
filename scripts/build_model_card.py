"""Write docs/model-card.md from the shipped model and the committed benchmark.

    python scripts/build_model_card.py
    python scripts/build_model_card.py --model DIR -o card.md   # the card of another model

All figures come from the model's manifest and from the summary of the benchmark. The text is in
``scripts/model_card.md``. The card has figures of the benchmark only if the benchmark was run on
this model, which the hashes of its files show. Facts that are missing from the manifest are "not
recorded". A test fails if docs/model-card.md differs from the output of this script.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from gsfm.io.files import atomic_path
from gsfm.models import Model, load
from gsfm.models.registry import SHIPPED

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "model-card.md"
TEMPLATE = ROOT / "scripts" / "model_card.md"
SUMMARY = ROOT / "benchmarks" / "results" / "shipped" / "summary.json"

UNKNOWN = "not recorded"
#: The benchmark's name of the model, in its configuration and among its files.
METHOD = "shipped"
#: Methods that the model is compared with, if the benchmark has them, and their names in the card.
PEERS = {"popularity": "popularity"}

WHAT = {
    "ensemble": "the sum of {n} models' scores, standardized and weighted",
    "adaptive": "the weighted sum of {n} kinds of evidence, each from its own model. The weights "
    "are fitted to each query, by how well the evidence separates left-out genes of the query from "
    "other genes",
}
SCORE = {
    "ensemble": "A score is that sum. A higher score means that the gene fits the set better. "
    "Scores have no unit, and are comparable only within one result.",
    "adaptive": "A score is the log-odds of being a member, if there were as many members as other "
    "genes. Scores are comparable only within one result.",
}
#: Reasons why sets are not in a corpus: the keys of the manifest, and their descriptions.
DROPPED = {
    "too_small": "too few mapped genes (many papers have only one or two)",
    "too_large": "too many genes to be specific",
    "duplicate": "the same genes as another set, which was used",
    "no_known_gene": "no gene of the vocabulary",
    "rare_genes": "too few genes after genes in very few sets were excluded",
}
#: Patterns in the text of licenses, which some sources truncate, and the names of the licenses.
LICENSES = (
    (r"public domain", "public domain"),
    (r"CC0|CC-0", "CC0 1.0"),
    (r"NonCommercial-ShareAlike 4", "CC BY-NC-SA 4.0 (no commercial use)"),
    (r"miRTarBase", "free for academic use (miRTarBase; its package MIT)"),
    (r"GENERAL PUBLIC LICENSE Version 3|GPL-3", "GPL-3"),
    (r"GPL-2\+|GPL \(>= 2", "GPL-2 or later"),
    (r"BSD 3-Clause", "BSD-3-Clause"),
    (r"Artistic-2", "Artistic-2.0"),
    (r"MIT", "MIT"),
    (r"All rights r", "all rights reserved by the contributors"),
)


def render(folder: Path = SHIPPED, summary_file: Path = SUMMARY) -> str:
    """The card of the model in `folder`, with the benchmark if it was run on this model."""
    model = load(folder)
    summary = json.loads(summary_file.read_text(encoding="utf-8"))
    manifest = model.manifest
    measured = is_of(summary, folder)
    parts = {
        "name": manifest.get("name", folder.name),
        "genes": f"{len(model.vocabulary):,}",
        "what": what(model),
        "facts": facts(model, folder),
        "score": SCORE.get(model.family, "Scores are comparable only within one result."),
        "members": members(model),
        "corpus": corpus(manifest),
        "dropped": dropped(manifest),
        "licenses": licenses(manifest),
        "training": training(model),
        "metrics": metrics(summary) if measured else NOT_MEASURED,
        "weak": weak(summary) if measured else NOT_MEASURED,
        "calibration": calibration(manifest),
    }
    return wrap(Template(TEMPLATE.read_text(encoding="utf-8")).substitute(parts))


NOT_MEASURED = (
    "The committed benchmark was run on another model, so there are no figures for this one. "
    "`gsfm benchmark run benchmarks/shipped.toml` computes them."
)


def is_of(summary: Mapping[str, Any], folder: Path) -> bool:
    """Whether the benchmark was run on the files of this model."""
    hashes = summary["about"]["data"]
    files = ("config.json", "vocab.txt", "model.safetensors")
    return all(
        hashes.get(f"{METHOD}/{file}") == hashlib.sha256((folder / file).read_bytes()).hexdigest()
        for file in files
    )


# -- the model -------------------------------------------------------------------------------------


def parts_of(model: Model) -> list[tuple[float | None, Model, Mapping[str, Any]]]:
    """The weight, the model and the manifest of each member, or of the model itself."""
    of = getattr(model, "members", None)
    if not of:
        return [(None, model, model.manifest)]
    manifests = [*model.manifest.get("members", ()), *({} for _ in of)]
    return list(zip(model.config.weights, of, manifests, strict=False))


def what(model: Model) -> str:
    """The kind of model, in one or two sentences."""
    n = len(parts_of(model))
    text = WHAT.get(model.family, model.description).format(n=n)
    doi = re.search(r"10\.\S+", model.paper)
    paper = f" ({model.paper[: doi.start()].rstrip(', doi:')}, doi:{doi[0]})" if doi else ""
    return f"A model of gene sets of the family `{model.family}`: {text}{paper}."


def facts(model: Model, folder: Path) -> str:
    """The main facts, as a table."""
    size = sum(file.stat().st_size for file in folder.iterdir())
    return table(
        ("", ""),
        [
            ("made with", f"gsfm {version(model.manifest)}"),
            ("genes", f"{len(model.vocabulary):,} human genes, approved symbols"),
            ("parameters", f"{model.n_parameters:,}"),
            ("size", f"{size / 1e6:.1f} MB"),
            ("needs", "a processor; neither torch nor internet access"),
        ],
    )


def version(manifest: Mapping[str, Any]) -> str:
    manifests = [manifest, *manifest.get("members", ())]
    return next((one["gsfm_version"] for one in manifests if "gsfm_version" in one), UNKNOWN)


def members(model: Model) -> str:
    """The members with their weights and settings, as a table."""
    rows = []
    precisions = getattr(model.config, "precisions", None)
    for i, (weight, member, _) in enumerate(parts_of(model)):
        settings = dict(vars(member.config))
        # The name of a member of a family with several kinds includes its kind.
        kind = f", {settings.pop('of')}" if "of" in settings else ""
        listed = ", ".join(
            f"{key} {'none' if value is None else number(value)}" for key, value in settings.items()
        )
        precision = () if precisions is None else (number(precisions[i]),)
        rows.append((f"{member.family}{kind}", number(weight), *precision, listed or "none"))
    if precisions is None:
        return table(("member", "weight", "settings"), rows)
    return table(("member", "prior weight", "prior precision", "settings"), rows) + (
        "\n\nThe prior precision (`prior_precision` in the configuration) is the number of genes "
        "of a query that have as much influence on a weight as its prior. The weights of a short "
        "query stay close to the prior weights; those of a long query depend mostly on its genes."
    )


# -- training data ---------------------------------------------------------------------------------


def corpus_of(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The corpus of the model, or else the largest corpus of a member."""
    own = [manifest] if "corpus" in manifest else manifest.get("members", ())
    corpora: list[Mapping[str, Any]] = [one["corpus"] for one in own if "corpus" in one]
    return max(corpora, key=n_sets, default={})


def n_sets(of: Mapping[str, Any]) -> int:
    """Number of gene sets of a corpus: the number that was kept, if it was built by gsfm."""
    sets = of.get("sets", 0)
    return int(sets.get("kept", 0) if isinstance(sets, Mapping) else sets)


def corpus(manifest: Mapping[str, Any]) -> str:
    """The size and the settings of the corpus, as a table."""
    of = corpus_of(manifest)
    genes = of.get("genes", {})
    genes = genes.get("kept") if isinstance(genes, Mapping) else genes
    settings = of.get("settings", {})
    rows = [
        ("corpus", f"`{of['hash']}`" if "hash" in of else UNKNOWN),
        ("gene sets", f"{n_sets(of):,}" if n_sets(of) else UNKNOWN),
        ("genes", f"{genes:,}" if genes else UNKNOWN),
        ("libraries", f"{len(of['inputs']):,}" if "inputs" in of else UNKNOWN),
    ]
    if "papers" in of:
        rows.append(("papers with 2 or more genes", f"{of['papers']['sets']:,}"))
    if {"min_size", "max_size", "min_gene_sets"} <= set(settings):
        low, high = settings["min_size"], settings["max_size"]
        rows += [
            ("size of a set", f"{low:,} to {high:,} genes"),
            ("sets per gene", f"{settings['min_gene_sets']:,} or more"),
        ]
    return table(("", ""), rows)


def dropped(manifest: Mapping[str, Any]) -> str:
    """How many sets were excluded, by reason."""
    sets = corpus_of(manifest).get("sets")
    if not isinstance(sets, Mapping):
        return f"(The number of excluded sets is {UNKNOWN}.)"
    counts = sorted(sets["dropped"].items(), key=lambda item: -item[1])
    rows = [(DROPPED.get(reason, reason), f"{n:,}") for reason, n in counts if n]
    return table(("reason for exclusion", "sets, of " + format(sets["read"], ",")), rows)


def licenses(manifest: Mapping[str, Any]) -> str:
    """The libraries, by the license that their sources state."""
    inputs = corpus_of(manifest).get("inputs")
    if not inputs:
        return f"The libraries and their licenses: {UNKNOWN}."
    named = [(license(one.get("license")), str(one["source"])) for one in inputs]
    counts = Counter(name for name, _ in named)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    rows = [(name, str(counts[name])) for name in ranked]
    by_name = "\n".join(
        f"- **{name}**: {', '.join(sorted(s for n, s in named if n == name))}" for name in ranked
    )
    return (
        "The table has the licenses that the repositories or packages with the libraries state. "
        "The authors of a library may have other "
        f"terms.\n\n{table(('license', 'libraries'), rows)}\n\n<details>\n<summary>The "
        f"{len(inputs)} libraries</summary>\n\n{by_name}\n\n</details>"
    )


def license(text: str | None) -> str:
    """The name of a license, from the text of its source."""
    for pattern, name in LICENSES:
        if re.search(pattern, text or ""):
            return name
    return "none stated"


# -- training --------------------------------------------------------------------------------------


def training(model: Model) -> str:
    """The time, memory and seed of the fit of each member."""
    rows = []
    for _, member, manifest in parts_of(model):
        kind = getattr(member.config, "of", "")
        cost = manifest.get("training", {})
        seconds, memory = cost.get("seconds"), cost.get("peak_memory_bytes")
        rows.append(
            (
                f"{member.family}{', ' * bool(kind)}{kind}",
                UNKNOWN if seconds is None else f"{seconds:,.0f} s",
                UNKNOWN if memory is None else f"{memory / 1e9:.1f} GB",
                number(cost.get("recall_at_50")),
                number(manifest.get("seed")),
                manifest.get("gsfm_version", UNKNOWN),
            )
        )
    text = table(("fitted", "time", "peak memory", "recall@50", "seed", "gsfm"), rows)
    costs = [manifest.get("training", {}) for _, _, manifest in parts_of(model)]
    recorded = [cost["seconds"] for cost in costs if "seconds" in cost]
    whole = model.manifest.get("training", {})
    if "seconds" in whole:
        text += f"\n\nThe whole training took {whole['seconds'] / 60:,.0f} minutes."
    elif recorded:
        text += f"\n\nThe recorded times add up to {sum(recorded) / 60:,.0f} minutes."
    own = {**whole, **model.manifest.get("metrics", {})}
    if "recall_at_50" in own:
        text += (
            f" The mean recall@50 of the whole model on {own['held_out_sets']:,} held-out sets is "
            f"{own['recall_at_50']:.1%}: the share of the hidden genes of a set that are among its "
            "50 best genes, relative to the largest possible share."
        )
    return text


# -- figures ---------------------------------------------------------------------------------------


def metrics(summary: Mapping[str, Any]) -> str:
    """The results of the half splits and of the other tasks."""
    results = {(r["task"], r["method"], r["metric"]): r for r in summary["results"]}
    peers = {m: name for m, name in PEERS.items() if any(key[1] == m for key in results)}

    def figure(task: str, metric: str, method: str = METHOD, *, interval: bool = True) -> str:
        row = results.get((task, method, metric))
        if row is None:
            return "–"
        kind = "mean" if metric == "average_precision" else "median"
        middle, low, high = row[kind]
        return f"{middle:.3f} ({low:.3f}–{high:.3f})" if interval else f"{middle:.3f}"

    rows = []
    for task in of_protocol(summary, "half-split"):
        name = task["task"]
        rows.append(
            (
                name,
                f"{task['terms']:,}",
                f"{task['background']:,}",
                *(figure(name, m) for m in ("auroc", "matched_auroc", "average_precision")),
                *(
                    " / ".join(
                        figure(name, m, peer, interval=False)
                        for m in ("auroc", "average_precision")
                    )
                    for peer in peers
                ),
            )
        )
    head = ("library", "terms", "background genes", "AUROC", "matched AUROC", "average precision")
    text = [
        "Half of each term was shown, and the model ranked all other genes of the background. The "
        "background is the genes of the library that all methods of the run know. The table has "
        "the median AUROC, the median AUROC against equally popular genes (matched; that of "
        "popularity itself is 0.5), and the mean average precision over terms, with 95% bootstrap "
        "intervals. The last columns have the AUROC / average precision of methods that were "
        "trained on the same corpus. [benchmark.md](benchmark.md) defines these metrics.",
        table((*head, *peers.values()), rows),
    ]
    few = []
    for task in of_protocol(summary, "hold-out"):
        found = strata(summary, task["task"], "shown, same terms")
        if found:
            n = next(iter(found.values()))["n"]
            few.append(
                (task["task"], n, {k: f"{row['median'][0]:.3f}" for k, row in found.items()})
            )
    if few:
        ks = sorted({k for _, _, found in few for k in found}, key=int)
        text += [
            "The median AUROC with only a few genes shown, on the terms that are large enough for "
            "all of these numbers:",
            table(
                ("library", "terms", *(f"{k} shown" for k in ks)),
                [(name, str(n), *(found.get(k, "–") for k in ks)) for name, n, found in few],
            ),
        ]
    for task in of_protocol(summary, "context-switch"):
        text.append(
            f"{task['task']}: a gene of two unrelated terms is shown with "
            f"{task['about']['context_genes']} context genes of one of them, and the genes of that "
            "term should rank above those of the other term. The median AUROC is "
            f"{figure(task['task'], 'auroc')} over {task['terms']:,} pairs of terms; that of a "
            "method that ignores the context is 0.5."
        )
    return "\n\n".join(text)


def weak(summary: Mapping[str, Any]) -> str:
    """The half splits, by groups of genes and terms with different accuracy."""
    parts = (
        ("popularity", "1", "fewest sets"),
        ("popularity", "10", "most sets"),
        ("papers", "understudied", "understudied"),
        ("papers", "others", "other genes"),
        ("leaked", "leaked", "leaked terms"),
        ("leaked", "not leaked", "other terms"),
    )
    rows = []
    for task in of_protocol(summary, "half-split"):
        if task["about"].get("noise"):
            continue
        cells = []
        for by, stratum, _ in parts:
            row = strata(summary, task["task"], by).get(stratum)
            cells.append("–" if row is None else f"{row['median'][0]:.3f}")
        rows.append((task["task"], *cells))
    return (
        "The table has the median AUROC for groups of hidden genes and of terms. The genes are: "
        "the tenth of the background with the fewest training sets, the tenth with the most, the "
        "fifth with the fewest papers (understudied), and all genes but this fifth. A term is "
        "leaked if a training set contains most of its genes.\n\n"
        + table(("library", *(name for _, _, name in parts)), rows)
    )


def of_protocol(summary: Mapping[str, Any], protocol: str) -> list[Mapping[str, Any]]:
    """The tasks of a protocol that have terms."""
    return [t for t in summary["tasks"] if t["protocol"] == protocol and t["terms"]]


def strata(summary: Mapping[str, Any], task: str, by: str) -> dict[str, Mapping[str, Any]]:
    """The AUROC of the model in each stratum of a task."""
    return {
        row["stratum"]: row
        for row in summary["strata"]
        if (row["task"], row["method"], row["by"], row["metric"]) == (task, METHOD, by, "auroc")
    }


def calibration(manifest: Mapping[str, Any]) -> str:
    """The meaning and the errors of the probabilities; empty for a model without them."""
    facts = manifest.get("calibration")
    if not facts:
        return ""
    meaning = f"A probability is {facts['meaning']}.\n\n" if "meaning" in facts else ""
    rest = flat({key: value for key, value in facts.items() if key != "meaning"})
    rows = [(key.replace("_", " "), number(value)) for key, value in rest]
    return f"\n## Probabilities\n\n{meaning}{table(('calibrated on', ''), rows)}\n"


# -- text ------------------------------------------------------------------------------------------


def flat(value: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """The entries of nested tables, without lists, which are curves."""
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from flat(item, f"{prefix}{key}, ")
        elif not isinstance(item, list | tuple):
            yield f"{prefix}{key}", item


def number(value: Any) -> str:
    """A setting or a figure, formatted for reading."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and value >= 10_000:
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(c.replace('|', chr(92) + '|') for c in row)} |" for row in cells
    )


def wrap(text: str) -> str:
    """Markdown with paragraphs and list items wrapped at 100 characters."""

    def fill(item: str) -> str:
        indent = "  " * item.startswith("- ")
        return textwrap.fill(
            " ".join(item.split()),
            width=100,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )

    blocks = text.rstrip().split("\n\n")
    kept = ("|", "#", "<")  # tables, headings and HTML
    return (
        "\n\n".join(
            block if block.startswith(kept) else "\n".join(map(fill, re.split(r"\n(?=- )", block)))
            for block in blocks
        )
        + "\n"
    )


def main() -> None:
    """Write the card."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=SHIPPED, help="a model folder")
    parser.add_argument("--summary", type=Path, default=SUMMARY, help="summary.json of a benchmark")
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    options = parser.parse_args()
    text = render(options.model, options.summary)
    with atomic_path(options.output) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
