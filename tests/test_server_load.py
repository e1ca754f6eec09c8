"""The server under load and under nonsense: hot reload with 64 clients, and 10,000 bad requests."""

import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import client_server
import grpc
import nonsense
import numpy as np
import pytest
import served
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from export.client import Client


@pytest.mark.slow
def test_hot_reload_with_64_clients(tmp_path):
    """1 → 2 → 3 → 4, of which 3 is corrupt, and 1 is deleted: no call fails, no answer is mixed."""
    for seed in (1, 2, 4):
        served.export_game(tmp_path / "ready" / str(seed), seed)
    base = tmp_path / "bigan"
    shutil.copytree(tmp_path / "ready" / "1", base / "1")
    # Every client has codes of its own; every version's answer to them is known beforehand.
    z = served.codes(64)
    expected = {seed: np.asarray(served.game(seed).decode(z)) for seed in (1, 2, 4)}
    server = served.Server(
        "--model_name=bigan", f"--model_base_path={base}", "--enable_batching"
    ).wait()
    counts, errors, changes = {1: 0, 2: 0, 4: 0}, [], []
    stop = asyncio.Event()

    async def client(number, stub):
        newest = 0
        while not stop.is_set():
            try:
                response = await stub.Predict(
                    nonsense.decode_request(z[number : number + 1]), timeout=30
                )
            except grpc.aio.AioRpcError as error:
                errors.append(f"{error.code().name}: {error.details()}")
                continue
            version = response.model_spec.version.value
            found = tf.make_ndarray(response.outputs["images"])
            if version < newest:
                errors.append(f"version {version} after {newest}")
            if not np.allclose(found[0], expected[version][number], atol=1e-5):
                errors.append(f"an answer that is not version {version}'s")
            newest = version
            counts[version] += 1

    async def state(model, number):
        asked = get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "bigan"})
        for status in (await model.GetModelStatus(asked)).model_version_status:
            if status.version == number:
                changes.append((number, status.state))
                return status.state, status.status.error_message
        return 0, ""

    async def publish(number):
        # Copied under a name that is no version; the rename makes it appear whole.
        shutil.copytree(tmp_path / "ready" / str(number), base / f"copying.{number}")
        (base / f"copying.{number}").rename(base / str(number))

    async def reach(model, number, wanted, words=""):
        async with asyncio.timeout(120):
            while True:
                found, message = await state(model, number)
                if found == wanted or (words and words in message):
                    return
                await asyncio.sleep(0.1)

    async def scenario():
        async with contextlib.AsyncExitStack() as stack:
            channels = [
                await stack.enter_async_context(
                    grpc.aio.insecure_channel(
                        server.address, options=[("grpc.use_local_subchannel_pool", 1)]
                    )
                )
                for _ in range(4)
            ]
            stubs = [prediction_service_pb2_grpc.PredictionServiceStub(c) for c in channels]
            model = model_service_pb2_grpc.ModelServiceStub(channels[0])
            clients = [asyncio.ensure_future(client(i, stubs[i % 4])) for i in range(64)]
            await asyncio.sleep(2)
            await publish(2)
            await reach(model, 2, 30)
            await reach(model, 1, 50)
            shutil.rmtree(base / "1")
            await asyncio.sleep(2)
            (base / "3").mkdir()
            (base / "3" / "saved_model.pb").write_bytes(
                (base / "2" / "saved_model.pb").read_bytes()[:-1000]
            )
            await reach(model, 3, 50, words="cut short or damaged")
            await asyncio.sleep(2)
            await publish(4)
            await reach(model, 4, 30)
            await reach(model, 2, 50)
            await asyncio.sleep(2)
            stop.set()
            await asyncio.gather(*clients)

    try:
        asyncio.run(scenario())
    finally:
        code, output = server.end()
    print(f"answers per version {counts}")
    assert not errors, errors[:5]
    assert all(counts.values()), counts
    assert code == 0 and "Traceback" not in output, output


