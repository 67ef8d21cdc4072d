from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import os
from pathlib import Path
from typing import Any

import pytest

from gsfm import FormatError, Vocabulary
from gsfm.benchmark import config as config_module
from gsfm.benchmark.config import (
    FILES,
    Benchmark,
    Corpus,
    Embedded,
    FromLibrary,
    Leakage,
    Saved,
    Snapshot,
    Summed,
    Task,
    Trained,
    content_hash,
    folder_name,
    read_config,
)
from gsfm.models import Popularity
from gsfm.sets import GeneSets

WHOLE = """
name = "A benchmark"
seed = 3
background = "genome"

[corpus]
file = "corpus.gsets"
until = 2018
exclude = ["papers", "GEO*"]
held_out = 100

[leakage]
share = 0.75
retrain = ["linear"]

[[task]]
protocol = "half-split"
library = "terms/GO_2023.gmt.gz"
splits = 2
terms = 300

[[task]]
name = "few genes"
protocol = "hold-out"
library = "terms/GO_2023.gmt.gz"
shown = [3, 5]

[[task]]
protocol = "time-split"
folder = "terms"
library = "GO"
from = 2018
to = 2023

[[task]]
protocol = "never-seen"
older = "terms/GO_2018.gmt.gz"
newer = "terms/GO_2023.gmt.gz"

[[task]]
protocol = "new-relations"
sets = "default"
after = 2018

[[task]]
protocol = "context-switch"
library = "terms/KEGG_2021_Human.gmt"
context_genes = 3

[[method]]
name = "popularity"
train = "popularity"

[[method]]
name = "linear"
train = "linear"
settings = { regularization = 20 }
weights = { papers = 3 }

[[method]]
name = "autoencoder"
train = "autoencoder"
max_seconds = 1100

[[method]]
name = "autoencoder at its best"
snapshot_of = "autoencoder"

[[method]]
name = "autoencoder, early"
snapshot_of = "autoencoder"
at = 20

[[method]]
name = "shipped"
model = "shipped"

[[method]]
name = "theirs"
model = "models/theirs"

[[method]]
name = "sum"
sum = { linear = 1.0, autoencoder = 0.2, theirs = 1 }

[[method]]
name = "count"
library = "popularity"
settings = { pseudocount = 2.0 }

[[method]]
name = "with the library"
sum = { linear = 1.0, count = -0.3 }
prior_precision = { linear = 10, count = 100.0 }

[[method]]
name = "vectors"
embedding = "vectors.csv"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all files that WHOLE names; nobody looks into them yet."""
    (tmp_path / "terms").mkdir()
    files = ("GO_2018.gmt.gz", "GO_2023.gmt.gz", "KEGG_2021_Human.gmt")
    for name in (*(f"terms/{file}" for file in files), "corpus.gsets", "vectors.csv"):
        (tmp_path / name).touch()
    sets = GeneSets.from_ids(Vocabulary(["TP53", "MDM2"]), [[0, 1]])
    Popularity().fit(sets).save(tmp_path / "models" / "theirs")
    return tmp_path


def read(folder: Path, text: str, **options: Any) -> Benchmark:
    (folder / "bench.toml").write_text(text, encoding="utf-8")
    return read_config(folder / "bench.toml", **options)


