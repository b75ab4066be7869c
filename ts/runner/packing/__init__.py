"""Packs networks in one step: those of torchvision and timm by name, and modules at hand.

The way of a run, from the top down::

    command, modules         torch-model-archiver --architecture, and `pack`
    unpacked                 a network by name as an archive that is not packed, for the time of a run
    networks/                a network by name, with its weights and all that is known of how it is used
    choice, forms, source    in which form a module is packed
    making, at_hand, checks  the module and the archive are asked the same, before anything is written
    settings, labels, files  what lies in an archive beside its model
"""

from __future__ import annotations

from ts.runner.packing.modules import Packed, pack

__all__ = ["Packed", "pack"]
