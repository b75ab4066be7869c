"""The object_detector example: YOLOv3-tiny with the weights that its author trained."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import torch
from at_hand import or_skip
from torch import nn

from examples.assets import COFFEE, fetch
from examples.object_detector.archive import build_archive
from examples.object_detector.darknet import read_state_dict
from examples.object_detector.model import INPUT_SIZE, YOLOv3Tiny, letterbox, undo_letterbox


class TwoConvolutions(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Conv2d(1, 2, 1, bias=False), nn.BatchNorm2d(2), nn.Conv2d(2, 1, 1))


@pytest.mark.parametrize("version", [(0, 1), (0, 2)])
def test_darknets_weights_are_biases_scales_means_variances_and_then_convolutions(
    version: tuple[int, int], tmp_path: Path
) -> None:
    seen = struct.pack("<q" if version >= (0, 2) else "<i", 1000)
    values = struct.pack("<13f", *range(13))
    (tmp_path / "demo.weights").write_bytes(struct.pack("<3i", *version, 0) + seen + values)
    state = read_state_dict(tmp_path / "demo.weights", TwoConvolutions())
    assert {name: value.flatten().tolist() for name, value in state.items()} == {
        "1.bias": [0, 1],
        "1.weight": [2, 3],
        "1.running_mean": [4, 5],
        "1.running_var": [6, 7],
        "1.num_batches_tracked": [0],
        "0.weight": [8, 9],
        "2.bias": [10],
        "2.weight": [11, 12],
    }


def test_a_file_for_another_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo.weights").write_bytes(struct.pack("<3iq4f", 0, 2, 0, 0, *range(4)))
    with pytest.raises(ValueError, match=r"demo\.weights holds 4 values, and the model 13"):
        read_state_dict(tmp_path / "demo.weights", TwoConvolutions())


@pytest.mark.parametrize("size", [(100, 400), (416, 416), (833, 417), (1, 1000)])
def test_a_photo_keeps_its_aspect_ratio_in_the_middle_of_a_grey_square(size: tuple[int, int]) -> None:
    height, width = size
    square = letterbox(torch.ones(3, height, width))
    rows, columns = (square[0] == 1).nonzero(as_tuple=True)
    inside = torch.tensor([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]]).float()
    assert square.shape == (3, INPUT_SIZE, INPUT_SIZE)
    assert undo_letterbox(inside, height, width)[0].tolist() == pytest.approx([0, 0, width, height], abs=2.5)


def test_photos_of_any_sizes_get_boxes_within_them() -> None:
    torch.manual_seed(0)
    model = YOLOv3Tiny(num_classes=2, detections_per_image=5).eval()
    with torch.inference_mode():
        found = model([torch.rand(3, 90, 300), torch.rand(3, 500, 40)])
    for detections, (width, height) in zip(found, [(300, 90), (40, 500)]):
        assert detections["boxes"].shape == (5, 4)
        assert detections["boxes"].min() >= 0
        assert detections["boxes"][:, 2].max() <= width
        assert detections["boxes"][:, 3].max() <= height
        assert detections["scores"].diff().max() <= 0


def test_the_archive_finds_the_cup_of_coffee(tmp_path: Path) -> None:
    from ts.runner import load_archive

    archive, photo = or_skip(build_archive, tmp_path), or_skip(fetch, COFFEE)
    with load_archive(archive, device="cpu") as model:
        (answer,) = model.predict([photo])
        (picture,) = model.predict([photo], options={"format": "overlay"})
    assert answer.status == 200
    assert answer.response == [
        {"cup": pytest.approx([150.3, 23.9, 428.0, 307.2], abs=1), "score": pytest.approx(0.640, abs=0.005)}
    ]
    assert picture.content_type == "image/png"
    assert picture.body.startswith(b"\x89PNG")
