"""Build the corpus that gsfm ships: `src/gsfm/corpus/data/publications.safetensors.xz`.

    python scripts/build_embedded_corpus.py r-bioc-org.hs.eg.db_3.16.0-1_all.deb

Source: the gene-paper links of NCBI Gene (public domain), release 2022-09-12, as the Debian package
r-bioc-org.hs.eg.db 3.16 (bookworm) carries them in extdata/org.Hs.eg.sqlite. The package, that file
unpacked, or NCBI's own gene2pubmed.gz may be given.

Written are all human papers with 4 to 1000 known genes, with a manifest: the source, its release
and hash, how its gene ids were resolved, and how many papers were left out. The same input and gene
table give the same bytes. Run it anew when the gene table is built anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from gsfm import corpus
from gsfm._files import atomic_path, sha256_file
from gsfm.corpus import _embedded
from gsfm.corpus.sources import publications

DATA = Path(__file__).parents[1] / "src" / "gsfm" / "corpus" / "data" / _embedded.FILE
SMALLEST, LARGEST = 4, 1000


def main() -> None:
    """Run the build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help=".deb, org.Hs.eg.sqlite or gene2pubmed(.gz)")
    parser.add_argument("-o", "--output", type=Path, default=DATA)
    arguments = parser.parse_args()

    papers = publications.read(arguments.source)
    report = papers.report
    assert report is not None
    sizes = papers.sizes
    kept = (sizes >= SMALLEST) & (sizes <= LARGEST)
    sets = papers[np.flatnonzero(kept)]
    used = np.flatnonzero(np.bincount(sets.indices, minlength=sets.n_genes))
    sets = sets.reindex(type(sets.vocabulary)(sets.vocabulary[int(g)] for g in used))
    sets.manifest = {
        "source": "publications",
        "licence": papers.manifest["licence"],
        "release": papers.manifest["release"],
        "file": arguments.source.name,
        "sha256": sha256_file(arguments.source),
        "genes": {
            "given": report.n_identifiers,
            "resolved": sum(report.matched.values()),
            "kept": sets.n_genes,
        },
        "sets": {
            "read": len(papers),
            "kept": len(sets),
            "dropped": {
                "no_known_gene": int((sizes == 0).sum()),
                "too_small": int(((sizes > 0) & (sizes < SMALLEST)).sum()),
                "too_large": int((sizes > LARGEST).sum()),
            },
        },
        "members": len(sets.indices),
        "settings": {"min": SMALLEST - 1, "max": LARGEST + 1},
        "hash": corpus.content_hash(sets),
    }
    pmids = np.array([int(name.removeprefix("PMID:")) for name in sets.names])
    content = _embedded.pack(pmids, sets)
    with atomic_path(arguments.output) as temporary:
        temporary.write_bytes(content)
    print(f"{arguments.output.name}: {sets}, {len(content):,} bytes")


if __name__ == "__main__":
    main()
