"""The layout of the sources: floors and rooms, whose imports lead one way, and none of which is crowded.

A floor is a folder of `FLOORS`, or model-archiver/. Its rooms are what lies in it: folders, each for one concept,
and files.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Callable

import pytest
from source_imports import Import, python_files, read_imports

ROOT = Path(__file__).resolve().parents[1]

# Each imports only from those before it, and from itself.
FLOORS = ("ts/utils", "ts/handler_utils", "ts/torch_handler", "ts/runner")
ARCHIVER = "model-archiver"

# The one file of the archiver that imports from ts, where that is to be had, and what it imports.
DOOR = (Path("model-archiver/architecture.py"), "ts.runner.packing.command")

# What handlers are made of, in the order in which it is understood: each room imports only from those before it.
ROOMS = (
    # what all others use
    "errors.py",
    "timer.py",
    "profiler.py",
    "announcement.py",
    "parts.py",
    "model_defaults.py",
    "worker.py",
    "memory.py",
    # a request, and what it and the archive ask for
    "requests",
    "settings.py",
    "configuration.py",
    "answer_limit.py",
    "description.py",
    # what a model gets, and the model
    "images",
    "text_utils.py",
    "text",
    "models",
    # answers made of what it returns
    "pictures",
    "detection",
    "segmentation",
    "embedding",
    "explaining",
    # the way of a batch through all of this
    "answering",
    "micro_batching.py",
)

MOST_LINES = {"ts": 300, ARCHIVER: 300, "overlay": 300, "benchmarks": 300, "examples": 300, "unit_tests": 400}
MOST_LINES_OF_A_FUNCTION = 40
MOST_FILES_OF_A_FOLDER = 16

# The folders whose tests lie in folders of the same names.
MIRRORED = {
    "unit_tests/utils": "ts/utils",
    "unit_tests/handler_utils": "ts/handler_utils",
    "unit_tests/torch_handler": "ts/torch_handler",
    "unit_tests/runner": "ts/runner",
    "unit_tests/model_archiver": ARCHIVER,
}


def test_a_floor_imports_only_from_those_below_it() -> None:
    assert_none(upward_imports(ROOT))


def test_only_the_runner_imports_the_archiver_which_imports_only_the_standard_library() -> None:
    assert_none(imports_across_the_archivers_door(ROOT))


def test_what_lies_in_a_folder_imports_each_other_in_no_circle() -> None:
    assert_none(circles(ROOT))


def test_every_room_of_handler_utils_has_a_place_in_the_order() -> None:
    assert_none(rooms_without_a_place(ROOT))


def test_a_room_of_handler_utils_imports_only_from_those_before_it() -> None:
    assert_none(imports_against_the_order(ROOT))


def test_no_file_is_long() -> None:
    assert_none(long_files(ROOT))


def test_no_function_is_long() -> None:
    assert_none(long_functions(ROOT))


def test_no_folder_is_crowded() -> None:
    assert_none(crowded_folders(ROOT))


def test_tests_lie_in_folders_of_the_names_that_the_sources_have() -> None:
    assert_none(misplaced_tests(ROOT))


def assert_none(problems: Iterable[str]) -> None:
    found = list(problems)
    assert not found, "\n".join(["the layout of the sources:", *found])


# The rules: each finds what is wrong in a repository, and says what to do ------------------------------------


def upward_imports(root: Path) -> Iterator[str]:
    for found in read_imports(root, "ts"):
        if found.target and found.target.parts[0] == "ts" and floor_of(found.file) < floor_of(found.target):
            yield (
                f"{found}, on a floor above its own ({' < '.join(FLOORS)}):"
                " move what it needs down, or have its caller pass it in"
            )


def floor_of(file: Path) -> int:
    """The number of a file's floor; files in ts/ itself lie below all others, which import them as they start."""
    folder = "/".join(file.parts[:2])
    return FLOORS.index(folder) if folder in FLOORS else -1


def imports_across_the_archivers_door(root: Path) -> Iterator[str]:
    for found in read_imports(root, "ts"):
        if is_in(found.target, ARCHIVER) and not is_in(found.file, "ts/runner"):
            yield f"{found}: of ts/ only ts/runner/ may know the archiver; move the import there"
    for found in read_imports(root, ARCHIVER):
        if not is_in(found.target, ARCHIVER) and not is_allowed_to_the_archiver(found):
            yield (
                f"{found}: the archiver runs where nothing is installed, so it imports the standard library only;"
                " what it can do without goes into a try with an except ImportError"
            )


