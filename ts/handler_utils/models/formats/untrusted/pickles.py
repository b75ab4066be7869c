"""Pickles of torch.save, read with `weights_only=True` where that holds."""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import torch

from ts.handler_utils.models.formats.untrusted.claims import check_claims
from ts.handler_utils.models.formats.untrusted.expressions import is_plain_text
from ts.handler_utils.models.formats.untrusted.refusal import Refused, shown
from ts.handler_utils.models.formats.untrusted.zip_parts import ZipParts

_PLAIN = (torch.Tensor, str, int, float, bool, complex, type(None), torch.dtype, torch.device, torch.Size)


def check_checkpoint(file: str | Path | io.BytesIO) -> None:
    """Refuses what torch before 2.6 reads of a file of torch.save without regard to `weights_only` or its size.

    These are tar archives, of torch before 0.1.10; TorchScript, to which `torch.load` turns when it finds one
    (CVE-2025-32434); and tensors that are larger than what the file has of them. What is damaged is left to torch.

    Raises:
        Refused: it is, or holds, one of them.
    """
    try:
        parts = ZipParts(file)
    except zipfile.BadZipFile:  # and so the form before torch 1.6, or that of tar
        if _is_tar(file):
            raise Refused("a tar archive, as torch.save wrote before 2017") from None
        return
    if any(name.casefold().endswith("/constants.pkl") for name in parts.names):
        raise Refused("TorchScript among its weights")
    with suppress(zipfile.BadZipFile, NotImplementedError, EOFError):
        check_claims(parts)


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
    check_checkpoint(file)
    file.seek(0)
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
