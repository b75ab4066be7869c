"""Any script starts with any Python: what it needs it finds in `.venv`, and a Python too old gets a sentence."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from examples import start

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("ask.py", "build.py", "build_photos.py", "measure.py")
SCRIPTS = [
    "torchserve_sanity.py",
    "examples/quickstart.py",
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("examples/*/*.py") if path.name in NAMES),
]
OF_TWO = (
    *(ast.Module, ast.Expr, ast.Constant, ast.Import, ast.ImportFrom, ast.alias, ast.FunctionDef, ast.Return),
    *(
        ast.arguments,
        ast.arg,
        ast.Call,
        ast.keyword,
        ast.Name,
        ast.Attribute,
        ast.Subscript,
        ast.Slice,
        ast.Tuple,
        ast.List,
    ),
    *(
        ast.If,
        ast.IfExp,
        ast.For,
        ast.Compare,
        ast.BinOp,
        ast.UnaryOp,
        ast.Assign,
        ast.With,
        ast.withitem,
        ast.Try,
    ),
    *(ast.ExceptHandler, ast.GeneratorExp, ast.ListComp, ast.comprehension),
    *(ast.expr_context, ast.operator, ast.unaryop, ast.cmpop),
)
LACKS_THE_PROJECT = [sys.executable, "-E", "-S"]


def test_every_folder_has_its_scripts() -> None:
    folders = {path.parent.name for path in ROOT.glob("examples/*/README.md")}
    assert len(folders) == 9
    assert {folder for folder in folders if f"examples/{folder}/ask.py" in SCRIPTS} == folders
    assert {folder for folder in folders if f"examples/{folder}/build.py" in SCRIPTS} == folders


@pytest.mark.parametrize("script", [*SCRIPTS, "examples/start.py", "examples/__init__.py"])
def test_python_2_reads_the_scripts(script: str) -> None:
    source = (ROOT / script).read_text(encoding="ascii")
    for node in ast.walk(ast.parse(source)):
        assert isinstance(node, OF_TWO), f"{script} has a {type(node).__name__}, line {node.lineno}"
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
        if isinstance(node, ast.arg):
            assert node.annotation is None
        if isinstance(node, ast.Call):
            assert sum(isinstance(argument, ast.Starred) for argument in node.args) == 0
        if isinstance(node, ast.ImportFrom):
            assert node.module != "__future__"


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_tells_what_it_does_where_nothing_is_installed(script: str, tmp_path: Path) -> None:
    command = [*LACKS_THE_PROJECT, str(ROOT / script), "--help"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    purpose = ast.get_docstring(ast.parse((ROOT / script).read_text())) or ""
    assert purpose.split(":")[0].rstrip(".") in " ".join(finished.stdout.split())


@pytest.mark.parametrize("script", SCRIPTS[:3])
@pytest.mark.parametrize("version", ["2, 7, 18", "3, 8, 20"])
def test_a_python_that_is_too_old_gets_a_sentence(script: str, version: str, tmp_path: Path) -> None:
    code = f"import runpy, sys; sys.version_info = ({version}); sys.argv = [sys.argv[1], 'more']"
    run = f"{code}; runpy.run_path(sys.argv[0], run_name='__main__')"
    commands = tmp_path / "python3"
    commands.symlink_to(sys.executable)
    finished = subprocess.run(
        [*LACKS_THE_PROJECT, "-c", run, str(ROOT / script)],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    here = f"{sys.executable} is Python {sys.version.split()[0]}, and this needs 3.9 or newer"
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == f"{here}: type python3 {ROOT / script} more\n"


def test_a_real_old_python_gets_a_sentence() -> None:
    for name in ("python2.7", "python3.6", "python3.7", "python3.8"):
        python = shutil.which(name)
        if python is not None and subprocess.call([python, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            finished = subprocess.run([python, str(ROOT / SCRIPTS[1])], capture_output=True, text=True)
            assert finished.returncode == 2
            assert ", and this needs 3.9 or newer: " in finished.stderr
            assert finished.stderr.count("\n") == 1


def test_where_no_command_is_new_enough_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert start.newer_python() == ""
    (tmp_path / "python3.12").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "python3.12").chmod(0o755)
    assert start.newer_python() == "python3.12"
