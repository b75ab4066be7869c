"""A network of a benchmark's own."""

from __future__ import annotations

import sys

import pytest

from benchmarks.processes import namespace


def test_a_benchmark_goes_on_in_a_network_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.delenv("INSIDE", raising=False)
    monkeypatch.setattr(sys, "argv", ["server.py", "parts"])
    monkeypatch.setattr(namespace, "why_not", lambda: None)
    monkeypatch.setattr("os.execvpe", lambda *call: called.append(call))
    namespace.enter("INSIDE")
    ((program, command, environment),) = called
    assert program == "unshare"
    assert command[-3:] == [sys.executable, "server.py", "parts"]
    assert environment["INSIDE"] == "1"


def test_once_there_it_only_brings_loopback_up(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setenv("INSIDE", "1")
    monkeypatch.setattr(namespace, "bring_loopback_up", lambda: called.append("up"))
    namespace.enter("INSIDE")
    assert called == ["up"]


def test_where_there_is_no_such_network_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSIDE", raising=False)
    monkeypatch.setattr(namespace, "why_not", lambda: "network namespaces are Linux's")
    with pytest.raises(SystemExit, match="network namespaces are Linux's"):
        namespace.enter("INSIDE")
