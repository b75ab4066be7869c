"""BaseHandler: what every handler inherits."""

from __future__ import annotations

import importlib.util
import logging
import os
from abc import ABC
from collections.abc import Sequence
from functools import partial
from typing import Any, Callable

import torch

from ts.handler_utils.description import describe
from ts.handler_utils.device import choose_device
from ts.handler_utils.envelope_rows import context_of_rows
from ts.handler_utils.errors import DATA_ERRORS, InvalidInput, RowErrors, error_answer
from ts.handler_utils.json_encoding import JSON, data_uri, is_enveloped
from ts.handler_utils.micro_batching import MicroBatching
from ts.handler_utils.model_formats.onnx import setup_ort_session
from ts.handler_utils.model_loading import ModelLoading
from ts.handler_utils.options import Options, read_options
from ts.handler_utils.payload import payload_of
from ts.handler_utils.profiler import run_profiled
from ts.handler_utils.rows import RowsContext, answer_rows
from ts.handler_utils.script_caller import ScriptCaller
from ts.handler_utils.settings import HandlerSettings, Warmup, read_settings, warn_of_unknown_keys
from ts.handler_utils.timer import handler_time, timed
from ts.utils.util import (
    PredictionException,
    check_valid_pt2_backend,
    list_classes_from_module,
    load_label_mapping,
)

# Names that handlers written for torchserve import from here.
__all__ = [
    "IPEX_AVAILABLE",
    "ONNX_AVAILABLE",
    "PROFILER_AVAILABLE",
    "PT2_AVAILABLE",
    "PT230_AVAILABLE",
    "XLA_AVAILABLE",
    "BaseHandler",
    "check_valid_pt2_backend",
    "list_classes_from_module",
    "load_label_mapping",
    "setup_ort_session",
    "timed",
]

logger = logging.getLogger(__name__)

PROFILER_AVAILABLE = PT2_AVAILABLE = PT230_AVAILABLE = True
IPEX_AVAILABLE = importlib.util.find_spec("intel_extension_for_pytorch") is not None
ONNX_AVAILABLE = importlib.util.find_spec("onnxruntime") is not None
XLA_AVAILABLE = importlib.util.find_spec("torch_xla") is not None


