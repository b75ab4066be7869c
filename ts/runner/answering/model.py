"""A model archive whose handler is started in this process."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Optional, TypeVar, Union

from ts.runner.answering.answer import STREAM_NEXT, Answer, batch_answers, exception_answers
from ts.runner.answering.context import TORCHSERVE_VERSION, Context, RequestProcessor
from ts.runner.answering.coroutines import Coroutines, check_coroutine
from ts.runner.answering.device import gpu_id
from ts.runner.answering.imports import ImportScope
from ts.runner.answering.intermediate import Intermediate, Say
from ts.runner.answering.loader import Entry, start_handler
from ts.runner.answering.metrics import Metrics
from ts.runner.answering.metrics_file import DEFAULTS, read_metrics_file
from ts.runner.answering.payload import Input, Request, description, prediction
from ts.runner.archives.archive import Archive, open_archive
from ts.runner.archives.inspection import damaged_files
from ts.runner.errors import ArchiveError, InputError
from ts.utils.documents import shown

logger = logging.getLogger(__name__)

T = TypeVar("T")
LONGEST_TEXT = 2000  # letters of an error, in a message or a line of the log


class Model:
    """Answers requests as a TorchServe worker with the same archive does.

    Get one from `load_archive`. While the handler runs, the archive's folder is the working directory and first on
    `sys.path`, as in a worker; so calls from several threads take turns.

    Attributes:
        archive: The archive, with its manifest and settings.
        batch_size: The most rows that the handler gets at once: `batchSize` of the archive's settings, else 1.
        metrics: What the handler measured, e.g. `model.metrics.values("HandlerTime")`, in ms.
        scope: Where the archive's own modules can be imported from.
    """

    def __init__(self, archive: Archive, scope: ImportScope, handle: Entry, context: Context) -> None:
        self.archive = archive
        self.batch_size: int = context.system_properties["batch_size"]
        self.metrics: Metrics = context.metrics or Metrics()
        self.scope = scope
        self._handle = handle
        self._context = context
        self._coroutines = Coroutines()

    @property
    def handler(self) -> Any:
        """The handler, an object with a method `handle`; None where the archive's entry is a function."""
        return getattr(self._handle, "__self__", None)

    def predict(
        self,
        inputs: Sequence[Input],
        *,
        options: Optional[Mapping[str, Any]] = None,
        explain: bool = False,
        headers: Optional[Mapping[str, str]] = None,
        batch_size: Optional[int] = None,
    ) -> list[Answer]:
        """Answers each input; the answers come in the same order.

        Args:
            inputs: bytes (a raw body), str (a text), dict or list (a JSON body), or the Path of a file, which is
                parsed if it ends in .json. What is wrong with one input is for the handler to say, in its answer.
            options: Options of the request by name, sent like fields of a form beside each input.
            explain: Asks for explanations in place of predictions.
            headers: Further headers of each request, e.g. `{"ts_request_sequence_id": "s1"}`; a Content-Type says
                what the inputs are.
            batch_size: The most rows that the handler gets at once; by default `self.batch_size`.

        Raises:
            InputError: `inputs` is no list of such values, or a file cannot be read.
        """
        if isinstance(inputs, (str, bytes, bytearray, Path, Mapping)):
            raise InputError(f"inputs must be a list, not one {type(inputs).__name__}")
        stream = self.stream(inputs, options=options, explain=explain, headers=headers, batch_size=batch_size)
        return list(stream)

    def stream(
        self,
        inputs: Iterable[Input],
        *,
        options: Optional[Mapping[str, Any]] = None,
        explain: bool = False,
        headers: Optional[Mapping[str, str]] = None,
        batch_size: Optional[int] = None,
    ) -> Iterator[Answer]:
        """As `predict`, but batch by batch, so that any number of inputs fits in memory."""
        requests = (prediction(value, options, explain, headers) for value in inputs)
        for batch in batches(requests, batch_size or self.batch_size):
            yield from self.answer(batch)

    def answer(
        self, requests: list[Request], ids: Optional[Sequence[str]] = None, say: Optional[Say] = None
    ) -> list[Answer]:
        """Answers a batch; with continuous batching, again and again the rows whose answers are not whole.

        Args:
            requests: The rows, with their headers.
            ids: By which the handler knows each request; by default new ones.
            say: Is told what of an answer the handler sends before the rest, with the request's id.
        """
        ids = ids or [str(uuid.uuid4()) for _ in requests]
        answers = self._answer_once(requests, ids, say)
        going_on = self._unfinished(answers)
        while going_on:
            rows = [requests[index].again() for index in going_on]
            if say:
                for index in going_on:
                    say(ids[index], replace(answers[index], intermediate=()))
            more = self._answer_once(rows, [ids[index] for index in going_on], say)
            for index, answer in zip(going_on, more):
                so_far = answers[index]
                parts = (*so_far.intermediate, replace(so_far, intermediate=()), *answer.intermediate)
                answers[index] = replace(answer, intermediate=parts)
            going_on = [index for index in going_on if index in self._unfinished(answers)]
        return answers

    def describe(self) -> Answer:
        """What the handler says about itself, as for `GET /models/NAME?customized=true`."""
        return self.answer([description()])[0]

    def close(self) -> None:
        """Ends what the handler's coroutines ran in, if there were any."""
        self._coroutines.close()

    def _unfinished(self, answers: list[Answer]) -> list[int]:
        if not self.archive.config.get("continuousBatching"):
            return []
        return [index for index, answer in enumerate(answers) if answer.headers.get(STREAM_NEXT) == "true"]

    def _answer_once(
        self, requests: list[Request], ids: Sequence[str], say: Optional[Say] = None
    ) -> list[Answer]:
        processors = [RequestProcessor(request.headers) for request in requests]
        sent = Intermediate(say)
        try:
            with self.scope.active():  # which also keeps other threads from the one context
                self._context.request_processor = processors
                self._context.request_ids = dict(enumerate(ids))
                self._context.cl_socket = sent
                self.metrics.set_request_ids(self._context.request_ids)
                results = self._handle([request.row for request in requests], self._context)
                results = self._coroutines.result_of(results)
                answers = batch_answers(results, processors, self._context.stopping_criteria)
        except (Exception, SystemExit) as error:
            answers = exception_answers(error, len(requests))
        if answers[0].reason:
            logger.error("a batch of %d failed: %s", len(requests), one_line(answers[0].reason))
        before = [tuple(sent.answers.get(request_id, ())) for request_id in ids]
        return [replace(answer, intermediate=parts) for answer, parts in zip(answers, before)]


