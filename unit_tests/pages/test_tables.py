"""The docs stay true: their example runs, and their tables name the options and settings that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from at_hand import or_skip
from model_archiver.arg_parser import make_parser
from pages import PAGES

from examples.assets import CHELSEA, EFFICIENTNET_LITE0, fetch_all
from examples.building import pack
from examples.image_classifier.archive import imagenet_labels
from ts.handler_utils.embedding.settings import EmbedderOptions, EmbedderSettings
from ts.handler_utils.images.settings import (
    ImageClassifierOptions,
    ImageClassifierSettings,
    ImageSegmenterOptions,
    ImageSegmenterSettings,
    ObjectDetectorOptions,
    ObjectDetectorSettings,
)
from ts.handler_utils.settings import HandlerSettings
from ts.handler_utils.text.settings import TextClassifierOptions, TextClassifierSettings
from ts.runner import load_archive
from ts.runner.parser import parser
from ts.runner.serving.metrics import Meter
from ts.runner.serving.settings import ServingSettings

ROOT = Path(__file__).resolve().parents[2]
OF_OPTIONS, OF_SETTINGS, OF_HANDLERS = (
    PAGES[f"docs/{name}.md"] for name in ("requests", "settings", "handlers")
)
LONG = {"-o": "--output", "-f": "--force"}

OPTIONS = [
    ImageClassifierOptions,
    ObjectDetectorOptions,
    ImageSegmenterOptions,
    TextClassifierOptions,
    EmbedderOptions,
]
SETTINGS = [
    HandlerSettings,
    ImageClassifierSettings,
    ObjectDetectorSettings,
    ImageSegmenterSettings,
    TextClassifierSettings,
    EmbedderSettings,
]


def column(page: str, heading: str, index: int) -> set[str]:
    """The names in backticks in a column of the tables whose first heading is given."""
    tables = page.split(f"| {heading} |")[1:]
    rows = [row for table in tables for row in table.split("\n\n", 1)[0].splitlines()[2:]]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[index])}


def names(kinds: list[type]) -> set[str]:
    return {name for kind in kinds for name in kind.model_fields}


def test_every_option_is_in_the_table_and_no_other():
    assert column(OF_OPTIONS, "handler", 2) == names(OPTIONS)


def test_every_setting_is_in_the_table_and_no_other():
    assert column(OF_SETTINGS, "setting", 1) == names(SETTINGS) - names(OPTIONS)


def test_the_handler_of_ones_own_runs_as_it_stands(tmp_path):
    (code,) = re.findall(r"```python\n(.*?class CatOrNot.*?)```", OF_HANDLERS, re.DOTALL)
    code = code[code.rindex("import torch\n") :]
    (tmp_path / "cat_or_not.py").write_text(code)
    weights, photo = or_skip(fetch_all, [EFFICIENTNET_LITE0, CHELSEA])
    model_file = ROOT / "examples" / "image_classifier" / "model.py"
    handler = tmp_path / "cat_or_not.py"
    labels = imagenet_labels()
    archive = pack(tmp_path, "cat_or_not", handler, model_file=model_file, weights=weights, labels=labels)
    with load_archive(archive, device="cpu") as model:
        (answer,) = model.predict([photo])
    (shown,) = re.findall(r'"cat": (0\.\d+)', OF_HANDLERS)
    assert answer.response == {"cat": pytest.approx(float(shown), abs=1e-4)}


def test_the_metrics_of_the_table_are_those_of_a_server() -> None:
    meter = Meter()
    model = meter.of("kitten", "1.0")
    model.batch([0.1])
    model.restarted()
    families = set(re.findall(r"^# TYPE (\w+) \w+$", meter.page().decode(), re.MULTILINE))
    shown = {name for name in families if not name.endswith("_created")}
    assert column(PAGES["docs/serving.md"], "name", 1) == shown


def test_the_keys_of_the_table_are_those_that_are_read() -> None:
    names = ServingSettings.__dataclass_fields__
    read = {re.sub(r"_(\w)", lambda found: found[1].upper(), name) for name in names}
    assert column(PAGES["docs/serving.md"], "key", 1) - {"deviceType", "deviceIds"} == read


def options_of_the_runner() -> dict[str, set[str]]:
    """The commands that take each option, by its longest name."""
    commands = next(action for action in parser()._actions if isinstance(action.choices, dict)).choices
    found: dict[str, set[str]] = {}
    for name, command in commands.items():
        for action in command._actions:
            if action.dest != "help" and action.option_strings:
                found.setdefault(action.option_strings[-1], set()).add(name)
    return found


def test_every_option_of_the_runner_is_in_its_table_with_its_commands() -> None:
    rows = PAGES["docs/runner.md"].split("| option | of |")[1].split("\n\n", 1)[0].splitlines()[2:]
    taken = options_of_the_runner()
    everything = set().union(*taken.values())
    shown: dict[str, set[str]] = {}
    names: list[str] = []
    for row in rows:
        first, of = (
            row.strip("| ").split(" | ")[:2] if not row.startswith("| |") else ("", row.split(" | ")[1])
        )
        names = [LONG.get(name, name) for name in re.findall(r"`(-[\w-]+)", first)] or names
        for name in names:
            shown.setdefault(name, set()).update(everything if of == "all" else of.split(", "))
    assert shown == taken


def test_every_option_of_the_archiver_is_in_its_table_and_no_other() -> None:
    actions = [action for action in make_parser()._actions if action.dest != "help"]
    table = PAGES["docs/archiver.md"].split("| option |")[1].split("\n\n", 1)[0]
    shown = set(re.findall(r"`(-[\w-]+)", " ".join(row.split(" | ")[0] for row in table.splitlines()[2:])))
    assert {name for action in actions for name in action.option_strings} - {"--version"} == shown
