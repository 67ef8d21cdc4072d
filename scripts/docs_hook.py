"""A hook of MkDocs: the pages outside ``docs`` join the site, and links between all pages work.

Links in Markdown lead to files of the repository, so that they also work in a checkout. On the site
the files of ``docs`` are one level higher. A link to a file that is no page becomes plain text.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
#: Pages outside docs/; on the site they have the same path as in the repository.
PAGES = (
    *("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"),
    *("benchmarks/README.md", "benchmarks/ablations/README.md"),
)
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!\w+:)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages outside ``docs``."""
    for page in PAGES:
        files.append(File.generated(config, page, abs_src_path=str(ROOT / page)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links between files of the repository into links between pages of the site."""
    here = page.file.src_uri
    source = here if here in PAGES else f"docs/{here}"

    def replaced(match: re.Match[str]) -> str:
        text, path, anchor = match[1], match[2], match[3] or ""
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        uri = target.removeprefix("docs/")
        if files.get_file_from_path(uri) is None:
            # A link within docs/ that is broken stays one, so that the build fails.
            return match[0] if target.startswith("docs/") or not (ROOT / target).exists() else text
        return f"[{text}]({posixpath.relpath(uri, posixpath.dirname(here) or '.')}{anchor})"

    return LINK.sub(replaced, markdown)
