"""Settings and options of text_classifier."""

from __future__ import annotations

from typing import ClassVar, Optional

from pydantic import Field

from ts.handler_utils.requests.options import Options
from ts.handler_utils.settings import WarmedUpSettings


class TextClassifierOptions(Options):
    """What one text may be sent with."""

    topk: Optional[int] = Field(
        default=None,
        ge=1,
        description="classes in an answer, best first; all, in their own order, without it",
    )
    target: Optional[int] = Field(
        default=None, ge=0, description="index of the class to explain; the most probable one without it"
    )


class TextClassifierSettings(WarmedUpSettings, TextClassifierOptions):
    """Settings of text_classifier."""

    handler_attributes: ClassVar[frozenset[str]] = frozenset({"ngrams"})

    ngrams: int = Field(default=2, ge=1, description="the most words that a token of a bag is made of")
    max_length: Optional[int] = Field(
        default=None,
        ge=1,
        description="tokens of a text that a transformer gets; as tokenizer.json says, without it",
    )
