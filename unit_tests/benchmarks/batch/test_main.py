"""What the benchmark of jobs prints."""

from __future__ import annotations

import pytest

from benchmarks.batch.__main__ import TOLD, check, measure, text


def test_contenders_run_in_turn_and_every_other_round_backwards() -> None:
    ran: list[str] = []

    def run(name: str) -> dict[str, float]:
        ran.append(name)
        return {"rate": float(len(ran))}

    found = measure({"a": lambda: run("a"), "b": lambda: run("b")}, rounds=2)
    assert ran == ["a", "b", "b", "a"]
    assert [[each["rate"] for each in rounds] for rounds in found.values()] == [[1.0, 4.0], [2.0, 3.0]]


def test_ratios_are_those_of_the_rounds() -> None:
    found = {
        "one process": [{"rate": 10.0}, {"rate": 20.0}, {"rate": 10.0}],
        "2 workers on Ray": [{"rate": rate, "seconds": 40.0} for rate in (19.0, 36.0, 22.0)],
    }
    assert text(found).splitlines()[:2] == [
        "one process: 10.0 files/s, 1.00x (1.00 to 1.00)",
        "2 workers on Ray: 22.0 files/s, 1.90x (1.80 to 2.20), 40.0 s with the start",
    ]


def test_what_the_command_says_is_understood() -> None:
    said = TOLD.search("2,000 answered now, in 27.3 s, 1.05e+03 files/s once the workers were up")
    assert said is not None
    assert (float(said[1]), float(said[2])) == (27.3, 1050.0)


def test_wrong_answers_are_no_rate() -> None:
    check({"200": 9, "400": 1}, 10)
    with pytest.raises(AssertionError, match="of 10 files one is damaged"):
        check({"200": 10}, 10)
