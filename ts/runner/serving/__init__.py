"""TorchServe's inference API without TorchServe: an ASGI app, a batcher, and replicas that own a handler each."""
