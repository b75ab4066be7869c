"""Reads the headers of requests in its hooks, and sets statuses, types and headers of the answers."""

import json

from ts.torch_handler.base_handler import BaseHandler


class HeaderHandler(BaseHandler):
    def initialize(self, context):
        self.initialized = True

    def preprocess(self, data):
        self.asked = []
        for index, row in enumerate(data):
            headers = self.context.get_all_request_header(index)
            self.asked.append(
                {
                    "accept": self.context.get_request_header(index, "Accept"),
                    "missing": self.context.get_request_header(index, "X-Missing"),
                    "own": sorted(name for name in headers if name.startswith("X-")),
                    "field": headers["body"] if "body" in headers else None,
                    "request": self.context.get_request_id(index),
                    "text": bytes(row["body"]).decode(),
                }
            )
        return self.asked

    def inference(self, data, *args, **kwargs):
        return data

    def postprocess(self, data):
        answers = []
        for index, asked in enumerate(data):
            self.context.set_response_header(index, "X-Request", asked["request"])
            if asked["accept"] == "text/plain":
                self.context.set_response_content_type(index, "text/plain; charset=utf-8")
                answers.append(asked["text"].upper())
            elif asked["accept"] == "application/octet-stream":
                self.context.set_response_content_type(index, asked["accept"])
                answers.append(asked["text"].encode())
            else:
                code = 202 if asked["text"] == "later" else 200
                self.context.set_response_status(code=code, phrase="as asked", idx=index)
                answers.append(json.dumps(asked))
        return answers


def asked(text, **headers):
    return {"body": text.encode(), "headers": headers}


CASES = {
    "headers": {
        "batches": [
            [asked("hello", Accept="text/plain")],
            [
                asked("one", **{"X-B": "2", "X-A": "1"}),
                asked("two", Accept="application/octet-stream"),
                asked("later", Accept="application/json"),
            ],
        ]
    },
    "statuses of all": {
        "handler": "statuses.py",
        "batches": [[asked("a")], [asked("b"), asked("c")]],
        "files": {
            "statuses.py": b"""
def handle(data, context):
    if data is None:
        return None
    context.set_all_response_status(code=206, phrase="in part")
    return [context.get_response_status(index)[0] for index in range(len(data))]
"""
        },
    },
}
