"""gRPC over ASGI: frames, limits, deadlines and callers who leave; `--front=envoy`."""

import asyncio
import gzip
import importlib.util
import signal
import time
import types
import zlib

import grpc
import numpy as np
import pytest
import served
import tensorflow as tf
from grpc_health.v1 import health
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from export.client import Client
from export.server import asgi
from export.server import flags
from export.server.calls import Calls
from export.server.calls import Registrar

CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
SERVING = health_pb2.HealthCheckResponse(status="SERVING").SerializeToString()
NAMED = health_pb2.HealthCheckRequest(service="m").SerializeToString()
ENVOY = pytest.mark.skipif(not importlib.util.find_spec("pyvoy"), reason="no pyvoy")


class Caller:
    """One call of an application, as a server of ASGI makes it.

    Args:
        parts: pieces of the body; the caller stays, unless `leaves`.
    """

    def __init__(self, grpc, path, *parts, leaves=False, **headers):
        self.messages, self.leaves, self.sent = list(parts), leaves, []
        self.gone = asyncio.Event()
        names = {"content-type": "application/grpc"} | headers
        scope = {
            "type": "http",
            "path": path,
            "headers": [(n.replace("_", "-").encode(), v.encode()) for n, v in names.items()],
        }
        self.task = asyncio.ensure_future(grpc(scope, self.receive, self.send))

    async def receive(self):
        if self.messages:
            part = self.messages.pop(0)
            more = bool(self.messages)
            return {"type": "http.request", "body": part, "more_body": more}
        if not self.leaves:
            await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)

    def answer(self):
        """(status, message, bytes of the body)."""
        trailers = dict(self.sent[-1]["headers"])
        body = b"".join(m.get("body", b"") for m in self.sent)
        return int(trailers[b"grpc-status"]), trailers.get(b"grpc-message", b"").decode(), body


def application(most_bytes=2**20):
    """An application with the health service, in which "m" is served; and its open calls."""
    app, calls = asgi.Grpc(most_bytes), Calls()
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, Registrar(app, calls))
    return app, calls, servicer


def called(path, *parts, most_bytes=2**20, end=False, **headers):
    async def scenario():
        app, calls, servicer = application(most_bytes)
        await servicer.set("m", health_pb2.HealthCheckResponse.SERVING)
        if end:
            app.end()
        caller = Caller(app, path, *parts, **headers)
        await caller.task
        assert calls.open == 0
        return caller.answer()

    return asyncio.run(scenario())


@pytest.mark.parametrize("size", [1, 4, 5, 6, 1000])
def test_a_message_may_come_in_any_pieces(size):
    data = asgi.framed(NAMED)
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    for more in ([], [b""]):
        assert called(CHECK, *parts, *more) == (0, "", asgi.framed(SERVING))


@pytest.mark.parametrize("encoding, pack", [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_messages_are_unpacked_up_to_the_limit(encoding, pack):
    packed = pack(NAMED)
    frame = b"\1" + len(packed).to_bytes(4, "big") + packed
    assert called(CHECK, frame, grpc_encoding=encoding)[0] == 0
    bomb = pack(bytes(2**24))
    frame = b"\1" + len(bomb).to_bytes(4, "big") + bomb
    code, said, _ = called(CHECK, frame, grpc_encoding=encoding)
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0] and "at most 1048576" in said


@pytest.mark.parametrize(
    "path, body, options, code, said",
    [
        ("/no/Method", b"", {}, "UNIMPLEMENTED", "Method not found!"),
        (CHECK, b"", {}, "INTERNAL", "the call takes exactly one message"),
        (CHECK, asgi.framed(NAMED) * 2, {}, "INTERNAL", "the call takes exactly one message"),
        (CHECK, asgi.framed(NAMED)[:-1], {}, "INTERNAL", "the body ends inside a message"),
        (CHECK, b"\0\0", {}, "INTERNAL", "the body ends inside a message"),
        (CHECK, asgi.framed(bytes(11)), {"most_bytes": 10}, "RESOURCE_EXHAUSTED", "has 11 bytes"),
        (CHECK, b"\1" + asgi.framed(b"x")[1:], {}, "UNIMPLEMENTED", "compression b'identity'"),
        (CHECK, b"\1" + asgi.framed(b"x")[1:], {"grpc_encoding": "gzip"}, "INTERNAL", "unpacked"),
        (CHECK, asgi.framed(b"\xff\xff"), {}, "INTERNAL", "no message"),
        (CHECK, asgi.framed(NAMED), {"grpc_timeout": "1x"}, "INTERNAL", "grpc-timeout must be"),
        (CHECK, asgi.framed(NAMED), {"end": True}, "UNAVAILABLE", "the server is stopping"),
        (CHECK, asgi.framed(b"\n\1n"), {}, "NOT_FOUND", ""),
    ],
)
def test_calls_that_cannot_be_answered_end_with_a_status(path, body, options, code, said):
    number, message, answer = called(path, body, **options)
    assert (number, answer) == (grpc.StatusCode[code].value[0], b"") and said in message


def test_messages_of_errors_are_written_in_ascii():
    app = asgi.Grpc(10)

    class Service:
        def service(self, method):
            raise asgi.ServingError("NOT_FOUND", f"{method.method}: 5 % of ä\n")

    async def scenario():
        app.add_generic_rpc_handlers([Service()])
        caller = Caller(app, "/m")
        await caller.task
        return caller.answer()

    assert asyncio.run(scenario())[:2] == (5, "/m: 5 %25 of %C3%A4%0A")


def test_what_is_no_grpc_is_refused():
    async def scenario():
        caller = Caller(asgi.Grpc(10), "/", **{"content-type": "text/html"})
        await caller.task
        return caller.sent[0]["status"]

    assert asyncio.run(scenario()) == 415


def sleeper(seconds, ended):
    """An application with one method that takes its time."""

    async def sleep(request, context):
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            ended.append(context.time_remaining())
            raise
        return b"slept"

    app, calls = asgi.Grpc(10), Calls()
    handler = {"Sleep": grpc.unary_unary_rpc_method_handler(sleep, bytes, bytes)}
    Registrar(app, calls).add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("s", handler)]
    )
    return app, calls


