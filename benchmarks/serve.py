"""What a request costs: the server against a call of the same signature in this process.

    python benchmarks/serve.py [--seconds 1] [--rounds 7] [--variants batched,unbatched]

The model is the dcgan BiGAN at 28 × 28. Clients are closed loops (each sends its next request when
it has its answer) in this process, over loopback, with requests serialised beforehand. Servers run
as processes of their own; all that is compared takes turns in short rounds, so that a noisy machine
is noisy for all. Rates are of the best round, since shared machines lose whole cores for seconds;
latencies are of all rounds. Clients use processor time too: on two cores that is time the server
does not get, so the last column says what the server itself used, and with --h2load the clients are
those of nghttp2's load generator, in C (Debian: nghttp2-client).

Variants, of which --variants names those to run:
    batched      one process, --enable_batching, max_batch_size 64 (always measured)
    unbatched    one process without (always measured)
    eager        batched, but a batch starts at once, also while further requests are read
    envoy        batched, --front=envoy
    uvloop       batched, on uvloop's event loop
    one_thread   batched, num_batch_threads 1
    intra_1      batched, one thread inside an operation
    two          two batched processes on one port, one thread inside an operation
    before       the server of another checkout of this project, in --checkout, batched
    empty        grpc.aio alone: a handler that answers 250 bytes, as many as `encode`, and does
                 nothing, the least that any server in Python costs

The ceiling is the call of the same signature in this process, in both ways there are: the function
of `tf.saved_model.load`, and the prepared call of a session, which is what the server makes. Shares
are of the faster one, which the report names.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import asyncio
import gc
import itertools
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import grpc
import numpy as np
import tensorflow as tf
from absl import app
from absl import flags
from tensorflow_serving.apis import predict_pb2

import zoo
from export import signatures
from export import write
from export.server.servable import Servable

SECONDS = flags.DEFINE_float("seconds", 1, "Seconds of one measurement.")
ROUNDS = flags.DEFINE_integer("rounds", 7, "Measurements of each kind.")
VARIANTS = flags.DEFINE_list("variants", ["batched", "unbatched"], "Servers to compare.")
REQUESTS = flags.DEFINE_integer("requests", 10_000, "Requests for the slowest one.")
CHECKOUT = flags.DEFINE_string("checkout", None, "Directory of the checkout for `before`.")
H2LOAD = flags.DEFINE_bool("h2load", False, "Clients in C instead of this process.")
flags.register_multi_flags_validator(
    ["variants", "checkout"],
    lambda given: ("before" in given["variants"]) == bool(given["checkout"]),
    "--checkout must be given with the variant before, and only then",
)

ROOT = pathlib.Path(__file__).parent.parent
PREDICT = "/tensorflow.serving.PredictionService/Predict"
INPUTS = {"encode": ("images", (28, 28, 1)), "decode": ("codes", (50,))}
LOADS = [(clients, rows) for rows in (1, 32) for clients in (1, 8, 64)]
MAIN = "import sys; from export.server.__main__ import main; main(sys.argv)"
UVLOOP = f"import uvloop; uvloop.install(); {MAIN}"
EAGER = f"from export.server import batching; batching.ENOUGH = 0; {MAIN}"
EMPTY = """
import asyncio, sys, grpc

async def main():
    async def answer(request, context):
        return bytes(250)

    server = grpc.aio.server()
    handler = {"Predict": grpc.unary_unary_rpc_method_handler(answer)}
    service = "tensorflow.serving.PredictionService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handler),))
    server.add_insecure_port("127.0.0.1:" + sys.argv[2].partition("=")[2])
    await server.start()
    print("gRPC on", flush=True)
    await server.wait_for_termination()

asyncio.run(main())
"""


def write_model(directory):
    """Of the signatures that the exporter gives a BiGAN, those that are measured."""
    offered = signatures.signatures(zoo.BiGAN((28, 28, 1)))
    kept = {name: offered[name] for name in INPUTS}
    write.archive(kept).write_out(str(directory), verbose=False)


def examples(signature, rows):
    shape = (rows, *INPUTS[signature][1])
    return np.random.default_rng(rows).uniform(-1, 1, shape).astype("float32")


def message(signature, rows):
    """A serialised PredictRequest."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "bigan"
    request.model_spec.signature_name = signature
    proto = tf.make_tensor_proto(examples(signature, rows))
    request.inputs[INPUTS[signature][0]].CopyFrom(proto)
    return request.SerializeToString()


