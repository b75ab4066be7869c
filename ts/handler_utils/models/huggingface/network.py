"""Makes the network of a saved model folder, by transformers' own classes, and gives it its weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Optional

from ts.handler_utils.models.huggingface.heads import CONFIG, EMBEDDER, architecture_of, read_object
from ts.handler_utils.models.huggingface.library import import_transformers, offline
from ts.handler_utils.models.huggingface.untrusted import check_folder
from ts.handler_utils.models.huggingface.weights import read_file, read_folder
from ts.utils.documents import one_line

_SHOWN = 3


class SavedNetwork(NamedTuple):
    """A network with the weights of its folder.

    Attributes:
        model: the network, on the CPU, not in training.
        missing: names of weights that the folder has not, which are random; none of a network with a head.
    """

    model: Any
    missing: frozenset[str] = frozenset()


def load_network(
    folder: Path,
    handler: str,
    weights: Optional[Path] = None,
    *,
    trust_remote_code: bool = False,
    trust_pickle: bool = False,
) -> SavedNetwork:
    """Makes the network that config.json describes; nothing is downloaded.

    Args:
        folder: where config.json lies.
        handler: the default handler for it: see `ts.handler_utils.models.huggingface.heads`.
        weights: their file, if it has a name of its own.
        trust_remote_code: let the folder's own Python files make the network.
        trust_pickle: read any pickle, which runs the code in it.

    Raises:
        ImportError: transformers is missing, or what it needs for this network.
        ValueError: the folder is not whole, names code of its own, or does not fit together.
    """
    described = check_folder(folder, trust_remote_code=trust_remote_code)
    transformers = import_transformers()
    with offline():
        config = _config(transformers, folder, described, trust_remote_code)
        kind = _class_of(transformers, folder, handler, config, trust_remote_code)
        read = (
            read_folder(folder, trust_pickle=trust_pickle)
            if weights is None
            else read_file(weights, trust_pickle=trust_pickle)
        )
        model, found = _made(kind, config, read)
    missing = frozenset(found["missing_keys"])
    if missing and handler != EMBEDDER:
        raise ValueError(
            f"The folder lacks {len(missing)} weights of {kind.__name__} ({_some(missing)}), which would be"
            " random: save the whole trained model"
        )
    return SavedNetwork(model.eval(), missing)


def _config(transformers: Any, folder: Path, described: dict[str, Any], trust_remote_code: bool) -> Any:
    model_type = described["model_type"]
    if trust_remote_code and described.get("auto_map"):
        return transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=True)
    if model_type not in transformers.CONFIG_MAPPING:
        raise ValueError(
            f"{CONFIG} has model_type {model_type[:100]!r}, which transformers {transformers.__version__} does not"
            " know: a newer version may"
        )
    with _told(f"{CONFIG} is not one of a {model_type[:100]}"):
        return transformers.CONFIG_MAPPING[model_type].from_dict(described)


def _class_of(transformers: Any, folder: Path, handler: str, config: Any, trust_remote_code: bool) -> Any:
    name = architecture_of(read_object(folder / CONFIG)) or ""
    own = next((ref for ref in _own_classes(config) if ref.endswith(f".{name}")), None)
    if trust_remote_code and own:
        from transformers.dynamic_module_utils import get_class_from_dynamic_module

        return get_class_from_dynamic_module(own, folder, local_files_only=True)
    if handler == EMBEDDER:
        kinds = transformers.MODEL_MAPPING.get(type(config), None)
        kind = kinds[0] if isinstance(kinds, (tuple, list)) else kinds
    else:
        kind = getattr(transformers, name, None)
    is_network = isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel)
    if not is_network or not isinstance(config, getattr(kind, "config_class", None) or ()):
        raise ValueError(
            f"{CONFIG} names {name or 'no class'} and model_type {config.model_type}, for which transformers"
            f" {transformers.__version__} has no class"
        )
    return kind


def _own_classes(config: Any) -> Iterable[str]:
    found = getattr(config, "auto_map", None)
    return [ref for ref in found.values() if isinstance(ref, str)] if isinstance(found, dict) else []


def _made(kind: Any, config: Any, weights: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    with _told(f"The weights and {CONFIG} make no {kind.__name__}"):
        return kind.from_pretrained(
            None, config=config, state_dict=weights, dtype="auto", output_loading_info=True
        )


@contextmanager
def _told(sentence: str) -> Iterator[None]:
    """Tells what transformers says of a folder in one sentence: configs make it raise errors of any kind."""
    try:
        yield
    except ImportError as error:  # of timm, for a backbone
        raise ImportError(f"{sentence}: {one_line(error)}") from error
    except Exception as error:
        raise ValueError(f"{sentence}: {one_line(error)}") from error


def _some(names: Iterable[str]) -> str:
    known = sorted(names)
    return ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
