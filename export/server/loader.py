"""Loads one version by the flags: its session, its batching and its warm-up."""

import gc
import pathlib
import time

from export.server import batching
from export.server import sessions
from export.server import text_configs
from export.server.batching_parameters import Parameters
from export.server.metrics import Metrics
from export.server.servable import Servable


class Loader:
    """Loads versions for `manager.Manager`, and has the scheduler of their batches.

    Args:
        options: from `flags.parse`.

    Raises:
        ValueError: a file that a flag names cannot be read.
    """

    def __init__(self, options, metrics: Metrics):
        self.options, self.metrics = options, metrics
        self.batching = self._batching()
        self.session = sessions.config(options, self.batching)
        self.scheduler = batching.Scheduler(self.batching, self._left) if self.batching else None

    def load(self, name: str, number: int, path: str) -> tuple:
        """The `Servable` in the folder `path`, warmed, and the number of its warm-up runs."""
        options = self.options
        servable = Servable(path, tuple(options.saved_model_tags.split(",")), self.session)
        try:
            servable.batching = self._parameters(path)
            runs = self._warm_up(servable) if options.enable_model_warmup else 0
        except Exception:
            servable.close()  # the next try loads it again
            raise
        gc.collect()
        return servable, runs

    def _warm_up(self, servable):
        options, began = self.options, time.perf_counter()
        records, runs = servable.warm_up(
            max(options.num_request_iterations_for_warmup, 1), options.enable_shape_check
        )
        if records:
            self.metrics.warmed(servable.path, "OK", records, time.perf_counter() - began)
        return runs

    def _parameters(self, path):
        """The batching parameters of a version; None if it is not batched."""
        if not self.options.enable_per_model_batching_parameters:
            return self.batching
        file = pathlib.Path(path) / "batching_params.pbtxt"
        if not file.exists():
            return None
        return Parameters.from_proto(text_configs.read(str(file), "BatchingParameters"))

    def queues(self, servable: Servable) -> dict:
        """Signature name → `queues.Queue` of a version; empty if it is not batched."""
        if servable.batching is None:
            return {}
        return {
            name: self.scheduler.queue(signature, servable.batching)
            for name, signature in servable.signatures.items()
            if signature.runs
        }

    def _left(self, waited):
        self.metrics.batch(self.batching.thread_pool_name, waited)

    def _batching(self):
        if not self.options.enable_batching:
            return None
        path = self.options.batching_parameters_file
        if not path:
            return Parameters()
        return Parameters.from_proto(text_configs.read(path, "BatchingParameters"))

    def close(self) -> None:
        if self.scheduler:
            self.scheduler.close()
