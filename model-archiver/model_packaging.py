"""`torch-model-archiver`: the table of default handlers, and the entry points."""

from __future__ import annotations

import sys

from .arg_parser import ArgParser
from .model_archiver_config import ModelArchiverConfig
from .model_archiver_error import ModelArchiverError

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
    import logging  # like all that packing needs, only once there is something to pack

    logging.basicConfig(format="torch-model-archiver: warning: %(message)s")
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
    from .packing import pack  # --help and wrong usage are answered without it

    pack(config, model_handlers, manifest)
