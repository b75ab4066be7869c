"""Each link of a page leads somewhere, on GitHub; the site's own are checked by its build."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from pages import FENCE, PAGES, ROOT

LINK = re.compile(r"\]\(([^)#:\s]*)(#[^)\s]*)?\)")


@cache
def anchors(path: Path) -> set[str]:
    """The names that parts of a page have on GitHub: of its headings, and of `<a id="...">`."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {anchor_of(heading) for heading in headings} | set(re.findall(r'<a id="([^"]+)">', text))


def anchor_of(heading: str) -> str:
    """The name that GitHub gives a heading's link."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def broken(page: str, text: str) -> list[str]:
    found = []
    for place, anchor in LINK.findall(FENCE.sub("", text)):
        target = (ROOT / page).parent / place if place else ROOT / page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor[1:] not in anchors(target)):
            found.append(f"{page}: {place}{anchor}")
    return found


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert broken(page, PAGES[page]) == []


def test_a_link_to_nothing_is_found() -> None:
    text = "[a](nothing.md) [b](CHANGELOG.md#nothing) [c](CHANGELOG.md#unreleased) [d](docs) [e](#nothing)"
    assert broken("README.md", text) == [
        "README.md: nothing.md",
        "README.md: CHANGELOG.md#nothing",
        "README.md: #nothing",
    ]


def test_the_readme_is_short() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 150


def test_prose_is_wrapped() -> None:
    for page, text in PAGES.items():
        if page.startswith("docs/"):
            lines = FENCE.sub("", text).splitlines()
            assert [line for line in lines if len(line) > 120 and not line.startswith(("|", "<!--"))] == [], (
                page
            )
