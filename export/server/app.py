"""The server: models, ports, signals, from start to a clean end."""

import asyncio
import contextlib
import gc
import os
import signal
import time

from grpc_health.v1 import health
from grpc_health.v1 import health_pb2

from export.server import asgi
from export.server import flags
from export.server import ports
from export.server import text_configs
from export.server import words
from export.server.calls import Calls
from export.server.calls import before
from export.server.errors import ServingError
from export.server.loader import Loader
from export.server.manager import Manager
from export.server.metrics import PATH
from export.server.metrics import Metrics
from export.server.predictor import Predictor

AFTER_LAST_CALL = 0.25  # seconds for connections to be closed
SENT = 0.2  # seconds for Envoy to send the last answers


class App:
    """One server. `run` starts it and returns at its end.

    Args:
        options: from `flags.parse`.
        say: prints a line.

    Raises:
        ValueError: a file that a flag names cannot be read.
    """

    def __init__(self, options, say=words.say):
        self.options = options
        self.say = say
        self.metrics = Metrics()
        self.loader = Loader(options, self.metrics)
        self.manager = Manager(
            load=self.loader.load,
            say=say,
            queues=self.loader.queues,
            poll_seconds=options.file_system_poll_wait_seconds,
            retries=options.max_num_load_retries,
            retry_seconds=options.load_retry_interval_micros / 1e6,
            threads=options.num_load_threads,
            labels_ahead=options.allow_version_labels_for_unavailable_models,
            changed=self._changed,
        )
        self.predictor = Predictor(
            self.manager.registry,
            self.metrics,
            options.tensorflow_inter_op_parallelism
            or options.tensorflow_session_parallelism
            or max(os.cpu_count() or 1, 2),
            options.enable_shape_check,
            options.enable_serialization_as_tensor_content,
        )
        self.health = health.aio.HealthServicer()
        self.calls = Calls()
        self.ended = asyncio.Event()
        self.told = 0.0
        self.grpc = self.server = self.rest = self.runner = None
        self.background = []

    # Files named by flags.

    def _metrics_path(self):
        if not self.options.monitoring_config_file:
            return ""
        config = text_configs.read(self.options.monitoring_config_file, "MonitoringConfig")
        return (config.prometheus_config.path or PATH) if config.prometheus_config.enable else ""

    def _changed(self, model):
        state = health_pb2.HealthCheckResponse.ServingStatus
        up = state.SERVING if model.available() else state.NOT_SERVING
        asyncio.ensure_future(self.health.set(model.name, up))

    # Start and end.

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT, then let open calls finish.

        Returns:
            the exit code: 0.

        Raises:
            ServingError: a model did not come up.
            ValueError: a file cannot be used, or a port is not available.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_end, number)
        if await self.begin(self.ended):
            await self.live(self.ended)
        return 0

    async def begin(self, ended: asyncio.Event) -> bool:
        """`start`, with the objects of TensorFlow out of the garbage collector's sight.

        Returns:
            whether it came to its end before `ended`.

        Raises:
            ServingError, ValueError: see `run`.
        """
        # The 430,000 objects of TensorFlow itself never become garbage, and a full collection that
        # walks through them stops the server for 0.2 s and more. Models are left to the collector:
        # one of nine signatures is 1,000 to 5,000 objects, which it walks through in 1 ms. If
        # models were frozen with every load, they could be freed only after the rest was unfrozen
        # and walked through too.
        gc.collect()
        gc.freeze()
        return await before(ended, self.start())

    async def live(self, ended: asyncio.Event) -> None:
        """Serve until `ended`, then let open calls finish."""
        for line in words.how_to_call(self.options, self.manager.registry):
            self.say(line)
        await ended.wait()
        self.say(f"finishing open calls, for {self.options.drain_seconds} s at most")
        await self.stop()
        self.say("ended")

    async def start(self) -> None:
        """Load every model once, then open the ports and begin to watch the files.

        Raises:
            ServingError, ValueError: see `run`.
        """
        for line in flags.notes(self.options):
            self.say(line)
        metrics_path, credentials = self._metrics_path(), ports.credentials(self.options)
        await self.manager.configure(text_configs.models(self.options))
        if self.options.front == "envoy":
            self.grpc = asgi.Grpc(flags.message_limit(self.options))
            await ports.register(self, self.grpc)
        else:
            self.server = await ports.open_grpc(self, credentials)
        if self.options.rest_api_port:
            self.rest, self.runner = await ports.open_rest(self, metrics_path)
        self.background = [asyncio.ensure_future(self._forever(self.manager.watch))]
        if self.options.model_config_file_poll_wait_seconds > 0 and self.options.model_config_file:
            self.background.append(asyncio.ensure_future(self._forever(self._reread)))

    async def stop(self) -> None:
        """Refuse new calls, finish the open ones, close everything."""
        self.ended.set()
        for task in self.background:
            task.cancel()
        await self.health.enter_graceful_shutdown()
        ends = [self._end_grpc()]
        if self.rest:
            self.rest.end()
            ends.append(self.runner.cleanup())
        await asyncio.gather(*ends)
        self.manager.close()
        self.predictor.close()
        self.loader.close()

    async def _end_grpc(self):
        self.calls.end_streams()
        if self.grpc:
            self.grpc.end()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.calls.none_open.wait(), self.options.drain_seconds)
            return await asyncio.sleep(SENT)
        stopped = asyncio.ensure_future(self.server.stop(self.options.drain_seconds))
        called = asyncio.ensure_future(self.calls.none_open.wait())
        await asyncio.wait({stopped, called}, return_when=asyncio.FIRST_COMPLETED)
        called.cancel()
        # gRPC itself waits 20 seconds for a connection on which nothing was ever sent.
        await asyncio.wait({stopped}, timeout=AFTER_LAST_CALL)

    def _told_to_end(self, number):
        # A second signal exits immediately. Some tools signal the process and its group at once.
        if self.ended.is_set() and time.monotonic() - self.told > 0.5:
            os._exit(128 + number)
        if self.ended.is_set():
            return
        self.told = time.monotonic()
        self.say(f"{signal.Signals(number).name}: no new calls")
        self.ended.set()

    async def _forever(self, work):
        """Errors while watching files are printed; they do not end the server."""
        while True:
            try:
                return await work()
            except Exception as error:
                self.say(f"while watching files: {type(error).__name__}: {error}")
                await asyncio.sleep(1)

    async def _reread(self):
        before = work = None
        while True:
            await asyncio.sleep(self.options.model_config_file_poll_wait_seconds)
            try:
                configs = text_configs.models(self.options)
            except ValueError as error:
                self._stays(error)
                continue
            if configs != before or (work.done() and work.result()):
                # Not awaited: a file that names a wrong path has to be read again.
                before, work = configs, asyncio.ensure_future(self._refused(configs))

    async def _refused(self, configs):
        """Whether a list was refused for a reason that may pass."""
        try:
            await self.manager.configure(configs)
        except ServingError as error:
            self._stays(error)
            return error.code.name != "ABORTED"
        return False

    def _stays(self, error):
        self.say(f"{self.options.model_config_file}: the served models stay: {error}")
