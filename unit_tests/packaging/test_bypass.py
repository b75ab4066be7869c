"""Where Python reads no `.pth` file: whose handlers are used, and who says so; and the switch for ours."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest
import torch
from fresh_venv import Venv

ROOT = Path(__file__).resolve().parents[2]
BORROWED = sysconfig.get_path("purelib")
WARNING = "torchserve-handlers is installed, but this process has torchserve's own handlers"
FOUND = "import importlib.util; print(importlib.util.find_spec('ts.torch_handler.base_handler').origin)"
WORKER = f"import ts.model_service_worker; {FOUND}"  # which imports torch
# Each import of torch takes seconds: what does not differ for an editable install is tried with the wheel.
of_the_wheel = pytest.mark.parametrize("venv", ["wheel"], indirect=True)
LAUNCHES = "import sys; sys.argv[0] = {!r}; import ts, os; print(os.environ.get('PYTHONPATH'))"


@pytest.fixture(scope="module", params=["wheel", "editable"])
def venv(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    torchserve_wheel: Path,
    our_wheel: Path,
) -> Venv:
    """An environment with torchserve and this library."""
    venv = Venv(tmp_path_factory.mktemp("bypass") / "venv")
    editable = request.param == "editable"
    venv.install(str(torchserve_wheel), *(["--editable", str(ROOT)] if editable else [str(our_wheel)]))
    return venv


@pytest.fixture
def ours(venv: Venv) -> str:
    return venv.run("import _torchserve_handlers; print(_torchserve_handlers.FOLDER)")


def python(venv: Venv, *arguments: str, **environment: str) -> tuple[str, str]:
    """What Python prints, and its last line on standard error that is about this library."""
    done = venv.command(str(venv.python), *arguments, **environment)
    told = [line for line in done.stderr.splitlines() if "torchserve-handlers" in line]
    return done.stdout.splitlines()[-1], told[-1] if told else ""


def test_off_gives_torchserves_own_handlers_without_a_word(venv: Venv) -> None:
    file, told = python(venv, "-c", FOUND, TORCHSERVE_HANDLERS="off")
    assert (Path(file), told) == (venv.purelib / "ts" / "torch_handler" / "base_handler.py", "")


def test_off_wins_over_a_folder_in_the_environment(venv: Venv, ours: str) -> None:
    path, _ = python(venv, "-c", "import sys; print(sys.path)", TORCHSERVE_HANDLERS="off", PYTHONPATH=ours)
    assert ours not in path


@pytest.mark.parametrize("value", ["", "on", "1"])
def test_any_other_value_is_on(venv: Venv, ours: str, value: str) -> None:
    assert python(venv, "-c", FOUND, TORCHSERVE_HANDLERS=value)[0].startswith(ours)


def test_the_runner_is_there_when_the_handlers_are_off(venv: Venv) -> None:
    done = venv.command("torch-model-runner", "--help", TORCHSERVE_HANDLERS="off")
    assert done.stdout.startswith("usage: torch-model-runner")


def test_the_folder_is_first_and_there_once_whatever_the_environment_names(venv: Venv, ours: str) -> None:
    code = f"import sys; print(sys.path.index({ours!r}), sys.path.count({ours!r}))"
    path = os.pathsep.join([str(venv.purelib), ours])
    assert python(venv, "-c", code, PYTHONPATH=path)[0] == "1 1"  # after the script's own folder


@pytest.fixture
def without_pth(venv: Venv) -> str:
    """A PYTHONPATH by which a Python finds this library's site-packages as a plain folder.

    So does the environment that TorchServe makes for a model with `useVenv`, and that of `pip install --target`.
    """
    return os.pathsep.join([str(venv.purelib), BORROWED])


@pytest.mark.skipif(
    tuple(map(int, torch.__version__.split(".")[:2])) < (2, 5), reason="torch calls entry points from 2.5 on"
)
def test_a_worker_without_pth_files_says_what_to_do(venv: Venv, ours: str, without_pth: str) -> None:
    file, told = python(venv, "-S", "-c", WORKER, PYTHONPATH=without_pth)
    assert Path(file).parents[1] == venv.purelib / "ts"
    assert WARNING in told
    assert f"start it with {ours} in front of PYTHONPATH" in told


@of_the_wheel
def test_what_it_says_to_do_helps(venv: Venv, ours: str, without_pth: str) -> None:
    path = os.pathsep.join([ours, without_pth])
    file, told = python(venv, "-S", "-c", WORKER, PYTHONPATH=path)
    assert (Path(file).parents[2], told) == (Path(ours), "")


@of_the_wheel
def test_it_says_nothing_where_it_is_meant_to_be_off(venv: Venv, without_pth: str) -> None:
    file, told = python(venv, "-S", "-c", WORKER, PYTHONPATH=without_pth, TORCHSERVE_HANDLERS="off")
    assert (Path(file).parents[1], told) == (venv.purelib / "ts", "")


@of_the_wheel
def test_to_import_torch_changes_nobodys_path(venv: Venv, ours: str, without_pth: str) -> None:
    code = "import sys; before = list(sys.path); import torch; print(sys.path == before)"
    assert python(venv, "-S", "-c", code, PYTHONPATH=without_pth) == ("True", "")


@of_the_wheel
def test_another_package_of_that_name_is_nobodys_business(
    venv: Venv, tmp_path: Path, without_pth: str
) -> None:
    (tmp_path / "ts.py").write_text("")
    path = os.pathsep.join([str(tmp_path), without_pth])
    file, told = python(venv, "-S", "-c", "import ts, torch; print(ts.__file__)", PYTHONPATH=path)
    assert (Path(file), told) == (tmp_path / "ts.py", "")


@pytest.mark.parametrize("launcher", ["torchserve", "/opt/bin/torchserve"])
def test_a_launcher_gives_the_folder_to_all_that_it_starts(venv: Venv, ours: str, launcher: str) -> None:
    code = LAUNCHES.format(launcher)
    assert python(venv, "-c", code)[0] == ours
    passed_on = python(venv, "-c", code, PYTHONPATH=os.pathsep.join(["/own", ours]))[0]
    assert passed_on == os.pathsep.join([ours, "/own"])


def test_any_other_process_leaves_the_environment_alone(venv: Venv) -> None:
    assert python(venv, "-c", LAUNCHES.format("train.py"))[0] == "None"
