"""ONNX models, run by onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch


def setup_ort_session(model_pt_path: str | Path, map_location: str | None) -> Any:
    """An onnxruntime session for an ONNX file, on CUDA where `map_location` is "cuda", else on the CPU.

    Raises:
        ImportError: onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError("ONNX models need onnxruntime: pip install 'torchserve-handlers[onnx]'") from error
    providers = ["CUDAExecutionProvider"] if map_location == "cuda" else []
    return onnxruntime.InferenceSession(str(model_pt_path), providers=[*providers, "CPUExecutionProvider"])


class OnnxModel:
    """Calls an ONNX model like a module: with tensors, for tensors. All else is the session's.

    Args:
        session: an `onnxruntime.InferenceSession`.
    """

    def __init__(self, session: Any) -> None:
        self.session = session

    def __call__(self, *inputs: torch.Tensor) -> Any:
        """Runs the model on its inputs, in their order.

        Returns:
            The output, on the device of the first input; a list of them where the model has several.
        """
        names = [item.name for item in self.session.get_inputs()]
        arrays = {name: value.cpu().numpy() for name, value in zip(names, inputs)}
        outputs = [torch.from_numpy(array).to(inputs[0].device) for array in self.session.run(None, arrays)]
        return outputs[0] if len(outputs) == 1 else outputs

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)
