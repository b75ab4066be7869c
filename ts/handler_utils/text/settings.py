"""Settings and options of the handlers for texts."""

from __future__ import annotations

from typing import ClassVar, Optional

from pydantic import Field

from ts.handler_utils.requests.options import Options
from ts.handler_utils.settings import ClassifierSettings, WarmedUpSettings

LARGEST_INDEX = 2**31 - 1  # no model has as many classes


class TextClassifierOptions(Options):
    """What one text may be sent with."""

    topk: Optional[int] = Field(
        default=None,
        ge=1,
        le=LARGEST_INDEX,
        description="classes in an answer, best first; all, in their own order, without it",
    )
    threshold: Optional[float] = Field(
        default=None,
        ge=0,
        le=1,
        description="the least probability of a class in an answer, best first; any without it",
    )
    target: Optional[int] = Field(
        default=None,
        ge=0,
        le=LARGEST_INDEX,
        description="index of the class to explain; the most probable one without it",
    )
    text_pair: Optional[str] = Field(
        default=None, description="second text of a pair, for a saved model of transformers that takes pairs"
    )


class TextSettings(WarmedUpSettings):
    """How texts are read and made into tokens.

    Attributes:
        texts_only: whether the handler takes nothing else, so that its archive must have a tokenizer or a
            vocabulary.
    """

    handler_attributes: ClassVar[frozenset[str]] = frozenset({"ngrams"})
    texts_only: ClassVar[bool] = True

    max_text_bytes: Optional[int] = Field(
        default=100_000, ge=1, description="bytes of a text, in UTF-8; null for any number"
    )
    ngrams: int = Field(default=2, ge=1, description="the most words that a token of a bag is made of")
    max_length: Optional[int] = Field(
        default=None,
        ge=1,
        description="tokens of a text that a transformer gets, special ones included; as tokenizer.json says, else"
        " tokenizer_config.json, else config.json, else 512",
    )


class TextClassifierSettings(TextSettings, ClassifierSettings, TextClassifierOptions):
    """Settings of text_classifier."""
