"""The page and the table of a benchmark: whole, safe, readable, and drawn by a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from gsfm.benchmark.report.figures import styles
from gsfm.benchmark.report.page import html_page, markdown
from gsfm.benchmark.report.sections import SECTIONS
from gsfm.benchmark.report.summary import METRICS, summarize
from gsfm.errors import MissingExtraError

TASKS = {
    "GO BP 2023": "half-split",
    "GO BP, few shown": "hold-out",
    "GO BP 2018 to 2025": "time-split",
    "GO BP, new terms": "never-seen",
    "Papers after 2018": "new-relations",
    "Complexes, 2017 to 2025": "new-interactions",
    "GO BP, context": "context-switch",
}
METHODS = {"ours": 1.0, "peer": 0.8, "popularity": 0.3, "ours, without leaks": 0.95}
GENES = 120


def tables(tasks, methods, n_terms=30, seed=0):
    """Tables as a run has them: `methods` says how good each is, from 0 to 1."""
    rng = np.random.default_rng(seed)
    names = [f"g{i}" for i in range(GENES)]
    popularity = np.sort(rng.geometric(0.02, GENES)) - 1
    terms = [f"term {i}" for i in range(n_terms)]
    sizes = rng.geometric(0.02, n_terms) + 10
    ease = rng.uniform(0.1, 0.45, n_terms)
    questions, genes, curves, backgrounds = [], [], [], []
    x = np.linspace(0, 1, 101)
    for task, protocol in tasks.items():
        backgrounds.append(
            pl.DataFrame(
                {"task": task, "gene": names, "popularity": popularity, "papers": popularity}
            )
        )
        for method, skill in methods.items():
            for k in (3, 10) if protocol == "hold-out" else (None,):
                auroc = (0.5 + ease * skill + rng.normal(0, 0.03, n_terms)).clip(0, 1)
                values = dict.fromkeys(METRICS, auroc / 2)
                values |= {"auroc": auroc, "matched_auroc": np.where(ease > 0.12, auroc, np.nan)}
                questions.append(
                    pl.DataFrame({"term": terms, "n_shown": sizes // 2, **values}).with_columns(
                        task=pl.lit(task),
                        protocol=pl.lit(protocol),
                        method=pl.lit(method),
                        split=0,
                        k=pl.lit(k, pl.Int32),
                        n_hidden=pl.Series(sizes - sizes // 2),
                    )
                )
            score = (0.5 + 0.4 * skill * popularity / popularity.max()).clip(0, 1)
            genes.append(
                pl.DataFrame({"gene": names, "auroc": score, "matched_auroc": score}).with_columns(
                    task=pl.lit(task), method=pl.lit(method)
                )
            )
            for curve, y in (("roc", x ** (1 - 0.8 * skill)), ("pr", skill * np.exp(-3 * x))):
                curves.append(
                    pl.DataFrame({"x": x, "y": y}).with_columns(
                        task=pl.lit(task), method=pl.lit(method), curve=pl.lit(curve)
                    )
                )
    leaks = pl.DataFrame({"task": next(iter(tasks)), "term": terms[:5], "leaking_sets": 2})
    return (*(pl.concat(part) for part in (questions, genes, curves, backgrounds)), leaks)


def made(tasks=TASKS, methods=METHODS, *, costs=True, leaked=True, **known):
    """A summary and its curves."""
    questions, genes, curves, backgrounds, leaks = tables(tasks, methods)
    seconds = {"ours": 900.5, "peer": 20.0, "popularity": 0.01} if costs else {}
    summary = summarize(
        questions,
        genes,
        backgrounds,
        leaks=leaks if leaked else None,
        tasks=[{"task": task, "skipped": {"too small": 7}} for task in tasks],
        methods=[
            {"method": method, "kind": "of a kind", "training_seconds": seconds.get(method)}
            for method in methods
        ],
        resamples=50,
        **({"about": {"name": "A run", "seed": 0, "data": {"library": "ab12"}}} | known),
    )
    return summary, curves


@pytest.fixture(scope="module")
def full():
    return made()


@pytest.fixture(scope="module")
def page(full):
    return html_page(*full)


class Elements(HTMLParser):
    """All elements of a page with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def test_the_page_has_all_sections(page):
    found = Elements(page)
    assert [attrs["id"] for attrs in found.all("section")] == [
        "summary",
        "methods",
        "auroc",
        "matched",
        "curves",
        "size",
        "popularity",
        "understudied",
        "shown",
        "future",
        "context",
        "cost",
        "leakage",
        "figures",
        "tests",
        "provenance",
    ]
    assert len(SECTIONS) == 16
    assert "Not part of this run" not in page
    # Three methods compete; a drawing for each task that a section is about.
    assert len([svg for svg in found.all("svg") if "role" in svg]) == (
        4 * 2  # boxes
        + 4 * 2  # curves
        + 4  # sizes
        + 7 * 2  # popularity, understudied
        + 2  # hold-out
        + 2 * 2 + 2  # gain, new relations and interactions
        + 1  # context
        + 4 * 2  # costs
    )  # fmt: skip
    assert page.count("How to read it.") == 10
    assert found.text.count("7 too small") == len(TASKS)


