"""What is measured, and what is aimed at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Optional, Union

from benchmarks.inputs import Inputs
from benchmarks.measuring.machine import no_bfloat16, no_int8, no_openvino, no_transformers, no_vnni
from benchmarks.models import Network, Unpacked, write_bag_of_words, write_network, write_transformer

TORCHSERVE, OURS = "torchserve 0.12", "this library"
PILLOW = f"{OURS}, decoder: pillow"
OPENVINO = f"{OURS}, engine: openvino"
INT8 = f"{OPENVINO}, precision: int8"
SMALL, HD, TWELVE_MEGAPIXELS = (500, 375), (1920, 1080), (4000, 3000)
CALIBRATION = 8  # photos that a random network's statistics are taken of

Batches = list[list[Any]]
Writer = Callable[[Path, int], Unpacked]  # of an archive into a folder, by a seed


@dataclass(frozen=True)
class Contender:
    """Someone who is timed.

    Attributes:
        name: in the tables.
        side: "upstream", "ours" or "machine".
        task: what it does: a key of `TASKS`, or of `YARDSTICKS` for "machine".
        config: its model-config.yaml.
        copies: processes that run at once, each with batches of its own.
        fresh: whether each run is the whole life of a process, from its start to its first answer.
        exact: whether its answers are to be torchserve's; None where there is nothing to compare.
        missing: says why it cannot run on this machine, if so.
        int8: whether its archive is the case's with the network in int8.
    """

    name: str
    side: str
    task: str = "handle"
    config: Mapping[str, Any] = field(default_factory=dict)
    copies: int = 1
    fresh: bool = False
    exact: Optional[bool] = True
    missing: Callable[[], Optional[str]] = lambda: None
    int8: bool = False


@dataclass(frozen=True)
class Goal:
    """A ratio of two contenders: of rows a second ("rate"), of seconds a run ("time"), or of bytes an answer.

    Attributes:
        of: the contender.
        over: those that it is compared with; with several, the slowest counts.
        least: the target.
        most: the target, where less is better.
        measure: "rate", "time" or "fewer bytes".
    """

    of: str
    over: tuple[str, ...] = (TORCHSERVE,)
    least: Optional[float] = None
    most: Optional[float] = None
    measure: str = "rate"


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        name: for `--only`.
        title: for the tables.
        rows: of a batch.
        draw: makes a batch: `draw(inputs, rows)`.
        network: what answers, or what writes its archive; None stands for the bag of words.
        contenders: first the one whose answers are those to give: torchserve's, if it has a handler for it.
        goals: the ratios that are reported.
        compare: how answers are compared, by `benchmarks.measuring.agreement`.
        encoded: whether the server's encoding of answers counts.
        unit: of the rows.
    """

    name: str
    title: str
    rows: int
    draw: Callable[[Inputs, int], list[Any]]
    network: Union[Network, Writer, None]
    contenders: tuple[Contender, ...]
    goals: tuple[Goal, ...] = ()
    compare: Optional[str] = "labels"
    encoded: bool = False
    unit: str = "images"

    def unpack(self, folder: Path, inputs: Inputs, batches: Batches, seed: int) -> Unpacked:
        """Writes the archive that answers this case's batches into a folder."""
        if self.network is None:
            texts = [text.decode() for batch in batches for text in batch]
            return write_bag_of_words(inputs.vocabulary(texts), folder, seed)
        if not isinstance(self.network, Network):
            return self.network(folder, seed)
        return write_network(self.network, folder, seed, inputs.jpegs(CALIBRATION, *SMALL))


def photos(size: tuple[int, int], *, one_size: bool = False) -> Callable[[Inputs, int], list[Any]]:
    return lambda inputs, rows: inputs.jpegs(rows, *size, one_size=one_size)


def texts(inputs: Inputs, rows: int) -> list[Any]:
    return [text.encode() for text in inputs.texts(rows)]


def class_maps(inputs: Inputs, rows: int) -> list[Any]:
    return list(inputs.logits(rows, 21, 224))


def versus(
    task: str = "handle", config: Optional[Mapping[str, Any]] = None, **options: Any
) -> tuple[Contender, ...]:
    """torchserve without configuration, and this library with one."""
    ours = Contender(OURS, "ours", task, config or {}, **options)
    return replace(ours, name=TORCHSERVE, side="upstream", config={}, exact=None), ours


