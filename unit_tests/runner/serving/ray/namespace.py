"""A child process in a network of its own: see benchmarks/processes/namespace.py."""

from __future__ import annotations

from benchmarks.processes.namespace import bring_loopback_up, run_in_namespace, unshare, why_not

__all__ = ["bring_loopback_up", "run_in_namespace", "unshare", "why_not"]
