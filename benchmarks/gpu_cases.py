"""What is measured on a GPU, beside what the machine itself can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from benchmarks.cases import (
    DECODING,
    NO_BACKBONE,
    OURS,
    SMALL,
    TORCHSERVE,
    Case,
    Contender,
    Goal,
    photos,
    versus,
)
from benchmarks.models import Network

RESNET50 = Network("resnet50", "image_classifier")
DETECTOR = Network("fasterrcnn_resnet50_fpn", "object_detector", NO_BACKBONE)
SEGMENTER = Network("fcn_resnet50", "image_segmenter", NO_BACKBONE)

FORWARD = Contender("forward alone, fp32", "machine", "forward", exact=None)
NVJPEG = Contender("nvJPEG alone", "machine", "decode_on_gpu", exact=None)


def cuda_cases(mode: Optional[str], decoder: str = "nvjpeg") -> list[Case]:
    """What is measured on a GPU.

    Args:
        mode: of torch.compile; None is torch's default.
        decoder: the setting of that name, for a rehearsal on a CPU.
    """
    compiling = {"compile": {"enable": True, **({"mode": mode} if mode else {})}}
    fast = {"handler": {"precision": "float16", "decoder": decoder}, "pt2": compiling}
    return [
        unconfigured(),
        configured(64, fast, least=35),
        configured(256, fast, least=50, share=0.75),
        two_workers("two-workers", {}),
        two_workers("two-workers-fast", fast),
        beside_the_model("detector", DETECTOR, 8, "forward_of_images", "boxes"),
        beside_the_model("segmenter", SEGMENTER, 16, "forward", "masks", format="png"),
    ]


def unconfigured() -> Case:
    goals = (Goal(OURS, least=15), Goal(OURS, (DECODING.name, FORWARD.name), least=0.8))
    title = "image_classifier, ResNet-50, batch 64, no configuration"
    return Case(
        "classifier-64", title, 64, photos(SMALL), RESNET50, (*versus(exact=False), DECODING, FORWARD), goals
    )


def configured(rows: int, config: Mapping[str, Any], least: float, share: Optional[float] = None) -> Case:
    forward = replace(
        FORWARD,
        name="forward alone, fp16, compiled",
        config={**config, "handler": {**config["handler"], "memory_format": "channels_last"}},
    )
    goals = (Goal(OURS, least=least), Goal(OURS, (NVJPEG.name, forward.name), least=share))
    title = f"image_classifier, ResNet-50, batch {rows}, precision: float16, compile, decoder: nvjpeg"
    contenders = (*versus(config=config, exact=False), NVJPEG, forward)
    return Case(f"classifier-{rows}-fast", title, rows, photos(SMALL), RESNET50, contenders, goals)


def two_workers(name: str, config: Mapping[str, Any]) -> Case:
    """For information: what a second process on the same GPU adds."""
    one = versus(config=config, exact=False)
    two = tuple(
        replace(contender, name=f"{contender.name}, 2 workers", copies=2, exact=None) for contender in one
    )
    goals = (Goal(two[1].name, (two[0].name,)), Goal(two[1].name, (OURS,)), Goal(two[0].name, (TORCHSERVE,)))
    title = "two workers on one GPU, image_classifier, ResNet-50, batch 64"
    title += ", precision: float16, compile, decoder: nvjpeg" if config else ""
    return Case(name, title, 64, photos(SMALL), RESNET50, (*one, *two), goals)


def beside_the_model(
    name: str, network: Network, rows: int, forward: str, compare: str, **handler: Any
) -> Case:
    alone = replace(FORWARD, name="model alone", task=forward)
    resizes = network.handler == "image_segmenter"
    contenders = versus(config={"handler": handler} if handler else None, exact=not resizes)
    title = f"{network.handler}, {network.name}, batch {rows}"
    title += "".join(f", {key}: {value}" for key, value in handler.items())
    goals = (Goal(OURS), Goal(OURS, (alone.name,), least=0.8))
    draw = photos(SMALL, one_size=True)
    return Case(name, title, rows, draw, network, (*contenders, alone), goals, compare, encoded=resizes)
