"""The docs stay true: their commands are taken, their links lead somewhere, their tables name what there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from model_archiver.arg_parser import make_parser

from ts.runner.parser import parser
from ts.runner.serving.metrics import Meter
from ts.runner.serving.settings import ServingSettings

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for pattern in ("*.md", "docs/*.md", "examples/**/*.md", "benchmarks/*.md")
    for path in sorted(ROOT.glob(pattern))
}
COMMANDS = [
    (name, found)
    for name, text in PAGES.items()
    for found in re.findall(r"(?:`|^\$ )(torch-model-runner [^`\n#]+)", text, re.MULTILINE)
]


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_a_command_is_one_that_is_taken(page: str, command: str) -> None:
    words = shlex.split(command.split(" \\")[0])[1:]
    if len(words) > 1:  # else only its name is meant
        assert parser().parse_args(words).command == words[0]


PACKED = [
    (name, found.replace("\\\n", " "))
    for name, text in PAGES.items()
    for found in re.findall(r"^\$ (torch-model-archiver (?:.*\\\n)*.*)$", text, re.MULTILINE)
]


@pytest.mark.parametrize(("page", "command"), PACKED)
def test_the_archiver_takes_a_command(page: str, command: str) -> None:
    options = make_parser().parse_args(shlex.split(command)[1:])
    assert options.architecture or (options.model_name and options.version and options.handler)


def test_the_readme_is_short():
    assert len(PAGES["README.md"].splitlines()) <= 150


def test_links_lead_somewhere() -> None:
    for name, text in PAGES.items():
        for place, anchor in re.findall(r"\]\(([^)#:]*)(#[^)]*)?\)", text):
            target = (ROOT / name).parent / place if place else ROOT / name
            assert target.exists(), f"{name}: {place}"
            if anchor:
                headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
                assert anchor[1:] in {anchor_of(heading) for heading in headings}, f"{name}: {place}{anchor}"


def anchor_of(heading: str) -> str:
    """The name that GitHub gives a heading's link."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def first_column(page: str, heading: str) -> set[str]:
    """The names in backticks in the first column of the table that begins with a heading."""
    rows = PAGES[page].split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_the_metrics_of_the_table_are_those_of_a_server() -> None:
    meter = Meter()
    model = meter.of("kitten", "1.0")
    model.batch([0.1])
    model.restarted()
    families = set(re.findall(r"^# TYPE (\w+) \w+$", meter.page().decode(), re.MULTILINE))
    shown = {name for name in families if not name.endswith("_created")}
    assert first_column("docs/serving.md", "name") == shown


def test_the_keys_of_the_table_are_those_that_are_read() -> None:
    names = ServingSettings.__dataclass_fields__
    read = {re.sub(r"_(\w)", lambda found: found[1].upper(), name) for name in names}
    assert first_column("docs/serving.md", "key") - {"deviceType", "deviceIds"} == read
