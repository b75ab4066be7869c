"""Many mixed requests to a live TorchServe; benchmarks/soak.py asks more of them, for longer."""

from __future__ import annotations

import threading
from argparse import Namespace
from collections.abc import Iterator

import pytest

from benchmarks.soak import Soaked, serve, soak
from benchmarks.soaking.archives import BATCH_SIZE, MODELS
from benchmarks.soaking.asked import Asked, Asking
from benchmarks.soaking.clients import LOST, RIGHT, WRONG, Client, Expected, Tally, put_under_load
from benchmarks.soaking.workers import Watch
from ts.runner.torchserve.server import TorchServe

SEED = 20  # of the photos, the texts, and the order in which they are sent
REQUESTS, REQUESTS_AROUND_A_KILL = 500, 200
CLIENTS = 8


@pytest.fixture(scope="module")
def asking() -> Asking:
    return Asking(SEED)


@pytest.fixture(scope="module")
def server(
    needs_torchserve: None, tmp_path_factory: pytest.TempPathFactory, asking: Asking
) -> Iterator[TorchServe]:
    with serve(tmp_path_factory.mktemp("soak"), asking) as server:
        yield server


@pytest.fixture(scope="module")
def expected(server: TorchServe, asking: Asking) -> Expected:
    return Expected([*asking.good, *asking.bad], server.url)


@pytest.fixture(scope="module")
def soaked(server: TorchServe, asking: Asking, expected: Expected) -> Soaked:
    options = Namespace(seed=SEED, requests=REQUESTS, clients=CLIENTS, kill_every=None)
    return soak(server, asking, expected, options)


def test_each_of_500_mixed_requests_is_answered_as_it_is_alone(soaked: Soaked) -> None:
    assert soaked.problems() == [], soaked.tally.examples
    assert soaked.tally.total(RIGHT) == REQUESTS
    for model in MODELS:
        assert soaked.tally.counts[model.name, RIGHT] > REQUESTS / 8
        assert len(soaked.histories[model.name].resident) >= 2


@pytest.mark.long
def test_a_killed_worker_loses_what_it_had_in_flight_and_is_back(
    server: TorchServe, asking: Asking, expected: Expected
) -> None:
    tally = Tally()
    with Watch(server.management_url, ["detector"]) as watch:
        killer = threading.Thread(target=watch.kill, args=["detector"])
        put_under_load(
            server.url,
            expected,
            begun(killer, asking.draws(SEED), after=REQUESTS_AROUND_A_KILL // 4),
            requests=REQUESTS_AROUND_A_KILL,
            clients=CLIENTS,
            tally=tally,
        )
        killer.join()
    assert (watch.kills, watch.histories["detector"].restarts, len(watch.histories["detector"].back)) == (
        1,
        1,
        1,
    )
    assert (tally.total(WRONG), tally.total()) == (0, REQUESTS_AROUND_A_KILL), tally.examples
    assert tally.total(LOST) == tally.counts["detector", LOST] <= BATCH_SIZE, tally.examples
    client = Client(server.url)
    again = [asked for asked in asking.good if asked.model == "detector"][:3]
    assert [expected.verdict(asked, client.ask(asked)) for asked in again] == [RIGHT] * 3
    client.close()


def begun(thread: threading.Thread, draws: Iterator[Asked], *, after: int) -> Iterator[Asked]:
    """The same requests; the thread begins once some of them were drawn."""
    for number, asked in enumerate(draws):
        if number == after:
            thread.start()
        yield asked
