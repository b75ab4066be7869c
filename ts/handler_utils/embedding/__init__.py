"""Vectors of images and texts."""
