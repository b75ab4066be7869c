"""Our image_classifier behind each of torchserve's request envelopes, on a live TorchServe.

`service_envelope` in config.properties is every model's, so that each envelope needs a server of its own.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.torchserve.server import TorchServe

Enveloped = Callable[[str], Any]
Image = Callable[[str], bytes]

NO_IMAGE = {
    "code": 400,
    "type": "BadRequestException",
    "message": "The 8 bytes received are not an image of a known format",
}


@pytest.fixture(scope="module")
def body_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def enveloped(
    needs_torchserve: None, colours: Callable[[int], Path], ask_at: Callable, body_logs: Path
) -> Iterator[Enveloped]:
    """`enveloped(name)` is a server with that envelope."""

    def serve(envelope: str, rows: int, **more: Any) -> TorchServe:
        return TorchServe([colours(rows)], device="cpu", config={"service_envelope": envelope}, **more)

    traced = {**os.environ, "ENABLE_TORCH_PROFILER": "true"}
    servers = {
        "body": serve("body", 2, env=traced, log_dir=body_logs),
        "json": serve("json", 2),
        "kserve": serve("kserve", 1),
        "kservev2": serve("kservev2", 1),
    }
    with ExitStack() as stack:
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(stack.enter_context, servers.values()))
        yield lambda name: ask_at(servers[name])


def text(payload: bytes) -> str:
    return base64.b64encode(payload).decode()


def close_to(expected: Any) -> Any:
    return pytest.approx(expected, abs=1e-6)


class TestBody:
    """`body` takes the body out of the row; its server is also started with ENABLE_TORCH_PROFILER."""

    @pytest.fixture
    def served(self, enveloped: Enveloped) -> Any:
        return enveloped("body")

    def test_a_corrupt_image_fails_alone(self, served: Any, image: Image, alone: Callable) -> None:
        red = image("red")
        good, bad = served.together("colours", [{"json": {"data": text(red)}}, {"data": b"no photo"}])
        assert (good.status, good.response) == (200, close_to(alone(red)))
        assert (bad.status, bad.response) == (400, NO_IMAGE)

    def test_options_are_keys_of_the_body_or_headers(
        self, served: Any, image: Image, alone: Callable
    ) -> None:
        red = image("red")
        first, second = served.together(
            "colours",
            [{"json": {"data": text(red), "topk": 1}}, {"data": red, "headers": {"ts-topk": "2"}}],
        )
        assert first.response == close_to(alone(red, topk=1))
        assert second.response == close_to(alone(red, topk=2))

    def test_the_worker_writes_a_trace_of_each_batch(
        self, served: Any, image: Image, body_logs: Path
    ) -> None:
        served.together("colours", [{"data": image("red")}] * 2)
        log = (body_logs / "console.log").read_text()
        (folder,) = set(re.findall(r"Profiler trace in (\S+)", log))
        assert Path(folder).parts[-2:] == ("pytorch_profiler", "colours")
        traces = list(Path(folder).glob("*.pt.trace.json"))
        assert traces
        assert '"traceEvents"' in traces[0].read_text()


class TestJson:
    """`json` takes `instances` out of each request, and answers with `predictions`."""

    @pytest.fixture
    def served(self, enveloped: Enveloped) -> Any:
        return enveloped("json")

    def test_every_form_of_an_instance(self, served: Any, image: Image, alone: Callable) -> None:
        red, green, blue = (image(colour) for colour in ("red", "green", "blue"))
        first, second = served.together(
            "colours",
            [
                {"json": {"instances": [{"b64": text(red)}, {"data": text(green)}]}},
                {"json": {"instances": [text(blue), {"data": text(red), "topk": 1}]}},
            ],
        )
        assert (first.status, second.status) == (200, 200)
        assert first.response == {"predictions": [close_to(alone(red)), close_to(alone(green))]}
        assert second.response == {"predictions": [close_to(alone(blue)), close_to(alone(red, topk=1))]}

    def test_a_bad_instance_of_one_fails_its_request_alone(
        self, served: Any, image: Image, alone: Callable
    ) -> None:
        red = image("red")
        good, bad = served.together(
            "colours", [{"json": {"instances": [text(data)]}} for data in (red, b"no photo")]
        )
        assert (good.status, good.response) == (200, {"predictions": [close_to(alone(red))]})
        assert (bad.status, bad.response) == (400, {"predictions": [NO_IMAGE]})

    def test_a_bad_instance_of_several_has_its_error_in_its_place(
        self, served: Any, image: Image, alone: Callable
    ) -> None:
        """Whose instance it is the envelope does not say, so that no request's status tells."""
        red, green = image("red"), image("green")
        first, second = served.together(
            "colours",
            [
                {"json": {"instances": [text(red), text(b"no photo")]}, "headers": {"ts-topk": "1"}},
                {"json": {"instances": [text(green)]}, "headers": {"ts-topk": "1"}},
            ],
        )
        assert (first.status, second.status) == (200, 200)
        assert first.response == {"predictions": [close_to(alone(red, topk=1)), NO_IMAGE]}
        assert second.response == {"predictions": [close_to(alone(green, topk=1))]}


