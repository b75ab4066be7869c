"""Pickles of torch.save, read with `weights_only=True` where that holds."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import torch

from ts.handler_utils.models.formats.untrusted.expressions import is_plain_text
from ts.handler_utils.models.formats.untrusted.refusal import Refused, shown

_PLAIN = (torch.Tensor, str, int, float, bool, complex, type(None), torch.dtype, torch.device, torch.Size)


def check_format(file: str | Path | io.BytesIO) -> None:
    """Refuses forms of a file of torch.save that torch before 2.6 reads without regard to `weights_only`.

    These are tar archives, of torch before 0.1.10, and TorchScript, to which `torch.load` turns when it finds one
    (CVE-2025-32434).

    Raises:
        Refused: it is one of them.
    """
    try:
        records = torch._C.PyTorchFileReader(
            file if isinstance(file, io.BytesIO) else str(file)
        ).get_all_records()
    except RuntimeError:  # no zip, and so the form before torch 1.6, or that of tar
        records = []
    if any(name.casefold() == "constants.pkl" for name in records):
        raise Refused("TorchScript among its weights")
    if not records and _is_tar(file):
        raise Refused("a tar archive, as torch.save wrote before 2017")
    if isinstance(file, io.BytesIO):
        file.seek(0)


def _is_tar(file: str | Path | io.BytesIO) -> bool:
    try:
        with tarfile.open(fileobj=file) if isinstance(file, io.BytesIO) else tarfile.open(file):
            return True
    except (tarfile.TarError, EOFError, OSError, ValueError):
        return False


def check_plain(content: bytes, name: str) -> None:
    """Lets through a file of torch.save, a part of another file, that holds containers of tensors and numbers.

    Args:
        content: the file; an empty one is nothing.
        name: of the part.

    Raises:
        Refused: it holds other objects, or keys that are no plain text; the message says where.
    """
    if not content:
        return
    file = io.BytesIO(content)
    check_format(file)
    try:
        loaded = torch.load(file, map_location="meta", weights_only=True)
    except (pickle.UnpicklingError, AttributeError, ImportError) as error:
        raise Refused(f"pickled Python objects in {name} ({' '.join(str(error).split())[:200]})") from error
    except (RuntimeError, EOFError, ValueError, TypeError, LookupError) as error:
        raise Refused(f"a part {name} that is damaged ({' '.join(str(error).split())[:200]})") from error
    waiting = [loaded]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key, item in value.items():
                if not (is_plain_text(key) or type(key) is int):
                    raise Refused(f"the name {shown(key)} in {name}, where torch would put it into code")
                waiting.append(item)
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)
        elif not isinstance(value, _PLAIN):
            raise Refused(f"an object of type {type(value).__name__} in {name}")
