from __future__ import annotations

import json
import os
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import pytest

from ts.runner import ArchiveError, DeviceError, load_archive
from ts.runner.errors import InputError

Build = Callable[..., Path]
SIZES = "return [len(data) for _ in data]"


def test_each_input_gets_its_answer_in_order(build: Build) -> None:
    with load_archive(build(), device="cpu") as model:
        answers = model.predict([b"raw", "text", {"a": 1}])
    assert [answer.response for answer in answers] == [
        {"body": "bytearray(b'raw')"},
        {"body": "'text'"},
        {"body": "{'a': 1}"},
    ]


def test_options_reach_the_handler(build: Build) -> None:
    with load_archive(build()) as model:
        (answer,) = model.predict([b"raw"], options={"topk": 3})
    assert answer.response == {"data": "bytearray(b'raw')", "topk": "bytearray(b'3')"}


def test_explain_and_describe_are_headers(build_class: Callable[[str], Path]) -> None:
    with load_archive(build_class("return [context.get_all_request_header(0)]")) as model:
        assert model.predict([b"x"])[0].response["explain"] == "False"
        assert model.predict([b"x"], explain=True)[0].response["explain"] == "True"
        assert model.describe().response == {"describe": "True"}


def test_headers_reach_the_handler(build_class: Callable[[str], Path]) -> None:
    with load_archive(build_class("return [context.get_sequence_id(0)]")) as model:
        (answer,) = model.predict([b"x"], headers={"ts_request_sequence_id": "s1"})
    assert answer.response == "s1"


def test_a_file_defines_metrics(build_class: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("model_metrics: {counter: [{name: A, unit: count, dimensions: []}]}")
    path = build_class("return [context.metrics.get_metric('A').add_or_update(2)]")
    with load_archive(path, metrics_file=tmp_path / "m.yaml") as model:
        assert model.predict([b"x"])[0].ok
        assert model.metrics.values("A") == [2]
    with load_archive(path) as model:
        assert "there is no counter 'A'" in str(model.predict([b"x"])[0].reason)


def test_what_is_measured_at_the_start_is_the_models(build: Callable[..., Path]) -> None:
    source = """
class Handler:
    def initialize(self, context):
        context.metrics.add_counter("Starts", 1)

    def handle(self, data, context):
        return data
"""
    with load_archive(build("own.py", {"own.py": source})) as model:
        (start,) = model.metrics.measurements
    assert (start.value, start.dimensions) == (1, {"ModelName": "tiny", "Level": "Model"})


def test_a_batch_is_one_row_unless_the_archive_says_more(
    build: Build, build_class: Callable[[str], Path]
) -> None:
    with load_archive(build_class(SIZES)) as model:
        assert [answer.response for answer in model.predict([b"x"] * 3)] == [1, 1, 1]
        assert [answer.response for answer in model.predict([b"x"] * 3, batch_size=2)] == [2, 2, 1]


def test_the_archives_batch_size_holds(build: Build) -> None:
    source = "def handle(data, context):\n    return data and [len(data) for _ in data]"
    path = build("own.py", {"own.py": source, "c.yaml": "batchSize: 2"}, configFile="c.yaml")
    with load_archive(path) as model:
        assert model.batch_size == 2
        assert [answer.response for answer in model.predict([b"x"] * 3)] == [2, 2, 1]


@pytest.mark.parametrize("size", ["0", "many", "1.5"])
def test_a_wrong_batch_size_is_refused(build: Build, size: str) -> None:
    path = build(files={"echo.py": "", "c.yaml": f"batchSize: {size}"}, configFile="c.yaml")
    with (
        pytest.raises(ArchiveError, match=r"batchSize in the settings .* must be a whole number above 0"),
        load_archive(path),
    ):
        pass


def test_inputs_are_read_batch_by_batch(build: Build) -> None:
    read = []

    def inputs():
        for number in range(4):
            read.append(number)
            yield b"x"

    with load_archive(build()) as model:
        next(model.stream(inputs(), batch_size=2))
    assert read == [0, 1]


def test_no_input_gives_no_answer(build: Build) -> None:
    with load_archive(build()) as model:
        assert model.predict([]) == []


@pytest.mark.parametrize("inputs", ["photo.jpg", b"photo", Path("photo.jpg"), {"a": 1}])
def test_one_input_must_still_be_a_list(build: Build, inputs: object) -> None:
    with load_archive(build()) as model, pytest.raises(InputError, match="inputs must be a list, not one"):
        model.predict(inputs)  # type: ignore[arg-type]


def test_an_exception_fails_its_batch_and_not_the_next(build_class: Callable[[str], Path]) -> None:
    with load_archive(build_class("return [1 // int(data[0]['body'])]")) as model:
        answers = model.predict([b"0", b"1"])
    assert [answer.status for answer in answers] == [503, 200]
    assert isinstance(answers[0].reason, ZeroDivisionError)


def test_ctrl_c_ends_a_prediction(build_class: Callable[[str], Path]) -> None:
    with load_archive(build_class("raise KeyboardInterrupt")) as model, pytest.raises(KeyboardInterrupt):
        model.predict([b"x"])


def test_no_status_or_header_leaks_into_the_next_batch(build_class: Callable[[str], Path]) -> None:
    body = (
        "if data[0]['body'] == b'odd':\n"
        "    context.set_response_status(404, 'Nope', 0)\n"
        "    context.set_response_content_type(0, 'text/plain')\n"
        "return ['x']"
    )
    with load_archive(build_class(body)) as model:
        answers = model.predict([b"odd", b"even"])
    assert [(a.status, a.phrase, a.content_type) for a in answers] == [
        (404, "Nope", "text/plain"),
        (200, "", None),
    ]


def test_every_row_has_an_id_of_its_own(build_class: Callable[[str], Path]) -> None:
    with load_archive(build_class("return [context.get_request_id(i) for i in range(len(data))]")) as model:
        ids = {answer.response for answer in model.predict([b"x"] * 4, batch_size=2)}
    assert len(ids) == 4


def test_threads_take_turns(build_class: Callable[[str], Path]) -> None:
    body = "import time\ntime.sleep(0.001)\nreturn [[bytes(data[0]['body']).decode(), context.get_request_id(0)]]"
    with load_archive(build_class(body)) as model, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: model.predict([str(number).encode()])[0].response, range(40)))
    assert [text for text, _ in answers] == [str(number) for number in range(40)]
    assert len({request_id for _, request_id in answers}) == 40