def test_the_page_loads_nothing(page):
    found = Elements(page)
    for tag, attrs in found.elements:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base", "form")
        assert not [name for name in attrs if name.startswith("on") or name in ("src", "srcset")]
        for name in ("href", "xlink:href"):
            assert attrs.get(name, "#").startswith("#")
    assert "://" not in page
    assert "@import" not in page
    assert not re.findall(r"url\((?!#)", page)


def test_what_is_referred_to_is_there(page):
    ids = {attrs["id"] for _, attrs in Elements(page).elements if "id" in attrs}
    referred = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)|labelledby="([^"]+)"', page)
    assert len(referred) > 100
    assert {"".join(names) for names in referred} <= ids


def test_the_page_can_be_heard(page):
    found = Elements(page)
    assert found.all("html")[0]["lang"] == "en"
    for svg in found.all("svg"):
        assert svg.get("aria-hidden") == "true" or (svg["role"] == "img" and svg["aria-label"])
    assert all(attrs["scope"] in ("col", "row") for attrs in found.all("th"))
    assert len(found.all("caption")) == len(found.all("table"))
    boxes = next(
        s["aria-label"] for s in found.all("svg") if "Box plots" in s.get("aria-label", "")
    )
    assert re.search(r"Medians: ours 0\.\d{3}, peer 0\.\d{3}, popularity 0\.\d{3}\.", boxes)


NASTY = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "$\\frac{a}{$ & ]]> --> 模型 \x00\x1b[2J",
    "{{ 7 * 7 }}{% endif %}",
)


def test_names_are_only_names():
    methods = dict.fromkeys(NASTY, 0.5)
    tasks = {
        f"{name} {protocol}": protocol
        for name, protocol in zip(NASTY, list(TASKS.values())[3:], strict=True)
    }
    questions, genes, curves, backgrounds, leaks = tables(tasks, methods)
    questions = questions.with_columns(term=pl.lit("<script>") + pl.col("term"))
    summary = summarize(
        questions,
        genes,
        backgrounds,
        leaks=leaks,
        tasks=[{"task": t, "skipped": {NASTY[1]: 1}, "about": {NASTY[0]: NASTY[1]}} for t in tasks],
        methods=[
            {"method": m, "kind": NASTY[0], "refused": dict.fromkeys(tasks, NASTY[1])}
            for m in methods
        ],
        reference=NASTY[2],
        about={"name": NASTY[0], NASTY[1]: NASTY[0], "data": {NASTY[0]: [NASTY[1]]}},
        resamples=10,
    )
    page = html_page(summary, curves)
    test_the_page_loads_nothing(page)
    assert "\x00" not in page
    assert "\x1b" not in page
    text = Elements(page).text
    for name in NASTY[:2]:
        assert text.count(name) > 10
    assert "{{ 7 * 7 }}{% endif %}" in text


