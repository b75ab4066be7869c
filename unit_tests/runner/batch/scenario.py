"""One Ray cluster, and jobs that are tried on it; writes what was seen as JSON. Runs in a network of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any, Callable

from benchmarks.processes.namespace import bring_loopback_up
from ts.runner.batch.ledger import Ledger

HANDLER = """
import os, time

class Obeys:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        texts = [bytes(row.get("data") or row["body"]).decode() for row in data]
        self.mark(texts)
        return [self.answer(text, data[index], index, len(data), context) for index, text in enumerate(texts)]

    def answer(self, text, row, index, rows, context):
        if text.startswith("die"):
            os._exit(3)
        if text.startswith("wait for "):
            while not os.path.exists(text[9:]):
                time.sleep(0.01)
        if text == "hang":
            time.sleep(60)
        if text == "damaged":
            context.set_response_status(400, "Bad Request", index)
            return {"code": 400, "message": "it is damaged"}
        if text == "picture":
            context.set_response_content_type(index, "image/png")
            return b"\\x89PNG"
        said = {"said": text, "rows": rows, "threads": os.environ.get("OMP_NUM_THREADS"),
                "gpu": os.environ.get("CUDA_VISIBLE_DEVICES")}
        if "topk" in row:
            said["topk"] = bytes(row["topk"]).decode()
        return said

    def mark(self, texts):  # who answers what
        if os.environ.get("MARKS"):
            with open(os.environ["MARKS"], "a") as marks:
                marks.write("".join(f"{os.getppid()} {text}\\n" for text in texts))
"""
PATIENCE = 180  # seconds; a busy machine takes minutes for what takes 5 s
FILES = 60
DEADLY, DAMAGED, PICTURE, WAITING = 7, 20, 30, 41  # what some of them are


def write(folder: Path, source: str = HANDLER, **config: Any) -> Path:
    """An archive of a handler."""
    path = folder / "obeys.mar"
    model = {"modelName": "obeys", "handler": "own.py", "modelVersion": "1.0", "configFile": "config.yaml"}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("own.py", source)
        archive.writestr("config.yaml", json.dumps(config))
        archive.writestr("MAR-INF/MANIFEST.json", json.dumps({"runtime": "python", "model": model}))
    return path


class Jobs:
    """Folders of files, and commands that answer them on a cluster.

    Attributes:
        folder: Where all of it lies.
        address: The cluster's.
    """

    def __init__(self, folder: Path, address: str, marks: Path) -> None:
        self.folder = folder
        self._address = address
        self._marks = marks

    def files(self, name: str) -> str:
        """Makes a folder of texts; returns the one that is answered only when its gate is open."""
        waiting = f"wait for {self.gate(name)}"
        special = {DEADLY: "die", DAMAGED: "damaged", PICTURE: "picture", WAITING: waiting}
        for number in range(FILES):
            path = self.folder / name / f"sub{number % 2}" / f"{number:03}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(special.get(number, f"{name} {number}"))
        return waiting

    def gate(self, name: str) -> Path:
        return self.folder / f"{name}.gate"

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "ts.runner",
            "predict",
            "--engine",
            "ray",
            "--address",
            self._address,
        ]
        command += ["--device", "cpu", "--workers", "2", "obeys.mar", name, "--output", f"{name}.parquet"]
        pipe = subprocess.PIPE
        return subprocess.Popen([*command, *arguments], cwd=self.folder, stdout=pipe, stderr=pipe, text=True)

    def asked(self) -> list[tuple[int, str]]:
        """The texts that handlers got so far, with the process of Ray's that had each."""
        lines = self._marks.read_text().splitlines() if self._marks.exists() else []
        return [(int(pid), text) for pid, _, text in (line.partition(" ") for line in lines)]

    def await_asked(self, text: str, times: int = 1) -> int:
        """Waits until a handler has got a text so often; returns the process of Ray's that has it."""
        until(lambda: sum(text == asked for _, asked in self.asked()) >= times)
        return [pid for pid, asked in self.asked() if asked == text][-1]

    def table(self, name: str) -> list[dict[str, Any]]:
        import pyarrow.parquet

        rows = pyarrow.parquet.read_table(str(self.folder / f"{name}.parquet")).to_pylist()
        return [{**row, "body": row["body"] and row["body"].decode("latin-1")} for row in rows]


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come")
        time.sleep(0.05)


def outcome(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = process.communicate(timeout=PATIENCE)
    return {"code": process.returncode, "out": out.splitlines(), "errors": errors}


def faults(jobs: Jobs) -> dict[str, Any]:
    """A file that ends its worker, and a process of Ray's that is killed on the way."""
    waiting = jobs.files("photos")
    process = jobs.start("photos", "--option", "topk=3")
    killed = jobs.await_asked(waiting)
    os.kill(killed, signal.SIGKILL)
    jobs.gate("photos").touch()
    other = jobs.await_asked(waiting, times=2)
    found = outcome(process)
    again = outcome(jobs.start("photos"))
    return {**found, "rows": jobs.table("photos"), "killed": killed, "other": other, "again": again}


def interruptions(jobs: Jobs) -> dict[str, Any]:
    """A job whose process is killed, then interrupted, then let go on."""
    waiting = jobs.files("texts")
    process = jobs.start("texts")
    jobs.await_asked(waiting)
    unfinished = jobs.folder / "texts.parquet.unfinished"
    journal = unfinished.with_name(f"{unfinished.name}-wal")
    until(lambda: b'"said"' in journal.read_bytes())
    process.kill()
    process.communicate()
    ledger = Ledger(unfinished)
    kept = [row.path for row in ledger.rows()]
    ledger.close()
    process = jobs.start("texts", "--resume")
    jobs.await_asked(waiting, times=2)
    process.send_signal(signal.SIGINT)
    interrupted = outcome(process)
    jobs.gate("texts").touch()
    shared_gpu = ("--device", "auto", "--gpus-per-worker", "0.5")  # which no cluster has that lacks one
    finished = outcome(jobs.start("texts", "--resume", *shared_gpu))
    return {
        "kept": kept,
        "interrupted": interrupted,
        **finished,
        "rows": jobs.table("texts"),
        "asked": [text for _, text in jobs.asked()],
        "left": sorted(path.name for path in jobs.folder.glob("texts.parquet*")),
    }


def main(folder: Path) -> None:
    bring_loopback_up()
    marks = folder / "marks"
    os.environ.update(MARKS=str(marks), RAY_USAGE_STATS_ENABLED="0", RAY_worker_niceness="0")
    import ray

    write(folder, batchSize=4)
    ray.init(address="local", num_cpus=4, num_gpus=1, include_dashboard=False, object_store_memory=200 << 20)
    jobs = Jobs(folder, ray.get_runtime_context().gcs_address, marks)
    found = {"faults": faults(jobs), "interruptions": interruptions(jobs)}
    (folder / "found.json").write_text(json.dumps(found))
    ray.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
