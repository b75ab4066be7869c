from __future__ import annotations

import pytest

from benchmarks.curves.fitting import MEMORY, P99, TIME, exponent, growth, is_linear
from benchmarks.results import Figures

X = "rows of a batch"


def points(seconds, memory=None, missing_from=None):
    found = []
    for place, second in enumerate(seconds):
        each = Figures("ours", 1, [second * 0.9, second, second * 1.1], more={X: 2.0**place, P99: second})
        if memory:
            each.more[MEMORY] = memory[place]
        if missing_from is not None and place >= missing_from:
            each = Figures("ours", 1, missing="it failed", more={X: 2.0**place})
        found.append(each)
    return found


@pytest.mark.parametrize("power", [0, 0.5, 1, 2])
def test_the_exponent_is_that_of_the_power(power):
    assert exponent([1, 2, 4, 8], [3 * x**power for x in (1, 2, 4, 8)]) == pytest.approx(power)


def test_the_upper_half_of_a_curve_counts_where_its_constant_does_not():
    assert growth(X, points([1, 1, 1, 1, 1, 2, 4, 8]))[TIME] == pytest.approx(1)
    assert growth(X, points([1, 1, 2, 4]))[TIME] == pytest.approx(1)  # of few points the last three


def test_a_square_is_worse_than_linear_and_what_noise_makes_of_a_line_is_not():
    square, near = growth(X, points([1, 4, 16])), growth(X, points([1, 2.1, 4.4]))
    assert (is_linear(TIME, square[TIME]), is_linear(TIME, near[TIME])) == (False, True)
    assert (is_linear(TIME, 1.25), is_linear(P99, 1.25), is_linear(P99, 1.35)) == (False, True, False)


def test_p99_and_memory_have_exponents_of_their_own():
    found = growth(X, points([1, 2, 4], memory=[100, 400, 1600]))
    assert found == pytest.approx({TIME: 1, P99: 1, MEMORY: 2})


def test_where_a_curve_ends_early_what_there_is_counts():
    found = growth(X, points([1, 2, 4, 64], missing_from=3))
    assert found[TIME] == pytest.approx(1)
    assert growth(X, points([1, 2], missing_from=1)) == {}
