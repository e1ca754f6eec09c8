"""The clients of `benchmarks/serve.py`: closed loops over gRPC, and calls in this process."""

import asyncio
import pathlib
import subprocess
import tempfile
import time

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from export.server.servable import Servable

PREDICT = "/tensorflow.serving.PredictionService/Predict"
INPUTS = {"encode": ("images", (28, 28, 1)), "decode": ("codes", (50,))}


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


def h2load(server, raw, clients, seconds=0.0, requests=0):
    """Seconds of every request, and the seconds in which they were made.

    The clients are nghttp2's, one connection each. They stop after `seconds` or `requests`.
    """
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
    """`h2load` by clients in this process."""
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
