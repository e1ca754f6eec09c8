"""The queue of the requests for one signature."""

import asyncio
import collections
import time

import numpy as np

from export.server.batches import Task
from export.server.batching_parameters import Parameters
from export.server.errors import ServingError
from export.server.errors import invalid


class Queue:
    """The requests that wait for one signature of one version.

    Args:
        scheduler: `batching.Scheduler`, which runs them.
        signature: `signatures.Signature`.
        parameters: limits of its batches.
    """

    def __init__(self, scheduler, signature, parameters: Parameters):
        self.scheduler = scheduler
        self.signature = signature
        self.parameters = parameters
        self.waiting = collections.deque()
        self.rows = 0
        self.running = 0
        self.timer = None
        self.at_rest = lambda: None  # called when a run has ended and none is running

    async def submit(self, feeds: dict) -> dict:
        """alias → array of every output, for these rows.

        Raises:
            ServingError: the request is invalid; UNAVAILABLE if the queue is full.
        """
        rows = self._rows(feeds)
        parameters = self.parameters
        self.check_rows(rows)
        if self.rows + rows > parameters.max_enqueued_batches * parameters.largest:
            raise ServingError(
                "UNAVAILABLE",
                f"The batch scheduling queue to which this task was submitted is full; "
                f"{self.rows} rows are waiting for signature {self.signature.name}",
            )
        if rows <= parameters.largest:
            return await self._add(feeds, rows)
        starts = range(0, rows, parameters.largest)
        parts = [{a: v[s : s + parameters.largest] for a, v in feeds.items()} for s in starts]
        found = await asyncio.gather(
            *(self._add(part, min(parameters.largest, rows - s)) for part, s in zip(parts, starts))
        )
        return {alias: np.concatenate([f[alias] for f in found]) for alias in found[0]}

    def check_rows(self, rows: int) -> None:
        """Raises ServingError, INVALID_ARGUMENT, for a request of too many rows."""
        if rows > self.parameters.max_batch_size:
            raise invalid(
                f"Task size {rows} is larger than maximum input batch size "
                f"{self.parameters.max_batch_size}"
            )

    def _rows(self, feeds):
        if any(value.ndim == 0 for value in feeds.values()):
            raise invalid("Batching Run() input tensors must have at least one dimension")
        sizes = {len(value) for value in feeds.values()}
        if len(sizes) != 1:
            raise invalid("Batching Run() input tensors must have equal 0th-dimension size")
        return sizes.pop()

    def _add(self, feeds, rows):
        future = asyncio.get_running_loop().create_future()
        shapes = tuple(value.shape[1:] for value in feeds.values())
        if not self.waiting:
            self.scheduler.turns.append(self)
        self.waiting.append(Task(feeds, rows, shapes, future, time.perf_counter()))
        self.rows += rows
        self.scheduler.added()
        return future

    def wake_later(self) -> None:
        """Dispatch the queue again when its first request has waited long enough."""
        if self.timer is None and not self.running and not self.ready():
            waited = time.perf_counter() - self.waiting[0].queued
            left = self.parameters.batch_timeout_micros / 1e6 - waited
            self.timer = asyncio.get_running_loop().call_later(max(left, 0), self._wake)

    def _wake(self):
        self.timer = None
        self.scheduler.plan()

    def full(self) -> bool:
        """Whether the waiting requests make a full batch."""
        return self.rows >= self.parameters.largest

    def ready(self) -> bool:
        """Whether the next batch may start.

        A full batch may. Others wait for their window, and while the queue has a run under way: a
        second run beside it would take the processor from the first and leave both batches small.
        (64 clients on 2 cores: 2 to 8 rows per run without this, 20 with it.)
        """
        if not self.waiting or self.full():
            return bool(self.waiting)
        if self.running:
            return False
        waited = time.perf_counter() - self.waiting[0].queued
        return waited >= self.parameters.batch_timeout_micros / 1e6

    def take(self) -> list:
        """The next batch: tasks in order of arrival, of one shape, that fit into one run."""
        if not self.ready():
            return []
        batch, size, kept = [], 0, []
        while self.waiting:
            task = self.waiting[0]
            if task.future.done():  # the caller has cancelled
                self.rows -= self.waiting.popleft().rows
                self.scheduler.inside -= 1
                continue
            if batch and task.shapes != batch[0].shapes:
                kept.append(self.waiting.popleft())
                continue
            if batch and size + task.rows > self.parameters.largest:
                break
            batch.append(self.waiting.popleft())
            size += task.rows
        self.waiting.extendleft(reversed(kept))
        self.rows -= size
        return batch
