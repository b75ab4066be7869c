"""Which engine computes a handler's model: torch, or OpenVINO in its place."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import Any, Optional

import torch

from ts.handler_utils.models.formats.batches import BatchLimits, ChunkedModel, run_in_chunks
from ts.handler_utils.models.openvino.conversion import CannotConvertError, refusal
from ts.handler_utils.models.openvino.forms import Form, make_form
from ts.handler_utils.models.openvino.parts import OpenVinoParts, depends_on_what_it_finds
from ts.handler_utils.models.openvino.signature import Signature, taken_apart
from ts.handler_utils.models.openvino.source import Source, marks

FORMS = 4  # of calls, each of which is converted: a model of images and texts has two

logger = logging.getLogger(__name__)


class OpenVinoCaller:
    """Stands for a model where answers are inferred: OpenVINO computes them.

    The model is converted for its first call.

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
        self._parts: Optional[OpenVinoParts] = None  # of a detector, and of what takes a list of images
        self._marks = marks(source.model)
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
        return self._parts is not None or marks(self._source.model) == self._marks

    def give_up(self) -> None:
        """Stands for no model from now on."""
        self.model, self._forms = None, []

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        signature, tensors = taken_apart(args, kwargs)
        if self._is_detector or (signature is not None and signature.has_lists):
            return self._call_in_parts(args, kwargs)
        has_rows = all(tensor.numel() for tensor in tensors)
        form = self._form(signature, tensors) if has_rows else None
        return self._source.call(*args, **kwargs) if form is None else form(tensors)

    def _call_in_parts(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls a model that as a whole depends on what it finds, which tracing would fix."""
        with self._one_at_a_time:
            if self._parts is None:
                self._parts = OpenVinoParts(self._source, strict=self.strict)
            if not self._parts.are_found:
                return self._parts.find(args, kwargs)
        return self._source.call(*args, **kwargs)

    def _form(self, signature: Optional[Signature], tensors: list[torch.Tensor]) -> Optional[Form]:
        """What answers calls of this form; None where torch does."""
        with self._one_at_a_time:
            known = next((form for form in self._forms if form.signature == signature), None)
            if known is not None or signature in self._refused:
                return known
            try:
                self._forms.append(make_form(self._source, self._checked(signature), tensors))
            except (ImportError, CannotConvertError) as error:
                if self.strict:
                    raise
                self._refused.append(signature)
                logger.warning("%s computes the model, and not OpenVINO: %s", self._source.engine, error)
                return None
            return self._forms[-1]

    def _checked(self, signature: Optional[Signature]) -> Signature:
        """The form of a call, of a model that is a function of tensors.

        Raises:
            CannotConvertError: the model is more than that.
        """
        model = self._source.model
        if signature is None or len(self._forms) == FORMS:
            raise refusal(model, "it is called with other things than tensors, or in too many forms")
        modules = model.modules() if isinstance(model, torch.nn.Module) else ()
        hooks = (part._forward_hooks or part._forward_pre_hooks for part in modules)
        if not self.strict and any(hooks):
            raise refusal(model, "it has hooks, which would not be called")
        return signature
