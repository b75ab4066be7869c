"""The largest answer is what the server takes, where it can be found out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional

import pytest

from ts.handler_utils.answer_limit import TORCHSERVES_DEFAULT, answer_limit, check_answer_size, server_limit
from ts.handler_utils.errors import InvalidInput
from ts.torch_handler.base_handler import BaseHandler

JAVA = ["java", "-cp", "x.jar", "org.pytorch.serve.ModelServer", "--python", "python"]


class Process:
    """A process as psutil shows it."""

    def __init__(self, command: list[str], folder: Path, parents: Any = ()) -> None:
        self.command, self.folder, self._parents = command, folder, list(parents)

    def cmdline(self) -> list[str]:
        return self.command

    def cwd(self) -> str:
        return str(self.folder)

    def parents(self) -> list[Process]:
        return self._parents


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes this process a worker of a TorchServe with a command line: `server("-f", "a.properties")`."""
    server_limit.cache_clear()
    for name in ("TS_CONFIG_FILE", "TS_MAX_RESPONSE_SIZE"):
        monkeypatch.delenv(name, raising=False)

    def start(*options: str, command: Optional[list[str]] = None) -> Path:
        java = Process([*(command or JAVA), *options], tmp_path)
        worker = Process(["python"], tmp_path / "model", [Process(["torchrun"], tmp_path), java])
        monkeypatch.setitem(sys.modules, "psutil", SimpleNamespace(Process=lambda: worker))
        return tmp_path

    yield start
    server_limit.cache_clear()


def test_without_a_server_it_is_torchserves_default(server: Any) -> None:
    server(command=["bash"])
    assert server_limit() == TORCHSERVES_DEFAULT == 6_553_500


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("max_response_size=1000\n", 1000),
        ("# max_response_size=5\n\n  max_response_size = 2000 \nport=1\n", 2000),
        ("max_response_size=1000\nmax_response_size=3000", 3000),
        ("max_response_size=${ANSWERS}", 4000),
        ("max_response_size=many", TORCHSERVES_DEFAULT),
        ("max_response_size=0", TORCHSERVES_DEFAULT),
        ("port=1", TORCHSERVES_DEFAULT),
    ],
)
def test_the_file_of_the_servers_command_line_says_it(
    server: Any, text: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSWERS", "4000")
    for option, name in (("-f", "a.properties"), ("--ts-config", "b.properties"), ("", "config.properties")):
        folder = server(*([option, name] if option else []))
        (folder / name).write_text(text)
        assert server_limit() == limit
        (folder / name).unlink()
        server_limit.cache_clear()


def test_the_environment_says_which_file_and_may_say_the_limit(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = server("-f", "a.properties")
    (folder / "a.properties").write_text("max_response_size=1000")
    (folder / "c.properties").write_text("max_response_size=2000")
    monkeypatch.setenv("TS_CONFIG_FILE", str(folder / "c.properties"))
    monkeypatch.setenv("TS_MAX_RESPONSE_SIZE", "3000")
    assert server_limit() == 2000
    (folder / "c.properties").write_text("max_response_size=2000\nenable_envvars_config=true")
    server_limit.cache_clear()
    assert server_limit() == 3000


def test_a_file_that_is_not_there_and_a_system_that_tells_nothing_leave_the_default(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server("-f", "none.properties")
    assert server_limit() == TORCHSERVES_DEFAULT
    server_limit.cache_clear()
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert server_limit() == TORCHSERVES_DEFAULT


def test_the_setting_wins(server: Any) -> None:
    (server("-f", "a.properties") / "a.properties").write_text("max_response_size=1000")
    handler = BaseHandler()
    assert answer_limit(handler) == 1000
    handler.settings = handler.settings_class(max_answer_bytes=77)
    assert answer_limit(handler) == 77
    check_answer_size(handler, 77)
    with pytest.raises(InvalidInput, match=r"78 bytes.* is 77: ask for less, or raise") as refused:
        check_answer_size(handler, 78, "ask for less")
    assert refused.value.error_code == 413
