from __future__ import annotations

from typing import Any

import pytest
import torch
from PIL import Image
from torchvision.transforms import functional

from ts.handler_utils.detection.readers.registry import Found
from ts.handler_utils.detection.resized import in_photo, resized_size, undo_letterbox, undo_resize
from ts.handler_utils.images.transform import ImageTransform


@pytest.mark.parametrize("size", [(640, 491), (491, 640), (100, 100), (7, 3)])
@pytest.mark.parametrize("resize", [50, 333, [30, 40]])
def test_the_size_is_that_which_torchvision_resizes_to(resize: Any, size: tuple[int, int]) -> None:
    assert resized_size(resize, size) == functional.resize(Image.new("L", size), resize).size


def test_boxes_and_keypoints_are_moved_to_the_photos_pixels() -> None:
    found = {
        "boxes": torch.tensor([[10.0, 20.0, 30.0, 40.0]]),
        "keypoints": torch.tensor([[[5.0, 6.0, 1.0]]]),
        "scores": torch.tensor([0.5]),
        "labels": torch.tensor([1]),
    }
    moved = undo_resize(found, [100, 50], (200, 300))
    assert moved["boxes"].tolist() == [[40, 60, 120, 120]]
    assert moved["keypoints"].tolist() == [[[20, 18, 1]]]
    assert moved["scores"] is found["scores"]


def test_masks_get_the_size_of_the_photo() -> None:
    masks = torch.zeros(1, 1, 4, 4)
    masks[..., 2:] = 1
    found = {"boxes": torch.zeros(1, 4), "masks": masks}
    assert (undo_resize(found, 4, (8, 8))["masks"][0, 0, 0] >= 0.5).tolist() == [False] * 4 + [True] * 4


# Letterboxes -------------------------------------------------------------------------------------------------


def scale_boxes(boxes: torch.Tensor, canvas: tuple[int, int], photo: tuple[int, int]) -> torch.Tensor:
    """The published arithmetic; sizes are height and width."""
    gain = min(canvas[0] / photo[0], canvas[1] / photo[1])
    left = round((canvas[1] - round(photo[1] * gain)) / 2 - 0.1)
    top = round((canvas[0] - round(photo[0] * gain)) / 2 - 0.1)
    x1, y1, x2, y2 = ((boxes - torch.tensor([left, top, left, top])) / gain).unbind(-1)
    x1, x2 = (x.clamp(0, photo[1]) for x in (x1, x2))
    y1, y2 = (y.clamp(0, photo[0]) for y in (y1, y2))
    return torch.stack([x1, y1, x2, y2], dim=-1)


@pytest.mark.parametrize("size", [(640, 480), (333, 500), (1, 1), (4032, 3024), (30, 2000), (641, 639)])
@pytest.mark.parametrize("canvas", [640, (384, 640)])
def test_boxes_in_a_letterbox_go_back_as_published_and_end_with_the_photo(
    size: tuple[int, int], canvas: int | tuple[int, int]
) -> None:
    boxes = torch.rand(50, 4, generator=torch.Generator().manual_seed(0)) * 640
    found = {"boxes": boxes, "labels": torch.zeros(50), "scores": torch.zeros(50)}
    moved = undo_letterbox(found, canvas, size)["boxes"]
    expected = scale_boxes(boxes, (640, 640) if canvas == 640 else (384, 640), size[::-1])
    torch.testing.assert_close(moved, expected, atol=1e-3, rtol=1e-6)


def test_keypoints_and_masks_in_a_letterbox_go_back_too() -> None:
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 2:6, :4] = 1  # the left half of a photo of 16x8 in a letterbox of 8x8
    found = {
        "boxes": torch.tensor([[0.0, 2, 4, 6]]),
        "labels": torch.tensor([1]),
        "scores": torch.tensor([1.0]),
        "masks": mask,
        "keypoints": torch.tensor([[[4.0, 2, 1]]]),
    }
    moved = undo_letterbox(found, 8, (16, 8))
    assert moved["boxes"].tolist() == [[0, 0, 8, 8]]
    assert moved["keypoints"].tolist() == [[[8, 0, 1]]]
    assert moved["masks"].shape == (1, 1, 8, 16)
    assert moved["masks"][0, 0, 4].tolist() == [True] * 8 + [False] * 8


# Fractions ---------------------------------------------------------------------------------------------------

QUARTER = {
    "boxes": torch.tensor([[0.0, 0.0, 0.5, 0.5]]),
    "labels": torch.tensor([1]),
    "scores": torch.tensor([1.0]),
}


@pytest.mark.parametrize(
    ("transform", "box"),
    [
        (None, [0, 0, 40, 20]),
        (ImageTransform(), [0, 0, 40, 20]),
        (ImageTransform(resize=[10, 10]), [0, 0, 40, 20]),
        (ImageTransform(resize=7), [0, 0, 40, 20]),
        (ImageTransform(letterbox=80), [0, 0, 40, 20]),  # the photo is in rows 20 to 60
        (ImageTransform(letterbox=[40, 160]), [0, 0, 40, 20]),  # and here in columns 40 to 120
    ],
)
def test_fractions_are_of_the_photo_or_of_the_letterbox_around_it(transform: Any, box: list[float]) -> None:
    moved = in_photo(Found(QUARTER, normalized=True), transform, (80, 40))
    assert moved["boxes"].tolist() == [pytest.approx(box)]


def test_pixels_of_the_input_are_those_of_the_photo_where_nothing_scales_it() -> None:
    assert in_photo(Found(QUARTER), ImageTransform(), (80, 40)) is QUARTER
