"""README.md on a package index, where links relative to the repository lead nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest
from markdown_it import MarkdownIt  # which rich brings
from markdown_it.token import Token

from ts import HANDLERS_VERSION

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def home(metadata: Message) -> str:
    return dict(url.split(", ") for url in metadata.get_all("Project-URL"))["Repository"]


@pytest.fixture(scope="module")
def page(metadata: Message) -> str:
    return metadata.get_payload(decode=True).decode()


def tokens(text: str) -> Iterator[Token]:
    for block in MarkdownIt().enable("table").parse(text):
        yield from (block, *(block.children or []))


def targets(text: str) -> list[tuple[str, str]]:
    """What the text links to or shows: the kind (`a` or `img`), and where."""
    found = [(token.tag, token.attrGet("href") or token.attrGet("src")) for token in tokens(text)]
    return [(tag, str(target)) for tag, target in found if target]


def test_every_link_leads_to_the_files_of_this_version(page: str, home: str) -> None:
    here = targets((ROOT / "README.md").read_text(encoding="utf-8"))
    there = targets(page)
    assert [tag for tag, _ in here] == [tag for tag, _ in there]
    assert len([target for _, target in there if target.startswith(home)]) > 10
    for (tag, before), (_, after) in zip(here, there):
        if before.startswith(("https://", "#")):
            assert after == before
            continue
        path, anchor, fragment = before.partition("#")
        form = "raw" if tag == "img" else "tree" if (ROOT / path).is_dir() else "blob"
        assert (ROOT / path).exists()
        assert after == f"{home}/{form}/v{HANDLERS_VERSION}/{path}{anchor}{fragment}"


def test_the_readme_has_no_html_whose_links_would_stay_as_they_are(page: str) -> None:
    html = [token.content.strip() for token in tokens(page) if token.type.startswith("html")]
    assert [text for text in html if not re.fullmatch(r"<!--[^<>]*-->", text)] == []


def test_nothing_but_the_links_differs_from_the_readme(metadata: Message, page: str) -> None:
    assert metadata["Description-Content-Type"] == "text/markdown"
    here, there = (
        [(token.type, token.info, token.content) for token in tokens(text) if token.type != "inline"]
        for text in ((ROOT / "README.md").read_text(encoding="utf-8"), page)
    )
    assert here == there
