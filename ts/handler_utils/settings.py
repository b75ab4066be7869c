"""The section `handler:` of model-config.yaml, checked when the model loads."""

from __future__ import annotations

import logging
from typing import Annotated, Any, ClassVar, Literal, Optional, TypeVar, Union

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from ts.handler_utils.requests.options import Options, describe_problems
from ts.utils.model_config import misspelt_keys
from ts.utils.spelling import nearest

logger = logging.getLogger(__name__)

Settings = TypeVar("Settings", bound="HandlerSettings")


class Warmup(BaseModel):
    """Batches to answer before the first request comes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_sizes: list[PositiveInt] = Field(default=[1], min_length=1)
    image_size: Union[PositiveInt, Annotated[list[PositiveInt], Field(min_length=2, max_length=2)]] = 256


class HandlerSettings(Options):
    """What every handler can be told. A key that is no setting is left alone: subclasses have their own.

    Attributes:
        mixed_precision: whether weights and inputs stay in float32 whatever `precision` is, which then is that of
            the operations inside.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    mixed_precision: ClassVar[bool] = False

    profile: bool = Field(default=False, description="report the time of each hook as a metric")
    model_class: Optional[str] = Field(
        default=None, description="the model's class, where the model file defines several"
    )
    architecture: Optional[Any] = Field(
        default=None,
        description="a network of torchvision or timm by name, in place of a model file: resnet50, timm/NAME,"
        " or with its arguments {name: resnet50, num_classes: 10}",
    )
    trust_pickle: bool = Field(
        default=False,
        description="read pickled Python objects, anything in a `.pt2`, and TorchScript that touches files: this"
        " runs the code in the file",
    )
    trust_remote_code: bool = Field(
        default=False,
        description="let a saved model folder of transformers make its model by Python files of its own: this runs"
        " the code in them",
    )

    engine: Optional[Literal["torch", "openvino"]] = Field(
        default=None, description="what computes the model, on a CPU; torch, if unset"
    )
    precision: Optional[Literal["float32", "bfloat16", "float16", "int8"]] = Field(
        default=None,
        description="what the model computes in; as its weights are, if unset; int8 with engine: openvino, of an"
        " archive that `torch-model-runner quantize` has written",
    )
    memory_format: Optional[Literal["contiguous", "channels_last"]] = Field(
        default=None,
        description="of images in memory: [N, C, H, W], or [N, H, W, C], which TorchScript on a CPU has if unset",
    )
    stateless: Optional[bool] = Field(
        default=None,
        description="whether hooks may be run again on the rows of a batch that failed; found out if unset",
    )
    frozen: bool = Field(
        default=True,
        description="answer TorchScript and a detector's convolutions by frozen copies on a CPU: more memory",
    )
    micro_batch: Optional[int] = Field(
        default=None,
        ge=1,
        description="rows of the parts that a batch is answered in: one is read while the one before is inferred",
    )

    max_rows: int = Field(
        default=64, ge=1, description="rows of one request, which a service envelope makes of its body"
    )
    max_answer_bytes: Optional[int] = Field(
        default=None,
        ge=1,
        description="bytes of an answer; the server's own `max_response_size` if unset, or TorchServe's default"
        " where it cannot be known: 6553500",
    )
    max_error_bytes: int = Field(default=1000, ge=100, description="bytes of an error's message")


class WarmedUpSettings(HandlerSettings):
    """Settings of the handlers that know what a batch for their model looks like."""

    warmup: Optional[Warmup] = Field(
        default=None,
        description="batches to answer before the first request: {batch_sizes: [1, 8], image_size: [480, 640]}",
    )


class ClassifierSettings(WarmedUpSettings):
    """Settings of the handlers that name classes."""

    activation: Optional[Literal["softmax", "sigmoid", "none"]] = Field(
        default=None,
        description="what makes the model's outputs into probabilities: softmax for one class of all, sigmoid"
        " where several may be true; none for outputs that are answered as they are, as in regression; found out"
        " if unset",
    )


def read_settings(kind: type[Settings], config: dict[str, Any] | None, *, strict: bool = True) -> Settings:
    """Reads the settings of a handler from its archive's model-config.yaml.

    Args:
        kind: the handler's settings class.
        config: the whole file as a dictionary; None stands for no file.
        strict: whether a wrong value is an error. Else it is warned of, and as if it were not there: a subclass
            may have a key of the same name for a purpose of its own.

    Raises:
        ValueError: a value is wrong; the message names the key, the value and what is allowed.
    """
    section = (config or {}).get("handler") or {}
    if not isinstance(section, dict):
        problem = f"model-config.yaml: `handler` must be a mapping of settings: {section!r}"
        if strict:
            raise ValueError(problem)
        logger.warning("%s; it is left to the handler", problem)
        section = {}
    try:
        return kind(**{str(key): value for key, value in section.items()})
    except ValidationError as invalid:
        problem = f"model-config.yaml: {describe_problems(invalid, 'handler.')}"
        if strict:
            raise ValueError(problem) from invalid
        wrong = {key for error in invalid.errors() for key in error["loc"][:1]}
        if not wrong:  # the settings do not fit together, as a class of the handler's own has it
            raise ValueError(problem) from invalid
        logger.warning("%s; it is left to the handler", problem)
        fitting = {str(key): value for key, value in section.items() if key not in wrong}
        return kind(**fitting)


def check_unknown_keys(settings: HandlerSettings) -> None:
    """Refuses misspelt settings of a default handler, and warns of others that it does not know.

    Raises:
        ValueError: a key has nearly the name of a setting; the message names both.
    """
    known = list(type(settings).model_fields)
    for key in settings.model_extra or {}:
        problem = f"model-config.yaml: handler.{key} is not a setting of this handler"
        meant = nearest(key, known)
        if meant is not None:
            raise ValueError(f"{problem}; did you mean `{meant}`?")
        logger.warning("%s (settings: %s)", problem, ", ".join(known))


def warn_of_misspelt_sections(config: dict[str, Any]) -> None:
    """Warns of keys at the top of model-config.yaml that have nearly the name of one which TorchServe reads."""
    for key, meant in misspelt_keys(config).items():
        logger.warning("model-config.yaml: TorchServe knows no key %s; did you mean `%s`?", key, meant)


def warn_of_settings_at_the_top(config: dict[str, Any], settings: HandlerSettings) -> None:
    """Warns of settings of a default handler that lie beside the section where they are read."""
    for key in config:
        if key in type(settings).model_fields:
            logger.warning("model-config.yaml: %s is a setting only in the section `handler:`", key)
