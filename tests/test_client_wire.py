"""What the client puts on the wire, and what it does when the other side fails.

Where a failure has to come at the right moment, the other side is a gRPC server that follows a
script; the messages and the channel are real.
"""

import asyncio
import concurrent.futures
import contextlib
import os
import pathlib
import pickle
import re
import subprocess
import sys
import threading
import time
import types

import client_server
import grpc
import numpy as np
import pytest
import served
import tensorflow as tf
import trustme
from google.protobuf import text_format
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import get_model_metadata_pb2  # noqa: F401 (for the pool)
from tensorflow_serving.apis import get_model_status_pb2  # noqa: F401
from tensorflow_serving.apis import predict_pb2

from export import client as clients
from export.client import AsyncClient
from export.client import Client
from export.client import channels
from export.client import errors
from export.client import tensors
from export.client.messages import messages
from export.client.steps import METHODS
from export.server import tensors as server_tensors
from export.server import text_configs

ROOT = pathlib.Path(__file__).parent.parent
CODES = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")


# Messages.


@pytest.mark.parametrize("name", vars(messages))
def test_names_and_numbers_are_tensorflows(name):
    ours = getattr(messages, name).DESCRIPTOR
    pool = predict_pb2.DESCRIPTOR.pool
    theirs = pool.FindMessageTypeByName(ours.full_name)
    assert ours.file.pool is not pool
    for field in ours.fields:
        same = theirs.fields_by_name[field.name]
        assert (field.number, field.is_repeated) == (same.number, same.is_repeated)
        kinds = {field.TYPE_ENUM: field.TYPE_INT32}  # equal on the wire
        assert field.type == kinds.get(same.type, same.type)
        if field.message_type:
            assert field.message_type.full_name == same.message_type.full_name


@pytest.mark.slow
@pytest.mark.parametrize("first", ["export.client", "tensorflow_serving.apis.predict_pb2"])
def test_both_definitions_live_in_one_process_in_any_order(first):
    both = ["export.client", "tensorflow_serving.apis.predict_pb2"]
    order = sorted(both, key=lambda name: name != first)
    done = subprocess.run(
        [sys.executable, "-c", f"import {order[0]}; import {order[1]}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "name", [name for name, _, _ in tensors.TYPES.values() if name != "bfloat16"]
)
@pytest.mark.parametrize("shape", [(2, 3), (), (0, 2)])
def test_tensors_are_those_of_tensorflow_in_both_directions(name, shape):
    kind = tensors.numpy_type(name)
    values = np.random.default_rng(1).integers(0, 2, shape)
    if name == "string":
        array = np.array([b"\xff\0%d\0" % v for v in values.ravel()] + [b""], "O")[:-1]
        array = array.reshape(shape)
    else:
        array = (values * np.array(-7.5 + 2j if kind.kind == "c" else 1)).astype(kind)
    proto = messages.TensorProto()
    tensors.write(array, name, proto)
    theirs = tensor_pb2.TensorProto.FromString(proto.SerializeToString())
    np.testing.assert_array_equal(tf.make_ndarray(theirs), array)
    for packed in (tf.make_tensor_proto(array, name), _in_fields(array, name)):
        back = tensors.read(messages.TensorProto.FromString(packed.SerializeToString()))
        assert back.dtype == kind and back.shape == shape
        np.testing.assert_array_equal(back, array)
        back[...] = array  # it may be written to


def _in_fields(array, name):
    """A TensorProto that has its values in the field of its type, as servers send them."""
    proto = tensor_pb2.TensorProto()
    proto.ParseFromString(b"".join(server_tensors.written(array)))
    assert not proto.tensor_content
    return proto


def test_bfloat16_is_read_as_float32_and_missing_values_repeat_the_last():
    values = np.array([1.5, -2.0, 3.140625], "float32")
    made = tf.make_tensor_proto(tf.cast(values, tf.bfloat16).numpy())
    back = tensors.read(messages.TensorProto.FromString(made.SerializeToString()))
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, values)
    proto = messages.TensorProto(dtype=1, float_val=[1.0, 2.0])
    proto.tensor_shape.dim.add(size=4)
    np.testing.assert_array_equal(tensors.read(proto), [1, 2, 2, 2])
    proto.float_val.clear()
    np.testing.assert_array_equal(tensors.read(proto), [0, 0, 0, 0])


