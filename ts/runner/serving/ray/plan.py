"""What is to run on Ray: archives, checked where they are deployed from, before anything is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional, Union

from ts.runner.answering.metrics_file import read_metrics_file
from ts.runner.answering.model import check_integrity
from ts.runner.archives.archive import Archive, open_archive
from ts.runner.errors import DeviceError, ServerError
from ts.runner.fetching.cache import digest_of
from ts.runner.fetching.reference import read_reference
from ts.runner.serving.ray.replica import ReplicaOptions
from ts.runner.serving.settings import ServingSettings, serving_settings

FRONT, FRONT_DEPLOYMENT = "torchserve-handlers", "front"  # the front's application, and what it deploys
DEPLOYMENT = "archive"  # the only deployment of an archive's application
QUIET = {"enable_access_log": False}  # a line a request costs as much as a small request


@dataclass(frozen=True)
class Plan:
    """An archive as it is to run.

    Attributes:
        name: Of the model, as the manifest has it.
        version: As the manifest has it.
        handler: As the manifest has it.
        archive: The name of its file.
        runtime: As the manifest has it.
        options: What each of its replicas is told.
        gpus: That each replica gets.
    """

    name: str
    version: str
    handler: str
    archive: str
    runtime: str
    options: ReplicaOptions
    gpus: float = 0

    @property
    def application(self) -> str:
        """Its name in Ray Serve."""
        return f"{self.name}:{self.version}"

    @property
    def key(self) -> str:
        """Its name for people."""
        return f"{self.name}/{self.version}"


def plan_archives(
    archives: Sequence[Union[str, Path]],
    *,
    device: str = "auto",
    batch_size: Optional[int] = None,
    metrics_file: Union[str, Path, None] = None,
    max_size: Optional[int] = None,
    gpus: Optional[float] = None,
) -> list[Plan]:
    """Opens each archive and compares its files with their digests.

    Args:
        archives: Paths, which must be the same on every node, or URLs.
        device: "auto" or "cpu".
        batch_size: Of each model, in place of the archives' `batchSize`.
        metrics_file: Defines metrics that handlers find; at the same path on every node.
        max_size: The bytes that each archive may unpack to; see `open_archive`.
        gpus: For each replica of an archive whose `deviceType` is not "cpu"; a fraction shares a GPU. By default
            what the archive asks for.

    Raises:
        ArchiveError: An archive breaks the format, or its files are not as they were packed.
        DeviceError: `device` is neither of the two, or there can be no such number of GPUs.
        InputError: The file of metrics cannot be read.
        ServerError: There is no archive, or one model is there twice in one version.
    """
    check_choice(device, gpus)
    if metrics_file is not None:
        read_metrics_file(metrics_file)
        metrics_file = str(Path(metrics_file).resolve())
    plans = []
    for path in archives:
        with open_archive(path, max_size=max_size) as archive:
            check_integrity(archive)
            settings, source = serving_settings(archive, batch_size), source_of(archive)
        options = ReplicaOptions(archive.name, source, settings, device, metrics_file, max_size)
        plans.append(plan_of(archive, options, gpus_of(archive.config, device, gpus)))
    check_names(plans)
    return plans


def check_choice(device: str, gpus: Optional[float]) -> None:
    if device not in ("auto", "cpu"):
        raise DeviceError(
            f"device {device!r} is not for Ray, which chooses GPUs itself: it may be auto or cpu"
        )
    if gpus is not None and (gpus < 0 or (gpus > 1 and gpus != int(gpus))):
        raise DeviceError(f"a replica cannot have {gpus:g} GPUs: part of one, or a whole number")


def plan_of(archive: Archive, options: ReplicaOptions, gpus: float) -> Plan:
    version, runtime = archive.model["modelVersion"], archive.manifest.get("runtime", "python")
    return Plan(archive.name, version, archive.handler, archive.source.name, runtime, options, gpus)


def source_of(archive: Archive) -> str:
    """What opens the same content on other nodes, or is an error there; a folder has no digest to tell by."""
    reference = read_reference(archive.pinned)
    if reference.digest is None and archive.source.is_file():
        return reference.pinned(digest_of(archive.source))
    return archive.pinned


def check_names(plans: Sequence[Plan]) -> None:
    names = [plan.application for plan in plans]
    if not names:
        raise ServerError("there is no archive to serve")
    for plan in plans:
        if names.count(plan.application) > 1:
            raise ServerError(f"two archives hold version {plan.version} of the model {plan.name!r}")


def gpus_of(config: dict[str, Any], device: str, gpus: Optional[float]) -> float:
    """The GPUs of each replica: those given, else as many as `deviceType` and the parallelism ask for."""
    kind = str(config.get("deviceType", "")).lower()
    if device == "cpu" or kind == "cpu":
        return 0
    if gpus is not None:
        return gpus
    torchrun = config.get("torchrun")
    processes = torchrun.get("nproc-per-node") if isinstance(torchrun, dict) else None
    level = config.get("parallelLevel", processes)
    parallel = level if isinstance(level, int) and level > 0 and config.get("parallelType") else 0
    return max(parallel, 1 if kind == "gpu" else 0)


def replicas_of(settings: ServingSettings) -> dict[str, Any]:
    """`minWorkers` replicas, or as many as the load asks for up to `maxWorkers`."""
    if settings.max_workers == settings.min_workers:
        return {"num_replicas": settings.min_workers}
    return {
        "autoscaling_config": {
            "min_replicas": settings.min_workers,
            "max_replicas": settings.max_workers,
            "target_ongoing_requests": 2 * settings.batch_size,  # a batch at work, and one that waits
        }
    }


def arguments_of(plan: Plan) -> dict[str, Any]:
    """A plan as a document has it, without what Ray is told by itself."""
    values = asdict(plan)
    del values["gpus"]
    values["options"] = {key: value for key, value in values["options"].items() if value is not None}
    return values


def plan_from(arguments: dict[str, Any]) -> Plan:
    """A plan of a document."""
    options = dict(arguments["options"])
    settings = ServingSettings(**options.pop("settings"))
    return Plan(**{**arguments, "options": ReplicaOptions(settings=settings, **options)})
