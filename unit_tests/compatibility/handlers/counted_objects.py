"""Counts what the default detector finds, by its own answers."""

from collections import Counter

from samples import picture

from ts.torch_handler.object_detector import ObjectDetector


class CountingDetector(ObjectDetector):
    threshold = 0.7

    def postprocess(self, data):
        answers = super().postprocess(data)
        return [
            dict(Counter(label for found in row for label in found if label != "score")) for row in answers
        ]


NAMES = {"1": "red", "2": "green", "3": "blue"}
BATCHES = [[{"data": picture(0)}], [{"data": picture(seed)} for seed in range(3)]]

CASES = {
    "counted objects": {"model": "detector", "files": {"index_to_name.json": NAMES}, "batches": BATCHES},
    "counted objects without names": {"model": "detector", "batches": BATCHES},
}
