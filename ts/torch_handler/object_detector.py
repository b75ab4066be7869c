"""ObjectDetector: finds objects in an image, and says where."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
import torchvision
from PIL import Image

from ts.handler_utils.detection_answers import coco_answer, draw_detections, torchserve_answer
from ts.handler_utils.detections import Detections, find_classes, read_detections, select_detections
from ts.handler_utils.errors import InvalidInput, RowErrors
from ts.handler_utils.image_lists import detect_in_stacks, takes_list
from ts.handler_utils.image_transform import ImageTransform
from ts.handler_utils.images import to_channels
from ts.handler_utils.layer_explained import LayerExplained
from ts.handler_utils.model_inputs import InputForm
from ts.handler_utils.overlay_encoding import encode_overlay
from ts.handler_utils.resized_detections import undo_resize
from ts.handler_utils.timer import timed
from ts.handler_utils.vision_settings import ObjectDetectorOptions, ObjectDetectorSettings
from ts.torch_handler.vision_handler import VisionHandler
from ts.utils.util import PredictionException, map_class_to_label

# Names that torchserve's module has too.
__all__ = ["ObjectDetector", "map_class_to_label", "torchvision_version"]

torchvision_version = torchvision.__version__


class ObjectDetector(LayerExplained, VisionHandler):
    """Answers each image with a list of the objects in it, `{label: [x1, y1, x2, y2], "score": score}` each.

    For models which take RGB images [3, H, W] of any sizes with values in [0, 1], and return `[{"boxes", "labels",
    "scores"}]`, as torchvision's detectors do (`ts.handler_utils.detections`).

    Boxes are in pixels of the photo that was sent, turned upright. A subclass that resizes photos by an
    `image_processing` of its own gets them in pixels of what that makes.

    Example:
        class SureDetector(ObjectDetector):
            threshold = 0.9

    Attributes:
        threshold: the lowest score of a detection in an answer; the setting `threshold`, and a request's option
            `threshold`, override it.
    """

    settings_class = ObjectDetectorSettings
    options_class = ObjectDetectorOptions
    settings: Any = ObjectDetectorSettings()
    threshold = 0.5

    def initialize(self, context: Any) -> None:
        """Loads the model of an archive, its labels and its settings; see `BaseHandler.initialize`.

        Raises:
            ValueError: the setting `classes` names a class that there is not, or `crop` is set.
        """
        super().initialize(context)
        if isinstance(self.image_processing, ImageTransform) and self.image_processing.crop is not None:
            raise ValueError(
                "model-config.yaml: handler.crop: a detector gets whole photos, which cannot be cropped"
            )
        try:
            find_classes(getattr(self.settings, "classes", None), self.mapping)
        except InvalidInput as error:
            raise ValueError(f"model-config.yaml: {error.message}") from error

    def _collate(self, images: list[torch.Tensor]) -> torch.Tensor | list[torch.Tensor]:
        """One tensor, as torchserve's detector has it, where all images have one size; else a list."""
        if len({image.shape for image in images}) == 1:
            return super()._collate(images)
        return [self._normalize(image.to(self.device)) for image in images]

    @timed
    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        """Runs the model, without gradients, on a batch.

        Args:
            data: a tensor [N, 3, H, W] or a list of tensors [3, H, W]. The model gets the one that it takes:
                see the setting `stack`.
            *args: further arguments of the model.
            **kwargs: further arguments of the model.

        Returns:
            What the model returns: one dictionary of detections an image.
        """
        with torch.inference_mode():
            if self._takes_list():
                return self._call_model([image.to(self.device) for image in data], *args, **kwargs)
            return detect_in_stacks(
                lambda stack: self._call_model(stack.to(self.device), *args, **kwargs), data
            )

    def _input_form(self) -> InputForm:
        """Boxes need float32, so weights and inputs keep it, and `precision` is that of the operations inside."""
        return replace(super()._input_form(), dtype=None)

    def _call_model(self, *args: Any, **kwargs: Any) -> Any:
        dtype = super()._input_form().dtype
        reduced = dtype is not None and dtype != torch.float32
        with torch.autocast(self.device.type, dtype) if reduced else nullcontext():
            return super()._call_model(*args, **kwargs)

    def _takes_list(self) -> bool:
        stack = getattr(self.settings, "stack", None)
        return takes_list(self.model) if stack is None else not stack

    @timed
    def postprocess(self, data: Any) -> list[Any]:
        """Makes the detections in each image into the answer that its request asks for.

        Args:
            data: what the model returned: `[{"boxes", "labels", "scores"}]`, one an image.

        Returns:
            For each row a list with one dictionary a detection; for `format: overlay` the encoded picture.

        Raises:
            RowErrors: some requests ask for what is not allowed, or cannot be had for them.
            TypeError: the model's output is not that of a detector.
        """
        detections = read_detections(data)
        answers: list[Any] = []
        errors: dict[int, Exception] = {}
        for index, options in enumerate(self.options(len(detections))):
            try:
                answers.append(self._answer(index, self._select(detections[index], options), options.format))
            except PredictionException as error:
                errors[index] = error
        if errors:
            raise RowErrors(errors)
        return answers

    def _select(self, detections: Detections, options: ObjectDetectorOptions) -> Detections:
        selected = select_detections(
            detections,
            threshold=options.threshold,
            classes=find_classes(options.classes, self.mapping),
            topk=options.topk,
        )
        for name, wanted in (("masks", options.masks), ("keypoints", options.keypoints)):
            if wanted and name not in selected:
                raise InvalidInput(f"Wrong option: {name}: this model gives no {name}")
            if not wanted:
                selected.pop(name, None)
        return selected

    def _answer(self, index: int, detections: Detections, form: str) -> Any:
        resize = self._own_resize()
        photo = self._photo(index) if resize is not None or form == "overlay" else None
        if resize is not None and isinstance(photo, Image.Image):
            detections = undo_resize(detections, resize, photo.size)
        if form == "overlay":
            return self._overlay(index, detections, photo)
        answer = coco_answer if form == "coco" else torchserve_answer
        return answer(detections, self.mapping)

    def _own_resize(self) -> Any:
        """What settings resize photos to; None where they do not, or a subclass has a transform of its own."""
        transform = self.image_processing
        return transform.resize if isinstance(transform, ImageTransform) else None

    def _overlay(self, index: int, detections: Detections, photo: Any) -> bytes:
        if not isinstance(photo, Image.Image):
            raise InvalidInput("Format overlay needs a photo to draw on: the request holds nested lists")
        drawn = draw_detections(to_channels(photo, 3), detections, self.mapping)
        data, content_type = encode_overlay(drawn, photo.format)
        self.context.set_response_content_type(index, content_type)
        return data

    def _class_score(self, single: Any, target: int | None) -> torch.Tensor:
        """The best score of a class among the detections in an image; by default that of the best detection."""
        data = single if self._takes_list() else torch.stack(list(single))
        (found,) = read_detections(self.model(data))
        scores = found["scores"] if target is None else found["scores"][found["labels"] == target]
        if not len(scores):
            raise InvalidInput(
                f"There is nothing to explain: no {'object' if target is None else f'class {target}'} found"
            )
        return scores.max()
