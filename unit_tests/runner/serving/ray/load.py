"""Clients that ask a server all the time, and keep what they get."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import requests

from unit_tests.runner.serving.ray.scenario import Send, until

TRIES = 5  # to find a node that is there


class Load:
    """Sends requests for the time of a `with` block, each of which must be answered with its own text.

    A request whose connection breaks is sent again, as a load balancer would: a node that is gone takes its
    connections with it.

    Attributes:
        answers: A document each, in the order in which they came.
        lost: What any other request got.
        broken: Connections that broke.
    """

    def __init__(self, send: Send, path: str, clients: int = 4) -> None:
        self.answers: list[dict[str, Any]] = []
        self.lost: list[str] = []
        self.broken = 0
        self.longest = 0.0
        self._send, self._path = send, path
        self._numbers = itertools.count()
        self._is_over = threading.Event()
        self._clients = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self) -> Load:
        for client in self._clients:
            client.start()
        self.wait_for(20)
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over.set()
        for client in self._clients:
            client.join()

    def wait_for(self, more: int) -> None:
        """Returns when so many more requests are decided."""
        enough = self.decided() + more
        until(lambda: self.decided() >= enough)

    def decided(self) -> int:
        return len(self.answers) + len(self.lost)

    def pids(self, more: int) -> set[int]:
        """Of the workers that answered the next so many requests."""
        begun = len(self.answers)
        until(lambda: self._is_over.is_set() or len(self.answers) >= begun + more)
        return {answer["pid"] for answer in self.answers[-more:]}

    def found(self) -> dict[str, Any]:
        """For the record."""
        return {
            "answered": len(self.answers),
            "lost": self.lost,
            "broken": self.broken,
            "longest": self.longest,
        }

    def _ask(self) -> None:
        while not self._is_over.is_set():
            text, begun = f"text {next(self._numbers)}", time.monotonic()
            try:
                response = self._sent(text)
            except requests.RequestException as error:
                self.lost.append(repr(error))
                continue
            self.longest = max(self.longest, time.monotonic() - begun)
            if response.status_code == 200 and response.json()["said"] == text:
                self.answers.append(response.json())
            else:
                self.lost.append(f"{response.status_code} {response.text}")

    def _sent(self, text: str) -> requests.Response:
        for _ in range(TRIES - 1):
            try:
                return self._send(self._path, text.encode())
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                self.broken += 1
                time.sleep(0.1)
        return self._send(self._path, text.encode())
