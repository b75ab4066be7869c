"""A handler is asked made-up inputs of the kind that it takes."""

from __future__ import annotations

import pytest

from ts.runner.exporting.samples import TEXTS, made_up_inputs
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.embedder import Embedder
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.text_classifier import TextClassifier


class Fails(BaseHandler):
    def describe_handle(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("kind", "first"),
    [(ImageClassifier, b"\x89PNG"), (Embedder, b"\x89PNG"), (TextClassifier, TEXTS[0])],
)
def test_images_or_texts(kind, first):
    made_up = made_up_inputs(kind())
    assert len(made_up) == 3
    assert made_up[0][: len(first)] == first


@pytest.mark.parametrize("kind", [BaseHandler, Fails])
def test_nothing_for_a_handler_of_anything(kind):
    assert made_up_inputs(kind()) is None


def test_an_embedder_of_texts_is_asked_texts():
    handler = Embedder()
    handler.source_vocab = {"rain": 1}
    from ts.handler_utils.embedding.embeddings import Embeddings

    Embeddings.of(handler).takes_texts, Embeddings.of(handler).takes_images = True, False
    assert made_up_inputs(handler) == list(TEXTS)
