"""Torch comes in the build for this machine, said before it is fetched; pip's failures are sentences."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Sequence
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from examples import installing
from examples.installing import (
    CPU_INDEX,
    SetupError,
    choose_torch,
    ensure_pip,
    has_own_registry,
    on_cpu,
    reason_of,
    run_pip,
    versions_of_torch,
)

PYTHON = Path(sys.executable)
REQUIREMENTS = ("torch==2.14.1; python_version >= '3.10'", "torchvision==0.29.1", "numpy<2")


def write_wheel(folder: Path, version: str) -> None:
    """A wheel of a torch with nothing in it."""
    info = f"torch-{version}.dist-info"
    with zipfile.ZipFile(folder / f"torch-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry on this machine that has torch 2.14.1, 2.14.1+cpu and 2.13.0+cpu."""
    folder = tmp_path / "simple" / "torch"
    folder.mkdir(parents=True)
    for version in ("2.14.1", "2.14.1+cpu", "2.13.0+cpu"):
        write_wheel(folder, version)
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
        server.shutdown()


@pytest.fixture
def pip_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of pip's but those of a test."""
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.usefixtures("pip_alone")
def test_pip_says_which_builds_a_registry_has(registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", registry)
    found = versions_of_torch(PYTHON, ())
    assert {"2.14.1", "2.14.1+cpu", "2.13.0+cpu"} >= {*found}
    assert "2.14.1+cpu" in found
    assert has_own_registry(PYTHON)


@pytest.mark.usefixtures("pip_alone")
def test_a_registry_that_cannot_be_reached_has_no_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert versions_of_torch(PYTHON, ("--extra-index-url", "http://127.0.0.1:9/more")) == []


@pytest.mark.usefixtures("pip_alone")
def test_whoever_names_no_registry_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not has_own_registry(PYTHON)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "http://127.0.0.1:9/more")
    assert not has_own_registry(PYTHON)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert has_own_registry(PYTHON)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """`machine(has_gpu=, own=, registry=, pytorch=)`: what choose_torch finds, the last two versions of torch."""

    def make(
        *, has_gpu: bool = False, own: bool = False, registry: Sequence[str], pytorch: Sequence[str]
    ) -> None:
        monkeypatch.setattr(installing.sys, "platform", "linux")
        monkeypatch.setattr(installing, "has_gpu", lambda: has_gpu)
        monkeypatch.setattr(installing, "has_own_registry", lambda _: own)
        monkeypatch.setattr(
            installing,
            "versions_of_torch",
            lambda _, options: pytorch if CPU_INDEX in options else registry,
        )

    return make


ON_CPU = ("torch==2.14.1+cpu; python_version >= '3.10'", "torchvision==0.29.1+cpu", "numpy<2")


def test_without_a_gpu_the_registrys_build_for_cpus_is_taken(machine) -> None:
    machine(registry=["2.14.1", "2.14.1+cpu"], pytorch=[])
    torch = choose_torch(PYTHON, REQUIREMENTS)
    assert torch.arguments == ON_CPU
    assert torch.comes == (
        "torch's build for CPUs, as there is no GPU here, from the package registry: about 0.3 GB to download,"
        " 1.0 GB on disk"
    )


def test_without_one_there_it_is_pytorchs_own(machine) -> None:
    machine(registry=["2.14.1"], pytorch=["2.14.1+cpu", "2.13.0+cpu"])
    torch = choose_torch(PYTHON, REQUIREMENTS)
    assert torch.arguments == ("--extra-index-url", CPU_INDEX, *ON_CPU)
    assert CPU_INDEX in torch.comes


@pytest.mark.parametrize(
    "found",
    [
        {"registry": ["2.14.1"], "pytorch": []},
        {"registry": ["2.14.1"], "pytorch": ["2.14.1+cpu"], "own": True},
    ],
    ids=["out of reach", "own registry"],
)
def test_without_any_build_for_cpus_pip_takes_its_default(machine, found) -> None:
    machine(**found)
    torch = choose_torch(PYTHON, REQUIREMENTS)
    assert torch.arguments == REQUIREMENTS
    assert "is not to be had): about 2.8 GB to download, 5.6 GB on disk" in torch.comes
    assert torch.gigabytes == pytest.approx(8.4)


def test_with_a_gpu_the_default_has_cuda(machine) -> None:
    machine(has_gpu=True, registry=["2.14.1+cpu"], pytorch=["2.14.1+cpu"])
    torch = choose_torch(PYTHON, REQUIREMENTS)
    assert (torch.arguments, torch.comes) == (
        REQUIREMENTS,
        "torch with CUDA: about 2.8 GB to download, 5.6 GB on disk",
    )


def test_elsewhere_than_on_linux_the_default_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing.sys, "platform", "darwin")
    assert choose_torch(PYTHON, REQUIREMENTS) == installing.Torch(REQUIREMENTS)


def test_where_no_version_is_pinned_any_build_for_cpus_will_do() -> None:
    assert on_cpu(["torchtext==0.18.0"], ["2.8.0+cpu"]) == ["torchtext==0.18.0"]
    assert on_cpu(["numpy<2"], ["2.8.0"]) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "the disk is full",
        ),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<pip>: Failed to"
            " establish a new connection: [Errno -2] Name or service not known')': /simple/torch/\n"
            "ERROR: No matching distribution found for torch==2.14.1",
            "no package registry can be reached (PIP_INDEX_URL names a mirror, HTTPS_PROXY a proxy)",
        ),
        (
            "after connection broken by 'ProxyError('Cannot connect to proxy.', NewConnectionError('...'))'",
            "the proxy refuses (HTTPS_PROXY, or `proxy` in pip's settings)",
        ),
        (
            "ERROR: No matching distribution found for torch==9 (from x)",
            "the package registry has no torch==9 for this Python and system",
        ),
        ("error: subprocess-exited-with-error", ""),
    ],
)
def test_why_pip_failed_is_a_sentence(words: str, reason: str, tmp_path: Path) -> None:
    log = tmp_path / "install.log"
    log.write_text(f"Collecting torch\n{words}\n")
    assert reason_of(log) == reason


@pytest.mark.usefixtures("pip_alone")
def test_a_registry_out_of_reach_is_a_sentence_of_real_pip(tmp_path: Path) -> None:
    log = tmp_path / "install.log"
    options = ["--index-url", "http://127.0.0.1:9/simple", "--retries", "1"]
    with pytest.raises(
        SetupError, match=r"install failed: no package registry can be reached .*; the whole log"
    ):
        run_pip("install", [PYTHON, "-m", "pip", "install", "--dry-run", *options, "no-such-package"], log)


def test_an_environment_without_pip_gets_it(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    python = tmp_path / "v" / "bin" / "python"
    ensure_pip(python)
    assert subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0


def test_a_python_without_pip_to_give_is_a_sentence(tmp_path: Path) -> None:
    python = tmp_path / "v" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(
        SetupError, match=r"has no pip, and its Python none to give: on Debian and Ubuntu apt"
    ):
        ensure_pip(python)
