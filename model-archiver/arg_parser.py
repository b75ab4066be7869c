"""The command line of torch-model-archiver."""

from __future__ import annotations

import argparse
import os
from typing import Any

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

a network by name:
  --architecture NAME --weights WEIGHTS packs a network of torchvision, or of timm as timm/NAME, in one step: its
  handler, its settings and its labels are those of the weights, and --model-name and --version may be left out.
  The archive is written if it answers a made-up photo as the network does. Needs torch and torchvision.

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


class Parser(argparse.ArgumentParser):
    """Knows which options are required: the name, version and handler, unless an architecture stands for them."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses as `ArgumentParser` does; a network by name gets the defaults of what is left out."""
        found, rest = super().parse_known_args(args, namespace)
        if found.architecture is None:
            self._require(found)
        else:
            found.model_name = found.model_name or found.architecture.rpartition("/")[2]
            found.version = found.version or "1.0"
            found.handler = found.handler or ""
        return found, rest

    def _require(self, found: argparse.Namespace) -> None:
        names = {"model_name": "--model-name", "version": "-v/--version", "handler": "--handler"}
        missing = [option for name, option in names.items() if getattr(found, name) is None]
        if missing:
            self.error(f"the following arguments are required: {', '.join(missing)}")
        for name in ("weights", "labels"):
            if getattr(found, name) is not None:
                self.error(f"argument --{name}: it is of a network by name: give its --architecture")


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser; its results are what `ModelArchiverConfig.from_args` takes."""
    parser = Parser(
        prog="torch-model-archiver",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_model_options(parser)
    _add_architecture(parser)
    _add_files(parser)
    _add_output_options(parser)
    return parser


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model-name", help="name of the model, and of the archive without its suffix (required)"
    )
    parser.add_argument("-v", "--version", help="version of the model, e.g. 1.0 (required)")
    parser.add_argument(
        "--handler",
        type=os.path.expanduser,
        help="a default handler's name (e.g. image_classifier), FILE.py, FILE.py:FUNCTION, "
        "or PACKAGE.MODULE, whose package is packed whole (required)",
    )
    parser.add_argument(
        "--runtime",
        choices=[runtime.value for runtime in RuntimeType],
        default=RuntimeType.PYTHON.value,
        help="what runs the handler (default: %(default)s; LSP is TorchServe's C++ backend)",
    )


def _add_architecture(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--architecture",
        metavar="NAME",
        help="a network of torchvision, or timm/NAME, in place of files; see below",
    )
    parser.add_argument(
        "--weights",
        metavar="WEIGHTS",
        help="of the architecture: IMAGENET1K_V2 or another of torchvision's weights, timm's tag, DEFAULT (the "
        "default), or a file with a state dict; those with a name are downloaded unless torch's cache has them",
    )
    parser.add_argument(
        "--labels",
        metavar="FILE",
        type=os.path.expanduser,
        help="of the architecture's classes, a line each or JSON; by default those of the weights",
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
