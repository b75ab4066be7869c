"""The servers that are compared, and how each of them is started."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional

from benchmarks.engines.archives import Served, write_bodies
from benchmarks.parts import probe
from benchmarks.processes.namespace import ROOT
from benchmarks.processes.venvs import make_venv
from ts.runner.errors import ServerError
from ts.runner.torchserve.config import choose_ports, environment, lay_out, served_models
from ts.runner.torchserve.java import java_home

THREADS = "OMP_NUM_THREADS"


@dataclass(frozen=True)
class Launch:
    """A command that serves an archive, and what to ask of the server."""

    command: list[str]
    requests: dict[str, Any]
    env: dict[str, str]
    cwd: Path = ROOT


@dataclass(frozen=True)
class Contender:
    """A way to serve an archive.

    Attributes:
        key: By which it is chosen on the command line.
        name: In the tables.
        needs: A package, without which it is left out.
        env: Environment variables of its own.
    """

    key: str
    name: str
    needs: Optional[str] = None
    env: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> Optional[str]:
        """Why it cannot be measured here; None if it can."""
        if self.needs and not importlib.util.find_spec(self.needs):
            return "not installed"
        return None

    def cannot(self, served: Served) -> Optional[str]:
        """Why it cannot serve an archive as that is to be served."""
        return None

    def launch(self, served: Served, port: int, folder: Path) -> Launch:
        """The command; may write into an empty folder of its own."""
        raise NotImplementedError

    def with_env(self, **env: str) -> Contender:
        return replace(self, env={**self.env, **env})

    def full_env(self, folder: Path) -> dict[str, str]:
        """This process's, but that nothing has said how many threads compute: each server has its own default."""
        inherited = {name: value for name, value in os.environ.items() if name not in (THREADS, "PYTHONPATH")}
        return {**inherited, "TMPDIR": str(folder), **self.env}


@dataclass(frozen=True)
class Runner(Contender):
    """An engine of `torch-model-runner serve`."""

    engine: str = "embedded"

    def launch(self, served: Served, port: int, folder: Path) -> Launch:
        options = ["--engine", self.engine, "--port", str(port), "--device", "cpu", str(served.folder)]
        command = [sys.executable, "-m", "ts.runner", "serve", *options]
        return Launch(command, served.requests(), {**self.full_env(folder), "RAY_TMPDIR": str(folder)})


@dataclass(frozen=True)
class TorchServe(Contender):
    """A TorchServe, started as its users do, whose `ts` is this library's or its own.

    Attributes:
        ours: Which of the two.
        probed: Whether its workers note when each batch came, was answered and left; see `benchmarks.parts.probe`.
    """

    ours: bool = True
    probed: bool = False

    def missing(self) -> Optional[str]:
        if not importlib.util.find_spec("ts.model_server"):
            return "not installed"
        try:
            java_home(os.environ)
        except ServerError as error:
            return str(error)
        return None

    def cannot(self, served: Served) -> Optional[str]:
        if not self.ours and served.name == "reuters_r8" and served.batch_size > 1:
            return "its text classifier answers only the first of a batch"
        return None

    def launch(self, served: Served, port: int, folder: Path) -> Launch:
        python = make_venv(folder / "venv", self.ours, Path(probe.__file__) if self.probed else None)
        folders = [each.folder for each in (served.beside, served) if each]
        config = lay_out(folder, served_models(folders), choose_ports(port), "cpu", {})
        command = [str(python), "-m", "ts.model_server", "--start", "--foreground", "--no-config-snapshots"]
        env = environment(folder, folder / "logs", "cpu", self.full_env(folder))
        if self.probed:
            env[probe.FOLDER] = str(folder)
        return Launch([*command, "--ts-config", str(config)], served.requests(), env, folder)


@dataclass(frozen=True)
class LitServe(Contender):
    """LitServe, with the handler of the archive in its API."""

    def launch(self, served: Served, port: int, folder: Path) -> Launch:
        command = [sys.executable, "-m", "benchmarks.engines.lit_host", str(served.folder), str(port)]
        return Launch(command, as_json(served, folder), self.full_env(folder))


def as_json(served: Served, folder: Path) -> dict[str, Any]:
    """The requests, with bodies that LitServe reads."""
    documents = [json_body(path.read_bytes(), served.content_type) for path in served.bodies]
    paths = [str(path) for path in write_bodies(folder, documents)]
    return {**served.requests(), "content_type": "application/json", "bodies": paths}


def json_body(body: bytes, content_type: str) -> bytes:
    if content_type.startswith("image/"):
        return json.dumps({"base64": base64.b64encode(body).decode()}).encode()
    return json.dumps({"text": body.decode()}).encode()


def ray(key: str, name: str, *, haproxy: bool, throughput: bool) -> Runner:
    env = {
        "RAY_SERVE_ENABLE_HA_PROXY": str(int(haproxy)),
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": str(int(throughput)),
        "RAY_SERVE_ENABLE_DIRECT_INGRESS": str(int(haproxy)),
    }
    return Runner(key, name, "ray", env, engine="ray")


STOCK = TorchServe("stock", "TorchServe, stock", ours=False)
OURS = TorchServe("torchserve", "TorchServe, ours")
EMBEDDED = Runner("embedded", "embedded")
LITSERVE = LitServe("litserve", "LitServe, ours", "litserve")
RAY = ray("ray", "Ray, throughput mode", haproxy=False, throughput=True)
OTHER_RAYS = (
    ray("ray-haproxy", "Ray, throughput mode, HAProxy", haproxy=True, throughput=True),
    ray("ray-plain", "Ray", haproxy=False, throughput=False),
    ray("ray-plain-haproxy", "Ray, HAProxy", haproxy=True, throughput=False),
)
SIDE_BY_SIDE = (STOCK, OURS, EMBEDDED, LITSERVE, RAY)
CONTENDERS = (*SIDE_BY_SIDE, *OTHER_RAYS)
