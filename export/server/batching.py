"""Batching: requests that wait for the same signature run together.

One queue per version and signature, served in turn by a few threads. A lone request runs at once if
its queue is idle and a thread is free. While a batch runs, requests gather, and the next run takes
them together, and those that the event loop reads without a pause before it. So the size of a batch
follows the load, and no request waits longer than a millisecond for silent callers unless
`batch_timeout_micros` is set. Everything but the run itself happens on the event loop.

TensorFlow Serving answers a whole batch with an error if one request has different inner
dimensions; here requests of different shapes run in batches of their own, and if a batch
fails, its halves are run again, and so on, so that only the request at fault fails.
"""

import asyncio
import collections
import concurrent.futures
import time

from export.server import batches
from export.server.batching_parameters import Parameters
from export.server.queues import Queue

# If there are several callers, a batch starts after this many passes of the event loop without a
# new request. gRPC hands over one call at a time, several passes apart: batches that start at once
# have 2 requests of 64 clients, and what a run costs hardly depends on their number.
QUIET = 8
ENOUGH = 32  # requests, of all queues, with which batches start anyway
# Seconds that a batch waits for half of the recent callers to ask again; the other half gets its
# answers meanwhile. Otherwise 64 callers fall into three groups and more.
HALF = 0.001


class Scheduler:
    """Threads that serve the queues of all models in turn.

    Args:
        parameters: `Parameters`; `num_batch_threads` and `thread_pool_name` are the scheduler's.
        observe: called for every batch, with the seconds that each of its requests waited.
    """

    def __init__(self, parameters: Parameters, observe=lambda waited: None):
        self.parameters = parameters
        self.observe = observe
        # One slot more than threads, so a full batch is already queued. Without it a thread
        # idles until the event loop sees the end of its run, a tenth of the time under full load.
        self.free = parameters.num_batch_threads + 1
        self.threads = concurrent.futures.ThreadPoolExecutor(
            parameters.num_batch_threads, parameters.thread_pool_name
        )
        self.turns = collections.deque()  # queues that have waiting tasks
        self.planned = False
        self.quiet = 0  # passes of the event loop since the last request or run
        self.inside = self.peak = 0  # requests without an answer, now and since the last run
        self.callers = 1  # the peak, which falls slowly
        self.waited = False  # whether `HALF` is over
        self.timer = None

    def queue(self, signature, parameters: Parameters | None = None) -> Queue:
        return Queue(self, signature, parameters or self.parameters)

    def added(self) -> None:
        """A request waits in a queue."""
        self.inside += 1
        self.peak = max(self.peak, self.inside)
        self.plan()

    def plan(self) -> None:
        """Dispatch batches once the event loop has read all requests that have arrived."""
        self.quiet = 0
        if not self.planned and self.free:
            self.planned = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self):
        loop = asyncio.get_running_loop()
        missing = self._missing()
        if missing and not self.waited:
            self.planned = False
            self.timer = self.timer or loop.call_later(HALF, self._wait_no_more)
            return
        if missing is not None and self.quiet < QUIET:
            self.quiet += 1
            loop.call_soon(self._start)
            return
        if self.timer:
            self.timer.cancel()
        self.timer, self.waited = None, False
        self.planned = False
        for _ in range(len(self.turns)):
            if not self.free:
                return
            queue = self.turns.popleft()
            if self._has_place(queue) and (batch := queue.take()):
                self.free -= 1
                queue.running += 1
                self._run(queue, batch)
            if queue.waiting:
                self.turns.append(queue)
                queue.wake_later()
        if any(queue.ready() and self._has_place(queue) for queue in self.turns):
            self.plan()

    def _missing(self):
        """How many requests lack until half of the callers have one; None if a batch has to start.

        Nothing is to start either if no queue is ready.
        """
        ready = [queue for queue in self.turns if queue.ready() and self._has_place(queue)]
        requests = sum(len(queue.waiting) for queue in ready)
        if not ready or requests >= ENOUGH or any(queue.full() for queue in ready):
            return None
        if max(requests, self.callers) == 1:
            return None
        return max(min(ENOUGH, self.callers // 2) - requests, 0)

    def _wait_no_more(self):
        self.timer, self.waited = None, True
        self.plan()

    def _has_place(self, queue):
        """A batch that can still grow goes to a free thread only."""
        return self.free > (0 if queue.full() else 1)

    def _run(self, queue, batch):
        loop = asyncio.get_running_loop()
        now = time.perf_counter()
        self.callers = max(self.peak, self.callers - self.callers // 8 - 1)
        self.peak = self.inside
        self.observe([now - task.queued for task in batch])

        # Straight from the thread to `_finish`: a task that awaits the run costs two more turns of
        # the event loop for every batch.
        def work():
            answers = batches.run(queue.signature, queue.parameters, batch)
            loop.call_soon_threadsafe(self._finish, queue, batch, answers)

        self.threads.submit(work)

    def _finish(self, queue, batch, answers):
        self.free += 1
        self.inside -= len(batch)
        queue.running -= 1
        self.plan()
        for task, answer in zip(batch, answers):
            if task.future.done():
                continue
            if isinstance(answer, Exception):
                task.future.set_exception(answer)
            else:
                task.future.set_result(answer)
        if not queue.running:
            queue.at_rest()

    def close(self) -> None:
        self.threads.shutdown(wait=False)
