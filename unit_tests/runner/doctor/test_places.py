"""What a console script starts with, and whose package a file is; unit_tests/packaging has the places."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import ts
from ts.runner.doctor import places
from ts.runner.doctor.places import interpreter, version_in

LONG = "#!/bin/sh\n'''exec' {} \"$0\" \"$@\"\n' '''\nimport re\n"


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("#!/opt/venv/bin/python\nimport re\n", "/opt/venv/bin/python"),
        ("#!/usr/bin/python3 -sP\nimport re\n", "/usr/bin/python3"),
        (LONG.format("/a/very/long/path/bin/python"), "/a/very/long/path/bin/python"),
        (LONG.format('"/a path/bin/python"'), "/a path/bin/python"),
        ("#!/bin/sh\necho torchserve\n", None),
        ("no script\n", None),
        ("", None),
    ],
)
def test_the_python_of_a_script_is_that_of_its_first_lines(tmp_path: Path, text: str, python: str) -> None:
    script = tmp_path / "torchserve"
    script.write_text(text)
    assert interpreter(script) == python


def test_a_script_may_leave_its_python_to_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    (tmp_path / "torchserve").write_text("#!/usr/bin/env python\n")
    assert interpreter(tmp_path / "torchserve") == str(Path(sys.executable).with_name("python"))


def test_a_program_is_no_script(tmp_path: Path) -> None:
    (tmp_path / "torchserve").write_bytes(b"\x7fELF\xff\xfe")
    assert interpreter(tmp_path / "torchserve") is None
    assert interpreter(tmp_path / "absent") is None


def test_a_package_is_known_by_the_version_that_it_states(tmp_path: Path) -> None:
    assert version_in(ts.__file__) == ts.HANDLERS_VERSION
    (tmp_path / "__init__.py").write_text('__version__ = "0.12.0"\n')
    assert version_in(tmp_path / "__init__.py") is None
    assert version_in(None) is None


@pytest.mark.parametrize(
    ("versions", "state"),
    [([ts.HANDLERS_VERSION], "ok"), ([ts.HANDLERS_VERSION] * 2, "ok"), (["0.0.1"], "wrong"), ([], "note")],
)
def test_copies_of_another_version_are_wrong(
    monkeypatch: pytest.MonkeyPatch, versions: list[str], state: str
) -> None:
    found = [SimpleNamespace(version=version) for version in versions]
    monkeypatch.setattr(importlib.metadata, "distributions", lambda **_: found)
    assert places.copies().state == state


@pytest.mark.parametrize("command", [places.torchserve_command, places.archiver_command])
def test_a_command_that_is_not_there_is_a_note(monkeypatch: pytest.MonkeyPatch, command: object) -> None:
    monkeypatch.setattr(places.shutil, "which", lambda *_, **__: None)
    assert command().state == "note"  # type: ignore[operator]
