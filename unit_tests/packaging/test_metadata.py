"""The `[project]` table says what the code and the pages say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from examples.sanity import EXTRAS
from ts import HANDLERS_VERSION

ROOT = Path(__file__).resolve().parents[2]
OF_CONTRIBUTORS = {"test", "docs", "dev"}
TEXTS = (".py", ".md", ".yml", ".yaml", ".toml", "Dockerfile")
EXTRA = re.compile(r"(?:torchserve-handlers|install '?\.|editable '?\.|-e '?\.)\[([\w,-]+)\]")
URL = re.compile(r"https://[\w.-]+/[^\s)>\"'`\]]*", re.ASCII)


@pytest.fixture(scope="module")
def extras(metadata: Message) -> set[str]:
    return set(metadata.get_all("Provides-Extra", []))


def texts(files: list[str], *folders: str, suffixes: tuple[str, ...] = TEXTS) -> Iterator[tuple[str, str]]:
    """Each text of the folders, by its name."""
    for name in files:
        if name.startswith(folders) and name.endswith(suffixes):
            yield name, (ROOT / name).read_text(encoding="utf-8")


def test_every_extra_that_is_named_anywhere_exists(project_files: list[str], extras: set[str]) -> None:
    named = {
        (name, extra)
        for name, text in texts(project_files, "")
        for extras_there in EXTRA.findall(text)
        for extra in extras_there.split(",")
    }
    assert len(named) > 20
    assert {(name, extra) for name, extra in named if extra not in extras} == set()


def test_every_extra_for_users_is_named_where_its_package_is_missed(
    project_files: list[str], extras: set[str]
) -> None:
    named = {extra for _, text in texts(project_files, "ts/") for extra in EXTRA.findall(text)}
    assert extras - OF_CONTRIBUTORS - named == set()


def test_the_sanity_script_installs_every_extra(extras: set[str]) -> None:
    assert set(EXTRAS) == extras


def test_each_message_about_a_missing_package_says_what_to_install(project_files: list[str]) -> None:
    silent = {
        name
        for name, text in texts(project_files, "ts/", "model-archiver/", suffixes=(".py",))
        for handler in ast.walk(ast.parse(text))
        if isinstance(handler, ast.ExceptHandler) and is_of_imports(handler) and words(handler)
        if "pip install" not in words(handler)
    }
    assert silent == {
        "ts/handler_utils/models/huggingface/network.py",  # transformers' own error, which says it
        "ts/runner/answering/loader.py",  # of a user's own handler
        "ts/runner/exporting/program.py",  # of a part of torch
    }


def is_of_imports(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.type, ast.Name) and handler.type.id in ("ImportError", "ModuleNotFoundError")


def words(handler: ast.ExceptHandler) -> str:
    """What a handler says that raises an error."""
    nodes = list(ast.walk(handler))
    if not any(isinstance(node, ast.Raise) and node.exc for node in nodes):
        return ""
    constants = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return "".join(value for value in constants if isinstance(value, str))


def test_the_version_is_the_one_of_the_sources(metadata: Message) -> None:
    assert metadata["Version"] == HANDLERS_VERSION


def test_the_licence_is_an_spdx_expression_with_its_text(metadata: Message) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert not [line for line in metadata.get_all("Classifier") if line.startswith("License")]


def test_the_pythons_named_begin_with_the_oldest_that_is_supported(metadata: Message) -> None:
    named = re.findall(r"Python :: 3\.(\d+)$", "\n".join(metadata.get_all("Classifier")), re.MULTILINE)
    oldest = metadata["Requires-Python"].partition(">=3.")[2]
    assert [int(minor) for minor in named] == list(range(int(oldest), 15))


def test_the_projects_home_is_the_same_everywhere(project_files: list[str], metadata: Message) -> None:
    homes = [url.split(", ")[1] for url in metadata.get_all("Project-URL")]
    homes.append(f"https://pypi.org/project/{metadata['Name']}/")
    named = {
        (name, url)
        for name, text in texts(project_files, "")
        for url in URL.findall(text)
        if "torchserve-handlers" in url.partition("://")[2].partition("#")[0]
    }
    assert len({name for name, _ in named}) > 1
    assert {(name, url) for name, url in named if not url.startswith(tuple(homes))} == set()
