"""One row, one fate, on a live TorchServe: what is wrong with one request does not touch the others."""

from __future__ import annotations

import importlib.util
from typing import Any, Callable

import pytest

Image = Callable[[str], bytes]
needs_captum = pytest.mark.skipif(
    importlib.util.find_spec("captum") is None, reason="captum is not installed: pip install captum"
)


def bad_request(message: str, code: int = 400) -> dict[str, Any]:
    return {"code": code, "type": "BadRequestException", "message": message}


def test_a_corrupt_image_fails_alone(served: Any, image: Image, alone: Callable) -> None:
    photos = [image("red"), b"no photo", image("green"), image("blue")]
    answers = served.together("colours", [{"data": photo} for photo in photos])
    assert [answer.status for answer in answers] == [200, 400, 200, 200]
    for position in (0, 2, 3):
        assert answers[position].response == pytest.approx(alone(photos[position]), abs=1e-6)
    assert answers[1].content_type == "application/json"
    assert answers[1].phrase == "BadRequestException"
    assert answers[1].response == bad_request("The 8 bytes received are not an image of a known format")


def test_four_requests_are_one_batch(served: Any, image: Image) -> None:
    requests = [{"data": image("red"), "headers": {"kind": "CountsRows"}}] * 4
    assert [answer.response for answer in served.together("zoo", requests)] == [4, 4, 4, 4]


FAILED = {"code": 503, "type": "InternalServerException", "message": "Prediction failed"}


@pytest.mark.parametrize(
    ("kind", "bad", "error"),
    [
        ("PreprocessNames", "text", bad_request("a text")),
        ("PreprocessRaises", "text", FAILED),
        ("InferenceNames", "white", bad_request("a white image", 422)),
        ("InferenceRaises", "white", FAILED),
        ("PostprocessNames", "white", bad_request("a white image")),
        ("PostprocessRaises", "white", bad_request("a white image")),
    ],
)
def test_a_row_that_an_overridden_hook_refuses_fails_alone(
    served: Any, image: Image, alone: Callable, kind: str, bad: str, error: dict[str, Any]
) -> None:
    photos = [image("red"), image("green"), image("blue")]
    payloads = [*photos[:2], b"no photo" if bad == "text" else image("white"), photos[2]]
    headers = {"kind": kind}
    *good, failed, last = served.together("zoo", [{"data": data, "headers": headers} for data in payloads])
    assert (failed.status, failed.response) == (error["code"], error)
    assert [answer.status for answer in (*good, last)] == [200, 200, 200]
    for answer, photo in zip((*good, last), photos):
        assert answer.response == pytest.approx(alone(photo), abs=1e-6)


@pytest.mark.parametrize("status", [418, 513, 520, 599])
def test_a_row_gets_any_status_that_its_handler_chooses(served: Any, image: Image, status: int) -> None:
    headers = {"kind": "ChoosesStatus"}
    requests = [{"data": image("red"), "headers": headers}] * 3
    bad = {"data": image("red"), "headers": {**headers, "status": str(status)}}
    *good, failed = served.together("zoo", [*requests, bad])
    assert [answer.status for answer in good] == [200, 200, 200]
    assert (failed.status, failed.response["message"]) == (status, "as it is")


def test_numbers_of_numpy_are_written_and_what_is_no_json_is_its_rows_error(
    served: Any, image: Image
) -> None:
    colours = ["red", "green", "blue", "white"]  # of white, the handler answers NaN
    requests = [{"data": image(colour), "headers": {"kind": "AnswersNumpy"}} for colour in colours]
    answers = served.together("zoo", requests)
    assert [answer.status for answer in answers] == [200, 200, 200, 503]
    assert [max(range(3), key=answer.response["means"].__getitem__) for answer in answers[:3]] == [0, 1, 2]
    assert answers[3].response == FAILED


def test_effects_of_a_batch_that_fails_happen_once(served: Any, image: Image) -> None:
    headers = {"kind": "CountsReds"}
    payloads = [image("red"), image("red"), b"no photo", image("green")]
    answers = served.together("zoo", [{"data": data, "headers": headers} for data in payloads])
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 400]
    assert {answer.response for answer in answers if answer.status == 200} == {2}


def test_a_misspelt_option_and_a_second_file_are_told(served: Any, image: Image, alone: Callable) -> None:
    red = image("red")
    answers = served.together(
        "colours",
        [
            {"files": {"data": red}, "data": {"topK": "1"}},
            {"data": red, "headers": {"ts-topk3": "2"}},
            {"files": {"data": red, "second": image("blue") + bytes(2000)}},
            {"data": red},
        ],
    )
    assert [answer.status for answer in answers] == [400, 400, 400, 200]
    for answer, said in zip(answers, ("did you mean topk?", "ts-topk", "second is one more")):
        assert said in answer.response["message"]
    assert answers[3].response == pytest.approx(alone(red), abs=1e-6)


def test_each_request_has_its_own_options(served: Any, image: Image, alone: Callable) -> None:
    red = image("red")
    answers = served.together(
        "colours",
        [
            {"files": {"data": red}, "data": {"topk": "1"}},
            {"data": red, "headers": {"ts-topk": "2"}},
            {"files": {"data": red}, "data": {"topk": "none"}},
            {"data": red},
        ],
    )
    assert [answer.status for answer in answers] == [200, 200, 400, 200]
    for answer, topk in zip(answers[:2], (1, 2)):
        assert answer.response == pytest.approx(alone(red, topk=topk), abs=1e-6)
    assert answers[2].response["message"].startswith("Wrong option: topk: Input should be a valid integer")
    assert len(answers[3].response) == 3


@needs_captum
def test_predictions_and_explanations_share_a_batch(served: Any, image: Image, alone: Callable) -> None:
    red, blue = image("red"), image("blue")
    predicted, posted, got, heatmap = served.together(
        "colours",
        [
            {"data": red},
            {"data": blue, "explain": True},
            {"data": red, "explain": True, "method": "GET"},
            {"files": {"data": blue}, "data": {"format": "heatmap"}, "explain": True},
        ],
    )
    assert [answer.status for answer in (predicted, posted, got, heatmap)] == [200] * 4
    assert predicted.response == pytest.approx(alone(red), abs=1e-6)
    for answer, photo in ((posted, blue), (got, red)):
        expected = alone(photo, explain=True)
        assert [len(answer.response), len(answer.response[0]), len(answer.response[0][0])] == [3, 32, 32]
        for channel, expected_channel in zip(answer.response, expected):
            for row, expected_row in zip(channel, expected_channel):
                assert row == pytest.approx(expected_row, abs=1e-6)
    assert heatmap.content_type == "image/png"
    assert heatmap.body.startswith(b"\x89PNG")


@needs_captum
def test_a_corrupt_image_fails_alone_among_explanations(served: Any, image: Image) -> None:
    requests = [{"data": image("red")}, {"data": b"no photo"}, {"data": b""}, {"data": image("red")}]
    answers = served.together("colours", [{**request, "explain": True} for request in requests])
    assert [answer.status for answer in answers] == [200, 400, 400, 200]
    assert answers[0].response == answers[3].response
    assert answers[2].response["type"] == "BadRequestException"
