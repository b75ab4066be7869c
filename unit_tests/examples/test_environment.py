"""The virtual environment is made once, and installed into only when something has changed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from examples import environment
from examples.environment import Environment, enter, has_project
from examples.installing import SetupError, Torch
from examples.steps import StepFailedError


class FakeSteps:
    """Stands for `run_step`: notes the commands; the environment that it makes is a link to this Python."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.pip_fails = False
        self.installed_torch = ""

    def __call__(self, label: str, command: Sequence[str | Path], log: Path) -> None:
        self.commands.append([str(part) for part in command])
        if "venv" in self.commands[-1]:
            folder = Path(command[-1])
            shutil.rmtree(folder, ignore_errors=True)  # as --clear does
            link_python(folder)
        elif self.pip_fails:
            raise StepFailedError(label, 1, log)

    def take_modules(self) -> list[str]:
        """The modules run since the last call: venv, pip."""
        modules = [command[2] for command in self.commands]
        self.commands.clear()
        return modules


def link_python(folder: Path, executable: str = sys.executable) -> None:
    """Makes what is an environment as far as `Environment` looks, without packages of its own."""
    python = Environment(folder).python
    python.parent.mkdir(parents=True, exist_ok=True)
    python.symlink_to(executable)


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSteps:
    fake = FakeSteps()
    monkeypatch.setattr(environment, "run_step", fake)
    monkeypatch.setattr(environment, "run_pip", fake)
    monkeypatch.setattr(environment, "ensure_pip", lambda _: None)
    monkeypatch.setattr(environment, "ask_pip", lambda *_: fake.installed_torch)
    monkeypatch.setattr(environment, "choose_torch", lambda _, requirements: Torch(tuple(requirements)))
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    (tmp_path / "ts").mkdir()
    for name in environment.INSTALLED_FROM:
        (tmp_path / name).write_text("")
    return fake


@pytest.fixture
def ready(tmp_path: Path, steps: FakeSteps) -> Environment:
    """An environment that is made and up to date."""
    made = Environment(tmp_path / ".venv")
    made.ensure()
    assert steps.take_modules() == ["venv", "pip"]
    return made


def test_an_environment_that_is_up_to_date_is_left_alone(ready: Environment, steps: FakeSteps) -> None:
    ready.ensure()
    assert steps.take_modules() == []


