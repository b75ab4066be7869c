"""A release has the text that the changelog has of it, and is made of the version that its tag says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / ".github" / "release_notes.py"

spec = importlib.util.spec_from_file_location("release_notes", SCRIPT)
assert spec
assert spec.loader
release_notes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(release_notes)

CHANGELOG = """# Changelog

## [Unreleased]

- Not yet.

## [1.1.0] - 2026-02-01

### Added

- A thing, see [1.0.0].

## [1.0.0] - 2026-01-01

- The first.

[Unreleased]: https://example.org/compare/v1.1.0...HEAD
[1.0.0]: https://example.org/v1.0.0
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "ts").mkdir()
    (tmp_path / "ts" / "__init__.py").write_text('import os\n\nHANDLERS_VERSION = "1.1.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def test_the_section_of_the_version_and_nothing_else(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release_notes.main("v1.1.0", project) == 0
    assert capsys.readouterr().out == "### Added\n\n- A thing, see [1.0.0].\n"


def test_the_links_at_the_end_are_no_news() -> None:
    assert release_notes.section(CHANGELOG, "1.0.0") == "- The first."


def test_a_tag_of_another_version(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release_notes.main("v1.2.0", project) == 1
    said = "the tag is v1.2.0, but ts/__init__.py has HANDLERS_VERSION 1.1.0\n"
    assert capsys.readouterr() == ("", said)


def test_a_version_of_which_nothing_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n- All of it.\n")
    assert release_notes.main("v1.1.0", project) == 1
    assert capsys.readouterr() == ("", "CHANGELOG.md has nothing below a heading [1.1.0]\n")


def test_this_version_can_be_released(capsys: pytest.CaptureFixture[str]) -> None:
    assert release_notes.main(f"v{release_notes.version_of_sources()}") == 0
    assert capsys.readouterr().out.startswith("### ")
