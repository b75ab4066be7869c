"""A handler of continuous batching, for the runner and for a live server."""

from __future__ import annotations

# Answers a number by counting down, a part of the answer each time that it is asked.
COUNTING = """
class Countdown:
    def __init__(self, start):
        self.left = start

    def __call__(self, result):
        self.left -= 1
        return self.left == 0


class Counting:
    def initialize(self, context):
        self.countdowns = {}

    def handle(self, data, context):
        ids = [context.get_request_id(index) for index in range(len(data))]
        for request_id, row in zip(ids, data):
            if row:
                self.countdowns[request_id] = Countdown(int(bytes(row["body"]).decode()))
        context.stopping_criteria = [self.countdowns[request_id] for request_id in ids]
        seen = [context.get_request_header(index, "X-Own") for index in range(len(data))]
        return [f"{self.countdowns[request_id].left}{header} " for request_id, header in zip(ids, seen)]
"""
