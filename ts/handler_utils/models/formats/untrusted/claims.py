"""What pickles of torch claim of their tensors, held against the bytes that the archive has for them.

torch before 2.6 takes the size of a storage from the pickle, and the C++ reader of TorchScript does so today, and
did not hold tensors against their storage: a model of such a file would read the memory of the process.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

from ts.handler_utils.models.formats.untrusted.refusal import Refused, shown
from ts.handler_utils.models.formats.untrusted.zip_parts import ZipParts
from ts.utils.plain_pickle import PlainUnpickler

# What torch.jit.trace was called with: without its values, and not read again.
_UNREAD = "/traced_inputs.pkl"

# Of an element of each kind of storage.
_BYTES = {
    "UntypedStorage": 1,
    "BoolStorage": 1,
    "ByteStorage": 1,
    "CharStorage": 1,
    "ShortStorage": 2,
    "IntStorage": 4,
    "LongStorage": 8,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "FloatStorage": 4,
    "DoubleStorage": 8,
    "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16,
    "QInt8Storage": 1,
    "QUInt8Storage": 1,
    "QUInt4x2Storage": 1,
    "QUInt2x4Storage": 1,
    "QInt32Storage": 4,
}


def check_claims(parts: ZipParts) -> None:
    """Lets through an archive whose tensors lie within their storages, and these within the archive.

    Raises:
        Refused: one does not, or a pickle is damaged.
    """
    for name in parts.names:
        if name.casefold().endswith(".pkl") and not name.endswith(_UNREAD):
            try:
                _Claims(parts, name).load()
            except pickle.UnpicklingError as error:
                raise Refused(f"a pickle {name} of an unusual kind ({error})") from error


class _Storage:
    """Stands for a storage of a number of elements."""

    def __init__(self, elements: int) -> None:
        self.elements = elements


class _Anything(dict[Any, Any]):
    """Stands for all that a pickle makes otherwise."""

    def __init__(self, *_: Any) -> None:
        super().__init__()

    def append(self, _: Any) -> None: ...

    def extend(self, _: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...


class _Claims(PlainUnpickler):
    """Reads a pickle for what it says of tensors, and makes none of its objects."""

    def __init__(self, parts: ZipParts, name: str) -> None:
        super().__init__(io.BytesIO(parts.read(name)))
        self._parts = parts
        self._folder = name[: -len(".pkl")]

    def find_class(self, module_name: str, global_name: str) -> Any:
        if global_name.endswith("Storage"):
            return global_name
        return _check_tensor if global_name.startswith("_rebuild_") else _Anything

    def persistent_load(self, pid: Any) -> Any:
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage"):
            return _Anything()
        _, kind, key, _, elements = pid
        part = f"{self._folder}/{key}"
        if part not in self._parts.names or type(elements) is not int or not isinstance(kind, str):
            raise Refused(f"a tensor of the part {shown(part)}, which is not there")
        found = self._parts.size(part)
        if elements * _BYTES.get(kind, 0) != found:
            raise Refused(f"a tensor of {elements} elements in {part}, which has {found} bytes")
        return _Storage(elements)


def _check_tensor(*arguments: Any) -> Any:
    """Holds what torch._utils._rebuild_tensor_v2, or another that begins like it, gets against the storage."""
    if len(arguments) >= 4 and isinstance(arguments[0], _Storage):
        storage, offset, sizes, strides = arguments[:4]
        numbers = [offset, *sizes, *strides]
        if len(sizes) != len(strides) or any(type(number) is not int or number < 0 for number in numbers):
            raise Refused("a tensor of sizes that are no whole numbers from 0 on")
        last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides))
        if 0 not in sizes and last >= storage.elements:
            raise Refused(
                f"a tensor of the sizes {list(sizes)[:8]} in a storage of {storage.elements} elements"
            )
    return _Anything()
