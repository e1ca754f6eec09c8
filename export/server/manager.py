"""Loads and unloads versions.

Everything here runs on the event loop; only listing folders, loading and warming happen in
threads. A new version is loaded and warmed before the old one is unloaded; that one gets no
new requests and is unloaded when its last one has ended.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import gc
import time
from collections.abc import Callable

from export.server import registry
from export.server import versions
from export.server.errors import ServingError
from export.server.errors import from_exception
from export.server.registry import Model
from export.server.versions import State
from export.server.versions import Version

PATIENCE = 10  # seconds between messages about a model that has no version yet


class Manager:
    """Loads, swaps and unloads versions.

    Args:
        load: (name, number, path) → servable and the number of its warm-up runs; called in a
            thread. Raises ServingError.
        say: prints a line of progress.
        queues: servable → {signature name: `queues.Queue`}; empty without batching.
        poll_seconds: seconds between looks at the base paths; 0 for one look at start and reload.
        retries: how often a load that failed is tried again.
        retry_seconds: seconds between tries.
        threads: number of loads at the same time.
        labels_ahead: let labels point at versions that are not available yet.
        changed: called with a `Model` whenever one of its versions changes state.
    """

    def __init__(
        self,
        load: Callable,
        say: Callable = print,
        queues: Callable = lambda servable: {},
        poll_seconds: float = 1,
        retries: int = 5,
        retry_seconds: float = 60,
        threads: int = 1,
        labels_ahead: bool = False,
        changed: Callable = lambda model: None,
    ):
        self.load = load
        self.say = say
        self.queues = queues
        self.poll_seconds = poll_seconds
        self.retries = retries
        self.retry_seconds = retry_seconds
        self.labels_ahead = labels_ahead
        self.changed = changed
        self.registry = registry.Registry()
        self.threads = concurrent.futures.ThreadPoolExecutor(max(threads, 1), "load")
        self.looks = concurrent.futures.ThreadPoolExecutor(1, "poll")
        self.looking = asyncio.Lock()
        self.configuring = asyncio.Lock()
        self.latest = None  # the last list, available or still loading

    # The list of models.

    async def configure(self, configs: list) -> None:
        """Serve exactly these models. Returns when those new by name have a version available.

        If the caller cancels, the list is still completed.

        Raises:
            ServingError: a config is refused and nothing changes; or a new model did not come up;
                or a label names a version that is not available, and labels stay as they were; or
                ABORTED, another list came while a model of this one was waited for.
        """
        work = asyncio.ensure_future(self._configure(configs))
        work.add_done_callback(lambda done: done.cancelled() or done.exception())  # mark as seen
        await asyncio.shield(work)

    async def _configure(self, configs):
        async with self.configuring:
            models = self.registry.models
            served = {m.name: m.config for m in models.values() if m.config is not None}
            versions.check_configs(configs, served)
            listed = {config.name: config for config in configs}
            for name in served.keys() - listed.keys():
                models[name].config = None
                models[name].labels = {}
                self.say(f"{name}: no longer listed; unloading")
            for name, config in listed.items():
                model = models.setdefault(name, Model(name))
                model.config, model.new = config, model.new or name not in served
            self.latest = listed
            await self.poll()
        # Other lists may arrive while this one waits: it may wait for a wrong path.
        await self._until_loaded([models[name] for name in listed if models[name].new], listed)
        self.registry.label(listed, self.labels_ahead)

    async def _until_loaded(self, models, listed):
        said = time.monotonic()
        while True:
            if self.latest is not listed:
                raise ServingError("ABORTED", "another configuration has replaced this one")
            waiting = [m for m in models if not m.available() and not m.failed()]
            if not waiting:
                break
            if time.monotonic() - said > PATIENCE:
                said = time.monotonic()
                for model in waiting:
                    if not model.aspired:
                        self.say(f"{model.name}: waiting for a version in {model.config.base_path}")
            async with self.registry.moved:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.registry.moved.wait(), 1)
        for model in models:
            model.new = not model.available()
        registry.check_available(models)

    # The files on disk.

    async def watch(self) -> None:
        """Poll the base paths forever."""
        while self.poll_seconds > 0:
            await asyncio.sleep(self.poll_seconds)
            await self.poll()

    async def poll(self) -> None:
        """Look at every base path once, and start the loads and unloads that follow."""
        async with self.looking:
            for model in list(self.registry.models.values()):
                await self._look(model)
                self._reconcile(model)

    async def _look(self, model):
        config = model.config
        if config is None:
            model.aspired, model.readable = {}, True
            return
        found = await asyncio.get_running_loop().run_in_executor(
            self.looks, versions.on_disk, config.base_path
        )
        if config is not model.config:
            return  # another configuration arrived meanwhile, and polls itself
        if found is None:
            if model.readable:
                now = "served versions stay" if model.available() else "waiting for a version in it"
                self.say(f"{model.name}: cannot read {config.base_path}; {now}")
            model.readable = False
            return
        if not found and not model.empty:
            self.say(f"{model.name}: {versions.none_in(config.base_path)}")
        before, model.readable, model.empty = model.aspired, True, not found
        model.aspired, missing = versions.aspired(found, config.model_version_policy)
        if missing and before != model.aspired:
            self.say(
                f"{model.name}: versions {missing} are required but missing in {config.base_path}"
            )

    def _reconcile(self, model):
        for number, path in sorted(model.aspired.items()):
            version = model.versions.get(number)
            ended = version is not None and version.state is State.END
            if version is None or (ended and (version.path != path or not version.failed)):
                version = model.versions[number] = Version(number, path)
                self._begin(model, version, State.LOADING, self._load)
            elif version.state is State.LOADING and version.path != path:
                version.path = path
                version.wake.set()
            version.dropped = False
        if not model.readable:
            return
        ready = any(n in model.aspired for n in model.available())
        for number, version in model.versions.items():
            if number in model.aspired:
                continue
            if version.state is State.LOADING:
                version.dropped = True
                version.wake.set()
            elif version.state is State.AVAILABLE and (ready or not model.aspired):
                self._begin(model, version, State.UNLOADING, self._unload)
            elif version.state is State.END:
                version.failed = False  # it was removed; if it returns, it is tried again

    def _begin(self, model, version, state, work):
        model.turn(version, state)
        version.task = asyncio.ensure_future(work(model, version))
        self.changed(model)

    # Loading and unloading.

    async def _load(self, model, version):
        loop = asyncio.get_running_loop()
        title = f"{model.name} version {version.number}"
        for left in range(self.retries, -1, -1):
            began, path = time.monotonic(), version.path
            version.wake.clear()
            self.say(f"{title}: loading {path}")
            try:
                version.servable, runs = await loop.run_in_executor(
                    self.threads, self.load, model.name, version.number, path
                )
                version.error, version.path = None, path
                break
            except Exception as error:
                version.error = from_exception(error)
            after = f"; trying again in {self.retry_seconds:g} s, {left} tries left" if left else ""
            self.say(f"{title}: cannot be loaded: {version.error.message}{after}")
            if left:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(version.wake.wait(), self.retry_seconds)
            if version.dropped:
                break
        version.failed = bool(version.error) and not version.dropped and version.path == path
        if version.error or version.dropped:
            return await self._end(model, version)
        version.queues = self.queues(version.servable)
        for queue in version.queues.values():
            queue.at_rest = functools.partial(self.registry.released, version)
        model.turn(version, State.AVAILABLE)
        self.say(f"{title}: available after {time.monotonic() - began:.1f} s, {runs} warm-up runs")
        self._reconcile(model)
        self.changed(model)
        await self.registry.announce()

    async def _unload(self, model, version):
        async with self.registry.moved:
            await self.registry.moved.wait_for(lambda: not version.busy())
        await self._end(model, version)
        self.say(f"{model.name} version {version.number}: unloaded")

    async def _end(self, model, version):
        if version.servable is not None:
            version.servable.close()
            version.servable, version.queues = None, {}
            # A loaded graph is full of reference cycles; only garbage collection frees its memory.
            await asyncio.get_running_loop().run_in_executor(self.looks, gc.collect)
        model.turn(version, State.END)
        self.changed(model)
        await self.registry.announce()

    def close(self) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.looks.shutdown(wait=False, cancel_futures=True)
