"""An archive whose handler answers in this process, as a TorchServe worker would."""
