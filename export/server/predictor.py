"""What gRPC and REST share: from checked arrays to the outputs, through the queue or past it."""

import asyncio
import concurrent.futures
import contextlib
import time

from export.server.errors import ServingError
from export.server.errors import from_exception


class Predictor:
    """Answers requests with the versions of a registry.

    Args:
        registry: `registry.Registry`.
        metrics: `metrics.Metrics`.
        threads: runs at the same time that do not go through a queue.
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

        Raises:
            ServingError: what the queue or the model says.
        """
        began = time.perf_counter()
        # As in TensorFlow Serving, only whole answers go through the queue.
        whole = len(wanted) == len(signature.outputs)
        queue = version.queues.get(signature.name) if whole else None
        try:
            if queue is not None:
                found = await queue.submit(feeds)
            else:
                loop = asyncio.get_running_loop()
                found = await loop.run_in_executor(self.threads, signature.run, feeds, wanted)
        except Exception as error:
            raise from_exception(error) from None
        self.metrics.run(name, api, time.perf_counter() - began)
        return found

    @contextlib.contextmanager
    def counted(self, name: str, api: str, entrypoint: str):
        """Count and time one request; any exception leaves as a `ServingError`."""
        began, status = time.perf_counter(), "OK"
        try:
            yield
        except asyncio.CancelledError:
            status = "CANCELLED"
            raise
        except Exception as error:
            known = from_exception(error)
            status = known.code.name
            raise known from None
        finally:
            # A name that is not served is any text a caller likes: it makes no label of its own.
            label = name if name in self.registry.models else ""
            self.metrics.request(label, api, entrypoint, status, time.perf_counter() - began)

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