@contextmanager
def load_archive(
    path: Union[str, Path],
    *,
    device: str = "auto",
    metrics_file: Union[str, Path, None] = None,
    max_size: Optional[int] = None,
) -> Iterator[Model]:
    """Opens an archive and starts its handler, for the time of a `with` block.

    Args:
        path: A path or URL, see `open_archive`.
        device: "auto" (the first GPU, if there is one), "cpu" or "cuda:N".
        metrics_file: Defines metrics that the handler finds, as the file that TorchServe's `metrics_config` names.
        max_size: The bytes that a zip or tar may unpack to; by default 50 times its size, and 256 MiB at least.

    Raises:
        ArchiveError: The archive breaks the format, or its handler does not start.
        DeviceError: There is no such device.
        InputError: The file of metrics cannot be read.
    """
    with open_archive(path, max_size=max_size) as archive:
        check_integrity(archive)
        with start_archive(archive, device=device, metrics_file=metrics_file) as model:
            yield model


@contextmanager
def start_archive(
    archive: Archive, *, device: str = "auto", metrics_file: Union[str, Path, None] = None
) -> Iterator[Model]:
    """As `load_archive`, for an archive that is open; its `config` may have been changed.

    Raises:
        ArchiveError: The handler does not start.
        DeviceError: There is no such device.
        InputError: The file of metrics cannot be read.
    """
    metrics = Metrics(archive.name, read_metrics_file(metrics_file) if metrics_file else DEFAULTS)
    metrics.set_request_ids(str(uuid.uuid4()))  # so that what is measured at the start is the model's
    with ExitStack() as stack:
        context = Context(
            model_name=archive.name,
            model_dir=str(archive.root),
            manifest=archive.manifest,
            batch_size=batch_size_of(archive),
            gpu=gpu_id(device, archive.config),
            mms_version=TORCHSERVE_VERSION,
            metrics=metrics,
            model_yaml_config=archive.config,
        )
        scope = ImportScope(archive.root, has_code=not archive.is_saved_model)
        stack.callback(scope.close)
        entry = started(archive, scope, context)
        check_coroutine(entry, archive.config)
        model = Model(archive, scope, entry, context)
        stack.callback(model.close)
        yield model


def check_integrity(archive: Archive) -> None:
    """Refuses a damaged archive; a folder may have been edited since it was written, on purpose."""
    damaged = [] if archive.source.is_dir() else damaged_files(archive)
    if damaged:
        names = ", ".join(name if name.isprintable() else repr(name) for name in damaged[:5])
        more = f" and {len(damaged) - 5} more" if len(damaged) > 5 else ""
        raise ArchiveError(f"{archive.origin} is damaged: the sha256 of {names}{more} is not the manifest's")


def started(archive: Archive, scope: ImportScope, context: Context) -> Entry:
    try:
        with scope.active():
            return start_handler(archive.handler, archive.root, context)
    except (Exception, SystemExit) as error:
        message = f"handler {archive.handler!r} of {archive.origin} did not start: {one_line(error)}"
        requirements = archive.model.get("requirementsFile")
        if isinstance(error, ImportError) and (error.name or "").startswith("ts."):
            message += " (a module of torchserve's: pip install 'torchserve-handlers[server]')"
        elif isinstance(error, ImportError) and requirements:
            message += f" (the archive asks for packages in its {requirements}: install those first)"
        raise ArchiveError(message) from error


def batch_size_of(archive: Archive) -> int:
    size = archive.config.get("batchSize", 1)
    if not isinstance(size, int) or size < 1:
        raise ArchiveError(
            f"batchSize in the settings of {archive.origin} must be a whole number above 0, not {shown(size)}"
        )
    return size


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def one_line(error: BaseException) -> str:
    """The type and text of an exception, on one line; of a long text the beginning."""
    try:
        text = " ".join(str(error).split())
    except Exception as mute:
        text = f"it says nothing, since its text raises {type(mute).__name__}"
    return f"{type(error).__name__}: {text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + '...'}"
