"""`torch-model-archiver`: the table of default handlers, and the way from a config to an archive."""

from __future__ import annotations

import json
import sys

from .arg_parser import ArgParser
from .manifest_components.manifest import Manifest
from .manifest_components.model import Model
from .model_archiver_config import ModelArchiverConfig
from .model_archiver_error import ModelArchiverError
from .packing import pack
from .plan import Plan, make_plan
from .target import archive_format, archive_path

__all__ = [
    "ArgParser",
    "ModelArchiverConfig",
    "ModelArchiverError",
    "generate_model_archive",
    "model_handlers",
    "package_model",
]

# The handlers that `--handler NAME` takes without a file, a row each: the module's name in ts/torch_handler, and
# the kind of data that it answers. For kind "text" the manifest's sourceVocab names an extra file source_vocab.pt.
model_handlers = {
    "base_handler": "anything",
    "image_classifier": "vision",
    "image_segmenter": "vision",
    "object_detector": "vision",
    "dali_image_classifier": "vision",
    "text_classifier": "text",
    "vllm_handler": "text",
    "trt_llm_handler": "text",
}

SOURCE_VOCAB = "source_vocab.pt"


def generate_model_archive(config: ModelArchiverConfig | None = None) -> None:
    """Makes a model archive; the console command `torch-model-archiver`.

    Args:
        config: What to pack. Without one the command line is read, and a failure ends the process, with status 1
            and one sentence on standard error, or with 2 for wrong usage.

    Raises:
        ModelArchiverError: The archive cannot be made; what was there before is as it was.
    """
    if config is not None:
        package_model(config)
        return
    arguments = ArgParser.export_model_args_parser().parse_args()
    try:
        package_model(ModelArchiverConfig.from_args(arguments))
    except ModelArchiverError as error:
        sys.exit(f"torch-model-archiver: error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)  # as shells report a Ctrl-C


def package_model(config: ModelArchiverConfig, manifest: str | None = None) -> None:
    """Makes a model archive.

    Args:
        config: What to pack.
        manifest: JSON to use as the manifest in place of the one that `config` stands for.

    Raises:
        ModelArchiverError: The archive cannot be made; what was there before is as it was.
    """
    form = archive_format(config)
    target = archive_path(config, form)
    plan = make_plan(config, target, model_handlers)
    contents = json.loads(manifest or str(_manifest(config, plan)))
    pack(plan, contents, form, config.model_name, target, config.force)


def _manifest(config: ModelArchiverConfig, plan: Plan) -> Manifest:
    takes_vocabulary = model_handlers.get(plan.handler) == "text"
    has_vocabulary = any(entry.name == SOURCE_VOCAB for entry in plan.entries)
    model = Model(
        model_name=config.model_name,
        serialized_file=config.serialized_file,
        handler=plan.handler,
        model_file=config.model_file,
        model_version=config.version,
        requirements_file=config.requirements_file,
        config_file=config.config_file,
        source_vocab=SOURCE_VOCAB if takes_vocabulary and has_vocabulary else None,
    )
    return Manifest(config.runtime, model)