@pytest.mark.parametrize(
    "batched",
    [pytest.param(True, marks=pytest.mark.slow), pytest.param(False, marks=pytest.mark.long)],
)
def test_ten_thousand_bad_requests(tmp_path, batched):
    """No crash, no leak, a code that blames the caller, and the next good request answered."""
    models = served.export_all(tmp_path / "models")
    server = served.Server(
        f"--model_config_file={models}/models.config", *["--enable_batching"] * batched
    ).wait()
    rng = random.Random(0)
    good = nonsense.decode_request(served.codes(2))
    expected = served.game(2).decode(served.codes(2))
    codes, ran = {}, set()

    def ask_grpc(call):
        raw = nonsense.some_predict(rng)
        try:
            answer = predict_pb2.PredictResponse.FromString(call(raw, timeout=30))
            code = "OK"
            ran.add(answer.model_spec.signature_name)
        except grpc.RpcError as error:
            code = error.code().name
            if code == "INTERNAL" and not nonsense.readable(raw, predict_pb2.PredictRequest):
                code = "no message"
            assert code in nonsense.GOOD_CODES | {"no message"}, (error.details(), raw)
        codes[code] = codes.get(code, 0) + 1

    def ask_rest():
        path = rng.choice(
            ["bigan:predict"] * 4 + ["mixed:predict"] * 4 + ["bigan/labels/é:predict", "%00"]
        )
        url = f"http://{server.rest}/v1/models/{urllib.request.quote(path, safe='/:%')}"
        try:
            with urllib.request.urlopen(url, data=nonsense.some_body(rng), timeout=30) as response:
                code = response.status
        except urllib.error.HTTPError as error:
            with error:
                code = error.code
                assert "error" in json.loads(error.read()), error
            assert code in (400, 404), (code, error)
        codes[code] = codes.get(code, 0) + 1

    try:
        with grpc.insecure_channel(server.address) as channel:
            call = channel.unary_unary(nonsense.PREDICT)
            right = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
            memory = []
            for turn in range(16):
                for i in range(500):
                    ask_grpc(call)
                    if i % 4 == 0:
                        ask_rest()
                response = right(good)
                found = tf.make_ndarray(response.outputs["images"])
                np.testing.assert_allclose(found, expected, atol=1e-5)
                memory.append(server.memory() / 2**20)
                print(f"turn {turn}: {memory[-1]:.0f} MiB", flush=True)
    finally:
        code, output = server.end()
    print(codes)
    assert sum(codes.values()) >= 10_000
    assert {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", 200, 400} <= codes.keys()
    assert ran >= {"decode", *nonsense.MIXED} - (
        {"scalar"} if batched else set()
    )  # a batch has rows
    assert memory[-1] <= 1.05 * memory[1], memory
    assert code == 0 and not re.search("Traceback|Error in", output), output


@pytest.mark.slow
def test_metadata_and_status_of_nonsense(tmp_path):
    """The other methods, fed with bytes that are no request of theirs."""
    models = served.export_all(tmp_path / "models")
    server = served.Server(f"--model_config_file={models}/models.config").wait()
    rng = random.Random(1)
    metadata = get_model_metadata_pb2.GetModelMetadataRequest(
        model_spec={"name": "bigan"}, metadata_field=["signature_def"]
    )
    try:
        with grpc.insecure_channel(server.address) as channel:
            for path, message in (
                ("PredictionService/GetModelMetadata", type(metadata)),
                ("ModelService/GetModelStatus", get_model_status_pb2.GetModelStatusRequest),
            ):
                call = channel.unary_unary(f"/tensorflow.serving.{path}")
                for _ in range(500):
                    raw = bytearray(metadata.SerializeToString())
                    for _ in range(rng.choice([1, 3])):
                        raw[rng.randrange(len(raw))] = rng.randrange(256)
                    try:
                        call(bytes(raw), timeout=30)
                    except grpc.RpcError as error:
                        code = error.code().name
                        assert code in nonsense.GOOD_CODES or (
                            code == "INTERNAL" and not nonsense.readable(bytes(raw), message)
                        ), (error.details(), bytes(raw))
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            assert stub.GetModelMetadata(metadata).model_spec.version.value == 2
    finally:
        code, output = server.end()
    assert code == 0 and "Traceback" not in output, output


@pytest.mark.slow
def test_a_call_that_does_not_end_holds_the_server_up_for_drain_seconds_once(tmp_path):
    """Over gRPC and over REST at the same time; each would run for minutes."""
    served.export_sum(tmp_path / "sum" / "1", 1)
    server = served.Server(f"--model_base_path={tmp_path / 'sum'}", "--drain_seconds=4").wait()
    request = predict_pb2.PredictRequest(model_spec={"name": "default", "signature_name": "slow"})
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([5000.0]))
    body = json.dumps({"signature_name": "slow", "inputs": [5000]}).encode()
    url = f"http://{server.rest}/v1/models/default:predict"
    with grpc.insecure_channel(server.address) as channel, ThreadPoolExecutor() as threads:
        call = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict.future(request)
        other = threads.submit(urllib.request.urlopen, url, data=body, timeout=60)
        time.sleep(2)
        assert not call.done() and not other.done()
        told = time.monotonic()
        code, output = server.end()
        took = time.monotonic() - told
        assert call.exception().code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        assert other.exception()
    assert code == 0 and "ended" in output and "Traceback" not in output, output
    assert 4 <= took < 7.5


