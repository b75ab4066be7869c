"""Whatever stands beside a request in its batch, its answer is the one that it has alone, to the last bit.

See unit_tests/helpers/fuzzing.py for how to run this long, or again.
"""

from __future__ import annotations

import pytest
from fuzzed_inputs import as_payloads, json_values, mutated_images, requests, texts
from fuzzing import Fuzzed, fuzz
from hypothesis import given
from hypothesis import strategies as st

PAYLOADS = {
    "base": json_values,
    "classifier": lambda: st.one_of(mutated_images().flatmap(as_payloads), json_values()),
    "text": lambda: st.one_of(texts(), json_values()),
}
KINDS = {"segmenter": "classifier", "detector": "classifier", "transformer": "text"}


@pytest.mark.parametrize("name", ["base", "classifier", "segmenter", "detector", "text", "transformer"])
@fuzz
@given(data=st.data())
def test_good_neighbours_are_answered_as_alone(
    name: str, fuzzed: dict[str, Fuzzed], data: st.DataObject
) -> None:
    handler = fuzzed[name]
    strangers = requests(handler.options, PAYLOADS[KINDS.get(name, name)]())
    drawn = data.draw(st.lists(st.one_of(st.sampled_from(handler.good), strangers), min_size=2, max_size=5))
    together = handler.check(drawn)
    alone = [handler.ask([request])[0] for request in drawn]
    assert together == alone
