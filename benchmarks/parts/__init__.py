"""Where a request's time goes, from a client through TorchServe and its worker and back."""
