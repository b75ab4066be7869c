"""Files of torch.export and AOTInductor packages: which of their parts torch reads, and what these may hold.

The layouts are those of torch/_export/__init__.py (up to 2.7) and torch/export/pt2_archive (from 2.8 on).
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

from ts.handler_utils.models.formats.untrusted.pickles import check_plain
from ts.handler_utils.models.formats.untrusted.program import check_program, parse_json
from ts.handler_utils.models.formats.untrusted.refusal import TRUSTED, Refused, checking
from ts.handler_utils.models.formats.untrusted.zip_parts import ZipParts

# Before 2.8, names of the archive itself; state dicts and constants are pickles, under either name.
_OLD_PROGRAM = "serialized_exported_program.json"
_OLD_PICKLES = (
    "serialized_state_dict.pt",
    "serialized_state_dict.json",
    "serialized_constants.pt",
    "serialized_constants.json",
    "serialized_example_inputs.pt",
)
_PICKLES = ("data/weights/", "data/constants/", "data/sample_inputs/")
_WEIGHTS_OF = {
    "data/weights/model_weights_config.json": "data/weights/",
    "data/constants/model_constants_config.json": "data/constants/",
}


def check_exported(path: str | Path, way_out: str = TRUSTED) -> None:
    """Lets through a file of torch.export.save, or an AOTInductor package, from which torch runs no Python code.

    Of a package this says nothing of its compiled library.

    Args:
        path: the file.
        way_out: a sentence that says what to do where it is refused.

    Raises:
        ValueError: it holds a pickle of other objects than tensors, or a text that would be run; the message says
            which.
    """
    with checking(path, way_out):
        parts = ZipParts(path)
        try:
            for name in parts.names:
                _check_part(parts, name)
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise Refused(f"a damaged part ({error})") from error
        finally:
            parts.close()


def _check_part(parts: ZipParts, name: str) -> None:
    inner = name.partition("/")[2].casefold()
    if name.casefold() in _OLD_PICKLES or (inner.startswith(_PICKLES) and inner.endswith(".pt")):
        check_plain(parts.read(name), name)
    elif name.casefold() == _OLD_PROGRAM or inner == "models/model.json":
        check_program(parse_json(parts.read(name), name))
    elif inner in _WEIGHTS_OF:
        config = parse_json(parts.read(name), name)
        check_program(config)
        folder = name[: -len(inner)] + _WEIGHTS_OF[inner]
        _check_sizes(parts, config, folder)
    elif inner.startswith("models/") and not inner.endswith("/"):
        raise Refused(f"a second model, {name}")
    elif inner.endswith(".json"):
        parse_json(parts.read(name), name)  # which is read later


def _check_sizes(parts: ZipParts, config: Any, folder: str) -> None:
    """Refuses weights of no bytes that claim a size: torch would make them of zeros, as many as they claim."""
    try:
        for weights in config["config"].values():
            sizes = [size["as_int"] for size in weights["tensor_meta"]["sizes"]]
            if math.prod(sizes) and not parts.size(folder + weights["path_name"]):
                raise Refused(f"weights of {sizes} in {weights['path_name']}, which is empty")
    except (KeyError, TypeError, AttributeError) as error:
        raise Refused(f"weights whose description is damaged ({error})") from error
