"""Calls a handler's model, in the form that its settings ask for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, Optional

import torch

from ts.handler_utils.configuration import Configuration, is_default_handler
from ts.handler_utils.errors import is_out_of_memory
from ts.handler_utils.models.engine import Engine
from ts.handler_utils.models.inputs import autocast_dtype, input_form
from ts.handler_utils.models.openvino.source import Source
from ts.handler_utils.models.script_caller import ScriptCaller
from ts.handler_utils.parts import Part
from ts.handler_utils.requests.input_shapes import InputShapes


class ModelCaller(Part):
    """Calls the model of a handler; a model that a subclass has put in its place is called as it is."""

    _script: Optional[ScriptCaller] = None
    _engine: Optional[Engine] = None

    def prepare(self) -> None:
        """Makes ready what answers in the place of a TorchScript model."""
        handler = self.handler
        is_script = isinstance(handler.model, torch.jit.ScriptModule)
        settings = Configuration.of(handler).settings
        is_ours = is_default_handler(handler)
        self._engine = Engine(strict=is_ours) if settings.engine == "openvino" else None
        if not is_script:
            self._script = None
            return
        form = input_form(settings)
        self._script = ScriptCaller(handler.model, form, handler.device, frozen=settings.frozen)
        # A subclass may change the model in its own `initialize`; and OpenVINO needs no such copy.
        if is_ours and self._engine is None:
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
        model = self._computing()
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

    def _computing(self) -> Any:
        """What is called: the model, or what stands for it."""
        model = self.handler.model
        if self._engine is not None:
            return self._engine.computing(model, partial(self._source, model))
        return self._current_script or model

    @property
    def _current_script(self) -> Optional[ScriptCaller]:
        """What answers for TorchScript, while no subclass has put another model in its place."""
        script = self._script
        return script if script is not None and script.source is self.handler.model else None

    def check_use(self) -> None:
        """Warns, once, where a handler of one's own has answered past the engine that it asks for."""
        if self._engine is not None:
            self._engine.check_use(self.handler)

    def _source(self, model: Any) -> Source:
        handler = self.handler
        settings = Configuration.of(handler).in_force()
        is_data = is_default_handler(handler) and not settings.get("trust_pickle")
        is_data = is_data and not (handler.manifest or {}).get("model", {}).get("modelFile")
        properties = getattr(handler.context, "system_properties", None) or {}
        folder = properties.get("model_dir")
        facts = {"handler": f"{type(handler).__module__}.{type(handler).__qualname__}", "settings": settings}
        files = Path(folder) if folder else None
        return Source(model, self.differentiable, settings.get("precision"), files, facts, is_data)

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
        script = self._current_script
        return script.call_source if script else self.handler.model
