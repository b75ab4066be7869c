"""torch-model-archiver --architecture: a network by name, packed in one step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.model_packaging_utils import ModelExportUtils, model_handlers
from model_archiver.writing.target import archive_format, archive_path

from ts.runner.errors import RunnerError
from ts.runner.packing.forms import state_dict
from ts.runner.packing.labels import chosen_labels
from ts.runner.packing.making import Draft, Made, make
from ts.runner.packing.networks.named import named_network
from ts.runner.packing.networks.network import Network
from ts.runner.packing.settings import arguments_in, merged_config, read_config


def pack_architecture(config: ModelArchiverConfig) -> str:
    """Packs the network that `config.architecture` names, if the archive answers as the network does.

    Args:
        config: what to pack; without a handler, what serves the network's kind.

    Returns:
        What was packed, on one line for a person.

    Raises:
        ModelArchiverError: the archive cannot be made; what was there before is as it was.
    """
    try:
        return _packed(config)
    except RunnerError as error:
        raise ModelArchiverError(str(error)) from error


def _packed(config: ModelArchiverConfig) -> str:
    name = config.architecture or ""
    for option, value in (("--serialized-file", config.serialized_file), ("--model-file", config.model_file)):
        if value:
            raise ModelArchiverError(
                f"{option} {value} and --architecture {name} exclude each other: weights are given by --weights"
            )
    ModelExportUtils.validate_inputs(config.model_name, config.export_path)
    form = archive_format(config.archive_format)
    path = archive_path(config.export_path, config.model_name, form, config.force)
    asked = read_config(config.config_file)
    network = named_network(name, config.weights, arguments_in(asked, name))
    labels = chosen_labels(config.labels, network.labels, config.extra_files)
    job = replace(
        config,
        handler=config.handler or network.handler,
        config_file=None,
        architecture=None,
        weights=None,
        labels=None,
    )
    draft = Draft(
        job=job,
        module=network.module,
        config=merged_config(asked, network.settings, job.handler),
        labels=labels,
        transform=_transform(network, asked, job.handler),
        may_be_mute=job.handler == "base_handler" or job.handler not in model_handlers,
    )
    made = make(draft, [state_dict(f"{name} by name", {"architecture": network.architecture})])
    return _told(path.name, job.handler, network, labels, made)


def _transform(network: Network, asked: Any, handler: str) -> Any:
    """What the handler is to make of an image, unless the config file or a handler of one's own says otherwise."""
    section = asked.get("handler") or {}
    own_words = {*network.settings, "preset", "exif"} & {*section}
    return None if own_words or handler != network.handler else network.transform


def _told(name: str, handler: str, network: Network, labels: Any, made: Made) -> str:
    of_labels = f"{len(labels)} labels" if labels else "no labels (--labels FILE gives them)"
    labelled = "" if handler == "embedder" else f" {of_labels},"
    compared = f"{made.comparison.answers} answers are the network's, within {made.comparison.largest:.1g}"
    if not made.comparison.answers:
        compared = "its answers were not compared, since its handler has none to photos"
    return f"{name}: {handler},{labelled} as {network.origin} has it; {compared}"
