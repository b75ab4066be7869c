"""Whatever a request holds, its answer is a valid 200 or a well-formed 4xx, and the log keeps calm.

See unit_tests/helpers/fuzzing.py for how to run this long, or again.
"""

from __future__ import annotations

import pytest
from fuzzed_inputs import as_payloads, json_values, mutated_images, requests, texts
from fuzzing import Fuzzed, fuzz
from hypothesis import given
from hypothesis import strategies as st

IMAGES = ("classifier", "segmenter", "detector")
TEXTS = ("text", "transformer")
ALL = ("base", *IMAGES, *TEXTS)


@pytest.mark.parametrize("name", IMAGES)
@fuzz
@given(data=st.data())
def test_any_image(name: str, fuzzed: dict[str, Fuzzed], data: st.DataObject) -> None:
    content = data.draw(mutated_images())
    fuzzed[name].check([data.draw(requests([], as_payloads(content)))])


@pytest.mark.parametrize("name", ALL)
@fuzz
@given(data=st.data())
def test_any_json(name: str, fuzzed: dict[str, Fuzzed], data: st.DataObject) -> None:
    fuzzed[name].check([data.draw(requests([], json_values()))])


@pytest.mark.parametrize("name", TEXTS)
@fuzz
@given(data=st.data())
def test_any_text(name: str, fuzzed: dict[str, Fuzzed], data: st.DataObject) -> None:
    fuzzed[name].check([data.draw(requests([], texts()))])


@pytest.mark.parametrize("name", ALL)
@fuzz
@given(data=st.data())
def test_any_options_and_headers(name: str, fuzzed: dict[str, Fuzzed], data: st.DataObject) -> None:
    handler = fuzzed[name]
    good = [request.row.get("data") or request.row.get("body") for request in handler.good]
    handler.check([data.draw(requests(handler.options, st.sampled_from(good)))])
