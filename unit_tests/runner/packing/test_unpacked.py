"""A network by name, answered without packing it."""

from __future__ import annotations

import pytest
import torch

from ts.handler_utils.models.formats.architecture import build
from ts.runner import load_archive
from ts.runner.errors import ArchiveError
from ts.runner.exporting.samples import random_images
from ts.runner.packing.unpacked import packed_for_now

NAME = "squeezenet1_1"


def test_a_network_answers_and_its_folder_goes(cached):
    cached(NAME)
    with packed_for_now(NAME, settings={"topk": 2}) as folder:
        with load_archive(folder) as model:
            (answer,) = model.predict(list(random_images((60, 50), 1)))
        assert (model.archive.name, answer.status, len(answer.response)) == (NAME, 200, 2)
        assert all(not label.isdecimal() for label in answer.response)
    assert not folder.exists()


def test_a_file_its_labels_and_another_handler(tmp_path):
    torch.save(build(NAME, {"num_classes": 2}).state_dict(), tmp_path / "fine.pth")
    with (
        packed_for_now(NAME, str(tmp_path / "fine.pth"), labels=["cat", "dog"]) as folder,
        load_archive(folder) as model,
    ):
        assert set(model.predict(list(random_images((60, 50), 1)))[0].response) == {"cat", "dog"}
    with (
        packed_for_now(NAME, str(tmp_path / "fine.pth"), "base_handler") as folder,
        load_archive(folder) as model,
    ):
        assert model.archive.handler == "base_handler"


def test_labels_of_another_number_are_refused(cached):
    cached(NAME)
    with (
        pytest.raises(ArchiveError, match="there are 2 labels, and the model has 1000 classes"),
        packed_for_now(NAME, labels=["cat", "dog"]),
    ):
        pass
