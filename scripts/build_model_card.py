"""Write docs/model-card.md from the shipped model and the committed benchmark.

    python scripts/build_model_card.py
    python scripts/build_model_card.py --model DIR -o card.md   # the card of another model

What can be counted is taken from the model's manifest and from the summary of the benchmark; what
can only be said is in ``scripts/model_card.md``. Figures are given only if the benchmark was run on
this very model: the hashes of its files decide. What a manifest does not tell is said to be not
recorded. A test fails when docs/model-card.md is not what this writes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
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
#: What the model is set against, if the benchmark has it: the method, and what the card calls it.
PEERS = {"popularity": "popularity"}

WHAT = {
    "ensemble": "the sum of {n} models' scores, standardized and weighted",
    "adaptive": "{n} kinds of evidence, each from a model of its own, which every set weighs anew "
    "by how well each tells the set's own genes, left out one part after another, from others",
}
SCORE = {
    "ensemble": "A score is that sum: the higher, the better the gene goes with the set. It has no "
    "unit, and is comparable within one list only.",
    "adaptive": "A score is the log-odds of being a member, were members as many as other genes. "
    "It is comparable within one list only.",
}
#: Why sets are not in a corpus, by the reasons of its manifest.
DROPPED = {
    "too_small": "with too few known genes (many papers name one gene or two)",
    "too_large": "too large to be about anything in particular",
    "duplicate": "the same genes as another set; one of them was kept",
    "no_known_gene": "without any gene of the vocabulary",
    "rare_genes": "too small once genes of very few sets are left out",
}
#: Licenses in the words of their sources, cut off as they are there: what they are called here.
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
    """The card of the model in `folder`, with the figures of the benchmark if they are its own."""
    model = load(folder)
    summary = json.loads(summary_file.read_text(encoding="utf-8"))
    manifest = model.manifest
    measured = is_of(summary, folder)
    parts = {
        "name": manifest.get("name", folder.name),
        "genes": f"{len(model.vocabulary):,}",
        "what": what(model),
        "facts": facts(model, folder),
        "score": SCORE.get(model.family, "A score is comparable within one list only."),
        "members": members(model),
        "corpus": corpus(manifest),
        "dropped": dropped(manifest),
        "licenses": licenses(manifest),
        "training": training(model),
        "metrics": metrics(summary) if measured else NOT_MEASURED,
        "weak": weak(summary) if measured else NOT_MEASURED,
        "calibration": calibration(manifest),
    }
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(parts)


NOT_MEASURED = (
    "The committed benchmark was run on another model, so that there are no figures of this one "
    "yet: `gsfm benchmark run benchmarks/shipped.toml` makes them."
)


def is_of(summary: Mapping[str, Any], folder: Path) -> bool:
    """Whether the benchmark read the very files of this model."""
    hashes = summary["about"]["data"]
    files = ("config.json", "vocab.txt", "model.safetensors")
    return all(
        hashes.get(f"{METHOD}/{file}") == hashlib.sha256((folder / file).read_bytes()).hexdigest()
        for file in files
    )


# -- the model -------------------------------------------------------------------------------------


def parts_of(model: Model) -> list[tuple[float | None, Model, Mapping[str, Any]]]:
    """The weight, the model and the manifest of each member; of a single model its own."""
    of = getattr(model, "members", None)
    if not of:
        return [(None, model, model.manifest)]
    told = [*model.manifest.get("members", ()), *({} for _ in of)]
    return list(zip(model.config.weights, of, told, strict=False))


def what(model: Model) -> str:
    """What kind of model it is, in a sentence."""
    n = len(parts_of(model))
    text = WHAT.get(model.family, model.description).format(n=n)
    doi = re.search(r"10\.\S+", model.paper)
    paper = f" ({model.paper[: doi.start()].rstrip(', doi:')}, doi:{doi[0]})" if doi else ""
    return f"A model of gene sets, of the family `{model.family}`: {text}{paper}."


def facts(model: Model, folder: Path) -> str:
    """The first things to know, as a table."""
    size = sum(file.stat().st_size for file in folder.iterdir())
    return table(
        ("", ""),
        [
            ("made with", f"gsfm {version(model.manifest)}"),
            ("genes", f"{len(model.vocabulary):,} human genes, approved symbols"),
            ("parameters", f"{model.n_parameters:,}"),
            ("size", f"{size / 1e6:.1f} MB"),
            ("needs", "a processor; neither torch nor a network"),
        ],
    )


def version(manifest: Mapping[str, Any]) -> str:
    told = [manifest, *manifest.get("members", ())]
    return next((one["gsfm_version"] for one in told if "gsfm_version" in one), UNKNOWN)


def members(model: Model) -> str:
    """The members with their weights and settings, as a table."""
    rows = []
    confidences = getattr(model.config, "confidences", None)
    for i, (weight, member, _) in enumerate(parts_of(model)):
        settings = dict(vars(member.config))
        # A member that comes in several kinds is called by its kind.
        kind = f", {settings.pop('of')}" if "of" in settings else ""
        listed = ", ".join(f"{key} {number(value)}" for key, value in settings.items())
        sure = () if confidences is None else (number(confidences[i]),)
        rows.append((f"{member.family}{kind}", number(weight), *sure, listed or "none"))
    if confidences is None:
        return table(("member", "weight", "settings"), rows)
    return table(("member", "assumed weight", "confidence", "settings"), rows) + (
        "\n\nEach assumed weight counts as much as so many genes of a set as its confidence "
        "says: a short list leaves it nearly as it is, and a long one finds its own."
    )


# -- what it learned from --------------------------------------------------------------------------


def corpus_of(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The corpus of the model, or else the largest that a member tells of."""
    told = [one["corpus"] for one in (manifest, *manifest.get("members", ())) if "corpus" in one]
    return max(told, key=n_sets, default={}) if "corpus" not in manifest else manifest["corpus"]