def test_what_the_handler_measures_can_be_read(build_class: Callable[[str], Path]) -> None:
    with load_archive(build_class("context.metrics.add_time('HandlerTime', 1.5)\nreturn ['x']")) as model:
        model.predict([b"x"])
        assert model.metrics.values("HandlerTime") == [1.5]


def test_two_archives_with_one_handler_name_live_side_by_side(build: Build) -> None:
    def source(name: str) -> dict[str, str]:
        return {
            "own.py": "import model\ndef handle(*_):\n    import late\n    return [model.NAME + late.NAME]\n",
            "model.py": f"NAME = '{name}'\n",
            "late.py": f"NAME = '{name}'\n",
        }

    before = list(sys.path), set(sys.modules), os.getcwd()
    paths = [build("own.py", source(name), to=f"{name}.mar") for name in "ab"]
    with load_archive(paths[0]) as first, load_archive(paths[1]) as second:
        assert [model.predict([b"x"])[0].response for model in (first, second, first)] == ["aa", "bb", "aa"]
    assert (list(sys.path), set(sys.modules), os.getcwd()) == before


def test_a_folder_is_left_as_it_was(build: Build) -> None:
    path = build(to="tiny")
    before = sorted(path.rglob("*"))
    with load_archive(path) as model:
        model.predict([b"x"])
    assert sorted(path.rglob("*")) == before


def test_a_handler_that_does_not_start_is_one_sentence(build: Build) -> None:
    path = build("own.py", {"own.py": "def handle(data, context):\n    raise ValueError('no\\nweights')"})
    with (
        pytest.raises(ArchiveError, match=r"'own\.py' of .*tiny\.mar did not start: ValueError: no weights"),
        load_archive(path),
    ):
        pass


def test_a_missing_package_points_to_the_requirements(build: Build) -> None:
    files = {"own.py": "import absent_package", "needs.txt": "absent-package"}
    path = build("own.py", files, requirementsFile="needs.txt")
    with pytest.raises(
        ArchiveError, match=r"No module named 'absent_package' \(.*needs\.txt: install those first\)"
    ):
        load_archive(path).__enter__()


def test_a_device_that_is_not_there_is_refused(build: Build) -> None:
    with pytest.raises(DeviceError), load_archive(build(), device="cuda:99"):
        pass


def test_a_damaged_archive_is_refused(build: Build, tmp_path: Path) -> None:
    path = tmp_path / "damaged.mar"
    model = {"modelName": "tiny", "handler": "own.py", "modelVersion": "1.0"}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("own.py", "")
        archive.writestr(
            "MAR-INF/MANIFEST.json", json.dumps({"model": model, "sha256": {"own.py": "0" * 64}})
        )
    with (
        pytest.raises(ArchiveError, match=r"is damaged: the sha256 of own\.py is not the manifest's"),
        load_archive(path),
    ):
        pass
