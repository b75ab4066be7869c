"""Who looks at the header of a JPEG sees what decoders see, however it is written, or leaves it to them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Callable

import pytest
import torch
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.strangers.images import decoy_jpeg, jpeg_frame, jpeg_segment
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.jpeg.decoders import cpu_decoder
from ts.handler_utils.images.jpeg.header import read_jpeg_header
from ts.handler_utils.images.limits import ImageLimits
from ts.handler_utils.images.pillow import decode_image, open_image, read_orientation
from ts.handler_utils.images.reader import ImageReader
from ts.handler_utils.images.transform import ImageTransform

FEW = ImageLimits(max_pixels=100_000)
WHOLE = ImageTransform()
HAS_TORCHCODEC = tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 11)
DECODERS = ["torchvision", "torchcodec"] if HAS_TORCHCODEC else ["torchvision"]


def jpeg(mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.radial_gradient("L").resize((40, 25)).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


XMP = b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="3"/>'
BASES = [
    jpeg(),
    jpeg("L"),
    jpeg("CMYK"),
    jpeg(progressive=True),
    jpeg(keep_rgb=True),
    jpeg(exif=exif(6), comment="of a cat"),
    jpeg(exif=exif(2), progressive=True),
]


def segments(data: bytes) -> list[bytes]:
    """The start, each segment before the first scan, and all the rest."""
    parts, position = [data[:2]], 2
    while data[position + 1] != 0xDA:
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        parts.append(data[position:end])
        position = end
    return [*parts, data[position:]]


INSERTED = st.one_of(
    st.integers(1, 4).map(lambda count: b"\xff" * count),  # fill bytes
    st.binary(min_size=1, max_size=3),  # garbage between segments, which decoders skip
    st.sampled_from([b"\xff\x00", b"\xff\x01", b"\xff\xd0", b"\xff\xd8", b"\xff\xd9", b"\xff\xf0\x00\x04ab"]),
    st.builds(
        jpeg_frame,
        st.sampled_from([(8, 8), (25, 40), (300, 300), (2000, 2000)]),
        st.sampled_from([0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xDE]),
        channels=st.sampled_from([1, 3, 4]),
    ),
    st.builds(jpeg_segment, st.sampled_from([0xE1, 0xE2, 0xEE, 0xFE, 0xDC, 0xDD]), st.binary(max_size=20)),
    st.just(jpeg_segment(0xFE, jpeg_frame((8, 8)) * 3)),
    st.just(jpeg_segment(0xE1, XMP)),
    st.integers(0, 9).map(lambda orientation: jpeg_segment(0xE1, exif(orientation).tobytes())),
    st.sampled_from([part for base in BASES for part in segments(base)[1:-1]]),
)


@st.composite
def written_otherwise(draw: st.DrawFn) -> bytes:
    """A JPEG whose segments are added to, left out, swapped, changed, cut."""
    parts = segments(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(0, 4))):
        at, how = draw(st.integers(1, len(parts) - 1)), draw(st.sampled_from("ididswbl"))
        if how == "i":
            parts.insert(at, draw(INSERTED))
        elif how == "d" and at < len(parts) - 1:
            del parts[at]
        elif how == "s" and at < len(parts) - 2:
            parts[at], parts[at + 1] = parts[at + 1], parts[at]
        elif len(parts[at]) > 4:
            byte = draw(st.integers(0, min(len(parts[at]), 24) - 1)) if how != "l" else 3
            parts[at] = parts[at][:byte] + draw(st.binary(min_size=1, max_size=1)) + parts[at][byte + 1 :]
    whole = b"".join(parts)
    return whole[: draw(st.integers(0, len(whole)))] if draw(st.integers(0, 19)) == 0 else whole


@pytest.fixture(scope="module", autouse=True)
def little_memory() -> Iterator[None]:
    """A disagreement could decode any size."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (12 * 2**30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def many(examples: int) -> Any:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@many(400)
