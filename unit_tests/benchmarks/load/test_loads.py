"""Loads, and what is made of what was measured."""

from __future__ import annotations

import math
import statistics

import pytest

from benchmarks.load.loads import Arrivals, Measured, arrival_times, percentile


def test_the_same_seed_gives_the_same_arrivals_and_another_gives_others() -> None:
    load = Arrivals(60, 10)
    assert arrival_times(load, 1) == arrival_times(load, 1)
    assert arrival_times(load, 1) != arrival_times(load, 2)


def test_arrivals_are_a_poisson_process() -> None:
    times = arrival_times(Arrivals(50, 200), seed=3)
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    assert len(times) == pytest.approx(50 * 200, rel=0.03)
    assert times == sorted(times)
    assert times[-1] < 200
    # Gaps are exponential: their standard deviation is their mean, and e^-1 of them are longer than that.
    assert statistics.stdev(gaps) == pytest.approx(1 / 50, rel=0.05)
    assert sum(gap > 1 / 50 for gap in gaps) / len(gaps) == pytest.approx(math.exp(-1), rel=0.05)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_the_smallest_value_that_the_share_does_not_exceed(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_nothing_has_no_percentile() -> None:
    assert math.isnan(percentile([], 0.5))


def test_figures_are_those_of_the_answers() -> None:
    found = Measured(2.0, [0.010, 0.020, 0.030, 0.040], [4, 4, 4, 4], {"503": 2, "no answer": 1}, 0.0, 0.1)
    assert found.rate == 2
    assert found.percentile(0.5) == pytest.approx(20)
    assert found.cpu_ms == pytest.approx(25)
    assert found.lost == 3


def test_the_mean_batch_is_that_of_batches_and_not_of_their_rows() -> None:
    """A batch of eight and two of one are three batches with ten rows."""
    assert Measured(1.0, [0.1] * 10, [8] * 8 + [1, 1]).mean_batch == pytest.approx(10 / 3)
    assert Measured(1.0, [0.1]).mean_batch is None
