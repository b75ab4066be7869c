"""The benchmark of the settings runs, on its case without any."""

from __future__ import annotations

from at_hand import or_skip

from benchmarks.cases import OURS, PILLOW
from benchmarks.measuring.in_turn import Plan, measure
from benchmarks.settings import cases, load_photos
from examples.assets import EFFICIENTNET_LITE0, PHOTOS, fetch, fetch_all


def test_real_photos_are_answered_alike_by_real_weights(torchserve, tmp_path):
    or_skip(fetch, EFFICIENTNET_LITE0)
    or_skip(fetch_all, PHOTOS)
    case, _ = cases(load_photos(None)[:2], "cpu")
    result = measure(case, Plan(torchserve, "cpu", rounds=1, seed=1, batches=1), tmp_path)
    figures = {each.name: each for each in result.figures}
    assert [each.missing for each in result.figures] == [None] * len(figures)
    assert (figures[OURS].agreement or "").startswith("labels equal")  # by other pixels
    assert figures[PILLOW].agrees, figures[PILLOW].agreement