def test_a_whole_configuration(folder: Path) -> None:
    go = {"library": "terms/GO_2023.gmt.gz"}
    both = {"older": "terms/GO_2018.gmt.gz", "newer": "terms/GO_2023.gmt.gz"}
    kegg = {"library": "terms/KEGG_2021_Human.gmt"}
    expected = Benchmark(
        name="A benchmark",
        seed=3,
        background="genome",
        corpus=Corpus("corpus.gsets", until=2018, exclude=("papers", "GEO*"), held_out=100),
        leakage=Leakage(0.75, ("linear",)),
        tasks=(
            Task("half-split", go, {"splits": 2, "terms": 300}, "GO 2023, half split"),
            Task("hold-out", go, {"shown": (3, 5)}, "few genes"),
            Task("time-split", both, name="GO 2018 to 2023, time split"),
            Task("never-seen", both, name="GO 2018 to 2023, never seen"),
            Task(
                "new-relations",
                {"sets": "default"},
                {"after": 2018},
                "publications, new relations after 2018",
            ),
            Task("context-switch", kegg, {"context_genes": 3}, "KEGG 2021 Human, context switch"),
        ),
        methods=(
            Trained("popularity", "popularity"),
            Trained("linear", "linear", {"regularization": 20.0}, {"papers": 3.0}),
            Trained("autoencoder", "autoencoder", max_seconds=1100.0),
            Snapshot("autoencoder at its best", "autoencoder"),
            Snapshot("autoencoder, early", "autoencoder", 20),
            Saved("shipped", "shipped"),
            Saved("theirs", "models/theirs"),
            Summed("sum", {"linear": 1.0, "autoencoder": 0.2, "theirs": 1.0}),
            FromLibrary("count", "popularity", {"pseudocount": 2.0}),
            Summed(
                "with the library",
                {"linear": 1.0, "count": -0.3},
                {"linear": 10.0, "count": 100.0},
            ),
            Embedded("vectors", "vectors.csv"),
        ),
    )

    found = read(folder, WHOLE)

    assert found == expected
    assert found.data == folder
    assert found.path("a/b") == folder / "a" / "b"
    assert [method.kind for method in found.methods] == [
        "popularity, trained on this run's corpus",
        "linear, trained on this run's corpus",
        "autoencoder, trained on this run's corpus for 1100 s",
        "autoencoder when its recall@50 on held-out sets was best",
        "autoencoder at evaluation 20 of 50",
        "the shipped model",
        "a saved model",
        "sum of 1 linear + 0.2 autoencoder + 1 theirs",
        "popularity, fitted on the library's older release",
        "sum of 1 linear + -0.3 count, weighed by each set (10, 100)",
        "gene vectors, mean cosine",
    ]


def test_the_defaults(folder: Path) -> None:
    found = read(folder, minimal())
    assert (found.name, found.seed, found.background) == ("benchmark", 0, "library")
    assert (found.corpus, found.leakage) == (Corpus("default"), None)
    assert (found.corpus.until, found.corpus.exclude) == (None, ())


def minimal(
    task: str = 'protocol = "half-split"\nlibrary = "terms/GO_2023.gmt.gz"',
    method: str = 'name = "ours"\nmodel = "shipped"',
    top: str = "",
) -> str:
    return f"{top}\n[[task]]\n{task}\n[[method]]\n{method}\n"


# -- what comes back -------------------------------------------------------------------------------


def test_the_dictionary_is_the_configuration_again(folder: Path) -> None:
    benchmark = read(folder, WHOLE)
    tables = benchmark.to_dict()
    assert json.loads(json.dumps(tables)) == tables
    assert tables["leakage"] == {"share": 0.75, "retrain": ["linear"]}
    assert tables["task"][2] == {
        "name": "GO 2018 to 2023, time split",
        "protocol": "time-split",
        "older": "terms/GO_2018.gmt.gz",
        "newer": "terms/GO_2023.gmt.gz",
    }
    assert Benchmark.from_dict(tables, data=folder) == benchmark


def test_no_path_of_the_machine_is_in_the_dictionary(folder: Path) -> None:
    where = folder.as_posix()
    text = WHOLE.replace('"terms/', f'"{where}/terms/').replace('"models/', f'"{where}/models/')
    text = text.replace('"vectors.csv"', f'"{where}/vectors.csv"')
    text = text.replace('folder = "terms"', f'folder = "{where}/terms"')
    (folder / "elsewhere").mkdir()
    found = read(folder, text, data=folder / "elsewhere", corpus=folder / "corpus.gsets")
    text = json.dumps(found.to_dict())
    assert folder.name not in text
    assert '"library": "GO_2023.gmt.gz"' in text
    assert found.path(found.tasks[0].files["library"]).exists()