class Server:
    """One variant, as one or two processes."""

    def __init__(self, name, models, port):
        self.name, self.port = name, port
        threads = 1 if name == "one_thread" else os.cpu_count()
        file = models / f"{name}.batching"
        file.write_text(
            f"max_batch_size {{ value: 64 }} max_enqueued_batches {{ value: 100 }} "
            f"num_batch_threads {{ value: {threads} }}"
        )
        code = {"uvloop": UVLOOP, "eager": EAGER, "empty": EMPTY}.get(name)
        program = ["-c", code] if code else ["-m", "export.server"]
        command = [sys.executable, *program, "--model_name=bigan", f"--port={port}"]
        command.append(f"--model_base_path={models / 'bigan'}")
        if name != "unbatched":
            command += ["--enable_batching", f"--batching_parameters_file={file}"]
        if name == "envoy":
            command.append("--front=envoy")
        if name in ("two", "intra_1"):
            command.append("--tensorflow_intra_op_parallelism=1")
        if name == "two":
            command.append("--grpc_channel_arguments=grpc.so_reuseport=1")
        root = pathlib.Path(CHECKOUT.value).absolute() if name == "before" else ROOT
        self.log = open(models / f"{name}.log", "w+")
        self.processes = [
            subprocess.Popen(
                command,
                cwd=root,
                env=os.environ | {"PYTHONPATH": f"{root}:{os.environ.get('PYTHONPATH', '')}"},
                stdout=self.log,
                stderr=subprocess.STDOUT,
            )
            for _ in range(2 if name == "two" else 1)
        ]

    def started(self):
        return pathlib.Path(self.log.name).read_text().count("gRPC on") == len(self.processes)

    def pids(self):
        """The processes that were started, and their children: Envoy is one."""
        for process in self.processes:
            yield process.pid
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
            yield from map(int, children.read_text().split())

    def cpu(self):
        """Processor seconds so far."""
        ticks = 0
        for pid in self.pids():
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(stat[11]) + int(stat[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Resident MiB, of all processes."""
        pages = (
            int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids()
        )
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(60)


def load(*arguments, **amount):
    """Seconds of every request, and the seconds in which they were made."""
    if H2LOAD.value:
        return h2load(*arguments, **amount)
    return asyncio.run(closed_loops(*arguments, **amount))


def h2load(server, raw, clients, seconds=0.0, requests=0):
    """`load` by nghttp2, one connection a client."""
    with tempfile.TemporaryDirectory() as directory:
        body, log = pathlib.Path(directory, "body"), pathlib.Path(directory, "log")
        # A gRPC message is not compressed (0) and says its length.
        body.write_bytes(b"\0" + len(raw).to_bytes(4, "big") + raw)
        command = ["h2load", "--threads=1", f"--clients={clients}", f"--data={body}"]
        command += ["--header=content-type: application/grpc", "--header=te: trailers"]
        command += [f"--requests={requests}"] if requests else [f"--duration={seconds * 1e3:.0f}ms"]
        command += [f"--log-file={log}", f"http://127.0.0.1:{server.port}{PREDICT}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        began, codes, took = np.loadtxt(log, dtype=np.int64, ndmin=2).T
    if not (codes == 200).all():
        raise RuntimeError(f"{server.name} did not answer {np.sum(codes != 200)} requests")
    return list(took / 1e6), (np.max(began + took) - np.min(began)) / 1e6


async def closed_loops(server, raw, clients, seconds=0.0, requests=0):
    """`load` by clients in this process."""
    channels = [
        grpc.aio.insecure_channel(
            f"127.0.0.1:{server.port}",
            options=[
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.max_receive_message_length", -1),
            ],
        )
        for _ in range(min(clients, 8))
    ]
    calls = [channel.unary_unary(PREDICT) for channel in channels]
    for call in calls:
        await call(raw)
    took = []
    began = time.perf_counter()

    async def client(call):
        while time.perf_counter() - began < seconds or (requests and len(took) < requests):
            sent = time.perf_counter()
            await call(raw)
            took.append(time.perf_counter() - sent)

    await asyncio.gather(*(client(calls[i % len(calls)]) for i in range(clients)))
    elapsed = time.perf_counter() - began
    for channel in channels:
        await channel.close()
    return took, elapsed


def loaded_in_process(directory):
    """Way → signature → a function from the array of its input to those of its outputs."""
    functions = tf.saved_model.load(directory).signatures
    servable = Servable(directory, config=tf.compat.v1.ConfigProto(inter_op_parallelism_threads=-1))

    def function(signature, alias):
        called = functions[signature]
        return lambda value: [o.numpy() for o in called(**{alias: tf.constant(value)}).values()]

    def session(signature, alias):
        called = servable.signature(signature)
        return lambda value: called.run({alias: value}, called.outputs)

    return {
        way: {signature: make(signature, alias) for signature, (alias, _) in INPUTS.items()}
        for way, make in (("function", function), ("session", session))
    }


def in_process(function, value, seconds):
    function(value)
    took = []
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        sent = time.perf_counter()
        function(value)
        took.append(time.perf_counter() - sent)
    return took, time.perf_counter() - began


class Figures:
    """What was measured of one kind, over all rounds."""

    def __init__(self):
        self.rates, self.took, self.cpu = [], [], []

    def add(self, took, elapsed, rows, cpu=None):
        self.rates.append(len(took) * rows / elapsed)
        self.took += took
        if cpu is not None:
            self.cpu.append(cpu / (len(took) * rows))

    @property
    def rate(self):
        return max(self.rates)

    @property
    def median(self):
        return statistics.median(self.took) * 1e3

    def line(self):
        high = np.quantile(self.took, 0.99) * 1e3
        cpu = f"{statistics.median(self.cpu) * 1e6:9.0f}" if self.cpu else f"{'':9}"
        return f"{self.rate:9.0f}{self.median:9.2f}{high:9.2f}{max(self.took) * 1e3:9.1f}{cpu}"


def measure(servers, ways):
    """(who, signature, clients, rows) → Figures; clients 0 for the calls in this process."""
    found = {}
    for turn in range(ROUNDS.value):
        print(f"round {turn + 1} of {ROUNDS.value}, load {os.getloadavg()[0]:.1f}", flush=True)
        for signature in INPUTS:
            for rows, way in itertools.product((1, 32), ways):
                took = in_process(ways[way][signature], examples(signature, rows), SECONDS.value)
                found.setdefault((way, signature, 0, rows), Figures()).add(*took, rows)
            for clients, rows in LOADS:
                raw = message(signature, rows)
                for server in servers:
                    cpu = server.cpu()
                    took = load(server, raw, clients, SECONDS.value)
                    figures = found.setdefault((server.name, signature, clients, rows), Figures())
                    figures.add(*took, rows, server.cpu() - cpu)
    return found


def report(found, servers, ways):
    print(f"\n{'':28}{'images/s':>9}{'median':>9}{'p99':>9}{'slowest':>9}{'server':>9}")
    print(f"{'clients × rows':28}{'best':>9}{'ms':>9}{'ms':>9}{'ms':>9}{'µs/image':>9}")
    for signature in INPUTS:
        print(signature)
        for (who, of, clients, rows), figures in found.items():
            if of == signature:
                load = f"{clients} × {rows}" if clients else f"batch {rows}"
                print(f"  {who:14}{load:12}{figures.line()}")
    for signature in INPUTS:

        def of(who, clients, rows, signature=signature):
            return found[who, signature, clients, rows]

        fastest = max(ways, key=lambda way: of(way, 0, 32).rate)
        quickest = min(ways, key=lambda way: of(way, 0, 1).median)
        ceiling = of(fastest, 0, 32).rate
        print(
            f"\n{signature}: against what was asked; the ceiling is the {fastest} in this process, "
            f"{ceiling:.0f} images/s, and for one image the {quickest}"
        )
        for server in servers:
            many, wide = of(server.name, 64, 1), of(server.name, 8, 32)
            waited = of(server.name, 1, 1).median - of(quickest, 0, 1).median
            print(
                f"  {server.name:12} 64 × 1: {many.rate / of('unbatched', 64, 1).rate:.2f} of "
                f"unbatched (1.3), {many.rate / ceiling:.2f} of the ceiling (0.40); "
                f"8 × 32: {wide.rate / ceiling:.2f} (0.85); 1 × 1: {waited:+.2f} ms (1.2)"
            )


def slowest(server):
    raw = message("encode", 1)
    for clients in (1, 8):
        took, _ = load(server, raw, clients, requests=REQUESTS.value)
        took = np.array(took) * 1e3
        print(
            f"{server.name}: {len(took)} requests of {clients} clients: median "
            f"{np.median(took):.2f} ms, p99 {np.quantile(took, 0.99):.2f}, slowest "
            f"{took.max():.1f} (60); load {os.getloadavg()[0]:.1f}"
        )


def main(argv):
    names = dict.fromkeys(["batched", "unbatched", *VARIANTS.value])
    with tempfile.TemporaryDirectory() as directory:
        models = pathlib.Path(directory)
        write_model(models / "bigan" / "1")
        servers = [Server(name, models, 18500 + i) for i, name in enumerate(names)]
        try:
            while not all(server.started() for server in servers):
                if any(p.poll() is not None for server in servers for p in server.processes):
                    raise RuntimeError("a server ended; see its log")
                time.sleep(0.5)
            ways = loaded_in_process(str(models / "bigan" / "1"))
            gc.collect()
            gc.freeze()
            found = measure(servers, ways)
            report(found, servers, ways)
            print()
            slowest(servers[0])
            for server in servers:
                print(f"{server.name}: {server.memory():.0f} MiB resident")
        finally:
            for server in servers:
                server.end()


if __name__ == "__main__":
    app.run(main)