class BaseHandler(ModelLoading, ABC):  # an ABC, as torchserve's is: a metaclass is part of the surface
    """Loads an archive's model, and answers batches of requests with it.

    The way of a batch:

        rows ──preprocess──▶ batch ──inference──▶ model output ──postprocess──▶ one result a row

    A subclass overrides the hooks that differ. Any of them may raise: then the rows at fault get an error of
    their own, and the others the answers that they would have had alone. A hook that knows which rows it cannot
    read raises `ts.handler_utils.errors.RowErrors`; an `InvalidInput` is a 400, a `PredictionException` the
    status that it carries.

    Example:
        class Doubler(BaseHandler):
            def postprocess(self, data):
                return (2 * data).tolist()

    Attributes:
        model: the model; None until `initialize`.
        device: the `torch.device` that it is on.
        mapping: labels by class index (a string), from index_to_name.json; None without that file.
        manifest: MAR-INF/MANIFEST.json of the archive.
        model_yaml_config: model-config.yaml; an empty dictionary without that file.
        settings: the section `handler:` of it, checked.
        context: TorchServe's context of the batch that is being answered.
        payloads: what `preprocess` reads, a sentence each, for the handler's description.
        initialized: whether the handler is ready to answer.
    """

    settings_class: type[HandlerSettings] = HandlerSettings
    options_class: type[Options] = Options
    payloads: tuple[str, ...] = ("nested lists of numbers: one row of the model's input",)

    # On the class, since a subclass need not call __init__ or initialize.
    model: Any = None
    mapping: dict[str, str] | None = None
    initialized = False
    context: Any = None
    map_location: str | None = None
    explain = False
    target: Any = 0
    _rows: Sequence[Any] = ()
    _script: ScriptCaller | None = None
    _micro_batching: MicroBatching | None = None

    def __init__(self) -> None:
        super().__init__()
        self.profiler_args: dict[str, Any] = {}

    # Loading -------------------------------------------------------------------------------------------------

    def initialize(self, context: Any) -> None:
        """Loads the model of an archive, its labels and its settings.

        Args:
            context: TorchServe's context: `system_properties["model_dir"]` is the folder of the archive.

        Raises:
            ValueError: a setting or a file of the archive is wrong; the message says which and why.
            FileNotFoundError: a file that the manifest names is missing.
        """
        properties = context.system_properties
        self.context = context
        self.manifest = context.manifest
        self.model_yaml_config = context.model_yaml_config or {}
        self._apply_settings()
        self.device = choose_device(properties.get("gpu_id"))
        self.map_location = self.device.type
        self.model = self._load_model(properties.get("model_dir"))
        self._load_other_files(context)
        self._prepare_to_infer()
        self.initialized = True

    def _load_other_files(self, context: Any) -> None:
        """Reads what the archive holds beside the model: the labels, for all handlers."""
        path = os.path.join(context.system_properties.get("model_dir"), "index_to_name.json")
        self.mapping = load_label_mapping(path)

    def _prepare_to_infer(self) -> None:
        is_script = isinstance(self.model, torch.jit.ScriptModule)
        self._script = ScriptCaller(self.model, self._input_form(), self.device) if is_script else None
        micro_batch = getattr(self.settings, "micro_batch", None) or self._default_micro_batch()
        self._micro_batching = MicroBatching(self, micro_batch) if micro_batch else None
        warmup = getattr(self.settings, "warmup", None)
        if warmup is not None:
            self._warm_up(warmup)

    def _warm_up(self, warmup: Warmup) -> None:
        """Infers batches of each size, thrice: TorchScript looks on twice before it optimizes."""
        for size in warmup.batch_sizes:
            for _ in range(3):
                self.inference(self._warmup_batch(size, warmup))

    def _warmup_batch(self, rows: int, warmup: Warmup) -> Any:
        """A batch as `preprocess` returns it, of no request."""
        raise ValueError(f"model-config.yaml: handler.warmup: {type(self).__name__} does not know its inputs")

    def _default_micro_batch(self) -> int | None:
        """The setting `micro_batch` where it is not set."""
        return None

    def _apply_settings(self) -> None:
        self.settings = read_settings(self.settings_class, self.model_yaml_config)
        if self._is_default_handler():
            warn_of_unknown_keys(self.settings)
        for name in self.settings.model_fields_set:
            if name in self.settings_class.model_fields and hasattr(type(self), name):
                setattr(self, name, getattr(self.settings, name))  # such as `topk`

    # The hooks -----------------------------------------------------------------------------------------------

    @timed
    def preprocess(self, data: Any) -> Any:
        """Makes a batch of requests into what the model takes.

        Args:
            data: one row a request: `{"data": payload}` or `{"body": payload}`, the payload nested lists.

        Returns:
            A tensor on the model's device, whose first dimension is the rows'.
        """
        rows = [payload_of(row) if isinstance(row, dict) else row for row in data]
        return torch.as_tensor(rows, device=self.device)

    @timed
    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        """Runs the model, without gradients, on a batch; further arguments are the model's."""
        if self.model is None:
            raise RuntimeError("The handler has no model: initialize() has not loaded one")
        with torch.inference_mode():
            return self._call_model(data.to(self.device), *args, **kwargs)

    def _call_model(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the model; one that a subclass has put in its place is called as it is."""
        script = self._script
        model = script if script is not None and script.source is self.model else self.model
        return model(*args, **kwargs)

    @timed
    def postprocess(self, data: Any) -> list[Any]:
        """Makes the model's output into a list with one result a row: something that JSON can hold, or bytes."""
        return data.tolist()

    # The way of a batch --------------------------------------------------------------------------------------

    def handle(self, data: Any, context: Any) -> list[Any]:
        """Answers a batch; TorchServe calls it.

        Args:
            data: one row a request.
            context: the batch's context; the status of a row that fails is set in it.

        Returns:
            For each row its result, or `{"code", "type", "message"}`.
        """
        parts = self._micro_batching
        if parts is not None and len(data or ()) > parts.micro_batch_size:
            return parts(data, context)
        with handler_time(context):
            rows = list(data or [])
            answers = self._answer_batch(rows, context_of_rows(context, len(rows)))
        self.context = context
        return answers

    def _answer_batch(self, rows: list[Any], context: Any) -> list[Any]:
        answers: list[Any] = [None] * len(rows)
        for way, indexes in self._ways(context, len(rows)).items():
            for index, answer in zip(indexes, answer_rows(self._runner(way, rows, context), indexes)):
                failed = isinstance(answer, Exception)
                answers[index] = self._fail(context, index, answer) if failed else answer
        self._rows = ()
        return [self._sendable(context, index, answer) for index, answer in enumerate(answers)]

    def _ways(self, context: Any, count: int) -> dict[Callable[[list[Any]], Any], list[int]]:
        """The rows that want a prediction, an explanation, a description."""
        ways: dict[Callable[[list[Any]], Any], list[int]] = {}
        for index in range(count):
            self.context = RowsContext(context, [index])
            way = self._predict
            if self._is_describe():
                way = self._describe
            elif self._is_explain():
                way = self._explain
            ways.setdefault(way, []).append(index)
        return ways

    def _runner(self, way: Callable[[list[Any]], Any], rows: list[Any], context: Any) -> Callable[..., Any]:
        def run(indexes: Sequence[int]) -> Any:
            whole = len(indexes) == len(rows)
            self.context = context if whole else RowsContext(context, indexes)
            self._rows = rows if whole else [rows[index] for index in indexes]
            model_name = (self.manifest or {}).get("model", {}).get("modelName")
            if os.environ.get("ENABLE_TORCH_PROFILER") and model_name:
                return run_profiled(lambda: way(list(self._rows)), model_name, self.profiler_args)[0]
            return way(list(self._rows))

        return run

    def _predict(self, rows: list[Any]) -> Any:
        return self.postprocess(self.inference(self._preprocess(rows)))

    def _explain(self, rows: list[Any]) -> Any:
        return self.explain_handle(self._preprocess(rows), rows)

    def _describe(self, rows: list[Any]) -> Any:
        return [self.describe_handle() for _ in rows]

    def _preprocess(self, rows: list[Any]) -> Any:
        try:
            return self.preprocess(rows)
        except DATA_ERRORS as error:
            message = f"The request cannot be read: {type(error).__name__}: {error}"
            raise InvalidInput(message) from error

    def _fail(self, context: Any, index: int, error: Exception) -> dict[str, Any]:
        status, body = error_answer(error)
        trace = None if isinstance(error, PredictionException) else error  # that one says all in its message
        request = context.get_request_id(index)
        logger.warning("Request %s: %d, %s", request, status, body["message"], exc_info=trace)
        context.set_response_status(status, body["type"], index)
        context.set_response_content_type(index, JSON)  # not that of an answer, which a hook may have set
        return body

    def _sendable(self, context: Any, index: int, answer: Any) -> Any:
        """An answer as a request envelope can write it: in JSON."""
        if not (isinstance(answer, (bytes, bytearray)) and is_enveloped()):
            return answer
        context.set_response_content_type(index, JSON)
        return data_uri(answer)

    def options(self, rows: int) -> list[Any]:
        """The options of each request of the batch that is being answered.

        An option that a request does not name has the value of the handler's attribute of that name, else of
        the setting.

        Args:
            rows: how many rows the batch has.

        Returns:
            For each row an object of the handler's `options_class`.

        Raises:
            RowErrors: some requests give an option a value that is not allowed.
        """
        options, errors = [], {}
        defaults = self._option_defaults()
        for index in range(rows):
            try:
                options.append(self._row_options(index, defaults))
            except InvalidInput as error:
                errors[index] = error
        if errors:
            raise RowErrors(errors)
        return options

    def _row_options(self, index: int, defaults: dict[str, Any]) -> Any:
        if index >= len(self._rows):  # the hook is called by hand, with no request behind it
            return self.options_class(**defaults)
        header = partial(self.context.get_request_header, index)
        return read_options(self.options_class, self._rows[index], header, defaults)

    def _option_defaults(self) -> dict[str, Any]:
        fields = self.options_class.model_fields
        return {
            name: getattr(self, name, getattr(self.settings, name, field.default))
            for name, field in fields.items()
        }

    # Explanations and descriptions ---------------------------------------------------------------------------

    def explain_handle(self, data_preprocess: Any, raw_data: list[Any]) -> list[Any]:
        """Explains each row of a batch, by the handler's `get_insights`.

        Args:
            data_preprocess: the batch, as `preprocess` returned it.
            raw_data: the rows as they came; a row's option `target` is the class to explain.

        Returns:
            One explanation a row.

        Raises:
            InvalidInput: the handler has no `get_insights`.
        """
        if not hasattr(self, "get_insights"):
            raise InvalidInput(f"{type(self).__name__} gives no explanations")
        explanations = []
        for index, (row, options) in enumerate(zip(raw_data, self.options(len(raw_data)))):
            single = data_preprocess[index : index + 1]
            explanations += self.get_insights(single, payload_of(row), self._target_of(single, options))
        return explanations

    def _target_of(self, single: Any, options: Any) -> Any:
        """The class to explain for a batch of one row."""
        target = getattr(options, "target", None)
        return self.target if target is None else target

    def describe_handle(self) -> Any:
        """What the handler is and how it is set up, as something that JSON can hold.

        See `ts.handler_utils.description.describe`.
        """
        return describe(self)

    def _is_explain(self) -> bool:
        return _has_flag(self.context, "explain")

    def _is_describe(self) -> bool:
        return _has_flag(self.context, "describe")

    def _infer_with_profiler(self, data: Any) -> tuple[Any, Any]:
        """A prediction under torch's profiler, and the profile."""
        name = self.manifest["model"]["modelName"] if self.manifest else "model"
        return run_profiled(lambda: self._predict(data), name, self.profiler_args)

    def get_device(self) -> Any:
        """The device that the model is on."""
        return self.device


def _has_flag(context: Any, header: str) -> bool:
    return bool(context) and context.get_request_header(0, header) == "True"
