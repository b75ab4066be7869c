"""How servers are started."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from benchmarks.engines.archives import write_echo
from benchmarks.engines.contenders import CONTENDERS, EMBEDDED, OTHER_RAYS, RAY, THREADS, as_json, json_body
from ts.runner.archives.archive import open_archive

BY_KEY = {each.key: each for each in CONTENDERS}


def test_each_server_chooses_its_own_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "7")
    served = write_echo(tmp_path, 8)
    launch = EMBEDDED.launch(served, 4321, tmp_path)
    assert THREADS not in launch.env
    assert EMBEDDED.with_env(**{THREADS: "2"}).launch(served, 4321, tmp_path).env[THREADS] == "2"
    assert launch.command[-5:] == ["--port", "4321", "--device", "cpu", str(served.folder)]


def test_the_rays_differ_by_haproxy_and_throughput_mode() -> None:
    modes = [
        (each.key, each.env["RAY_SERVE_ENABLE_HA_PROXY"], each.env["RAY_SERVE_THROUGHPUT_OPTIMIZED"])
        for each in (RAY, *OTHER_RAYS)
    ]
    assert modes == [
        ("ray", "0", "1"),
        ("ray-haproxy", "1", "1"),
        ("ray-plain", "0", "0"),
        ("ray-plain-haproxy", "1", "0"),
    ]


def test_what_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    for key in ("litserve", "ray", "stock", "torchserve"):
        assert BY_KEY[key].missing() == "not installed"
    assert EMBEDDED.missing() is None


def test_the_echo_is_an_archive_whose_answers_tell_the_rows_of_their_batch(tmp_path: Path) -> None:
    served = write_echo(tmp_path, 8, workers=2)
    with open_archive(served.folder) as archive:
        assert archive.config == {"minWorkers": 2, "maxWorkers": 2, "batchSize": 8, "maxBatchDelay": 10}
    assert {path.stat().st_size for path in served.bodies} == {100}
    names: dict[str, type] = {}
    exec((served.folder / "echo.py").read_text(), names)
    assert names["Echo"]().handle([{"body": bytearray(b"a")}, {"data": b"b"}], None) == [
        b"2 rows: a",
        b"2 rows: b",
    ]


def test_bodies_for_litserve_are_json(tmp_path: Path) -> None:
    assert json.loads(json_body(b"some text", "text/plain")) == {"text": "some text"}
    assert json.loads(json_body(b"\xff\xd8", "image/jpeg")) == {"base64": "/9g="}
    served = write_echo(tmp_path / "echo", 8)
    requests = as_json(served, tmp_path / "json")
    assert requests["content_type"] == "application/json"
    assert requests["tokens"][3] in Path(requests["bodies"][3]).read_text()


def test_an_example_is_served_with_other_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.engines import archives

    def build(store: Path) -> Path:
        with zipfile.ZipFile(store / "small.mar", "w") as archive:
            archive.writestr("model-config.yaml", "batchSize: 4\n")
            archive.writestr("MAR-INF/MANIFEST.json", "{}")
        return store / "small.mar"

    monkeypatch.setattr(archives, "STORE", tmp_path)
    folder = archives.unpack("small", build, tmp_path / "out", archives.settings(1))
    assert json.loads((folder / "model-config.yaml").read_text())["batchSize"] == 1
    assert (folder / "MAR-INF" / "MANIFEST.json").is_file()
