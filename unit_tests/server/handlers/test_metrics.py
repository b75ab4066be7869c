"""What a live TorchServe reports of our handlers' times, and the trace that torch's profiler writes."""

from __future__ import annotations

from typing import Any, Callable

import pytest


@pytest.mark.parametrize(
    "name", ["ts_handler_preprocess", "ts_handler_inference", "ts_handler_postprocess", "HandlerTime"]
)
def test_times_are_in_the_metrics_endpoint(served: Any, image: Callable[[str], bytes], name: str) -> None:
    served.together("colours", [{"data": image("red")}] * 4)
    metrics = served.get(f"{served.server.metrics_url}/metrics").text
    lines = [line for line in metrics.splitlines() if line.startswith(f"{name}{{") and '"colours"' in line]
    assert lines, metrics
    assert all(float(line.rsplit(maxsplit=1)[1]) > 0 for line in lines)
