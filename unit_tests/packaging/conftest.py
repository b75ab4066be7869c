"""What the tests of the packaging share."""

from __future__ import annotations

import email
import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import setuptools.build_meta, sys; print(setuptools.build_meta.build_wheel(sys.argv[1]))"


@pytest.fixture(scope="session")
def project_files() -> list[str]:
    """This project's files: what git tracks, or would with `git add`."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs a clone and git, which knows the project's files")
    listing = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, capture_output=True, check=True, text=True).stdout.split("\0")
    return sorted({name for name in names if (ROOT / name).is_file()})


@pytest.fixture(scope="session")
def source_tree(tmp_path_factory: pytest.TempPathFactory, project_files: list[str]) -> Path:
    """A copy of this project that was worked in: it has what git ignores, and what an old build left."""
    tree = tmp_path_factory.mktemp("source")
    for name in project_files:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    leftovers = leftovers_of((tree / ".gitignore").read_text().splitlines())
    for name in leftovers:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("stray = True\n")
    listing = tree / "torchserve_handlers.egg-info" / "SOURCES.txt"
    listing.parent.mkdir()
    listing.write_text("\n".join(leftovers))
    return tree


def leftovers_of(ignored: list[str]) -> list[str]:
    """Files that fit the patterns of a .gitignore, in the root and in folders below it."""
    found = ["build/lib/_torchserve_handlers/ts/gone.py"]
    for pattern in (line for line in ignored if line and line[0] not in "#!"):
        name = pattern.lstrip("/").replace("[cod]", "c").replace("*", "x")
        for folder in ["", *([] if pattern.startswith("/") else ["ts/", "examples/timm/", "unit_tests/"])]:
            found.append(f"{folder}{name}" + ("stray.py" if name.endswith("/") else ""))
    return found


@pytest.fixture(scope="session")
def our_wheel(tmp_path_factory: pytest.TempPathFactory, source_tree: Path) -> Path:
    """This project's wheel."""
    return build_wheel(source_tree, tmp_path_factory.mktemp("wheel"))


def build_wheel(tree: Path, folder: Path) -> Path:
    """Builds as `pip wheel --no-build-isolation` does, without the seconds that pip takes to start."""
    command = [sys.executable, "-c", BUILD, str(folder)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="session")
def metadata(our_wheel: Path) -> Message:
    """What the wheel tells an index."""
    with zipfile.ZipFile(our_wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


@pytest.fixture(scope="session")
def archiver_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """torch-model-archiver's wheel, made again of the one that is installed."""
    from fresh_venv import repack

    return repack("torch-model-archiver", tmp_path_factory.mktemp("archiver"))