@pytest.mark.parametrize(
    "proto, message",
    [
        (messages.TensorProto(dtype=20), "TensorFlow's data type 20"),
        (messages.TensorProto(dtype=1, float_val=[1, 2]), r"2 values for shape \(\)"),
        (messages.TensorProto(dtype=7, tensor_content=b"x"), "strings in tensor_content"),
    ],
)
def test_an_answer_that_makes_no_sense_is_the_servers_error(proto, message):
    with pytest.raises(clients.ServerError, match=f"DATA_LOSS: .*{message}"):
        tensors.read(proto)


@pytest.mark.parametrize("kind", [clients.NotFound, clients.DeadlineExceeded, clients.Unavailable])
def test_errors_survive_pickling(kind):
    error = pickle.loads(pickle.dumps(kind("CODE", "words", (3, 5))))
    assert (type(error), str(error)) == (kind, "CODE (rows 3 to 4): words")


# Failures, by a script.


class Abort(Exception):
    """A status instead of an answer."""

    def __init__(self, code, words=""):
        super().__init__(code)
        self.code, self.words = grpc.StatusCode[code], words


@contextlib.contextmanager
def scripted(answer, address="127.0.0.1:0"):
    """The address of a server whose `decode` gives `answer(array, number of the call, request)`."""
    lock, counts = threading.Lock(), {}

    def metadata(request):
        info = {"dtype": 1, "tensor_shape": {"dim": [{"size": -1}, {"size": 3}]}}
        terms = {"inputs": {"codes": info}, "outputs": {"images": info}}
        found = messages.GetModelMetadataResponse(model_spec={"name": "m", "version": {"value": 1}})
        packed = messages.SignatureDefMap(signature_def={"decode": terms})
        found.metadata["signature_def"].value = packed.SerializeToString()
        return found

    def serve(method):
        def run(data, context):
            with lock:
                counts[method] = number = counts.get(method, 0) + 1
            if method != "Predict":
                return metadata(data).SerializeToString()
            request = messages.PredictRequest.FromString(data)
            try:
                made, version = answer(tensors.read(request.inputs["codes"]), number, request)
            except Abort as abort:
                context.abort(abort.code, abort.words)
            response = messages.PredictResponse(model_spec={"version": {"value": version}})
            tensors.write(made, "float32", response.outputs["images"])
            return response.SerializeToString()

        return grpc.unary_unary_rpc_method_handler(run)

    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(8),
        options=[("grpc.max_receive_message_length", channels.MOST_BYTES)],
    )
    for name in METHODS:
        service, method = METHODS[name][0][1:].split("/")
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, {method: serve(name)}),)
        )
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield address.replace(":0", f":{port}"), counts
    finally:
        server.stop(None).wait()


def ask(kind, address, codes=CODES, **options):
    """`decode` by either kind of client."""
    if kind is Client:
        with Client(address, "m", **options) as client:
            return client.decode(codes)

    async def asked():
        async with AsyncClient(address, "m", **options) as client:
            return await client.decode(codes)

    return asyncio.run(asked())


BOTH = pytest.mark.parametrize("kind", [Client, AsyncClient])


@BOTH
@pytest.mark.parametrize("rows", [5, 100_000])  # 60 bytes; 1.2 MB, beyond gRPC's own buffer
def test_unavailable_is_tried_again(kind, rows):
    def answer(codes, number, request):
        if number < 3:
            raise Abort("UNAVAILABLE", "not now")
        return 2 * codes, 1

    codes = np.resize(CODES, (rows, 3))
    with scripted(answer) as (address, counts):
        found = ask(kind, address, codes, max_batch_size=rows)
    np.testing.assert_array_equal(found, 2 * codes)
    assert counts["Predict"] == 3


@BOTH
@pytest.mark.parametrize(
    "code, attempts, calls, error",
    [
        ("UNAVAILABLE", 2, 2, clients.Unavailable),
        ("UNAVAILABLE", 1, 1, clients.Unavailable),
        ("INTERNAL", 5, 1, clients.ServerError),
        ("RESOURCE_EXHAUSTED", 5, 1, clients.ServerError),
        ("DEADLINE_EXCEEDED", 5, 1, clients.DeadlineExceeded),
        ("FAILED_PRECONDITION", 5, 1, clients.InvalidInput),
    ],
)
def test_nothing_else_is_and_not_for_ever(kind, code, attempts, calls, error):
    def answer(codes, number, request):
        raise Abort(code, "no, not now")

    with scripted(answer) as (address, counts):
        with pytest.raises(error, match=f"{code}: no, not now") as caught:
            ask(kind, address, attempts=attempts)
    assert type(caught.value) is error
    assert counts["Predict"] == calls


