"""The gzip stream of stored and deflated stretches."""

from __future__ import annotations

import gzip
import io
import random
import zlib

import pytest
from model_archiver.writing.formats.gzip_stream import GzipWriter

TEXT = b"the same words again and again " * 5000
NOISE = random.Random(3).randbytes(200_000)


def compress(stretches, mtime=0):
    raw = io.BytesIO()
    writer = GzipWriter(raw, mtime, level=1)
    for stores, data in stretches:
        writer.stores = stores
        assert writer.write(data) == len(data)
    assert writer.tell() == sum(len(data) for _, data in stretches)
    writer.close()
    return raw.getvalue()


@pytest.mark.parametrize(
    "stretches",
    [
        [],
        [(False, TEXT)],
        [(True, NOISE)],
        [(True, b""), (False, b""), (True, b"x")],
        [(False, TEXT), (True, NOISE), (False, TEXT), (True, TEXT), (True, NOISE), (False, b"end")],
        [(True, NOISE[:0xFFFF]), (True, NOISE[: 0xFFFF + 1])],
    ],
)
def test_what_was_written_is_read(stretches):
    assert gzip.decompress(compress(stretches)) == b"".join(data for _, data in stretches)


def test_it_is_one_gzip_member_for_readers_that_stop_after_the_first():
    stream = zlib.decompressobj(wbits=31)
    compressed = compress([(False, TEXT), (True, NOISE), (False, TEXT)])
    assert stream.decompress(compressed) == TEXT + NOISE + TEXT
    assert stream.eof
    assert stream.unused_data == b""


def test_text_shrinks_and_noise_does_not_grow_by_a_thousandth():
    assert len(compress([(False, TEXT)])) < len(TEXT) / 50
    assert len(compress([(True, NOISE)])) < len(NOISE) * 1.001


def test_the_header_holds_the_time_it_was_given():
    assert int.from_bytes(compress([], mtime=1_700_000_000)[4:8], "little") == 1_700_000_000
