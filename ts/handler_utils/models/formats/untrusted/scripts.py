"""TorchScript: its code runs in an interpreter without Python, but some of its operators write and read files.

The code lies in the archive as text (torch/csrc/jit/serialization/python_print.cpp), where it names operators as
`torch.NAME`, `value.NAME` or `ops.NAMESPACE.NAME`, and classes of C++ as `__torch__.torch.classes.NAMESPACE.NAME`.
Methods of the name `__setstate__` run as the file is loaded.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import torch

from ts.handler_utils.models.formats.untrusted.claims import check_claims
from ts.handler_utils.models.formats.untrusted.operators import FILE_OPERATORS, is_harmless
from ts.handler_utils.models.formats.untrusted.refusal import Refused, checking
from ts.handler_utils.models.formats.untrusted.zip_parts import ZipParts

_FILE_NAMES = frozenset(name.partition("::")[2] for name in FILE_OPERATORS)

# Classes of C++ that hold weights or words, and touch no file.
_CLASSES = ("quantized", "sparse", "xnnpack", "rnn", "mkldnn", "torchtext")

_STRING = r"""(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
_STRINGS = re.compile(rf"#[^\n]*|({_STRING}(?:\s*{_STRING})*)", re.DOTALL)
_ESCAPE = re.compile(r"\\([0-7]{1,3}|.)", re.DOTALL)
_QUOTES = re.compile(r"""(?<!\\)["'](?:\s*["'])*""")
_OPERATOR = re.compile(r"(?<![\w.])ops\b(?:\.(\w+)\.(\w+)\()?")
_CLASS = re.compile(r"classes\s*\.\s*(\w+)")
_CALL = re.compile(
    r"\b(rpc_async|rpc_sync|rpc_remote|torch(?!\s*\.\s*\w)|" + "|".join(sorted(_FILE_NAMES)) + r")\b"
)


def check_script(path: str | Path) -> None:
    """Lets through TorchScript that touches no files, neither as it is loaded nor when it is called.

    Raises:
        ValueError: its code calls an operator that does, or uses a class of C++ that is not known to hold weights.
    """
    with checking(path):
        parts = ZipParts(path)
        try:
            for name in parts.names:
                if name.casefold().endswith(".py"):
                    check_code(parts.read(name).decode("utf-8", "replace"))
                elif name.casefold().endswith(".pkl"):
                    _check_classes(parts.read(name).decode("latin-1"))
            check_claims(parts)
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise Refused(f"a damaged part ({error})") from error
        finally:
            parts.close()


def check_code(code: str) -> None:
    """Lets through code of TorchScript that calls no operator by which files are written or read.

    Raises:
        Refused: it does, or names operators in a way that torch does not write.
    """
    for found in _STRINGS.finditer(code):
        if found[1] and _text_of(found[1]) in _FILE_NAMES:  # of getattr(value, "save")
            raise Refused(f"TorchScript that names {_text_of(found[1])}, by which files are written or read")
    bare = _STRINGS.sub('""', code).replace('""', " ")
    if "'" in bare or '"' in bare:
        raise Refused("TorchScript with a string that does not end")
    called = _CALL.search(bare)
    if called:
        raise Refused(f"TorchScript that uses {called[1]}, by which it could reach files or other machines")
    _check_classes(bare)
    for operator in _OPERATOR.finditer(bare):
        _check_operator(operator[1], operator[2])


def _text_of(strings: str) -> str:
    """What string literals, one behind the other, stand for."""
    unescaped = _ESCAPE.sub(lambda found: chr(int(found[1], 8)) if found[1].isdigit() else found[1], strings)
    return _QUOTES.sub("", unescaped)


def _check_classes(text: str) -> None:
    for found in _CLASS.finditer(text):
        if found[1] not in _CLASSES:
            raise Refused(f"TorchScript with a class of C++, of {found[1]}")


def _check_operator(namespace: str | None, name: str | None) -> None:
    if namespace is None:
        raise Refused("TorchScript that takes operators by another way than by their name")
    schemas = torch._C._jit_get_schemas_for_operator(f"{namespace}::{name}")
    if not all(map(is_harmless, schemas)):
        raise Refused(f"TorchScript that calls {namespace}::{name}, which takes texts or objects")
