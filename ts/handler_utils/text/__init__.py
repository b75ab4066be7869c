"""Texts: their vocabularies and tokenizers, and the batches that a model takes."""
