"""Failures under load, nonsense and at the end: one table for every front of the server.

    python benchmarks/reliability.py [--fronts=grpc,envoy] [--scale=1]

Each front is one server of its own, with batching, a limit of 4 MiB for messages and bodies, and
the models of the tests. While eight clients ask it without a pause, and check every answer, it goes
through

    swaps        versions replaced, the old folder deleted when it is unloaded
    nonsense     malformed requests over gRPC and REST, and bytes that are neither
    bombs        16 MiB of zeros packed into 16 KiB, over gRPC and REST, and 400,000 zeros as JSON
    slow         calls and bodies that stop in the middle, and go on by a byte a second
    leaving      callers who leave after a millisecond, by their deadline or by closing
    idle         connections that say nothing
    end          SIGTERM with open calls, watchers, idle connections and unfinished bodies

"Sent" counts what was done to the server, and "wrong" what it should not have answered; "asked",
"failed" and "slowest" are of the eight clients. The exit code is 1 if anything is wrong or failed.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import asyncio
import collections
import contextlib
import gzip
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import aiohttp
import grpc
import tensorflow as tf
from absl import app
from absl import flags
from absl import logging
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests"))

import nonsense
import served

FRONTS = flags.DEFINE_list("fronts", ["grpc", "envoy"], "Values of --front to compare.")
SCALE = flags.DEFINE_float("scale", 1, "How much of everything.", lower_bound=0.01)

CLIENTS = 8
LIMIT = 4 * 2**20  # bytes of a message
ZEROS = b'{"signature_name":"add","instances":[' + b"0," * 400_000 + b"0]}"
BODIES = ((gzip.compress(bytes(16 * 2**20)), (413,)), (gzip.compress(ZEROS), (400,)))


def amount(number):
    return max(int(number * SCALE.value), 1)


def request_of(signature, x):
    request = predict_pb2.PredictRequest(model_spec={"name": "sum", "signature_name": signature})
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([float(x)]))
    return request


class Trial:
    """One front, and what was found of it."""

    def __init__(self, front, directory):
        self.front, self.directory, self.base = front, directory, directory / "sum"
        served.export_sum(self.base / "1", 1)
        entry = f'config {{ name: "sum" base_path: "{self.base}" model_platform: "tensorflow" }}'
        config = served.export_all(directory) / "models.config"
        config.write_text(served.config(directory, entry))
        self.server = served.Server(
            f"--model_config_file={config}",
            f"--front={front}",
            "--enable_batching",
            f"--grpc_channel_arguments=grpc.max_receive_message_length={LIMIT}",
            f"--rest_api_max_unpacked_bytes={LIMIT}",
        ).wait()
        self.channels = []
        self.rest = f"http://{self.server.rest}/v1/models"
        self.asked, self.wrong, self.failures = [], collections.Counter(), collections.Counter()
        self.rng, self.bad = random.Random(0), 0

    # Eight clients that ask for sums.

    async def client(self, channel, stop):
        stub, newest = prediction_service_pb2_grpc.PredictionServiceStub(channel), 0
        while not stop.is_set():
            began, x = time.perf_counter(), self.rng.randrange(1000)
            try:
                answer = await stub.Predict(request_of("add", x), timeout=30)
            except grpc.aio.AioRpcError as error:
                self.failures[f"{error.code().name}: {error.details()}"] += 1
                continue
            self.asked.append(time.perf_counter() - began)
            version = answer.model_spec.version.value
            if answer.outputs["y"].float_val[0] != x + version or version < newest:
                self.failures[f"{answer.outputs['y'].float_val[0]} of {version} for {x}"] += 1
            newest = version

    @contextlib.asynccontextmanager
    async def load(self):
        stop = asyncio.Event()
        clients = [asyncio.ensure_future(self.client(c, stop)) for c in self.channels]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*clients)

    async def open(self, port, sent=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self.stack.callback(writer.close)
        writer.write(sent)
        return reader, writer

    # What is done to the server: each returns how often.

    async def swaps(self):
        model = model_service_pb2_grpc.ModelServiceStub(self.channels[0])
        asked = get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "sum"})
        last = amount(20) + 1
        for number in range(2, last + 1):
            await asyncio.to_thread(served.export_sum, self.base / str(number), number)
            states = {}
            while (states.get(number), states.get(number - 1)) != (30, 50):
                await asyncio.sleep(0.1)
                found = (await model.GetModelStatus(asked)).model_version_status
                states = {status.version: status.state for status in found}
            shutil.rmtree(self.base / str(number - 1))
        return last - 1

    async def nonsense(self):
        call = self.channels[0].unary_unary(nonsense.PREDICT)
        for _ in range(amount(4000)):
            raw = nonsense.some_predict(self.rng)
            try:
                await call(raw, timeout=30)
            except grpc.aio.AioRpcError as error:
                readable = nonsense.readable(raw, predict_pb2.PredictRequest)
                if error.code().name not in nonsense.GOOD_CODES | ({"INTERNAL"} - {readable}):
                    self.wrong[f"{error.code().name}: {error.details()}"] += 1
        for _ in range(amount(1000)):
            name = self.rng.choice(["bigan", "mixed", "none"])
            await self.post(name, nonsense.some_body(self.rng), (200, 400, 404))
        for _ in range(amount(200)):
            port = self.rng.choice([self.server.port, self.server.rest_port])
            _, writer = await self.open(port, self.rng.randbytes(self.rng.choice([1, 30, 3000])))
            writer.close()
        return amount(4000) + amount(1000) + amount(200)

    async def post(self, name, body, codes, **headers):
        async with self.http.post(f"{self.rest}/{name}:predict", data=body, headers=headers) as got:
            if got.status not in codes:
                self.wrong[f"REST {got.status}: {await got.text()}"[:200]] += 1

    async def bombs(self):
        # In a process of its own: packing takes time that the clients would seem to wait for.
        command = [sys.executable, "-c", nonsense.PACK, self.server.address, str(amount(10))]
        sender = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        codes = (await sender.communicate())[0].decode().split()
        self.wrong.update(f"bomb: {code}" for code in codes if code != "RESOURCE_EXHAUSTED")
        for body, codes in BODIES * amount(10):
            await self.post("sum", body, codes, **{"Content-Encoding": "gzip"})
        return 3 * amount(10)

    async def slow(self):
        begun, more = nonsense.half_call()
        calls = [await self.open(self.server.port, begun) for _ in range(amount(200))]
        bodies = [
            await self.open(self.server.rest_port, nonsense.HALF_BODY) for _ in range(amount(100))
        ]
        for _ in range(5):
            await asyncio.sleep(1)
            for connections, byte in ((calls, more), (bodies, b" ")):
                for _, writer in connections:
                    writer.write(byte)
        return len(calls) + len(bodies)

    async def leaving(self):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(self.channels[0])
        for _ in range(amount(300)):
            call = stub.Predict(request_of("add", 1), timeout=self.rng.choice([0.001, 0.003, 30]))
            await asyncio.sleep(0.001)
            call.cancel()
            with contextlib.suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
                await call
        return amount(300)

    async def idle(self):
        for _ in range(amount(1000)):
            await self.open(self.server.port, self.rng.choice([b"", nonsense.half_call()[0][:24]]))
        await asyncio.sleep(3)
        return amount(1000)

    async def end(self):
        """Seconds from the last answer to the end of the process."""
        self.asked.clear()
        for _ in range(amount(20)):
            await self.open(self.server.port, nonsense.half_call()[0])
            await self.open(self.server.rest_port, nonsense.HALF_BODY)
            await self.open(self.server.port)
        health = health_pb2_grpc.HealthStub(self.channels[0])
        watchers = [health.Watch(health_pb2.HealthCheckRequest()) for _ in range(amount(10))]
        for watcher in watchers:
            await watcher.read()
        stub = prediction_service_pb2_grpc.PredictionServiceStub(self.channels[0])
        calls = [stub.Predict(request_of("slow", 20 + i), timeout=60) for i in range(4)]
        await asyncio.sleep(0.5)
        self.server.process.send_signal(signal.SIGTERM)
        for call in calls:
            began = time.perf_counter()
            try:
                await call
            except grpc.aio.AioRpcError as error:
                self.failures[f"{error.code().name}: {error.details()}"] += 1
            self.asked.append(time.perf_counter() - began)
        last = time.monotonic()
        await asyncio.to_thread(self.server.process.wait, 60)
        return time.monotonic() - last

    # All of it.

    async def part(self, work):
        self.asked.clear()
        async with contextlib.AsyncExitStack() as self.stack, self.load():
            sent = await work()
        self.line(work.__name__, sent)

    def line(self, name, sent):
        slowest = max(self.asked, default=0) * 1e3
        wrong, failed = sum(self.wrong.values()), sum(self.failures.values())
        figures = f"{sent:,} | {wrong} | {len(self.asked):,} | {failed} | {slowest:.0f} ms"
        memory = f"{self.server.memory() / 2**20:.0f} MiB" if name != "end" else ""
        print(f"| {self.front} | {name} | {figures} | {memory} |", flush=True)
        for what, count in [*self.wrong.items(), *self.failures.items()]:
            print(f"    {count} × {what}")
        self.bad += wrong + failed
        self.wrong.clear(), self.failures.clear()

    async def run(self):
        """The number of things that went wrong."""
        async with contextlib.AsyncExitStack() as stack:
            self.http = await stack.enter_async_context(aiohttp.ClientSession())
            pool = [("grpc.use_local_subchannel_pool", 1)]  # a connection each
            for _ in range(CLIENTS):
                channel = grpc.aio.insecure_channel(self.server.address, options=pool)
                self.channels.append(await stack.enter_async_context(channel))
            for work in (self.swaps, self.nonsense, self.bombs, self.slow, self.leaving, self.idle):
                await self.part(work)
            async with contextlib.AsyncExitStack() as self.stack:
                took = await self.end()
        code, output = self.server.end()
        self.line("end", 4)
        print(f"{self.front}: exit code {code}, {took:.2f} s after the last answer")
        if code or took > 1 or "Traceback" in output:
            self.bad += 1
            print(output)
        return self.bad


def main(argv):
    logging.set_verbosity(logging.ERROR)
    bad = 0
    heads = "front | trial | sent | wrong | asked | failed | slowest | memory"
    print(f"| {heads} |\n" + "| --- " * 8 + "|")
    for front in FRONTS.value:
        with tempfile.TemporaryDirectory() as directory:
            trial = Trial(front, pathlib.Path(directory).resolve())
            try:
                bad += asyncio.run(trial.run())
            finally:
                if trial.server.process.poll() is None:
                    trial.server.process.kill()
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    app.run(main)
