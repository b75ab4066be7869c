"""The context that TorchServe passes to a handler, for handlers that run without TorchServe.

It has every public name of torchserve 0.12's `ts.context.Context`, with the same signatures and defaults.
"""

from __future__ import annotations

import os
from typing import Any, Optional

from ts.runner.answering.metrics import Metrics

TORCHSERVE_VERSION = "0.12.0"  # the release whose behaviour the runner follows


class RequestProcessor:
    """The headers of one request, and the status and headers of its response.

    Header names are case-sensitive, as they are in a TorchServe worker.
    """

    def __init__(self, request_header: dict[str, Any]) -> None:
        self._request_headers = request_header
        self._response_headers: dict[str, str] = {}
        self._status = 200
        self._phrase: Optional[str] = None

    def get_request_property(self, key: str) -> Optional[str]:
        return self._request_headers.get(key)

    def get_request_properties(self) -> dict[str, Any]:
        return self._request_headers

    def report_status(self, code: int, reason_phrase: Optional[str] = None) -> None:
        self._status = code
        self._phrase = reason_phrase

    def get_response_status_code(self) -> int:
        return self._status

    def get_response_status_phrase(self) -> Optional[str]:
        return self._phrase

    def add_response_property(self, key: str, value: str) -> None:
        self._response_headers[key] = value

    def get_response_header(self, key: str) -> Optional[str]:
        return self._response_headers.get(key)

    def get_response_headers(self) -> dict[str, str]:
        return self._response_headers


class Context:
    """What a handler knows about its model, its device, and the batch at hand.

    Attributes:
        model_name: The manifest's `modelName`.
        manifest: MANIFEST.json, parsed.
        model_yaml_config: The settings of the archive's `configFile`; an empty dict without one.
        request_ids: The id of each row, by row index; None while no batch is at hand.
        stopping_criteria: Set by handlers for continuous batching: one a row, see `batch_answers`.
        cl_socket: Where `send_intermediate_predict_response` sends to; None while no batch is at hand.
    """

    def __init__(
        self,
        model_name: str,
        model_dir: str,
        manifest: dict[str, Any],
        batch_size: int,
        gpu: Optional[int],
        mms_version: str,
        limit_max_image_pixels: bool = True,
        metrics: Optional[Metrics] = None,
        model_yaml_config: Optional[dict[str, Any]] = None,
    ) -> None:
        self.model_name = model_name
        self.manifest = manifest
        self.model_yaml_config = model_yaml_config
        self.request_ids: Optional[dict[int, str]] = None
        self.stopping_criteria: Any = None
        self.cl_socket: Any = None
        self.header_key_sequence_id = sequence_header("id")
        self.header_key_sequence_start = sequence_header("start")
        self.header_key_sequence_end = sequence_header("end")
        self._metrics = metrics
        self._request_processor: Any = None
        self._system_properties = {
            "model_dir": model_dir,
            "gpu_id": gpu,
            "batch_size": batch_size,
            "server_name": "MMS",
            "server_version": mms_version,
            "limit_max_image_pixels": limit_max_image_pixels,
        }

    @property
    def system_properties(self) -> dict[str, Any]:
        """`model_dir`, `gpu_id`, `batch_size`, `server_name`, `server_version`, `limit_max_image_pixels`."""
        return self._system_properties

    @property
    def metrics(self) -> Optional[Metrics]:
        return self._metrics

    @metrics.setter
    def metrics(self, metrics: Metrics) -> None:
        self._metrics = metrics

    @property
    def request_processor(self) -> Any:
        """One RequestProcessor a row; None while no batch is at hand."""
        return self._request_processor

    @request_processor.setter
    def request_processor(self, request_processor: list[RequestProcessor]) -> None:
        self._request_processor = request_processor

    def get_request_id(self, idx: int = 0) -> Optional[str]:
        return self.request_ids.get(idx) if self.request_ids else None

    def get_request_header(self, idx: int, key: str) -> Optional[str]:
        return self._request_processor[idx].get_request_property(key)

    def get_all_request_header(self, idx: int) -> dict[str, Any]:
        return self._request_processor[idx].get_request_properties()

    def set_response_content_type(self, idx: int, value: str) -> None:
        self.set_response_header(idx, "content-type", value)

    def get_response_content_type(self, idx: int) -> Optional[str]:
        return self.get_response_headers(idx).get("content-type")

    def get_response_status(self, idx: int) -> tuple[int, Optional[str]]:
        processor = self._request_processor[idx]
        return processor.get_response_status_code(), processor.get_response_status_phrase()

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        if self._request_processor is not None:
            self._request_processor[idx].report_status(code, reason_phrase=phrase)

    def set_all_response_status(self, code: int = 200, phrase: str = "") -> None:
        for processor in self._request_processor:
            processor.report_status(code, reason_phrase=phrase)

    def get_response_headers(self, idx: int) -> dict[str, str]:
        return self._request_processor[idx].get_response_headers()

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        self._request_processor[idx].add_response_property(key, value)

    def get_sequence_id(self, idx: int) -> Optional[str]:
        return self.get_request_header(idx, self.header_key_sequence_id)


def sequence_header(what: str) -> str:
    """The name of a header of sequence batching, which the environment can set, as in a worker."""
    name = f"ts_request_sequence_{what}"
    return os.environ.get(name.upper(), name)
