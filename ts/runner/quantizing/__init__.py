"""Archives whose network computes in int8, once its answers were judged: `torch-model-runner quantize`."""

from __future__ import annotations

from ts.runner.quantizing.plan import Plan
from ts.runner.quantizing.quantize import quantize_archive
from ts.runner.quantizing.report import Report

__all__ = ["Plan", "Report", "quantize_archive"]
