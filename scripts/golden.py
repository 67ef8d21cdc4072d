"""Record the output of every command, and compare two recordings.

A change of names or a faster implementation must not change a number.

    python scripts/golden.py record before/        # in the old checkout
    python scripts/golden.py record after/         # in the new one
    python scripts/golden.py compare before/ after/ --names names.toml

Each command of COMMANDS is run with ``--json`` by the interpreter that runs this script. `compare`
requires all values to be equal to the last digit, after it renames the keys, columns and values of
the first recording by the table of names. Texts for people (PROSE) are not compared.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

GENES = "BRCA1 p53 672 Atm 2-Sep CHK2 nonsense RAD51 PALB2"
ROOT = Path(__file__).parents[1]

#: Name of a recording, and the command. {NAME} is a file of FILES or what an earlier one wrote.
COMMANDS = {
    "complete": f"complete {GENES} --top 30",
    "complete-input": "complete IFIT1 ISG15 MX1 OAS1 IFI44L --top 30 --include-input"
    " --missing-fraction 0.2",
    "complete-background": "complete INS GCK PDX1 --background {background} --exclude IAPP",
    "complete-library": "complete --library {gmt} --top 5",
    "annotate-gene": "annotate IFI44L --no-cache",
    "annotate-new": "annotate C1orf112 --new --library go-bp --no-cache",
    "annotate-fast": "annotate TP53 --fast --annotated --no-cache",
    "annotate-set": "annotate IFIT1 ISG15 MX1 OAS1 IFI44L",
    "term": "term GO:0006281 --top 40",
    "term-new": 'term "homologous recombination" --library go-bp --new --top 20',
    "explain": "explain PALB2 BRCA1 BRCA2 RAD51 TP53 IFIT1",
    "relate": "relate GSK3B",
    "relate-context": "relate GSK3B --context CTNNB1,APC,AXIN1,DVL1",
    "relate-term": 'relate GSK3B {context-term} GO:0016055',
    "relate-pair": "relate BRCA1 PALB2 --library go-bp",
    "network": "network BRCA1 BRCA2 RAD51 PALB2 IFIT1 ISG15 MX1 --add 5",
    "nearest": "nearest BRCA1 BRCA2 RAD51 PALB2",
    "nearest-model": "nearest BRCA1 BRCA2 RAD51 PALB2 --among reactome --by model",
    "embed-genes": "embed genes TP53 BRCA1 --dimensions 32",
    "embed-sets": "embed sets {gmt}",
    "map": "map {gmt} --seed 1",
    "prioritize": "prioritize BRIP1 TTN CFTR MUC16 FANCD2 chr17:43000000-43200000"
    " --term GO:0006281 --seeds BRCA1",
    "biomarkers": "discover biomarkers GO:0006954 --top 20",
    "targets": "discover targets EGFR ERBB2 GRB2 SHC1 --new --top 20",
    "understudied": "discover understudied --max-papers 5 --top 10 --no-cache",
    "enrich-model": "enrich IFIT1 ISG15 MX1 OAS1 IFI44L --method model --library go-bp",
    "enrich-ora": "enrich IFIT1 ISG15 MX1 OAS1 IFI44L --method ora",
    "enrich-ranked": "enrich --ranked {ranked} --library reactome --top-genes 10",
    "enrich-prerank": "enrich --ranked {ranked} --method prerank --library reactome"
    " --permutations 50 --min-size 2",
    "resolve": f"genes resolve {GENES} ENSG00000141510 NM_000546 P04637 Trp53 1-Mar MARCH1",
    "show": "genes show TP53",
    "sets-describe": "sets describe {gmt}",
    "sets-overlap": "sets overlap {gmt} {gmt}",
    "sets-dedup": "sets dedup {gmt}",
    "sets-similar": "sets similar {gmt} --threshold 0.3",
    "library-list": "library list",
    "library-show": "library show reactome R-HSA-5693532",
    "corpus-describe": "corpus describe default",
    "models-list": "models list",
    "models-describe": "models describe",
    "train-autoencoder": "train -o {folder}/autoencoder --corpus {gmt} --held-out 0 --threads 1"
    " --set epochs=30 --set dimensions=16 --set hidden=16 --set batch_size=8 --precision fp32",
    "complete-trained": "complete TP53 MDM2 ATM --model {folder}/autoencoder --top 20",
    "train-linear": "train -o {folder}/linear --corpus {gmt} --model linear --held-out 0",
    "complete-linear": "complete TP53 MDM2 ATM --model {folder}/linear --top 20",
}  # fmt: skip
#: Commands without --json.
PLAIN = ("train-autoencoder", "train-linear")
#: Keys whose text is for people, or that may differ from one run to the next.
PROSE = {
    *("columns", "meaning", "note", "gsfm_version", "probability_meaning", "description", "told"),
    *("seconds", "peak_memory_bytes", "manifest_sha256", "hash", "path", "version"),
}
RANKED = (
    "IFIT1 ISG15 MX1 OAS1 IFI44L STAT1 IRF7 IFIT3 IFI6 IFIT2 TTN ALB INS GCK EGFR GRB2 BRCA1 RAD51 "
    "CDK1 CCNB1 PLK1"
)
FILES = {
    "gmt": "".join(
        f"{name}\tof the test\t" + "\t".join(genes.split()) + "\n"
        for name, genes in {
            "repair": "BRCA1 BRCA2 RAD51 PALB2 ATM ATR CHEK2 TP53 NBN MRE11",
            "arrest": "TP53 MDM2 CDKN1A BAX GADD45A ATM CHEK1 CHEK2 RB1",
            "interferon": "IFIT1 ISG15 MX1 OAS1 IFI44L STAT1 IRF7 IFIT3",
            "interferon again": "IFIT1 ISG15 MX1 OAS1 IFI44L STAT1 IRF7 IFIT3",
            "interferon, more": "IFIT1 ISG15 MX1 OAS1 IFI44L STAT1 IRF7 IFIT2 IFI6",
            "growth": "EGFR ERBB2 GRB2 SHC1 SOS1 KRAS RAF1 MAP2K1 MAPK1",
            "islet": "INS GCK PDX1 IAPP SLC2A2 NKX6-1 MAFA",
            "liver": "ALB APOA1 HP HNF4A APOB TF SERPINA1",
            "not genes": "nonsense nothing",
        }.items()
    ),
    "background": "INS\nGCK\nPDX1\nIAPP\nMAFA\nALB\nTTN\nGCG\nSST\nTP53\nRHO\nABCC8\n",
    "ranked": "".join(
        f"{gene}\t{10 - i + 0.25 * (i % 3)}\n" for i, gene in enumerate(RANKED.split())
    ),
}
#: Words of the command line that have changed.
WORDS = {"context-term": "--context"}


def record(folder: Path, only: str) -> None:
    """Run every command whose name starts with `only` and keep its JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        paths = {"folder": scratch, **WORDS}
        for name, text in FILES.items():
            suffix = {"gmt": ".gmt", "ranked": ".rnk"}.get(name, ".txt")
            path = Path(scratch, f"input-{name}{suffix}")
            path.write_text(text, encoding="utf-8")
            paths[name] = str(path)
        for name, command in COMMANDS.items():
            if not name.startswith(tuple(only.split(","))):
                continue
            words = [word.format(**paths) for word in shlex.split(command)]
            words += [] if name in PLAIN else ["--json"]
            done = subprocess.run(
                [sys.executable, "-m", "gsfm", *words], capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise SystemExit(f"{name}: {' '.join(words)}\n{done.stderr}")
            text = done.stdout.replace(scratch, "SCRATCH")
            (folder / f"{name}.json").write_text(text or "{}\n", encoding="utf-8")
            print(name, flush=True)


def compare(old: Path, new: Path, names: dict[str, Any]) -> int:
    """Print where the recordings differ; return in how many places."""
    differences = []
    exceptions = names.get("except", {})
    for name in COMMANDS:
        if not (new / f"{name}.json").exists():
            print(f"{name} was not recorded")
            continue
        own = {k: v for k, v in names.get("keys", {}).items() if name not in exceptions.get(k, ())}
        mine = {**names, "keys": own}
        before = renamed(json.loads((old / f"{name}.json").read_text()), mine)
        after = json.loads((new / f"{name}.json").read_text())
        differences += [f"{name}: {where}" for where in different(before, after, "")]
    print("\n".join(differences[:200]))
    print(f"{len(COMMANDS)} answers compared, {len(differences)} differences")
    return len(differences)


def renamed(value: Any, names: dict[str, Any]) -> Any:
    """`value` with the new names of keys, and of texts that are one of the names."""
    if isinstance(value, dict):
        keys = names.get("keys", {})
        return {keys.get(k, k): renamed(v, names) for k, v in value.items() if k not in PROSE}
    if isinstance(value, list):
        return [renamed(item, names) for item in value]
    return names.get("values", {}).get(value, value) if isinstance(value, str) else value


def different(a: Any, b: Any, where: str) -> list[str]:
    """The places where two values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        b = {k: v for k, v in b.items() if k not in PROSE}
        out = [f"{where}.{k} is only in one of them" for k in sorted(set(a) ^ set(b))]
        for k in a.keys() & b.keys():
            out += different(a[k], b[k], f"{where}.{k}")
        return out
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return [f"{where} has {len(a)} and {len(b)} entries"]
        return [
            one
            for i, (x, y) in enumerate(zip(a, b, strict=True))
            for one in different(x, y, f"{where}[{i}]")
        ]
    return [] if a == b else [f"{where}: {a!r} and {b!r}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("task", choices=["record", "compare"])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--names", type=Path, help="TOML with the tables keys and values")
    parser.add_argument("--only", default="", help="beginnings of names, separated by commas")
    options = parser.parse_args()
    if options.task == "record":
        record(options.folders[0], options.only)
    else:
        names = tomllib.loads(options.names.read_text()) if options.names else {}
        before, after = options.folders
        raise SystemExit(compare(before, after, names) > 0)


if __name__ == "__main__":
    main()
