"""What Dockerfiles say fits the library: it is tried without Docker, instruction by instruction."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ts.runner.parser import parser

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = [ROOT / "Dockerfile", *sorted(ROOT.glob("docker/*.Dockerfile"))]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Pairs such as ("RUN", "pip ..."), comments left out."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines if line)]


def last(name: str) -> str:
    return [rest for instruction, rest in instructions(ROOT / "Dockerfile") if instruction == name][-1]


def test_the_image_serves_all_archives_of_a_folder_on_all_addresses() -> None:
    shell, option, script = json.loads(last("CMD"))
    assert (shell, option) == ("sh", "-c")
    words = shlex.split(script)
    assert words[:2] == ["exec", "torch-model-runner"]  # in place of the shell, so that SIGTERM reaches it
    arguments = parser().parse_args(words[2:])
    assert (arguments.host, arguments.engine, arguments.archives) == (
        "0.0.0.0",
        "embedded",
        ["/models/*.mar"],
    )
    assert last("EXPOSE") == str(arguments.port)


class Health(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/ping" else 404)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.mark.parametrize(("status", "code"), [(200, 0), (500, 1)])
def test_the_health_check_says_what_ping_says(status: int, code: int) -> None:
    program, option, script = json.loads(last("HEALTHCHECK").partition(" CMD ")[2])
    assert (program, option) == ("python", "-c")
    with HTTPServer(("127.0.0.1", 0), type("Health", (Health,), {"status": status})) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        here = script.replace(f":{last('EXPOSE')}/", f":{server.server_port}/")
        assert here != script
        assert subprocess.run([sys.executable, "-c", here], stderr=subprocess.DEVNULL).returncode == code
        server.shutdown()


def test_the_image_runs_as_a_user_by_number() -> None:
    assert int(last("USER")) > 0
    assert f"--uid {last('USER')} " in last("RUN")


def test_the_image_has_extras_that_there_are() -> None:
    arguments = dict(rest.split("=", 1) for name, rest in instructions(ROOT / "Dockerfile") if name == "ARG")
    assert all(
        re.search(rf"^{extra} = \[", PYPROJECT, re.MULTILINE) for extra in arguments["EXTRAS"].split(",")
    )


def test_torch_is_the_one_that_the_package_promises() -> None:
    runs = " ".join(rest for name, rest in instructions(ROOT / "Dockerfile") if name == "RUN")
    for requirement in re.findall(r'"(torch(?:vision)?>=[\d.]+)"', runs):
        assert f'"{requirement}",' in PYPROJECT
    assert runs.count('"torch') == 2


def test_images_are_sent_what_a_build_reads_and_no_more() -> None:
    first, *kept = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] != "#"]
    assert first == "*"
    names = {line[1:] for line in kept if line.startswith("!")}
    assert all((ROOT / name).exists() for name in names)
    read = {"pyproject.toml", "setup.py", "README.md", "LICENSE", "ts", "overlay", "model-archiver"}
    assert names == read
    assert any(fnmatch("ts/utils/__pycache__", pattern) for pattern in kept)


@pytest.mark.parametrize("dockerfile", DOCKERFILES[1:], ids=lambda path: path.name)
def test_an_image_of_torchserves_keeps_its_packages_and_is_not_root(dockerfile: Path) -> None:
    found = instructions(dockerfile)
    [run, doctor] = [rest for name, rest in found if name == "RUN"]
    assert "--constraint /tmp/installed.txt" in run
    assert doctor == "torch-model-runner doctor"
    users = [rest for name, rest in found if name == "USER"]
    assert users[0] == "root"
    assert users[1] in ("model-server", "${RUN_AS}")
    assert ("ARG", "RUN_AS=model-server") in found or users[1] == "model-server"


def test_the_image_for_kserve_gets_what_handlers_need_by_name() -> None:
    run = next(rest for name, rest in instructions(ROOT / "docker" / "kserve.Dockerfile") if name == "RUN")
    for requirement in re.findall(
        r'"?((?:fsspec|orjson|pydantic|rich|safetensors|typing_extensions)[>=\d.]*)"?', run
    ):
        assert f'"{requirement}"' in PYPROJECT, requirement
    assert "--no-deps" in run
