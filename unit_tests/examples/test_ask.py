"""Each example shows what its network finds in real photos and texts, and draws it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from examples.assets import ASTRONAUT, CHELSEA, COFFEE, MINILM, REUTERS_TRAIN, Asset
from examples.custom_handler.example import CAT_OR_NOT, IMAGE_EMBEDDER
from examples.embedder.example import PHOTO_SEARCH, SENTENCE_SEARCH
from examples.image_classifier.example import EXAMPLE as IMAGE_CLASSIFIER
from examples.image_segmenter.example import EXAMPLE as IMAGE_SEGMENTER
from examples.network_by_name.example import EXAMPLE as NETWORK_BY_NAME
from examples.object_detector.example import EXAMPLE as OBJECT_DETECTOR
from examples.text_classifier.example import EXAMPLE as TEXT_CLASSIFIER
from examples.text_classifier.example import TEXTS
from examples.yolo_export.example import EXAMPLE as YOLO_EXPORT
from ts.runner import load_archive


def words(lines: list[str]) -> list[str]:
    """The lines without the bars."""
    return [line.rstrip(" ━╸") for line in lines]


@pytest.fixture
def changed(fetch_or_skip):
    """`changed(asset, picture)`: which pixels of the photo the picture has otherwise, [H, W]."""

    def compare(asset: Asset, picture: Image.Image) -> np.ndarray:
        with Image.open(fetch_or_skip(asset)) as photo:
            assert picture.size == photo.size
            return (np.asarray(picture.convert("RGB")) != np.asarray(photo.convert("RGB"))).any(axis=2)

    return compare


def test_image_classifier_shows_the_five_best_classes_and_writes_the_best_onto_the_photo(show, changed):
    shown = show(IMAGE_CLASSIFIER)
    lines = words(shown.lines)
    assert lines[1:3] == ["chelsea.png", "Egyptian cat 0.355"]
    assert lines[7:9] == ["coffee.png", "espresso 0.843"]
    assert list(shown.pictures) == ["image_classifier-chelsea.png", "image_classifier-coffee.png"]
    caption = changed(COFFEE, shown.pictures["image_classifier-coffee.png"])
    assert caption[10:28, 10:100].mean() > 0.9
    assert not caption[40:].any()


def test_object_detector_shows_the_cup_and_draws_its_box(show, changed):
    shown = show(OBJECT_DETECTOR)
    assert shown.lines[1:3] == ["coffee.png", "cup 0.640 x 150 to 428, y 24 to 307"]
    box = changed(COFFEE, shown.pictures["object_detector-coffee.png"])
    assert box[24:307, 149:152].any(axis=1).all()
    assert not box[40:290, 160:420].any()


def test_image_segmenter_shows_the_objects_share_and_tints_it(show, changed):
    shown = show(IMAGE_SEGMENTER)
    assert shown.lines[1:4] == [
        "chelsea.png 62.6% of its pixels are object",
        "coffee.png 47.6% of its pixels are object",
        "astronaut.png 55.5% of its pixels are object",
    ]
    for asset, share in [(CHELSEA, 0.626), (COFFEE, 0.476), (ASTRONAUT, 0.555)]:
        tinted = changed(asset, shown.pictures[f"image_segmenter-{asset.name}"])
        assert share < tinted.mean() < share + 0.05  # outlines and the legend


def test_text_classifier_shows_the_topic_of_each_text(show):
    shown = show(TEXT_CLASSIFIER)
    topics = [line.split()[0] for line in shown.lines[1:-1] if line]
    assert topics == ["crude", "grain", "ship", "interest"]
    assert shown.pictures == {}


def test_handlers_of_ones_own_show_what_they_answer(show):
    assert words(show(CAT_OR_NOT).lines)[1:4] == ["shows a cat", "chelsea.png 0.864", "coffee.png 0.000"]
    assert words(show(IMAGE_EMBEDDER).lines)[1:3] == ["is like chelsea.png", "chelsea.png 1.000"]


def test_embedder_shows_the_sentences_that_questions_are_about(show, fetch_or_skip):
    pytest.importorskip("transformers", reason="pip install transformers: it runs the network")
    fetch_or_skip(MINILM)
    lines = words(show(SENTENCE_SEARCH).lines)
    assert lines[1:3] == ["How do I bake bread?", "Knead the dough, then let it rise. 0.521"]
    best = [lines[row] for row in (5, 8, 11)]
    assert [" ".join(line.split()[:3]) for line in best] == [
        "Snow is expected",
        "The bank raised",
        "The probe has",
    ]


def test_embedder_shows_the_photo_that_a_piece_was_cut_out_of(show):
    lines = words(show(PHOTO_SEARCH).lines)
    assert lines[1:4] == ["a piece of chelsea.png, in a mirror", "chelsea.png 0.888", "astronaut.png 0.168"]


def test_a_network_by_name_has_its_own_transform_and_labels(show):
    pytest.importorskip("timm", reason="pip install timm: it has the network")
    lines = words(show(NETWORK_BY_NAME).lines)
    assert lines[1:4] == ["chelsea.png", "tiger cat 0.393", "Egyptian cat 0.356"]
    assert lines[7:9] == ["coffee.png", "espresso 0.951"]


def test_an_exported_yolo_finds_the_cup_where_the_model_file_does(show):
    assert show(YOLO_EXPORT).lines[1:3] == ["coffee.png", "cup 0.644 x 150 to 428, y 24 to 307"]


def test_a_saved_model_of_transformers_tells_topics(fetch_or_skip, monkeypatch, tmp_path):
    pytest.importorskip("transformers", reason="pip install transformers: it runs the network")
    from examples.hugging_face import archive, train

    fetch_or_skip(MINILM)
    fetch_or_skip(REUTERS_TRAIN)
    monkeypatch.setattr(train, "A_TOPIC", 8)
    with load_archive(archive.build_archive(tmp_path), device="cpu") as model:
        answers = model.predict(list(TEXTS), options={"topk": 1})
    topics = [topic for answer in answers for topic in answer.response]
    assert topics[:3] == ["crude", "grain", "ship"]
    assert topics[3] in ("interest", "money-fx")  # eight documents of each do not tell them apart
