"""The command torch-model-archiver: PyPI's file, this library's code, and neither lost with the other."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest
from fresh_venv import Venv

OURS, THEIRS = "torchserve-handlers", "torch-model-archiver"
COMMAND = "torch-model-archiver"
ORDERS = [(OURS, THEIRS), pytest.param((THEIRS, OURS), marks=pytest.mark.long)]


@pytest.fixture(scope="module")
def wheels(
    tmp_path_factory: pytest.TempPathFactory, our_wheel: Path, archiver_wheel: Path
) -> dict[str, list[Path]]:
    """Two releases of each distribution."""
    folder = tmp_path_factory.mktemp("releases")
    return {
        OURS: [our_wheel, next_release(our_wheel, folder)],
        THEIRS: [archiver_wheel, next_release(archiver_wheel, folder)],
    }


def next_release(wheel: Path, folder: Path) -> Path:
    """The same wheel by the version 99."""
    name, version = wheel.name.split("-")[:2]
    before, after = f"{name}-{version}", f"{name}-99"
    path = folder / wheel.name.replace(before, after)
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member == f"{before}.dist-info/METADATA":
                content = content.replace(f"Version: {version}\n".encode(), b"Version: 99\n", 1)
            if member == f"{before}.dist-info/RECORD":
                content = content.replace(before.encode(), after.encode())
            new.writestr(member.replace(before, after), content)
    return path


def install(venv: Venv, wheel: Path) -> None:
    venv.pip("install", "--no-deps", "--no-index", "--no-compile", "--upgrade", str(wheel))


def uninstall(venv: Venv, distribution: str) -> None:
    venv.pip("uninstall", "--yes", distribution)


def whose(venv: Venv) -> str:
    """Whose archiver the command runs, which its help tells."""
    return THEIRS if "SERIALIZED_FILE" in venv.command(COMMAND, "--help").stdout else OURS


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    return Venv(tmp_path / "venv", borrow=False)


@pytest.mark.parametrize("order", ORDERS)
def test_the_command_outlives_installs_and_upgrades_in_any_order(
    venv: Venv, wheels: dict[str, list[Path]], order: tuple[str, str]
) -> None:
    for distribution in order:
        install(venv, wheels[distribution][0])
    assert whose(venv) == OURS
    for distribution in order:
        install(venv, wheels[distribution][1])
        assert whose(venv) == OURS


@pytest.mark.parametrize("order", ORDERS)
def test_uninstalling_ours_gives_theirs_back_whole(
    venv: Venv, wheels: dict[str, list[Path]], order: tuple[str, str]
) -> None:
    install(venv, wheels[THEIRS][0])
    alone = files(venv)
    uninstall(venv, THEIRS)
    for distribution in order:
        install(venv, wheels[distribution][0])
    uninstall(venv, OURS)
    assert files(venv) == alone
    assert whose(venv) == THEIRS


def files(venv: Venv) -> dict[str, bytes]:
    """All files of the environment but those that Python and pip write for themselves."""
    root = venv.python.parents[1]
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name not in ("RECORD", "direct_url.json")
    }


@pytest.mark.parametrize("order", ORDERS)
def test_uninstalling_theirs_leaves_all_of_our_files(
    venv: Venv, wheels: dict[str, list[Path]], order: tuple[str, str]
) -> None:
    install(venv, wheels[OURS][0])
    alone = files(venv)
    uninstall(venv, OURS)
    for distribution in order:
        install(venv, wheels[distribution][0])
    uninstall(venv, THEIRS)
    assert files(venv) == alone
    code = "from model_archiver.model_packaging import generate_model_archive as it; print(it.__module__)"
    assert venv.run(code) == "model_archiver.model_packaging"


def test_a_fresh_install_asks_pip_for_the_command(venv: Venv, wheels: dict[str, list[Path]]) -> None:
    """The rest of the dependencies cannot be had without the network: pip names what is still to come."""
    install(venv, wheels[OURS][0])
    assert f"requires {COMMAND}, which is not installed" in check(venv)
    install(venv, wheels[THEIRS][0])
    assert COMMAND not in check(venv)
    assert whose(venv) == OURS


def check(venv: Venv) -> str:
    """What `pip check` finds missing of this library's requirements."""
    command = ["python", "-m", "pip", "--python", str(venv.python), "check"]
    lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    return "\n".join(line for line in lines if line.startswith(OURS))
