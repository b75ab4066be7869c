"""Whether torchserve's own handlers, or a server that runs, answer as this library does."""