def n_sets(of: Mapping[str, Any]) -> int:
    """Gene sets of a corpus: a compiled one tells what was kept of them, a fit only the number."""
    sets = of.get("sets", 0)
    return int(sets.get("kept", 0) if isinstance(sets, Mapping) else sets)


def corpus(manifest: Mapping[str, Any]) -> str:
    """How large the corpus is, and how it was compiled."""
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
        rows.append(("papers of 2 genes or more", f"{of['papers']['sets']:,}"))
    if {"min", "max", "min_gene_sets"} <= set(settings):
        low, high = settings["min"] + 1, settings["max"] - 1
        rows += [
            ("size of a set", f"{low:,} to {high:,} genes"),
            ("a gene is in", f"{settings['min_gene_sets']:,} sets or more"),
        ]
    return table(("", ""), rows)


def dropped(manifest: Mapping[str, Any]) -> str:
    """Why sets were left out, and how many."""
    sets = corpus_of(manifest).get("sets")
    if not isinstance(sets, Mapping):
        return f"(How many were left out is {UNKNOWN}.)"
    counts = sorted(sets["dropped"].items(), key=lambda item: -item[1])
    rows = [(DROPPED.get(reason, reason), f"{n:,}") for reason, n in counts if n]
    return table(("sets left out", "of " + format(sets["read"], ",")), rows)


def licenses(manifest: Mapping[str, Any]) -> str:
    """The libraries, counted by the license that their sources state."""
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
        "Licenses are those of the repositories or packages that a library was taken from, as "
        "these state them; the makers of a library may ask for something "
        f"else.\n\n{table(('license', 'libraries'), rows)}\n\n<details>\n<summary>The "
        f"{len(inputs)} libraries</summary>\n\n{by_name}\n\n</details>"
    )


def license(text: str | None) -> str:
    """What a license is called, whichever words its source has for it."""
    for pattern, name in LICENSES:
        if re.search(pattern, text or ""):
            return name
    return "none stated"


# -- how it was trained ----------------------------------------------------------------------------


