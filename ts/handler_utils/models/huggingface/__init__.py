"""Saved model folders of Hugging Face's transformers, loaded without any code but that of transformers itself."""