def test_one_method_in_one_task():
    summary, curves = made({"GO": "half-split"}, {"ours": 0.9}, costs=False, leaked=False)
    page = html_page(summary, curves)
    ids = [attrs["id"] for attrs in Elements(page).all("section")]
    assert {"summary", "auroc", "curves", "popularity", "figures", "provenance"} <= set(ids)
    assert not {"shown", "future", "context", "cost", "leakage", "tests"} & set(ids)
    absent = re.search(r"Not part of this run: (.*)\.</p>", page)
    assert absent is not None
    for part in ("hold-out", "time-split", "context", "cost", "leakage", "tests between methods"):
        assert part in absent[1]


def test_only_pairs_of_genes():
    tasks = {"Papers": "new-relations", "Context": "context-switch"}
    summary, curves = made(tasks, {"ours": 0.9, "peer": 0.5}, leaked=False)
    ids = [attrs["id"] for attrs in Elements(html_page(summary, curves)).all("section")]
    assert {"future", "context"} <= set(ids)
    assert "auroc" not in ids


def test_a_task_that_asked_nothing():
    questions, genes, curves, backgrounds, _ = tables({"GO": "half-split"}, METHODS)
    summary = summarize(
        questions,
        genes,
        backgrounds,
        tasks=[{"task": "empty", "protocol": "time-split", "reason": "no term is large enough"}],
        resamples=10,
    )
    text = Elements(html_page(summary, curves)).text
    assert "no term is large enough" in text
    assert "empty" not in markdown(summary)


def test_many_methods():
    """Twelve: of eight tasks with as many methods a page stays below three megabytes."""
    methods = {f"a method of some length, number {i}": i / 12 for i in range(11)} | {
        "popularity": 0.1
    }
    summary, curves = made(dict(list(TASKS.items())[:3]), methods)
    page = html_page(summary, curves)
    assert len(page.encode()) < 3 / 8 * 3_000_000
    looks = styles(list(methods), "popularity").values()
    assert len({look.color for look in looks}) == 12


def test_the_summary_in_words():
    """One method far ahead, two that cannot be distinguished."""
    summary, curves = made(
        {"GO BP": "half-split", "KEGG": "half-split"},
        {"ours": 1.0, "peer": 0.3, "twin": 0.3},
        leaked=False,
    )
    text = " ".join(Elements(html_page(summary, curves)).text.split())
    assert "Best, or not significantly different from the best, in all 2 tasks: ours." in text
    assert "Half of a term's genes are shown" in text
    assert "(30 terms; 120 genes in the background). Best is ours: for the median term" in text
    assert text.count("the difference from every other method is significant") == 2
    close, curves = made({"GO BP": "half-split"}, {"peer": 0.3, "twin": 0.3}, leaked=False)
    assert "the difference is not significant" in html_page(close, curves)


def test_figures_are_those_of_the_summary(full, page):
    row = next(r for r in full[0]["results"] if r["metric"] == "matched_auroc")
    middle, low, high = (f"{figure:.3f}" for figure in row["median"])
    assert f"<strong>{middle}</strong><small>{low} to {high}</small>" in page


