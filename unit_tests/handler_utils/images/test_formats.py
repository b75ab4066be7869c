"""The formats that are read, and what becomes of damaged files of each."""

from __future__ import annotations

import io
import random
import subprocess
import sys

import pytest
from PIL import Image, features
from pydantic import ValidationError

from benchmarks.strangers import images as hostile_images
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.formats import DEFAULT_FORMATS
from ts.handler_utils.images.limits import ImageLimits
from ts.handler_utils.images.reader import ImageReader
from ts.handler_utils.images.settings import VisionSettings
from ts.handler_utils.images.transform import ImageTransform

TRANSFORM = ImageTransform(resize=64, crop=56)


def saved(form: str, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((40, 30)).convert(mode).save(file, form)
    return file.getvalue()


READ = {name: saved(name) for name in ("JPEG", "MPO", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")}
if features.check("avif"):
    READ["AVIF"] = saved("AVIF")


@pytest.mark.parametrize("name", READ)
def test_what_people_send_is_read(name):
    assert ImageReader().pixels(READ[name], TRANSFORM).shape == (3, 56, 56)


OTHERS = {
    "EPS": hostile_images.eps(),
    **{name: saved(name) for name in ("DDS", "ICO", "SGI", "JPEG2000")},
    "BLP": saved("BLP", "P"),
    "PSD": b"8BPS\0\1",
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_format_that_nobody_sends_is_refused_with_the_names_of_the_others(name, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)  # which Pillow starts Ghostscript by
    with pytest.raises(InvalidInput) as raised:
        ImageReader().pixels(OTHERS[name], TRANSFORM)
    assert raised.value.error_code == 400
    assert raised.value.message == (
        f"The image is of the format {name}, and handler.formats in model-config.yaml has only"
        f" {', '.join(DEFAULT_FORMATS)}: send one of these, or add it"
    )


@pytest.mark.parametrize(
    "data", [b"", b"no photo", saved("TGA"), b"GIF8"], ids=["nothing", "text", "TGA", "cut"]
)
def test_what_is_of_no_known_format_is_said_to_be(data):
    with pytest.raises(InvalidInput) as raised:
        ImageReader().pixels(data, TRANSFORM)
    assert raised.value.message == f"The {len(data)} bytes received are not an image of a known format"


def test_other_formats_are_read_where_the_setting_names_them():
    settings = VisionSettings(formats=["png", "tga"])
    assert settings.formats == ["PNG", "TGA"]
    reader = ImageReader(limits=settings.limits())
    assert reader.pixels(saved("TGA"), TRANSFORM).shape == (3, 56, 56)
    with pytest.raises(InvalidInput, match=r"of the format GIF, .* has only PNG, TGA: "):
        reader.pixels(READ["GIF"], TRANSFORM)


def test_jpegs_too_are_read_only_where_the_setting_names_them():
    reader = ImageReader(limits=ImageLimits(formats=["PNG"]))
    for read in (lambda: reader.pixels(READ["JPEG"], TRANSFORM), lambda: reader.photo(READ["JPEG"])):
        with pytest.raises(InvalidInput, match=r"of the format JPEG, .* has only PNG: "):
            read()


def test_a_format_that_pillow_does_not_know_is_no_setting():
    with pytest.raises(ValidationError, match=r"Pillow reads no JPG; it reads .*JPEG, "):
        VisionSettings(formats=["PNG", "JPG"])


def test_a_format_of_a_plugin_is_read_as_soon_as_pillow_knows_it(monkeypatch):
    reader = ImageReader()
    with pytest.raises(InvalidInput):
        reader.pixels(b"heif" + READ["PNG"], TRANSFORM)

    def opened(file: io.BytesIO, name: str) -> Image.Image:
        file.read(4)
        image = Image.open(io.BytesIO(file.read()))
        image.format = "HEIF"
        return image

    monkeypatch.setitem(Image.OPEN, "HEIF", (opened, lambda prefix: prefix.startswith(b"heif")))
    assert reader.pixels(b"heif" + READ["PNG"], TRANSFORM).shape == (3, 56, 56)


def test_no_module_of_another_format_is_imported():
    code = """
import sys
from ts.handler_utils.images.reader import ImageReader
from ts.handler_utils.images.transform import ImageTransform
from ts.handler_utils.errors import InvalidInput
try:
    ImageReader().pixels(b"%!PS-Adobe-3.0", ImageTransform())
except InvalidInput:
    pass
assert "PIL.EpsImagePlugin" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", READ)
def test_a_damaged_file_is_the_clients_fault(name):
    """Bytes changed, cut and put in, in many ways: read, or refused with a status of 400 or 413."""
    reader, chance, refused = ImageReader(), random.Random(name), []
    for _ in range(150):
        data = bytearray(READ[name])
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(min(len(data), chance.choice([40, 200, 10_000])))
            data[at : at + chance.choice([0, 1, 1, 4])] = chance.randbytes(chance.choice([1, 1, 2, 4]))
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        try:
            assert reader.pixels(bytes(data), TRANSFORM).shape == (3, 56, 56)
        except InvalidInput as error:
            refused.append(error.error_code)
    assert 400 in refused
    assert set(refused) <= {400, 413}


@pytest.mark.parametrize(
    "error",
    [
        ValueError,
        AssertionError,
        NotImplementedError,
        RecursionError,
        OverflowError,
        RuntimeError,
        KeyError,
        OSError,
    ],
)
@pytest.mark.parametrize("hook", ["PIL.PngImagePlugin.PngImageFile._open", "PIL.ImageFile.ImageFile.load"])
def test_whatever_pillow_raises_is_the_clients_fault(error, hook, monkeypatch):
    def fails(*_: object) -> None:
        raise error()

    monkeypatch.setattr(hook, fails)
    with pytest.raises(InvalidInput) as raised:
        ImageReader().pixels(READ["PNG"], TRANSFORM)
    assert raised.value.error_code == 400


def test_a_lack_of_memory_is_not(monkeypatch):
    def fails(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fails)
    with pytest.raises(MemoryError):
        ImageReader().pixels(READ["PNG"], TRANSFORM)