def test_the_hash_is_of_the_content(folder: Path) -> None:
    first = read(folder, WHOLE)
    again = WHOLE.replace("seed = 3", "# a comment").replace(
        'name = "A benchmark"', 'seed = 3\nname = "A benchmark"'
    )
    assert read(folder, again).hash == first.hash
    elsewhere = Benchmark.from_dict(first.to_dict(), data="/nowhere")
    assert elsewhere.hash == first.hash
    for old, new in (
        ("seed = 3", "seed = 4"),
        ("splits = 2", "splits = 3"),
        ("regularization = 20", "regularization = 21"),
        ("shown = [3, 5]", "shown = [5, 3]"),
        ("until = 2018", "until = 2017"),
    ):
        assert read(folder, WHOLE.replace(old, new)).hash != first.hash


def test_the_hash_of_a_value_is_stable() -> None:
    canonical = b'{"a":[1,2.5],"b":"x"}'
    assert content_hash({"b": "x", "a": (1, 2.5)}) == hashlib.sha256(canonical).hexdigest()
    with pytest.raises(ValueError, match="JSON"):
        content_hash(float("nan"))


def test_paths_start_at_data_and_the_corpus_can_be_another(folder: Path) -> None:
    config = folder / "elsewhere" / "bench.toml"
    config.parent.mkdir()
    config.write_text(minimal(top='[corpus]\nfile = "none.gsets"\nuntil = 2018'))
    with pytest.raises(FormatError, match=r"\[corpus\]: file: .*none.gsets: no such file"):
        read_config(config, data=folder)
    found = read_config(config, data=folder, corpus="default")
    assert found.corpus == Corpus("default", until=2018)
    assert found.data == folder

    # Unlike the paths in the file, one that is given starts where one is.
    here = Path.cwd()
    os.chdir(folder)
    try:
        found = read_config(config, data=folder / "terms" / "..", corpus="corpus.gsets")
    finally:
        os.chdir(here)
    assert found.path(found.corpus.file).resolve() == (folder / "corpus.gsets").resolve()


def test_a_byte_order_mark_does_no_harm(folder: Path) -> None:
    assert read(folder, "\ufeff" + minimal()).tasks[0].name == "GO 2023, half split"


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("older", "newer", "title"),
    [
        ("GO_BP_2018.gmt.gz", "GO_BP_2025.gmt", "GO BP 2018 to 2025, time split"),
        ("a/KEGG_2016.gmt", "b/KEGG_2021_Human.gmt", "KEGG 2016 to 2021 Human, time split"),
        ("old.gmt", "new.gmt", "old to new, time split"),
        ("GO.gmt", "GO.json", "GO to GO, time split"),
    ],
)
def test_names_made_of_two_releases(older: str, newer: str, title: str) -> None:
    assert Task("time-split", {"older": older, "newer": newer}).title == title


def test_noise_is_in_the_name() -> None:
    library = {"library": "KEGG.gmt"}
    names = [Task("half-split", library, {"noise": noise}).title for noise in (0, 0.2, 0.05)]
    assert names == [
        "KEGG, half split",
        "KEGG, half split, noise 0.2",
        "KEGG, half split, noise 0.05",
    ]


def test_names_that_are_made_are_distinct() -> None:
    library = {"library": "KEGG.gmt"}
    tasks = [
        Task("half-split", library),
        Task("half-split", library, {"splits": 2}),
        Task("half-split", library, name="KEGG, half split (2)"),
        Task("half-split", {"library": "kegg.gmt"}),
    ]
    names = [task.name for task in Benchmark(tasks, [Saved("a", "shipped")]).tasks]
    assert names == [
        "KEGG, half split",
        "KEGG, half split (3)",
        "KEGG, half split (2)",
        "kegg, half split (4)",
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "a"), r"\[\[method\]\] 2 \('a'\): name: \[\[method\]\] 1 \('a'\) has it too"),
        (("A: b", "a/ b"), r"\[\[method\]\] 2 \('a/ b'\): name: .* too much like it"),
        (("", "b"), r"\[\[method\]\] 1: name must be a text with letters"),
        (("...", "b"), "name must be a text with letters"),
        (("a\nb", "b"), "name must be a text with letters"),
    ],
)
def test_names_that_would_be_one_folder(names: tuple[str, str], message: str) -> None:
    task = Task("half-split", {"library": "KEGG.gmt"})
    with pytest.raises(ValueError, match=message):
        Benchmark([task], [Saved(name, "shipped") for name in names])


