"""Changes the model once the base has loaded it."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class ChangedModel(BaseHandler):
    def initialize(self, context):
        super().initialize(context)
        change = context.model_yaml_config["change"]
        if change == "weights":
            with torch.no_grad():
                self.model.linear.weight.fill_(2)
        elif change == "state_dict":
            self.model.load_state_dict({key: value + 1 for key, value in self.model.state_dict().items()})
        elif change == "wrapped":
            self.model = torch.nn.Sequential(self.model, torch.nn.Softmax(dim=1))
        elif change == "double":
            self.model = self.model.double()
        elif change == "data":
            self.model.linear.weight.data.fill_(2)
        elif change == "data assigned":
            for parameter in self.model.parameters():
                parameter.data = parameter.data * 3
        elif change == "numpy":
            self.model.linear.bias.detach().numpy()[:] = 5
        elif change == "half":
            self.model.half()
        elif change == "layer":
            self.features = []
            self.model.linear.register_forward_hook(lambda _, given, output: self.features.append(output))

    def preprocess(self, data):
        self.features = []
        dtype = next(iter(self.model.parameters())).dtype
        return torch.as_tensor([row["body"] for row in data], dtype=dtype, device=self.device)

    def postprocess(self, data):
        if self.features:
            data = data + self.features[0]
        return data.tolist()


def case(change, scripted):
    return {
        "model": "linear",
        "scripted": scripted,
        "config": {"change": change},
        "batches": [[{"body": [1, 2, 3, 4]}], [{"body": [4, 3, 2, 1]}, {"body": [0, 0, 0, 1]}]],
    }


CHANGES = ("data", "data assigned", "numpy", "weights", "state_dict", "wrapped", "double", "half", "layer")

CASES = {
    **{f"changed model: {change}": case(change, False) for change in CHANGES},
    **{f"changed model, TorchScript: {change}": case(change, True) for change in CHANGES[:-1]},
}
