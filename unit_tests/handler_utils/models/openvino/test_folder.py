"""Whose folder conversions are kept in, what is deleted there, and what a killed process leaves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from ts.handler_utils.models.engine import OpenVinoCaller
from ts.handler_utils.models.openvino import cache as kept_models
from ts.handler_utils.models.openvino.source import Source
from ts.utils.cache_folder import own_folder

pytest.importorskip("openvino", reason="needs OpenVINO: pip install 'torchserve-handlers[openvino]'")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """An archive's folder."""
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "weights").write_text("")
    return tmp_path / "archive"


def answer(files: Path) -> Any:
    """What a worker that starts answers first."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 2).eval()
    batch = torch.rand(3, 4)
    with torch.no_grad():
        found = OpenVinoCaller(Source(model, model, files=files, is_data=True), strict=True)(batch)
        assert torch.allclose(found, model(batch), atol=1e-5)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="only POSIX tells whose a folder is")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_where_others_may_write_nothing_is_read_or_kept(
    mode: int, files: Path, openvino_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "ts.handler_utils.models.openvino")
    answer(files)
    openvino_cache.chmod(mode)
    before = sorted(openvino_cache.rglob("*"))
    caplog.clear()
    answer(files)
    assert sorted(openvino_cache.rglob("*")) == before
    assert caplog.text.count("OpenVINO converts the model, once") == 1
    assert f"others may write there: chmod go-w {openvino_cache}" in caplog.text
    openvino_cache.chmod(0o755)
    caplog.clear()
    answer(files)
    assert not caplog.text


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="only POSIX tells whose a folder is")
def test_a_folder_of_another_user_and_a_link_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_folder(tmp_path / "mine" / "inner")
    assert (tmp_path / "mine" / "inner").stat().st_mode & 0o777 == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    with pytest.raises(PermissionError, match="it belongs to another user"):
        own_folder(tmp_path / "link")
    if os.geteuid() != 0:
        monkeypatch.setattr(os, "geteuid", lambda: (tmp_path.stat().st_uid) + 1)
        with pytest.raises(PermissionError, match="it belongs to another user"):
            own_folder(tmp_path / "mine")


def test_folders_of_other_names_stay(
    files: Path, openvino_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_models, "KEPT", 2)
    for name in ("resnet", "ab" * 32, "cd" * 32 + "-packed", "ef" * 32 + ".1.part"):
        (openvino_cache / name).mkdir(parents=True)
        os.utime(openvino_cache / name, (0, 0))
    answer(files)
    left = {path.name for path in openvino_cache.iterdir()}
    assert "resnet" in left
    assert len(left) == 3


def test_what_a_killed_worker_has_left_is_deleted_by_the_next(files: Path, openvino_cache: Path) -> None:
    answer(files)
    (kept,) = openvino_cache.iterdir()
    left = openvino_cache / f"{kept.name}.killed.part"
    kept.rename(left)
    answer(files)
    assert [path.name for path in openvino_cache.iterdir()] == [kept.name]
