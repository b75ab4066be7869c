"""From logits to the class of each pixel."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ts.handler_utils.segmentation import class_maps
from ts.handler_utils.segmentation.class_maps import (
    background_class,
    class_probabilities,
    most_probable,
    most_probable_at,
    segmentation_logits,
)

LOGITS = torch.randn(2, 5, 3, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "output",
    [
        LOGITS,
        {"out": LOGITS, "aux": torch.zeros(1)},
        {"logits": LOGITS},
        SimpleNamespace(logits=LOGITS),
        [LOGITS, torch.zeros(1)],
        (LOGITS,),
        LOGITS.double(),
    ],
    ids=["tensor", "dictionary", "logits", "object", "list", "tuple", "float64"],
)
def test_logits_are_found_in_what_models_return(output):
    logits = segmentation_logits(output)
    assert logits.dtype == torch.float32
    assert torch.equal(logits, LOGITS)


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ({"mask": LOGITS}, "a mapping of 'mask'"),
        (LOGITS[0], r"a tensor \[5, 3, 4\]"),
        ([], "a list"),
        (None, "a NoneType"),
    ],
)
def test_another_output_is_described(output, found):
    with pytest.raises(TypeError, match=f"must return logits .* this one returned {found}"):
        segmentation_logits(output)


def test_several_classes_share_each_pixels_probability():
    assert torch.equal(class_probabilities(LOGITS), LOGITS.softmax(dim=1))


def test_a_single_channel_is_the_foreground():
    logits = torch.tensor([[[[-2.0, 0.0, 3.0]]]])
    [found] = most_probable(class_probabilities(logits))
    assert found.classes.tolist() == [[0, 0, 1]]
    assert found.probabilities[0] == pytest.approx([0.880797, 0.5, 0.952574], abs=1e-6)


@pytest.mark.parametrize("count", [2, 21, 256, 257, 1000])
def test_the_most_probable_class_is_that_of_argmax(count):
    probabilities = torch.rand(2, count, 5, 6, generator=torch.Generator().manual_seed(count))
    best, classes = probabilities.max(dim=1)
    for found, values, indexes in zip(most_probable(probabilities), best, classes):
        assert found.classes.tolist() == indexes.tolist()
        assert found.probabilities.tolist() == values.tolist()
        assert found.classes.dtype == (np.uint8 if count <= 256 else np.int32)


def test_of_equally_probable_classes_the_first_is_taken():
    probabilities = torch.tensor([0.2, 0.4, 0.4]).reshape(1, 3, 1, 1)
    assert most_probable(probabilities)[0].classes.item() == 1
    assert most_probable_at(probabilities[0], (2, 2)).classes.tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("size", [(9, 16), (2, 3), (3, 4)], ids=["larger", "smaller", "the same"])
def test_at_another_size_probabilities_are_interpolated_bilinearly(size):
    probabilities = class_probabilities(LOGITS)
    resized = torch.nn.functional.interpolate(probabilities, size, mode="bilinear")
    best, classes = resized.max(dim=1)
    for index in range(2):
        found = most_probable_at(probabilities[index], size)
        assert found.classes.tolist() == classes[index].tolist()
        assert found.probabilities == pytest.approx(best[index].numpy(), abs=1e-6)


@pytest.mark.parametrize("size", [(70, 90), (300, 4), (4, 300), (1, 999), (999, 1), (5, 6), (20, 30), (1, 1)])
@pytest.mark.parametrize("tile", [1, 500, 2**17])
def test_the_tiles_of_a_map_are_parts_of_one_interpolation(size, tile, monkeypatch):
    monkeypatch.setattr(class_maps, "_TILE", tile)
    probabilities = class_probabilities(torch.randn(1, 6, 20, 30, generator=torch.Generator().manual_seed(3)))
    found = most_probable_at(probabilities[0], size)
    at_once = class_maps._a_class_at_a_time(probabilities[0], size)
    resized = torch.nn.functional.interpolate(probabilities, size, mode="bilinear")[0]
    for values in (found, at_once):
        assert values.classes.tolist() == resized.argmax(dim=0).tolist()
        assert values.probabilities == pytest.approx(resized.amax(dim=0).numpy(), abs=1e-6)
    assert found.classes.dtype == at_once.classes.dtype == np.uint8


@pytest.mark.parametrize(("count", "dtype"), [(256, np.uint8), (257, np.int32)])
def test_classes_beyond_255_have_larger_numbers_at_another_size_too(count, dtype):
    probabilities = torch.zeros(count, 2, 2)
    probabilities[-1] = 1
    found = most_probable_at(probabilities, (3, 3))
    assert found.classes.dtype == dtype
    assert (found.classes == count - 1).all()


def test_what_is_worked_on_at_a_time_does_not_grow_with_the_photo(monkeypatch):
    monkeypatch.setattr(class_maps, "_TILE", 1000)
    for size in [(300, 400), (10, 12_000), (1, 120_000), (120_000, 1)]:
        tiles = [tile for tile, _ in class_maps._in_tiles(torch.rand(5, 10, 12), size)]
        assert max(tile.stop - tile.start for tile in tiles) * size[1] <= max(1000, size[1])
        assert [tile.start for tile in tiles] == [0, *(tile.stop for tile in tiles[:-1])]
        assert tiles[-1].stop == size[0]


@pytest.mark.parametrize(
    ("labels", "background"),
    [
        (None, 0),
        ({}, 0),
        ({"1": "cat", "2": "dog", "3": "cow"}, 0),
        ({"0": "__background__", "1": "cat", "2": "dog"}, 0),
        ({"0": "Background", "1": "cat", "2": "dog"}, 0),
        ({"0": "sound", "1": "cracked"}, 0),
        ({"0": "road", "1": "sidewalk", "2": "building"}, None),
    ],
)
def test_class_0_is_the_background_unless_its_label_names_something(labels, background):
    assert background_class(labels) == background
