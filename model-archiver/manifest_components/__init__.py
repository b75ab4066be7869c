"""The parts of `MAR-INF/MANIFEST.json`, with the keys that TorchServe reads."""