def training(model: Model) -> str:
    """What fitting each member took, and the seed."""
    rows = []
    for _, member, told in parts_of(model):
        kind = getattr(member.config, "of", "")
        cost = told.get("training", {})
        seconds, memory = cost.get("seconds"), cost.get("peak_memory_bytes")
        rows.append(
            (
                f"{member.family}{', ' * bool(kind)}{kind}",
                UNKNOWN if seconds is None else f"{seconds:,.0f} s",
                UNKNOWN if memory is None else f"{memory / 1e9:.1f} GB",
                number(cost.get("recall_at_50")),
                number(told.get("seed")),
                told.get("gsfm_version", UNKNOWN),
            )
        )
    text = table(("fitted", "time", "peak memory", "recall@50", "seed", "gsfm"), rows)
    costs = [told.get("training", {}) for _, _, told in parts_of(model)]
    known = [cost["seconds"] for cost in costs if "seconds" in cost]
    whole = model.manifest.get("training", {})
    if "seconds" in whole:
        text += f"\n\nAll of it took {whole['seconds'] / 60:,.0f} minutes."
    elif known:
        text += f"\n\nThe times that are known add up to {sum(known) / 60:,.0f} minutes."
    own = {**whole, **model.manifest.get("metrics", {})}
    if "recall_at_50" in own:
        text += (
            f" Of {own['held_out_sets']:,} sets that were kept from all of them, the whole model "
            f"finds {own['recall_at_50']:.1%} of the hidden genes of a set among its 50 best, on "
            "average (recall@50, over the most that there could be)."
        )
    return text


# -- figures ---------------------------------------------------------------------------------------


def metrics(summary: Mapping[str, Any]) -> str:
    """The results of the half splits, and of the other tasks."""
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
        "Half of each term was shown, and the other half was to be found among all other genes "
        "of the background: the genes of the library that all methods of the run know. Median "
        "AUROC, median AUROC against equally popular genes (matched; popularity itself gets "
        "0.5), and mean average precision over terms, with 95% bootstrap intervals; beside "
        "them AUROC / average precision of peers that learned from the same corpus. What these "
        "mean is in [benchmark.md](benchmark.md).",
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
            "With only a few genes shown, median AUROC on the terms that are large enough for "
            "every number:",
            table(
                ("library", "terms", *(f"{k} shown" for k in ks)),
                [(name, str(n), *(found.get(k, "–") for k in ks)) for name, n, found in few],
            ),
        ]
    for task in of_protocol(summary, "context-switch"):
        text.append(
            f"{task['task']}: which of two unrelated terms does a gene belong to, by the company "
            f"of {task['about']['company']} genes of the one? Median AUROC "
            f"{figure(task['task'], 'auroc')} over {task['terms']:,} pairs of terms; company "
            "that is taken no account of gets 0.5."
        )
    return "\n\n".join(text)


def weak(summary: Mapping[str, Any]) -> str:
    """The half splits by parts in which the model does differently well."""
    parts = (
        ("popularity", "1", "fewest sets"),
        ("popularity", "10", "most sets"),
        ("papers", "understudied", "understudied"),
        ("papers", "others", "other genes"),
        ("leaked", "leaked", "told before"),
        ("leaked", "not leaked", "not told"),
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
        "Median AUROC again, over hidden genes: those in the tenth of the background with the "
        "fewest and with the most training sets, those in the fifth with the fewest papers, and "
        "all others; and over terms: those that a training set holds most of, and the rest.\n\n"
        + table(("library", *(name for _, _, name in parts)), rows)
    )


def of_protocol(summary: Mapping[str, Any], protocol: str) -> list[Mapping[str, Any]]:
    """The tasks of a protocol that asked something."""
    return [t for t in summary["tasks"] if t["protocol"] == protocol and t["terms"]]


def strata(summary: Mapping[str, Any], task: str, by: str) -> dict[str, Mapping[str, Any]]:
    """The model's AUROC in each part of a task."""
    return {
        row["stratum"]: row
        for row in summary["strata"]
        if (row["task"], row["method"], row["by"], row["metric"]) == (task, METHOD, by, "auroc")
    }


def calibration(manifest: Mapping[str, Any]) -> str:
    """What its probabilities mean and how far off they are; nothing if it gives none."""
    told = manifest.get("calibration")
    if not told:
        return ""
    meaning = f"A probability is {told['meaning']}.\n\n" if "meaning" in told else ""
    rest = flat({key: value for key, value in told.items() if key != "meaning"})
    rows = [(key.replace("_", " "), number(value)) for key, value in rest]
    return f"\n## Probabilities\n\n{meaning}{table(('calibrated on', ''), rows)}\n"


# -- text ------------------------------------------------------------------------------------------


def flat(value: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """The entries of nested tables; lists, which are curves, are left to the manifest."""
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from flat(item, f"{prefix}{key}, ")
        elif not isinstance(item, list | tuple):
            yield f"{prefix}{key}", item


def number(value: Any) -> str:
    """A setting or a figure as people write it."""
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
