"""How a handler loads the model of its archive."""

from __future__ import annotations

import os
from typing import Any

from ts.handler_utils.compilation import compile_model, optimize_for_intel, uses_aot_compile
from ts.handler_utils.model_formats import loader_of
from ts.handler_utils.model_formats.aotinductor import load_aot_compiled
from ts.handler_utils.model_formats.content import CHECKPOINT, content_of
from ts.handler_utils.model_formats.eager import load_eager
from ts.handler_utils.model_formats.torchscript import load_torchscript
from ts.handler_utils.model_formats.weights import read_module
from ts.handler_utils.model_inputs import InputForm, adapt_model
from ts.handler_utils.settings import HandlerSettings


class ModelLoading:
    """Loads what the manifest names, as the settings say: the part of `BaseHandler` that does so.

    A handler of one's own may override `_load_pickled_model`, `_load_torchscript_model` and
    `_load_torch_export_aot_compile`, as with torchserve.

    Attributes:
        settings: the section `handler:` of model-config.yaml, checked.
        manifest: MAR-INF/MANIFEST.json of the archive.
        model_yaml_config: model-config.yaml.
        model_pt_path: path of the serialized file; None where the archive has none.
        device: where the model goes.
    """

    settings: Any = HandlerSettings()
    manifest: dict[str, Any] | None = None
    model_yaml_config: dict[str, Any] = {}  # noqa: RUF012 (replaced by initialize, never written into)
    model_pt_path: str | None = None
    device: Any = None

    def _input_form(self) -> InputForm:
        return self.settings.input_form() if isinstance(self.settings, HandlerSettings) else InputForm()

    def _load_model(self, model_dir: str) -> Any:
        names = self.manifest["model"] if self.manifest else {}
        model_file, serialized_file = names.get("modelFile"), names.get("serializedFile")
        if serialized_file:
            self.model_pt_path = os.path.join(model_dir, serialized_file)
            if not os.path.isfile(self.model_pt_path):
                raise FileNotFoundError(f"The archive has no serialized file {serialized_file}")
        architecture = getattr(self.settings, "architecture", None)
        if architecture and model_file:
            raise ValueError(
                f"The archive has a model file, {model_file}, and handler.architecture: either makes the network"
            )
        if architecture:
            model = self._load_architecture(architecture, self.model_pt_path)
        elif model_file:
            model = self._load_pickled_model(model_dir, model_file, self.model_pt_path)
        elif self.model_pt_path:
            model = self._load_serialized_model(self.model_pt_path)
        elif self._is_default_handler():
            raise ValueError(
                "The archive names neither a serialized file nor a model file: there is no model"
            )
        else:
            return None  # a subclass may bring its own
        model = adapt_model(optimize_for_intel(model), self._input_form())
        return compile_model(model, self.model_yaml_config)

    def _load_serialized_model(self, path: str) -> Any:
        if self._use_torch_export_aot_compile():
            return self._load_torch_export_aot_compile(path)
        if self._trusts_pickle() and content_of(path) == CHECKPOINT:
            return read_module(path, self.device)
        load = loader_of(path)
        overridable = {
            load_aot_compiled: self._load_torch_export_aot_compile,
            load_torchscript: self._load_torchscript_model,
        }
        return overridable[load](path) if load in overridable else load(path, self.device)

    def _load_architecture(self, architecture: Any, model_pt_path: str | None) -> Any:
        # torchvision takes long to import.
        from ts.handler_utils.model_formats.architecture import load_architecture

        return load_architecture(architecture, model_pt_path, self.device, trust_pickle=self._trusts_pickle())

    def _trusts_pickle(self) -> bool:
        return getattr(self.settings, "trust_pickle", False)

    def _load_pickled_model(self, model_dir: str, model_file: str, model_pt_path: str | None) -> Any:
        name, trust = getattr(self.settings, "model_class", None), self._trusts_pickle()
        return load_eager(model_dir, model_file, model_pt_path, self.device, name, trust_pickle=trust)

    def _load_torchscript_model(self, model_pt_path: str) -> Any:
        return load_torchscript(model_pt_path, self.device)

    def _load_torch_export_aot_compile(self, model_so_path: str) -> Any:
        return load_aot_compiled(model_so_path, self.device)

    def _use_torch_export_aot_compile(self) -> bool:
        return uses_aot_compile(self.model_yaml_config)

    def _is_default_handler(self) -> bool:
        return type(self).__module__.startswith("ts.torch_handler.")