@BOTH
def test_the_deadline_is_that_of_all_parts_and_tries(kind):
    def slow(codes, number, request):
        time.sleep(0.2)
        return codes, 1

    def never(codes, number, request):
        raise Abort("UNAVAILABLE")

    options = {"max_batch_size": 1, "concurrency": 1, "timeout": 0.5}
    with scripted(slow) as (address, counts):
        began = time.monotonic()
        with pytest.raises(TimeoutError, match=r"timeout 0\.5 s|within 0\.5 s"):
            ask(kind, address, **options)
        assert 0.4 < time.monotonic() - began < 3
        assert counts["Predict"] <= 3  # of 5
    with scripted(never) as (address, counts):
        began = time.monotonic()
        with pytest.raises(clients.ServerError):
            ask(kind, address, **options)
        assert time.monotonic() - began < 1.5  # five tries would take 3 s


@BOTH
def test_parts_stay_under_both_limits_and_come_back_in_order(kind):
    rows, together, most = [], [], []

    def answer(codes, number, request):
        together.append(1)
        most.append(len(together))
        rows.append(len(codes))
        time.sleep(0.05 if number % 2 else 0)
        together.pop()
        return 2 * codes, 1

    codes = np.arange(30_000, dtype="float32").reshape(10_000, 3)
    with scripted(answer) as (address, _):
        found = ask(kind, address, codes, max_batch_size=3000, concurrency=2)
        np.testing.assert_array_equal(found, 2 * codes)
        assert sorted(rows) == [1000, 3000, 3000, 3000] and max(most) == 2
        rows.clear()
        # 12 bytes a row: (65536 - 16384) / 12 = 4096 of them.
        ask(kind, address, codes, max_batch_size=10_000, max_message_bytes=2**16)
        assert sorted(rows) == [10_000 - 2 * 4096, 4096, 4096]


def test_a_row_beyond_the_limit_is_refused():
    with scripted(lambda codes, number, request: (codes, 1)) as (address, _):
        with Client(address, "m", max_message_bytes=2**16) as client:
            client._steps.known = clients.Metadata(
                "m",
                1,
                {
                    "encode_image_bytes": clients.Signature(
                        {"image_bytes": clients.Tensor("string", (None,))},
                        {"codes": clients.Tensor("float32", (None, 3))},
                    )
                },
            )
            with pytest.raises(ValueError, match=r"row 1 of .* takes 70008 bytes; .* 65536 \(max_"):
                client.encode_bytes([b"a", b"b" * 70_000])


@BOTH
def test_a_batch_is_answered_by_one_version(kind):
    def answer(codes, number, request):
        asked = request.model_spec
        # A new version comes after the second part.
        version = asked.version.value if asked.HasField("version") else 1 + (number > 2)
        return version * codes, version

    with scripted(answer) as (address, counts):
        found = ask(kind, address, max_batch_size=1, concurrency=1)
    np.testing.assert_array_equal(found, 2 * CODES)
    assert counts["Predict"] == 5 + 2


@BOTH
@pytest.mark.parametrize("goes_again", [False, True])
def test_a_batch_whose_version_went_meanwhile_is_begun_again_once(kind, goes_again):
    def answer(codes, number, request):
        asked = request.model_spec
        if asked.HasField("version"):
            raise Abort("NOT_FOUND", f"Servable not found for request: {asked.version.value}")
        # The first five parts see 1 go for 2; the next see 3, or that go for 4.
        first = number <= 5
        version = 1 + (number > 2) if first else 3 + (goes_again and number > 8)
        return version * codes, version

    with scripted(answer) as (address, counts):
        if goes_again:
            with pytest.raises(clients.NotFound, match="request: 4"):
                ask(kind, address, max_batch_size=1, concurrency=1)
        else:
            found = ask(kind, address, max_batch_size=1, concurrency=1)
            np.testing.assert_array_equal(found, 3 * CODES)
            assert counts["Predict"] == 5 + 1 + 5


