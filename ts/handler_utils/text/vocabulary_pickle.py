"""Reads the objects that torchtext pickled, without torchtext and without running what else a pickle may name."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any, Callable

from ts.utils.plain_pickle import PlainUnpickler, checked_keys

# The first of the pickles that make up a file of torch.save before torch 1.6; the object is the fourth.
_LEGACY_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C

_TORCHTEXT_CLASSES = {
    ("torchtext.vocab", "Vocab"),
    ("torchtext.vocab.vocab", "Vocab"),
    ("torchtext.legacy.vocab", "Vocab"),
    ("torchtext._torchtext", "Vocab"),
}
_STORAGES = {"FloatStorage", "DoubleStorage", "HalfStorage", "LongStorage"}


class SavedObject:
    """Stands for an object of torchtext's.

    Attributes:
        state: what it was pickled with: the dictionary of a Python object, the tuple of a C++ one.
    """

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def load_pickle(path: str | Path) -> Any:
    """Reads one pickled object.

    Args:
        path: a file that `torch.save` (the zip of today, or the form before torch 1.6) or `pickle.dump` wrote.

    Returns:
        The object: plain Python values as they are, torchtext's as `SavedObject`s, tensors as None.

    Raises:
        pickle.UnpicklingError: it is damaged, or names a class that a vocabulary does not need.
    """
    path = Path(path)
    try:
        if zipfile.is_zipfile(path):
            return _VocabularyUnpickler(io.BytesIO(_read_data_pickle(path))).load()
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise pickle.UnpicklingError(f"the file is damaged: {error}") from error
    unpickler = _VocabularyUnpickler(io.BytesIO(path.read_bytes()))
    value = unpickler.load()
    if value == _LEGACY_MAGIC_NUMBER:
        unpickler.load(), unpickler.load()  # the version of the format, and facts about the machine
        value = unpickler.load()
    return value


def _read_data_pickle(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        found = [info for info in archive.infolist() if info.filename.endswith("/data.pkl")]
        if len(found) != 1:
            raise pickle.UnpicklingError("the zip file was not written by torch.save")
        if found[0].file_size > path.stat().st_size:
            raise pickle.UnpicklingError("the zip file is compressed, and so was not written by torch.save")
        return archive.read(found[0])


class _VocabularyUnpickler(PlainUnpickler):
    """Knows the containers and the classes that vocabularies are made of, and nothing else.

    What it gives out for a name is immutable or made anew: a pickle can also set attributes of a class.
    """

    def find_class(self, module_name: str, global_name: str) -> Any:
        plain = _PLAIN.get((module_name, global_name))
        if plain is not None:
            return plain
        if (module_name, global_name) in _TORCHTEXT_CLASSES:
            return type(global_name, (SavedObject,), {})
        if module_name == "torch" and global_name in _STORAGES:
            return global_name
        raise pickle.UnpicklingError(f"it names {module_name}.{global_name}, which no vocabulary needs")

    def persistent_load(self, pid: Any) -> None:
        """Word vectors, beside a vocabulary: they are in the model's weights already."""


def _dictionary(items: Any = ()) -> dict[Any, Any]:
    return checked_keys(items)


def _default_dictionary(_factory: Any = None) -> dict[Any, Any]:
    return {}


def _set(items: Any = ()) -> set[Any]:
    return set(checked_keys((item, None) for item in items))


def _unknown_index() -> int:
    return 0


def _no_tensor(*_: Any) -> None:
    return None


_PLAIN: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): _dictionary,
    ("collections", "Counter"): _dictionary,
    ("collections", "defaultdict"): _default_dictionary,
    ("builtins", "set"): _set,
    ("__builtin__", "set"): _set,
    ("torch._utils", "_rebuild_tensor_v2"): _no_tensor,
    ("torchtext.vocab", "_default_unk_index"): _unknown_index,
}
