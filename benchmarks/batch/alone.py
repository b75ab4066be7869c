"""Answers files in this process, as `predict` does, and prints how long that took."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path

from ts.runner.answering.model import load_archive


def main(archive: str, folder: str, batch_size: int) -> None:
    paths = sorted(Path(folder).iterdir())
    with load_archive(archive, device="cpu") as model:
        begun = time.monotonic()
        statuses = Counter(answer.status for answer in model.stream(paths, batch_size=batch_size))
        seconds = time.monotonic() - begun
    sys.stdout.write(json.dumps({"rate": len(paths) / seconds, "statuses": statuses}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
