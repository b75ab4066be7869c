from __future__ import annotations

import importlib
import importlib.util
import inspect
from types import ModuleType

import pytest

from ts.runner.answering import context as ours
from ts.runner.answering.metrics import Metrics

HEADERS = {"explain": "False", "Content-Type": "image/jpeg", "ts_request_sequence_id": "s1"}


@pytest.fixture
def context() -> ours.Context:
    made = ours.Context("tiny", "/models/tiny", {"model": {}}, 4, 0, "0.12.0", metrics=Metrics())
    made.request_processor = [ours.RequestProcessor(dict(HEADERS)), ours.RequestProcessor({})]
    made.request_ids = {0: "id0", 1: "id1"}
    return made


def test_the_system_properties_are_torchserves(context: ours.Context) -> None:
    assert context.system_properties == {
        "model_dir": "/models/tiny",
        "gpu_id": 0,
        "batch_size": 4,
        "server_name": "MMS",
        "server_version": "0.12.0",
        "limit_max_image_pixels": True,
    }


def test_a_header_is_read_by_its_exact_name(context: ours.Context) -> None:
    assert context.get_request_header(0, "Content-Type") == "image/jpeg"
    assert context.get_request_header(0, "content-type") is None
    assert context.get_all_request_header(0) == HEADERS
    assert context.get_sequence_id(0) == "s1"


def test_a_row_starts_as_a_200_without_a_phrase(context: ours.Context) -> None:
    assert context.get_response_status(0) == (200, None)
    assert context.get_response_headers(0) == {}
    assert context.get_response_content_type(0) is None


def test_a_status_concerns_its_row_only(context: ours.Context) -> None:
    context.set_response_status(404, "Nope", 1)
    assert context.get_response_status(0) == (200, None)
    assert context.get_response_status(1) == (404, "Nope")


def test_a_status_may_concern_every_row(context: ours.Context) -> None:
    context.set_all_response_status(418, "Teapot")
    assert [context.get_response_status(row) for row in (0, 1)] == [(418, "Teapot")] * 2


def test_the_content_type_is_a_response_header(context: ours.Context) -> None:
    context.set_response_content_type(1, "image/png")
    assert context.get_response_headers(1) == {"content-type": "image/png"}
    assert context.get_response_content_type(1) == "image/png"


def test_before_a_batch_there_are_no_ids() -> None:
    assert ours.Context("tiny", "/d", {}, 1, None, "0.12.0").get_request_id() is None


@pytest.fixture
def theirs() -> ModuleType:
    if importlib.util.find_spec("ts.model_server") is None:
        pytest.skip("torchserve is not installed")
    return importlib.import_module("ts.context")


class TestBesideTorchServe:
    """The names, signatures and defaults of the installed torchserve's own Context."""

    @pytest.mark.parametrize("name", ["Context", "RequestProcessor"])
    def test_every_public_name_is_there_with_the_same_parameters(self, theirs: ModuleType, name: str) -> None:
        their, our = getattr(theirs, name), getattr(ours, name)
        for member, value in inspect.getmembers(their):
            if member.startswith("_") and member != "__init__":
                continue
            assert hasattr(our, member), member
            if inspect.isfunction(value):
                expected = inspect.signature(value).parameters.values()
                found = inspect.signature(getattr(our, member)).parameters.values()
                assert [(p.name, p.default, p.kind) for p in found] == [
                    (p.name, p.default, p.kind) for p in expected
                ]

    def test_the_attributes_have_the_same_defaults(self, theirs: ModuleType) -> None:
        arguments = {
            "model_name": "m",
            "model_dir": "/d",
            "manifest": {},
            "batch_size": 1,
            "gpu": None,
            "mms_version": "0.12.0",
        }
        their, our = theirs.Context(**arguments), ours.Context(**arguments)
        public = [name for name in vars(their) if not name.startswith("_")]
        assert {name: getattr(our, name) for name in public} == {
            name: getattr(their, name) for name in public
        }
        assert our.system_properties == their.system_properties
        assert (our.metrics, our.request_processor) == (their.metrics, their.request_processor)

    def test_the_headers_of_sequences_are_named_by_the_environment(
        self, theirs: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TS_REQUEST_SEQUENCE_END", "own_end")
        names = ("header_key_sequence_id", "header_key_sequence_start", "header_key_sequence_end")
        made = [module.Context("m", "/d", {}, 1, None, "0.12.0") for module in (ours, theirs)]
        (found, expected) = [[getattr(context, name) for name in names] for context in made]
        assert found == expected == ["ts_request_sequence_id", "ts_request_sequence_start", "own_end"]

    def test_the_metrics_take_the_same_calls(self, theirs: ModuleType) -> None:
        cache = importlib.import_module("ts.metrics.metric_cache_yaml_impl").MetricsCacheYamlImpl
        for name in (
            "add_metric",
            "add_counter",
            "add_time",
            "add_size",
            "add_percent",
            "add_error",
            "add_metric_to_cache",
            "get_metric",
        ):
            expected = list(inspect.signature(getattr(cache, name)).parameters)
            assert list(inspect.signature(getattr(Metrics, name)).parameters) == expected
