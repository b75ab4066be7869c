"""Streams words as they come, by intermediate answers, and keeps hooks' times."""

from ts.handler_utils.utils import send_intermediate_predict_response

from ts.handler_utils.timer import timed
from ts.torch_handler.base_handler import BaseHandler


class StreamingHandler(BaseHandler):
    def initialize(self, ctx):
        self.context = ctx
        self.stream = ctx.model_yaml_config["handler"].get("stream", True)
        self.initialized = True

    @timed
    def preprocess(self, requests):
        assert len(requests) == 1, "one request at a time"
        data = requests[0].get("data") or requests[0].get("body")
        return {"words": data["prompt"].split(), "count": data.get("max_new_tokens", 50)}

    @timed
    def inference(self, batch):
        words = batch["words"][: batch["count"]]
        for word in words if self.stream else ():
            send_intermediate_predict_response(
                [word], self.context.request_ids, "Intermediate Prediction success", 200, self.context
            )
        return words, len(words)

    def postprocess(self, output):
        words, count = output
        return [f"{count} words" if self.stream else " ".join(words)]


def case(**settings):
    request = {"body": {"prompt": "one two three four", "max_new_tokens": 3}}
    return {"config": {"handler": settings}, "batches": [[request], [{**request, "id": "second"}]]}


CASES = {
    "streamed text": case(stream=True),
    "text in one piece": case(stream=False),
    "profiled text": case(profile=True),
}
