"""What the pages show as answers of the examples' archives, and as output of their scripts, is what these give."""

from __future__ import annotations

import importlib
import json
import re
import shlex
from pathlib import Path
from typing import Any, Callable

import pytest
from at_hand import or_skip
from curl_in_pages import curl_arguments, options_of
from pages import Command, commands

from examples.assets import ASSETS, fetch
from examples.example import Example
from ts.runner import load_archive
from ts.runner.main import main
from ts.runner.parser import parser

pytestmark = pytest.mark.long  # each example is packed and asked

MODULES = [
    importlib.import_module(f"examples.{path.parent.name}.example")
    for path in sorted(Path(__file__).parents[2].glob("examples/*/example.py"))
]
EXAMPLES = {
    value.model_name: value
    for module in MODULES
    for value in vars(module).values()
    if isinstance(value, Example)
}
PHOTOS = {asset.name: asset for asset in ASSETS}


def asked_of(command: Command) -> str:
    """The archive that a command asks."""
    text = shlex.join(command.words)
    found = re.search(r"/(?:predictions|explanations)/(\w+)|model_store/(\w+)\.mar", text)
    return (found[1] or found[2]) if found else ""


SHOWN: dict[str, list[Command]] = {}
for each in commands("curl", "torch-model-runner"):
    if each.output.startswith(("{", "[")) and asked_of(each) in EXAMPLES:
        SHOWN.setdefault(asked_of(each), []).append(each)


def question(command: Command) -> dict[str, Any]:
    """The arguments of `Model.predict` that a command stands for."""
    if command.program == "torch-model-runner":
        given = parser().parse_args(command.words[1:])
        return {
            "inputs": [payload(given.inputs[0])],
            "options": dict(given.options),
            "explain": given.explain,
        }
    curl = curl_arguments(command.words)
    fields = dict(field.split("=", 1) for field in curl.fields)
    asked = payload(curl.file or fields.get("data") or curl.body)
    if any("application/json" in header for header in curl.headers):
        asked = json.loads(asked)
    return {"inputs": [asked], "options": dict(options_of(curl)), "explain": "/explanations/" in curl.url}


def payload(given: str) -> Any:
    """A photo of the examples by its name, or else the text itself."""
    photo = PHOTOS.get(given.lstrip("@").rpartition("/")[2])
    return given if photo is None else or_skip(fetch, photo)


def shown_answer(output: str) -> Any:
    """The JSON below a command; of a list that is cut by "...", its beginning."""
    begun, cut, _ = output.partition("\n...")
    answer = json.loads(begun.rstrip(",") + "]" if cut else output)
    of_runner = isinstance(answer, list) and isinstance(answer[0], dict) and "response" in answer[0]
    return answer[0]["response"] if of_runner else answer


def alike(shown: Any, given: Any) -> bool:
    """Whether they are the same but for the last digits; of a vector only its beginning is shown."""
    if isinstance(shown, dict):
        return list(shown) == list(given) and all(alike(shown[key], given[key]) for key in shown)
    if isinstance(shown, list):
        return len(shown) <= len(given) and all(map(alike, shown, given))
    return shown == (given if isinstance(shown, str) else pytest.approx(given, rel=0.02, abs=1e-4))


@pytest.mark.parametrize("name", SHOWN)
def test_the_answers_in_the_pages_are_those_of_the_archive(name: str, model_store: Path) -> None:
    or_skip(EXAMPLES[name].prepare)
    with load_archive(EXAMPLES[name].archive, device="cpu") as model:
        for command in SHOWN[name]:
            (answer,) = model.predict(**question(command))
            assert alike(shown_answer(command.output), answer.response), f"{command}: {answer.response}"


# All but hugging_face, which would train for half a minute.
SCRIPTS = {
    command.words[1].split("/")[1]: command
    for command in commands("python")
    if command.words[1].endswith("/ask.py") and command.output and "hugging_face" not in command.words[1]
}


def words(text: str) -> list[str]:
    """What is printed, without rules, bars and the names of pictures."""
    lines = [re.sub(r"[━╸─]+", " ", line) for line in text.splitlines() if not line.startswith("wrote ")]
    return " ".join(lines).split()


def same_word(shown: str, given: str) -> bool:
    number = re.fullmatch(r"[\d.]+(%?)", shown)
    if number is None or not re.fullmatch(r"[\d.]+%?", given):
        return shown == given
    return float(given.rstrip("%")) == pytest.approx(float(shown.rstrip("%")), abs=2 if number[1] else 0.02)


@pytest.mark.parametrize("folder", SCRIPTS)
def test_what_a_page_shows_of_a_script_is_what_it_prints(folder: str, show: Callable[..., Any]) -> None:
    module = importlib.import_module(f"examples.{folder}.example")
    examples = {id(value): value for value in vars(module).values() if isinstance(value, Example)}
    printed = words("\n".join(line for example in examples.values() for line in or_skip(show, example).lines))
    shown = words(SCRIPTS[folder].output)
    assert [pair for pair in zip(shown, printed) if not same_word(*pair)] == []
    assert len(shown) == len(printed)


TABLES = [
    pytest.param(command, id=str(command))
    for command in commands("torch-model-runner")
    if command.output.startswith("┏")
]


@pytest.mark.parametrize("command", TABLES)
def test_a_table_in_a_page_is_what_the_runner_prints(
    command: Command,
    model_store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    or_skip(EXAMPLES["lite0_by_name"].prepare)
    (tmp_path / "model_store").symlink_to(model_store)
    for name, photo in PHOTOS.items():
        if name in command.words:
            (tmp_path / name).write_bytes(or_skip(fetch, photo).read_bytes())
    monkeypatch.chdir(tmp_path)
    capfd.readouterr()  # what building printed
    assert main(list(command.words[1:])) == 0
    box = re.compile("[━┏┳┓┃┡╇┩│└┴┘─]+")
    shown, printed = (box.sub(" ", text).split() for text in (command.output, capfd.readouterr().out))
    assert [pair for pair in zip(shown, printed) if not same_word(*pair)] == []
    assert len(shown) == len(printed)
