"""Conversions that are kept between starts of workers, and workers that start at the same time."""

from __future__ import annotations

import json
import logging
import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest
import torch

from ts.handler_utils.models.caller import ModelCaller
from ts.handler_utils.models.openvino import cache as kept_models
from ts.handler_utils.models.openvino import forms
from ts.handler_utils.models.openvino.library import import_openvino
from ts.torch_handler.image_classifier import ImageClassifier
from ts.utils.cache_folder import cache_folder

pytest.importorskip("openvino", reason="needs OpenVINO: pip install 'torchserve-handlers[openvino]'")

NETWORK = """
import torch

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 5, 3)
        self.layer.load_state_dict(torch.load({weights!r}, weights_only=True))

    def forward(self, images):
        return self.layer(images).mean((2, 3))
"""
CONVERTS = "OpenVINO converts the model, once"


@pytest.fixture(autouse=True)
def cache(openvino_cache: Path, caplog: pytest.LogCaptureFixture) -> Path:
    caplog.set_level(logging.INFO, "ts.handler_utils.models.openvino")
    return openvino_cache


@pytest.fixture
def start(make_context: Callable[..., Any], tmp_path: Path) -> Callable[[], Any]:
    """Starts a worker of a TorchScript archive, or of what `model.py` makes, if there is one."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 5, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    ).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network, torch.rand(2, 3, 16, 16)).save(str(tmp_path / "model.pt"))

    def started() -> ImageClassifier:
        names = (
            {"modelFile": "model.py"} if (tmp_path / "model.py").exists() else {"serializedFile": "model.pt"}
        )
        config = {"handler": {"engine": "openvino", "resize": 20, "crop": 16}}
        handler = ImageClassifier()
        handler.initialize(make_context(tmp_path, config=config, **names))
        return handler

    return started


def answers_as_torch(handler: Any) -> bool:
    batch = torch.rand(3, 3, 16, 16)
    with torch.no_grad():
        wanted = handler.model(batch)
    (form,) = ModelCaller.of(handler)._engine._caller._forms
    return bool(torch.allclose(handler.inference(batch), wanted, atol=1e-5)) and len(form.checked) == 1


def test_what_was_compared_once_is_not_compared_at_the_next_start(
    start: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert answers_as_torch(start())
    monkeypatch.setattr(forms, "samples", lambda *_: pytest.fail("torch is asked"))
    assert answers_as_torch(start())
    assert caplog.text.count(CONVERTS) == 1


@pytest.mark.parametrize("change", [{"processor": "another"}, {"sizes": []}, {"output": None}])
def test_on_another_processor_or_without_a_whole_note_it_is_compared_again(
    change: dict[str, Any], start: Callable[[], Any], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    (note,) = cache.glob("*/compared.json")
    before = json.loads(note.read_text())
    note.write_text(json.dumps({**before, **change}))
    asked: list[Any] = []
    samples = forms.samples
    monkeypatch.setattr(forms, "samples", lambda *args: asked.append(args) or samples(*args))
    assert answers_as_torch(start())
    assert len(asked) == 1
    assert json.loads(note.read_text()) == before


def test_a_model_that_code_makes_is_compared_at_each_start(
    start: Callable[[], Any], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, caplog: Any
) -> None:
    weights = tmp_path_factory.mktemp("elsewhere") / "weights.pt"  # outside of the archive
    (tmp_path / "model.py").write_text(NETWORK.format(weights=str(weights)))
    for seed in range(2):
        torch.manual_seed(seed)
        torch.save(torch.nn.Conv2d(3, 5, 3).state_dict(), weights)
        assert answers_as_torch(start())
    assert "is left aside, and the model converted anew: its numbers differ from torch's" in caplog.text


def test_of_workers_that_start_together_one_converts(
    start: Callable[[], Any], cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    level = logging.getLogger().level
    with ThreadPoolExecutor(3) as pool:
        handlers = [future.result() for future in [pool.submit(start) for _ in range(3)]]
    assert all(map(answers_as_torch, handlers))
    assert caplog.text.count(CONVERTS) == 1
    assert logging.getLogger().level == level  # which a conversion changes while it lasts
    assert len(list(cache.iterdir())) == 1  # no lock, and nothing half written


def test_where_there_are_no_locks_each_converts(
    start: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError("no locks available")

    monkeypatch.setattr(kept_models, "locked", refuse)
    assert answers_as_torch(start())


def test_a_disk_that_is_full_fails_no_load(
    start: Callable[[], Any], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = import_openvino().save_model

    def cut_off(model: Any, path: Path, **options: Any) -> None:
        save(model, path, **options)
        path.with_suffix(".bin").write_bytes(b"")

    monkeypatch.setattr(import_openvino(), "save_model", cut_off)
    for _ in range(2):
        assert answers_as_torch(start())
    monkeypatch.setattr(import_openvino(), "save_model", save)
    for _ in range(2):
        assert answers_as_torch(start())
    assert [path.stat().st_size > 0 for path in cache.glob("*/model.bin")] == [True]


def changed(path: Path, place: int) -> None:
    """Changes one bit of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 64
    path.chmod(0o600)
    path.write_bytes(content)


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_notes_of_openvino_in_which_a_bit_has_changed_are_written_anew(
    start: Callable[[], Any], cache: Path, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    start()
    (note,) = cache.glob("*/compiled/*")
    content = note.read_bytes()
    changed(note, {"first": 0, "middle": len(content) // 2, "last": -1}[place])
    assert answers_as_torch(start())
    (note,) = cache.glob("*/compiled/*")
    assert note.read_bytes() == content
    (noted,) = cache.glob("*/compared.json")
    assert set(json.loads(noted.read_bytes())["files"]) == {"model.xml", "model.bin", f"compiled/{note.name}"}
    assert caplog.text.count(CONVERTS) == 1


@pytest.mark.parametrize("name", ["model.bin", "model.xml"])
def test_a_model_in_which_a_bit_has_changed_is_converted_anew(
    start: Callable[[], Any], cache: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    start()
    (path,) = cache.glob(f"*/{name}")
    changed(path, -1)
    for _ in range(2):
        assert answers_as_torch(start())
    assert caplog.text.count(CONVERTS) == 2
    assert "is left aside, and the model converted anew: it is damaged" in caplog.text


@pytest.mark.parametrize("content", ["", "[]", '{"files": 3}', '{"files": {"model.xml": []}, "sizes": 3}'])
def test_what_was_noted_is_not_what_it_was(
    start: Callable[[], Any], cache: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    start()
    (noted,) = cache.glob("*/compared.json")
    noted.write_text(content)
    assert answers_as_torch(start())
    assert caplog.text.count(CONVERTS) == 2


def test_what_a_killed_conversion_has_left_is_nobodys(start: Callable[[], Any], cache: Path) -> None:
    part = cache / "tmpkilled"
    part.mkdir(parents=True)
    (part / "model.xml").write_text("<net")
    assert answers_as_torch(start())
    assert len(list(cache.glob("*/compared.json"))) == 1


def test_a_cache_that_is_deleted_while_workers_run_is_made_anew(
    start: Callable[[], Any], cache: Path
) -> None:
    handler = start()
    shutil.rmtree(cache.parent)
    assert answers_as_torch(handler)
    assert answers_as_torch(start())
    assert len(list(cache.glob("*/model.xml"))) == 1


def test_a_user_without_a_home_converts_at_each_start(
    start: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("TORCHSERVE_HANDLERS_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def without_home(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", without_home)
    assert cache_folder() == Path("/.cache/torchserve-handlers")
    monkeypatch.setattr(kept_models, "cache_folder", lambda: Path("/proc/nothing"))
    assert answers_as_torch(start())
    assert (
        "The model is converted anew at each start, since nothing is kept in /proc/nothing/openvino: "
        in caplog.text
    )