class TestKServe:
    """`kserve` takes `instances` out of a request, and answers with `predictions` or `explanations`."""

    @pytest.fixture
    def served(self, enveloped: Enveloped) -> Any:
        return enveloped("kserve")

    def test_each_instance_is_answered(self, served: Any, image: Image, alone: Callable) -> None:
        red, green = image("red"), image("green")
        instances = [{"data": text(red)}, {"data": text(green), "topk": 1}]
        answer = served.ask("colours", json={"instances": instances}, headers={"ts-topk": "2"})
        assert answer.status == 200
        assert answer.response == {
            "predictions": [close_to(alone(red, topk=2)), close_to(alone(green, topk=1))]
        }

    def test_a_bad_instance_has_its_error_in_its_place_and_the_request_its_status(
        self, served: Any, image: Image, alone: Callable
    ) -> None:
        red = image("red")
        instances = [{"data": text(data)} for data in (red, b"no photo", red)]
        answer = served.ask("colours", json={"instances": instances})
        good = close_to(alone(red))
        assert (answer.status, answer.content_type) == (400, "application/json")
        assert answer.response == {"predictions": [good, NO_IMAGE, good]}

    def test_each_instance_is_explained(self, served: Any, image: Image, alone: Callable) -> None:
        pytest.importorskip("captum", reason="captum is not installed: pip install captum")
        photos = [image("red"), image("blue")]
        instances = [{"data": text(photo)} for photo in photos]
        answer = served.ask("colours", explain=True, json={"instances": instances})
        assert answer.status == 200
        for explanation, photo in zip(answer.response["explanations"], photos):
            assert explanation[0][0] == close_to(alone(photo, explain=True)[0][0])

    def test_a_picture_is_a_data_uri(self, served: Any, image: Image, alone: Callable) -> None:
        pytest.importorskip("captum", reason="captum is not installed: pip install captum")
        red = image("red")
        instances = [{"data": text(red), "format": "heatmap"}, {"data": text(red)}]
        answer = served.ask("colours", explain=True, json={"instances": instances})
        assert (answer.status, answer.content_type) == (200, "application/json")
        picture = text(alone(red, explain=True, format="heatmap"))
        assert answer.response["explanations"][0] == f"data:image/png;base64,{picture}"


class TestKServeV2:
    """`kservev2` takes `inputs` out of a request, and answers with `outputs`."""

    @pytest.fixture
    def served(self, enveloped: Enveloped) -> Any:
        return enveloped("kservev2")

    def test_each_input_is_answered(self, served: Any, image: Image, alone: Callable) -> None:
        red = image("red")
        pixels = [[[1.0]], [[0.0]], [[0.0]]]
        inputs = [
            {"name": "a", "shape": [1], "datatype": "BYTES", "data": [text(red)]},
            {**self.bytes_input("b", red), "parameters": {"topk": 1}},
            {"name": "c", "shape": [3, 1, 1], "datatype": "FP32", "data": [1.0, 0.0, 0.0]},
        ]
        answer = served.ask("colours", json={"id": "one", "inputs": inputs[:2]})
        assert (answer.status, answer.response["id"]) == (200, "one")
        assert [output["data"] for output in answer.response["outputs"]] == [
            [close_to(alone(red))],
            [close_to(alone(red, topk=1))],
        ]
        answer = served.ask("colours", json={"inputs": inputs[2:]})
        assert answer.response["outputs"][0]["data"] == [close_to(alone(pixels))]

    def test_a_bad_input_has_its_error_in_its_place_and_the_request_its_status(
        self, served: Any, image: Image, alone: Callable
    ) -> None:
        red = image("red")
        inputs = [self.bytes_input("a", red), self.bytes_input("b", b"no photo")]
        answer = served.ask("colours", json={"inputs": inputs})
        assert (answer.status, answer.content_type) == (400, "application/json")
        assert [output["data"] for output in answer.response["outputs"]] == [
            [close_to(alone(red))],
            [NO_IMAGE],
        ]

    def bytes_input(self, name: str, payload: bytes) -> dict[str, Any]:
        return {"name": name, "shape": [1], "datatype": "BYTES", "data": [text(payload)]}