def is_allowed_to_the_archiver(found: Import) -> bool:
    if (found.file, found.module) == DOOR and found.optional:
        return True
    package = found.module.partition(".")[0]
    known = getattr(sys, "stdlib_module_names", [package])  # Python 3.9 does not say
    return package != "ts" and (found.optional or package in known)


def circles(root: Path) -> Iterator[str]:
    imports = [*read_imports(root, "ts"), *read_imports(root, ARCHIVER)]
    for folder in sorted({folder for found in imports for folder in found.file.parents if folder.name}):
        inside: dict[str, dict[str, Import]] = {}
        for found in imports:
            if is_in(found.file, folder) and is_in(found.target, folder):
                importer, imported = room_of(found.file, folder), room_of(found.target, folder)
                if importer != imported:
                    inside.setdefault(importer, {}).setdefault(imported, found)
        try:
            TopologicalSorter(inside).prepare()
        except CycleError as error:
            rooms = error.args[1][::-1]
            steps = [str(inside[importer][imported]) for importer, imported in zip(rooms, rooms[1:])]
            yield (
                f"{folder.as_posix()}/: {' imports '.join(rooms)}: {'; '.join(steps)}:"
                " move what both sides need into one of them, or into a room of its own below them"
            )


def room_of(file: Path, folder: str | Path) -> str:
    """What lies in a folder and is a file, or holds it."""
    return file.relative_to(folder).parts[0]


def is_in(file: Path | None, folder: str | Path) -> bool:
    return file is not None and Path(folder) in file.parents


def rooms_without_a_place(root: Path) -> Iterator[str]:
    files = python_files(root, "ts/handler_utils")
    rooms = {room_of(file, "ts/handler_utils") for file in files} - {"__init__.py"}
    for room in sorted(rooms - {*ROOMS}):
        yield f"ts/handler_utils/{room}: put it into ROOMS of unit_tests/test_rooms.py, after all it imports"
    for room in sorted({*ROOMS} - rooms):
        yield f"ts/handler_utils/{room} is gone: take it out of ROOMS of unit_tests/test_rooms.py"


def imports_against_the_order(root: Path) -> Iterator[str]:
    places = {room: place for place, room in enumerate(("__init__.py", *ROOMS))}
    for found in read_imports(root, "ts/handler_utils"):
        if found.target and is_in(found.target, "ts/handler_utils"):
            importer, imported = (room_of(file, "ts/handler_utils") for file in (found.file, found.target))
            if importer in places and places[importer] < places.get(imported, 0):
                yield (
                    f"{found}, but {imported} comes after {importer} in ROOMS of unit_tests/test_rooms.py:"
                    " move what it needs into an earlier room"
                )


def long_files(root: Path) -> Iterator[str]:
    for file in sources(root):
        most = MOST_LINES.get(file.parts[0], 300)
        lines = len((root / file).read_text(encoding="utf-8").splitlines())
        if lines > most:
            yield f"{file.as_posix()} has {lines} lines, and {most} are the most: split it by concept"


def long_functions(root: Path) -> Iterator[str]:
    for file in sources(root):
        for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) + 1 - node.lineno
                if lines > MOST_LINES_OF_A_FUNCTION:
                    yield (
                        f"{file.as_posix()}:{node.lineno} {node.name} has {lines} lines, and"
                        f" {MOST_LINES_OF_A_FUNCTION} are the most: give a step of it a name of its own"
                    )


def crowded_folders(root: Path) -> Iterator[str]:
    files = [file for file in sources(root) if file.parts[0] != "unit_tests" and file.name != "__init__.py"]
    for folder in sorted({file.parent for file in files}):
        count = sum(file.parent == folder for file in files)
        if count > MOST_FILES_OF_A_FOLDER:
            yield (
                f"{folder.as_posix()}/ holds {count} files side by side, and {MOST_FILES_OF_A_FOLDER} are the"
                " most: make a folder of those about one concept"
            )


def sources(root: Path) -> list[Path]:
    below = [file for folder in MOST_LINES for file in python_files(root, folder)]
    return [*sorted(path.relative_to(root) for path in root.glob("*.py")), *below]


