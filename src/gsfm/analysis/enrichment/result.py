"""The result of an enrichment: its tables, the running sums, and what draws it."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gsfm.analysis.enrichment.groups import Members, group_rows, parts_of
from gsfm.analysis.query import row_of
from gsfm.completion.identifiers import MappedIdentifiers
from gsfm.completion.result import Result
from gsfm.errors import (
    GsfmError,
    UnknownTermError,
    check_least,
    check_type,
    count,
    join_names,
    require,
)
from gsfm.models import Model
from gsfm.models.types import Numbers
from gsfm.report import pandas_frame

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from gsfm.analysis.enrichment.network import TermNetwork
    from gsfm.analysis.enrichment.plots import Kind

#: The share of genes with tied statistics from which it is said.
MANY_TIES = 0.2
#: The share of the background that is too much for a gene set.
MOST_OF_BACKGROUND = 0.5

#: The columns that tables for people do not have; ``size`` is in ``overlap``, and the first term of
#: a group is its representative.
HIDDEN = ("list", "library", "link", "expected", "representative")
#: The terms of each list and library that a plot has by default.
TOP = {"bar": 20, "dot": 20, "running_sum": 5, "upset": 10, "network": 50}
#: The last columns of a table.
LAST = (
    *("p_value", "fdr", "group", "representative"),
    *("predicted_members", "overlap_genes", "leading_edge"),
)


class Enrichment(Result):
    """The terms of an enrichment, best first.

    Attributes
    ----------
    table
        One row a term, list by list and library by library: ``list``, if there were several,
        ``rank``, ``library``, ``term``, ``id``, ``link``, ``size``, the numbers of the method,
        ``p_value``, ``fdr``; ``provenance["columns"]`` describes each. Ranks and false discovery
        rates are those within the library.
    provenance
        The method, the input, the background, the libraries, the null, and the model, if there is
        one.
    members
        The genes of each term; `genes_of` has their symbols.
    """

    def __init__(
        self,
        table: pl.DataFrame,
        provenance: dict[str, Any],
        mapped: MappedIdentifiers,
        members: Members,
    ) -> None:
        super().__init__(table, provenance, mapped)
        self.members = members

    def genes_of(self, row: int) -> list[str]:
        """The genes of the term of a row that are in the background.

        Examples
        --------
        >>> from gsfm.analysis import ora
        >>> ora(["TP53", "MDM2"], {"arrest": ["TP53", "MDM2", "BAX"]}, min_size=2).genes_of(0)
        ['BAX', 'MDM2', 'TP53']
        """
        symbols = self.members.vocabulary.symbols
        return sorted(symbols[g] for g in row_of(self.members.of_terms, range(len(self))[row]))

    def find(self, term: str, *, library: str | None = None, list: str | None = None) -> int:
        """The row of a term, by its name or identifier; the best one if there are several.

        Raises
        ------
        UnknownTermError
            If the table has no such term.

        Examples
        --------
        >>> from gsfm.analysis import ora
        >>> terms = {"arrest": ["TP53"], "growth": ["EGFR"]}
        >>> ora(["TP53", "EGFR"], terms, min_size=1).find("growth")
        1
        """
        match = (pl.col("term") == term) | (pl.col("id") == term)
        chosen = {"library": library, "list": list if "list" in self.table.columns else None}
        for name, value in chosen.items():
            match &= pl.lit(True) if value is None else pl.col(name) == value
        rows = self.table.with_row_index("row").filter(match)
        if not rows.height:
            names = join_names(self.table["term"].unique(maintain_order=True).to_list())
            raise UnknownTermError(
                f"no term {term!r} in this result, which has {names}; top=None keeps all terms"
            )
        return int(rows.sort("p_value", "row")["row"][0])

    def running_sum(
        self, term: str, *, library: str | None = None, list: str | None = None
    ) -> pl.DataFrame:
        """The running sum of GSEA of a term along the ranked list.

        Parameters
        ----------
        term
            A term of the table, by its name or identifier.
        library, list
            The library and the list, if several have this term.

        Returns
        -------
        polars.DataFrame
            One row a gene of the list, largest statistic first: ``position``, ``gene``,
            ``statistic``, ``in_term``, ``running_sum``. The value furthest from 0 is ``es``.

        Raises
        ------
        GsfmError
            If the method is not prerank; UnknownTermError if the table has no such term.

        Examples
        --------
        >>> from gsfm.analysis import prerank
        >>> changes = {"TP53": 3.0, "BAX": 1.0, "MYC": 0.1, "EGFR": -2.0}
        >>> found = prerank(changes, {"arrest": ["TP53", "BAX"]}, min_size=2, permutations=20)
        >>> found.running_sum("arrest").select("gene", "in_term", "running_sum").rows()
        [('TP53', True, 0.75), ('BAX', True, 1.0), ('MYC', False, 0.5), ('EGFR', False, 0.0)]
        """
        return self.running_sum_of(self.find(term, library=library, list=list))

    def running_sum_of(self, row: int) -> pl.DataFrame:
        """The running sum of the term of a row, as `running_sum` returns it."""
        ranking = self.members.ranking
        if ranking is None:
            raise GsfmError("only the method prerank has a running sum")
        if "list" in ranking.columns:
            ranking = ranking.filter(list=self.table["list"][row]).drop("list")
        in_term = ranking["gene"].is_in(self.genes_of(row))
        sums = sums_along(ranking, in_term, self.provenance["null"]["weight"])
        return ranking.select(
            pl.int_range(1, pl.len() + 1).alias("position"),
            pl.all(),
            in_term.alias("in_term"),
            pl.Series("running_sum", sums.round(12) + 0.0),
        )

    def grouped(self, *, model: Model | None = None) -> Enrichment:
        """The result with groups of redundant terms.

        Two terms are similar if their genes have a Cohen's kappa of 0.3 or more, as in Metascape
        (Zhou et al. 2019, doi:10.1038/s41467-019-09234-6), or if a model is given and the cosine of
        their vectors is 0.65 or more (of the first 100 terms of a library). Best first, each term
        joins the group of the first representative that it is similar to, or becomes the
        representative of a new group. Groups are within a list, a library and a direction.

        Parameters
        ----------
        model
            A model with vectors of gene sets.

        Returns
        -------
        Enrichment
            With the columns ``group``, the number of the group in the table of the library, and
            ``representative``, whether the term is the best of its group. Only the first 500 terms
            of a library have a group.

        Examples
        --------
        >>> from gsfm.analysis import ora
        >>> terms = {"arrest": ["TP53", "MDM2"], "stop": ["TP53", "MDM2", "BAX"]}
        >>> terms["growth"] = ["EGFR", "MYC"]
        >>> found = ora(["TP53", "MDM2", "EGFR"], terms, min_size=2).grouped()
        >>> found.table.select("term", "group", "representative").rows()
        [('arrest', 1, True), ('stop', 1, False), ('growth', 2, True)]
        """
        group, first = group_rows(self.table, self.members, model)
        columns = {
            "group": "number of the group of similar terms, in the order of their best terms",
            "representative": "whether the term is the best one of its group",
        }
        table = self.table.with_columns(group, first)
        last = [name for name in LAST if name in table.columns]
        table = table.select(pl.exclude(last), *last)
        about = {**self.provenance, "columns": {**self.provenance["columns"], **columns}}
        mapped = MappedIdentifiers(self.resolution, self.inputs, np.empty(0, np.int32))
        return Enrichment(table, about, mapped, self.members)

    def network(
        self, *, top: int = 50, model: Model | None = None, random_state: int = 0
    ) -> TermNetwork:
        """The network of similar terms.

        Parameters
        ----------
        top
            The number of best terms of each list and library.
        model
            Terms are also similar if their vectors of this model are; see `grouped`.
        random_state
            Seed of the search for communities and of the drawing.

        Returns
        -------
        TermNetwork
            Nodes, weighted edges and communities; its method `save` writes GraphML, JSON for
            Cytoscape, and drawings.

        Examples
        --------
        >>> from gsfm.analysis import ora
        >>> terms = {"arrest": ["TP53", "MDM2"], "stop": ["TP53", "MDM2", "BAX"]}
        >>> found = ora(["TP53", "MDM2"], terms, min_size=2).network()
        >>> found.edges.select("source", "target").rows()
        [('arrest', 'stop')]
        """
        from gsfm.analysis.enrichment.network import term_network

        rows = self._best(top)
        return term_network(self, rows, model=model, random_state=random_state)

    def plot(
        self,
        kind: Kind = "bar",
        path: str | Path | None = None,
        *,
        top: int | None = None,
        terms: Sequence[str] | None = None,
        library: str | None = None,
        list: str | None = None,
    ) -> Figure:
        """Draw the result.

        Parameters
        ----------
        kind
            ``"bar"``: the false discovery rates of the best terms, or the nes of prerank.
            ``"dot"``: the terms, with the size of the overlap; several lists are side by side.
            ``"running_sum"``: the running sums of prerank. ``"upset"``: the genes that the overlaps
            or the leading edges share. ``"network"``: the terms, joined where they share genes.
        path
            A file to write: .png, .svg, .pdf or .html; none if None.
        top
            The number of best terms of each list and library: by default 20, 10 for an UpSet, 5 for
            running sums (at most 10) and 50 for a network.
        terms
            Draw these terms instead, by their names or identifiers.
        library, list
            Draw only one library, or one list.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        GsfmError
            If the suffix of the file is none of these, or there is nothing to draw.

        Examples
        --------
        >>> from gsfm.analysis import ora
        >>> terms = {"arrest": ["TP53", "MDM2"], "growth": ["EGFR", "GRB2"]}
        >>> figure = ora(["TP53", "MDM2", "EGFR"], terms, min_size=2).plot("bar")
        >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
        ['arrest', 'growth']
        """
        from gsfm.analysis import figures
        from gsfm.analysis.enrichment import plots

        require(kind in TOP, f"kind must be {', '.join(TOP)}, not {kind!r}")
        check_least(1, top=top)
        if path is not None:
            figures.check_suffix(Path(path))
        chosen = {"library": library, "list": list}
        rows = self._best(top or TOP[kind], **chosen)
        if terms is not None:
            check_type(Sequence, "a list of terms", terms=terms)
            names = [terms] if isinstance(terms, str) else terms
            rows = [self.find(name, **chosen) for name in names]
        if not rows:
            raise GsfmError("there is no term to draw")
        if kind == "network":
            from gsfm.analysis.enrichment.network import term_network

            figure = term_network(self, rows).draw()
        else:
            draw = {"bar": plots.bars, "dot": plots.dots, "upset": plots.upset}
            figure = draw.get(kind, plots.running_sums)(self, rows)
        if path is not None:
            figures.save(figure, path, self._headline())
        return figure

    def dot_plot(self, path: str | Path | None = None, **options: Any) -> Figure:
        """Draw dots, of several lists side by side: ``plot("dot", path)``.

        Examples
        --------
        >>> import gsfm
        >>> terms = {"arrest": ["TP53", "MDM2"], "growth": ["EGFR", "GRB2"]}
        >>> lists = {"up": ["TP53", "MDM2"], "down": ["EGFR"]}
        >>> figure = gsfm.enrich(lists, terms, method="ora", min_size=2).dot_plot()
        >>> [text.get_text() for text in figure.axes[0].get_xticklabels()]
        ['up', 'down']
        """
        return self.plot("dot", path, **options)

    def _best(
        self, top: int, *, library: str | None = None, list: str | None = None
    ) -> builtins.list[int]:
        """The rows of the best terms of each list and library."""
        rows = []
        for part in parts_of(self.table):
            first = self.table.row(part[0], named=True)
            wanted = library in (None, first["library"]) and list in (None, first.get("list"))
            rows += part[: top if wanted else 0]
        return rows

    def to_gseapy(self) -> pd.DataFrame:
        """The table with the columns of GSEApy: of ``enrichr``, or of ``prerank``.

        ``Gene_set`` is the library, and ``Name`` the list, or "prerank". The combined score is that
        of Enrichr: the odds ratio, times minus the logarithm of the p-value.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.

        Examples
        --------
        >>> from gsfm.analysis import ora
        >>> found = ora(["TP53", "MDM2"], {"arrest": ["TP53", "MDM2", "BAX"]}, min_size=2)
        >>> found.to_gseapy()[["Term", "Overlap", "Genes"]].iloc[0].to_list()
        ['arrest', '2/3', 'MDM2;TP53']
        """
        return pandas_frame(_gseapy_table(self), "Enrichment.to_gseapy")

    @property
    def not_in_background(self) -> list[str]:
        """The identifiers of known genes that are not in the background and were not used."""
        return list(self.provenance["input"]["not_in_background"])

    def summary(self, *, limit: int = 50) -> str:
        """As in `Result`, and what was tested."""
        p = self.provenance
        tested = ", ".join(f"{one['name']} ({one['tested']:,})" for one in p["libraries"])
        lines = [f"terms tested: {tested}; background: {p['background']['description']}"]
        share, n_input = p["background"]["genes"], p["input"]["genes"]
        if "ranked" not in p and "lists" not in p and n_input > MOST_OF_BACKGROUND * np.min(share):
            lines.append(
                "warning: the set has a large part of the genes of the background; a list of all "
                "genes with a statistic is a ranked list (--ranked), and a set of the significant "
                "ones needs the measured genes as the background"
            )
        if (weight := p.get("model_weight", {}).get("set", {"weight": 1})["weight"]) < 1:
            lines.append(
                f"the model tells the genes of the set from others with an AUROC of "
                f"{p['model_weight']['set']['coherence']:.2f}; its weight is {weight:.2g}"
            )
        lists = p.get("lists", {})
        if sizes := [f"{name} ({one['genes']:,})" for name, one in lists.items() if "genes" in one]:
            lines.append(f"genes of each list: {join_names(sizes, limit)}")
        lines += [f"excluded list {k}: {v['reason']}" for k, v in lists.items() if "reason" in v]
        ranked = p.get("ranked", {})
        if ranked.get("tied", 0) > MANY_TIES * ranked.get("genes", 0):
            lines.append(
                f"{ranked['tied']:,} of {ranked['genes']:,} genes have the statistic of another "
                "gene; they are in random order"
            )
        if repeated := ranked.get("repeated"):
            lines.append(
                f"genes with several statistics, of which the one furthest from 0 is used: "
                f"{repeated:,}"
            )
        if whole := ranked.get("terms_with_the_whole_list"):
            lines.append(f"terms with all genes of the list, not tested: {whole:,}")
        return "\n".join([super().summary(limit=limit), *lines])

    def parts(self) -> list[tuple[str, pl.DataFrame]]:
        """One table for each list and library; the overlap is ``k/K``, of K genes of the term."""
        tested = {one["name"]: one["tested"] for one in self.provenance["libraries"]}
        parts = []
        by = [name for name in ("list", "library") if name in self.table.columns]
        for key, part in self.table.group_by(by, maintain_order=True):
            if "overlap" in part.columns:
                part = part.with_columns(overlap=pl.format("{}/{}", "overlap", "size"))
                part = part.drop("size")
            of = count(tested[str(key[-1])], "term")
            sides = ", up and down" if "direction" in part.columns else ""
            title = f"{', '.join(map(str, key))}: {len(part):,} of {of}{sides}"
            parts.append((title, part.drop(HIDDEN, strict=False)))
        return parts

    def _listed(self) -> dict[str, list[str]]:
        p = self.provenance["input"]
        return {
            **super()._listed(),
            "not in the background, not used": self.not_in_background,
            "in no term, used by the model only": p.get("not_in_library", []),
            "of the background, not used": self.provenance["background"]["unused"],
        }

    def _headline(self) -> str:
        p = self.provenance
        tested = sum(one["tested"] for one in p["libraries"])
        genes = count(p["input"]["genes"], "input gene")
        return f"{len(self):,} of {tested:,} terms; {genes}; method {p['method']}"


def _gseapy_table(found: Enrichment) -> pl.DataFrame:
    """The table of `Enrichment.to_gseapy`."""
    table = found.table
    if "leading_edge" in table.columns:
        return _prerank_table(found)
    if "odds_ratio" not in table.columns:
        raise GsfmError("GSEApy has no table of this method")
    p, odds_ratio = pl.col("p_value"), pl.col("odds_ratio")
    name = [pl.col("list").alias("Name")] if "list" in table.columns else []
    return table.select(
        *name,
        pl.col("library").alias("Gene_set"),
        pl.col("term").alias("Term"),
        pl.format("{}/{}", "overlap", "size").alias("Overlap"),
        p.alias("P-value"),
        pl.col("fdr").alias("Adjusted P-value"),
        odds_ratio.alias("Odds Ratio"),
        (-p.log() * odds_ratio).alias("Combined Score"),
        pl.col("overlap_genes").list.join(";").alias("Genes"),
        *([pl.col("direction").alias("Direction")] if "direction" in table.columns else []),
    )


def sums_along(ranking: pl.DataFrame, in_term: pl.Series, weight: float) -> Numbers:
    """(genes,) the running sum of GSEA along a ranked list."""
    inside = in_term.to_numpy()
    steps = np.where(inside, np.abs(ranking["statistic"].to_numpy()) ** weight, 0.0)
    outside = np.cumsum(~inside) / max(int((~inside).sum()), 1)
    return np.asarray(np.cumsum(steps / (steps.sum() or 1.0)) - outside)


def _gene_share(found: Enrichment, row: int) -> str:
    """The part of the list from its end to the maximum deviation of the running sum."""
    name, ranking = found.table.row(row, named=True), found.members.ranking
    assert ranking is not None
    if "list" in ranking.columns:
        ranking = ranking.filter(list=name["list"])
    in_term = ranking["gene"].is_in(found.genes_of(row))
    sums = sums_along(ranking, in_term, found.provenance["null"]["weight"])
    n = len(sums)
    share = (sums.argmax() + 1) / n if name["es"] >= 0 else (n - sums.argmin()) / n
    return f"{share:.2%}"


def _prerank_table(found: Enrichment) -> pl.DataFrame:
    table = found.table
    n_leading = pl.col("leading_edge").list.len()
    names = {
        "ES": "es",
        "NES": "nes",
        "NOM p-val": "p_value",
        "FDR q-val": "fdr",
        "FWER p-val": "fwer",
    }
    name = pl.col("list") if "list" in table.columns else pl.lit("prerank")
    return table.select(
        name.alias("Name"),
        pl.col("term").alias("Term"),
        *(pl.col(ours).alias(theirs) for theirs, ours in names.items()),
        pl.format("{}/{}", n_leading, "size").alias("Tag %"),
        pl.Series("Gene %", [_gene_share(found, row) for row in range(len(table))], pl.String),
        pl.col("leading_edge").list.join(";").alias("Lead_genes"),
    )
