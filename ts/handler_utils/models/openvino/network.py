"""A compiled model of OpenVINO's, called with torch's tensors."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import torch

from ts.handler_utils.models.openvino.library import compiled, import_openvino


class Network:
    """Runs a model on the CPU: inputs are read where they lie in memory, and outputs copied once.

    Several threads may call it at the same time.

    Args:
        model: an `openvino.Model`, or the path of one.
        precision, notes: see `ts.handler_utils.models.openvino.library.compiled`.
    """

    def __init__(self, model: Any, precision: Optional[str] = None, notes: Optional[Path] = None) -> None:
        self._tensor = import_openvino().Tensor
        self._compiled = compiled(model, precision, notes)
        self._types = [item.get_element_type().to_dtype() for item in self._compiled.inputs]
        self._outputs = range(len(self._compiled.outputs))
        self._thread = threading.local()

    def __call__(self, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Runs it on the tensors that its inputs are, in their order.

        Raises:
            RuntimeError: it does not take tensors of these shapes.
            ValueError: there are too few or too many.
        """
        if len(inputs) != len(self._types):
            raise ValueError(f"The model takes {len(self._types)} inputs, but got {len(inputs)}")
        request = self._request()
        arrays = [self._array(tensor, kind) for tensor, kind in zip(inputs, self._types)]
        for place, array in enumerate(arrays):
            request.set_input_tensor(place, self._tensor(array, shared_memory=True))
        request.infer()
        # The next call writes where these lie.
        return [torch.from_numpy(request.get_output_tensor(place).data.copy()) for place in self._outputs]

    def _request(self) -> Any:
        if not hasattr(self._thread, "request"):
            self._thread.request = self._compiled.create_infer_request()
        return self._thread.request

    @staticmethod
    def _array(tensor: torch.Tensor, kind: Any) -> Any:
        tensor = tensor.detach().cpu()
        if tensor.dtype == torch.bfloat16:
            tensor = tensor.float()  # numpy has no such type
        return tensor.resolve_neg().contiguous().numpy().astype(kind, copy=False)
