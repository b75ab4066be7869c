"""What MkDocs is told beside mkdocs.yml: pages from outside of docs/, links as GitHub has them, tables of fields.

A page stands once. SECURITY.md, the READMEs of the examples and the like become pages of the site as they are. A
relative link leads to the file that it names on GitHub, and on the site to the page of that file, or to GitHub's
where it has none.
"""

from __future__ import annotations

import logging
import posixpath
import re
import sys
from pathlib import Path
from typing import Any, Optional

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
ALONE = {
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "examples/README.md": "examples/index.md",
    "benchmarks/README.md": "benchmarks.md",
}

LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")
FIELDS = re.compile(r"^<!-- fields: ([\w.]+) -->$", re.MULTILINE)
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)

logger = logging.getLogger("mkdocs.hooks.torchserve_handlers")  # below mkdocs, whose warnings strict counts


def pages_from_outside(root: Path = ROOT) -> dict[str, str]:
    """The page of the site, or its picture, by the path of each file outside of docs/ that is one."""
    examples = (path.parent.relative_to(root).as_posix() for path in root.glob("examples/*/README.md"))
    pictures = (path.relative_to(root).as_posix() for path in root.glob("benchmarks/runs/*.png"))
    return {
        **ALONE,
        **{f"{folder}/README.md": f"{folder}.md" for folder in examples},
        **{path: path for path in pictures},
    }


def on_files(files: Files, *, config: Any) -> Files:
    """Adds the pages that lie outside of docs/; each is edited where it lies."""
    for path, page in pages_from_outside().items():
        file = File.generated(config, page, abs_src_path=str(ROOT / path))
        file.edit_uri = f"../{path}"
        files.append(file)
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Makes the links of a page right for the site, and fills in its tables of fields."""
    outside = {shown: path for path, shown in pages_from_outside().items()}
    source = outside.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    kept = FENCE.findall(markdown)
    prose = [_linked(part, source, page.file.src_uri, config.repo_url) for part in FENCE.split(markdown)]
    whole = "".join(part for pair in zip(prose, [*kept, ""]) for part in pair)
    return FIELDS.sub(lambda found: _table(found[1]), whole)


def _linked(text: str, source: str, shown: str, repository: str) -> str:
    def link(found: re.Match[str]) -> str:
        target = site_link(found[1], source, shown, repository)
        if target is None:
            logger.warning("%s links to %s, which is not there", source, found[1])
        return f"{target or found[1]}{found[2] or ''}"

    return LINK.sub(link, text)


def site_link(target: str, source: str, shown: str, repository: str) -> Optional[str]:
    """A link for the site.

    Args:
        target: the link as it stands, relative to its file.
        source: that file, by its path in the repository.
        shown: its page, by its path in docs/ as MkDocs sees it.
        repository: the address of the repository, without a slash at its end.

    Returns:
        The link; None where no file lies there.
    """
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if not (ROOT / path).exists():
        return None
    if (ROOT / path / "README.md").is_file():
        path = f"{path}/README.md"
    page = pages_from_outside().get(path)
    if page is None and path.startswith("docs/"):
        page = path[len("docs/") :]
    if page is None:
        return f"{repository}/{'tree' if (ROOT / path).is_dir() else 'blob'}/main/{path}"
    return posixpath.relpath(page, posixpath.dirname(shown) or ".")


def _table(name: str) -> str:
    sys.path[:0] = [path for path in (str(ROOT / ".overlay"), str(ROOT)) if path not in sys.path]
    from docs.builder.fields import table_of

    return table_of(name)