def test_names_that_a_run_makes_itself() -> None:
    task = Task("half-split", {"library": "KEGG.gmt"})
    with pytest.raises(ValueError, match="name: 'a, without leaks' is the name that a run gives"):
        Benchmark([task], [Saved("a, without leaks", "shipped")])


def test_folder_names() -> None:
    assert folder_name("GO BP 2018 -> 2025") == "GO BP 2018 -- 2025"
    assert folder_name("../../etc/passwd") == "-..-etc-passwd"
    assert folder_name(" co-occurrence (cosine), Böhm ") == "co-occurrence (cosine), Böhm"


# -- what is wrong ---------------------------------------------------------------------------------

HALF = 'protocol = "half-split"\nlibrary = "terms/GO_2023.gmt.gz"\n'
OURS = 'name = "ours"\n'
TWO = OURS + 'model = "shipped"\n[[method]]\nname = "two"\n'
HELD_OUT = "[corpus]\nheld_out = 9\n"
NET = 'name = "net"\ntrain = "published"\n'
RELEASES = 'protocol = "time-split"\nfolder = "terms"\nlibrary = "GO"\n'

WRONG = {
    # keys
    "top": (minimal(top="sede = 3"), "there is no key 'sede'; did you mean 'seed'?"),
    "top, unlike": (minimal(top="qqq = 3"), "there is no key 'qqq'; there are background, corpus,"),
    "corpus": (
        minimal(top='[corpus]\nfiles = "a"'),
        "[corpus]: there is no key 'files'; did you mean 'file'?",
    ),
    "leakage": (
        minimal(top="[leakage]\nshares = 1"),
        "[leakage]: there is no key 'shares'; did you mean 'share'?",
    ),
    "task": (
        minimal(HALF + "split = 3"),
        "[[task]] 1: there is no key 'split'; did you mean 'splits'?",
    ),
    "named task": (
        minimal('name = "GO"\n' + HALF + "split = 3"),
        "[[task]] 1 ('GO'): there is no key 'split'",
    ),
    "another's option": (
        minimal(HALF + "shown = [3]"),
        "there is no key 'shown' here; it belongs to hold-out",
    ),
    "another's file": (
        minimal(HALF + 'older = "a"'),
        "no key 'older' here; it belongs to time-split, never-seen",
    ),
    "method": (
        minimal(method=OURS + 'train = "linear"\nsetting = {}'),
        "[[method]] 1 ('ours'): there is no key 'setting'; did you mean 'settings'?",
    ),
    "method of no kind": (
        minimal(method=OURS + 'trian = "linear"'),
        "there is no key 'trian'; did you mean 'train'?",
    ),
    "one bracket": (
        minimal().replace("[[task]]", "[task]"),
        "write [[task]], in two brackets, above the keys of each task",
    ),
    "list": (
        minimal().replace("[[task]]", "task = [1]\n[[method]]"),
        "write [[task]], in two brackets",
    ),
    "corpus is no table": (
        minimal(top='corpus = "a.gsets"'),
        "[corpus]: must be a table, not 'a.gsets'",
    ),
    # missing keys
    "no task": (
        '[[method]]\nname = "a"\nmodel = "shipped"',
        "there is no task; a benchmark needs one or more [[task]]",
    ),
    "no method": (
        f"[[task]]\n{HALF}",
        "there is no method; a benchmark needs one or more [[method]]",
    ),
    "no protocol": (
        minimal('library = "a"'),
        "[[task]] 1: the key 'protocol' is missing; there are half-split, ",
    ),
    "no library": (minimal('protocol = "half-split"'), "the key 'library' is missing"),
    "protocol, a number": (minimal("protocol = 3"), "must be a text, not 3"),
    "protocol, a list": (minimal("protocol = []"), "must be a text, not []"),
    "no newer": (minimal('protocol = "time-split"\nolder = "a"'), "the key 'newer' is missing"),
    "no after": (
        minimal('protocol = "new-relations"\nsets = "default"'),
        "the key 'after' is missing",
    ),
    "no to": (
        minimal(RELEASES + "from = 2018"),
        "folder, library, from, to: the key 'to' is missing",
    ),
    "no name": (minimal(method='model = "shipped"'), "[[method]] 1: the key 'name' is missing"),
    "no kind": (
        minimal(method=OURS),
        "one of the keys 'train', 'sum', 'snapshot_of', 'model', 'library', 'embedding' must say",
    ),
    # values of the wrong type
    "seed": (minimal(top='seed = "0"'), 'seed must be a whole number, not "0"'),
    "seed, true": (minimal(top="seed = true"), "seed must be a whole number, not true"),
    "splits": (
        minimal(HALF + "splits = 2.5"),
        "[[task]] 1: splits must be a whole number, not 2.5",
    ),
    "terms": (minimal(HALF + 'terms = "all"'), 'terms must be a whole number, not "all"'),
    "shown": (
        minimal('protocol = "hold-out"\nlibrary = "a"\nshown = 3'),
        "shown must be a list, not 3",
    ),
    "exclude": (
        minimal(top='[corpus]\nexclude = "GEO"'),
        '[corpus]: exclude must be a list, not "GEO"',
    ),
    "until": (
        minimal(top="[corpus]\nuntil = 2018-01-01"),
        '[corpus]: until must be a whole number, not "2018-01-01"',
    ),
    "share": (
        minimal(top='[leakage]\nshare = "80%"'),
        '[leakage]: share must be a number, not "80%"',
    ),
    "share, no number": (
        minimal(top="[leakage]\nshare = nan"),
        "[leakage]: share must be a number > 0.0, not NaN",
    ),
    "terms, no whole number": (
        minimal(HALF + "terms = nan"),
        "[[task]] 1: terms must be a whole number, not NaN",
    ),
    "terms, more than 64 bits": (
        minimal(HALF + f"terms = 1{'0' * 400}"),
        "[[task]] 1: terms must be a number of up to 18 digits",
    ),
    "a number inside": (
        minimal(method=OURS + 'train = "linear"\nweights = { a = inf }'),
        "[[method]] 1 ('ours'): weights.a must be a finite number, not inf",
    ),
    "sum": (
        minimal(method=TWO + 'sum = ["ours"]'),
        "[[method]] 2 ('two'): sum must be a table, not [\"ours\"]",
    ),
    "weights": (
        minimal(method=OURS + 'train = "linear"\nweights = { a = "b" }'),
        'each of weights must be a number, not {"a": "b"}',
    ),
    "settings": (
        minimal(method=OURS + 'train = "linear"\nsettings = 3'),
        "settings must be a table, not 3",
    ),
    "name": (
        minimal(method='name = 3\nmodel = "shipped"'),
        "[[method]] 1: name must be a text, not 3",
    ),
    "background, number": (
        minimal(top="background = 3"),
        'background must be "library" or "genome", not 3',
    ),
    "from": (
        minimal(RELEASES + "from = 2018.5\nto = 2023"),
        "from must be a whole number or a text, not 2018.5",
    ),
    # values out of range
    "background": (
        minimal(top='background = "all"'),
        'background must be "library" or "genome", not "all"',
    ),
    "negative seed": (minimal(top="seed = -1"), "seed must be a whole number >= 0, not -1"),
    "negative share": (
        minimal(top="[leakage]\nshare = -0.5"),
        "[leakage]: share must be a number > 0.0, not -0.5",
    ),
    "large share": (
        minimal(top="[leakage]\nshare = 80"),
        "[leakage]: share must be a number <= 1.0, not 80",
    ),
    "no splits": (
        minimal(HALF + "splits = 0"),
        "[[task]] 1: splits must be a whole number >= 1, not 0",
    ),
    "noise": (
        minimal(HALF + "noise = 1"),
        "[[task]] 1: noise must be a number < 1.0, not 1",
    ),
    "negative noise": (
        minimal(HALF + "noise = -0.1"),
        "noise must be a number >= 0.0, not -0.1",
    ),
    "noise in words": (minimal(HALF + 'noise = "20%"'), 'noise must be a number, not "20%"'),
    "noise of hold-out": (
        minimal('protocol = "hold-out"\nlibrary = "a"\nnoise = 0.2'),
        "there is no key 'noise' here; it belongs to half-split",
    ),
    "shown nothing": (
        minimal('protocol = "hold-out"\nlibrary = "a"\nshown = [0]'),
        "each of shown must be a whole number >= 1, not [0]",
    ),
    "shown, empty": (
        minimal('protocol = "hold-out"\nlibrary = "a"\nshown = []'),
        "shown must be a list of length >= 1, not []",
    ),
    "shown twice": (
        minimal('protocol = "hold-out"\nlibrary = "a"\nshown = [3, 3]'),
        "shown has an entry twice: [3, 3]",
    ),
    "empty path": (
        minimal(HALF.replace("terms/GO_2023.gmt.gz", "")),
        'library must be a text of length >= 1, not ""',
    ),
    "empty corpus": (
        minimal(top='[corpus]\nfile = ""'),
        '[corpus]: file must be a text of length >= 1, not ""',
    ),
    "negative weight": (
        minimal(method=OURS + 'train = "linear"\nweights = { a = -1 }'),
        'each of weights must be a number >= 0.0, not {"a": -1}',
    ),
    "no seconds": (
        minimal(method=OURS + 'train = "autoencoder"\nmax_seconds = 0'),
        "max_seconds must be a number > 0.0, not 0",
    ),
    "seconds of linear": (
        minimal(method=OURS + 'train = "linear"\nmax_seconds = 9'),
        "max_seconds: linear is fitted in one go; adaptive, autoencoder, ",
    ),
    "years": (
        minimal(RELEASES + "from = 2023\nto = 2018"),
        "'from' (2023) must be before 'to' (2018)",
    ),
    "same file": (
        minimal('protocol = "time-split"\nolder = "a"\nnewer = "a"'),
        "older and newer are the same file",
    ),
    # what is not there
    "protocol": (
        minimal('protocol = "half_split"'),
        "[[task]] 1: there is no protocol 'half_split'; did you mean 'half-split'?",
    ),
    "family": (
        minimal(method=OURS + 'train = "liner"'),
        "[[method]] 1 ('ours'): train: there is no family 'liner'; did you mean 'linear'?",
    ),
    "family of library": (
        minimal(method=OURS + 'library = "GO"'),
        "library: there is no family 'GO'; there are adaptive, als, annotation, attribute, ",
    ),
    "setting": (
        minimal(method=OURS + 'train = "linear"\nsettings = { regularisation = 3 }'),
        "settings: there is no key 'regularisation'; did you mean 'regularization'?",
    ),
    "setting, type": (
        minimal(method=OURS + 'train = "linear"\nsettings = { regularization = "a" }'),
        "settings: regularization must be float, not 'a'",
    ),
    "setting, range": (
        minimal(method=OURS + 'library = "linear"\nsettings = { prune = -1 }'),
        "settings: prune must be 0 or more, not -1",
    ),
    "release": (
        minimal(RELEASES + "from = 2017\nto = 2023"),
        "terms: no release 2017 of the library 'GO'",
    ),
    "retrain": (
        minimal(top='[leakage]\nretrain = ["ours"]'),
        "[leakage]: retrain: no method with 'train' is called 'ours'; there is none",
    ),
    "sum of nothing": (minimal(method=TWO + "sum = {}"), "sum must name one method or more"),
    "sum of zeros": (
        minimal(method=TWO + "sum = { ours = 0 }"),
        "sum: the weights must be numbers, not all of them 0",
    ),
    "sum without prior_precision": (
        minimal(method=TWO + "sum = { ours = 1 }\nprior_precision = 0"),
        "prior_precision must be a number > 0.0, not 0",
    ),
    "prior_precision of some": (
        minimal(method=TWO + "sum = { ours = 1 }\nprior_precision = {}"),
        "[[method]] 2 ('two'): prior_precision: the key 'ours' is missing",
    ),
    "prior_precision of another": (
        minimal(method=TWO + "sum = { ours = 1 }\nprior_precision = { ours = 1, our = 1 }"),
        "prior_precision: there is no key 'our'; did you mean 'ours'?",
    ),
    "prior_precision, a negative one": (
        minimal(method=TWO + "sum = { ours = 1 }\nprior_precision = { ours = -1 }"),
        'each of prior_precision must be a number > 0.0, not {"ours": -1}',
    ),
    "prior_precision, no number": (
        minimal(method=TWO + 'sum = { ours = 1 }\nprior_precision = { ours = "much" }'),
        'each of prior_precision must be a number, not {"ours": "much"}',
    ),
    "sum of unknown": (
        minimal(method=TWO + "sum = { our = 1 }"),
        "[[method]] 2 ('two'): sum: no method before it is called 'our'; did you mean 'ours'?",
    ),
    "sum of later": (
        minimal(method='name = "s"\nsum = { ours = 1 }\n[[method]]\n' + OURS + 'model = "shipped"'),
        "[[method]] 1 ('s'): sum: 'ours' comes later; put this sum behind it",
    ),
    "snapshot of one fitted in one go": (
        minimal(
            top=HELD_OUT,
            method='name = "l"\ntrain = "linear"\n[[method]]\nname = "b"\nsnapshot_of = "l"',
        ),
        "[[method]] 2 ('b'): snapshot_of: no method before it that learns in steps is called 'l'",
    ),
    "snapshot of later": (
        minimal(top=HELD_OUT, method='name = "b"\nsnapshot_of = "net"\n[[method]]\n' + NET),
        "[[method]] 1 ('b'): snapshot_of: no method before it",
    ),
    "snapshot of without held-out sets": (
        minimal(method=NET + '[[method]]\nname = "b"\nsnapshot_of = "net"'),
        "[[method]] 2 ('b'): snapshot_of: needs held-out sets: [corpus] held_out = 2000",
    ),
    "snapshot of no look": (
        minimal(top=HELD_OUT, method=NET + '[[method]]\nname = "b"\nsnapshot_of = "net"\nat = 51'),
        "[[method]] 2 ('b'): at must be a whole number <= 50, not 51",
    ),
    "sum of itself": (minimal(method=TWO + "sum = { two = 1 }"), "sum: 'two' comes later"),
    "sum of vectors": (
        minimal(
            method=OURS + 'embedding = "vectors.csv"\n[[method]]\nname = "s"\nsum = { ours = 1 }'
        ),
        "sum: 'ours' is gene vectors, mean cosine, which is no model that can be summed",
    ),
    # contradictions
    "two kinds": (
        minimal(method=OURS + 'model = "shipped"\ntrain = "linear"'),
        "'train' and 'model' contradict each other: keep one",
    ),
    "file and folder": (
        minimal(RELEASES + 'from = 2018\nto = 2023\nolder = "a"'),
        "'older' and the keys folder, library, from, to contradict each other",
    ),
    "two of one name": (
        minimal(method=TWO.replace("two", "ours") + 'model = "shipped"'),
        "[[method]] 2 ('ours'): name: [[method]] 1 ('ours') has it too",
    ),
    # files
    "no file": (
        minimal(HALF.replace("2023", "2022")),
        "GO_2022.gmt.gz: no such file; did you mean 'GO_2023.gmt.gz'? (relative paths start at",
    ),
    "a folder": (
        minimal('protocol = "half-split"\nlibrary = "."'),
        "[[task]] 1 (', half split'): library: ",
    ),
    "one file, two paths": (
        minimal(
            'protocol = "time-split"\nolder = "terms/GO_2023.gmt.gz"\n'
            'newer = "terms/../terms/GO_2023.gmt.gz"'
        ),
        "time split'): older and newer are the same file",
    ),
    "no folder": (minimal(HALF.replace("terms/", "term/")), "there is no folder "),
    "no corpus": (
        minimal(top='[corpus]\nfile = "corpus.gset"'),
        "no such file; did you mean 'corpus.gsets'?",
    ),
    "no vectors": (
        minimal(method=OURS + 'embedding = "vectors.tsv"'),
        "did you mean 'vectors.csv'?",
    ),
    "no model": (
        minimal(method=OURS + 'model = "models/their"'),
        "their: no such file; did you mean 'theirs'?",
    ),
    "no model folder": (
        minimal(method=OURS + 'model = "models"'),
        "is not a model folder: it has no config.json",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_place(case: str, folder: Path) -> None:
    text, message = WRONG[case]
    with pytest.raises(FormatError) as caught:
        read(folder, text)
    message_with_place = str(caught.value)
    assert message_with_place.startswith(str(folder / "bench.toml"))
    assert message in message_with_place
    assert caught.value.line is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("seed = 3\nname = \n", 2),
        ('a = 1\nb = 2\na = "x"\n', 3),
        ("[corpus\n", 1),
        ("[[task]]\nx", 2),
    ],
)
def test_syntax_errors_have_their_line(text: str, line: int, folder: Path) -> None:
    with pytest.raises(FormatError, match="not TOML") as caught:
        read(folder, text)
    assert caught.value.line == line


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        read_config(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "caf\xe9"')
    with pytest.raises(FormatError, match="not UTF-8"):
        read_config(tmp_path / "latin.toml")
    (tmp_path / "end.toml").write_text('name = """never ends')
    with pytest.raises(FormatError, match="not TOML"):
        read_config(tmp_path / "end.toml")


def test_a_copy_without_a_model_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_module, "SHIPPED_FOLDER", folder / "nowhere")
    with pytest.raises(FormatError, match="is not a model folder"):
        read(folder, minimal())


