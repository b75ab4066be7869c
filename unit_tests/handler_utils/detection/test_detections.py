from __future__ import annotations

import pytest
import torch

from ts.handler_utils.detection.detections import Detections, find_classes, read_detections, select_detections
from ts.handler_utils.detection.formats import coco_answer, torchserve_answer
from ts.handler_utils.errors import InvalidInput

LABELS = {"0": "person", "1": "dining table", "2": "score", "3": "Person"}


def detections(labels: list[int], scores: list[float], **more: torch.Tensor) -> Detections:
    """Detections whose boxes are [0, 0, 1, 1], [1, 1, 2, 2], ..."""
    boxes = torch.tensor([[i, i, i + 1.0, i + 1.0] for i in range(len(labels))]).reshape(-1, 4)
    return {"boxes": boxes, "labels": torch.tensor(labels), "scores": torch.tensor(scores), **more}


# What a model returns ----------------------------------------------------------------------------------------


def test_a_torchscript_detector_returns_losses_and_detections() -> None:
    found = detections([1], [0.5])
    assert read_detections(({}, [found])) == [found]


def test_entries_that_do_not_count_the_detections_are_left_out() -> None:
    assert "size" not in read_detections([{**detections([1], [0.5]), "size": torch.tensor(3)}])[0]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (torch.zeros(2), "one dictionary an image, not Tensor"),
        ([torch.zeros(2)], "boxes, labels, scores an image, not Tensor"),
        ([{"boxes": torch.zeros(0, 4), "logits": torch.zeros(0)}], r"not \['boxes', 'logits'\]"),
    ],
)
def test_another_output_is_an_error_that_says_what_it_is(output: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        read_detections(output)


# What a request gets of it -----------------------------------------------------------------------------------


def test_scores_below_the_threshold_are_left_out_and_the_order_is_the_models() -> None:
    kept = select_detections(detections([5, 6, 7], [0.5, 0.25, 0.75]), threshold=0.5)
    assert kept["labels"].tolist() == [5, 7]
    assert kept["boxes"].tolist() == [[0, 0, 1, 1], [2, 2, 3, 3]]


def test_a_score_equal_to_the_threshold_is_kept_though_floats_of_32_bits_round_it_down() -> None:
    assert float(torch.tensor(0.7)) < 0.7
    assert len(select_detections(detections([5], [0.7]), threshold=0.7)["labels"]) == 1


def test_topk_keeps_the_best_and_puts_the_best_first() -> None:
    kept = select_detections(detections([5, 6, 7], [0.5, 0.25, 0.75]), topk=2)
    assert kept["labels"].tolist() == [7, 5]


def test_topk_beyond_the_number_of_detections_keeps_all() -> None:
    assert len(select_detections(detections([5, 6], [0.5, 0.25]), topk=9)["labels"]) == 2


def test_classes_are_chosen_before_topk() -> None:
    found = detections([5, 6, 5, 6], [0.9, 0.8, 0.7, 0.6])
    assert select_detections(found, classes={6}, topk=1)["scores"].tolist() == pytest.approx([0.8])


def test_masks_and_keypoints_are_chosen_with_their_detections() -> None:
    found = detections([5, 6], [0.25, 0.5], masks=torch.arange(2).reshape(2, 1, 1, 1))
    assert select_detections(found, threshold=0.5)["masks"].flatten().tolist() == [1]


def test_no_detections_at_all() -> None:
    nothing = select_detections(detections([], []), threshold=0.5, classes={1}, topk=3)
    assert torchserve_answer(nothing, LABELS) == coco_answer(nothing, LABELS) == []


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (None, None),
        (["dining table"], {1}),
        ([" Dining Table "], {1}),
        (["2"], {2}),
        (["person"], {0, 3}),  # two classes with one label
        (["1", "score"], {1, 2}),
        (["77"], {77}),  # a class of the model that has no label
    ],
)
def test_classes_are_named_by_label_or_index(names: list[str], classes: set[int]) -> None:
    assert find_classes(names, LABELS) == classes


def test_an_unknown_class_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="there is no class 'tabel'; the nearest is 'dining table'"):
        find_classes(["tabel"], LABELS)


def test_labels_cannot_be_named_where_there_are_none() -> None:
    with pytest.raises(InvalidInput, match="'person' is no class index, and the classes have no labels"):
        find_classes(["person"], None)


# What a client sees ------------------------------------------------------------------------------------------


def test_torchserves_answer() -> None:
    assert torchserve_answer(detections([1], [0.5]), LABELS) == [
        {"dining table": [0.0, 0.0, 1.0, 1.0], "score": 0.5}
    ]


def test_a_label_named_score_does_not_overwrite_the_box() -> None:
    assert torchserve_answer(detections([2], [0.5]), LABELS) == [
        {"score (2)": [0.0, 0.0, 1.0, 1.0], "score": 0.5}
    ]


def test_a_class_without_a_label_shows_its_index() -> None:
    assert torchserve_answer(detections([9], [0.5]), LABELS) == [{"9": [0.0, 0.0, 1.0, 1.0], "score": 0.5}]
    assert torchserve_answer(detections([9], [0.5]), None) == [{"9": [0.0, 0.0, 1.0, 1.0], "score": 0.5}]


def test_cocos_boxes_are_corner_width_and_height() -> None:
    found = {**detections([1], [0.5]), "boxes": torch.tensor([[10.0, 20.0, 40.0, 60.0]])}
    assert coco_answer(found, LABELS) == [
        {"bbox": [10.0, 20.0, 30.0, 40.0], "category_id": 1, "category_name": "dining table", "score": 0.5}
    ]


def test_keypoints_are_triples_in_torchserves_answer_and_flat_in_cocos() -> None:
    found = detections([1], [0.5], keypoints=torch.tensor([[[3.0, 4.0, 1.0], [5.0, 6.0, 0.0]]]))
    assert torchserve_answer(found, LABELS)[0]["keypoints"] == [[3.0, 4.0, 1.0], [5.0, 6.0, 0.0]]
    assert coco_answer(found, LABELS)[0]["keypoints"] == [3.0, 4.0, 1.0, 5.0, 6.0, 0.0]


def test_masks_are_cocos_run_lengths_of_the_pixels_that_belong_to_the_object_rather_than_not() -> None:
    coco = pytest.importorskip("pycocotools.mask", reason="masks need pycocotools")
    probabilities = torch.tensor([[[[0.5, 0.49, 0.0], [1.0, 0.0, 0.51]]]])
    found = detections([1], [0.5], masks=probabilities)
    rle = torchserve_answer(found, LABELS)[0]["mask"]
    assert rle["size"] == [2, 3]
    assert coco.decode(rle).tolist() == [[1, 0, 0], [1, 0, 1]]
    assert coco_answer(found, LABELS)[0]["segmentation"] == rle
