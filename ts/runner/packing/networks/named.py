"""Networks of torchvision and timm by name, with weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ts.handler_utils.models.formats.architecture import check_architecture, is_of_timm
from ts.runner.errors import ArchiveError
from ts.runner.packing.networks.network import Network


def named_network(name: str, weights: Optional[str] = None, arguments: Mapping[str, Any] = {}) -> Network:
    """Makes a network by its name.

    Args:
        name: of a network of torchvision, or timm/NAME, as the setting `architecture` has it.
        weights: a member of its weights enum, such as IMAGENET1K_V2; a tag of timm's, such as a1_in1k; DEFAULT; or
            the path of a state dict, or of a checkpoint that holds one. None is DEFAULT.
        arguments: more of the setting `architecture`: they win over what is found out.

    Raises:
        ArchiveError: there is no such network, or there are no such weights, or they do not fit.
    """
    try:
        check_architecture({"name": name, **arguments} if arguments else name)
        if is_of_timm(name):
            from ts.runner.packing.networks.timm_library import timm_network

            return timm_network(name, weights, arguments)
        from ts.runner.packing.networks.torchvision_library import torchvision_network

        return torchvision_network(name, weights, arguments)
    except ValueError as error:
        raise ArchiveError(f"--architecture {name}: {error}") from error


def model_name(architecture: str) -> str:
    """What an archive of a network is called unless it is given a name."""
    return architecture.rpartition("/")[2]
