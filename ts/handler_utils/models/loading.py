"""How a handler loads the model of its archive."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Optional

import torch

from ts.handler_utils.configuration import Configuration, is_default_handler
from ts.handler_utils.images.settings import VisionSettings
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.models.compilation import compile_model, compile_options, optimize_for_intel
from ts.handler_utils.models.fixed_input import scaling_for
from ts.handler_utils.models.formats import loader_of
from ts.handler_utils.models.formats.aotinductor import load_aot_compiled
from ts.handler_utils.models.formats.batches import ChunkedModel
from ts.handler_utils.models.formats.content import CHECKPOINT, content_of
from ts.handler_utils.models.formats.eager import load_eager
from ts.handler_utils.models.formats.exported import load_pt2
from ts.handler_utils.models.formats.onnx import OnnxModel, load_onnx
from ts.handler_utils.models.formats.torchscript import load_torchscript
from ts.handler_utils.models.formats.weights import read_module
from ts.handler_utils.models.huggingface.saved_model import SavedModel
from ts.handler_utils.models.inputs import adapt_model, in_float32, input_form
from ts.handler_utils.models.openvino.library import import_openvino
from ts.handler_utils.models.openvino.onnx import OpenVinoModel, load_onnx_for_openvino
from ts.handler_utils.models.openvino.packed import INT8, QUANTIZE, holds_int8
from ts.handler_utils.parts import Part


class ModelLoading(Part):
    """Loads what the manifest names, as the settings say.

    It does so by the handler's `_load_pickled_model`, `_load_torchscript_model` and
    `_load_torch_export_aot_compile`, which a handler of one's own may override, as with torchserve.
    """

    @property
    def _settings(self) -> Any:
        return Configuration.of(self.handler).settings

    def load(self, model_dir: str) -> Any:
        """Loads the model, and sets the handler's `model_pt_path`, the path of its serialized file.

        Returns:
            The model; None where a subclass's archive names none.

        Raises:
            ValueError: the archive names no model or two, or what it names cannot be loaded.
            FileNotFoundError: a file that the manifest names is missing.
        """
        handler = self.handler
        names = handler.manifest["model"] if handler.manifest else {}
        model_file, serialized_file = names.get("modelFile"), names.get("serializedFile")
        if serialized_file:
            handler.model_pt_path = os.path.join(model_dir, serialized_file)
            if not os.path.isfile(handler.model_pt_path):
                raise FileNotFoundError(f"The archive has no serialized file {serialized_file}")
        architecture = self._known_architecture()
        if architecture and model_file:
            raise ValueError(
                f"The archive has a model file, {model_file}, and handler.architecture: either makes the network"
            )
        if architecture:
            model = self._architecture(architecture, handler.model_pt_path)
        elif SavedModel.of(handler).find(model_dir, names):
            model = SavedModel.of(handler).load(handler.model_pt_path)
        else:
            model = self._load(model_dir, model_file, handler.model_pt_path)
            defaults = ModelDefaults.of(handler)
            defaults.transform = {**scaling_for(handler, model), **defaults.transform}
        if model is None:
            return None
        by_openvino = self._settings.engine == "openvino" and self._may_compute(model)
        if self._settings.precision == INT8:
            self._check_int8(Path(model_dir), by_openvino)
        if by_openvino:
            return in_float32(model)  # in which its answers are compared
        model = adapt_model(optimize_for_intel(model), input_form(self._settings))
        return compile_model(model, handler.model_yaml_config)

    def _may_compute(self, model: Any) -> bool:
        """Whether OpenVINO may compute a model, as the setting `engine` asks for; a subclass is warned if not."""
        settings, problem = self._settings, None
        inner = model.model if isinstance(model, ChunkedModel) else model
        if torch.device(self.handler.device).type != "cpu":
            problem = f"is for the CPU, and this worker has {self.handler.device}: set deviceType: cpu"
        elif settings.memory_format is not None:
            problem = "lays images out by itself: leave out handler.memory_format"
        elif compile_options(self.handler.model_yaml_config) is not None:
            problem = "is in the place of torch.compile: leave out pt2"
        elif not isinstance(inner, (torch.nn.Module, OnnxModel, OpenVinoModel)):
            kind = type(inner).__name__
            problem = (
                f"takes PyTorch modules, TorchScript, torch.export's and ONNX, and this model is a {kind}"
            )
        else:
            import_openvino()  # now, rather than for the first answer
        if problem is not None:
            Configuration.of(self.handler).refuse("engine", f"handler.engine: openvino {problem}")
        return problem is None

    def _check_int8(self, files: Path, by_openvino: bool) -> None:
        """Refuses `precision: int8` where nothing would compute in it."""
        problem = None
        if not by_openvino:
            problem = f"goes with handler.engine: openvino, and the network that `{QUANTIZE}` writes"
        elif not holds_int8(files):
            problem = f"needs a quantized network in the archive: `{QUANTIZE}` writes an archive that has it"
        if problem is not None:
            Configuration.of(self.handler).refuse("precision", f"handler.precision: int8 {problem}")

    def _load(self, model_dir: str, model_file: Optional[str], path: Optional[str]) -> Any:
        if model_file:
            return self._placed(self.handler._load_pickled_model(model_dir, model_file, path))
        if path:
            return self._serialized(path)
        if is_default_handler(self.handler):
            raise ValueError(
                "The archive names neither a serialized file nor a model file, and holds no saved model folder"
                " of transformers (a config.json with a model_type): there is no model"
            )
        return None  # a subclass may bring its own

    def _serialized(self, path: str) -> Any:
        handler = self.handler
        if handler._use_torch_export_aot_compile():
            return handler._load_torch_export_aot_compile(path)
        if self._settings.trust_pickle and content_of(path) == CHECKPOINT:
            return read_module(path, handler.device)
        load = loader_of(path)
        is_converted = self._settings.engine == "openvino" and self._settings.precision != INT8
        if load is load_onnx and is_converted:
            return load_onnx_for_openvino(path, self._settings.precision)
        if self._settings.trust_pickle and load is load_pt2:
            return load_pt2(path, handler.device, trust_pickle=True)
        overridable = {
            load_aot_compiled: handler._load_torch_export_aot_compile,
            load_torchscript: handler._load_torchscript_model,
        }
        return self._placed(overridable[load](path)) if load in overridable else load(path, handler.device)

    def _placed(self, model: Any) -> Any:
        """A model that a hook has loaded, which need not have moved it to the device or out of training."""
        if not isinstance(model, torch.nn.Module):
            return model
        return model.to(self.handler.device).eval()

    def _known_architecture(self) -> Any:
        """The setting `architecture`, if there is such a network."""
        wanted = self._settings.architecture
        if not wanted:
            return None
        from ts.handler_utils.models.formats.architecture import check_architecture  # torchvision: takes long

        try:
            return check_architecture(wanted)
        except ValueError as error:
            Configuration.of(self.handler).refuse(
                "architecture", f"handler.architecture is {wanted!r}: {error}"
            )
            return None

    def _architecture(self, architecture: Any, path: Optional[str]) -> Any:
        from ts.handler_utils.models.formats.architecture import known_of, load_architecture

        settings, defaults = self._settings, ModelDefaults.of(self.handler)
        model = load_architecture(architecture, path, self.handler.device, trust_pickle=settings.trust_pickle)
        reads_images = isinstance(settings, VisionSettings) and "resize" not in settings.model_fields_set
        defaults.transform, labels = known_of(architecture, model, with_transform=reads_images)
        defaults.labels = labels or defaults.labels
        return model

    def torchscript(self, path: str) -> Any:
        """Reads a TorchScript model, of the trust that the settings say; see `load_torchscript`."""
        return load_torchscript(path, self.handler.device, trust_pickle=self._settings.trust_pickle)

    def eager(self, model_dir: str, model_file: str, path: Optional[str]) -> Any:
        """Makes the network of a model file, and gives it the weights of a serialized file; see `load_eager`."""
        settings = self._settings
        return load_eager(
            model_dir,
            model_file,
            path,
            self.handler.device,
            settings.model_class,
            trust_pickle=settings.trust_pickle,
        )
