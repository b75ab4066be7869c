"""Whether TorchServe could load what is packed, told from the files alone: nothing of them is run."""
