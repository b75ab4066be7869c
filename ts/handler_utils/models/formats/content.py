"""What a model's file holds, told by its first bytes and its parts: suffixes promise, and people rename files."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path

TORCHSCRIPT = "a TorchScript model"
CHECKPOINT = "a file of torch.save"
EXPORTED = "a model of torch.export.save"
AOT_PACKAGE = "an AOTInductor package"
SAFETENSORS = "a file of safetensors"
LIBRARY = "a compiled library"
ONNX = "an ONNX model"
EMPTY = "empty"
CUT_SHORT = "cut short"
LFS_POINTER = "a pointer of Git LFS, in place of the file itself"
OTHER = "of no format known here"

NOT_WHOLE = (EMPTY, CUT_SHORT, LFS_POINTER)

# What the first bytes of a file may be. Pickles are of protocol 2 and later; an ONNX file begins with the field
# `ir_version` of its Protocol Buffers message, a small number.
_MAGIC = (
    (b"\x7fELF", LIBRARY),
    (b"\xcf\xfa\xed\xfe", LIBRARY),
    (b"version https://git-lfs", LFS_POINTER),
    (b"\x80", CHECKPOINT),
    (b"\x08", ONNX),
)

# What a zip archive is, by the ending of a part's name; the first that is there says it.
_PARTS = (
    ("/aotinductor/", AOT_PACKAGE),
    ("/constants.pkl", TORCHSCRIPT),
    ("/data.pkl", CHECKPOINT),
    ("/models/model.json", EXPORTED),
    ("serialized_exported_program.json", EXPORTED),
)


def content_of(path: str | Path) -> str:
    """What a file holds: one of the phrases above, which complete "the file is ...".

    Only names and first bytes are looked at; nothing is loaded.
    """
    with open(path, "rb") as file:
        head = file.read(64)
    if not head:
        return EMPTY
    if head.startswith(b"PK\x03\x04"):
        return _content_of_zip(path)
    if head[8:9] == b"{":  # behind the length of the header, which is JSON
        return SAFETENSORS
    if head.startswith(b"\x7fELF") and os.path.getsize(path) < _size_of_elf(head):
        return CUT_SHORT  # to load it would end the process by a bus error
    return next((content for magic, content in _MAGIC if head.startswith(magic)), OTHER)


def _size_of_elf(head: bytes) -> int:
    """The bytes up to the end of a 64-bit library's last header (elf.h: e_shoff, e_shentsize, e_shnum)."""
    if len(head) < 64:
        return 64
    (start,), (size, count) = struct.unpack_from("=Q", head, 40), struct.unpack_from("=HH", head, 58)
    return start + size * count


def _content_of_zip(path: str | Path) -> str:
    try:
        names = part_names(path)
    except zipfile.BadZipFile:
        return CUT_SHORT
    return next((content for part, content in _PARTS if any(part in name for name in names)), OTHER)


def part_names(path: str | Path) -> list[str]:
    """The names of a zip archive's parts.

    Raises:
        zipfile.BadZipFile: it is none, or not whole.
    """
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def wrong_content(path: str | Path, expected: str, advice: str, reason: object = "") -> ValueError:
    """The error for a file that does not hold what it should: what was expected, what was found, what to do.

    Args:
        path: the file.
        expected: completes "the file is not ...".
        advice: a sentence; for a file that is not whole there is other advice.
        reason: what torch said, if that may help.
    """
    found = content_of(path)
    if found in NOT_WHOLE:
        advice = "Get the whole file, and pack the archive again."
    details = f" ({' '.join(str(reason).split())})" if reason else ""
    return ValueError(f"{Path(path).name} is not {expected}: it is {found}. {advice}{details}")
