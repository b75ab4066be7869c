"""The virtual environment is made once, and installed into only when something has changed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from examples import environment
from examples.environment import Environment
from examples.steps import StepFailedError


class FakeSteps:
    """Stands for `run_step`: notes the commands; the environment that it makes is a link to this Python."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.pip_fails = False

    def __call__(self, label: str, command: Sequence[str | Path], log: Path) -> None:
        self.commands.append([str(part) for part in command])
        if "venv" in self.commands[-1]:
            python = Environment(Path(command[-1])).python
            python.parent.mkdir(parents=True, exist_ok=True)
            python.unlink(missing_ok=True)
            python.symlink_to(sys.executable)
        elif self.pip_fails:
            raise StepFailedError(label, 1, log)

    def take_modules(self) -> list[str]:
        """The modules run since the last call: venv, pip."""
        modules = [command[2] for command in self.commands]
        self.commands.clear()
        return modules


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSteps:
    fake = FakeSteps()
    monkeypatch.setattr(environment, "run_step", fake)
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    for name in ("setup.py", "pyproject.toml"):
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


def test_a_changed_setup_is_installed_again(ready: Environment, steps: FakeSteps, tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("setup()")
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
