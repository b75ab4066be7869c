"""Prints the changelog's section of a tag, `python .github/release_notes.py v1.2.3`, for its release on GitHub.

Ends with 1, and a sentence, if the tag is not the version of the sources, or the changelog has no such section.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def version_of_sources(root: Path = ROOT) -> str:
    text = (root / "ts" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^HANDLERS_VERSION = "(.+)"$', text, re.MULTILINE)
    assert found, "ts/__init__.py states no HANDLERS_VERSION"
    return found[1]


def section(changelog: str, version: str) -> str:
    """The text below the heading of a version; empty where there is none.

    Args:
        changelog: In the form of Keep a Changelog, whose headings are `## [1.2.3] - 2026-01-31`.
        version: Of the section.
    """
    parts = re.split(r"^## +\[?([^\]\s]+)\]?.*$", changelog, flags=re.MULTILINE)
    text = dict(zip(parts[1::2], parts[2::2])).get(version, "")
    return re.sub(
        r"^\[[^\]]+\]: \S+$", "", text, flags=re.MULTILINE
    ).strip()  # the links at the end of the page


def main(tag: str, root: Path = ROOT) -> int:
    version = version_of_sources(root)
    if tag != f"v{version}":
        sys.stderr.write(f"the tag is {tag}, but ts/__init__.py has HANDLERS_VERSION {version}\n")
        return 1
    text = section((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    if not text:
        sys.stderr.write(f"CHANGELOG.md has nothing below a heading [{version}]\n")
        return 1
    sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
