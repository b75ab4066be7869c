"""Clients that ask a live server all the time, and look at each answer."""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Callable, Optional

from benchmarks.soaking.asked import Asked

TIMEOUT = 120  # seconds, of a request
ROUNDING = 1e-5  # of a float32 that is computed in another batch
CUT = -1  # in the place of a status: the server closed the connection
SHOWN = 20  # answers that were not right, in a report
RIGHT, WRONG, LOST = "right", "wrong", "lost"


@dataclass(frozen=True)
class Answered:
    """What came back: an HTTP status, or `CUT`; and the body, or what went wrong with the connection."""

    status: int
    body: bytes

    def __str__(self) -> str:
        status = "no answer" if self.status == CUT else str(self.status)
        return f"{status} {self.body[:120]!r}"


class Client:
    """Asks a server over one connection, which it keeps."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=TIMEOUT)

    def ask(self, asked: Asked) -> Answered:
        """The answer to a request; what goes wrong with the connection is an answer, too."""
        try:
            self._connection.request("POST", f"/predictions/{asked.model}", asked.body, dict(asked.headers))
            response = self._connection.getresponse()
            return Answered(response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Answered(CUT, repr(error).encode())

    def close(self) -> None:
        self._connection.close()


class Expected:
    """What each request is answered when it is asked alone."""

    def __init__(self, requests: list[Asked], url: str) -> None:
        """Asks each request once, with none beside it.

        Raises:
            RuntimeError: an answer has another status than the request is to have.
        """
        client = Client(url)
        self._answers = {id(asked): client.ask(asked) for asked in requests}
        client.close()
        self._requests = requests  # alive, so that no other has the id of one of them
        for asked in requests:
            found = self._answers[id(asked)]
            if found.status != asked.status and not (asked.may_be_cut and found.status == CUT):
                raise RuntimeError(f"{asked.model} was to answer {asked.name} by {asked.status}: {found}")

    def __getitem__(self, asked: Asked) -> Answered:
        return self._answers[id(asked)]

    def verdict(self, asked: Asked, found: Answered) -> str:
        """`RIGHT` where the answer is that to the request alone, `LOST` where there is none, and else `WRONG`."""
        if found.status == CUT and asked.may_be_cut:
            return RIGHT
        if found.status == CUT or found.status >= 500:
            return LOST
        expected = self._answers[id(asked)]
        if asked.may_be_cut:
            return RIGHT if found.status == asked.status else WRONG
        return RIGHT if found.status == expected.status and same(found.body, expected.body) else WRONG


def same(body: bytes, other: bytes) -> bool:
    """Whether two answers are one but for the rounding of numbers."""
    if body == other:
        return True
    try:
        return is_close(json.loads(body), json.loads(other))
    except ValueError:
        return False


def is_close(value: Any, other: Any) -> bool:
    """Whether two JSON values are one but for the rounding of numbers."""
    if isinstance(value, float) and isinstance(other, float):
        return math.isclose(value, other, rel_tol=ROUNDING, abs_tol=ROUNDING)
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return value.keys() == other.keys() and all(is_close(item, other[key]) for key, item in value.items())
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(is_close, value, other))
    return bool(value == other) and type(value) is type(other)


class Tally:
    """How often each model's answers got each verdict, and some of those that were not right."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.examples: list[str] = []
        self._lock = threading.Lock()

    def add(self, asked: Asked, found: Answered, verdict: str) -> None:
        with self._lock:
            self.counts[asked.model, verdict] += 1
            if verdict != RIGHT and len(self.examples) < SHOWN:
                self.examples.append(f"{verdict}: {asked.model}, {asked.name}: {found}")

    def total(self, verdict: Optional[str] = None) -> int:
        return sum(count for (_, found), count in self.counts.items() if verdict in (None, found))


def put_under_load(
    url: str,
    expected: Expected,
    draws: Iterator[Asked],
    *,
    requests: int,
    clients: int,
    tally: Tally,
    say: Callable[[str], Any] = print,
) -> float:
    """Asks a server that many requests from several threads, and returns the seconds that it took.

    Raises:
        Exception: what a client's thread raised.
    """
    turns, lock = islice(draws, requests), threading.Lock()
    failures: list[Exception] = []

    def work() -> None:
        client = Client(url)
        try:
            while (asked := _next(turns, lock)) is not None and not failures:
                found = client.ask(asked)
                tally.add(asked, found, expected.verdict(asked, found))
        except Exception as error:
            failures.append(error)
        finally:
            client.close()

    start = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    _wait(threads, tally, requests, say)
    if failures:
        raise failures[0]
    return time.perf_counter() - start


def _next(turns: Iterator[Asked], lock: threading.Lock) -> Optional[Asked]:
    with lock:
        return next(turns, None)


def _wait(threads: list[threading.Thread], tally: Tally, requests: int, say: Callable[[str], Any]) -> None:
    """Waits for threads, and says every ten seconds how far they are."""
    said = time.perf_counter()
    for thread in threads:
        while thread.is_alive():
            thread.join(1)
            if time.perf_counter() - said > 10:
                said = time.perf_counter()
                say(
                    f"{tally.total():,} of {requests:,} requests:"
                    f" {tally.total(WRONG)} wrong, {tally.total(LOST)} lost"
                )
