"""Reaches into the context, past its methods."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class PrivateContext(BaseHandler):
    def preprocess(self, data):
        self.context.seen = getattr(self.context, "seen", 0) + len(data)
        processors = self.context._request_processor
        self.names = [processor.get_request_properties().get("X-Name") for processor in processors]
        self.same = [processor.get_request_property("X-Name") for processor in self.context.request_processor]
        return torch.as_tensor([row["body"] for row in data], dtype=torch.float32)

    def postprocess(self, data):
        for processor in self.context.request_processor:
            processor.report_status(201, "Created")
            processor.add_response_property("X-Seen", str(self.context.seen))
        properties = self.context.system_properties
        return [
            {
                "name": name,
                "same": same,
                "batch_size": properties["batch_size"],
                "server": properties["server_version"],
                "limit": properties["limit_max_image_pixels"],
                "model": self.context.model_name,
                "ids": list(self.context.request_ids.items()),
                "status": list(self.context.get_response_status(index)),
            }
            for index, (name, same) in enumerate(zip(self.names, self.same))
        ]


def asked(numbers, name):
    return {"body": numbers, "headers": {"X-Name": name}}


CASES = {
    "insides of the context": {
        "model": "linear",
        "batches": [[asked([1, 2, 3, 4], "a")], [asked([4, 3, 2, 1], "b"), asked([0, 0, 0, 1], "c")]],
    }
}
