"""Build the table of facts about genes: `src/gsfm/genes/data/facts.parquet`.

    python scripts/build_gene_facts.py --org-db org.Hs.eg.sqlite --go-db GO.sqlite

Sources: NCBI Gene of 2022-09-12 (gene2pubmed and gene2go) as the Debian package r-bioc-org.hs.eg.db
3.16 carries it in extdata/org.Hs.eg.sqlite, and the Gene Ontology of 2022-07-01 in
extdata/GO.sqlite of r-bioc-go.db 3.16.

The table has one row for each gene of the gene table, in its order. `facts.json` has sources,
releases, licenses, hashes and counts. The columns are:

- `papers`: the number of papers that NCBI links to the gene; 0 for a gene without an Entrez id.
- `extracellular`: whether the gene is annotated to the extracellular region (GO:0005576) or to
  anything that is a kind or a part of it. Annotations to extracellular vesicles
  (GO:1903561; exosomes are among them) and those of high-throughput assays (HDA) are not counted,
  because mass spectrometry finds two thousand intracellular proteins in exosomes and fluids. The
  shipped libraries lack this term because it is too large.

Run it again whenever the gene table is built again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
from pathlib import Path

import polars as pl

from gsfm.genes import tables
from gsfm.io.files import atomic_path, sha256_file

DATA = Path(__file__).parents[1] / "src" / "gsfm" / "genes" / "data"
EXTRACELLULAR, VESICLE = "GO:0005576", "GO:1903561"
#: Kinds of evidence that do not place a protein outside the cell.
NOT_COUNTED = ("HDA", "ND")


def main() -> None:
    """Run the build."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--org-db", type=Path, required=True, help="org.Hs.eg.sqlite")
    parser.add_argument("--go-db", type=Path, required=True, help="GO.sqlite")
    parser.add_argument("-o", "--output", type=Path, default=DATA)
    given = parser.parse_args()

    outside = below(given.go_db, EXTRACELLULAR) - below(given.go_db, VESICLE)
    with contextlib.closing(_open(given.org_db)) as database:
        papers = database.execute(
            "SELECT gene_id, count(DISTINCT pubmed_id) FROM pubmed JOIN genes USING (_id) "
            "GROUP BY gene_id"
        ).fetchall()
        placed = database.execute(
            "SELECT DISTINCT gene_id, go_id FROM go_cc JOIN genes USING (_id) "
            f"WHERE evidence NOT IN {NOT_COUNTED}"
        ).fetchall()
    counted = pl.DataFrame(papers, ["entrez", "papers"], orient="row")
    there = {gene for gene, term in placed if term in outside}
    facts = (
        tables.read("genes", ["entrez"])
        .with_columns(pl.col("entrez").cast(pl.String))
        .join(counted, on="entrez", how="left", maintain_order="left")
        .select(
            pl.col("papers").fill_null(0).cast(pl.UInt32),
            pl.col("entrez").is_in(list(there)).fill_null(False).alias("extracellular"),
        )
    )
    about = {
        "sources": [
            {
                "source": given.org_db.name,
                "content": "NCBI Gene 2022-09-12: gene2pubmed, gene2go",
                "license": "NCBI public domain; annotations CC BY 4.0 (Gene Ontology Consortium)",
                "sha256": sha256_file(given.org_db),
            },
            {
                "source": given.go_db.name,
                "content": "Gene Ontology 2022-07-01",
                "license": "CC BY 4.0 (Gene Ontology Consortium)",
                "sha256": sha256_file(given.go_db),
            },
        ],
        "genes": facts.height,
        "genes with papers": int((facts["papers"] > 0).sum()),
        "gene-paper links": int(facts["papers"].sum()),
        "extracellular": int(facts["extracellular"].sum()),
    }
    with atomic_path(given.output / "facts.parquet") as temporary:
        facts.write_parquet(temporary, compression="zstd", compression_level=22, statistics=False)
    with atomic_path(given.output / "facts.json") as temporary:
        text = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8")
    print({name: value for name, value in about.items() if name != "sources"})


def below(database: Path, term: str) -> set[str]:
    """A term of the cellular components, and all terms that are a kind or a part of it."""
    children: dict[str, set[str]] = {}
    with contextlib.closing(_open(database)) as go:
        rows = go.execute(
            """SELECT child.go_id, parent.go_id FROM go_cc_parents AS pair
               JOIN go_term AS child ON child._id = pair._id
               JOIN go_term AS parent ON parent._id = pair._parent_id
               WHERE relationship_type IN ('isa', 'part of') AND parent.ontology = 'CC'"""
        )
        for child, parent in rows:
            children.setdefault(parent, set()).add(child)
    found, waiting = {term}, [term]
    while waiting:
        new = children.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


if __name__ == "__main__":
    main()
