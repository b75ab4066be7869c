"""A real TorchServe, started on this machine with some archives."""
