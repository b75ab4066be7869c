"""Detections: how detectors take images, and what a request gets of what they return."""