@pytest.mark.parametrize("name", ["setup.py", "pyproject.toml", "ts/__init__.py"])
def test_a_changed_setup_or_version_is_installed_again(
    ready: Environment, steps: FakeSteps, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("changed")
    ready.ensure()
    assert steps.take_modules() == ["pip"]


def test_other_requirements_are_installed(ready: Environment, steps: FakeSteps) -> None:
    Environment(ready.folder, ("torch==2.3.1",)).ensure()
    assert steps.commands[-1][-1] == "torch==2.3.1"


def test_extras_add_up(ready: Environment, steps: FakeSteps, tmp_path: Path) -> None:
    ready.ensure(["server"])
    ready.ensure(["test"])
    assert f"{tmp_path}[server,test]" in steps.commands[-1]
    steps.commands.clear()
    ready.ensure(["server"])
    ready.ensure()
    assert steps.take_modules() == []


def test_an_environment_whose_python_has_gone_is_made_anew(ready: Environment, steps: FakeSteps) -> None:
    ready.python.unlink()
    ready.python.symlink_to("/nonexistent/python3")
    ready.ensure()
    assert steps.take_modules()[0] == "venv"


def test_an_install_that_failed_is_tried_again(ready: Environment, steps: FakeSteps) -> None:
    steps.pip_fails = True
    with pytest.raises(StepFailedError, match=r"install torchserve-handlers\[server\] failed"):
        ready.ensure(["server"])
    steps.pip_fails = False
    steps.commands.clear()
    ready.ensure()
    assert steps.take_modules() == ["pip"]


def test_somebody_elses_environment_keeps_its_torch(tmp_path: Path, steps: FakeSteps) -> None:
    link_python(tmp_path / ".venv")
    steps.installed_torch = "Name: torch"
    Environment(tmp_path / ".venv", ("torch==2.14.1",)).ensure()
    assert [command[2:] for command in steps.commands] == [["pip", "install", "--editable", str(tmp_path)]]


def test_somebody_elses_environment_without_torch_gets_the_tested_one(
    tmp_path: Path, steps: FakeSteps
) -> None:
    link_python(tmp_path / ".venv")
    Environment(tmp_path / ".venv", ("torch==2.14.1",)).ensure()
    assert steps.commands[-1][-1] == "torch==2.14.1"
    assert steps.take_modules() == ["pip"]


def test_somebody_elses_environment_is_not_deleted(tmp_path: Path, steps: FakeSteps) -> None:
    theirs = Environment(tmp_path / ".venv")
    link_python(theirs.folder)
    theirs.ensure()
    (theirs.folder / "of_theirs").touch()
    theirs.python.unlink()
    theirs.python.symlink_to("/nonexistent/python3")
    with pytest.raises(
        SetupError, match="no environment of this project's making, but one whose Python does"
    ):
        theirs.ensure()
    assert (theirs.folder / "of_theirs").exists()


def test_somebody_elses_environment_of_an_old_python_is_named(tmp_path: Path, steps: FakeSteps) -> None:
    old = tmp_path / "python3.8"
    old.write_text("#!/bin/sh\necho 3 8\n")
    old.chmod(0o755)
    link_python(tmp_path / ".venv", str(old))
    with pytest.raises(SetupError, match=r"one of Python 3\.8, which is too old: move it away"):
        Environment(tmp_path / ".venv").ensure()
    assert steps.commands == []


def test_a_file_in_the_environments_place_is_named(tmp_path: Path, steps: FakeSteps) -> None:
    (tmp_path / ".venv").touch()
    with pytest.raises(SetupError, match="move it away"):
        Environment(tmp_path / ".venv").ensure()


def test_an_empty_folder_becomes_the_environment(tmp_path: Path, steps: FakeSteps) -> None:
    (tmp_path / ".venv").mkdir()
    Environment(tmp_path / ".venv").ensure()
    assert steps.take_modules() == ["venv", "pip"]


def test_an_install_that_failed_leaves_an_environment_of_this_projects(
    ready: Environment, steps: FakeSteps
) -> None:
    steps.pip_fails = True
    with pytest.raises(StepFailedError):
        ready.ensure(["server"])
    steps.pip_fails = False
    ready.python.unlink()
    steps.commands.clear()
    ready.ensure()
    assert steps.take_modules() == ["venv", "pip"]


def test_a_python_that_cannot_make_environments_says_what_can(
    tmp_path: Path, steps: FakeSteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda _: None)
    with pytest.raises(SetupError, match=r"apt install python3-venv mends that, elsewhere uv venv --seed"):
        Environment(tmp_path / ".venv").ensure()


def test_no_room_is_said_before_anything_is_fetched(
    tmp_path: Path, steps: FakeSteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "choose_torch", lambda *_: Torch((), "torch", 1e9))
    with pytest.raises(SetupError, match=r"needs about 1000000000\.0 GB, and \d+\.\d GB are free there"):
        Environment(tmp_path / ".venv").ensure()
    assert steps.take_modules() == ["venv"]


def test_what_comes_is_said_once(
    tmp_path: Path, steps: FakeSteps, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "choose_torch", lambda *_: Torch((), "torch: 3 GB"))
    made = Environment(tmp_path / ".venv")
    made.ensure()
    assert capsys.readouterr().out == "        torch: 3 GB\n"
    steps.installed_torch = "Name: torch"
    made.ensure(["server"])
    assert capsys.readouterr().out == ""


def test_a_script_goes_on_where_the_project_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_project(["json"])
    assert not has_project(["no_such_module"])
    assert not has_project(["no_such_package.module"])
    monkeypatch.setattr(Environment, "ensure", lambda *_: pytest.fail("it is there"))
    enter(["json"])


def test_elsewhere_a_script_is_started_again_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called: list[object] = []
    monkeypatch.setattr(Environment, "ensure", lambda _, extras: called.extend(extras))
    monkeypatch.setattr(
        Environment, "execute", lambda _, script, arguments: called.append((script, arguments)) or 7
    )
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "ask.py"), "--more"])
    with pytest.raises(SystemExit, match="7"):
        enter(["no_such_module"])
    assert called == ["no_such_module", (tmp_path / "ask.py", ["--more"])]