def test_what_an_older_version_said_is_asked_again():
    def old(version):
        tensor = clients.Tensor("float32", (None, 2))
        terms = clients.Signature({"codes": tensor}, {"images": tensor})
        return clients.Metadata("m", version, {"decode": terms})

    with scripted(lambda codes, number, request: (codes, 1)) as (address, counts):
        with Client(address, "m") as client:
            client._steps.known = old(1)
            np.testing.assert_array_equal(client.decode(CODES), CODES)
            client.decode(CODES)
            assert counts == {"GetModelMetadata": 1, "Predict": 2}
            client._steps.known = old(2)
            client.decode(CODES[:, :2])  # fits the old one; another version answers
            with pytest.raises(ValueError, match=r"shape \(n, 3\) for any n; got \(5, 2\)"):
                client.decode(CODES[:, :2])
            assert counts == {"GetModelMetadata": 2, "Predict": 3}


@BOTH
def test_a_unix_socket_is_an_address(kind, tmp_path):
    address = f"unix:{tmp_path / 'socket'}"
    with scripted(lambda codes, number, request: (codes, 1), address):
        np.testing.assert_array_equal(ask(kind, address), CODES)


def test_no_server_is_a_clear_error():
    with Client(f"127.0.0.1:{served.free_port()}", "m", attempts=1) as client:
        with pytest.raises(
            ConnectionError,
            match="UNAVAILABLE: failed to.*nothing listens on 127.*start python -m export.server",
        ):
            client.decode(CODES)
    # The deadline passes before the second of five attempts.
    with Client(client.server, "m", timeout=0.15) as client:
        with pytest.raises(TimeoutError, match=f"nothing listens on {client.server}"):
            client.decode(CODES)
    with Client(client.server, "m", attempts=1) as client:
        began = time.monotonic()
        with pytest.raises(TimeoutError, match="before that UNAVAILABLE: failed to connect"):
            client.wait_until_ready(1)
        assert 0.8 < time.monotonic() - began < 3


@pytest.mark.parametrize(
    "server, variables, words, added",
    [
        ("cat:1", {}, "Connection refused", "; nothing listens on cat:1.*address"),
        ("cat:1", {}, "no, not now", ""),
        (
            "cat:1",
            {"http_proxy": "http://a:b@c:3"},
            "x",
            "http_proxy names .*no_proxy=cat",
        ),
        ("cat:1", {"http_proxy": "http://c:3", "no_proxy": "dog, at"}, "x", ""),
        ("unix:/cat", {"grpc_proxy": "http://c:3"}, "x", ""),
        ("localhost:1", {"grpc_proxy": "http://c:3"}, "x", "; nothing listens on localhost:1: .*"),
        ("127.0.0.1:1", {"grpc_proxy": "http://c:3"}, "x", "; nothing listens on 127.0.0.1:1: .*"),
        ("10.0.0.1:1", {"grpc_proxy": "http://c:3"}, "x", ".*no_proxy=10.0.0.1"),
    ],
)
def test_what_stands_in_the_way_of_a_server_is_named(server, variables, words, added, monkeypatch):
    for name in ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    error = types.SimpleNamespace(code=lambda: grpc.StatusCode.UNAVAILABLE, details=lambda: words)
    found = errors.from_rpc(error, server, 1)
    assert isinstance(found, ConnectionError)
    assert re.fullmatch(f"{words}{'.*' if added else ''}{added}", found.words), found.words
    assert "a:b" not in found.words  # a password, perhaps


def test_a_server_on_this_machine_is_reached_past_the_proxy(monkeypatch):
    for name in ("no_grpc_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{served.free_port()}")
    with scripted(lambda codes, number, request: (2 * codes, 1)) as (address, _):
        with Client(address, "m", attempts=1) as client:
            np.testing.assert_array_equal(client.decode(CODES), 2 * CODES)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_is_pickled_with_its_arguments(kind):
    with scripted(lambda codes, number, request: (2 * codes, 1)) as (address, _):
        given = kind(address, "m", label="good", timeout=7, max_batch_size=3)
        copy = pickle.loads(pickle.dumps(given))
        assert type(copy) is kind and copy._given == given._given and copy.timeout == 7
        found = copy.decode(CODES)
        np.testing.assert_array_equal(
            asyncio.run(found) if kind is AsyncClient else found, 2 * CODES
        )
        for client in (given, copy):
            closed = client.close()
            if closed:
                asyncio.run(closed)


def test_a_client_may_be_shared_by_threads():
    with scripted(lambda codes, number, request: (2 * codes, 1)) as (address, _):
        with Client(address, "m") as client:
            with concurrent.futures.ThreadPoolExecutor(8) as threads:
                results = list(threads.map(lambda i: client.decode(CODES + i), range(64)))
    for i, found in enumerate(results):
        np.testing.assert_array_equal(found, 2 * (CODES + np.float32(i)))


# A server with TLS, and one that goes away.


