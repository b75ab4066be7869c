"""The steps of torch-model-archiver one by one, under the names that converters and tools import."""

from __future__ import annotations

import os
import re
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .manifest_components.manifest import Manifest, RuntimeType
from .manifest_components.model import Model
from .model_archiver_config import ModelArchiverConfig
from .model_archiver_error import ArchiveExistsError, ModelArchiverError

if TYPE_CHECKING:
    from .inputs.plan import Plan

__all__ = [
    "MANIFEST_FILE_NAME",
    "MAR_INF",
    "MODEL_ARCHIVE_VERSION",
    "MODEL_SERVER_VERSION",
    "Manifest",
    "Model",
    "ModelArchiverConfig",
    "ModelArchiverError",
    "ModelExportUtils",
    "RuntimeType",
    "archiving_options",
    "model_handlers",
]

archiving_options = {"tgz": ".tar.gz", "no-archive": "", "zip-store": ".mar", "default": ".mar"}
"""What follows the model's name in an archive's name, by the value of `--archive-format`."""

model_handlers: dict[str, str] = {}
"""The table of default handlers, which is model_packaging's."""

MODEL_SERVER_VERSION = "1.0"
MODEL_ARCHIVE_VERSION = "1.0"
MANIFEST_FILE_NAME = "MANIFEST.json"
MAR_INF = "MAR-INF"


