"""What the machine itself can do: the rates that no handler can pass, measured beside them."""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import numpy as np
import torch
from PIL import Image
from torchvision.io import ImageReadMode, decode_jpeg

from benchmarks.workers.spec import Answer, Spec

RESIZED, CROPPED = 256, 224


def decode_and_resize(spec: Spec) -> Answer:
    """JPEGs to uint8 [3, 224, 224] on the CPU, an image a thread and a thread a core."""
    torch.set_num_threads(1)
    pool, batches = a_thread_a_core(), as_tensors(spec)
    return lambda number: list(pool.map(decode_resize_crop, batches[number]))


def decode_scaled(spec: Spec) -> Answer:
    """JPEGs to images of an eighth of their size, by libjpeg alone, an image a thread and a thread a core."""
    pool = a_thread_a_core()
    return lambda number: list(pool.map(decode_to_an_eighth, spec.batches[number]))


def a_thread_a_core() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )


def decode_to_an_eighth(encoded: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(encoded))
    image.draft(None, (image.width // 8, image.height // 8))
    image.load()
    return image


def decode_resize_crop(encoded: torch.Tensor) -> torch.Tensor:
    # The operator itself: torchvision's functions around it hold the interpreter's lock for longer.
    image = decode_jpeg(encoded, mode=ImageReadMode.RGB)
    height, width = image.shape[1:]
    scale = RESIZED / min(height, width)
    size = [round(height * scale), round(width * scale)]
    resized = torch.ops.aten._upsample_bilinear2d_aa(image.unsqueeze(0), size, False)
    top, left = (size[0] - CROPPED) // 2, (size[1] - CROPPED) // 2
    return resized[0, :, top : top + CROPPED, left : left + CROPPED]


def decode_on_gpu(spec: Spec) -> Answer:
    """JPEGs to uint8 [3, H, W] on the GPU, by nvJPEG."""
    batches = as_tensors(spec)
    return lambda number: decode_jpeg(batches[number], mode=ImageReadMode.RGB, device=spec.device)


def forward(spec: Spec) -> Answer:
    """The model alone, on a batch that already lies on its device."""
    handler = spec.config.get("handler", {})
    dtype = getattr(torch, handler.get("precision", "float32"))
    layout = (
        torch.channels_last if handler.get("memory_format") == "channels_last" else torch.contiguous_format
    )
    model = load_model(spec).to(dtype=dtype, memory_format=layout)
    batches = [
        torch.randn(len(batch), 3, CROPPED, CROPPED, device=spec.device).to(dtype, memory_format=layout)
        for batch in spec.batches
    ]
    return without_gradients(compiled(model, spec), batches)


def forward_by_openvino(spec: Spec) -> Answer:
    """The model alone, as OpenVINO converts and computes it: in float32, one batch at a time, on a CPU."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # its messages to its maker
    openvino = importlib.import_module("openvino")
    batches = [torch.randn(len(batch), 3, CROPPED, CROPPED) for batch in spec.batches]
    converted = openvino.convert_model(load_model(spec), example_input=batches[0])
    hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(converted, "CPU", hints).create_infer_request()
    arrays = [batch.numpy() for batch in batches]
    return lambda number: request.infer([arrays[number]], share_inputs=True, share_outputs=True)


def forward_of_images(spec: Spec) -> Answer:
    """A detector alone, on decoded images that already lie on its device."""
    batches = [
        [decode_jpeg(row, mode=ImageReadMode.RGB).to(spec.device) / 255 for row in batch]
        for batch in as_tensors(spec)
    ]
    return without_gradients(load_model(spec), batches)


def own_pipeline(spec: Spec) -> Answer:
    """The tokenizer and the model of transformers, called as its documentation has it."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(spec.folder)
    model = AutoModelForSequenceClassification.from_pretrained(spec.folder).eval()
    batches = [[row.decode() for row in batch] for batch in spec.batches]

    @torch.inference_mode()
    def answer(number: int) -> Any:
        inputs = tokenizer(batches[number], padding=True, truncation=True, return_tensors="pt")
        return json.dumps(model(**inputs).logits.softmax(-1).tolist())

    return answer


YARDSTICKS: dict[str, Callable[[Spec], Answer]] = {
    "decode_and_resize": decode_and_resize,
    "decode_scaled": decode_scaled,
    "decode_on_gpu": decode_on_gpu,
    "forward": forward,
    "forward_by_openvino": forward_by_openvino,
    "forward_of_images": forward_of_images,
    "own_pipeline": own_pipeline,
}


def as_tensors(spec: Spec) -> list[list[torch.Tensor]]:
    return [
        [torch.from_numpy(np.frombuffer(row, np.uint8).copy()) for row in batch] for batch in spec.batches
    ]


def load_model(spec: Spec) -> Any:
    """The archive's model, loaded with nothing but torch."""
    sys.path.insert(0, spec.folder)
    weights = os.path.join(spec.folder, spec.manifest["serializedFile"])
    if "modelFile" not in spec.manifest:
        return torch.jit.load(weights).to(spec.device).eval()
    model = importlib.import_module(spec.manifest["modelFile"].removesuffix(".py")).Network()
    model.load_state_dict(torch.load(weights, map_location=spec.device, weights_only=True))
    return model.to(spec.device).eval()


def compiled(model: Any, spec: Spec) -> Any:
    options = dict(spec.config.get("pt2", {}).get("compile", {}))
    return torch.compile(model, **options) if options.pop("enable", False) else model


def without_gradients(model: Any, batches: list[Any]) -> Answer:
    def answer(number: int) -> Any:
        with torch.inference_mode():
            return model(batches[number])

    return answer
