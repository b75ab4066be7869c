"""What the site makes of the pages: links, pages from outside of docs/, tables of fields, drawings."""

from __future__ import annotations

import re

import model_archiver
import pytest
from pages import PAGES, ROOT

import ts.runner
from docs.builder.drawings import DRAWINGS
from docs.builder.fields import allowed, table_of

REPOSITORY = "https://example.org/project"


@pytest.fixture(scope="module")
def hooks():
    pytest.importorskip("mkdocs", reason="needs mkdocs: pip install 'torchserve-handlers[docs]'")
    from docs.builder import hooks

    return hooks


@pytest.mark.parametrize(
    ("target", "page", "on_the_site"),
    [
        ("requests.md", "docs/settings.md", "requests.md"),
        ("../SECURITY.md", "docs/requests.md", "security.md"),
        ("docs/ray.md", "SECURITY.md", "ray.md"),
        ("../examples/embedder", "docs/embedder.md", "examples/embedder.md"),
        ("image_classifier/README.md", "examples/README.md", "image_classifier.md"),
        ("../settings.md", "docs/reference/settings.md", "../settings.md"),
        ("runs/handlers-cpu.png", "benchmarks/README.md", "benchmarks/runs/handlers-cpu.png"),
        ("../unit_tests/packaging", "docs/how-it-works.md", f"{REPOSITORY}/tree/main/unit_tests/packaging"),
        ("../README.md", "docs/index.md", f"{REPOSITORY}/blob/main/README.md"),
        ("nothing.md", "docs/index.md", None),
    ],
)
def test_a_link_leads_to_the_page_of_its_file_or_to_github(hooks, target, page, on_the_site):
    shown = hooks.pages_from_outside().get(page, page.partition("docs/")[2])
    assert hooks.site_link(target, page, shown, REPOSITORY) == on_the_site


def test_links_in_blocks_stay(hooks):
    class Page:
        class file:
            src_uri = "index.md"

    class Config:
        repo_url = REPOSITORY

    text = (
        "[a](../LICENSE) [b](https://example.org/x.md) [c](#here)\n"
        "```text\n[a](../LICENSE)\n```\n[d](models.md#a)"
    )
    made = hooks.on_page_markdown(text, page=Page, config=Config)
    assert made == text.replace("(../LICENSE) [b]", f"({REPOSITORY}/blob/main/LICENSE) [b]")


def test_every_page_is_in_the_navigation(hooks):
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"^ +- (?:[^:\n]+: )?([\w/.-]+\.md)$", text, re.MULTILINE))
    pages = {name[len("docs/") :] for name in PAGES if name.startswith("docs/")}
    outside = {page for page in hooks.pages_from_outside().values() if page.endswith(".md")}
    assert listed == pages | outside


def test_the_site_fetches_nothing():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.search(r"^  font: false$", text, re.MULTILINE)
    assert not re.search(r"^extra_\w+:.*http|mermaid", text, re.MULTILINE)
    link = (ROOT / "docs" / "builder" / "theme" / "partials" / "source.html").read_text(encoding="utf-8")
    assert "data-md-component" not in link  # by which the theme's script asks GitHub


def test_every_options_and_settings_class_has_its_table():
    page = PAGES["docs/reference/settings.md"]
    shown = re.findall(r"^::: ([\w.]+)$", page, re.MULTILINE)
    assert re.findall(r"^<!-- fields: ([\w.]+) -->$", page, re.MULTILINE) == shown
    assert len(shown) == 18


def test_a_table_has_a_class_s_own_fields_and_leads_to_the_others():
    table = table_of("ts.handler_utils.images.settings.ImageClassifierSettings")
    assert "| `topk` |" not in table
    assert "[ImageClassifierOptions][ts.handler_utils.images.settings.ImageClassifierOptions]" in table
    row = next(
        line
        for line in table_of("ts.handler_utils.images.settings.ImageClassifierOptions").splitlines()
        if line.startswith("| `topk`")
    )
    assert row == "| `topk` | integer, at least 1 | 5 | classes in an answer, best first |"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "number", "minimum": 0, "maximum": 1}, "number, at least 0, at most 1"),
        ({"enum": ["json", "png"]}, "`json`, `png`"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer"),
        (
            {"type": "array", "items": {"type": "integer"}, "minItems": 2},
            "list of integer, at least 2 of them",
        ),
        ({"$ref": "#/$defs/Warmup"}, "object of `batch_sizes`"),
        ({}, "any"),
    ],
)
def test_what_a_schema_allows_is_told_in_words(schema, words):
    others = {"Warmup": {"type": "object", "properties": {"batch_sizes": {}}}}
    assert allowed(schema, others) == words


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_that_of_its_script(name):
    kept = (ROOT / "docs" / "pictures" / name).read_text(encoding="utf-8")
    assert kept == DRAWINGS[name]().svg(), "run: python docs/builder/drawings.py"


def test_the_reference_has_the_public_surface():
    shown = {
        name
        for page, text in PAGES.items()
        if page.startswith("docs/reference/")
        for name in re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE)
    }
    errors = {
        "ArchiveError",
        "DeviceError",
        "RunnerError",
        "ServerError",
        "ModelArchiverError",
    }  # of their modules
    wanted = {
        f"{package.__name__}.{name}" for package in (ts.runner, model_archiver) for name in package.__all__
    }
    wanted -= {"model_archiver.__version__"}
    assert {name for name in wanted - shown if name.rpartition(".")[2] not in errors} == set()
    assert {"ts.runner.errors", "model_archiver.model_archiver_error"} <= shown
    handlers = {path.stem for path in (ROOT / "ts" / "torch_handler").glob("*.py")} - {
        "__init__",
        "contractions",
    }
    assert {name.split(".")[2] for name in shown if name.startswith("ts.torch_handler.")} == handlers


def test_no_code_in_a_table_has_a_bar():
    """GitHub wants a backslash before it there, which the site would show."""
    wrong = {page: re.findall(r"^\|.*`[^`|]*\\\|.*$", text, re.MULTILINE) for page, text in PAGES.items()}
    assert {page: rows for page, rows in wrong.items() if rows} == {}
