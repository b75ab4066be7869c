"""Saved model folders of transformers, answered by the default handlers as transformers' pipelines answer."""

from __future__ import annotations

import io
import json
import shutil
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.image_segmenter import ImageSegmenter
from ts.torch_handler.object_detector import ObjectDetector
from ts.torch_handler.text_classifier import TextClassifier

TEXTS = ["the rain in spain", "Bad dog", "a good sunny day", "x"]
CLOSE = 1e-4


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    """Photos of three sizes, one of which lies on its side."""
    numbers = np.random.default_rng(5)
    return [
        encoded(numbers.integers(0, 256, (6, 8, 3), np.uint8), size, orientation)
        for size, orientation in (((120, 90), 1), ((90, 120), 1), ((200, 61), 6))
    ]


def encoded(values: Any, size: tuple[int, int], orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(values).resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


@pytest.fixture
def load(make_context, saved_model):
    """Makes a handler that answers with a folder: `load(ImageClassifier, "vit", topk=1)`."""

    def made(kind, name, **settings):
        context = make_context(saved_model(name), config={"handler": settings})
        handler = kind()
        handler.initialize(context)
        return handler

    return made


@pytest.fixture
def pipe(saved_model):
    """The pipeline of a folder: `pipe("image-classification", "vit")`."""

    def made(task, name):
        from transformers import pipeline

        return pipeline(task, model=str(saved_model(name)), device="cpu")

    return made


def ask(handler, rows):
    return handler.handle(rows, handler.context)


def opened(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture))


def scores(found) -> dict[str, float]:
    return {item["label"]: item["score"] for item in found}


# Images ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vit", "convnext", "resnet", "vit_multi_label"])
def test_photos_are_classified_as_by_the_pipeline(load, pipe, pictures, name):
    answers = ask(load(ImageClassifier, name), [{"data": picture} for picture in pictures])
    expected = [scores(pipe("image-classification", name)(opened(picture))) for picture in pictures]
    assert answers == [pytest.approx(row, abs=CLOSE) for row in expected]
    assert [list(row) for row in answers] == [list(row) for row in expected]


@pytest.mark.parametrize("name", ["detr", "yolos", "rt_detr"])
def test_objects_are_found_as_by_the_pipeline_whatever_lies_beside_them_in_the_batch(
    load, pipe, pictures, name
):
    answers = ask(load(ObjectDetector, name, threshold=0.1), [{"data": picture} for picture in pictures])
    pipeline = pipe("object-detection", name)
    for picture, answer in zip(pictures, answers):
        expected = detections_of(pipeline, opened(picture))
        assert len(expected) > 1
        found = sorted(map(torchserve_detection, answer), key=lambda item: -item[1])
        assert [item[0] for item in found] == [item[0] for item in expected]
        assert [item[1] for item in found] == pytest.approx([item[1] for item in expected], abs=CLOSE)
        boxes = np.array([item[2] for item in found]), np.array([item[2] for item in expected])
        assert np.abs(boxes[0] - boxes[1]).max() < 0.01  # pixels


def detections_of(pipeline, photo) -> list[tuple[str, float, list[float]]]:
    """Labels, scores and boxes, the best first; the pipeline's own boxes are whole numbers."""
    kept = []
    read = pipeline.image_processor.post_process_object_detection

    def keep(*args, **kwargs):
        kept[:] = [
            {name: values.clone() for name, values in found.items()} for found in read(*args, **kwargs)
        ]
        return read(*args, **kwargs)

    pipeline.image_processor.post_process_object_detection = keep
    labels = [item["label"] for item in pipeline(photo, threshold=0.1)]
    pipeline.image_processor.post_process_object_detection = read
    found = list(zip(labels, kept[0]["scores"].tolist(), kept[0]["boxes"].tolist()))
    return sorted(found, key=lambda item: -item[1])


def torchserve_detection(found) -> tuple[str, float, list[float]]:
    (label,) = found.keys() - {"score"}
    return label, found["score"], found[label]


def test_pixels_have_the_classes_that_the_pipeline_gives_them(load, pipe, pictures):
    handler = load(ImageSegmenter, "segformer", format="png", size="original")
    answers = ask(handler, [{"data": picture} for picture in pictures])
    for picture, answer in zip(pictures, answers):
        mask = np.array(opened(answer))
        expected = np.full(mask.shape, -1)
        for item in pipe("image-segmentation", "segformer")(opened(picture)):
            expected[np.array(item["mask"]) > 0] = handler.model.config.label2id[item["label"]]
        assert len(np.unique(expected)) > 1
        assert (mask == expected).mean() > 0.999


def test_photos_are_prepared_as_the_folder_says_and_settings_do_not_change_that(load):
    with pytest.raises(ValueError, match=r"handler\.resize: photos are prepared as the saved model's own"):
        load(ImageClassifier, "vit", resize=100)


