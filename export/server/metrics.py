"""Prometheus metrics under TensorFlow Serving's names: everything but letters is a colon."""

import functools
import re

import prometheus_client
from prometheus_client import exposition

PATH = "/monitoring/prometheus/metrics"
PREFIX = ":tensorflow:serving:"
MICROSECONDS = tuple(10 * 1.8**i for i in range(33))


class Metrics:
    """Counters and histograms of one server. Times are given in seconds and kept in µs."""

    def __init__(self):
        prometheus_client.disable_created_metrics()
        self.registry = prometheus_client.CollectorRegistry()
        self.counters = {}
        self._requests = self._counter("request_count", "model_name", "status")
        self._latency = self._histogram("request_latency", "model_name", "API", "entrypoint")
        self._runtime = self._histogram("runtime_latency", "model_name", "API", "runtime")
        self._warmup = self._histogram("model_warmup_latency", "model_path", "status")
        self._records = self._counter("model_warmup_records_read", "model_path", "status")
        self._queued = self._histogram("batching_session:queuing_latency", "thread_pool_name")
        self._runs = self._counter("batching_session:wrapped_run_count")

    def _counter(self, name, *labels):
        made = prometheus_client.Counter(PREFIX + name, name, labels, registry=self.registry)
        self.counters[PREFIX + name] = made
        return made

    def _histogram(self, name, *labels):
        return prometheus_client.Histogram(
            PREFIX + name, name, labels, registry=self.registry, buckets=MICROSECONDS
        )

    @functools.lru_cache(maxsize=1024)  # noqa: B019  (one for the life of the server)
    def _of(self, metric, *labels):
        return metric.labels(*labels)

    def request(self, model: str, api: str, entrypoint: str, status: str, seconds: float) -> None:
        """One request has been answered. Only good answers are timed."""
        self._of(self._requests, model, status).inc()
        if status == "OK":
            self._of(self._latency, model, api, entrypoint).observe(seconds * 1e6)

    def run(self, model: str, api: str, seconds: float) -> None:
        """The model was run for a request, waiting in the queue included."""
        self._of(self._runtime, model, api, "TF1").observe(seconds * 1e6)

    def batch(self, pool: str, waited: list) -> None:
        """A batch has left the queue; `waited` has the seconds of each of its requests."""
        queued = self._queued.labels(pool)
        for seconds in waited:
            queued.observe(seconds * 1e6)
        self._runs.inc()

    def warmed(self, path: str, status: str, records: int, seconds: float) -> None:
        """A version has replayed its recorded requests."""
        self._warmup.labels(path, status).observe(seconds * 1e6)
        self._records.labels(path, status).inc(records)

    def text(self) -> str:
        """The exposition. Counters keep TensorFlow Serving's names, without `_total`."""
        text = exposition.generate_latest(self.registry).decode()
        names = "|".join(map(re.escape, self.counters))
        return re.sub(rf"({names})_total\b", r"\1", text)

    def totals(self) -> dict:
        """Name as in `ReloadConfigRequest.metric_names` → sum over all labels of that counter."""
        return {
            name.replace(":", "/"): int(
                sum(s.value for m in made.collect() for s in m.samples if s.name.endswith("_total"))
            )
            for name, made in self.counters.items()
        }
