"""ObjectDetector: finds objects in an image, and says where."""

from __future__ import annotations

from typing import Any, Optional

import torch
import torchvision

from ts.handler_utils.configuration import Configuration, is_default_handler
from ts.handler_utils.detection.answers import DetectionAnswers, best_score
from ts.handler_utils.detection.detections import find_classes
from ts.handler_utils.detection.image_lists import (
    detect_in_stacks,
    detect_one_by_one,
    takes_list,
    takes_one_image,
)
from ts.handler_utils.detection.outputs import DetectorOutputs
from ts.handler_utils.detection.quickening import Quickening
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.explaining.layer_explained import LayerExplained, explain_by_layer
from ts.handler_utils.images.batches import ImageBatches
from ts.handler_utils.images.settings import ObjectDetectorOptions, ObjectDetectorSettings
from ts.handler_utils.images.transform import ImageTransform
from ts.handler_utils.models.caller import ModelCaller
from ts.handler_utils.timer import timed
from ts.torch_handler.vision_handler import VisionHandler
from ts.utils.util import map_class_to_label

# Names that torchserve's module has too.
__all__ = ["ObjectDetector", "map_class_to_label", "torchvision_version"]

torchvision_version = torchvision.__version__


class ObjectDetector(LayerExplained, VisionHandler):
    """Answers each image with a list of the objects in it, `{label: [x1, y1, x2, y2], "score": score}` each.

    For models which take RGB images [3, H, W] with values in [0, 1], and return `[{"boxes", "labels", "scores"}]`,
    as torchvision's detectors do (`ts.handler_utils.detection.detections`), or what another kind of detectors
    returns (`ts.handler_utils.detection.readers`): DETR's, YOLO's, SSD's. Photos come as they are, or as the
    settings `letterbox`, `resize`, `mean` and `std` make them.

    Boxes are in pixels of the photo that was sent, turned upright. A subclass that resizes photos by an
    `image_processing` of its own gets them in pixels of what that makes.

    Example:
        ```python
        class SureDetector(ObjectDetector):
            threshold = 0.9
        ```

    Attributes:
        threshold: the lowest score of a detection in an answer; the setting `threshold`, and a request's option
            `threshold`, override it.
    """

    settings_class = ObjectDetectorSettings
    options_class = ObjectDetectorOptions
    threshold = 0.5

    def initialize(self, context: Any) -> None:
        """Loads the model of an archive, its labels and its settings; see `BaseHandler.initialize`.

        Raises:
            ValueError: the setting `classes` names a class that there is not, `output` a reader that there is not,
                `crop` is set, or `resize` beside `letterbox`.
        """
        super().initialize(context)
        DetectorOutputs.of(self).check_settings()
        if is_default_handler(self):  # a subclass may change the model in its own `initialize`
            Quickening.of(self).prepare()
        if isinstance(self.image_processing, ImageTransform) and self.image_processing.crop is not None:
            Configuration.of(self).refuse(
                "crop", "handler.crop: a detector gets whole photos, which cannot be cropped"
            )
            self.image_processing = self.image_processing.replace(crop=None)
        settings = Configuration.of(self).settings
        if getattr(settings, "letterbox", None) is not None and getattr(settings, "resize", None) is not None:
            Configuration.of(self).refuse(
                "resize", "handler.resize and handler.letterbox: a photo is scaled by one of them only"
            )
        try:
            find_classes(getattr(Configuration.of(self).settings, "classes", None), self.mapping)
        except InvalidInput as error:
            Configuration.of(self).refuse("classes", error.message)

    @timed
    def preprocess(self, data: list[Any]) -> Any:
        """Decodes and transforms one image a row; see `VisionHandler.preprocess`.

        Returns:
            One tensor, as torchserve's detector has it, where all images have one size; else a list.
        """

        def transform_of(index: int) -> Any:
            DetectionAnswers.of(self).check_photo(index)
            return self.image_processing

        return ImageBatches.of(self).read(data, transform_of, of_any_size=True)

    @timed
    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        """Runs the model, without gradients, on a batch.

        Args:
            data: a tensor [N, 3, H, W] or a list of tensors [3, H, W]. The model gets the one that it takes:
                see the setting `stack`.
            *args: further arguments of the model.
            **kwargs: further arguments of the model.

        Returns:
            What the model returns. For images of several sizes, of which it takes a stack each, a list of what
            was found in each image.
        """
        Quickening.of(self).prepare()
        model = ModelCaller.of(self)
        with torch.inference_mode():
            if _takes_list(self):
                return model([image.to(self.device) for image in data], *args, **kwargs)
            detect = detect_one_by_one if takes_one_image(self.model) else detect_in_stacks
            return detect(
                lambda images: model(images.to(self.device), *args, **kwargs),
                data,
                DetectorOutputs.of(self).read_one_by_one,
            )

    @timed
    def postprocess(self, data: Any) -> list[Any]:
        """Makes the detections in each image into the answer that its request asks for.

        Args:
            data: what the model returned: `[{"boxes", "labels", "scores"}]`, one an image, or what a reader reads.

        Returns:
            For each row a list with one dictionary a detection; for `format: overlay` the encoded picture.

        Raises:
            RowErrors: some requests ask for what is not allowed, or cannot be had for them.
            TypeError: the model's output is not that of a detector.
        """
        return DetectionAnswers.of(self).answers(DetectorOutputs.of(self).read(data))

    def get_insights(self, tensor_data: Any, _: Any, target: Optional[int] = None) -> list[Any]:
        """Tells which parts of an image speak for a class, by `explain_by_layer`.

        Args:
            tensor_data: a batch of one row, as `preprocess` returns it.
            target: index of the class; None stands for that of the best detection.
        """
        images = tensor_data if _takes_list(self) else torch.stack(list(tensor_data))

        def score() -> torch.Tensor:
            (found,) = DetectorOutputs.of(self).read(self.model(images))
            return best_score(found.detections, target)

        return explain_by_layer(self, tensor_data, score)


def _takes_list(handler: ObjectDetector) -> bool:
    stack = getattr(Configuration.of(handler).settings, "stack", None)
    return takes_list(handler.model) if stack is None else not stack
