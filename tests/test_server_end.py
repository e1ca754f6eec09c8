"""What the end of a server, or of a version, waits for."""

import asyncio
import contextlib
import socket
import time

import grpc
import pytest
import served
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha import reflection_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from export.server.servable import Servable
from export.server.signatures import Signature


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    served.export_sum(folder / "1", 1)
    return folder


@contextlib.asynccontextmanager
async def serving(base, *more):
    flags = (f"--model_base_path={base}", "--file_system_poll_wait_seconds=1", *more)
    async with served.running(*flags, rest=True) as app:
        async with grpc.aio.insecure_channel(app.address) as channel:
            yield app, channel


def slow(channel, x):
    request = predict_pb2.PredictRequest(model_spec={"name": "default", "signature_name": "slow"})
    request.inputs["x"].dtype = 1
    request.inputs["x"].tensor_shape.dim.add(size=1)
    request.inputs["x"].float_val.append(x)
    return prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request)


async def connected(address, text=""):
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), family=socket.AF_INET)
    writer.write(text.encode())
    return reader, writer


UNFINISHED = "POST /v1/models/default:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"


def test_the_end_waits_for_calls_and_for_nothing_else(base):
    async def scenario():
        async with serving(base, "--drain_seconds=20") as (app, channel):
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            reflection = stub.ServerReflectionInfo()
            await reflection.write(reflection_pb2.ServerReflectionRequest(list_services=""))
            assert (await reflection.read()).list_services_response.service
            silent = await connected(app.address)
            unfinished = await connected(app.rest_address, UNFINISHED)
            half = await connected(app.rest_address, UNFINISHED[:20])
            await served.until(lambda: app.rest.reading)
            call = slow(channel, 20)
            await served.until(lambda: app.calls.open)
            answered = asyncio.ensure_future(call.code())
            answered.add_done_callback(lambda _: times.append(time.monotonic()))
            times = []
            await app.stop()
            assert await answered == grpc.StatusCode.OK
            assert time.monotonic() - times[0] < 1
            # The watcher hears of it, and then both streams end as they should.
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
            assert await watch.read() is grpc.aio.EOF and await watch.code() == grpc.StatusCode.OK
            assert await reflection.read() is grpc.aio.EOF
            assert b" 503 " in await unfinished[0].readline()
            for _, writer in (silent, unfinished, half):
                writer.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("batched", [True, False])
def test_a_session_is_not_closed_under_a_run_whose_callers_have_left(base, batched, monkeypatch):
    events = []
    run, close = Signature.run, Servable.close

    def noted_run(self, *given):
        events.append("run")
        try:
            return run(self, *given)
        finally:
            events.append("end of run")

    monkeypatch.setattr(Signature, "run", noted_run)
    monkeypatch.setattr(Servable, "close", lambda self: events.append("close") or close(self))

    async def scenario():
        more = ["--enable_batching"] * batched
        async with serving(base, "--noenable_model_warmup", *more) as (app, channel):
            model = app.manager.registry.models["default"]
            version = model.versions[1]
            call = slow(channel, 10)
            await served.until(lambda: events)
            call.cancel()
            await served.until(lambda: app.calls.open == 0)
            assert events == ["run"] and version.busy()
            model.config = None  # no longer listed
            await app.manager.poll()
            assert version.state.name == "UNLOADING"
            await served.until(lambda: version.state.name == "END", 60)

    asyncio.run(scenario())
    assert events == ["run", "end of run", "close"]


def test_bytes_that_are_no_message_are_answered_in_words_by_every_service(base):
    async def scenario():
        async with serving(base) as (_, channel):
            bytes_of = {"request_serializer": bytes, "response_deserializer": bytes}
            health = "/grpc.health.v1.Health"
            reflection = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
            for call in (
                channel.unary_unary(f"{health}/Check", **bytes_of)(b"\xff\xff"),
                channel.unary_stream(f"{health}/Watch", **bytes_of)(b"\xff\xff"),
                channel.stream_stream(reflection, **bytes_of)([b"\xff\xff"]),
            ):
                assert await call.code() == grpc.StatusCode.INTERNAL
                assert "no message" in await call.details()

    asyncio.run(scenario())
