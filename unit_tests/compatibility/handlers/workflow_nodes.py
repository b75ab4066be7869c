"""A function of a workflow that hands pictures on as text, since nodes speak JSON to each other."""

import base64
import json

from samples import picture


def to_base64(data, context):
    if data is None:
        return data
    passed_on = []
    for row in data:
        content = row.get("data") or row.get("body")
        passed_on.append(base64.b64encode(content).decode())
    return passed_on


def merge(data, context):
    if data is None:
        return data
    answers = []
    for row in data:
        parts = {name: bytes(content).decode() for name, content in row.items()}
        answers.append(json.dumps(parts).encode())
    return answers


CASES = {
    "first node of a workflow": {
        "handler": "workflow_nodes.py:to_base64",
        "batches": [[{"data": picture(0)}], [{"body": picture(1)}, {"body": picture(2)}]],
    },
    "last node of a workflow": {
        "handler": "workflow_nodes.py:merge",
        "batches": [[{"cats": b"cat", "breeds": b"collie"}]],
    },
}
