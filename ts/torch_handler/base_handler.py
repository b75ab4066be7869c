"""BaseHandler: what every handler inherits."""

from __future__ import annotations

import importlib.util
import os
from abc import ABC
from typing import Any, Optional

import torch

from ts.handler_utils.announcement import announce
from ts.handler_utils.answering.batch import BatchAnswering
from ts.handler_utils.configuration import Configuration
from ts.handler_utils.description import describe
from ts.handler_utils.explaining.rows import explain_rows
from ts.handler_utils.memory import ask_for_huge_pages, keep_memory
from ts.handler_utils.micro_batching import MicroBatching
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.models.caller import ModelCaller
from ts.handler_utils.models.compilation import uses_aot_compile
from ts.handler_utils.models.cpu_threads import share_cpus
from ts.handler_utils.models.device import choose_device
from ts.handler_utils.models.formats.aotinductor import load_aot_compiled
from ts.handler_utils.models.formats.onnx import setup_ort_session
from ts.handler_utils.models.loading import ModelLoading
from ts.handler_utils.profiler import run_profiled
from ts.handler_utils.requests.numbers import batch_of_numbers
from ts.handler_utils.requests.options import Options
from ts.handler_utils.requests.rows import read_header
from ts.handler_utils.settings import HandlerSettings
from ts.handler_utils.timer import timed
from ts.utils.util import check_valid_pt2_backend, list_classes_from_module, load_label_mapping

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

PROFILER_AVAILABLE = PT2_AVAILABLE = PT230_AVAILABLE = True
IPEX_AVAILABLE = importlib.util.find_spec("intel_extension_for_pytorch") is not None
ONNX_AVAILABLE = importlib.util.find_spec("onnxruntime") is not None
XLA_AVAILABLE = importlib.util.find_spec("torch_xla") is not None


