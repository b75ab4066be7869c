"""Files of torch.save: what torch reads of them without regard to `weights_only` is refused before."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import pytest
import torch
from planted import Planted, rewrite

from ts.handler_utils.models.formats.weights import read_weights


def pickled(value: object) -> bytes:
    return pickle.dumps(value, 2)


def write_tar(path: Path, mark: Path) -> None:
    """The form before torch 0.1.10, its first name beginning as a pickle does."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in {
            "\udc80\x02": b"",
            "storages": pickled(0),
            "tensors": pickled(0),
            "pickle": pickled(Planted(mark)),
            "sys_info": pickled({}),
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def write_script(path: Path, mark: Path) -> None:
    """TorchScript, to which torch.load turns, in the place of weights."""
    torch.save({"weight": torch.ones(1)}, path)
    rewrite(path, {"CONSTANTS.PKL": b"\x80\x02)."})


def write_pickle(path: Path, mark: Path) -> None:
    torch.save({"weight": torch.ones(1), "more": Planted(mark)}, path)


def write_old_pickle(path: Path, mark: Path) -> None:
    torch.save({"weight": Planted(mark)}, path, _use_new_zipfile_serialization=False)


def write_bare_pickle(path: Path, mark: Path) -> None:
    path.write_bytes(pickled(Planted(mark)))


def write_hashed_depth(path: Path, mark: Path) -> None:
    """A key of so many levels that its hash ends the process."""
    torch.save({"weight": torch.ones(1)}, path)
    rewrite(path, {"/data.pkl": b"\x80\x02}(K\x01" + b"\x85" * 1_000_000 + b"K\x01u."})


def write_memo(path: Path, mark: Path) -> None:
    torch.save({"weight": torch.ones(1)}, path)
    rewrite(path, {"/data.pkl": b"\x80\x02}r\x00\x00\x00\x80."})


def write_twice(path: Path, mark: Path) -> None:
    """Two parts that one of torch's readers takes for one."""
    torch.save({"weight": torch.ones(1)}, path)
    rewrite(path, {"DATA.PKL": pickled(Planted(mark))})


WRITERS = [
    write_tar,
    write_script,
    write_pickle,
    write_old_pickle,
    write_bare_pickle,
    write_hashed_depth,
    write_memo,
    write_twice,
]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_no_code_runs_of_what_stands_for_weights(write, tmp_path: Path) -> None:
    path, mark = tmp_path / "weights.pt", tmp_path / "ran"
    write(path, mark)
    with pytest.raises(ValueError, match=r"^weights\.pt is not ") as caught:
        read_weights(path, "cpu")
    assert not mark.exists()
    assert len(str(caught.value)) < 1500


def test_a_tar_archive_is_told_as_such(tmp_path: Path) -> None:
    write_tar(tmp_path / "weights.pt", tmp_path / "ran")
    with pytest.raises(ValueError, match=r"a tar archive, as torch\.save wrote before 2017"):
        read_weights(tmp_path / "weights.pt", "cpu")


@pytest.mark.parametrize("new", [True, False])
def test_both_forms_of_today_are_read(new: bool, tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "weights.pt", _use_new_zipfile_serialization=new)
    assert read_weights(tmp_path / "weights.pt", "cpu")["weight"].tolist() == [1.0, 1.0]
