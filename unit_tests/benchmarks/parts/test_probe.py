"""The probe of a worker, in a process whose `ts` is as small as it can be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.parts import probe

WIRE = """
messages = [b"I", b"I", b""]

def retrieve_msg(connection):
    kind = messages.pop(0)
    return kind, _retrieve_inference_msg(connection) if kind else None

def _retrieve_inference_msg(connection):
    return [{"requestId": b"%d" % len(messages)}, {"requestId": b"x"}]
"""
SERVICE = """
class Service:
    def __init__(self, entry_point):
        self._entry_point = entry_point

    def predict(self, batch):
        return self._entry_point(batch, None)
"""
# As torchserve's worker: names are imported before any batch comes.
WORKER = """
from ts.protocol.otf_message_handler import retrieve_msg
from ts.service import Service

class Handler:
    def handle(self, data, context):
        return self.postprocess(self.inference(self.preprocess(data)))

    def preprocess(self, data):
        return [row["requestId"] for row in data]

    def inference(self, data):
        return data

    def postprocess(self, data):
        return data

service = Service(Handler().handle)
while (message := retrieve_msg(None))[0]:
    print(service.predict(message[1]))
"""


def run(folder: Path, **environment: str) -> str:
    """What such a worker prints."""
    (folder / "ts" / "protocol").mkdir(parents=True)
    for name, code in (("protocol/otf_message_handler", WIRE), ("service", SERVICE)):
        (folder / "ts" / f"{name}.py").write_text(code)
    code = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(Path(probe.__file__).parent)!r}]; import probe"
    command = [sys.executable, "-I", "-S", "-c", code + WORKER]
    inherited = {key: value for key, value in os.environ.items() if key != probe.FOLDER}
    return subprocess.run(
        command, env={**inherited, **environment}, check=True, capture_output=True, text=True
    ).stdout


def test_each_batch_becomes_a_line_of_moments_in_order(tmp_path: Path) -> None:
    printed = run(tmp_path, **{probe.FOLDER: str(tmp_path)})
    assert printed == "[b'2', b'x']\n[b'1', b'x']\n"
    (file,) = tmp_path.glob(f"*{probe.SUFFIX}")
    first, second = map(json.loads, file.read_text().splitlines())
    assert (first["requests"], second["requests"]) == (["2", "x"], ["1", "x"])
    assert first["worker"] == second["worker"] == int(file.name.partition(".")[0])
    names = ("came", "decoded", "begun", "ended", "encoded", "left")
    moments = [each[name] for each in (first, second) for name in names]
    assert moments == sorted(moments)
    for each in (first, second):
        hooks = [each[name] for name in probe.HOOKS]
        assert min(hooks) > 0
        assert sum(hooks) <= each["ended"] - each["begun"]


def test_without_a_folder_nothing_is_noted(tmp_path: Path) -> None:
    assert run(tmp_path) == "[b'2', b'x']\n[b'1', b'x']\n"
    assert list(tmp_path.glob(f"*{probe.SUFFIX}")) == []
