"""What a private TorchServe is started with: its archives, its config.properties and its environment."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

from ts.runner.answering.device import gpu_id
from ts.runner.answering.metrics_file import read_metrics_file
from ts.runner.archives.archive import open_archive
from ts.runner.archives.extract import is_zip
from ts.runner.errors import ServerError
from ts.runner.torchserve.java import java_home

HOST = "127.0.0.1"
LARGEST_BODY = 100 * 1024 * 1024  # bytes; TorchServe's own limit, 6.5 MB, is less than many photos and masks


@dataclass(frozen=True)
class ServedModel:
    """A model by the names that TorchServe has for it, and where its archive is."""

    name: str
    version: str
    handler: str
    archive: Path
    suffix: str


@dataclass(frozen=True)
class Ports:
    inference: int
    management: int
    metrics: int
    grpc_inference: int
    grpc_management: int


def served_models(paths: Sequence[Union[str, Path]], max_size: Optional[int] = None) -> list[ServedModel]:
    """Checks the archives, so that a wrong one is named before a server starts.

    Args:
        paths: The archives, by what `open_archive` opens.
        max_size: The bytes that each may unpack to; see `open_archive`.

    Raises:
        ArchiveError: One of them breaks the format.
        ServerError: None is given, or two have the same name and version.
    """
    models = [served_model(path, max_size) for path in paths]
    keys = [(model.name, model.version) for model in models]
    for key in keys:
        if keys.count(key) > 1:
            raise ServerError(f"two archives hold version {key[1]} of the model {key[0]!r}")
    if not models:
        raise ServerError("there is no archive to serve")
    return models


def served_model(path: Union[str, Path], max_size: Optional[int]) -> ServedModel:
    with open_archive(path, max_size=max_size) as archive:
        if archive.is_saved_model:
            raise ServerError(
                f"{archive.origin} is a saved model folder, and TorchServe serves archives: pack it by"
                f" torch-model-archiver --model-name {archive.name} -v 1.0 --handler {archive.handler}"
                f" --extra-files {archive.origin}"
            )
        source = archive.source.resolve()
        suffix = "" if source.is_dir() else ".mar" if is_zip(source) else ".tar.gz"
        return ServedModel(archive.name, archive.model["modelVersion"], archive.handler, source, suffix)


def metrics_settings(path: Union[str, Path, None]) -> dict[str, str]:
    """The keys of config.properties by which TorchServe knows a file's metrics, and shows them in its metrics API.

    Raises:
        InputError: A worker would not start with the file.
    """
    if path is None:
        return {}
    read_metrics_file(path)
    return {"metrics_config": str(Path(path).resolve()), "metrics_mode": "prometheus"}


def choose_ports(inference: int) -> Ports:
    """The given inference port, or with 0 a free one, and free ones for the rest.

    Raises:
        ServerError: The port is taken.
    """
    with ExitStack() as stack:
        try:
            sockets = [stack.enter_context(listener(port)) for port in (inference, 0, 0, 0, 0)]
        except (OSError, OverflowError) as error:
            raise ServerError(f"port {inference} cannot be listened on: {error}") from error
        return Ports(*(bound.getsockname()[1] for bound in sockets))


def listener(port: int) -> socket.socket:
    result = socket.socket()
    result.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        result.bind((HOST, port))
        result.listen()
    except BaseException:
        result.close()
        raise
    return result


def store_name(index: int, model: ServedModel) -> str:
    """What the archive of a model is called in the model store."""
    return f"archive-{index}{model.suffix}"


def lay_out(
    folder: Path, models: Sequence[ServedModel], ports: Ports, device: str, config: Mapping[str, str]
) -> Path:
    """Writes the model store and config.properties into `folder`.

    Returns:
        The path of config.properties.
    """
    store = folder / "store"
    store.mkdir()
    names = [store_name(index, model) for index, model in enumerate(models)]
    for name, model in zip(names, models):
        (store / name).symlink_to(model.archive, target_is_directory=model.archive.is_dir())
    settings = {
        "inference_address": f"http://{HOST}:{ports.inference}",
        "management_address": f"http://{HOST}:{ports.management}",
        "metrics_address": f"http://{HOST}:{ports.metrics}",
        "grpc_inference_port": str(ports.grpc_inference),
        "grpc_management_port": str(ports.grpc_management),
        "model_store": str(store),
        "load_models": ",".join(names),
        "default_workers_per_model": "1",
        "disable_token_authorization": "true",
        "disable_system_metrics": "true",
        "max_request_size": str(LARGEST_BODY),
        "max_response_size": str(LARGEST_BODY),
        # Worker sockets and unpacked archives go to Java's temporary folder, which follows no TMPDIR.
        "vmargs": f"-Djava.io.tmpdir={folder} -XX:-UsePerfData",
        **({"number_of_gpu": "0"} if device == "cpu" else {}),
        **config,
    }
    path = folder / "config.properties"
    path.write_text("".join(f"{key}={escape(value)}\n" for key, value in settings.items()), encoding="ascii")
    return path


def escape(value: str) -> str:
    """A value in the syntax of java.util.Properties: backslashes doubled, and ASCII only."""
    text = value.replace("\\", "\\\\").replace("\n", "\\n")
    return "".join(char if char.isascii() else f"\\u{ord(char):04x}" for char in text)


def environment(folder: Path, log_dir: Path, device: str, env: Optional[Mapping[str, str]]) -> dict[str, str]:
    """The server's environment: `env` or else this process's, and what keeps the server inside `folder`.

    Raises:
        DeviceError: There is no such device.
        ServerError: There is no Java.
    """
    result = dict(os.environ if env is None else env)
    result.pop("TS_CONFIG_FILE", None)  # would win over the one on the command line
    result.update(
        JAVA_HOME=str(java_home(result)),
        TMPDIR=str(folder),  # with the pid file by which TorchServe refuses to start twice
        LOG_LOCATION=str(log_dir),
        METRICS_LOCATION=str(log_dir),
        PYTHONDONTWRITEBYTECODE="1",  # an archive that is a folder stays as it is
    )
    if device not in ("auto", "cpu"):
        result["CUDA_VISIBLE_DEVICES"] = str(gpu_id(device, {}))
    return result
