"""What a server measures, for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from ts.runner.answering.metrics import Measurement
from ts.runner.serving.handler_metrics import HandlerMetrics
from ts.runner.serving.replies import Reply

MODEL = ("model", "version")
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128)
CONTENT_TYPE = CONTENT_TYPE_LATEST
TIMES = {"ms": 1e-3, "s": 1.0}  # seconds by the unit of a time
MOST_TIMES = 100  # names of times of one model, since a handler may make them of anything


class Meter:
    """The metrics of one server, all of whose names begin with `torch_model_`, and its handlers' own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = self._counter("requests", "Requests that got an answer.", (*MODEL, "status"))
        self._refused = self._counter("refused", "Requests that no handler answered.", ("reason",))
        self._seconds = self._histogram("request_seconds", "From a request's body to its answer.", SECONDS)
        self._rows = self._histogram("batch_requests", "Requests of a batch.", ROWS)
        self._waited = self._histogram("queue_seconds", "For which a request waited for a worker.", SECONDS)
        self._times = self._histogram("handler_seconds", "Times by the handler's names.", SECONDS, ("name",))
        self._restarts = self._counter("worker_restarts", "Workers that died and were started again.", MODEL)
        self._dropped = self._counter(
            "measurements_dropped", "What handlers measured, but is not here.", MODEL
        )
        self._handlers = HandlerMetrics()
        self._registry.register(self._handlers)
        self._workers = Gauge(
            "torch_model_workers", "Workers that are ready.", MODEL, registry=self._registry
        )

    def refused(self, reason: str) -> None:
        self._refused.labels(reason).inc()

    def of(self, name: str, version: str) -> ModelMeter:
        return ModelMeter(self, name, version)

    def page(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, about: str, labels: Sequence[str]) -> Counter:
        return Counter(f"torch_model_{name}", about, labels, registry=self._registry)

    def _histogram(
        self, name: str, about: str, buckets: Sequence[float], labels: Sequence[str] = ()
    ) -> Histogram:
        return Histogram(
            f"torch_model_{name}", about, (*MODEL, *labels), registry=self._registry, buckets=buckets
        )


class ModelMeter:
    """The metrics of one version of a model."""

    def __init__(self, meter: Meter, name: str, version: str) -> None:
        self._meter = meter
        self._labels = (name, version)
        self._seconds = meter._seconds.labels(*self._labels)
        self._rows = meter._rows.labels(*self._labels)
        self._waited = meter._waited.labels(*self._labels)
        self._restarts = meter._restarts.labels(*self._labels)
        self._workers = meter._workers.labels(*self._labels)
        self._dropped = meter._dropped.labels(*self._labels)
        self._requests: dict[int, Counter] = {}  # by status
        self._times: dict[str, Histogram] = {}  # by the handler's names

    def answered(self, reply: Reply, seconds: float) -> None:
        status = reply.status
        if status not in self._requests:
            self._requests[status] = self._meter._requests.labels(*self._labels, str(status))
        self._requests[status].inc()
        self._seconds.observe(seconds)

    def batch(self, waited: Sequence[float]) -> None:
        """A batch is taken, whose requests have waited so many seconds."""
        self._rows.observe(len(waited))
        for seconds in waited:
            self._waited.observe(seconds)

    def measured(self, measurements: Sequence[Measurement]) -> None:
        for measurement in measurements:
            if measurement.unit in TIMES:
                self._timed(measurement.name, measurement.value * TIMES[measurement.unit])
            if not self._meter._handlers.record(measurement):
                self._dropped.inc()

    def _timed(self, name: str, seconds: float) -> None:
        if name not in self._times and len(self._times) < MOST_TIMES:
            self._times[name] = self._meter._times.labels(*self._labels, name)
        if name in self._times:
            self._times[name].observe(seconds)

    def restarted(self) -> None:
        self._restarts.inc()

    def workers(self, ready: int) -> None:
        self._workers.set(ready)
