"""Build the corpus that gsfm ships: `src/gsfm/corpus/data/publications.safetensors.xz`.

    python scripts/build_embedded_corpus.py r-bioc-org.hs.eg.db_3.16.0-1_all.deb

Source: the gene-paper links of NCBI Gene (public domain), release 2022-09-12, as the Debian package
r-bioc-org.hs.eg.db 3.16 (bookworm) carries them in extdata/org.Hs.eg.sqlite. The argument is the
package, the unpacked file, or NCBI's own gene2pubmed.gz.

The script writes all human papers with 4 to 1000 known genes, and a manifest: the source, its
release and hash, how its gene ids were resolved, and how many papers were left out. The same input
and gene table give the same bytes. Run it again whenever the gene table is built again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from gsfm.corpus import builder, inputs, shipped
from gsfm.genes import Vocabulary
from gsfm.io.files import atomic_path

DATA = Path(__file__).parents[1] / "src" / "gsfm" / "corpus" / "data" / shipped.FILE
MIN, MAX = 4, 1000


def main() -> None:
    """Run the build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help=".deb, org.Hs.eg.sqlite or gene2pubmed(.gz)")
    parser.add_argument("-o", "--output", type=Path, default=DATA)
    arguments = parser.parse_args()

    (item,), *_ = inputs.find([("publications", arguments.source)])
    papers, record = builder.read(item, None)
    reason = builder.by_size(papers.sizes, MIN, MAX)
    sets = papers[np.flatnonzero(reason == 0)]
    used = np.flatnonzero(np.bincount(sets.indices, minlength=sets.n_genes))
    sets = sets.reindex(Vocabulary(sets.vocabulary[int(g)] for g in used))
    record["sets"] = builder.account(np.bincount(reason, minlength=1 + len(builder.REASONS)))
    settings = {"min_size": MIN, "max_size": MAX, "species": "human"}
    sets.manifest = builder.manifest(sets, settings, [record])
    pmids = np.array([int(name.removeprefix("PMID:")) for name in sets.names])
    content = shipped.pack(pmids, sets)
    with atomic_path(arguments.output) as temporary:
        temporary.write_bytes(content)
    print(f"{arguments.output.name}: {sets}, {len(content):,} bytes")


if __name__ == "__main__":
    main()
