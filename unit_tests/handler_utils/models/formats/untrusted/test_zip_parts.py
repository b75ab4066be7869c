"""Zip archives that those who read them would see differently, or that claim more than they hold."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import torch

from ts.handler_utils.models.formats.untrusted.refusal import Refused
from ts.handler_utils.models.formats.untrusted.zip_parts import ZipParts


def write(path: Path, *parts: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("a/data.pkl", "a/data.pkl"), "two parts of one name"),
        (("a/data.pkl", "a/DATA.pkl"), "two parts of one name"),
        (("a/data.pkl", "a/../../b"), "no plain path"),
        (("a/data.pkl", "/b"), "no plain path"),
        (("a/data.pkl", "a\\b"), "no plain path"),
        (("a/data.pkl", "a/\x1b"), "no plain path"),
        (("a/data.pkl", "a//b"), "no plain path"),
    ],
)
def test_names_that_mislead_are_refused(names: tuple[str, ...], problem: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", *((name, b"") for name in names))
    with pytest.raises(Refused, match=problem):
        ZipParts(path)


def test_parts_that_unpack_to_gigabytes_are_refused_before_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", ("a/b", bytes(101_000_000)), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(Refused, match=r"parts of 100\d{6} bytes more than the file has"):
        ZipParts(path)


def test_an_archive_in_front_of_which_another_lies_is_refused(tmp_path: Path) -> None:
    """zipfile takes the directory where the file ends, torch's reader where the offset in it says."""
    inner = io.BytesIO()
    torch.save({"decoy": torch.ones(1)}, inner)
    outer = io.BytesIO()
    torch.save({"weight": torch.ones(2)}, outer)
    (tmp_path / "a.zip").write_bytes(inner.getvalue() + outer.getvalue())
    with pytest.raises((Refused, zipfile.BadZipFile)):
        ZipParts(tmp_path / "a.zip").read("archive/data.pkl")


def test_what_torch_writes_is_read(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "weights.pt")
    parts = ZipParts(tmp_path / "weights.pt")
    assert parts.read("weights/data/0") == torch.ones(2).numpy().tobytes()
    assert parts.size("weights/data/0") == 8
