from __future__ import annotations

import io

import numpy as np
from PIL import Image

from benchmarks.inputs import Inputs


def sizes(photos):
    return [Image.open(io.BytesIO(photo)).size for photo in photos]


def test_the_same_seed_draws_the_same_inputs_and_another_does_not():
    first, second, other = (Inputs(seed) for seed in (1, 1, 2))
    assert first.jpegs(2, 60, 40) == second.jpegs(2, 60, 40)
    assert first.texts(3) == second.texts(3)
    assert other.jpegs(1, 60, 40) != first.jpegs(1, 60, 40)


def test_photos_have_sizes_around_the_nominal_one_or_all_the_same():
    found = sizes(Inputs(3).jpegs(8, 200, 100))
    assert len(set(found)) > 4
    for size in found:
        assert 170 <= max(size) <= 230
        assert 85 <= min(size) <= 115
    assert len(set(sizes(Inputs(3).jpegs(4, 200, 100, one_size=True)))) == 1


def test_photos_are_not_flat():
    (photo,) = Inputs(4).jpegs(1, 300, 200)
    pixels = np.asarray(Image.open(io.BytesIO(photo)), np.float32)
    assert pixels.std() > 10
    assert np.abs(np.diff(pixels, axis=1)).mean() > 1


def test_a_vocabulary_has_most_words_of_its_texts_and_not_all():
    texts = Inputs(5).texts(20)
    vocabulary = Inputs(5).vocabulary(texts)
    words = {word for text in texts for word in text.lower().split() if word.isalnum()}
    known = words & vocabulary.keys()
    assert 0.8 * len(words) < len(known) < len(words)
    assert vocabulary["<unk>"] == 0
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))
