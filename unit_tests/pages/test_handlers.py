"""The page on handlers stays true: its handler runs as it stands, and its table names what there is."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path
from typing import Any, Callable

import torch

from ts.handler_utils.answering.effects import LIMIT
from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import list_classes_from_module

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "handlers.md").read_text(encoding="utf-8")


def test_the_handler_in_one_file_runs_as_it_stands(tmp_path: Path, make_context: Callable[..., Any]) -> None:
    (code,) = re.findall(r"```python\n((?:(?!```).)*class Scale.*?)```", PAGE, re.DOTALL)
    (tmp_path / "scale.py").write_text(code)
    spec = importlib.util.spec_from_file_location("scale", tmp_path / "scale.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (kind,) = list_classes_from_module(module)
    assert kind is module.Scale
    context = make_context(
        tmp_path, config={"handler": {"factor": 2, "unit": "m"}}, headers={2: {"ts-factor": "0"}}
    )
    handler = kind()
    handler.initialize(context)
    handler.model = torch.nn.Identity()
    first, second, third = handler.handle(
        [{"data": [1.0]}, {"data": [1.0], "factor": b"3"}, {"data": [1.0]}], context
    )
    assert (first, second) == ({"value": [2.0], "unit": "m"}, {"value": [3.0], "unit": "m"})
    assert third["code"] == 400
    assert set(handler.describe_handle()["options"]) == {"factor"}


def test_the_names_of_the_table_are_documented_in_the_class_too() -> None:
    names = set(re.findall(r"^\| `(\w+)", PAGE, re.MULTILINE)) - {"ts"}
    assert names == {
        "settings",
        "settings_class",
        "options",
        "options_class",
        "payloads",
        "stateless",
        "tokens",
    }
    assert all(name in (inspect.getdoc(BaseHandler) or "") for name in names - {"options", "tokens"})
    assert f"{LIMIT:,} values" in PAGE
