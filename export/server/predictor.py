"""The prediction path of gRPC and REST: checked arrays → outputs, batched or not."""

import asyncio
import concurrent.futures
import time

from export.server.errors import ServingError
from export.server.errors import from_exception

CLOSE = 0.05  # seconds to its deadline at which a call that is cancelled counts as late


class Counted:
    """Counts and times one request; any exception leaves as a `ServingError`."""

    __slots__ = ("predictor", "name", "api", "entrypoint", "call", "began")

    def __init__(self, predictor: "Predictor", name: str, api: str, entrypoint: str, call=None):
        self.predictor, self.name, self.api, self.entrypoint = predictor, name, api, entrypoint
        self.call = call

    def __enter__(self):
        self.began = time.perf_counter()

    def __exit__(self, kind, error, _):
        known = None
        if error is None:
            status = "OK"
        elif isinstance(error, asyncio.CancelledError):
            # The client gives up at its own deadline, some milliseconds before the server does.
            left = self.call.time_remaining() if self.call else None
            status = "CANCELLED" if left is None or left > CLOSE else "DEADLINE_EXCEEDED"
        elif isinstance(error, Exception):
            known = from_exception(error)
            status = known.code.name
        else:
            return
        predictor = self.predictor
        # A model name that is not served may be any text, so it gets no label of its own.
        label = self.name if self.name in predictor.registry.models else ""
        seconds = time.perf_counter() - self.began
        predictor.metrics.request(label, self.api, self.entrypoint, status, seconds)
        if known is not None and known is not error:
            raise known from None


class Predictor:
    """Answers requests with the versions of a registry.

    Args:
        registry: `registry.Registry`.
        metrics: `metrics.Metrics`.
        threads: number of unbatched runs at the same time.
        check_shapes: compare shapes with the signature before anything is queued or run.
        as_content: write outputs into `tensor_content`.
    """

    def __init__(self, registry, metrics, threads: int, check_shapes=True, as_content=False):
        self.registry = registry
        self.metrics = metrics
        self.check_shapes = check_shapes
        self.as_content = as_content
        self.threads = concurrent.futures.ThreadPoolExecutor(threads, "run")

    async def run(self, name: str, api: str, version, signature, feeds: dict, wanted: list) -> dict:
        """alias → array of the wanted outputs.

        A cancelled call is removed from the batch queue or the executor queue. A run that
        has begun continues to its end: if it keeps to its own thread, which is the default,
        TensorFlow checks the time limit of a run only after it.

        Raises:
            ServingError: an error of the queue or of the model.
        """
        began = time.perf_counter()
        # As in TensorFlow Serving, only requests for all outputs are batched.
        whole = len(wanted) == len(signature.outputs)
        queue = version.queues.get(signature.name) if whole else None
        try:
            if queue is not None:
                found = await queue.submit(feeds)
            else:
                found = await self._past_the_queue(version, signature, feeds, wanted)
        except Exception as error:
            raise from_exception(error) from None
        self.metrics.run(name, api, time.perf_counter() - began)
        return found

    def _past_the_queue(self, version, signature, feeds, wanted):
        """A future of the outputs; the version is in use until the run itself has ended."""
        loop, held = asyncio.get_running_loop(), self.registry.held(version)
        held.__enter__()
        work = self.threads.submit(signature.run, feeds, wanted)
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(held.__exit__))
        return asyncio.wrap_future(work)

    def counted(self, name: str, api: str, entrypoint: str, call=None) -> "Counted":
        """A context that counts and times one request; exceptions leave it as `ServingError`.

        Args:
            call: the `ServicerContext` of gRPC, which knows whether a cancelled call was too late.
        """
        return Counted(self, name, api, entrypoint, call)

    def version(self, request):
        """The version for a request with a `model_spec`, as a context that holds it in memory.

        Raises:
            ServingError: there is no such version, or no model_spec.
        """
        if not request.HasField("model_spec"):
            raise ServingError("INVALID_ARGUMENT", "Missing ModelSpec")
        return self.registry.use(request.model_spec)

    def close(self) -> None:
        self.threads.shutdown(wait=False)
