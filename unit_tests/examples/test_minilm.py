"""The packed all-MiniLM-L6-v2 is the real one: what its makers publish comes out."""

from __future__ import annotations

import numpy as np
import pytest

from examples.assets import MINILM
from ts.runner import load_archive


@pytest.fixture(scope="module")
def minilm(tmp_path_factory, fetch_or_skip):
    pytest.importorskip("transformers", reason="pip install transformers: it runs the network")
    fetch_or_skip(MINILM)
    from examples.embedder.archive import build_archive

    with load_archive(build_archive(tmp_path_factory.mktemp("minilm")), device="cpu") as model:
        yield model


def test_the_similarities_of_its_makers_example(minilm):
    """As printed at https://sbert.net/docs/quickstart.html."""
    texts = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    vectors = np.array([answer.response for answer in minilm.predict(texts, batch_size=3)])
    published = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    assert vectors.shape == (3, 384)
    assert vectors @ vectors.T == pytest.approx(np.array(published), abs=1e-4)


def test_a_long_text_is_cut_at_256_tokens(minilm):
    long, longer = (answer.response for answer in minilm.predict(["rain " * 254, "rain " * 300]))
    assert np.array(long) == pytest.approx(np.array(longer), abs=1e-6)


def test_raw_numbers_are_those_of_the_list(minilm):
    (listed,) = minilm.predict(["Hello"])
    (raw,) = minilm.predict(["Hello"], options={"format": "float32"})
    assert np.frombuffer(raw.response, "<f4").tolist() == pytest.approx(listed.response)
