"""JPEG: what its header says, and decoders of tensors."""
