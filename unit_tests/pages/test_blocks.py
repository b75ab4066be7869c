"""A block of a page is of a kind that is checked: what a reader copies works."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from typing import Callable

import pytest
import yaml
from pages import PAGES, Block, blocks, commands

from ts.handler_utils.embedding.settings import EmbedderSettings
from ts.handler_utils.images.settings import (
    ImageClassifierSettings,
    ImageSegmenterSettings,
    ObjectDetectorSettings,
)
from ts.handler_utils.settings import HandlerSettings, read_settings
from ts.handler_utils.text.settings import TextClassifierSettings
from ts.utils.model_config import KNOWN_KEYS

SETTINGS = (
    HandlerSettings,
    ImageClassifierSettings,
    ImageSegmenterSettings,
    ObjectDetectorSettings,
    TextClassifierSettings,
    EmbedderSettings,
)
# How other people's YAML begins, and what it has to have.
OTHERS_YAML = {
    "apiVersion": {"kind", "metadata"},
    "services": set(),
    "jobs": {"on"},
    "repos": set(),
    "dependencies": {"name"},
}
INSTRUCTIONS = {
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
}


def check_yaml(text: str) -> None:
    """It is a model-config.yaml that a handler takes, or what its first keys say."""
    for document in yaml.safe_load_all(text):
        keys = {"on" if key is True else key for key in document}  # as YAML 1.1 reads `on`
        other = next((key for key in OTHERS_YAML if key in keys), None)
        if other is not None:
            assert keys >= OTHERS_YAML[other]
        else:
            assert keys <= set(KNOWN_KEYS)
            assert any(takes(kind, document) for kind in SETTINGS), "no handler has these settings"


def takes(kind: type[HandlerSettings], document: dict[str, object]) -> bool:
    try:
        return not read_settings(kind, document).model_extra
    except ValueError:
        return False


def check_toml(text: str) -> None:
    if sys.version_info >= (3, 11):
        import tomllib

        tomllib.loads(text)


def check_shell(text: str) -> None:
    if shutil.which("bash"):
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def check_dockerfile(text: str) -> None:
    lines = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    found = [line.split()[0] for line in lines if line.strip()]
    assert set(found) <= INSTRUCTIONS
    assert found[0] in ("FROM", "ARG")


def check_properties(text: str) -> None:
    for line in text.splitlines():
        assert not line.strip() or re.match(r"#|[\w.]+=\S", line), line


CHECKS: dict[str, Callable[[str], object]] = {
    "python": lambda text: ast.parse(text, feature_version=(3, 9)),
    "yaml": check_yaml,
    "json": json.loads,
    "toml": check_toml,
    "bash": check_shell,
    "dockerfile": check_dockerfile,
    "properties": check_properties,
}
# What a program prints is its reader's alone; commands are in test_commands.py, requests in test_requests.py.
ELSEWHERE = ("console", "text")


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    strange = {str(block): block.kind for block in blocks() if block.kind not in {*CHECKS, *ELSEWHERE}}
    assert not strange, f"say how such a block is checked: {strange}"


@pytest.mark.parametrize("block", [pytest.param(block, id=str(block)) for block in blocks(*CHECKS)])
def test_a_block_is_what_it_says(block: Block) -> None:
    CHECKS[block.kind](block.text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("yaml", "batchsize: 8"),
        ("yaml", "handler: {tokp: 3}"),
        ("yaml", "handler: {topk: 0}"),
        ("yaml", "apiVersion: v1"),
        ("json", "{'a': 1}"),
        ("bash", "if true; do"),
        ("dockerfile", "FORM python"),
        ("dockerfile", "RUN true"),
        ("properties", "batch size 8"),
    ],
)
def test_what_is_wrong_is_found(kind: str, text: str) -> None:
    with pytest.raises((AssertionError, ValueError, subprocess.CalledProcessError)):
        CHECKS[kind](text)


def test_every_fence_is_closed() -> None:
    for name, text in PAGES.items():
        assert text.count("```") == 2 * sum(block.page == name for block in blocks()), name


def test_a_console_block_has_a_command() -> None:
    without = [str(block) for block in blocks("console") if not block.text.startswith("$ ")]
    assert not without, f"a line that is typed begins with $: {without}"
    assert len(commands()) > 100