def versus_both(task: str = "handle", *, exact: bool = False) -> tuple[Contender, ...]:
    """torchserve, this library, whose pixels may differ by 1 of 255, and the same with torchserve's pixels."""
    torchserve, ours = versus(task, exact=exact)
    return torchserve, ours, replace(ours, name=PILLOW, config={"handler": {"decoder": "pillow"}}, exact=True)


def ours_over_torchserve(least: Optional[float] = None) -> tuple[Goal, ...]:
    return (Goal(OURS, least=least),)


def both_over_torchserve(least: Optional[float] = None) -> tuple[Goal, ...]:
    """This library's ratio, and with `decoder: pillow`."""
    return (*ours_over_torchserve(least), Goal(PILLOW))


# What the machine can do, which no handler can pass: see `benchmarks.workers.yardsticks`.
DECODING = Contender("CPU decode and resize, all cores", "machine", "decode_and_resize", exact=None)
DECODING_SCALED = Contender("CPU decode at 1/8 alone, all cores", "machine", "decode_scaled", exact=None)

BARE_OPENVINO = Contender("OpenVINO alone", "machine", "forward_by_openvino", exact=None, missing=no_openvino)
PIPELINE = Contender("transformers alone", "machine", "own_pipeline", exact=None, missing=no_transformers)
IN_INT8 = Contender(
    INT8,
    "ours",
    config={"handler": {"engine": "openvino", "precision": "int8"}},
    exact=False,
    missing=no_int8,
    int8=True,
)
BY_TRANSFORMERS = Contender(OURS, "ours", exact=None, missing=no_transformers)

MOBILENET = Network("mobilenet_v3_small", "image_classifier", torchscript=True)
RESNET50 = Network("resnet50", "image_classifier", torchscript=True)
NO_BACKBONE = {"weights_backbone": None}
LRASPP = Network("lraspp_mobilenet_v3_large", "image_segmenter", NO_BACKBONE)
SMALL_RCNN = Network("fasterrcnn_mobilenet_v3_large_320_fpn", "object_detector", NO_BACKBONE)


def preprocessing(name: str, size: tuple[int, int], least: float) -> Case:
    title = f"vision preprocess, 16 JPEGs of about {size[0]}x{size[1]}"
    contenders = (*versus_both("preprocess", exact=True), DECODING)
    goals = (*both_over_torchserve(least), Goal(OURS, (DECODING.name,)))
    return Case(name, title, 16, photos(size), MOBILENET, contenders, goals, "pixels")


def decoding_scaled() -> Case:
    name, size, config = "preprocess-12mp-scaled", TWELVE_MEGAPIXELS, {"handler": {"scaled_decode": True}}
    case = preprocessing(name, size, 8)
    contenders = (*versus("preprocess", config, exact=False), DECODING_SCALED)
    title = f"{case.title}, scaled_decode: true"
    goals = (*ours_over_torchserve(8), Goal(DECODING_SCALED.name), Goal(OURS, (DECODING_SCALED.name,)))
    return replace(case, title=title, contenders=contenders, goals=goals)


def classifying(name: str, network: Network, least: float, by_openvino: Optional[float] = None) -> Case:
    title = f"image_classifier, whole handle, {network.name} (TorchScript), batch 16"
    contenders = (*versus_both(), with_openvino(exact=False))
    goals = (*both_over_torchserve(least), Goal(OPENVINO, least=by_openvino))
    return Case(name, title, 16, photos(SMALL), network, contenders, goals)


def classifying_in_int8() -> Case:
    """ResNet-50's whole handle, with a goal for int8 where the processor has instructions for it."""
    case = classifying("classifier-resnet50", RESNET50, 1.5, by_openvino=2.2)
    goals = (Goal(INT8, least=None if no_vnni() else 8), Goal(INT8, (OPENVINO,)))
    return replace(case, contenders=(*case.contenders, IN_INT8), goals=(*case.goals, *goals))


def with_openvino(task: str = "handle", *, exact: Optional[bool]) -> Contender:
    config = {"handler": {"engine": "openvino"}}
    return Contender(OPENVINO, "ours", task, config, exact=exact, missing=no_openvino)


def computing() -> Case:
    title = "image_classifier, the hook inference alone, resnet50 (TorchScript), batch 16"
    contenders = (*versus("inference", exact=False), with_openvino("inference", exact=False), BARE_OPENVINO)
    goals = (
        *ours_over_torchserve(),
        Goal(OPENVINO, least=2.2),
        Goal(OPENVINO, (BARE_OPENVINO.name,), least=0.95),
    )
    return Case("inference-resnet50", title, 16, photos(SMALL), RESNET50, contenders, goals, compare=None)


