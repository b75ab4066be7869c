"""Explanations: what a model's answer is attributed to."""
