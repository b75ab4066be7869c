"""The command line of torch-model-archiver."""

from __future__ import annotations

import argparse
import os

from .manifest_components.manifest import RuntimeType
from .model_archiver_config import ARCHIVE_FORMATS, ModelArchiverConfig

__all__ = ["ArgParser", "ModelArchiverConfig", "RuntimeType"]

DESCRIPTION = "Pack a model, its handler and its files into one archive that TorchServe serves."

EPILOG = """\
archive formats:
  default     NAME.mar, a zip file: files that compress are deflated, others are stored
  zip-store   NAME.mar, a zip file with every file stored
  tgz         NAME.tar.gz, its members inside a folder NAME (as SageMaker takes it)
  no-archive  a folder NAME that holds the files as they are

Set SOURCE_DATE_EPOCH (seconds since 1970) for archives that are the same byte for byte every time
(default and tgz: with the same zlib; zip-store and no-archive: always).
Exit status: 0 packed, 1 could not be packed (the reason is on standard error), 2 wrong usage.
"""


class ArgParser:
    """Namespace of the command line's reader, named as torchserve's archiver names it."""

    @staticmethod
    def export_model_args_parser() -> ModelArchiverConfig:
        """Returns what the command line (`sys.argv`) asks for; wrong usage ends the process with status 2."""
        return ModelArchiverConfig.from_args(make_parser().parse_args())


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser; its results are what `ModelArchiverConfig.from_args` takes."""
    parser = argparse.ArgumentParser(
        prog="torch-model-archiver",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_model_options(parser)
    _add_files(parser)
    _add_output_options(parser)
    return parser


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model-name", required=True, help="name of the model, and of the archive without its suffix"
    )
    parser.add_argument("-v", "--version", required=True, help="version of the model, e.g. 1.0")
    parser.add_argument(
        "--handler",
        required=True,
        type=os.path.expanduser,
        help="a default handler's name (e.g. image_classifier), FILE.py, FILE.py:FUNCTION, "
        "or PACKAGE.MODULE, whose package is packed whole",
    )
    parser.add_argument(
        "--runtime",
        choices=[runtime.value for runtime in RuntimeType],
        default=RuntimeType.PYTHON.value,
        help="what runs the handler (default: %(default)s; LSP is TorchServe's C++ backend)",
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--serialized-file",
        metavar="FILE",
        type=os.path.expanduser,
        help="weights (.pt, .pth, .bin, .safetensors), TorchScript (.pt), torch.export or AOTInductor (.pt2, "
        ".so), or .onnx",
    )
    parser.add_argument(
        "--model-file",
        metavar="FILE",
        type=os.path.expanduser,
        help="Python file with the model's one torch.nn.Module class (eager models); in its place, handler: "
        "architecture in the config file names a network of torchvision",
    )
    parser.add_argument(
        "--extra-files",
        metavar="PATHS",
        action="append",
        help="comma separated files, folders (their content keeps its tree) and patterns, of which ** stands for "
        "folders of any depth; may be repeated",
    )
    parser.add_argument(
        "-r",
        "--requirements-file",
        metavar="FILE",
        type=os.path.expanduser,
        help="requirements.txt of the model",
    )
    parser.add_argument(
        "-c", "--config-file", metavar="FILE", type=os.path.expanduser, help="model-config.yaml of the model"
    )


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--export-path",
        metavar="FOLDER",
        type=os.path.expanduser,
        default=os.getcwd(),
        help="where the archive goes (default: here)",
    )
    parser.add_argument(
        "--archive-format",
        choices=ARCHIVE_FORMATS,
        default="default",
        help="see below (default: %(default)s)",
    )
    parser.add_argument("-f", "--force", action="store_true", help="replace an archive of the same name")
    parser.add_argument(
        "--no-check",
        action="store_true",
        help="say as a warning, and not as an error, what TorchServe could not load (files that are missing, or "
        "would overwrite each other, stay errors)",
    )
