"""Re-packs archives in other model formats: `torch-model-runner export`."""

from __future__ import annotations

from ts.runner.exporting.export import Report, export_archive

__all__ = ["Report", "export_archive"]
