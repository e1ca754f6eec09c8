"""The cost of a request: the server against a call of the same signature in this process.

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
import tempfile
import time

import numpy as np
import serve_clients
from absl import app
from absl import flags
from serve_clients import INPUTS
from serve_servers import ROOT
from serve_servers import Server

import zoo
from export import signatures
from export import write

SECONDS = flags.DEFINE_float("seconds", 1, "Seconds of one measurement.")
ROUNDS = flags.DEFINE_integer("rounds", 7, "Measurements of each kind.")
VARIANTS = flags.DEFINE_list("variants", ["batched", "unbatched"], "Servers to compare.")
REQUESTS = flags.DEFINE_integer("requests", 10_000, "Requests for the slowest one.")
CHECKOUT = flags.DEFINE_string("checkout", None, "Directory of the checkout for `before`.")
H2LOAD = flags.DEFINE_bool("h2load", False, "Clients in C instead of this process.")
NAMES = ("batched", "unbatched", "eager", "envoy", "before", "empty")


@flags.validator("variants")
def _check_variants(given):
    if unknown := sorted({*given} - {*NAMES}):
        raise flags.ValidationError(
            f"--variants must be among {', '.join(NAMES)}; got {', '.join(unknown)}"
        )
    return True


flags.register_multi_flags_validator(
    ["variants", "checkout"],
    lambda given: ("before" in given["variants"]) == bool(given["checkout"]),
    "--checkout must be given with the variant before, and only then",
)

LOADS = [(clients, rows) for rows in (1, 32) for clients in (1, 8, 64)]


def write_model(directory):
    """Of the signatures that the exporter gives a BiGAN, those that are measured."""
    offered = signatures.signatures(zoo.BiGAN((28, 28, 1)))
    kept = {name: offered[name] for name in INPUTS}
    write.archive(kept).write_out(str(directory), verbose=False)


def load(*arguments, **amount):
    """Seconds of every request, and the seconds in which they were made."""
    if H2LOAD.value:
        return serve_clients.h2load(*arguments, **amount)
    return asyncio.run(serve_clients.closed_loops(*arguments, **amount))


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
                took = serve_clients.in_process(
                    ways[way][signature], serve_clients.examples(signature, rows), SECONDS.value
                )
                found.setdefault((way, signature, 0, rows), Figures()).add(*took, rows)
            for clients, rows in LOADS:
                raw = serve_clients.message(signature, rows)
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
    raw = serve_clients.message("encode", 1)
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
        roots = {"before": CHECKOUT.value}
        servers = [
            Server(name, models, port, roots.get(name, ROOT))
            for port, name in enumerate(names, 18500)
        ]
        try:
            while not all(server.started() for server in servers):
                if any(server.process.poll() is not None for server in servers):
                    raise RuntimeError("a server ended; see its log")
                time.sleep(0.5)
            ways = serve_clients.loaded_in_process(str(models / "bigan" / "1"))
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
