"""The models that a server has, by name and version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Callable, Optional, Protocol

from ts.runner.errors import ServerError
from ts.runner.serving.replies import Reply, model_not_found, version_not_found
from ts.runner.serving.requests import Call


class Served(Protocol):
    """A version of a model, wherever it runs.

    Attributes:
        name: As the manifest has it.
        version: As the manifest has it.
        archive: The name of its file.
    """

    name: str
    version: str
    archive: str

    @property
    def is_healthy(self) -> bool:
        """Whether it has started, and can answer now or in a moment."""

    @property
    def has_failed(self) -> bool:
        """Whether it did not start, and will not."""

    async def answer(self, call: Call, is_awaited: Callable[[], bool]) -> Reply:
        """The handler's answer to a request.

        Args:
            call: The request.
            is_awaited: Says whether its client is still there; if not, nobody need answer it.

        Raises:
            Refused: No handler answered.
        """

    def facts(self) -> dict[str, Any]:
        """What `GET /models/NAME` says of it."""


class Models:
    """All models of a server. The first version of a model is the one that requests get which name none.

    Raises:
        ServerError: There is none, or a version is there twice.
    """

    def __init__(self, models: Iterable[Served]) -> None:
        self._versions: dict[str, dict[str, Served]] = {}
        for model in models:
            versions = self._versions.setdefault(model.name, {})
            if model.version in versions:
                raise ServerError(f"two archives hold version {model.version} of the model {model.name!r}")
            versions[model.version] = model
        if not self._versions:
            raise ServerError("there is no archive to serve")

    def versions(self, name: str) -> Sequence[Served]:
        """All versions of a model, its default one first.

        Raises:
            Refused: There is no such model.
        """
        if name not in self._versions:
            raise model_not_found(name)
        return list(self._versions[name].values())

    def find(self, name: str, version: Optional[str] = None) -> Served:
        """A version of a model.

        Raises:
            Refused: There is none.
        """
        versions = self._versions.get(name)
        if versions is None:
            raise model_not_found(name)
        if version is None:
            return next(iter(versions.values()))
        if version not in versions:
            raise version_not_found(name, version)
        return versions[version]

    def defaults(self) -> list[Served]:
        """The default version of each model, sorted by name."""
        return [self.find(name) for name in sorted(self._versions)]

    def all(self) -> list[Served]:
        return [model for versions in self._versions.values() for model in versions.values()]

    @property
    def are_healthy(self) -> bool:
        """Whether all but those that failed are healthy, and there is one such."""
        left = [model for model in self.all() if not model.has_failed]
        return bool(left) and all(model.is_healthy for model in left)
