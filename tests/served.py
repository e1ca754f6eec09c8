"""Small SavedModels for the server's tests, and the server as a process of its own.

    python tests/served.py DIRECTORY

writes the models and DIRECTORY/models.config, to start any server on; then

    SERVING_ADDRESS=host:port SERVING_REST=host:port pytest tests/test_server_conformance.py

asks that server. It needs the same path to DIRECTORY, in SERVING_MODELS.
"""

import asyncio
import contextlib
import functools
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import grpc
import numpy as np

ROOT = pathlib.Path(__file__).parent.parent
SHAPE, CODES = (8, 8, 1), 3


@functools.cache
def game(seed):
    """The untrained game of one version: other weights for every seed."""
    import zoo

    return zoo.BiGAN(SHAPE, latent_dim=CODES, width=4, seed=seed)


def export_game(directory, seed):
    """A version of the BiGAN with `encode`, `decode` and `serving_default` (encode)."""
    from export import signatures
    from export import write

    offered = signatures.signatures(game(seed))
    kept = {name: offered[name] for name in ("serving_default", "encode", "decode")}
    publish(directory, lambda path: write.archive(kept).write_out(path, verbose=False))


def export_mixed(directory):
    """Signatures of every other kind: two inputs, strings, whole numbers, scalars."""
    import tensorflow as tf

    class Mixed(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec((None, 2), tf.float32, name="a"),
                tf.TensorSpec((None, 2), tf.float32, name="b"),
            ]
        )
        def both(self, a, b):
            return {"sum": a + b, "difference": a - b}

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="text")])
        def strings(self, text):
            return {"text_bytes": text, "length": tf.strings.length(text)}

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.int64, name="n")])
        def numbers(self, n):
            halves = tf.cast(n, tf.float16) / 2
            return {"square": n * n, "odd": n % 2 == 1, "half": halves}

        @tf.function(input_signature=[tf.TensorSpec((), tf.float32, name="x")])
        def scalar(self, x):
            return {"y": 2 * x}

    module = Mixed()
    signatures = {name: getattr(module, name) for name in ("both", "strings", "numbers", "scalar")}
    publish(directory, lambda path: tf.saved_model.save(module, path, signatures))


def export_sum(directory, number):
    """`add` answers x + number and fails on negative numbers; `slow` takes its time."""
    import tensorflow as tf

    class Sum(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, name="x")])
        def add(self, x):
            with tf.control_dependencies([tf.debugging.assert_non_negative(x, "negative x")]):
                return {"y": x + number}

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, name="x")])
        def slow(self, x):
            """X, after 10,000 turns of a loop for every one of its first number."""
            most = tf.cast(10_000 * x[0], tf.int32)
            turns = tf.while_loop(lambda i: i < most, lambda i: (i + 1,), (tf.constant(0),))
            return {"y": x + tf.cast(turns[0] - most, tf.float32)}

    module = Sum()
    signatures = {"add": module.add, "slow": module.slow}
    publish(directory, lambda path: tf.saved_model.save(module, path, signatures))


def publish(directory, write):
    """Write under a name that is no version, then rename, as one has to."""
    directory = pathlib.Path(directory)
    unfinished = directory.with_name(f"unfinished.{directory.name}")
    write(str(unfinished))
    unfinished.rename(directory)


@contextlib.asynccontextmanager
async def running(*flags, rest=False):
    """The server of these flags inside this process, with `address`, `rest_address`, `said`."""
    from export.server import flags as server_flags
    from export.server.app import App

    port, rest_port = free_port(), free_port() if rest else 0
    ports = [f"--port={port}", f"--rest_api_port={rest_port}"]
    said = []
    app = App(server_flags.parse(["server", *ports, *flags]), say=said.append)
    await app.start()
    app.address, app.rest_address, app.said = f"localhost:{port}", f"localhost:{rest_port}", said
    try:
        yield app
    finally:
        await app.stop()


async def until(true, seconds=20):
    """Wait for what `true()` says; AssertionError where it does not come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        await asyncio.sleep(0.02)


def export_all(directory):
    """Versions 1 and 2 of `bigan`, version 1 of `mixed`, and `models.config`."""
    directory = pathlib.Path(directory).resolve()
    for seed in (1, 2):
        export_game(directory / "bigan" / str(seed), seed)
    export_mixed(directory / "mixed" / "1")
    (directory / "models.config").write_text(config(directory))
    return directory


def config(directory, more=""):
    """The model config file of `export_all`."""
    return f"""
        model_config_list {{
          config {{
            name: "bigan" base_path: "{directory}/bigan" model_platform: "tensorflow"
            model_version_policy {{ all {{ }} }}
            version_labels {{ key: "stable" value: 1 }}
          }}
          config {{ name: "mixed" base_path: "{directory}/mixed" model_platform: "tensorflow" }}
          {more}
        }}"""


def images(n, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, *SHAPE)).astype("float32")


def codes(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, CODES)).astype("float32")


def python_path():
    """Of a process that a test starts: what the test was started with, after this project."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """`python -m export.server` with the given flags, from ready to ended."""

    def __init__(self, *flags, rest=True, cwd=ROOT):
        self.port = free_port()
        self.rest_port = free_port() if rest else 0
        self.address, self.rest = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.rest_port}"
        command = [sys.executable, "-P", "-m", "export.server", f"--port={self.port}"]
        command += [f"--rest_api_port={self.rest_port}", *flags]
        # A file, not a pipe: nobody reads while the tests run, and a full pipe stops the server.
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=os.environ | {"PYTHONPATH": python_path(), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=self.log,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait(self, seconds=180):
        with grpc.insecure_channel(self.address) as channel:
            ready = grpc.channel_ready_future(channel)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                if self.process.poll() is not None:
                    raise RuntimeError(f"the server ended: {self.end()[1]}")
                with contextlib.suppress(grpc.FutureTimeoutError):
                    ready.result(1)
                    return self
        raise TimeoutError(f"no server after {seconds} s")

    def memory(self):
        """Resident bytes, also of its children: Envoy is one."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pages = [pathlib.Path(f"/proc/{p}/statm").read_text().split()[1] for p in (pid, *children)]
        return sum(map(int, pages)) * os.sysconf("SC_PAGE_SIZE")

    def end(self):
        """Tell it to end; exit code and everything that it printed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        with self.log as log:
            log.seek(0)
            return code, log.read()


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    if target.exists():
        sys.exit(f"{target} is there already")
    print(f"wrote {export_all(target)}")
