"""What the folder of a sentence-transformers model says of how its vectors are made.

The format is that of https://sbert.net: modules.json names the modules that a text passes through, each with a
folder of its own. The first, a transformer, is the handler's model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Optional

from torch import nn

from ts.handler_utils.models.formats.weights import load_weights, read_weights
from ts.utils.documents import read_json

MODULES = "modules.json"
_PROMPTS = "config_sentence_transformers.json"

# Its ways of pooling, in the order in which the vectors of several are put one behind the other: our names for
# them by those of today's files, with the flags of older ones.
_WAYS = {
    "cls": ("cls", "pooling_mode_cls_token"),
    "max": ("max", "pooling_mode_max_tokens"),
    "mean": ("mean", "pooling_mode_mean_tokens"),
    "mean_sqrt_len_tokens": ("mean_sqrt_len", "pooling_mode_mean_sqrt_len_tokens"),
    "weightedmean": ("weightedmean", "pooling_mode_weightedmean_tokens"),
    "lasttoken": ("last", "pooling_mode_lasttoken"),
}
_KINDS = ("Transformer", "Pooling", "Dense", "Normalize", "Dropout")  # the last does nothing in an answer
_ORDER = re.compile("Transformer( Pooling)?( Dense)*( Normalize)?")
_ACTIVATIONS = ("Identity", "Tanh", "ReLU", "GELU", "SiLU", "Sigmoid")


@dataclass(frozen=True)
class Recipe:
    """How the vectors of a model are made of those of its tokens.

    Attributes:
        ways: of pooling, of `ts.handler_utils.embedding.pooling.WAYS`; none if nothing is known.
        layers: what the pooled vector passes through.
        normalize: whether it is scaled to length 1; None if nothing is known.
        prompts: what may be put before a text, by name.
        prompt: the name of the one that is, where a request names none.
        lower_case: whether texts are put into lower case, whatever the tokenizer does.
    """

    ways: tuple[str, ...] = ()
    layers: tuple[nn.Module, ...] = ()
    normalize: Optional[bool] = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    prompt: Optional[str] = None
    lower_case: bool = False


def read_recipe(folder: str | Path, device: Any = None) -> Recipe:
    """Reads the recipe of a model.

    Args:
        folder: with its modules.json; a folder without one has an empty recipe.
        device: where the weights of layers go.

    Raises:
        ValueError: a file is wrong, or the model has parts that are not known here; the message says which.
    """
    path = Path(folder, MODULES)
    if not path.is_file():
        return Recipe()
    modules = [(_kind(item), Path(folder, _inside(item.get("path", "")))) for item in _read(path, list)]
    kinds = " ".join(kind for kind, _ in modules if kind != "Dropout")
    if not _ORDER.fullmatch(kinds):
        raise ValueError(f"{MODULES}: modules in an order that is not known here: {kinds}")
    ways = [way for kind, place in modules if kind == "Pooling" for way in _ways(place / "config.json")]
    config = _read(Path(folder, _PROMPTS), dict)
    prompts = {name: text for name, text in (config.get("prompts") or {}).items() if isinstance(text, str)}
    if any(prompts.values()) and any(
        _leaves_out_prompt(place) for kind, place in modules if kind == "Pooling"
    ):
        raise ValueError(
            f"{MODULES}: a model whose prompts are not pooled (include_prompt: false) is not known here"
        )
    return Recipe(
        tuple(ways),
        tuple(_dense(place, device) for kind, place in modules if kind == "Dense"),
        kinds.endswith("Normalize"),
        prompts,
        config.get("default_prompt_name"),
        bool(_read(Path(folder, "sentence_bert_config.json"), dict).get("do_lower_case")),
    )


def _kind(module: Any) -> str:
    named = str(module.get("type", "")) if isinstance(module, dict) else ""
    kind = named.rpartition(".")[2]
    if not named.startswith("sentence_transformers.") or kind not in _KINDS:
        raise ValueError(f"{MODULES}: no module {named!r} is known here, but {', '.join(_KINDS)}")
    return kind


def _inside(path: Any) -> PurePosixPath:
    place = PurePosixPath(str(path))
    if place.is_absolute() or ".." in place.parts:
        raise ValueError(f"{MODULES}: a path leads out of the folder: {path}")
    return place


def _ways(path: Path) -> list[str]:
    config = _read(path, dict)
    named = config.get("pooling_mode")
    if named is None:
        return [way for way, flag in _WAYS.values() if config.get(flag)] or ["mean"]
    names = named if isinstance(named, list) else [named]
    unknown = [name for name in names if name not in _WAYS]
    if unknown:
        raise ValueError(
            f"{path.name} of {path.parent.name}: no pooling {unknown[0]!r}, but {', '.join(_WAYS)}"
        )
    return [_WAYS[name][0] for name in names]


def _leaves_out_prompt(folder: Path) -> bool:
    return _read(folder / "config.json", dict).get("include_prompt") is False


def _dense(folder: Path, device: Any) -> nn.Module:
    config = _read(folder / "config.json", dict)
    activation = str(config.get("activation_function") or "Tanh").rpartition(".")[2]
    inputs = config.get("module_input_name") or "sentence_embedding"
    if activation not in _ACTIVATIONS or inputs != "sentence_embedding" or config.get("use_residual"):
        raise ValueError(
            f"{folder.name} is a layer that is not known here: a linear one of sentence_embedding is, without a"
            f" residual, and then {', '.join(_ACTIVATIONS)}"
        )
    linear = nn.Linear(config["in_features"], config["out_features"], bias=config.get("bias", True))
    layer = nn.ModuleDict({"linear": linear})
    names = [name for name in ("model.safetensors", "pytorch_model.bin") if (folder / name).is_file()]
    if not names:
        raise FileNotFoundError(f"{folder.name} of the archive has no weights: model.safetensors")
    load_weights(layer, read_weights(folder / names[0], device), names[0], "Pack the folder as it was saved.")
    return nn.Sequential(linear, getattr(nn, activation)()).to(device).eval()


def _read(path: Path, kind: type) -> Any:
    """A JSON file; an empty value of that kind if there is none."""
    if not path.is_file():
        return kind()
    try:
        value = read_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path.name} {error}") from error
    if not isinstance(value, kind):
        raise ValueError(f"{path.name} holds no {kind.__name__}")
    return value