def __getattr__(name: str) -> Any:
    """Tests of torchserve replace `zipfile.ZipFile` by this module's name for it; --help does without both."""
    if name not in ("tarfile", "zipfile"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    from . import packing  # noqa: F401  # which takes what it needs before anything is replaced

    return importlib.import_module(name)


class ModelExportUtils:
    """The steps by which an archive is made, each a function.

    Wherever a config is taken, any object with its fields as attributes will do: a `Namespace`, say.
    """

    @staticmethod
    def get_archive_export_path(export_file_path: str, model_name: str, archive_format: str) -> str:
        """Returns the path of the archive in the folder `export_file_path`."""
        return os.path.join(export_file_path, f"{model_name}{archiving_options.get(archive_format)}")

    @staticmethod
    def check_mar_already_exists(
        model_name: str, export_file_path: str | None, overwrite: bool, archive_format: str = "default"
    ) -> str:
        """Refuses an archive that is there already, unless `overwrite`.

        Returns:
            The folder that the archive goes to: `export_file_path`, or the working directory.

        Raises:
            ArchiveExistsError: There is one.
        """
        folder = os.getcwd() if export_file_path is None else export_file_path
        path = ModelExportUtils.get_archive_export_path(folder, model_name, archive_format)
        if os.path.exists(path) and not overwrite:
            raise ArchiveExistsError(f"{path} exists already; -f replaces it")
        return folder

    @staticmethod
    def find_unique(files: Iterable[str], suffix: str) -> str | None:
        """Returns the one file that ends in `suffix`, None if there is none.

        Raises:
            ModelArchiverError: There are several.
        """
        found = [file for file in files if file.endswith(suffix)]
        if len(found) > 1:
            raise ModelArchiverError(
                f"only one {suffix} file may be packed, and there are {', '.join(found)}"
            )
        return found[0] if found else None

    @staticmethod
    def make_plan(config: Namespace | ModelArchiverConfig) -> Plan:
        """Checks everything that `config` asks for; nothing is written.

        Returns:
            Every file, and its place in the archive.

        Raises:
            ModelArchiverError: The archive cannot be made.
        """
        from .packing import plan_archive

        return plan_archive(ModelArchiverConfig.from_args(config), model_handlers)

    @staticmethod
    def generate_model(modelcfg: Namespace | ModelArchiverConfig) -> Model:
        """Makes the manifest's part of the model."""
        from .packing import make_model

        return make_model(ModelArchiverConfig.from_args(modelcfg))

    @staticmethod
    def generate_manifest_json(config: Namespace | ModelArchiverConfig, plan: Plan | None = None) -> str:
        """Makes the manifest, as JSON.

        Args:
            config: What is packed.
            plan: Its files; with them the manifest names a text handler's vocabulary.
        """
        from .packing import make_manifest

        config = ModelArchiverConfig.from_args(config)
        return str(make_manifest(config, plan, model_handlers.get(config.handler)))

    @staticmethod
    def clean_temp_files(temp_files: Iterable[str]) -> None:
        """Removes files."""
        for file in temp_files:
            os.remove(file)

    @staticmethod
    def make_dir(d: str) -> None:
        """Makes a folder and those above it, unless it is there."""
        os.makedirs(d, exist_ok=True)

    @staticmethod
    def copy_artifacts(model_name: str, runtime: str, **kwargs: str | None) -> str:
        """Copies files to the places that they have in an archive, below a new temporary folder.

        Args:
            model_name: The model's name.
            runtime: A value of `RuntimeType`.
            kwargs: Paths by option: `handler`, `extra_files` and any other that names one file.

        Returns:
            The folder, which is the caller's to remove.

        Raises:
            InputNotFoundError: A file is missing.
            ModelArchiverError: A file cannot be read, or is in conflict with another.
        """
        import shutil
        import tempfile

        from .packing import stage

        folder = tempfile.mkdtemp(prefix=f"{model_name}.")
        try:
            stage(Path(folder).resolve(), runtime, kwargs, model_handlers)
        except ModelArchiverError:
            shutil.rmtree(folder)
            raise
        return folder

    @staticmethod
    def archive(
        export_file: str,
        model_name: str,
        model_path: str | Plan,
        manifest: str,
        archive_format: str = "default",
        replace: bool = True,
    ) -> None:
        """Makes an archive.

        Args:
            export_file: The folder that it goes to.
            model_name: The model's name.
            model_path: A folder that holds what is packed, or the plan of it.
            manifest: The manifest's JSON; the files' digests are added.
            archive_format: A value of `--archive-format`.
            replace: An archive that is there already is replaced, in the moment the new one is complete.

        Raises:
            ModelArchiverError: The archive cannot be made; what was there before is as it was.
        """
        from .packing import pack_plan, plan_folder

        plan = plan_folder(Path(model_path)) if isinstance(model_path, (str, Path)) else model_path
        pack_plan(plan, manifest, export_file, model_name, archive_format, replace)

    @staticmethod
    def archive_dir(path: str, dst: Any, archive_format: str, model_name: str) -> None:
        """Adds the files of a folder to an archive that is open.

        Args:
            path: The folder; what `directory_filter` weeds out is left out.
            dst: A TarFile for `tgz`, a folder's path for `no-archive`, else a ZipFile.
            archive_format: A value of `--archive-format`.
            model_name: The folder of the members in a TarFile.
        """
        import shutil

        for folder, below, files in os.walk(path):
            below[:] = [name for name in below if ModelExportUtils.directory_filter(name, _UNWANTED)]
            for file in (os.path.join(folder, name) for name in files):
                place = os.path.relpath(file, path)
                if archive_format == "tgz":
                    dst.add(file, arcname=os.path.join(model_name, place))
                elif archive_format == "no-archive":
                    os.makedirs(os.path.dirname(os.path.join(dst, place)), exist_ok=True)
                    shutil.copy(file, os.path.join(dst, place))
                else:
                    dst.write(file, place)

    @staticmethod
    def directory_filter(directory: str, unwanted_dirs: Iterable[str]) -> bool:
        """Returns whether a folder of this name is kept: neither hidden nor unwanted."""
        return directory not in unwanted_dirs and not directory.startswith(".")

    @staticmethod
    def file_filter(current_file: str, files_to_exclude: Iterable[str]) -> bool:
        """Returns whether a file of this name is kept: neither excluded nor the manifest nor a leftover."""
        excluded = {*files_to_exclude, MANIFEST_FILE_NAME}
        return current_file not in excluded and not current_file.endswith((".pyc", ".DS_Store", ".mar"))

    @staticmethod
    def check_model_name_regex_or_exit(model_name: str) -> None:
        """Refuses a name that TorchServe would refuse.

        Raises:
            ModelArchiverError: It is none.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_\-.]*", model_name):
            raise ModelArchiverError(
                f"{model_name!r} is no model name: it takes letters, digits, '_', '-' and '.', "
                "and begins with a letter or a digit"
            )

    @staticmethod
    def validate_inputs(model_name: str, export_path: str) -> None:
        """Refuses a name that TorchServe would refuse, and an export path that is no folder.

        Raises:
            ModelArchiverError: One of them is wrong.
        """
        ModelExportUtils.check_model_name_regex_or_exit(model_name)
        if not os.path.isdir(export_path):
            raise ModelArchiverError(f"the export path {export_path} is not a folder")


_UNWANTED = frozenset({"__MACOSX", "__pycache__"})
