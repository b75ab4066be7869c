"""The rooms of model-archiver/: a room imports from those below it, and no module from one that imports it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2] / "model-archiver"

# From the top down; "" are the modules beside the rooms, of which only the lowest are for the rooms to import.
ROOMS = ["", "writing", "inputs", "checks", "publishing", "manifest_components"]
LOWEST = {"model_archiver_config", "model_archiver_error", "reproducible", "version"}


def modules() -> dict[str, Path]:
    """Every module's file by its dotted name below the package."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(ROOT.rglob("*.py"))
    }


def imports(name: str, path: Path) -> Iterator[str]:
    """The dotted names of the modules of the package that a module imports, wherever in it."""
    known = modules()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = name.split(".")[: -node.level]
            base = [*folder, *(node.module or "").split(".")] if node.module else folder
            for alias in node.names:
                for dotted in ([*base, alias.name], base, [*base, "__init__"]):
                    if ".".join(dotted) in known:
                        yield ".".join(dotted)
                        break


def room(name: str) -> str:
    return name.partition(".")[0] if "." in name else ""


def test_a_room_imports_only_from_those_below_it():
    wrong = [
        f"{name} imports {other}"
        for name, path in modules().items()
        for other in imports(name, path)
        if room(name) and other not in LOWEST and ROOMS.index(room(other)) < ROOMS.index(room(name))
    ]
    assert wrong == []


def test_every_folder_is_a_room():
    folders = {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()}
    assert folders == set(ROOMS) - {""}


def test_no_module_imports_one_that_imports_it():
    graph = {name: set(imports(name, path)) for name, path in modules().items()}
    free = set()
    while leaves := {name for name in graph if name not in free and graph[name] <= free}:
        free |= leaves
    assert set(graph) - free == set()


def test_the_tests_lie_in_folders_of_the_same_names():
    tests = Path(__file__).parent
    folders = {path.parent.relative_to(tests).as_posix() for path in tests.rglob("test_*.py")}
    assert folders <= {path.parent.relative_to(ROOT).as_posix() for path in ROOT.rglob("__init__.py")}
