"""Whether a file is deflated, by samples of it."""

from __future__ import annotations

import os
import random
from array import array

import pytest
from model_archiver.inputs.entry import Entry, file_entry
from model_archiver.writing.compressibility import SAMPLE_SIZE, SAMPLES, compresses, never


@pytest.fixture
def is_deflated(tmp_path):
    def check(content):
        path = tmp_path / "file"
        path.write_bytes(content)
        return compresses(file_entry(path, "file", "the file"))

    return check


def random_floats(count):
    source = random.Random(5)
    return array("f", (source.gauss(0, 0.02) for _ in range(count))).tobytes()


@pytest.mark.parametrize("size", [1 << 12, 1 << 16, 1 << 20])
def test_zeros_are_deflated_and_random_bytes_are_not(is_deflated, size):
    assert is_deflated(bytes(size))
    assert not is_deflated(os.urandom(size))


def test_random_floats_are_stored(is_deflated):
    assert not is_deflated(random_floats(1 << 18))


def test_floats_of_half_precision_kept_as_whole_ones_are_deflated(is_deflated):
    values = bytearray(random_floats(1 << 18))
    values[0::4] = values[1::4] = bytes(1 << 18)
    assert is_deflated(bytes(values))


@pytest.mark.parametrize("noise_first", [True, False])
def test_the_whole_file_is_looked_at_not_its_head(is_deflated, noise_first):
    noise, zeros = os.urandom(1 << 20), bytes(3 << 20)
    assert is_deflated(noise + zeros if noise_first else zeros + noise)


def test_a_text_head_does_not_make_noise_deflated(is_deflated):
    assert not is_deflated(b"header " * 1000 + os.urandom(SAMPLES * SAMPLE_SIZE * 2))


def test_nothing_is_gained_from_an_empty_or_tiny_file(is_deflated):
    assert not is_deflated(b"")
    assert not is_deflated(b"1")


def test_the_manifest_is_deflated_and_a_folder_is_not():
    assert compresses(Entry("MAR-INF/MANIFEST.json", size=500))
    assert not compresses(Entry("folder", is_folder=True))


def test_zip_store_deflates_nothing(tmp_path):
    assert not never(Entry("zeros", tmp_path, size=1 << 20))
