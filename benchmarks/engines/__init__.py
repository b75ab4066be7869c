"""Servers of one archive, side by side under load: TorchServe, the engines of this library, LitServe."""
