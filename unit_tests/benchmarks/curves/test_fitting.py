from __future__ import annotations

import pytest

from benchmarks.curves.fitting import MEMORY, exponent, growth
from benchmarks.results import Figures

X = "rows of a batch"


def points(seconds, memory=None, missing_from=None):
    found = []
    for place, second in enumerate(seconds):
        each = Figures("ours", 1, [second * 0.9, second, second * 1.1], more={X: 2.0**place})
        if memory:
            each.more[MEMORY] = memory[place]
        if missing_from is not None and place >= missing_from:
            each = Figures("ours", 1, missing="it failed", more={X: 2.0**place})
        found.append(each)
    return found


@pytest.mark.parametrize("power", [0, 0.5, 1, 2])
def test_the_exponent_is_that_of_the_power(power):
    assert exponent([1, 2, 4, 8], [3 * x**power for x in (1, 2, 4, 8)]) == pytest.approx(power)


def test_the_end_of_a_curve_counts_where_its_constant_does_not():
    (found,) = growth("ours", X, points([1, 1, 1, 1, 2, 4]))
    assert found.value == pytest.approx(1)
    assert (found.low, found.high) == pytest.approx((1, 1))
    assert found.met


def test_worse_than_linear_misses_and_a_tenth_does_not():
    (square,) = growth("ours", X, points([1, 4, 16]))
    (near,) = growth("ours", X, points([1, 2.1, 4.4]))
    assert (square.met, near.met) == (False, True)


def test_memory_has_an_exponent_of_its_own():
    time, memory = growth("ours", X, points([1, 2, 4], memory=[100, 400, 1600]))
    assert time.met
    assert memory.value == pytest.approx(2)
    assert memory.text == "exponent of ours, memory"


def test_where_a_curve_ends_early_what_there_is_counts():
    (found,) = growth("ours", X, points([1, 2, 4, 64], missing_from=3))
    assert found.value == pytest.approx(1)
    assert growth("ours", X, points([1, 2], missing_from=1)) == []
