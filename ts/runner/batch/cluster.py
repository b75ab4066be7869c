"""Files answered on Ray Data: by workers on this machine, or on the nodes of a cluster that is joined."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any, Optional

from ts.runner.batch.answerer import AnswererOptions, FileAnswerer
from ts.runner.batch.question import absolute
from ts.runner.batch.row import Row
from ts.runner.errors import RunnerError, ServerError

OBJECT_STORE = 256 << 20  # bytes of shared memory, for the answers on their way
FILES_OF_A_TASK = 64  # about; what is asked again when Ray loses a worker
WITHOUT_ASKING = {"RAY_USAGE_STATS_ENABLED": "0"}  # else Ray sends figures of this machine to its makers
QUIET = {"RAY_BACKEND_LOG_LEVEL": "fatal"}  # of what is not Python and writes to the terminal
COLUMNS = [
    "name",
    *Row._fields[1:4],
]  # of the tables that workers make: answers are saved where the command runs


@dataclass(frozen=True)
class Share:
    """What workers get.

    Attributes:
        workers: How many there are; None for as many as the cluster has room for.
        cpus: Of each; its handler computes in as many threads.
        gpus: Of each; a fraction shares one.
    """

    workers: Optional[int] = None
    cpus: float = 1
    gpus: float = 0

    def fitted(self, free: dict[str, float]) -> Share:
        """With the number of workers.

        Raises:
            ServerError: The cluster has no room for them, for which Ray would wait and say nothing.
        """
        cpus, gpus = free.get("CPU", 0), free.get("GPU", 0)
        room = [int(have / want + 1e-6) for have, want in ((cpus, self.cpus), (gpus, self.gpus)) if want]
        workers = self.workers or max(1, min(room, default=1))
        if room and workers > min(room):
            raise ServerError(
                f"{workers} workers of {self.cpus:g} CPUs and {self.gpus:g} GPUs each are asked for, and the"
                f" cluster has {cpus:g} CPUs and {gpus:g} GPUs free: lower --workers, --cpus-per-worker or"
                " --gpus-per-worker"
                " (0.5 lets two share one)"
            )
        return Share(workers, self.cpus, self.gpus)


class RayAnswerer:
    """What Ray Data runs: a `FileAnswerer`, from tables of paths to tables of answers.

    Args:
        options: What is answered, and by what.
        folder: From which the paths lead.
    """

    def __init__(self, options: AnswererOptions, folder: str) -> None:
        self._folder = folder
        logging.basicConfig(level=options.log_level, format="%(name)s: %(message)s")
        self._answerer = FileAnswerer(options)

    def __call__(self, table: Any) -> Iterator[Any]:
        import pyarrow as pa

        names = table["name"].to_pylist()
        kinds = pa.binary(), pa.int32(), pa.string(), pa.large_binary()
        rest = iter(names)
        for rows in self._answerer.answer([absolute(os.fsdecode(name), self._folder) for name in names]):
            columns = zip(*((next(rest), *row[1:4]) for row in rows))
            arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds)]
            yield pa.table(arrays, COLUMNS)

    def __del__(self) -> None:
        """Ray calls this before it ends the process."""
        answerer = self.__dict__.pop("_answerer", None)
        if answerer is not None:
            answerer.close()


@contextmanager
def ray_cluster(address: Optional[str]) -> Iterator[dict[str, float]]:
    """Joins a cluster, or starts one on this machine, for the time of a `with` block.

    Yields:
        What is free there, e.g. {"CPU": 2.0}.

    Raises:
        ServerError: Ray is not installed, or there is no cluster at the address.
    """
    import_ray()
    import ray

    local: dict[str, Any] = {"include_dashboard": False, "object_store_memory": OBJECT_STORE}
    with ExitStack() as stack:
        # Ray prints there what befalls its processes, whatever it is told of logs.
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
        stack.enter_context(redirect_stdout(nowhere if is_quiet() else sys.stderr))
        try:
            ray.init(
                address=address or "local",  # None would join any cluster that it finds
                logging_level=logging.ERROR if is_quiet() else logging.INFO,
                log_to_driver=not is_quiet(),
                **({} if address else local),
            )
        except (ConnectionError, OSError, ValueError, RuntimeError) as error:
            raise ServerError(f"there is no Ray cluster at {address or 'hand'}: {error}") from error
        stack.callback(ray.shutdown)
        yield ray.available_resources()


def is_quiet() -> bool:
    """Whether nobody asked for logs."""
    return not logging.getLogger().isEnabledFor(logging.INFO)


def import_ray() -> None:
    for name, value in {**WITHOUT_ASKING, **(QUIET if is_quiet() else {})}.items():
        os.environ.setdefault(name, value)
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise ServerError(
            f"Ray Data cannot be imported ({error}): pip install 'torchserve-handlers[ray]', with Python 3.10 or"
            " newer"
        ) from error


def answered_on_ray(paths: Sequence[str], options: AnswererOptions, share: Share) -> Iterator[list[Row]]:
    """The answers to files, some at a time, in the order in which they are ready.

    A worker whose process or node is lost is replaced, and what it was at is asked again.

    Raises:
        ServerError: A worker does not start, or the cluster is lost.
    """
    import pyarrow as pa
    import ray.data
    from ray.exceptions import RayError

    batch = options.settings.batch_size
    size = batch * max(1, -(-FILES_OF_A_TASK // batch))
    names = [os.fsencode(path) for path in paths]
    size = max(1, min(size, -(-len(names) // (2 * (share.workers or 1)))))  # of a few files each gets some
    tables = [pa.table({"name": names[start : start + size]}) for start in range(0, len(names), size)]
    silence(ray.data.DataContext.get_current())
    answers = ray.data.from_arrow(tables).map_batches(
        RayAnswerer,
        fn_constructor_args=(options, os.getcwd()),
        batch_size=size,  # a table
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=share.workers),
        num_cpus=share.cpus,
        num_gpus=share.gpus or None,
    )
    try:
        table: Any
        for table in answers.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            columns = (table.column(name).to_pylist() for name in COLUMNS)
            yield [Row(os.fsdecode(name), *rest) for name, *rest in zip(*columns)]
    except (RayError, RunnerError) as error:
        raise ServerError(f"the files cannot be answered: {sentence_of(error)}") from error


def silence(context: Any) -> None:
    """Ray's own bars and tales of plans."""
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    if is_quiet():
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)


def sentence_of(error: BaseException) -> str:
    """What the runner's own exception says in a worker, where there is one, else Ray's last line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    ours = [line for line in lines if line.startswith("ts.runner.errors.")]
    return ours[-1].partition(": ")[2] if ours else (lines or [type(error).__name__])[-1]
