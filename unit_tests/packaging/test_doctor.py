"""What `torch-model-runner doctor` says of installations as users have them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fresh_venv import Venv

CHECK = """
import _torchserve_handlers as overlay, dataclasses, json, sys
overlay.arrange(ours=True)
from ts.runner.doctor import places
print(json.dumps(dataclasses.asdict(getattr(places, sys.argv[1])())))
"""


@pytest.fixture(scope="module")
def venv(
    tmp_path_factory: pytest.TempPathFactory,
    torchserve_wheel: Path,
    our_wheel: Path,
    archiver_wheel: Path,
) -> Venv:
    venv = Venv(tmp_path_factory.mktemp("doctor") / "venv")
    venv.install(str(torchserve_wheel), str(our_wheel), str(archiver_wheel))
    return venv


@pytest.fixture
def ours(venv: Venv) -> str:
    return str(venv.purelib / "_torchserve_handlers")


def check(venv: Venv, name: str, **environment: str) -> dict[str, Any]:
    """What a check of `ts.runner.doctor.places` finds."""
    return json.loads(venv.command(str(venv.python), "-c", CHECK, name, **environment).stdout)


PLACES = ["this_python", "virtual_environment", "torchserve_command", "archiver_command", "copies"]


@pytest.mark.parametrize("place", PLACES)
def test_a_whole_installation_is_ok_in_each_place(venv: Venv, place: str) -> None:
    found = check(venv, place, PATH=str(venv.python.parent))
    assert (found["state"], found["advice"]) == ("ok", "")
    assert "torchserve-handlers" in found["found"]


@pytest.mark.parametrize("place", ["this_python", "virtual_environment"])
def test_off_is_said_to_be_off(venv: Venv, place: str) -> None:
    found = check(venv, place, TORCHSERVE_HANDLERS="off")
    assert found["state"] == "wrong"
    assert found["found"] == f"torchserve's own ts, in {venv.purelib / 'ts'}"
    assert found["advice"] == "unset TORCHSERVE_HANDLERS, which is 'off'"


def test_a_python_that_reads_no_pth_file_finds_nothing_or_is_told_what_to_do(venv: Venv, ours: str) -> None:
    assert check(venv, "without_site")["state"] == "ok"
    found = check(venv, "without_site", PYTHONPATH=str(venv.purelib), TORCHSERVE_HANDLERS="on")
    assert found["state"] == "wrong"
    assert found["advice"] == f"put {ours} in front of PYTHONPATH"
    mended = os.pathsep.join([ours, str(venv.purelib)])
    assert check(venv, "without_site", PYTHONPATH=mended)["state"] == "ok"


@pytest.fixture(scope="module")
def outer(tmp_path_factory: pytest.TempPathFactory, torchserve_wheel: Path) -> Venv:
    """Another environment, with nothing but torchserve."""
    venv = Venv(tmp_path_factory.mktemp("outer") / "venv", borrow=False)
    venv.install(str(torchserve_wheel))
    return venv


def test_the_torchserve_of_another_environment_makes_the_doctor_end_with_1(venv: Venv, outer: Venv) -> None:
    env = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "TORCHSERVE_HANDLERS")
    }
    env["PATH"] = os.pathsep.join([str(outer.python.parent), env["PATH"]])
    command = [str(venv.python.parent / "torch-model-runner"), "doctor", "--json"]
    done = subprocess.run(command, env=env, cwd=venv.python.parent, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    document = json.loads(done.stdout)
    states = {found["name"]: found["state"] for found in document["checks"]}
    assert [name for name, state in states.items() if state == "wrong"] == ["torchserve"]
    assert (states["python"], states["a model with useVenv"], states["torch"]) == ("ok", "ok", "ok")
    [found] = [found for found in document["checks"] if found["name"] == "torchserve"]
    assert (
        found["found"] == f"{outer.python.parent}/torchserve: torchserve's own ts, in {outer.purelib / 'ts'}"
    )
    assert found["advice"].startswith(f"start `{venv.python} -m ts.model_server` in its place")
