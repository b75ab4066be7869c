"""Settings and options of embedder."""

from __future__ import annotations

from typing import ClassVar, Literal, Optional

from pydantic import Field

from ts.handler_utils.images.settings import VisionSettings
from ts.handler_utils.requests.options import Options
from ts.handler_utils.text.settings import TextSettings

Pooling = Literal["mean", "cls", "last", "max", "mean_sqrt_len", "weightedmean", "pooler"]


class EmbedderOptions(Options):
    """Options of embedder."""

    format: Literal["json", "float32", "base64"] = Field(
        default="json",
        description="a list of numbers; or float32, little-endian: as bytes, or those as base64",
    )
    normalize: Optional[bool] = Field(
        default=None,
        description="scale each vector to length 1; if unset, as the modules.json of a sentence-transformers model"
        " says, and true without one",
    )
    prompt: Optional[str] = Field(
        default=None,
        description="name of the prompt that is put before a text, such as query or document; if unset, the"
        " default one of the model's config_sentence_transformers.json",
    )


class EmbedderSettings(VisionSettings, TextSettings, EmbedderOptions):
    """Settings of embedder."""

    texts_only: ClassVar[bool] = False

    pooling: Optional[Pooling] = Field(
        default=None,
        description="how a vector is made of those of a text's tokens or an image's patches: their mean, the"
        " first (cls), the last, their largest values, ...; pooler: the model's own pooler_output. If unset, as"
        " the files of the model say, else mean",
    )
    head: Optional[str] = Field(
        default=None,
        description="the model's layer whose input is the embedding: fc, net.classifier.1; `none`: what the model"
        " returns is the embedding. If unset, the last linear layer of torchvision's and timm's classifiers",
    )
