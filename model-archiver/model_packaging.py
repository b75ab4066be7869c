"""`torch-model-archiver`: the table of default handlers, and the entry points."""

from __future__ import annotations

import sys
from argparse import Namespace

from . import model_packaging_utils
from .architecture import pack_architecture
from .arg_parser import ArgParser
from .model_archiver_config import ModelArchiverConfig
from .model_archiver_error import ModelArchiverError
from .model_packaging_utils import ModelExportUtils

__all__ = [
    "ArgParser",
    "ModelArchiverConfig",
    "ModelArchiverError",
    "ModelExportUtils",
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
    "embedder": "anything",
    "vllm_handler": "text",
    "trt_llm_handler": "text",
}


# torchserve's archiver has the table in that module, where tools look names up and add rows.
model_packaging_utils.model_handlers = model_handlers


def generate_model_archive(config: Namespace | ModelArchiverConfig | None = None) -> None:
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
    config = ArgParser.export_model_args_parser()
    import logging  # like all that packing needs, only once there is something to pack

    logging.basicConfig(format="torch-model-archiver: warning: %(message)s")
    try:
        if isinstance(config.architecture, str):  # not the mock that a test may have put in a config's place
            sys.stdout.write(f"{pack_architecture(config)}\n")
        else:
            package_model(config)
    except ModelArchiverError as error:
        sys.exit(f"torch-model-archiver: error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)  # as shells report a Ctrl-C


def package_model(config: Namespace | ModelArchiverConfig, manifest: str | None = None) -> None:
    """Makes a model archive.

    Args:
        config: What to pack; any object with the fields of a `ModelArchiverConfig` as attributes will do.
        manifest: JSON to use as the manifest in place of the one that `config` stands for.

    Raises:
        InputNotFoundError: A file is missing; also a `FileNotFoundError`.
        ArchiveExistsError: There is an archive already, and no `force`; also a `FileExistsError`.
        ModelArchiverError: The archive cannot be made; what was there before is as it was.
    """
    config = ModelArchiverConfig.from_args(config)
    if config.architecture:
        pack_architecture(config)
        return
    ModelExportUtils.validate_inputs(config.model_name, config.export_path)
    plan = ModelExportUtils.make_plan(config)
    manifest = manifest or ModelExportUtils.generate_manifest_json(config, plan)
    ModelExportUtils.archive(
        config.export_path, config.model_name, plan, manifest, config.archive_format, config.force
    )


if __name__ == "__main__":
    generate_model_archive()
