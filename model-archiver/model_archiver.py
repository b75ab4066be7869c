"""The Python entry point for callers that hold a `ModelArchiverConfig`."""

from __future__ import annotations

from .model_archiver_config import ModelArchiverConfig
from .model_packaging import generate_model_archive

__all__ = ["ModelArchiver", "ModelArchiverConfig", "generate_model_archive"]


class ModelArchiver:
    """Makes model archives from Python.

    Examples:
        >>> from model_archiver import ModelArchiver, ModelArchiverConfig
        >>> config = ModelArchiverConfig(
        ...     model_name="resnet", handler="image_classifier", version="1.0", serialized_file="resnet.pt"
        ... )
        >>> ModelArchiver.generate_model_archive(config)  # writes resnet.mar in the working directory
    """

    @staticmethod
    def generate_model_archive(config: ModelArchiverConfig) -> None:
        """Packs what `config` names.

        Raises:
            ModelArchiverError: The archive cannot be made; nothing was written.
        """
        generate_model_archive(config)