def test_a_call_ends_at_its_deadline_and_when_its_caller_leaves():
    async def scenario():
        ended = []
        app, calls = sleeper(0.3, ended)
        frame = asgi.framed(b"x")
        in_time = Caller(app, "/s/Sleep", frame, grpc_timeout="2S")
        late = Caller(app, "/s/Sleep", frame, grpc_timeout="100m")
        gone = Caller(app, "/s/Sleep", frame, leaves=True)
        await asyncio.gather(in_time.task, late.task, gone.task)
        assert in_time.answer() == (0, "", asgi.framed(b"slept"))
        assert late.answer()[0] == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
        assert gone.sent == [] and calls.open == 0
        assert len(ended) == 2 and None in ended and min(e for e in ended if e is not None) <= 0

    asyncio.run(scenario())


def test_a_cancellation_at_the_deadline_stays_one():
    async def scenario():
        async def cancelled():
            call = asgi.Call(10, None, None, None)
            with call:
                call._too_late()
                asyncio.current_task().cancel()
                await asyncio.sleep(1)

        async def caught():
            call = asgi.Call(10, None, None, None)
            with call:
                call._too_late()
                try:
                    await asyncio.sleep(1)
                except asyncio.CancelledError:
                    pass
            return asyncio.current_task().cancelling()

        with pytest.raises(asyncio.CancelledError):
            await asyncio.ensure_future(cancelled())
        assert await asyncio.ensure_future(caught()) == 0

    asyncio.run(scenario())


def test_a_watcher_hears_every_state_until_it_leaves_or_the_server_ends():
    async def scenario():
        app, calls, servicer = application()
        stays, leaves = (Caller(app, WATCH, asgi.framed(NAMED)) for _ in range(2))
        await asyncio.sleep(0.05)
        leaves.gone.set()
        await asyncio.wait_for(leaves.task, 1)
        await servicer.set("m", health_pb2.HealthCheckResponse.SERVING)
        await asyncio.sleep(0.05)
        await servicer.enter_graceful_shutdown()
        calls.end_streams()
        await asyncio.wait_for(stays.task, 1)
        frames = [m["body"] for m in stays.sent if m.get("body")]
        found = [health_pb2.HealthCheckResponse.FromString(f[5:]).status for f in frames]
        assert found == [3, 1, 2]  # unknown, serving, not serving
        assert stays.answer()[:2] == (0, "")

    asyncio.run(scenario())


def test_arguments_of_grpc_are_refused_but_the_limit_of_messages():
    def options(text):
        return types.SimpleNamespace(grpc_channel_arguments=text)

    assert flags.message_limit(options("grpc.max_receive_message_length=5")) == 5
    assert flags.message_limit(options("")) == 2**31 - 1
    with pytest.raises(ValueError, match="--front=envoy takes grpc.max_receive.*got .*so_reuse"):
        flags.message_limit(options("grpc.so_reuseport=1"))
    with pytest.raises(ValueError, match="--front must be grpc or envoy; got 'nginx'"):
        flags.parse(["server", "--model_base_path=m", "--front=nginx"])


@ENVOY
def test_a_server_in_envoy_from_start_to_end(tmp_path):
    """An open call is answered after SIGTERM; a watcher is not waited for."""
    served.export_sum(tmp_path / "sum" / "1", 1)
    path = tmp_path / "socket"
    models = f"--model_base_path={tmp_path / 'sum'}"
    # Files are found from the working directory, and modules are not.
    (tmp_path / "export.py").write_text("raise SystemExit('the wrong file')")
    (tmp_path / "batching").write_text("num_batch_threads { value: 1 }")
    more = ("--grpc_socket_path=socket", "--enable_batching", "--batching_parameters_file=batching")
    server = served.Server(models, "--front=envoy", *more, cwd=tmp_path).wait()
    for address in (server.address, f"unix:{path}"):
        with Client(address, attempts=1) as client:
            assert client.predict("add", x=np.float32([1, 2]))["y"].tolist() == [2, 3]
    second = served.Server(models, "--front=envoy", f"--port={server.port}", rest=False)
    assert second.process.wait(60) == 1
    assert f"cannot listen on 127.0.0.1:{server.port}" in second.end()[1]
    with grpc.insecure_channel(server.address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        request = predict_pb2.PredictRequest(model_spec={"name": "default"})
        request.model_spec.signature_name = "slow"
        request.inputs["x"].CopyFrom(tf.make_tensor_proto([15.0]))
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        call = stub.Predict.future(request)
        time.sleep(0.3)
        assert not call.done()
        server.process.send_signal(signal.SIGTERM)
        assert call.result().outputs["y"].float_val[0] == 15
        began = time.monotonic()
        server.process.wait(20)
        assert time.monotonic() - began < 3
        assert [state.status for state in watch] == [2]
    code, output = server.end()
    assert code == 0 and "SIGTERM: no new calls" in output and "ended" in output, output
    assert "Traceback" not in output
