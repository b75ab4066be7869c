"""The saved model of transformers that a handler answers with, where its archive is the folder of one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import torch

from ts.handler_utils.configuration import Configuration, is_default_handler
from ts.handler_utils.images.limits import ImageLimits
from ts.handler_utils.images.settings import VisionSettings
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.models.formats.content import CHECKPOINT, SAFETENSORS, content_of
from ts.handler_utils.models.huggingface.heads import CONFIG, EMBEDDER, find_folder, handler_of, read_object
from ts.handler_utils.models.inputs import InputForm, adapt_model
from ts.handler_utils.parts import Part

logger = logging.getLogger(__name__)

# Readers of what detectors return, by the image processor whose `post_process_object_detection` a pipeline calls.
_READERS = {
    "DetrImageProcessor": "detr",
    "YolosImageProcessor": "detr",
    "ConditionalDetrImageProcessor": "deformable_detr",
    "DeformableDetrImageProcessor": "deformable_detr",
    "RTDetrImageProcessor": "rtdetr",
    "RfDetrImageProcessor": "rtdetr",
}


class SavedModel(Part):
    """Loads the folder of a saved model, and tells the handler what its files say."""

    _folder: Path
    _name = ""  # of the default handler for it

    def find(self, model_dir: str, names: Mapping[str, Any]) -> bool:
        """Looks whether the model of an archive is a saved model folder that its handler answers with.

        Args:
            model_dir: the archive's folder.
            names: the manifest's section `model`.

        Raises:
            ValueError: it is one, and the default handler that the archive names is not the one for it.
        """
        if names.get("modelFile") or not _are_weights(model_dir, names.get("serializedFile")):
            return False
        folder = self._found(Path(model_dir))
        if folder is None:
            return False
        self._folder, self._name = folder, self._handler_for(folder)
        return bool(self._name)

    def _found(self, root: Path) -> Optional[Path]:
        try:
            return find_folder(root)
        except ValueError:
            if is_default_handler(self.handler):
                raise
            return None  # a subclass may have any files, for itself

    def _handler_for(self, folder: Path) -> str:
        """The default handler for a folder, if the handler is that one or a subclass; else nothing.

        A subclass of another handler brings its own model.
        """
        homes = [kind.__module__.rpartition(".") for kind in type(self.handler).__mro__]
        ours = [name for home, _, name in homes if home == "ts.torch_handler"]
        if EMBEDDER in ours:
            return EMBEDDER
        try:
            wanted = handler_of(read_object(folder / CONFIG))
        except ValueError:
            if is_default_handler(self.handler):
                raise
            return ""
        if wanted in ours:
            return wanted
        if is_default_handler(self.handler):
            raise ValueError(
                f"{CONFIG} is of a model for {wanted}, and the archive's handler is {ours[0]}: pack it with"
                f" --handler {wanted}"
            )
        return ""

    def load(self, weights: Optional[str]) -> Any:
        """Loads the network that `find` has found, and what prepares its inputs.

        Args:
            weights: path of the archive's serialized file, if it names one.

        Returns:
            The network; None where it cannot be loaded, and a subclass may load it by itself.

        Raises:
            ImportError: transformers is not installed.
            ValueError: the folder is not whole, names code of its own, or does not fit together.
        """
        try:
            return self._load(weights)
        except (ImportError, ValueError, FileNotFoundError) as error:
            if weights or is_default_handler(self.handler):
                raise
            logger.warning(
                "The saved model is left to %s, since it cannot be loaded: %s",
                type(self.handler).__name__,
                error,
            )
            return None

    def _load(self, weights: Optional[str]) -> Any:
        from ts.handler_utils.models.huggingface.network import load_network

        settings = Configuration.of(self.handler).settings
        network = load_network(
            self._folder,
            self._name,
            Path(weights) if weights else None,
            trust_remote_code=settings.trust_remote_code,
            trust_pickle=settings.trust_pickle,
        )
        defaults = ModelDefaults.of(self.handler)
        defaults.folder, defaults.missing = self._folder, network.missing
        self._tell(network.model)
        model = network.model.to(self.handler.device)
        dtype = next((weight.dtype for weight in model.parameters() if weight.is_floating_point()), None)
        is_kept = settings.precision is None and settings.engine != "openvino"
        if is_kept and dtype not in (None, torch.float32):
            return adapt_model(model, InputForm(dtype))  # photos are float32
        return model

    def _tell(self, model: Any) -> None:
        """Sets the `ModelDefaults` of the handler."""
        defaults = ModelDefaults.of(self.handler)
        if self._name != EMBEDDER:
            defaults.labels = {str(index): str(label) for index, label in model.config.id2label.items()}
        if self._name in ("image_classifier", "text_classifier"):
            defaults.activation = activation_of(model.config)
        takes_texts = model.main_input_name == "input_ids"
        if takes_texts:
            self._tell_of_texts(model)
        if not takes_texts or hasattr(model, "get_text_features"):  # as CLIP, which takes images too
            self._tell_of_photos()

    def _tell_of_texts(self, model: Any) -> None:
        from ts.handler_utils.models.huggingface.tokens import FolderTokenizer

        settings = Configuration.of(self.handler).settings
        ModelDefaults.of(self.handler).tokenizer = FolderTokenizer(
            self._folder,
            model,
            getattr(settings, "max_length", None),
            trust_remote_code=settings.trust_remote_code,
        )

    def _tell_of_photos(self) -> None:
        from ts.handler_utils.models.huggingface.photos import FolderTransform

        settings, defaults = Configuration.of(self.handler).settings, ModelDefaults.of(self.handler)
        limits = settings.limits() if isinstance(settings, VisionSettings) else ImageLimits()
        transform = FolderTransform(self._folder, limits, trust_remote_code=settings.trust_remote_code)
        defaults.photo_transform = transform
        if self._name == "object_detector":
            defaults.output = _READERS.get(transform.name)
            if defaults.output is None:
                raise ValueError(
                    f"There is no reader for the detections of a {transform.name}, but for those of"
                    f" {', '.join(_READERS)}"
                )


def activation_of(config: Any) -> str:
    """What makes a classifier's logits into answers, as transformers' pipelines choose it."""
    if config.problem_type == "regression":
        return "none"
    if config.problem_type == "multi_label_classification" or config.num_labels == 1:
        return "sigmoid"
    return "softmax"


def _are_weights(model_dir: str, serialized: Optional[str]) -> bool:
    """Whether the serialized file of an archive is weights alone; or it names none, and they lie in the folder."""
    return not serialized or content_of(Path(model_dir, serialized)) in (SAFETENSORS, CHECKPOINT)