def test_tls_with_and_without_a_certificate_of_ones_own(tmp_path):
    authority = trustme.CA()
    own, mine = authority.issue_cert("localhost"), authority.issue_cert("me@example.org")
    file = tmp_path / "ssl.config"
    file.write_text(
        text_format.MessageToString(
            text_configs.message("SSLConfig")(
                server_key=own.private_key_pem.bytes().decode(),
                server_cert=own.cert_chain_pems[0].bytes().decode(),
                custom_ca=authority.cert_pem.bytes().decode(),
                client_verify=True,
            )
        )
    )
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    mine.private_key_pem.write_to_path(tmp_path / "key.pem")
    (tmp_path / "sum").mkdir()
    served.export_sum(tmp_path / "sum" / "1", 1)
    flags = (f"--model_base_path={tmp_path / 'sum'}", f"--ssl_config_file={file}")
    given = {
        "ca": tmp_path / "ca.pem",
        "key": str(tmp_path / "key.pem"),
        "cert": mine.cert_chain_pems[0].bytes(),
    }
    with client_server.running(*flags, "--host=localhost") as app:
        with Client(app.address, **given) as client:
            np.testing.assert_array_equal(client.predict("add", x=[1.0])["y"], [2])

        async def asked():
            async with AsyncClient(app.address, **given) as client:
                return await client.predict("add", x=[1.0])

        np.testing.assert_array_equal(asyncio.run(asked())["y"], [2])
        for wrong in ({}, {"ca": given["ca"]}, {"tls": True}):
            with Client(app.address, attempts=1, **wrong) as client:
                with pytest.raises(clients.Unavailable):
                    client.predict("add", x=[1.0])


@pytest.mark.slow
@BOTH
def test_a_server_that_is_killed_in_mid_call_gives_a_clear_error_in_time(kind, tmp_path):
    (tmp_path / "sum").mkdir()
    served.export_sum(tmp_path / "sum" / "1", 1)
    server = served.Server(f"--model_base_path={tmp_path / 'sum'}", rest=False)
    killer = threading.Timer(1, server.process.kill)

    async def asked(client):
        try:
            await client.wait_until_ready(180)
            killer.start()
            return await client.predict("slow", timeout=20, x=[2e5])
        finally:
            await client.close()

    def waited(client):
        with client:
            client.wait_until_ready(180)
            killer.start()
            return client.predict("slow", timeout=20, x=[2e5])

    client = kind(server.address)
    try:
        with pytest.raises(
            ConnectionError, match="UNAVAILABLE: .*(refused|reset|closed)"
        ) as caught:
            waited(client) if kind is Client else asyncio.run(asked(client))
        print(caught.value)
    finally:
        server.end()


@pytest.mark.slow
def test_ten_thousand_images_in_one_call(tmp_path):
    file = client_server.export(tmp_path / "ali")
    flags = ("--model_name=ali", f"--model_base_path={tmp_path / 'ali'}", "--enable_batching")
    with client_server.running(*flags, "--enable_per_model_batching_parameters") as app:
        with np.load(file) as known, Client(app.address, "ali") as client:
            order = np.random.default_rng(2).integers(0, client_server.ROWS, 10_000)
            began = time.monotonic()
            codes = client.encode(known["images"][order])
            print(f"10,000 images: {time.monotonic() - began:.1f} s")
            np.testing.assert_allclose(codes, known["encode"][order], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_clients_tests_pass_where_tensorflow_is_not_installed(tmp_path):
    """In a virtual environment with NumPy, grpcio, protobuf and pytest; from the package index."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "numpy", "grpcio", "protobuf", "pytest"]
    subprocess.run(install, check=True)
    file = client_server.export(tmp_path / "ali")
    flags = ("--model_name=ali", f"--model_base_path={tmp_path / 'ali'}", "--enable_batching")
    with client_server.running(*flags, "--enable_per_model_batching_parameters") as app:
        known = {
            "CLIENT_SERVER": app.address,
            "CLIENT_REST": app.rest_address,
            "CLIENT_EXPECTED": str(file),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        }
        # conftest.py is for TensorFlow, and the options in pyproject.toml are for a plugin.
        options = ["--noconftest", "-o", "addopts=", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [python, "-m", "pytest", *options, "tests/test_client.py"],
            cwd=ROOT,
            env=os.environ | known,
            capture_output=True,
            text=True,
        )
    assert subprocess.run([python, "-c", "import tensorflow"], capture_output=True).returncode
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