@given(written_otherwise())
def test_what_the_header_says_is_what_decoders_find(data):
    header = read_jpeg_header(data)
    event("read" if header else "left to Pillow")
    if header is None:
        return
    try:
        image = open_image(data, ["JPEG"])
    except InvalidInput:
        pass  # Pillow's own parser wants more of it than we do
    else:
        assert image.size == (header.width, header.height)
        assert image.mode == {1: "L", 3: "RGB", 4: "CMYK"}[header.channels]
        assert header.tells or read_orientation(image) == 1
    if header.width * header.height <= FEW.max_pixels and header.channels != 4:
        decoder = cpu_decoder("torchvision")
        try:
            values = decoder.decode(torch.frombuffer(bytearray(data), dtype=torch.uint8), mode="RGB")
        except RuntimeError:
            return
        event("decoded")
        assert values.shape == (3, header.height, header.width)


@many(400)
@given(written_otherwise(), st.sampled_from(DECODERS))
def test_all_ways_to_read_a_jpeg_lead_to_the_same_image(data, decoder):
    expected = outcome(lambda: WHOLE.pixels(decode_image(data, limits=FEW)))
    found = outcome(lambda: ImageReader(limits=FEW, decoder=decoder).pixels(data, WHOLE))
    if isinstance(expected, int) and not isinstance(found, int):
        event("read by the decoder of tensors only, which wants less of a file")
        header = read_jpeg_header(data)
        assert header is not None
        assert {*found.shape[-2:]} == {header.height, header.width}
        return
    if isinstance(expected, int) and (expected, found) == (400, 413):
        event("both broken and too large, of which one is told")
        header = read_jpeg_header(data)
        assert header is not None
        assert header.width * header.height > FEW.max_pixels
        return
    event("refused" if isinstance(expected, int) else "read")
    assert type(found) is type(expected)
    assert found == expected if isinstance(expected, int) else torch.equal(found, expected)


def outcome(read: Callable[[], torch.Tensor]) -> torch.Tensor | int:
    """What is read, or the status of the error."""
    try:
        return read()
    except InvalidInput as error:
        return error.error_code


@pytest.mark.parametrize("size", [(3000, 3000), (30000, 30000)])
def test_a_decoy_behind_a_fill_byte_deceives_nobody(size):
    data = decoy_jpeg(size)
    assert read_jpeg_header(data) is None
    with pytest.raises(InvalidInput, match=f"{size[0]}x{size[1]}|exceeds limit") as raised:
        ImageReader(limits=FEW).pixels(data, WHOLE)
    assert raised.value.error_code == 413


def test_a_fill_byte_changes_nothing_else():
    whole = BASES[5]
    frame = whole.index(b"\xff\xc0")
    data = whole[:frame] + b"\xff" + whole[frame:]
    assert torch.equal(ImageReader().pixels(data, WHOLE), ImageReader().pixels(whole, WHOLE))


def test_a_decoder_that_finds_another_size_is_not_believed(monkeypatch):
    reader = ImageReader()
    other = reader._on_cpu._replace(decode=lambda *_, **__: torch.zeros(3, 9, 9, dtype=torch.uint8))
    monkeypatch.setattr(reader, "_on_cpu", other)
    with pytest.raises(InvalidInput, match="its header says 40x25 pixels, and it has 9x9"):
        reader.pixels(BASES[0], WHOLE)


@pytest.mark.parametrize("decoder", ["auto", "pillow"])
@pytest.mark.parametrize(
    "content",
    [b"Exif\0\0", b"Exif\0\0MM\0*\0\0", b"Exif\0\0" + b"\xff" * 30, b"Exif\0\0II*\0\xff\xff\xff\xff"],
)
def test_exif_that_cannot_be_read_says_nothing(content, decoder):
    whole = BASES[0]
    data = whole[:2] + jpeg_segment(0xE1, content) + whole[2:]
    assert torch.equal(ImageReader(decoder=decoder).pixels(data, WHOLE), WHOLE.pixels(decode_image(whole)))


@pytest.mark.parametrize("decoder", ["auto", "pillow"])
def test_xmp_turns_an_image_as_exif_does(decoder):
    whole = BASES[0]
    data = whole[:2] + jpeg_segment(0xE1, XMP) + whole[2:]
    upright = WHOLE.pixels(decode_image(whole)).flip([-2, -1])
    assert torch.equal(ImageReader(decoder=decoder).pixels(data, WHOLE), upright)
