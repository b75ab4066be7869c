"""What is told of a quantized network: in its archive, and on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from ts.runner.quantizing.judging import Judgement
from ts.runner.quantizing.layers import FLOAT
from ts.runner.quantizing.speed import Speed


@dataclass(frozen=True)
class Report:
    """What came of a quantization.

    Attributes:
        archive: the old archive, by path or URL.
        out: the new one.
        min_agreement: what was asked for.
        judgement: on inputs that were held out.
        calibration: how many inputs it was calibrated with.
        refused: what inputs are called that the archive has no answer to, and what it says to them.
        repeated: how many more inputs had the content of others, and were left out.
        seed: of what parted the inputs.
        preset: of nncf; None for what suits the network.
        left_float: kinds of layers that stay in float32.
        coarse: how many more stay so, since int8 would round their weights too far.
        bias: how layers' mean errors were taken out.
        sizes: bytes of the networks, float32 and int8.
        speed: measured when it was quantized.
        versions: of the libraries.
        left_out: settings of the old archive that the new one has not.
    """

    archive: str
    out: Path
    min_agreement: float
    judgement: Judgement
    calibration: int
    refused: Sequence[tuple[str, str]]
    repeated: int
    seed: int
    preset: Optional[str]
    left_float: Sequence[str]
    coarse: int
    bias: str
    sizes: dict[str, int]
    speed: Speed
    versions: dict[str, str]
    left_out: list[str]

    @property
    def problem(self) -> Optional[str]:
        """Why the archive is not written; None if it is."""
        found = self.judgement
        if found.agreement >= self.min_agreement:
            return None
        untried = [f"--float {kind}" for kind in FLOAT if kind not in self.left_float]
        exact = ["--bias exact"] if self.bias != "exact" else []
        others = ", ".join([*exact, *(["--preset mixed"] if self.preset != "mixed" else []), *untried])
        return (
            f"int8 and float32 agree by {found.agreement:.4f} ({found.of}) on {found.inputs} inputs, and"
            f" --min-agreement is {self.min_agreement:g}. Try more --data like what it will be asked (it was"
            f" calibrated with {self.calibration}), {others}, or engine: openvino in float32"
        )

    def document(self, *, with_speed: bool = True) -> dict[str, Any]:
        """What the archive holds, in types that JSON has.

        Args:
            with_speed: without it, the same inputs give the same bytes.
        """
        facts = {**asdict(self), "left_float": list(self.left_float)}
        for name in ("archive", "out", "left_out", "refused", *(() if with_speed else ("speed",))):
            del facts[name]
        return {"precision": "int8", **facts}
