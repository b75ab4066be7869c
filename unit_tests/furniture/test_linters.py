"""Workflows, Dockerfiles and hooks are right as far as linters can tell: none of them runs here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sysconfig.get_path("scripts")
PATH = os.pathsep.join([SCRIPTS, os.environ.get("PATH", "")])  # actionlint looks for shellcheck there

WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
DOCKERFILES = [ROOT / "Dockerfile", *sorted(ROOT.glob("docker/*.Dockerfile"))]
FORMS = [path for path in sorted(ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")) if path.stem != "config"]
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "dependabot": [ROOT / ".github" / "dependabot.yml"],
    "github-issue-forms": FORMS,
}


def lint(*command: str | Path) -> str:
    """What a linter finds; empty if that is nothing."""
    program = shutil.which(str(command[0]), path=PATH)
    if program is None:
        pytest.skip(
            f"{command[0]} is not installed: pip install 'torchserve-handlers[dev]', where there is a build"
        )
    done = subprocess.run(
        [program, *map(str, command[1:])],
        cwd=ROOT,
        env={**os.environ, "PATH": PATH, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_workflows_by_actionlint_with_their_scripts_by_shellcheck() -> None:
    assert len(WORKFLOWS) == 4
    assert lint("actionlint", *WORKFLOWS) == ""


def test_a_wrong_workflow_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOWS[0].read_text(encoding="utf-8").replace("matrix.python", "matrix.pyton"))
    assert 'property "pyton" is not defined' in lint("actionlint", wrong)


def test_what_workflows_may_do_by_zizmor() -> None:
    assert lint("zizmor", "--offline", "--no-progress", ".github") == ""


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_of_githubs_have_the_form_that_its_schemas_ask_for(schema: str) -> None:
    assert SCHEMAS[schema]
    assert lint("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *SCHEMAS[schema]) == ""


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_dockerfiles_by_hadolint(dockerfile: Path) -> None:
    assert lint("hadolint", dockerfile) == ""


def test_the_hooks_of_pre_commit_are_well_formed() -> None:
    assert lint("pre-commit", "validate-config", ".pre-commit-config.yaml") == ""
