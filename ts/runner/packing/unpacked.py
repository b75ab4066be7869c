"""A network by name as an archive that is not packed, for the time of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from model_archiver.model_archiver_config import ModelArchiverConfig

from ts.runner.folders import temporary_folder
from ts.runner.packing.files import lay_out, save_state
from ts.runner.packing.labels import check_count, read_labels
from ts.runner.packing.networks.named import model_name, named_network
from ts.runner.packing.settings import merged_config


@contextmanager
def packed_for_now(
    architecture: str,
    weights: Optional[str] = None,
    handler: Optional[str] = None,
    *,
    labels: Any = None,
    settings: Optional[Mapping[str, Any]] = None,
) -> Iterator[Path]:
    """Makes a folder that `load_archive` takes, and deletes it after the `with` block.

    Args:
        architecture: the name of a network of torchvision, or timm/NAME.
        weights: a member of its weights enum, DEFAULT, or the path of a file; None is DEFAULT.
        handler: what serves it; by default what its kind asks for.
        labels: as `ts.runner.packing.labels.read_labels` takes them; by default the weights' own.
        settings: more of the section `handler:`, which win over what is known of the network.

    Raises:
        ArchiveError: there is no such network, or there are no such weights, or they do not fit.
    """
    network = named_network(architecture, weights)
    own = read_labels(labels)
    check_count(own or {}, network.classes, network.handler)
    job = ModelArchiverConfig(
        model_name=model_name(architecture),
        handler=handler or network.handler,
        version="1.0",
        serialized_file="weights.pt",
    )
    config = merged_config(
        {"handler": dict(settings or {})}, network.settings, job.handler, network.architecture
    )
    with temporary_folder("torch-model-") as (folder, _):
        root = folder / job.model_name
        root.mkdir()
        save_state(network.module, root / "weights.pt")
        lay_out(root, job, config, network.labels if own is None else own)
        del network
        yield root