def test_a_subclass_prepares_photos_in_its_own_way(load, pictures):
    class Half(ImageClassifier):
        image_processing = staticmethod(lambda _: torch.full((3, 32, 32), 0.5))

    handler = load(Half, "vit")
    with torch.no_grad():
        logits = handler.model(torch.full((1, 3, 32, 32), 0.5)).logits
    (answer,) = ask(handler, [{"data": pictures[0]}])
    assert max(answer.values()) == pytest.approx(logits.softmax(1).max().item(), abs=CLOSE)


def test_the_labels_are_those_of_the_config_unless_the_archive_has_its_own(
    load, make_context, saved_model, tmp_path
):
    assert load(ImageClassifier, "vit").mapping["4"] == "sun"
    shutil.copytree(saved_model("vit"), tmp_path / "vit")
    (tmp_path / "index_to_name.json").write_text(json.dumps({"4": "star"}))
    handler = ImageClassifier()
    handler.initialize(make_context(tmp_path))
    assert handler.mapping == {"4": "star"}


# Texts -------------------------------------------------------------------------------------------------------

CLASSIFIERS = [
    "bert",
    "distilbert",
    "roberta",
    "gpt2",
    "bert_multi_label",
    "bert_regression",
    "bert_single_logit",
]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_texts_are_classified_as_by_the_pipeline(load, pipe, name):
    answers = ask(load(TextClassifier, name), [{"data": text} for text in TEXTS])
    expected = [scores(row) for row in pipe("text-classification", name)(TEXTS, top_k=None)]
    assert answers == [pytest.approx(row, abs=CLOSE) for row in expected]


PAIR = {"text": "the rain", "text_pair": "in spain"}


@pytest.mark.parametrize(
    "row",
    [
        {"body": PAIR},
        {"data": PAIR},
        {"body": {"data": "the rain", "text_pair": "in spain"}},
        {"text": b"the rain", "text_pair": b"in spain"},
        {"data": b"the rain", "text_pair": b"in spain"},
    ],
)
@pytest.mark.parametrize("name", ["bert", "roberta"])
def test_a_pair_of_texts_is_classified_as_by_the_pipeline(load, pipe, name, row):
    alone, answer = ask(load(TextClassifier, name), [{"data": "the rain"}, row])
    assert answer == pytest.approx(scores(pipe("text-classification", name)(PAIR, top_k=None)), abs=CLOSE)
    assert answer != pytest.approx(alone, abs=CLOSE)


def test_a_long_text_is_cut_to_the_length_of_the_model_and_the_client_is_told(load, pipe):
    handler = load(TextClassifier, "bert")
    headers = {}
    handler.context.set_response_header = lambda index, name, value: headers.update({index: (name, value)})
    answers = ask(handler, [{"data": "rain " * 100}, {"data": "sun"}])
    expected = pipe("text-classification", "bert")("rain " * 100, top_k=None, truncation=True)
    assert answers[0] == pytest.approx(scores(expected), abs=CLOSE)
    assert headers == {0: ("ts-tokens", "24 of 102")}


def test_a_pair_of_which_one_is_no_text_is_refused(load):
    answers = ask(
        load(TextClassifier, "bert"), [{"body": {**PAIR, "text_pair": 5}}, {"body": {"text_pair": "a"}}]
    )
    assert [answer["code"] for answer in answers] == [400, 400]


def test_the_words_of_a_text_are_explained(load):
    pytest.importorskip("captum")
    handler = load(TextClassifier, "bert")
    handler.context.headers = {0: {"explain": "True"}, 1: {"explain": "True"}}
    rows = [{"data": "the rain", "text_pair": "sun", "target": "1"}, {"data": "bad dog", "target": "1"}]
    first, second = ask(handler, rows)
    assert first["words"] == ["[CLS]", "the", "rain", "[SEP]", "sun", "[SEP]"]
    assert len(first["importances"]) == 6
    assert any(first["importances"])
    assert second["target"] == "dog"


# Settings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{"precision": "bfloat16"}, {"memory_format": "channels_last"}, {"micro_batch": 2}]
)
def test_the_settings_for_speed_work(load, pictures, settings):
    rows = [{"data": picture} for picture in pictures]
    as_usual = ask(load(ImageClassifier, "vit"), rows)
    for answer, expected in zip(ask(load(ImageClassifier, "vit", **settings), rows), as_usual):
        assert answer == pytest.approx(expected, abs=0.05 if "precision" in settings else CLOSE)


def test_batches_can_be_answered_before_the_first_request(load):
    load(ImageClassifier, "vit", warmup={"batch_sizes": [2], "image_size": 40})
    load(TextClassifier, "gpt2", warmup={"batch_sizes": [1, 2]})


def test_a_model_that_knows_no_filling_gets_texts_alone(load, saved_model, make_context, pipe):
    handler = load(TextClassifier, "gpt2")
    expected = ask(handler, [{"data": text} for text in TEXTS])
    handler = load(TextClassifier, "gpt2")
    assert handler.tokenizer.form.alone is False
    together = handler.preprocess([{"data": text} for text in TEXTS])
    handler.model.config.pad_token_id = None
    object.__setattr__(together, "form", type(together.form)(**{**vars(together.form), "alone": True}))
    assert handler.postprocess(handler.inference(together)) == [
        pytest.approx(row, abs=CLOSE) for row in expected
    ]
