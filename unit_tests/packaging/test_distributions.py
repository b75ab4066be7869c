"""The wheel and the sdist, as `python -m build` makes them of a tree that was worked in."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("build", reason="needs build: pip install 'torchserve-handlers[dev]'")

SOURCES = {"ts/": "ts/", "model-archiver/": "model_archiver/"}
DIST_INFO = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "top_level.txt", "licenses/LICENSE"}
BY_SETUPTOOLS = {"PKG-INFO", "setup.cfg", "torchserve_handlers.egg-info/SOURCES.txt"}


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory, source_tree: Path) -> Path:
    """The folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("distributions")
    command = ["-m", "build", "--no-isolation", "--outdir", str(folder), str(source_tree)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def wheel_files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_has_the_files_of_its_packages_and_nothing_else(
    our_wheel: Path, project_files: list[str]
) -> None:
    packages = {
        f"_torchserve_handlers/{there}{name[len(here) :]}"
        for here, there in SOURCES.items()
        for name in project_files
        if name.startswith(here)
    }
    assert {"_torchserve_handlers/ts/py.typed", "_torchserve_handlers/model_archiver/packing.py"} < packages
    overlay = {"_torchserve_handlers.pth", "_torchserve_handlers/__init__.py"}
    dist_info = {f"{'-'.join(our_wheel.name.split('-')[:2])}.dist-info/{name}" for name in DIST_INFO}
    assert set(wheel_files(our_wheel)) == packages | overlay | dist_info


def test_the_sdist_has_what_git_tracks(distributions: Path, project_files: list[str]) -> None:
    [sdist] = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    tracked = {name for name in project_files if not name.startswith(".ci/")}
    assert names == tracked | BY_SETUPTOOLS
    assert {"unit_tests/conftest.py", "examples/quickstart.py", "SECURITY.md", "CHANGELOG.md"} < names


def test_the_wheel_of_the_sdist_is_the_wheel_of_the_tree(distributions: Path, our_wheel: Path) -> None:
    [wheel] = distributions.glob("*.whl")
    assert wheel.name == our_wheel.name
    assert wheel_files(wheel) == wheel_files(our_wheel)


def test_a_build_leaves_what_is_in_build_alone(source_tree: Path, our_wheel: Path) -> None:
    left = [path for path in (source_tree / "build").rglob("*") if path.is_file()]
    assert sorted(path.name for path in left) == ["gone.py", "stray.py"]
    assert our_wheel.is_file()


def test_twine_has_nothing_to_object_to(distributions: Path) -> None:
    pytest.importorskip("twine", reason="needs twine: pip install 'torchserve-handlers[dev]'")
    files = [str(file) for file in distributions.iterdir()]
    command = [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, len(re.findall(": PASSED$", done.stdout, re.MULTILINE))) == (0, 2), done.stdout
