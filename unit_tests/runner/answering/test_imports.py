from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ts.runner.answering.imports import ImportScope


def scope_with(folder: Path, **modules: str) -> ImportScope:
    folder.mkdir()
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    return ImportScope(folder)


def state() -> tuple:
    return list(sys.path), dict(sys.modules), os.getcwd(), sys.dont_write_bytecode


def test_the_process_is_left_as_it_was(tmp_path: Path) -> None:
    scope = scope_with(tmp_path / "a", tiny_handler="")
    before = state()
    with scope.active():
        import tiny_handler  # type: ignore[import-not-found]

        assert sys.path[0] == os.getcwd() == str(tmp_path / "a")
        assert tiny_handler.__file__ == str(tmp_path / "a" / "tiny_handler.py")
    assert state() == before
    assert not (tmp_path / "a" / "__pycache__").exists()


def test_the_process_is_left_as_it_was_after_an_error(tmp_path: Path) -> None:
    before = state()
    with pytest.raises(ZeroDivisionError), scope_with(tmp_path / "a", tiny_handler="1 / 0").active():
        import tiny_handler  # noqa: F401
    assert state() == before


def test_two_archives_do_not_see_each_others_modules(tmp_path: Path) -> None:
    scopes = [scope_with(tmp_path / name, tiny_model=f"NAME = '{name}'") for name in "ab"]
    for _ in range(2):
        for scope, name in zip(scopes, "ab"):
            with scope.active():
                import tiny_model  # type: ignore[import-not-found]

                assert name == tiny_model.NAME


def test_a_module_is_imported_once(tmp_path: Path) -> None:
    scope = scope_with(tmp_path / "a", tiny_model="COUNT = []")
    for expected in (0, 1):
        with scope.active():
            import tiny_model

            assert len(tiny_model.COUNT) == expected
            tiny_model.COUNT.append(1)


def test_a_module_of_the_callers_steps_aside_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = ModuleType("tiny_utils")
    monkeypatch.setitem(sys.modules, "tiny_utils", callers)
    with scope_with(tmp_path / "a", tiny_utils="OWN = True").active():
        import tiny_utils  # type: ignore[import-not-found]

        assert tiny_utils.OWN
    assert sys.modules["tiny_utils"] is callers


def test_the_standard_library_does_not_step_aside(tmp_path: Path) -> None:
    import json as before

    with scope_with(tmp_path / "a", json="OWN = True").active():
        import json

        assert json is before


def test_a_path_that_the_handler_adds_stays_with_its_archive(tmp_path: Path) -> None:
    scope = scope_with(tmp_path / "a")
    with scope.active():
        sys.path.append("/models/lib")
    assert "/models/lib" not in sys.path
    with scope.active():
        assert "/models/lib" in sys.path


def test_a_scope_that_is_active_can_be_entered_again(tmp_path: Path) -> None:
    scope = scope_with(tmp_path / "a", tiny_handler="")
    before = state()
    with scope.active():
        with scope.active():
            import tiny_handler

            inside = state()
        assert state() == inside
        assert sys.modules["tiny_handler"] is tiny_handler
    assert state() == before
