"""The commands that call a verb of `gsfm.analysis`: ``gsfm complete``, ``gsfm annotate``, ..."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
import typer

from gsfm.cli import options
from gsfm.cli.command import call, command
from gsfm.cli.output import SUFFIXES, Form, emit, note
from gsfm.errors import count
from gsfm.io.files import check_folder
from gsfm.io.streams import is_file
from gsfm.report import Report

app = typer.Typer()


@command(app, query=True)
def complete(
    genes: options.Genes = None,
    file: options.File = None,
    library: options.Library = None,
    top: options.Top = 100,
    exclude: Annotated[list[str] | None, typer.Option(metavar="GENE")] = None,
    include_input: Annotated[bool, typer.Option("--include-input/--exclude-input")] = False,
    background: options.Background = None,
    missing_fraction: options.MissingFraction = 0.5,
) -> Report:
    """Rank the genes that are missing from a gene set.

    The ranked genes go to stdout, and the report on the identifiers to stderr. A set without a
    gene that the model knows is an error.

    Parameters
    ----------
    library
        Complete every set of a library (see gsfm library list), or of a gene-set file; - for
        stdin.
    exclude
        Genes that are not ranked, separated by commas, or a file of genes. Repeatable.
    include_input
        Also rank the input genes, each by its leave-one-out score; marked in_input.
    """
    if library is not None and (genes or file):
        raise typer.BadParameter("give genes or --library, not both")
    from gsfm import analysis

    query: Any = options.require(genes, file) if library is None else options.read_library(library)
    return call(analysis.complete, genes=query, exclude=options.read(exclude))


@command(app, query=True)
def annotate(
    genes: Annotated[list[str], typer.Argument(metavar="GENE")],
    libraries: options.Libraries = None,
    top: options.Top = 5,
    which: options.WhichRows = "all",
    fast: bool = False,
    missing_fraction: options.MissingFraction = 0.2,
    cache: options.Cache = True,
) -> Report:
    """Rank the terms of libraries for a gene, or for a set of genes.

    Terms that the gene is annotated with are marked, and have leave-one-out scores. `--top` counts
    the terms of each library. The table goes to stdout, the report on the identifiers to stderr.

    Parameters
    ----------
    genes
        A gene, by any identifier. Several genes, a file, or - for stdin are a set.
    fast
        For a gene: compute only the fast scores of each term.
    """
    from gsfm import analysis

    query = options.read(genes)
    is_gene = query == genes and len(genes) == 1
    return call(analysis.annotate, genes=query[0] if is_gene else query)


@command(app)
def term(
    text: Annotated[str, typer.Argument(metavar="TERM")],
    library: options.Library = None,
    top: options.Top = 50,
    which: options.WhichRows = "all",
    missing_fraction: options.MissingFraction = 0.2,
    model: options.Model = None,
) -> Report:
    """Rank the genes of a term: the annotated genes, by leave-one-out, and the predicted ones.

    The table goes to stdout. The term, and how well the model predicts its genes, go to stderr.

    Parameters
    ----------
    text
        A term: its identifier, its name, or the beginning of either; - for stdin.
    """
    text = typer.get_text_stream("stdin").readline().strip() if text == "-" else text
    if not text:
        raise typer.BadParameter("give a term")
    from gsfm import analysis

    return call(analysis.term, text=text)


@command(app, query=True)
def explain(
    form: Form,
    gene: Annotated[str, typer.Argument(metavar="GENE")],
    genes: Annotated[list[str] | None, typer.Argument(metavar="SET")] = None,
    file: options.File = None,
    table: Annotated[
        Literal["genes", "kinds", "by-kind", "papers"] | None, typer.Option("--show")
    ] = None,
    top: options.Top = 10,
    random_state: options.RandomState = 0,
) -> Report | pl.DataFrame | None:
    """Explain the score of a gene for a set: what each gene of the set adds, and the papers.

    The score and the evidence in the corpus go to stderr. `--top` counts the papers. With --json,
    the result has all tables.

    Parameters
    ----------
    gene
        The gene to explain.
    genes
        The genes of the set, by any identifier; a file of genes; - for stdin.
    table
        Show one table: the attribution to each gene, to each kind of evidence, to each gene by
        the kind of evidence, or the papers. By default genes, kinds and papers; in a flat file,
        genes.
    """
    query = options.require(genes, file, "the genes of the set after the gene to explain")
    from gsfm import analysis

    result = call(analysis.explain, genes=query)
    note(f"{result.headline()}\n{result.evidence()}")
    if table is None and form.written == "table":
        emit(result.table, title="What each gene adds")
        emit(result.kinds, title="\nWhat each kind of evidence adds")
        emit(result.papers.drop("link"), title="\nPapers of the embedded corpus")
        return None
    tables = {"kinds": result.kinds, "by-kind": result.by_kind, "papers": result.papers}
    return result if form.written == "json" else tables.get(table or "genes", result.table)


@command(app, query=True)
def relate(
    gene: Annotated[str, typer.Argument(metavar="GENE")],
    other: Annotated[str | None, typer.Argument(metavar="OTHER")] = None,
    context: Annotated[list[str] | None, typer.Option(metavar="GENES|TERM")] = None,
    libraries: options.Libraries = None,
    top: options.Positive = 20,
    draws: Annotated[int, typer.Option(min=10)] = 50,
    random_state: options.RandomState = 0,
) -> Report:
    """Find the genes nearest to a gene, overall or in a context, or how related two genes are.

    For two genes, the relation and its p-value go to stderr, and with --json into the result. The
    table lists what they share: papers of the embedded corpus, terms, and genes near both.

    Parameters
    ----------
    gene
        A gene, by any identifier.
    other
        A second gene: show how related the two are.
    context
        Find the neighbors of GENE in a context: genes, separated by commas; a file of genes; -
        for stdin; or a term, by its name or identifier. Repeatable for genes.
    libraries
        A library (see gsfm library list), or a gene-set file: to find terms that two genes
        share (repeatable), or the term of --context (by default in all libraries).
    top
        Number of genes, or of shared contexts of each kind.
    draws
        Genes to draw for each of two genes; the null is all pairs.
    """
    if other is not None and context:
        raise typer.BadParameter("--context is for one gene; leave out the second gene")
    if context and not all(text.strip() for text in context):
        raise typer.BadParameter("--context is empty")
    if libraries and other is None and not context:
        raise typer.BadParameter("--library needs a second gene, or --context")
    if context and len(libraries or ()) > 1:
        raise typer.BadParameter("the term of --context is looked up in one --library")
    from gsfm import analysis
    from gsfm.analysis.sources import is_path

    # One text may be a term; several, or a file, are genes.
    text = context[0] if context and len(context) == 1 and context[0] != "-" else None
    if text is not None and is_path(text, libraries[0] if libraries else None):
        text = None
    result: analysis.Neighbors | analysis.Relation = call(
        analysis.relate,
        context=text or options.read(context) or None,
        libraries=libraries or (),
    )
    if isinstance(result, analysis.Relation):
        note(result.headline())
    elif found := result.provenance["context"]:
        note(f"nearest genes in {found['name']} ({count(found['genes'], 'known gene')})")
    return result


@command(app, query=True)
def network(
    form: Form,
    genes: options.Genes = None,
    file: options.File = None,
    add: options.Count = 0,
    min_relation: float = 2.0,
    degree: options.Positive = 5,
    random_state: options.RandomState = 0,
    save: Annotated[list[Path] | None, typer.Option(metavar="FILE")] = None,
    edges: bool = False,
) -> Report | pl.DataFrame:
    """Make a network of a gene set: weighted edges between related genes, and communities.

    Parameters
    ----------
    add
        Add this number of the model's best completions.
    min_relation
        Smallest relation of two genes with an edge.
    degree
        Keep the edges of each gene to this number of nearest genes.
    save
        Write the network: .graphml; .cyjs for Cytoscape; a drawing as .png, .svg, .pdf
        or .html. Repeatable.
    edges
        Print the edges instead of the genes.
    """
    query = options.require(genes, file)
    from gsfm import analysis

    result = call(analysis.network, genes=query)
    for path in save or ():
        result.save(path)
        note(f"wrote {path}")
    return result.edges if edges and form.written != "json" else result


@command(app, query=True)
def nearest(
    genes: options.Genes = None,
    file: options.File = None,
    among: Annotated[str, typer.Option(metavar="LIBRARY")] = "papers",
    by: Literal["overlap", "model"] = "overlap",
    top: options.Top = 20,
) -> Report:
    """Find the gene sets of a library, or the papers, that are nearest to a set.

    Parameters
    ----------
    among
        The gene sets to search: a file, the name of a library, or papers for the embedded
        corpus.
    by
        Order by the p-value of the overlap, or by the model's scores of the members.
    """
    query = options.require(genes, file)
    from gsfm import analysis

    return call(analysis.nearest, genes=query)


@command(app, "map", query=True, suffixes=(".html", *SUFFIXES))
def map_(
    form: Form,
    sets: options.Sets,
    most: options.Count = 5000,
    random_state: options.RandomState = 0,
) -> Report | None:
    """Make a map of a library or of the embedded corpus: similar sets are near each other.

    Parameters
    ----------
    most
        Draw this number of sets if there are more; 0 for all.
    output
        Write FILE: .html, a self-contained interactive page; or .csv, .tsv, .json, .xlsx, .parquet.
    """
    if 0 < most < 5:
        raise typer.BadParameter("--most must be 5 or more, or 0 for all")
    from gsfm import analysis

    name = "papers of the embedded corpus" if sets == "papers" else Path(sets).name
    result = call(analysis.map, most=most or None, name=name)
    found = result.provenance
    if found["drawn"] < found["sets"]:
        note(f"{found['drawn']:,} of {found['sets']:,} sets, drawn at random; --most 0 for all")
    if found["unplaced"]:
        note(f"sets without a known gene, not on the map: {found['unplaced']:,}")
    if form.output is None or form.name != "table" or form.suffix != ".html":
        return result
    result.to_html(form.output)
    note(f"wrote {form.output}")
    return None


@command(app, query=True)
def prioritize(
    form: Form,
    candidates: Annotated[list[str] | None, typer.Argument(metavar="GENE|LOCUS")] = None,
    terms: Annotated[list[str] | None, typer.Option("--terms", "--term", metavar="TERM")] = None,
    seeds: Annotated[list[str] | None, typer.Option(metavar="GENES")] = None,
    library: options.Library = None,
    file: options.File = None,
    top: options.Top = 20,
    why: Annotated[bool, typer.Option("--why/--no-why")] = True,
    by_term: bool = False,
) -> Report | pl.DataFrame:
    """Rank candidate genes for a phenotype: terms, a disease, or genes that are known for it.

    Candidates among the genes of the phenotype are marked, and have leave-one-out scores. The table
    goes to stdout; the report on the identifiers and the genes of the phenotype go to stderr.

    Parameters
    ----------
    candidates
        Candidate genes, by any identifier; a region of GRCh38, such as
        chr7:117000000-118000000, for the genes in it; a file of these, also in BED; - for stdin.
    terms
        A term of the phenotype, by its identifier or name. Repeatable.
    seeds
        Genes of the phenotype, separated by commas; a file of genes; - for stdin. Repeatable.
    why
        Show the seeds that support each candidate.
    by_term
        Show the z-score of each candidate for each term.
    """
    if not terms and not seeds:
        raise typer.BadParameter("give the phenotype: --term TERM, or --seeds GENES")
    query = options.require(candidates, file, "candidates", loci=True)
    from gsfm import analysis

    result = call(
        analysis.prioritize,
        candidates=query,
        terms=terms or (),
        seeds=options.read(seeds),
        why=why and not by_term,
    )
    return result.by_term if by_term and form.written != "json" else result


@command(app, query=True)
def enrich(
    genes: options.Genes = None,
    file: options.File = None,
    ranked: Annotated[str | None, typer.Option(metavar="FILE")] = None,
    score_column: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    lists: Annotated[str | None, typer.Option(metavar="FILE")] = None,
    method: Literal["combined", "model", "ora", "prerank"] = "combined",
    libraries: options.Libraries = None,
    background: Annotated[str | None, typer.Option(metavar="library|all|FILE|NUMBER")] = None,
    top_genes: Annotated[int | None, typer.Option(min=1)] = None,
    top: options.Top = 20,
    min_size: options.Positive = 5,
    max_size: Annotated[int | None, typer.Option(min=1)] = None,
    weight: float | None = None,
    permutations: Annotated[int | None, typer.Option(min=1)] = None,
    random_state: options.RandomState = None,
    n_threads: options.Threads = None,
    group: Annotated[bool, typer.Option("--group/--no-group")] = True,
    plot: Annotated[list[Path] | None, typer.Option(metavar="FILE")] = None,
    kind: Literal["bar", "dot", "running-sum", "upset", "network"] | None = None,
    model: options.Model = None,
) -> Report:
    """Find the terms of libraries that a set, or a ranked list, of genes is enriched for.

    The terms go to stdout, one table for each library, and the report on the identifiers to
    stderr. `--top` counts the terms of each library, and of each list if there are several.

    Parameters
    ----------
    ranked
        A ranked list instead of genes: a table with a column of genes and one of a signed
        statistic (RNK, CSV, TSV, a workbook); - for stdin.
    lists
        Several gene sets instead of genes, each tested alone: a gene-set file, such as a GMT or a
        table of clusters; - for stdin.
    method
        combined: the overlap and the model together; model: the model's evidence for the genes of
        a term; ora: over-representation, the
        hypergeometric test of the overlap, of a ranked list with the first genes, of a number that
        is chosen for each term; prerank: GSEA of a ranked list, by GSEApy.
    background
        The background: the genes of the library, all genes, those of a file (- for stdin), or for
        combined and ora a number of genes. The default is library, for model all genes of the
        model, and for a ranked list the genes of the list.
    top_genes
        Methods with a model, ranked list: genes at each end that are a set. Default: 100.
    min_size
        Terms with fewer genes of the background are not tested.
    max_size
        Terms with more genes of the background are not tested. The default is 500 for prerank,
        else no bound.
    weight
        Method prerank: power of the statistics. Default: 1.
    permutations
        Method prerank: permuted lists in the null. Default: 1000.
    random_state
        Seed of the permuted lists, and of the order of ties. Default: 0.
    n_threads
        Method prerank: number of threads; all cores by default.
    group
        Find groups of terms with similar genes.
    plot
        Draw the terms of the table: .png, .svg, .pdf or .html; a network also as .graphml or
        .cyjs. Repeatable.
    kind
        What --plot draws: bars, dots, the running sums of prerank, an UpSet of the genes that
        terms share, or a network of the terms. Default: dots of several lists, else bars.
    """
    if sum((ranked is not None, lists is not None, bool(genes or file))) > 1:
        raise typer.BadParameter("give genes, --ranked or --lists, only one of them")
    if kind == "running-sum" and method != "prerank":
        raise typer.BadParameter("--kind running-sum is for --method prerank")
    if kind is not None and not plot:
        raise typer.BadParameter("--kind needs --plot FILE")
    if method == "prerank" and background in ("library", "all"):
        raise typer.BadParameter("the background of prerank is the list, or a FILE")
    from gsfm import analysis
    from gsfm.analysis import figures, networks

    query: Any
    if lists is not None:
        query = options.read_sets(lists)
    elif ranked is None:
        query = options.require(genes, file)
    else:
        query = options.read_file(ranked, ranked=True, score_column=score_column)
    drawn: Any = (kind or ("dot" if lists else "bar")).replace("-", "_")
    for path in plot or ():
        figures.check_suffix(path, networks.FORMATS if drawn == "network" else figures.FORMATS)
        check_folder(path)
    try:
        result = call(analysis.enrich, genes=query, background=_background(background))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    for path in plot or ():
        if drawn == "network":
            result.network().save(path)
        else:
            result.plot(drawn, path)
        note(f"wrote {path}")
    return result


def _background(text: str | None) -> Any:
    """The value of ``--background`` of enrich: a word, a number, or the genes of a file."""
    if text in (None, "library", "all"):
        return text
    if re.fullmatch(r"[+-]?[\d,_.]+(e[+-]?\d+)?", text, re.IGNORECASE) and not is_file(text):
        if not re.fullmatch(r"\d{1,18}|\d{1,3}(,\d{3}){1,5}", text):
            raise typer.BadParameter(
                f"--background must be a whole number of genes, not {text[:40]}"
            )
        return int(text.replace(",", ""))
    return options.read_background(background=text)