def test_markdown_of_a_known_summary():
    def row(metric, task, method, statistic, *figure):
        return {"metric": metric, "task": task, "method": method, statistic: list(figure)}

    summary = {
        "about": {"name": "Half split"},
        "tasks": [
            {"task": "GO|BP", "protocol": "half-split", "background": 14700, "terms": 5400},
            {"task": "none", "protocol": "time-split", "background": 0, "terms": 0},
            {
                "task": "papers",
                "protocol": "new-relations",
                "background": 20,
                "terms": 9,
                "questions": 18,
            },
        ],
        "methods": [
            {"method": "ours", "without_leaks_of": None},
            {"method": "<b>peer</b>", "without_leaks_of": None},
            {"method": "ours, without leaks", "without_leaks_of": "ours"},
            {"method": "refused", "without_leaks_of": None},
        ],
        "results": [
            row("auroc", "GO|BP", "ours", "median", 0.9, 0.89, 0.91),
            row("auroc", "GO|BP", "<b>peer</b>", "median", 0.8, 0.79, 0.81),
            row("auroc", "GO|BP", "ours, without leaks", "median", 0.95, 0.94, 0.96),
            row("average_precision", "GO|BP", "ours", "mean", 0.1, 0.05, 0.15),
            row("average_precision", "GO|BP", "<b>peer</b>", "mean", 0.2, 0.15, 0.25),
            row("matched_auroc", "GO|BP", "ours", "median", 0.7, 0.6, 0.8),
        ],
    }
    assert markdown(summary).splitlines() == [
        "## Half split",
        "",
        "Median AUROC / mean average precision over terms, with 95% bootstrap intervals over",
        "terms. The best of a task is bold.",
        "",
        r"| method | GO\|BP | papers |",
        "| --- | --- | --- |",
        "| ours | **0.900** (0.890–0.910) / 0.100 (0.050–0.150) |  |",
        r"| \<b\>peer\</b\> | 0.800 (0.790–0.810) / **0.200** (0.150–0.250) |  |",
        "| ours, without leaks | 0.950 (0.940–0.960) |  |",
        "",
        "Median AUROC among equally popular genes, where popularity alone gets 0.5:",
        "",
        r"| method | GO\|BP | papers |",
        "| --- | --- | --- |",
        "| ours | **0.700** (0.600–0.800) |  |",
        "",
        r"- GO\|BP: half-split, 5,400 terms, background of 14,700 genes",
        "- papers: new-relations, 18 questions, background of 20 genes",
    ]


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_a_missing_part_is_named(package, full, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r".\[bench\]"):
        html_page(*full)


BROWSER = next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None
)

#: Measures the page and writes what it found into it.
MEASURE = """<script>
const found = {width: innerWidth, overflow: document.documentElement.scrollWidth - innerWidth};
found.requests = performance.getEntriesByType("resource").map(e => e.name);
found.drawings = [...document.querySelectorAll("svg")].map(svg => {
  const box = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll("text")];
  const scale = box.width / svg.viewBox.baseVal.width;
  const cut = texts.filter(text => {
    const b = text.getBoundingClientRect();
    return b.left < box.left - 3 || b.right > box.right + 3
      || b.top < box.top - 3 || b.bottom > box.bottom + 3;
  });
  return {width: box.width, height: box.height, cut: cut.map(text => text.textContent),
    type: Math.min(99, ...texts.map(t => parseFloat(getComputedStyle(t).fontSize) * scale))};
});
document.body.innerHTML = "";
document.body.append("FOUND" + JSON.stringify(found) + "FOUND");
</script>"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize("width", [500, 1200])
def test_a_browser_draws_it(width, page, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    profile = tmp_path / "profile"
    switches = ["headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"]
    switches += ["disable-background-networking", "disable-component-update", "disable-sync"]
    switches += [f"user-data-dir={profile}", f"window-size={width},900", "dump-dom"]
    done = subprocess.run(
        [BROWSER, *(f"--{switch}" for switch in switches), path.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )
    written = re.search(r"FOUND(.*)FOUND", done.stdout.decode())
    assert written is not None, done.stderr.decode()[-2000:]
    found = json.loads(written[1])
    assert found["width"] == width
    assert found["overflow"] <= 0
    assert found["requests"] == []
    assert len(found["drawings"]) == page.count("<svg")
    for drawing in found["drawings"]:
        assert drawing["width"] > 40
        assert drawing["height"] > 10
        assert drawing["cut"] == []
        assert drawing["type"] >= 9  # pixels
