"""OpenVINO in torch's place: how a model is converted, kept, compiled and asked."""