def misplaced_tests(root: Path) -> Iterator[str]:
    for tests, folder in MIRRORED.items():
        for file in python_files(root, tests):
            tested = root / folder / file.relative_to(tests).parent
            if file.name.startswith("test_") and not tested.is_dir():
                yield f"{file.as_posix()}: there is no {tested.relative_to(root).as_posix()}/ to test; move it"


# What breaks a rule is found ---------------------------------------------------------------------------------

Rule = Callable[[Path], Iterator[str]]
WRONG: dict[str, tuple[Rule, dict[str, str], str]] = {
    "upward, in a function": (
        upward_imports,
        {"ts/utils/a.py": "def f():\n    import ts.runner.b", "ts/runner/b.py": ""},
        "ts/utils/a.py:2 imports ts.runner.b, on a floor above its own",
    ),
    "upward, for type checkers": (
        upward_imports,
        {"ts/a.py": "if TYPE_CHECKING:\n    from ts.utils import b", "ts/utils/b.py": ""},
        "ts/a.py:2 imports ts.utils.b, on a floor above its own",
    ),
    "the archiver in a handler": (
        imports_across_the_archivers_door,
        {"ts/torch_handler/a.py": "import model_archiver.b", "model-archiver/b.py": ""},
        "ts/torch_handler/a.py:1 imports model_archiver.b: of ts/ only ts/runner/ may",
    ),
    "ts in the archiver": (
        imports_across_the_archivers_door,
        {"model-archiver/a.py": "import ts.b", "ts/b.py": ""},
        "model-archiver/a.py:1 imports ts.b: the archiver runs where nothing is installed",
    ),
    "the door to ts in another file": (
        imports_across_the_archivers_door,
        {"model-archiver/a.py": "try:\n    import ts.runner.packing.command\nexcept ImportError:\n    pass"},
        "model-archiver/a.py:2 imports ts.runner.packing.command: the archiver runs where nothing is installed",
    ),
    "another package in the archiver": (
        imports_across_the_archivers_door,
        {"model-archiver/a.py": "try:\n    import yaml\nexcept ImportError:\n    import numpy.linalg"},
        "model-archiver/a.py:4 imports numpy.linalg: the archiver runs where nothing is installed",
    ),
    "two rooms in a circle": (
        circles,
        {
            "model-archiver/a/__init__.py": "from ..b import c",
            "model-archiver/b/c.py": "import json",
            "model-archiver/b/d.py": "from .. import a",
        },
        "model-archiver/: a imports b imports a: model-archiver/a/__init__.py:1 imports model_archiver.b.c;"
        " model-archiver/b/d.py:1 imports model_archiver.a: move",
    ),
    "a room without a place": (
        rooms_without_a_place,
        {"ts/handler_utils/sounds/reader.py": ""},
        "ts/handler_utils/sounds: put it into ROOMS",
    ),
    "against the order": (
        imports_against_the_order,
        {
            "ts/handler_utils/images/a.py": "from ts.handler_utils.models import b",
            "ts/handler_utils/models/b.py": "",
        },
        "ts/handler_utils/images/a.py:1 imports ts.handler_utils.models.b, but models comes after images in ROOMS",
    ),
    "a long file": (
        long_files,
        {"ts/a.py": "\n" * 301},
        "ts/a.py has 301 lines, and 300 are the most: split",
    ),
    "a long function": (
        long_functions,
        {"examples/a.py": "async def f():\n" + "    ...\n" * 40},
        "examples/a.py:1 f has 41 lines, and 40 are the most: give a step",
    ),
    "a crowded folder": (
        crowded_folders,
        {f"ts/runner/{number}.py": "" for number in range(17)},
        "ts/runner/ holds 17 files side by side, and 16 are the most: make a folder",
    ),
    "a test of no folder": (
        misplaced_tests,
        {"unit_tests/runner/sounds/test_a.py": "", "ts/runner/a.py": ""},
        "unit_tests/runner/sounds/test_a.py: there is no ts/runner/sounds/ to test; move it",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_breaks_a_rule_is_named_with_what_to_do(case: str, tmp_path: Path) -> None:
    if case == "another package in the archiver" and sys.version_info < (3, 10):
        pytest.skip("Python 3.9 does not say which modules are its own")
    rule, files, message = WRONG[case]
    for file, text in files.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    assert next(rule(tmp_path)).startswith(message)
