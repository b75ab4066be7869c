"""A live TorchServe under mixed requests for long: what it is asked, by whom, and what is watched meanwhile."""