def classifying_in_bfloat16() -> Case:
    case = classifying("classifier-resnet50-bfloat16", RESNET50, 2.2)
    config = {"handler": {"precision": "bfloat16"}}
    contenders = versus(config=config, exact=False, missing=no_bfloat16)
    title = f"{case.title}, precision: bfloat16"
    return replace(case, title=title, contenders=contenders, goals=ours_over_torchserve(2.2))


def answering_masks() -> Case:
    contenders = versus("postprocess")
    png = Contender(f"{OURS}, format: png", "ours", "postprocess", {"handler": {"format": "png"}})
    goals = (*ours_over_torchserve(20), Goal(png.name), Goal(png.name, least=100, measure="fewer bytes"))
    return Case(
        "segmenter-answer",
        "image_segmenter, postprocess and encoding, 4 maps of 224x224 and 21 classes",
        4,
        class_maps,
        replace(MOBILENET, handler="image_segmenter"),  # it is never asked
        (*contenders, png),
        goals,
        compare="masks",
        encoded=True,
    )


def segmenting() -> Case:
    title = "image_segmenter, whole handle and encoding, LRASPP MobileNetV3-large, batch 4"
    goals = both_over_torchserve()
    return Case(
        "segmenter", title, 4, photos(SMALL), LRASPP, versus_both(), goals, compare="masks", encoded=True
    )


def detecting(name: str, network: Union[Network, Writer], title: str, rows: int, by_openvino: float) -> Case:
    title = f"object_detector, whole handle, {title}, batch {rows}"
    draw = photos(SMALL, one_size=True)  # torchserve's fails on two sizes in a batch
    contenders = (*versus(), with_openvino(exact=True))
    goals = (Goal(OURS, least=1.4), Goal(OPENVINO, least=by_openvino))
    return Case(name, title, rows, draw, network, contenders, goals, compare="boxes")


def classifying_texts() -> Case:
    title = "text_classifier, 32 news in one batch, torchserve's one at a time, EmbeddingBag"
    torchserve = Contender(TORCHSERVE, "upstream", "handle_one_by_one", exact=None)
    contenders = (torchserve, Contender(OURS, "ours"))
    return Case("texts", title, 32, texts, None, contenders, ours_over_torchserve(8), unit="texts")


def classifying_texts_by_transformer() -> Case:
    title = (
        "text_classifier, 32 news in one batch, a BERT of 6 layers of 384; torchserve has no handler for it,"
        " and the first is this library on torch"
    )
    contenders = (BY_TRANSFORMERS, with_openvino(exact=True), IN_INT8, PIPELINE)
    goals = (
        Goal(OPENVINO, (OURS,)),
        Goal(OURS, (PIPELINE.name,)),
        Goal(INT8, (OURS,), least=None if no_vnni() else 3),
    )
    return Case("texts-transformer", title, 32, texts, write_transformer, contenders, goals, unit="texts")


def starting() -> Case:
    title = "start of a worker: from the start of its process to its first answer, mobilenet_v3_small"
    by_openvino = replace(with_openvino(exact=False), fresh=True)
    contenders = (*versus(fresh=True, exact=False), by_openvino)
    goals = (Goal(OURS, most=0.7, measure="time"), Goal(OPENVINO, (OURS,), most=1.1, measure="time"))
    return Case("worker-start", title, 1, photos(SMALL), MOBILENET, contenders, goals, unit="starts")


def cpu_cases() -> list[Case]:
    """What is measured on a CPU."""
    return [
        preprocessing("preprocess-500x375", SMALL, 3),
        preprocessing("preprocess-1080p", HD, 3),
        preprocessing("preprocess-12mp", TWELVE_MEGAPIXELS, 3),
        decoding_scaled(),
        classifying("classifier-mobilenet", MOBILENET, 2.5),
        classifying_in_int8(),
        computing(),
        classifying_in_bfloat16(),
        answering_masks(),
        segmenting(),
        detecting("detector", SMALL_RCNN, "Faster R-CNN MobileNetV3-large 320", 4, by_openvino=2),
        classifying_texts(),
        classifying_texts_by_transformer(),
        starting(),
    ]