# -- in Python -------------------------------------------------------------------------------------


def test_parts_are_checked_without_a_file_too() -> None:
    with pytest.raises(ValueError, match='splits must be a whole number, not "3"'):
        Task("half-split", {"library": "a"}, {"splits": "3"})
    with pytest.raises(ValueError, match="there is no key 'sets'"):
        Task("half-split", {"library": "a", "sets": "b"})
    with pytest.raises(ValueError, match='background must be "library" or "genome", not "all"'):
        Benchmark([Task("half-split", {"library": "a"})], [Saved("a", "shipped")], background="all")  # type: ignore[arg-type]
    task = Task("half-split", {"library": "a"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.name = "b"  # type: ignore[misc]
    benchmark = Benchmark([task], [Saved("a", "shipped")], data=Path("/nowhere"))
    with pytest.raises(ValueError, match=r"\[\[task\]\] 1 \('a, half split'\): library: "):
        benchmark.check_files()


def test_every_protocol_is_there_with_its_options() -> None:
    for name, files in FILES.items():
        parameters = inspect.signature(config_module.protocol(name)).parameters
        assert list(parameters)[: len(files)] == list(files)
        assert "seed" in parameters
        known = config_module.options(name)
        assert set(known) == set(parameters) - set(files) - {"seed"}
        # The defaults are values that a file could have.
        given = {k: v.default for k, v in known.items() if v.default is not v.empty}
        needed = {k: 2018 for k, v in known.items() if v.default is v.empty}
        task = Task(name, {key: key for key in files}, given | needed)
        assert dict(task.options) == given | needed
