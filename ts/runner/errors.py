"""The runner's exceptions. The text of each is one sentence that can be shown to a user as it is."""

from __future__ import annotations


class RunnerError(Exception):
    """Anything that keeps the runner from answering."""


class ArchiveError(RunnerError):
    """The archive cannot be read, breaks the format, or its handler does not start."""


class DeviceError(RunnerError):
    """The device asked for is not a device, or not on this machine."""


class InputError(RunnerError):
    """An input or option that cannot be made into a request, or a file of metrics that cannot be read."""


class ServerError(RunnerError):
    """TorchServe is not installed, does not start, or cannot load an archive."""


class FolderError(RunnerError):
    """No temporary folder can be made."""