class BaseHandler(ABC):  # noqa: B024 (an ABC, as torchserve's is: a metaclass is part of the surface)
    """Loads an archive's model, and answers batches of requests with it.

    The way of a batch:

        rows ──preprocess──▶ batch ──inference──▶ model output ──postprocess──▶ one result a row

    A subclass overrides the hooks that differ. Any of them may raise: then the rows at fault get an error of
    their own, and the others the answers that they would have had alone. A hook that knows which rows it cannot
    read raises `ts.handler_utils.errors.RowErrors`; an `InvalidInput` is a 400, a `PredictionException` the
    status that it carries.

    Example:
        ```python
        class Doubler(BaseHandler):
            def postprocess(self, data):
                return (2 * data).tolist()
        ```

    Names. All that a handler has is what torchserve's has, and the last five attributes below. Any other name is a
    subclass's to use, and one of these that it uses for something else is its own too.

    Attributes:
        model: the model; None until `initialize`.
        device: the `torch.device` that it is on.
        mapping: labels by class index (a string), from index_to_name.json; None without that file.
        manifest: MAR-INF/MANIFEST.json of the archive.
        model_yaml_config: model-config.yaml; an empty dictionary without that file.
        model_pt_path: path of the serialized file; None where the archive has none.
        context: TorchServe's context of the batch that is being answered.
        initialized: whether the handler is ready to answer.

        settings: the section `handler:` of model-config.yaml, checked: an object of `settings_class`.
        settings_class: what that section may hold: `HandlerSettings`, or a subclass of it.
        options_class: what a request may ask for: `Options`, or a subclass of it.
        payloads: what `preprocess` reads, a sentence each, for the handler's description.
        stateless: whether the hooks may be run again on the rows of a batch that failed, since they change nothing
            that would then be changed twice; None leaves it to `ts.handler_utils.answering.reruns` to find out.
    """

    settings: Any = HandlerSettings()
    settings_class: type[HandlerSettings] = HandlerSettings
    options_class: type[Options] = Options
    stateless: Optional[bool] = None
    payloads: tuple[str, ...] = ("nested lists of numbers: one row of the model's input",)
    _torchserve_handlers: Any = None  # all that the library keeps of a handler: see ts.handler_utils.parts

    # On the class, since a subclass need not call __init__ or initialize.
    model: Any = None
    mapping: Optional[dict[str, str]] = None
    device: Any = None
    initialized = False
    context: Any = None
    model_pt_path: Optional[str] = None
    manifest: Optional[dict[str, Any]] = None
    model_yaml_config: dict[str, Any] = {}  # noqa: RUF012 (replaced by initialize, never written into)
    map_location: Optional[str] = None
    explain = False
    target: Any = 0

    def __init__(self) -> None:
        super().__init__()
        self.profiler_args: dict[str, Any] = {}

    def initialize(self, context: Any) -> None:
        """Loads the model of an archive, its labels and its settings.

        Args:
            context: TorchServe's context: `system_properties["model_dir"]` is the folder of the archive.

        Raises:
            ValueError: a setting or a file of the archive is wrong; the message says which and why.
            FileNotFoundError: a file that the manifest names is missing.
        """
        ask_for_huge_pages()
        self.context = context
        self.manifest = context.manifest
        config = getattr(context, "model_yaml_config", None)
        self.model_yaml_config = config if isinstance(config, dict) else {}
        Configuration.of(self).read(self.model_yaml_config)
        self.device = choose_device(context.system_properties.get("gpu_id"))
        self.map_location = self.device.type
        if self.map_location == "cpu":
            share_cpus(self.model_yaml_config)
        model_dir = context.system_properties.get("model_dir")
        self.model = ModelLoading.of(self).load(model_dir)
        labels = os.path.join(model_dir, "index_to_name.json")
        known = None if os.path.isfile(labels) else ModelDefaults.of(self).labels
        self.mapping = load_label_mapping(labels) if known is None else known
        ModelCaller.of(self).prepare()
        micro_batch = Configuration.of(self).settings.micro_batch
        BatchAnswering.of(self).in_parts = MicroBatching(self, micro_batch) if micro_batch else None
        keep_memory()
        self.initialized = True
        announce(self)

    # The hooks -----------------------------------------------------------------------------------------------

    @timed
    def preprocess(self, data: Any) -> Any:
        """Makes a batch of requests into what the model takes.

        Args:
            data: one row a request: `{"data": payload}` or `{"body": payload}`, the payload nested lists of
                numbers, or JSON of such.

        Returns:
            A tensor on the model's device, whose first dimension is the rows'.

        Raises:
            RowErrors: some rows hold no such lists.
        """
        if not isinstance(data, (list, tuple)):  # a tensor or an array that a subclass has made of its batch
            return torch.as_tensor(data, device=self.device)
        return batch_of_numbers(self, data)

    @timed
    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        """Runs the model, without gradients, on a batch; further arguments are the model's."""
        if self.model is None:
            raise RuntimeError("The handler has no model: initialize() has not loaded one")
        with torch.inference_mode():
            return ModelCaller.of(self)(data.to(self.device), *args, **kwargs)

    @timed
    def postprocess(self, data: Any) -> list[Any]:
        """Makes the model's output into a list with one result a row: something that JSON can hold, or bytes."""
        return data.tolist()

    def handle(self, data: Any, context: Any) -> list[Any]:
        """Answers a batch; TorchServe calls it.

        Args:
            data: one row a request.
            context: the batch's context; the status of a row that fails is set in it.

        Returns:
            For each row its result, or `{"code", "type", "message"}`.
        """
        return BatchAnswering.of(self).handle(data, context)

    def options(self, rows: int) -> list[Any]:
        """The options of each request of the batch that is being answered, for hooks to read.

        An option that a request does not name has the value of the setting of that name; some that torchserve's
        handlers read from the instance too, such as `topk`, that of the handler's attribute.

        Args:
            rows: how many rows the batch has.

        Returns:
            For each row an object of the handler's `options_class`.

        Raises:
            RowErrors: some requests give an option a value that is not allowed.
        """
        return Configuration.of(self).options(rows)

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
        return explain_rows(self, data_preprocess, raw_data)

    def describe_handle(self) -> Any:
        """What the handler is and how it is set up, as something that JSON can hold.

        See `ts.handler_utils.description.describe`.
        """
        return describe(self)

    def _is_explain(self) -> bool:
        if not _has_flag(self.context, "explain"):
            return False
        self.explain = True  # for subclasses, as torchserve's does
        return True

    def _is_describe(self) -> bool:
        return _has_flag(self.context, "describe")

    def _infer_with_profiler(self, data: Any) -> tuple[Any, Any]:
        """A prediction under torch's profiler, and the profile."""
        name = self.manifest["model"]["modelName"] if self.manifest else "model"
        return run_profiled(lambda: BatchAnswering.of(self).predict(data), name, self.profiler_args)

    # How a model is loaded -----------------------------------------------------------------------------------

    def _load_pickled_model(self, model_dir: str, model_file: str, model_pt_path: Optional[str]) -> Any:
        """Makes the network that a model file defines, with the weights of a serialized file."""
        return ModelLoading.of(self).eager(model_dir, model_file, model_pt_path)

    def _load_torchscript_model(self, model_pt_path: str) -> Any:
        return ModelLoading.of(self).torchscript(model_pt_path)

    def _load_torch_export_aot_compile(self, model_so_path: str) -> Any:
        return load_aot_compiled(model_so_path, self.device)

    def _use_torch_export_aot_compile(self) -> bool:
        return uses_aot_compile(self.model_yaml_config)

    def get_device(self) -> Any:
        """The device that the model is on."""
        return self.device


def _has_flag(context: Any, header: str) -> bool:
    return read_header(context, 0, header) == "True"