@pytest.mark.slow
def test_samples_are_the_same_bits_in_every_batch_and_after_a_restart(tmp_path):
    """Eight callers ask for other seeds, each in parts of other sizes, while others decode."""
    client_server.export(tmp_path / "ali")
    seeds = np.random.default_rng(3).integers(-(2**63), 2**63, 24)
    flags = ("--model_name=ali", f"--model_base_path={tmp_path / 'ali'}", "--enable_batching")

    def asked(client, caller):
        """The images of all seeds, in the order of `seeds`."""
        rng = np.random.default_rng(caller)
        order, found = rng.permutation(len(seeds)), {}
        while len(order):
            some, order = np.split(order, [rng.integers(1, 6)])
            found |= dict(zip(some.tolist(), client.sample(seeds[some])))
            client.decode(served.codes(2, caller))
        return np.stack([found[i] for i in range(len(seeds))])

    def served_once():
        server = served.Server(*flags, rest=False).wait()
        try:
            with Client(server.address, "ali") as client, ThreadPoolExecutor(8) as threads:
                client.wait_until_ready()
                alone = client.sample(seeds)
                return alone, *threads.map(lambda caller: asked(client, caller), range(8))
        finally:
            assert server.end()[0] == 0

    first, *others = [*served_once(), *served_once()]
    assert len(np.unique(first.reshape(len(seeds), -1), axis=0)) == len(seeds)
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.slow
def test_the_command_that_measures_speed_refuses_a_server_that_it_does_not_know():
    done = subprocess.run(
        [sys.executable, "benchmarks/serve.py", "--variants=batched,eagre"],
        cwd=served.ROOT,
        env=os.environ | {"PYTHONPATH": served.python_path()},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "--variants must be among batched," in done.stderr
    assert "got eagre" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("front", ["grpc", "envoy"])
def test_the_command_that_measures_reliability_finds_nothing_wrong(front):
    if front == "envoy":
        pytest.importorskip("pyvoy")
    command = [sys.executable, "benchmarks/reliability.py", f"--fronts={front}", "--scale=0.03"]
    path = os.environ | {"PYTHONPATH": served.python_path()}
    done = subprocess.run(
        command, cwd=served.ROOT, env=path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    row = rf"^\| {front} \| (\w+) \| [\d,]+ \| 0 \| [\d,]+ \| 0 \|"
    rows = re.findall(row, done.stdout, re.M)
    assert rows == ["swaps", "nonsense", "bombs", "slow", "leaving", "idle", "end"], done.stdout
