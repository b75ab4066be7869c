"""Calls a handler's model, in the form that its settings ask for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, Optional

import torch

from ts.handler_utils.configuration import Configuration, is_default_handler
from ts.handler_utils.errors import is_out_of_memory
from ts.handler_utils.models.engine import OpenVinoCaller
from ts.handler_utils.models.formats.batches import ChunkedModel
from ts.handler_utils.models.formats.onnx import OnnxModel
from ts.handler_utils.models.inputs import autocast_dtype, input_form
from ts.handler_utils.models.openvino.source import Source
from ts.handler_utils.models.script_caller import ScriptCaller
from ts.handler_utils.parts import Part
from ts.handler_utils.requests.input_shapes import InputShapes

logger = logging.getLogger(__name__)


class ModelCaller(Part):
    """Calls the model of a handler; a model that a subclass has put in its place is called as it is."""

    _script: Optional[ScriptCaller] = None
    _openvino: Optional[OpenVinoCaller] = None

    def prepare(self) -> None:
        """Makes ready what answers in the place of a TorchScript model."""
        handler = self.handler
        is_script = isinstance(handler.model, torch.jit.ScriptModule)
        settings = Configuration.of(handler).settings
        if not is_script:
            self._script = None
            return
        form = input_form(settings)
        self._script = ScriptCaller(handler.model, form, handler.device, frozen=settings.frozen)
        # A subclass may change the model in its own `initialize`; and OpenVINO needs no such copy.
        if is_default_handler(handler) and settings.engine != "openvino":
            self._script.freeze()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the model; the arguments are its own."""
        try:
            answer = self._call(args, kwargs)
        except Exception as error:
            InputShapes.of(self.handler).blame_client(error, partial(self._takes, args, kwargs))
            raise
        InputShapes.of(self.handler).learn()
        return answer

    def _takes(self, args: tuple[Any, ...], kwargs: dict[str, Any], shape: Sequence[int]) -> bool:
        """Whether the model takes one row of a shape, in the place of what it was called with."""
        try:
            images, *others = args
            is_list = isinstance(images, (list, tuple))
            usual = [images[0].new_zeros(shape)] if is_list else images.new_zeros((1, *shape))
            self._call((usual, *others), kwargs)
        except Exception:
            return False
        return True

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        model = self._engine()
        with self._autocast():
            try:
                return model(*args, **kwargs)
            except RuntimeError as error:
                numbers = None if is_out_of_memory(error) else self._in_the_models_type(args)
                if numbers is None:
                    raise
                with suppress(RuntimeError):  # then the type was not what was wrong
                    return model(*numbers, **kwargs)
                raise

    def _engine(self) -> Any:
        """What is called: the model, or what stands for it."""
        model, script = self.handler.model, self._script
        if Configuration.of(self.handler).settings.engine == "openvino":
            return self._by_openvino(model)
        return script if script is not None and script.source is model else model

    def _by_openvino(self, model: Any) -> Any:
        """What has OpenVINO compute the model, from its first call on; torch computes what a subclass changes."""
        is_ours = is_default_handler(self.handler)
        inner = model.model if isinstance(model, ChunkedModel) else model
        if self._openvino is None and isinstance(inner, (torch.nn.Module, OnnxModel)):
            self._openvino = OpenVinoCaller(self._source(model), strict=is_ours)
        found = self._openvino
        if found is None or found.model is not model:
            return model
        if not is_ours and not found.is_current():
            logger.warning(
                "torch computes the model, and not OpenVINO: it was changed after its first answer"
            )
            found.give_up()
        return found

    def _source(self, model: Any) -> Source:
        handler = self.handler
        settings = Configuration.of(handler).in_force()
        is_data = is_default_handler(handler) and not settings.get("trust_pickle")
        is_data = is_data and not (handler.manifest or {}).get("model", {}).get("modelFile")
        properties = getattr(handler.context, "system_properties", None) or {}
        folder = properties.get("model_dir")
        facts = {"handler": f"{type(handler).__module__}.{type(handler).__qualname__}", "settings": settings}
        call = self._script.call_source if self._script is not None else model
        files = Path(folder) if folder else None
        return Source(model, call, settings.get("precision"), files, facts, is_data)

    def _in_the_models_type(self, args: tuple[Any, ...]) -> Optional[list[Any]]:
        """Numbers as the floats that a model computes with; None where they are, or it is no module."""
        model = self.handler.model
        weights = model.parameters() if isinstance(model, torch.nn.Module) else ()
        dtype = next((weight.dtype for weight in weights if weight.is_floating_point()), None)
        if dtype is None or not any(isinstance(arg, torch.Tensor) and arg.dtype != dtype for arg in args):
            return None
        return [arg.to(dtype) if isinstance(arg, torch.Tensor) else arg for arg in args]

    def _autocast(self) -> AbstractContextManager[Any]:
        dtype = autocast_dtype(Configuration.of(self.handler).settings)
        return nullcontext() if dtype is None else torch.autocast(self.handler.device.type, dtype)

    @property
    def differentiable(self) -> Any:
        """What gradients flow through: it is called as the model."""
        return self._script.call_source if self._script else self.handler.model
