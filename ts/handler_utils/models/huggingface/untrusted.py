"""What a saved model folder may ask transformers for: nothing that runs code of its own, or lies elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ts.handler_utils.models.huggingface.heads import CONFIG, read_object

# Files that transformers reads classes and arguments from.
_JSON_FILES = (CONFIG, "tokenizer_config.json", "preprocessor_config.json", "processor_config.json")

# Of a config, and of the configs in it: whether a network is to begin with weights that are downloaded first.
_PRETRAINED = ("use_pretrained_backbone", "pretrained")

# How attention and the like are computed: a name may be that of code in a hub of kernels.
_KERNELS = (
    "attn_implementation",
    "_attn_implementation",
    "_attn_implementation_internal",
    "experts_implementation",
    "_experts_implementation",
    "kernel_config",
    "use_kernels",
    "fusion_config",
    "distributed_config",
)

# Keys of old tokenizers that name where whoever saved them had a file.
_NOT_READ = ("special_tokens_map_file", "tokenizer_config_file")

# What would have other files, or other people's code, read the weights.
_NOT_TAKEN = {
    "quantization_config": "is quantized, which takes code beside transformers' own: save it without quantization",
    "compression_config": "is compressed, which takes code beside transformers' own: save it uncompressed",
    "transformers_weights": "names another file of weights: save it as model.safetensors",
}


def check_folder(folder: Path, *, trust_remote_code: bool = False) -> dict[str, Any]:
    """The config of a saved model, without what would make transformers look elsewhere.

    Args:
        folder: where config.json lies.
        trust_remote_code: let the folder's own Python files make the model.

    Raises:
        ValueError: the folder is not one that is loaded; the message names the file, and the way out.
    """
    if (folder / "adapter_config.json").is_file() and not list(folder.glob("model*.safetensors")):
        raise ValueError(
            "adapter_config.json: the folder holds an adapter of PEFT, and no model: merge it into its model"
            " (merge_and_unload), save that, and pack it"
        )
    for name in _JSON_FILES:
        if (folder / name).is_file():
            content = read_object(folder / name)
            _check_paths(folder, name, content)
            if not trust_remote_code:
                _check_code(name, content)
    config = read_object(folder / CONFIG)
    for part in _mappings(config):
        for key, problem in _NOT_TAKEN.items():
            if part.get(key) is not None:
                raise ValueError(f"{CONFIG} has {key}: the model {problem}")
        for key in _KERNELS:
            part.pop(key, None)
        for key in _PRETRAINED:
            if part.get(key):
                part[key] = False
    return config


def _check_paths(folder: Path, name: str, content: Mapping[str, Any]) -> None:
    """Refuses other files of this machine: tokenizers read what `tokenizer_file` and the like name."""
    inside = folder.resolve()
    for key, value in content.items():
        if not key.endswith("_file") or key in _NOT_READ or not isinstance(value, str) or "\0" in value:
            continue
        path = (folder / value).resolve()
        if inside not in path.parents and path.exists():
            raise ValueError(f"{name} names {value[:100]!r} as its {key}, which is no file of the folder")


def _check_code(name: str, content: Mapping[str, Any]) -> None:
    code = next((part["auto_map"] for part in _mappings(content) if part.get("auto_map")), None)
    if code is None:
        return
    named = sorted({_file_of(text) for text in _texts(code)}) or ["code"]
    raise ValueError(
        f"{name} names code of the folder's own in `auto_map` ({', '.join(named)}), which is not run: set"
        " handler.trust_remote_code: true in model-config.yaml if you trust whoever wrote it, or remove `auto_map`"
        " if transformers has a class of its own for the model"
    )


def _file_of(reference: str) -> str:
    """The file of "modeling_x.Class" or "owner/repository--modeling_x.Class"."""
    return f"{reference.rpartition('.')[0] or reference}.py"[:100]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    """All JSON objects in a value, itself included."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, (list, dict)):
        for item in list(value.values() if isinstance(value, dict) else value):
            yield from _mappings(item)
