"""An input that changes under the archiver's hands."""

from __future__ import annotations

import hashlib
import os

import pytest
from model_archiver.inputs.entry import file_entry
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.writing import archive as writing
from model_archiver.writing.source_stream import open_source


@pytest.mark.parametrize("content", [b"longer " * 200, b"shorter", b"", b"Weights" * 100])
def test_a_file_that_changes_while_it_is_packed_is_named(pack, inputs, monkeypatch, archive_format, content):
    def change_first(entry, advance):
        entry.source.write_bytes(content)
        os.utime(entry.source, ns=(1, entry.mtime_ns + 1))
        return open_source(entry, advance)

    monkeypatch.setattr(writing, "open_source", change_first)
    with pytest.raises(ModelArchiverError, match=r"^weights\.pt changed while it was packed$"):
        pack(serialized_file="weights.pt", handler="base_handler", archive_format=archive_format)


def test_what_is_read_is_hashed_and_progress_is_told(inputs):
    done = []
    with open_source(file_entry(inputs / "weights.pt", "weights.pt", "the file"), done.append) as stream:
        assert stream.read(300) + stream.read() == b"weights" * 100
    assert stream.hexdigest() == hashlib.sha256(b"weights" * 100).hexdigest()
    assert done == [300, 400]
