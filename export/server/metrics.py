"""Prometheus metrics under TensorFlow Serving's names: everything but letters is a colon."""

import bisect
import math
import re
import threading

import prometheus_client
from prometheus_client import exposition
from prometheus_client.core import CounterMetricFamily
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString

PATH = "/monitoring/prometheus/metrics"
PREFIX = ":tensorflow:serving:"
MICROSECONDS = tuple(10 * 1.8**i for i in range(33))


class Histogram:
    """Counts of numbers between the bounds of `MICROSECONDS`, and their sum.

    prometheus_client's histogram takes a lock and walks through the bounds for every number, which
    costs 2 µs of a request each.
    """

    __slots__ = ("counts", "sum")

    def __init__(self):
        self.counts = [0] * (len(MICROSECONDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        microseconds = seconds * 1e6
        self.counts[bisect.bisect_left(MICROSECONDS, microseconds)] += 1  # a bound is included
        self.sum += microseconds

    def buckets(self) -> list:
        """(bound as text, numbers up to it) for every bound and infinity."""
        found, total = [], 0
        for bound, count in zip([*MICROSECONDS, math.inf], self.counts):
            total += count
            found.append((floatToGoString(bound), total))
        return found


class Family:
    """One metric: a value for every tuple of labels."""

    def __init__(self, name: str, labels: tuple, kind: type):
        self.name, self.labels, self.kind = PREFIX + name, labels, kind
        self.values = {}

    def histogram(self, *labels) -> Histogram:
        found = self.values.get(labels)
        return found if found is not None else self.values.setdefault(labels, Histogram())

    def count(self, labels: tuple, more: int = 1) -> None:
        self.values[labels] = self.values.get(labels, 0) + more

    def collected(self):
        """In the format of prometheus_client."""
        family = self.kind(self.name, self.name.removeprefix(PREFIX), labels=self.labels)
        for labels, value in list(self.values.items()):
            if self.kind is HistogramMetricFamily:
                family.add_metric(labels, value.buckets(), value.sum)
            else:
                family.add_metric(labels, value)
        return family


class Metrics:
    """Counters and histograms of one server. Times are given in seconds and kept in µs.

    All but `warmed` is called on the event loop only, and so needs no lock.
    """

    def __init__(self):
        self.families = []
        self._requests = self._counter("request_count", "model_name", "status")
        self._latency = self._histogram("request_latency", "model_name", "API", "entrypoint")
        self._runtime = self._histogram("runtime_latency", "model_name", "API", "runtime")
        self._warmup = self._histogram("model_warmup_latency", "model_path", "status")
        self._records = self._counter("model_warmup_records_read", "model_path", "status")
        self._queued = self._histogram("batching_session:queuing_latency", "thread_pool_name")
        self._runs = self._counter("batching_session:wrapped_run_count")
        self._warming = threading.Lock()
        self.registry = prometheus_client.CollectorRegistry()
        self.registry.register(self)

    def _counter(self, name, *labels):
        self.families.append(Family(name, labels, CounterMetricFamily))
        if not labels:
            self.families[-1].count((), 0)  # it is there from the beginning
        return self.families[-1]

    def _histogram(self, name, *labels):
        self.families.append(Family(name, labels, HistogramMetricFamily))
        return self.families[-1]

    def collect(self) -> list:
        """For prometheus_client."""
        return [family.collected() for family in self.families]

    def request(self, model: str, api: str, entrypoint: str, status: str, seconds: float) -> None:
        """One request has been answered. Only good answers are timed."""
        self._requests.count((model, status))
        if status == "OK":
            self._latency.histogram(model, api, entrypoint).add(seconds)

    def run(self, model: str, api: str, seconds: float) -> None:
        """The model was run for a request.

        Waiting in the queue is included, as in TensorFlow Serving, whose sessions have the queue
        inside; the time in the queue is `batch`'s.
        """
        self._runtime.histogram(model, api, "TF1").add(seconds)

    def batch(self, pool: str, waited: list) -> None:
        """A batch has left the queue; `waited` has the seconds of each of its requests."""
        queued = self._queued.histogram(pool)
        for seconds in waited:
            queued.add(seconds)
        self._runs.count(())

    def warmed(self, path: str, status: str, records: int, seconds: float) -> None:
        """A version has replayed its recorded requests."""
        with self._warming:
            self._warmup.histogram(path, status).add(seconds)
            self._records.count((path, status), records)

    def text(self) -> str:
        """The exposition. Counters keep TensorFlow Serving's names, without `_total`."""
        text = exposition.generate_latest(self.registry).decode()
        names = "|".join(re.escape(family.name) for family in self._counters())
        return re.sub(rf"({names})_total\b", r"\1", text)

    def totals(self) -> dict:
        """Name as in `ReloadConfigRequest.metric_names` → sum over all labels of that counter."""
        return {f.name.replace(":", "/"): int(sum(f.values.values())) for f in self._counters()}

    def _counters(self):
        return [family for family in self.families if family.kind is CounterMetricFamily]
