"""Which engine computes a handler's model: torch, or OpenVINO in its place."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import Any, Callable, Optional

import torch

from ts.handler_utils.models.formats.batches import BatchLimits, ChunkedModel, run_in_chunks
from ts.handler_utils.models.formats.onnx import OnnxModel
from ts.handler_utils.models.inputs import half_precision, is_in_autocast
from ts.handler_utils.models.openvino.conversion import CannotConvertError, refusal
from ts.handler_utils.models.openvino.forms import Form, make_form
from ts.handler_utils.models.openvino.onnx import OpenVinoModel
from ts.handler_utils.models.openvino.packed import INT8
from ts.handler_utils.models.openvino.parts import (
    OpenVinoParts,
    can_be_taken_apart,
    depends_on_what_it_finds,
)
from ts.handler_utils.models.openvino.signature import Signature, taken_apart
from ts.handler_utils.models.openvino.source import Attributes, Source, has_hooks, marks

FORMS = 4  # of calls, each of which is converted: a model of images and texts has two

logger = logging.getLogger(__name__)


class Engine:
    """What computes the model of a handler that asks for OpenVINO; all threads that answer for it share one.

    Args:
        strict: whether what OpenVINO cannot compute is an error, and not torch's to answer. A handler of one's own
            is not, and may put another model in the place of its archive's.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._caller: Optional[OpenVinoCaller] = None
        self._was_asked = self._has_warned = False
        self._one_at_a_time = threading.Lock()

    def computing(self, model: Any, source: Callable[[], Source]) -> Any:
        """What is called for a model: OpenVINO's; or the model, where one line of the log says why.

        Args:
            model: the model that the handler has now.
            source: makes it OpenVINO's.
        """
        self._was_asked = True
        inner = model.model if isinstance(model, ChunkedModel) else model
        if isinstance(inner, OpenVinoModel):
            return model
        with self._one_at_a_time:
            if self._caller is None and isinstance(inner, (torch.nn.Module, OnnxModel)):
                self._caller = OpenVinoCaller(source(), strict=self._strict)
            problem = self._problem(model)
        if problem is None:
            return self._caller
        self._warn("torch computes the model, and not OpenVINO: %s", problem)
        return model

    def _problem(self, model: Any) -> Optional[str]:
        """Why a model is not OpenVINO's."""
        if self._caller is None:
            return f"the handler has put a {type(model).__name__} in its place, which is no PyTorch module"
        if self._caller.model is not model:
            return "another was put in its place after its first answer"
        if is_in_autocast():
            return "it is called within torch.autocast, whose numbers are not those of float32"
        if self._strict or self._caller.is_current():
            return None
        self._caller.give_up()
        return "it was changed after its first answer"

    def check_use(self, handler: Any) -> None:
        """Warns, once, where a handler has answered past its engine."""
        if not (self._was_asked or self._strict):
            name = type(handler).__name__
            self._warn(
                "torch computes the model, and not OpenVINO: %s calls it by itself, and not by super().inference",
                name,
            )

    def _warn(self, message: str, *facts: Any) -> None:
        if not self._has_warned:
            logger.warning(message, *facts)
        self._has_warned = True


class OpenVinoCaller:
    """Stands for a model where answers are inferred: OpenVINO computes them.

    The model is converted for its first call; where that cannot be, its parts are that can.

    Args:
        source: the model; its conversion is for the calls of a `ChunkedModel`'s own model.
        strict: whether what OpenVINO cannot compute is an error, and not torch's to answer.

    Attributes:
        model: the model that it stands for.
    """

    def __init__(self, source: Source, *, strict: bool) -> None:
        self.model: Any = source.model
        self._limits = BatchLimits()
        if isinstance(source.model, ChunkedModel):
            self._limits = source.model.limits
            inner = source.model.model
            source = replace(source, model=inner, call=inner)
        self._source, self.strict = source, strict
        self._forms: list[Form] = []
        self._refused: list[Any] = []  # signatures
        self._is_detector = depends_on_what_it_finds(source.model)
        self._parts: Optional[OpenVinoParts] = None  # of what OpenVINO cannot compute as a whole
        self._marks, self._attributes = marks(source.model), Attributes(source.model)
        self._one_at_a_time = threading.Lock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the model.

        Raises:
            ValueError: OpenVINO cannot compute it, and this is `strict`.
        """
        if self._limits == BatchLimits():
            return self._call(*args, **kwargs)
        return run_in_chunks(self._call, self._limits, args, kwargs)

    def is_current(self) -> bool:
        """Whether the model is what it was when this was made; its parts look after themselves."""
        is_same = marks(self._source.model) == self._marks and self._attributes.are_same()
        return is_same or self._parts is not None

    def give_up(self) -> None:
        """Stands for no model from now on."""
        self.model, self._forms = None, []

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        signature, tensors = taken_apart(args, kwargs)
        form = None
        with self._one_at_a_time:
            if self._is_detector or (signature is not None and signature.has_lists):
                self._take_apart("it takes a list of images")
            elif all(tensor.numel() for tensor in tensors):
                form = self._form(signature, tensors)
            if self._parts is not None and not self._parts.are_found:
                return self._parts.find(args, kwargs)
        return self._source.call(*args, **kwargs) if form is None else form(tensors)

    def _may_take_apart(self) -> bool:
        """Whether torch may answer all calls from now on, with parts that are OpenVINO's."""
        is_first = not (self._forms or self._refused)
        source = self._source
        return is_first and source.precision != INT8 and can_be_taken_apart(source.model)

    def _take_apart(self, reason: str) -> None:
        """Has OpenVINO compute parts of the model, since it cannot compute all of it."""
        if self._parts is None:
            self._parts = OpenVinoParts(self._source, reason, strict=self.strict)

    def _form(self, signature: Optional[Signature], tensors: list[torch.Tensor]) -> Optional[Form]:
        """What answers calls of this form; None where torch does."""
        known = next((form for form in self._forms if form.signature == signature), None)
        if known is not None or signature in self._refused or self._parts is not None:
            return known
        try:
            self._forms.append(make_form(self._source, self._checked(signature), tensors))
            return self._forms[-1]
        except CannotConvertError as error:
            if error.reason is None or not self._may_take_apart():
                self._refuse(signature, error)
            else:
                self._take_apart(error.reason)
        except ImportError as error:
            self._refuse(signature, error)
        finally:
            self._attributes.note_calls()
        return None

    def _refuse(self, signature: Optional[Signature], error: Exception) -> None:
        """Leaves calls of a form to torch."""
        if self.strict:
            raise error
        self._refused.append(signature)
        logger.warning("%s computes the model, and not OpenVINO: %s", self._source.engine, error)

    def _checked(self, signature: Optional[Signature]) -> Signature:
        """The form of a call, of a model that is a function of tensors.

        Raises:
            CannotConvertError: the model is more than that.
        """
        model = self._source.model
        if signature is None or len(self._forms) == FORMS:
            raise refusal(model, "it is called with other things than tensors, or in too many forms")
        half = half_precision(model)
        if half is not None:
            raise refusal(model, f"its weights are {half}, and only float32 is converted: call model.float()")
        if not self.strict and has_hooks(model):
            raise refusal(model, "it has hooks, which would not be called")
        return signature
