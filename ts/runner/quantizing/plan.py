"""How a network is quantized."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

AGREEMENT = 0.98
SAMPLES = 300  # nncf's own default


@dataclass(frozen=True)
class Plan:
    """How a network is quantized.

    Attributes:
        data: files, folders, patterns and URLs; see `ts.runner.quantizing.data.read_data`.
        min_agreement: with less the archive is not written.
        samples: inputs to calibrate with, at most.
        seed: of what parts the inputs.
        preset: of nncf: "performance", all symmetric, or "mixed", activations asymmetric, as those of swish and
            GELU are; None for what suits the network: mixed for transformers, else performance.
        column: of a table, the one with the texts.
        left_float: kinds of layers that stay in float32, "ends" and "depthwise".
        bias: how the mean error of a layer is taken out of it: "exact", after those before it, or "fast", each
            alone, which takes less time.
    """

    data: Sequence[str]
    min_agreement: float = AGREEMENT
    samples: int = SAMPLES
    seed: int = 0
    preset: Optional[str] = None
    column: Optional[str] = None
    left_float: tuple[str, ...] = ()
    bias: str = "fast"
