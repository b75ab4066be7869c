"""CHANGELOG.md keeps the form of Keep a Changelog, and knows the version of the sources."""

from __future__ import annotations

import re
from datetime import date
from email.message import Message
from pathlib import Path

import pytest

from ts import HANDLERS_VERSION

CHANGELOG = (Path(__file__).resolve().parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
HEADINGS = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
RELEASES = [match for match in (re.fullmatch(r"\[(.+)\] - (.+)", heading) for heading in HEADINGS) if match]


def test_what_is_not_released_comes_first_and_all_else_has_a_version_and_a_day() -> None:
    assert HEADINGS[0] == "[Unreleased]"
    assert len(RELEASES) == len(HEADINGS) - 1
    days = [date.fromisoformat(release[2]) for release in RELEASES]
    assert days == sorted(days, reverse=True)


def test_the_version_of_the_sources_has_a_section() -> None:
    assert HANDLERS_VERSION in [release[1] for release in RELEASES]


def test_changes_stand_under_their_kinds() -> None:
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= KINDS


@pytest.fixture
def home(metadata: Message) -> str:
    return dict(url.split(", ") for url in metadata.get_all("Project-URL"))["Repository"]


def test_each_heading_links_to_what_changed_since_the_version_before(home: str) -> None:
    links = dict(re.findall(r"^\[(.+)\]: (.+)$", CHANGELOG, re.MULTILINE))
    versions = [release[1] for release in RELEASES]
    expected = {"Unreleased": f"{home}/compare/v{versions[0]}...HEAD"}
    expected |= {new: f"{home}/compare/v{old}...v{new}" for new, old in zip(versions, versions[1:])}
    expected[versions[-1]] = f"{home}/releases/tag/v{versions[-1]}"
    assert links == expected
