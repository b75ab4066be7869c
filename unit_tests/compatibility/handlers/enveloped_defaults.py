"""Default handlers behind KServe's envelopes: TorchServe's `service_envelope`, which its image for KServe sets."""

from samples import base64_picture, labels

SHAPE = {"model": "convnet", "handler": "image_classifier", "files": {"index_to_name.json": labels(10)}}
FIRST, SECOND = (base64_picture(seed, size=(256, 256)) for seed in (0, 1))


def encoded(content):
    return {"name": "input-0", "shape": [-1], "datatype": "BYTES", "data": [content]}


CASES = {
    "image_classifier, kserve envelope": {
        **SHAPE,
        "envelope": "kserve",
        "batches": [[{"body": {"instances": [{"data": FIRST}, {"data": SECOND}]}}]],
    },
    "image_classifier, kservev2 envelope": {
        **SHAPE,
        "envelope": "kservev2",
        "batches": [[{"body": {"id": "one", "inputs": [encoded(FIRST)]}}]],
    },
}
