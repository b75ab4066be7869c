"""What pip is asked to install, torch in the build for this machine, and why it failed, in a sentence."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from examples.steps import StepFailedError, run_step

CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # PyTorch's own, "Get Started" at pytorch.org
QUICKLY = ("--timeout", "4", "--retries", "0")
PIP_SECONDS = 60
# Of torch and all that it needs, on Linux: GB to download, GB on disk; measured with torch 2.14.
WITH_CUDA, WITHOUT = (2.8, 5.6), (0.3, 1.0)

REASONS = (
    (r"No space left on device|Errno 28", "the disk is full"),
    (r"ProxyError|Tunnel connection failed", "the proxy refuses (HTTPS_PROXY, or `proxy` in pip's settings)"),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "the registry's certificate is not trusted here (PIP_CERT names a file of yours)",
    ),
    (
        r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Network is unreachable",
        "no package registry can be reached (PIP_INDEX_URL names a mirror, HTTPS_PROXY a proxy)",
    ),
    (
        r"No matching distribution found for ([^\s(]+)",
        "the package registry has no {} for this Python and system",
    ),
)


class SetupError(RuntimeError):
    """The environment cannot be made; the sentence says why, and what to do."""


@dataclass(frozen=True)
class Torch:
    """A build of torch.

    Attributes:
        arguments: of `pip install`.
        comes: what is downloaded, a sentence; nothing where that is little.
        gigabytes: of disk that its install takes, the download included, which pip keeps until all is installed.
    """

    arguments: tuple[str, ...]
    comes: str = ""
    gigabytes: float = 0


def choose_torch(python: Path, requirements: Sequence[str]) -> Torch:
    """The build without CUDA on a machine without a GPU, if a registry has it, and else what pip takes by itself.

    Only pip's default for Linux has CUDA in it; one who has named registries of their own is not led to another.

    Args:
        python: of the environment.
        requirements: of which some may pin torch and torchvision.
    """
    if not sys.platform.startswith("linux"):
        return Torch(tuple(requirements))
    if has_gpu():
        return Torch(tuple(requirements), comes("torch with CUDA", WITH_CUDA), sum(WITH_CUDA))
    own = has_own_registry(python)
    for options in ((),) if own else ((), ("--extra-index-url", CPU_INDEX)):
        if pinned := on_cpu(requirements, versions_of_torch(python, options)):
            where = CPU_INDEX if options else "the package registry"
            text = comes(f"torch's build for CPUs, as there is no GPU here, from {where}", WITHOUT)
            return Torch((*options, *pinned), text, sum(WITHOUT))
    text = comes(f"torch with CUDA (its build for CPUs, {CPU_INDEX}, is not to be had)", WITH_CUDA)
    return Torch(tuple(requirements), text, sum(WITH_CUDA))


def comes(what: str, size: tuple[float, float]) -> str:
    return f"{what}: about {size[0]} GB to download, {size[1]} GB on disk"


def has_gpu() -> bool:
    """Whether there is an NVIDIA driver, or its command."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def has_own_registry(python: Path) -> bool:
    """Whether pip's settings name a registry in PyPI's place, or none."""
    settings = ask_pip(python, "config", "list")
    return re.search(r"\.(index[-_]url|no[-_]index)=", settings) is not None


def versions_of_torch(python: Path, options: Sequence[str]) -> list[str]:
    """The versions of torch that registries have for this Python; none if they cannot be asked quickly."""
    quickly = QUICKLY if options else ()
    said = ask_pip(python, "index", "versions", "torch", *quickly, *options)
    return re.findall(r"[^\s,()]+", said.partition("Available versions:")[2].partition("\n")[0])


def on_cpu(requirements: Sequence[str], versions: Sequence[str]) -> list[str]:
    """The requirements with the versions of the builds for CPUs; empty if they are not among those there are."""
    pins = [re.match(r"torch==([^;\s]+)", requirement) for requirement in requirements]
    wanted = [f"{pin[1]}+cpu" for pin in pins if pin]
    if not (set(wanted) & set(versions) if wanted else any("+cpu" in version for version in versions)):
        return []
    return [re.sub(r"^(torch(?:vision)?==[^;\s]+)", r"\1+cpu", requirement) for requirement in requirements]


def ask_pip(python: Path, *arguments: str) -> str:
    """What pip prints; nothing if it fails or takes long."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def check_room(folder: Path, gigabytes: float) -> None:
    """Refuses to begin what would fill the disk.

    Raises:
        SetupError: there is less room than that.
    """
    free = shutil.disk_usage(folder).free / 1e9
    if free < gigabytes:
        raise SetupError(f"{folder} needs about {gigabytes:.1f} GB, and {free:.1f} GB are free there")


def run_pip(label: str, command: Sequence[str | Path], log: Path) -> None:
    """Runs pip as a step.

    Raises:
        SetupError: it failed for a reason that its log tells.
        StepFailedError: it failed for another.
    """
    try:
        run_step(label, command, log)
    except StepFailedError as error:
        if reason := reason_of(log):
            raise SetupError(f"{error.label} failed: {reason}; the whole log is {log}") from None
        raise


def reason_of(log: Path) -> str:
    """Why pip failed, as its log tells it; nothing if it tells nothing known."""
    text = log.read_text(encoding="utf-8", errors="replace")
    for pattern, reason in REASONS:
        if found := re.search(pattern, text):
            return reason.format(*found.groups())
    return ""


def ensure_pip(python: Path) -> None:
    """Gives an environment pip, which `uv venv` and `venv --without-pip` leave out.

    Raises:
        SetupError: this Python has none to give.
    """
    for command in (("pip", "--version"), ("ensurepip", "--upgrade", "--default-pip")):
        if subprocess.run([python, "-m", *command], capture_output=True).returncode == 0:
            return
    folder = python.parent.parent
    raise SetupError(
        f"{folder} has no pip, and its Python none to give: on Debian and Ubuntu apt install python3-venv, else"
        f" uv pip install --python {folder} pip"
    )
