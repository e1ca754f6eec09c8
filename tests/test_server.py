"""Versions that come and go, batches, files and TLS of the server, inside this process."""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import threading
import types

import aiohttp
import grpc
import numpy as np
import prometheus_client
import pytest
import served
import tensorflow as tf
import trustme
from google.protobuf import text_format
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_log_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc
from tensorflow_serving.config import file_system_storage_path_source_pb2 as sources
from tensorflow_serving.config import model_server_config_pb2

from export.server import batching
from export.server import flags
from export.server import startup
from export.server import text_configs
from export.server import versions
from export.server import words
from export.server.app import App
from export.server.batching_parameters import Parameters
from export.server.errors import ServingError
from export.server.errors import from_exception
from export.server.metrics import Metrics
from export.server.registry import Model
from export.server.registry import Registry
from export.server.servable import WARMUP
from export.server.servable import Servable
from export.server.signatures import Signature
from export.server.signatures import words as words_of
from export.server.tensors import MOST_REPEATED
from export.server.versions import State
from export.server.versions import Version


@pytest.fixture(scope="module")
def sums(tmp_path_factory):
    """A folder with versions 1, 2 and 3 of a model that adds its version to x."""
    folder = tmp_path_factory.mktemp("sums")
    for number in (1, 2, 3):
        served.export_sum(folder / str(number), number)
    return folder


@pytest.fixture
def base(sums, tmp_path):
    """A function: publish version `number` in the base path; and the base path."""
    folder = tmp_path / "sum"
    folder.mkdir()

    def publish(number, source=None):
        copy = folder / f"copying.{number}"
        shutil.copytree(sums / str(source or number), copy)
        copy.rename(folder / str(number))

    return types.SimpleNamespace(folder=folder, publish=publish)


def add(channel, x, signature="add", **options):
    request = predict_pb2.PredictRequest(
        model_spec=model_pb2.ModelSpec(name="default", signature_name=signature)
    )
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.asarray(x, "float32")))
    return prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, **options)


def states(app, name="default"):
    return {n: v.state.name for n, v in sorted(app.manager.registry.models[name].versions.items())}


# Looks at the folder all the time, and tries a load once.
FAST = ("--file_system_poll_wait_seconds=1", "--max_num_load_retries=0")


@contextlib.asynccontextmanager
async def serving(base, *more):
    async with served.running(f"--model_base_path={base.folder}", *FAST, *more) as app:
        app.manager.poll_seconds = 0.05
        async with grpc.aio.insecure_channel(app.address) as channel:
            yield app, channel


def test_versions_swap_without_a_failed_request_and_a_broken_one_changes_nothing(base):
    answered = []

    async def call_for_ever(channel):
        newest = 0
        while True:
            x = np.arange(3) + len(answered)
            response = await add(channel, x)
            version = response.model_spec.version.value
            assert list(response.outputs["y"].float_val) == list(x + version)
            assert version >= newest
            newest = version
            answered.append(version)

    async def scenario():
        base.publish(1)
        async with serving(base, "--enable_batching") as (app, channel):
            calls = [asyncio.ensure_future(call_for_ever(channel)) for _ in range(4)]
            await served.until(lambda: len(answered) > 20)
            base.publish(2)
            await served.until(lambda: states(app) == {1: "END", 2: "AVAILABLE"})
            (base.folder / "3").mkdir()
            (base.folder / "3" / "saved_model.pb").write_bytes(b"half a mod")
            await served.until(lambda: states(app).get(3) == "END")
            error = app.manager.registry.models["default"].versions[3].error
            assert error.code.name == "DATA_LOSS" and "cut short or damaged" in error.message
            assert states(app)[2] == "AVAILABLE"
            shutil.rmtree(base.folder / "3")
            await served.until(lambda: list(app.manager.registry.models["default"].aspired) == [2])
            base.publish(3)  # what was broken is tried again when it comes back
            await served.until(lambda: states(app) == {1: "END", 2: "END", 3: "AVAILABLE"})
            seen = len(answered)
            await served.until(lambda: len(answered) > seen + 20)
            failed = [call.exception() for call in calls if call.done()]
            for call in calls:
                call.cancel()
            assert not failed
            assert set(answered) == {1, 2, 3}

    asyncio.run(scenario())


def test_a_load_that_fails_is_tried_again_and_a_version_in_use_is_not_unloaded(base):
    async def scenario():
        base.publish(1)
        async with serving(base) as (app, channel):
            app.manager.retries, app.manager.retry_seconds = 1000, 0.05
            spec = model_pb2.ModelSpec(name="default")
            with app.manager.registry.use(spec) as version:
                (base.folder / "2").mkdir()
                await served.until(lambda: any("tries left" in line for line in app.said))
                assert states(app) == {1: "AVAILABLE", 2: "LOADING"}
                shutil.copytree(base.folder / "1", base.folder / "2", dirs_exist_ok=True)
                await served.until(lambda: states(app) == {1: "UNLOADING", 2: "AVAILABLE"})
                assert (await add(channel, [0])).model_spec.version.value == 2
                assert version.servable is not None
            await served.until(lambda: states(app) == {1: "END", 2: "AVAILABLE"})
            assert version.servable is None

    asyncio.run(scenario())


@pytest.mark.parametrize("batched", [True, False])
def test_open_calls_are_finished_before_the_server_ends(base, batched):
    async def scenario():
        base.publish(1)
        async with serving(base, *["--enable_batching"] * batched) as (app, channel):
            open_call = add(channel, [5], signature="slow")
            version = app.manager.registry.models["default"].versions[1]
            await served.until(lambda: version.flying)
            await app.stop()
            assert list((await open_call).outputs["y"].float_val) == [5]
            assert await add(channel, [5]).code() == grpc.StatusCode.UNAVAILABLE

    asyncio.run(scenario())


def test_a_caller_who_gives_up_leaves_the_queue(base):
    async def scenario():
        base.publish(1)
        async with serving(base, "--enable_batching") as (app, channel):
            version = app.manager.registry.models["default"].versions[1]
            first = add(channel, [5], signature="slow")
            await served.until(lambda: version.queues["slow"].running)
            request_that_waits = asyncio.ensure_future(
                asyncio.wait_for(add(channel, [6], signature="slow"), 0.05)
            )
            with pytest.raises(TimeoutError):
                await request_that_waits
            assert list((await first).outputs["y"].float_val) == [5]
            await served.until(lambda: not version.flying)
            assert not version.queues["slow"].running

    asyncio.run(scenario())


def test_an_unreadable_base_path_changes_nothing_and_an_empty_one_unloads(base):
    async def scenario():
        base.publish(1)
        async with serving(base) as (app, channel):
            away = base.folder.with_name("away")
            base.folder.rename(away)
            await served.until(lambda: any("cannot read" in line for line in app.said))
            await add(channel, [0])
            away.rename(base.folder)
            shutil.rmtree(base.folder / "1")
            await served.until(lambda: states(app) == {1: "END"})
            with pytest.raises(grpc.aio.AioRpcError, match="Latest.default"):
                await add(channel, [0])
            base.publish(1)
            await served.until(lambda: states(app) == {1: "AVAILABLE"})

    asyncio.run(scenario())


def test_a_base_path_without_versions_is_waited_for_and_said(base):
    async def scenario():
        said = []
        folder = base.folder.with_name("later")
        app = App(
            flags.parse(["server", f"--port={served.free_port()}", f"--model_base_path={folder}"]),
            say=said.append,
        )
        app.manager.poll_seconds = 0.05
        start = asyncio.ensure_future(app.start())
        watch = asyncio.ensure_future(app.manager.watch())
        unread = f"default: cannot read {folder}; waiting for a version in it"
        await served.until(lambda: unread in said)
        folder.mkdir()
        none = f"default: there is no version in {folder}: no folder whose name is a number"
        none += f"; python -m export MODEL --out {folder} makes one"
        await served.until(lambda: none in said)
        assert not start.done() and app.server is None  # no port is open: it is not ready
        shutil.copytree(sums_of(base), folder / "1")
        await start
        watch.cancel()
        await app.stop()
        assert sum("no version" in line for line in said) == 1

    asyncio.run(scenario())


def sums_of(base):
    """A version, apart from the base path that is served."""
    base.publish(1)
    return base.folder / "1"


def test_a_version_given_as_base_path_is_named(base):
    said = versions.none_in(str(sums_of(base)))
    assert said.endswith("; it is a version itself, and the folder around it is a base path")


@pytest.mark.parametrize(
    "expected, shape, fits",
    [
        ([-1, 1], (3,), True),  # {"instances": [1.0, 2.0, 5.0]} of TensorFlow Serving's tutorial
        ([-1, 1], (3, 1), True),
        ([-1, 1], (), False),
        ([-1, 2], (3,), False),
        ([-1, 1, 1], (3, 1), False),
        ([4, 1], (3,), False),
        (None, (3,), True),
    ],
)
def test_numbers_may_stand_for_rows_of_one_number(expected, shape, fits):
    signature = Signature("s", meta_graph_pb2.SignatureDef(), None)
    signature.inputs = {"x": (1, expected and tuple(expected))}
    if fits:
        return signature.check_shape("x", shape)
    with pytest.raises(ServingError, match=re.escape(f"has shape {words_of(expected)}")):
        signature.check_shape("x", shape)


@pytest.mark.parametrize(
    "policy, expected",
    [
        ("", [7]),
        ("latest { num_versions: 2 }", [5, 7]),
        ("all { }", [1, 5, 7]),
        ("specific { versions: 1 versions: 3 }", [1]),
    ],
)
def test_policies_and_names_of_versions(tmp_path, policy, expected):
    for name in ("1", "00005", "7", "v8", "9.tmp", str(2**63), "-1", "٣"):
        (tmp_path / name).mkdir()
    (tmp_path / "11").write_text("a file is no version")
    kind = sources.FileSystemStoragePathSourceConfig.ServableVersionPolicy
    found, _ = versions.aspired(versions.on_disk(str(tmp_path)), text_format.Parse(policy, kind()))
    assert sorted(found) == expected
    assert all(os.path.isdir(path) for path in found.values())
    assert versions.on_disk(str(tmp_path / "nowhere")) is None
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).touch()  # a name that is not UTF-8
    assert sorted(versions.on_disk(str(tmp_path))) == [1, 5, 7]


def test_the_config_file_is_read_again_and_a_bad_one_is_not(base):
    async def scenario():
        base.publish(1)
        base.publish(2)
        file = base.folder.parent / "models.config"

        def write(more=""):
            file.write_text(
                f'model_config_list {{ config {{ name: "default" base_path: "{base.folder}" '
                f'model_platform: "tensorflow" {more} }} }}'
            )

        write()
        async with served.running(
            f"--model_config_file={file}", "--model_config_file_poll_wait_seconds=1", *FAST
        ) as app:
            async with grpc.aio.insecure_channel(app.address) as channel:
                assert states(app) == {2: "AVAILABLE"}
                file.write_text("model_config_list { surprise: 1 }")
                await served.until(lambda: any("Error parsing text-format" in s for s in app.said))
                assert (await add(channel, [0])).model_spec.version.value == 2
                write("model_version_policy { specific { versions: 1 } }")
                await served.until(lambda: states(app) == {1: "AVAILABLE", 2: "END"})

    asyncio.run(scenario())


def config_of(path, labels=""):
    """A list with the one model `default` in `path`."""
    return text_format.Parse(
        f'name: "default" base_path: "{path}" model_platform: "tensorflow" {labels}',
        model_server_config_pb2.ModelConfig(),
    )


LABEL = 'version_labels { key: "good" value: 1 }'


@pytest.mark.parametrize("retries", [0, 1000])
def test_a_version_that_is_broken_is_loaded_from_a_path_that_is_corrected(base, retries):
    """Also while the old path is still tried."""
    wrong = base.folder.with_name("wrong")
    (wrong / "1").mkdir(parents=True)
    base.publish(1)
    base.publish(2)

    async def scenario():
        async with serving(base) as (app, channel):
            app.manager.retries, app.manager.retry_seconds = retries, 60
            await app.manager.configure([])
            reload = asyncio.ensure_future(app.manager.configure([config_of(wrong)]))
            await served.until(lambda: any("cannot be loaded" in line for line in app.said))
            if not retries:
                with pytest.raises(ServingError, match="did not become available"):
                    await reload
            shutil.rmtree(base.folder / "2")
            # The model is new still: this returns when it is there, and its label then holds.
            await asyncio.wait_for(app.manager.configure([config_of(base.folder, LABEL)]), 30)
            assert states(app)[1] == "AVAILABLE"
            assert (await add(channel, [0])).outputs["y"].float_val[0] == 1
            if retries:
                with pytest.raises(ServingError, match="another configuration"):
                    await reload

    asyncio.run(scenario())


def test_a_reload_that_waits_for_a_wrong_path_holds_nobody_up_and_outlives_its_caller(base):
    async def scenario():
        base.publish(1)
        nowhere, later = base.folder.with_name("nowhere"), base.folder.with_name("later")
        async with serving(base) as (app, channel):
            model = model_service_pb2_grpc.ModelServiceStub(channel)
            request = model_management_pb2.ReloadConfigRequest()
            configs = request.config.model_config_list.config
            configs.extend([config_of(base.folder, LABEL), config_of(nowhere)])
            configs[1].name = "other"
            late = model.HandleReloadConfigRequest(request, timeout=0.3)
            assert await late.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            labels = app.manager.registry.models["default"].labels
            assert not labels  # the other is waited for
            shutil.copytree(base.folder, nowhere)
            await served.until(lambda: app.manager.registry.models["default"].labels)
            configs[1].name, configs[1].base_path = "third", str(later)
            waiting = model.HandleReloadConfigRequest(request)
            await served.until(lambda: "third" in app.manager.registry.models)
            del configs[1:]
            await asyncio.wait_for(model.HandleReloadConfigRequest(request), 10)
            assert await waiting.code() == grpc.StatusCode.ABORTED

    asyncio.run(scenario())


@pytest.mark.parametrize("broken", ["warm-up", "batching"])
def test_a_load_that_fails_after_the_graph_was_read_closes_its_session(base, broken, monkeypatch):
    closed = []
    close = Servable.close
    monkeypatch.setattr(Servable, "close", lambda self: (closed.append(self.path), close(self)))
    more = ["--enable_batching", "--enable_per_model_batching_parameters"]

    async def scenario():
        base.publish(1)
        async with serving(base, *more) as (app, _):
            shutil.copytree(base.folder / "1", base.folder / "copying.2")
            name = WARMUP if broken == "warm-up" else "batching_params.pbtxt"
            file = base.folder / "copying.2" / name
            file.parent.mkdir(exist_ok=True)
            file.write_text("what is this, and however did it come here?")
            (base.folder / "copying.2").rename(base.folder / "2")
            await served.until(lambda: states(app).get(2) == "END")
            assert closed == [f"{base.folder}/2"]

    asyncio.run(scenario())


def test_late_calls_are_counted_apart_from_those_that_were_given_up(base):
    def counted(app):
        found = re.findall(r'request_count{.*status="(.+)"} (.+)', app.metrics.text())
        return {status: int(float(n)) for status, n in found}

    async def scenario():
        base.publish(1)
        async with serving(base, "--enable_batching") as (app, channel):
            open_call = add(channel, [8], signature="slow")
            version = app.manager.registry.models["default"].versions[1]
            await served.until(lambda: version.queues["slow"].running)
            late = add(channel, [1], "slow", timeout=0.1)
            assert await late.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            await served.until(lambda: version.flying == 1)
            given_up = add(channel, [1], "slow", timeout=60)
            await served.until(lambda: version.flying == 2)
            given_up.cancel()
            await served.until(lambda: "CANCELLED" in counted(app))
            await open_call
            assert counted(app) == {"DEADLINE_EXCEEDED": 1, "CANCELLED": 1, "OK": 1}

    asyncio.run(scenario())


def test_recorded_requests_are_replayed_before_a_version_is_available(base):
    def record(x, signature="add"):
        log = prediction_log_pb2.PredictionLog()
        log.predict_log.request.model_spec.signature_name = signature
        log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.float32(x)))
        return log.SerializeToString()

    def warm(records):
        base.folder.joinpath("1", WARMUP).parent.mkdir(exist_ok=True)
        with tf.io.TFRecordWriter(str(base.folder / "1" / WARMUP)) as writer:
            for one in records:
                writer.write(one)
        return Servable(str(base.folder / "1")).warm_up(iterations=2, check_shapes=True)

    base.publish(1)
    assert Servable(str(base.folder / "1")).warm_up(1, True) == (0, 2)  # zeros, unrecorded
    assert warm([record([0]), record([1, 2])]) == (2, 4)
    # One value may stand for more than a caller's tensor may take.
    filled = prediction_log_pb2.PredictionLog.FromString(record([0]))
    filled.predict_log.request.inputs["x"].tensor_shape.dim[0].size = MOST_REPEATED // 4 + 1
    assert warm([filled.SerializeToString()]) == (1, 2)
    for records, message in (
        ([record([0]), record([[0]])], "has shape"),
        ([record([0], "dream")], '"dream" not found'),
        ([record([-1])], "negative x"),
        ([prediction_log_pb2.PredictionLog(classify_log={}).SerializeToString()], "classify_log"),
        ([b"nonsense"], "warmup record"),
        ([record([0])] * 1001, r"exceeds the maximum \(1000\)"),
    ):
        with pytest.raises(ServingError, match=message):
            warm(records)
    (base.folder / "1" / WARMUP).write_text("this is no file of records, however long it may be")
    with pytest.raises(
        ServingError,
        match=rf"^{base.folder}/1/{WARMUP}: corrupted record .* file\?\)\. "
        r"Please verify your warmup data is in TFRecord format\.$",
    ):
        Servable(str(base.folder / "1")).warm_up(1, True)


# Batches.


@pytest.fixture(scope="module")
def signature(sums):
    return Servable(str(sums / "1")).signature("add")


class Counting:
    """A signature that remembers how many rows each run had."""

    def __init__(self, signature):
        self.name, self.outputs, self.signature = signature.name, signature.outputs, signature
        self.sizes = []

    def run(self, feeds, wanted):
        self.sizes.append(len(feeds["x"]))
        return self.signature.run(feeds, wanted)


def batched(signature, requests, **parameters):
    """What a queue answers to requests that come together; the sizes of its runs."""

    async def ask():
        scheduler = batching.Scheduler(Parameters(**parameters))
        counting = Counting(signature)
        queue = scheduler.queue(counting)
        calls = [queue.submit({"x": np.asarray(x, "float32")}) for x in requests]
        try:
            return await asyncio.gather(*calls, return_exceptions=True), counting.sizes
        finally:
            scheduler.close()

    return asyncio.run(ask())


def test_requests_that_come_together_run_together_and_get_their_own_rows(signature):
    requests = [[i, 10 * i] for i in range(10)]
    answers, sizes = batched(signature, requests, max_batch_size=8, num_batch_threads=1)
    assert [list(a["y"]) for a in answers] == [[i + 1, 10 * i + 1] for i in range(10)]
    assert sizes == [8, 8, 4]


def test_half_of_the_callers_are_waited_for_and_for_a_moment_only(signature, monkeypatch):
    async def ask():
        scheduler = batching.Scheduler(Parameters(num_batch_threads=1))
        counting = Counting(signature)
        queue = scheduler.queue(counting)

        def asked(x):
            return asyncio.ensure_future(queue.submit({"x": np.array([x], "float32")}))

        await asyncio.gather(*map(asked, range(8)))
        calls = [asked(1)]
        for x in (2, 3, 4):
            for _ in range(3 * batching.QUIET):
                await asyncio.sleep(0)
            calls.append(asked(x))
        answers = await asyncio.gather(*calls)
        last = await asked(5)
        scheduler.close()
        return counting.sizes, [a["y"][0] for a in (*answers, last)]

    monkeypatch.setattr(batching, "HALF", 0.2)
    assert asyncio.run(ask()) == ([8, 4, 1], [2, 3, 4, 5, 6])


def test_one_bad_request_does_not_fail_its_neighbours(signature):
    answers, _ = batched(signature, [[1], [-1], [2]])
    assert list(answers[0]["y"]) == [2] and list(answers[2]["y"]) == [3]
    assert isinstance(answers[1], ServingError) and "negative x" in answers[1].message


def test_one_bad_request_among_many_is_found_in_few_runs(signature):
    requests = [[i] for i in range(32)]
    requests[21] = [-1]
    answers, sizes = batched(signature, requests, max_batch_size=32, num_batch_threads=1)
    found = [a if isinstance(a, Exception) else a["y"].tolist() for a in answers]
    assert "negative x" in found.pop(21).message
    assert found == [[i + 1] for i in range(32) if i != 21]
    assert len(sizes) == 1 + 2 * 5  # the whole, and both halves of a half five times


def test_batches_are_padded_to_allowed_sizes_and_large_requests_split(signature):
    answers, sizes = batched(
        signature, [[1], [2], [3]], max_batch_size=8, allowed_batch_sizes=(1, 4, 8)
    )
    assert sizes == [4] and [list(a["y"]) for a in answers] == [[2], [3], [4]]
    answers, sizes = batched(
        signature,
        [range(10)],
        max_batch_size=16,
        enable_large_batch_splitting=True,
        max_execution_batch_size=4,
        num_batch_threads=1,
    )
    assert sizes == [4, 4, 2] and list(answers[0]["y"]) == list(range(1, 11))


def test_a_full_queue_says_so_and_a_request_that_is_too_large(signature):
    answers, sizes = batched(
        signature, [[i] for i in range(9)], max_batch_size=2, max_enqueued_batches=3
    )
    full = [a for a in answers if isinstance(a, ServingError)]
    assert len(full) == 3 and {e.code.name for e in full} == {"UNAVAILABLE"} and sum(sizes) == 6
    (error,), _ = batched(signature, [[1, 2, 3]], max_batch_size=2)
    assert "Task size 3 is larger than maximum input batch size 2" in error.message


def test_a_version_may_bring_its_own_batching_parameters(base):
    flag = ("--enable_batching", "--enable_per_model_batching_parameters")

    async def scenario():
        base.publish(1)
        async with serving(base, *flag) as (app, channel):
            found = app.manager.registry.models["default"].versions
            assert not found[1].queues  # without the file it is not batched
            base.publish(2)
            await served.until(lambda: states(app).get(2) == "AVAILABLE")
            file = base.folder / "copying.3" / "batching_params.pbtxt"
            for number, text in ((3, "max_batch_size { value: 5 }"), (4, "surprise: 1")):
                shutil.copytree(base.folder / "2", base.folder / "copying.3")
                file.write_text(text)
                file.parent.rename(base.folder / str(number))
                await served.until(lambda n=number: states(app).get(n) in ("AVAILABLE", "END"))
            assert found[3].queues["add"].parameters.max_batch_size == 5
            assert states(app)[4] == "END"
            assert "Error parsing text-format" in found[4].error.message
            assert (await add(channel, [0])).model_spec.version.value == 3

    asyncio.run(scenario())


def test_a_window_waits_for_more(signature):
    async def ask():
        scheduler = batching.Scheduler(Parameters(max_batch_size=3, batch_timeout_micros=200_000))
        counting = Counting(signature)
        queue = scheduler.queue(counting)
        loop = asyncio.get_running_loop()
        first = asyncio.ensure_future(queue.submit({"x": np.float32([1])}))
        await asyncio.sleep(0.02)
        second = asyncio.ensure_future(queue.submit({"x": np.float32([2])}))
        began = loop.time()
        await asyncio.gather(first, second)
        waited = loop.time() - began
        began = loop.time()
        await asyncio.gather(*(queue.submit({"x": np.float32([i])}) for i in range(3)))
        at_once = loop.time() - began
        scheduler.close()
        return counting.sizes, waited, at_once

    sizes, waited, at_once = asyncio.run(ask())
    assert sizes == [2, 3]
    assert waited > 0.1 > at_once  # a full batch does not wait


@pytest.mark.parametrize(
    "together, more, sizes",
    [
        (2, 6, [8]),  # several callers: those who come soon after run with them
        (1, 1, [1, 1]),  # a lone caller waits for no other
        (2, 33, [32, 3]),  # batches start with 32 requests, also if further ones come
    ],
)
def test_a_batch_starts_when_no_request_has_come_for_some_passes(signature, together, more, sizes):
    async def ask():
        scheduler = batching.Scheduler(Parameters(max_batch_size=64, num_batch_threads=1))
        counting = Counting(signature)
        queue = scheduler.queue(counting)

        def send():
            return asyncio.ensure_future(queue.submit({"x": np.float32([1])}))

        calls = [send() for _ in range(together)]
        for _ in range(more):
            for _ in range(4):
                await asyncio.sleep(0)
            calls.append(send())
        await asyncio.gather(*calls)
        scheduler.close()
        return counting.sizes

    assert asyncio.run(ask()) == sizes


def test_a_full_batch_waits_at_the_door_of_a_busy_thread_and_one_that_can_grow_does_not(signature):
    class Held(Counting):
        def __init__(self, signature):
            super().__init__(signature)
            self.open = threading.Event()

        def run(self, feeds, wanted):
            assert self.open.wait(30)
            return super().run(feeds, wanted)

    async def ask():
        scheduler = batching.Scheduler(Parameters(max_batch_size=3, num_batch_threads=1))
        one, two = Held(signature), Counting(signature)
        queues = [scheduler.queue(one), scheduler.queue(two)]

        async def send(queue, rows):
            task = asyncio.ensure_future(queue.submit({"x": np.zeros(rows, "float32")}))
            await asyncio.sleep(0.01)
            return task

        calls = [await send(queues[0], 1)]  # occupies the thread
        calls.append(await send(queues[1], 1))
        growing = queues[1].rows
        calls.append(await send(queues[0], 3))
        at_the_door = queues[0].rows
        calls.append(await send(queues[1], 1))
        calls.append(await send(queues[0], 3))
        behind = queues[0].rows
        one.open.set()
        await asyncio.gather(*calls)
        scheduler.close()
        return growing, at_the_door, behind, one.sizes, two.sizes

    assert asyncio.run(ask()) == (1, 0, 3, [1, 3, 3], [2])


@pytest.mark.parametrize(
    "text, message",
    [
        ("max_batch_size { value: 0 }", "max_batch_size must be 1 or more; got 0"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: 2", r"must ascend and end with 4"),
        ("max_batch_size: 4", "Error parsing text-format tensorflow.serving.BatchingParameters"),
        ("surprise { value: 4 }", 'no field named "surprise"'),
    ],
)
def test_bad_batching_parameters_say_what_is_allowed(tmp_path, text, message):
    file = tmp_path / "batching.txt"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        Parameters.from_proto(text_configs.read(str(file), "BatchingParameters"))


def test_batching_parameters_are_those_of_the_file(tmp_path):
    file = tmp_path / "batching.txt"
    file.write_text(
        """max_batch_size { value: 32 } batch_timeout_micros { value: 0 }
        max_enqueued_batches { value: 64 } num_batch_threads { value: 2 }
        thread_pool_name { value: "pool" } allowed_batch_sizes: 8 allowed_batch_sizes: 32
        pad_variable_length_inputs: true"""
    )
    found = Parameters.from_proto(text_configs.read(str(file), "BatchingParameters"))
    assert found == Parameters(32, 0, 64, 2, "pool", (8, 32))


@pytest.fixture
def graph():
    """A session with x, y = x + 1 that is refused below 0, and a function that makes signatures."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None], "x")
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(x >= 0), ["no such row"])]):
            y = x + 1

        def signature(**outputs):
            info = tf.compat.v1.saved_model.build_tensor_info
            described = {name: info(tensor) for name, tensor in outputs.items()}
            definition = tf.compat.v1.saved_model.build_signature_def({"x": info(x)}, described)
            return Signature("test", definition, session)

        yield types.SimpleNamespace(session=session, x=x, y=y, signature=signature)


def test_errors_of_a_graph_come_without_its_nodes(graph):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        graph.signature(y=graph.y).run({"x": np.float32([-1])}, ["y"])
    assert from_exception(caught.value).message == "assertion failed: [no such row]"


def test_an_output_may_be_an_input_or_have_two_names(graph):
    same = graph.signature(y=graph.y, again=graph.y, x=graph.x)
    found = same.run({"x": np.float32([2])}, same.outputs)
    assert {name: value.tolist() for name, value in found.items()} == {
        "y": [3],
        "again": [3],
        "x": [2],
    }
    assert same.run({"x": np.float32([2])}, ["again", "y"])["again"] == [3]


def test_a_session_that_is_closed_and_an_array_of_another_type_are_errors_with_codes(graph):
    signature = graph.signature(y=graph.y)
    with pytest.raises(tf.errors.InvalidArgumentError, match="actual double vs. expect float"):
        signature.run({"x": np.float64([2])}, ["y"])
    graph.session.close()
    with pytest.raises(tf.errors.CancelledError, match="closed"):
        signature.run({"x": np.float32([2])}, ["y"])


def test_metrics_are_what_prometheus_makes_of_the_same_times():
    metrics = Metrics()
    seconds = [0.0, 10e-6, 10.1e-6, 0.0034, 5e5]
    for value in seconds:
        metrics.run('a "model"', "Predict", value)
    registry = prometheus_client.CollectorRegistry()
    known = prometheus_client.Histogram(
        ":tensorflow:serving:runtime_latency",
        "runtime_latency",
        ("model_name", "API", "runtime"),
        registry=registry,
        buckets=[10 * 1.8**i for i in range(33)],
    )
    for value in seconds:
        known.labels('a "model"', "Predict", "TF1").observe(value * 1e6)
    wanted = prometheus_client.generate_latest(registry).decode().splitlines()
    wanted = [line for line in wanted if "_created" not in line]
    assert len(wanted) == 2 + 34 + 2 and "\n".join(wanted) in metrics.text()
    metrics.request("m", "Predict", "GRPC", "OK", 0.001)
    metrics.request("m", "Predict", "GRPC", "NOT_FOUND", 0.001)
    assert metrics.totals()["/tensorflow/serving/request_count"] == 2
    count = ':tensorflow:serving:request_latency_count{API="Predict",entrypoint="GRPC",'
    assert count + 'model_name="m"} 1.0' in metrics.text()  # only what was answered well


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_long_messages_are_cut_at_1024_bytes_between_characters(character):
    size = len(character.encode())
    whole = character * (1024 // size)
    assert ServingError("INTERNAL", whole).message == whole
    assert ServingError("INTERNAL", "a" + whole).message == (
        "a" + character * (1023 // size) + "...TRUNCATED"
    )


# Flags, TLS, other addresses.


@pytest.mark.parametrize(
    "said, still",
    [("", True), ("experimental { disable_thread_spinning: false }", False)],
)
def test_threads_do_not_spin_unless_the_file_says_so(tmp_path, said, still):
    file = tmp_path / "session.txt"
    file.write_text(f"intra_op_parallelism_threads: 5 {said}")
    words = ["server", "--model_name=m", f"--model_base_path={tmp_path}"]
    config = App(flags.parse([*words, f"--tensorflow_session_config_file={file}"])).loader.session
    assert config.experimental.disable_thread_spinning == still


@pytest.mark.parametrize(
    "given, intra, inter",
    [
        ([], 0, -1),  # a run stays in its own thread
        (["--tensorflow_inter_op_parallelism=3"], 0, 3),
        (["--tensorflow_session_parallelism=2"], 2, 2),
        (["--tensorflow_session_parallelism=2", "--tensorflow_intra_op_parallelism=1"], 1, 2),
        (["--tensorflow_session_config_file={file}"], 5, 6),
        (["--tensorflow_session_config_file={file}", "--tensorflow_intra_op_parallelism=1"], 1, 6),
    ],
)
def test_threads_are_those_of_the_flags_then_of_the_file(tmp_path, given, intra, inter):
    file = tmp_path / "session.txt"
    file.write_text("intra_op_parallelism_threads: 5 inter_op_parallelism_threads: 6")
    words = ["server", "--model_name=m", f"--model_base_path={tmp_path}"]
    config = App(flags.parse(words + [word.format(file=file) for word in given])).loader.session
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == (
        intra,
        inter,
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "no model given; use --model_base_path=.* python -m export bigan"),
        (["--model_base_path=a", "--batching_parameters_file=b"], "needs --enable_batching"),
        (["--model_base_path=a", "--monitoring_config_file=b"], "needs --rest_api_port"),
        (["--model_base_path=a", "--port=0"], "nowhere to listen"),
        (["--model_base_path=a", "--port=5", "--rest_api_port=5"], "are both 5"),
        (["--model_base_path=a", "--grpc_channel_arguments=x"], "a=b,c=d; got 'x'"),
        (["--model_base_path=a", "--surprise"], "surprise"),
        (["--model_base_path=a", "b"], "unexpected argument 'b'"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        flags.parse(["server", *arguments])


def test_booleans_are_written_as_tensorflow_serving_writes_them():
    options = flags.parse(["s", "--model_base_path=a", "--enable_model_warmup=false"])
    assert options.enable_model_warmup is False


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "::"])
def test_the_commands_that_are_printed_work(base, host):
    if ":" in host and not has_ipv6():
        pytest.skip("no IPv6")

    async def scenario():
        base.publish(1)
        given = f"--model_base_path={base.folder}", f"--host={host}"
        async with served.running(*given, rest=True) as app:
            printed = words.how_to_call(app.options, app.manager.registry)
            curl = next(line.strip() for line in printed if "curl -d" in line and "predict" in line)
            body, url = re.fullmatch(r"curl -d '(.+)' (\S+)", curl).groups()
            async with aiohttp.ClientSession() as session, session.post(url, data=body) as response:
                assert await response.json() == {"outputs": [1.0]}  # zero, and 1 added
            code = next(line for line in printed if "python -c" in line)
            made = {}
            calls = re.search(r'python -c "(.+)"$', code)[1].replace("print(", "made.update(r=")
            await asyncio.to_thread(exec, calls, {"made": made})
            assert made["r"]["y"].tolist() == [1.0]

    asyncio.run(scenario())


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_pings_of_clients_on_idle_connections_are_allowed(base):
    """A ping every 10 s, as clients in Go and Java may send; gRPC's default allows one in 300 s."""

    async def scenario():
        base.publish(1)
        pings = [
            ("grpc.keepalive_time_ms", 10_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
        ]
        async with served.running(f"--model_base_path={base.folder}") as app:
            async with grpc.aio.insecure_channel(app.address, pings) as channel:
                assert (await add(channel, [0])).outputs["y"].float_val[:] == [1]
                state = channel.get_state()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(channel.wait_for_state_change(state), 45)

    asyncio.run(scenario())


def test_a_label_of_a_version_that_is_loading_says_what_to_do():
    registry = Registry()
    model = registry.models["m"] = Model("m")
    model.versions[2] = Version(2, "path")
    listed = {"m": config_of("path", 'version_labels { key: "new" value: 2 }')}
    for state, remedy in ((State.END, "inference$"), (State.LOADING, "labels_for_unavailable")):
        model.turn(model.versions[2], state)
        with pytest.raises(ServingError, match=f"available for inference.*{remedy}|{remedy}"):
            registry.label(listed, ahead=False)
    registry.label(listed, ahead=True)
    model.labels["new"] = 1
    with pytest.raises(ServingError, match="loading: move the label once it is available$"):
        registry.label(listed, ahead=True)


@pytest.mark.parametrize(
    "line, shown",
    [
        ("I0000 00:00:1.2   1 port.cc:153] oneDNN custom operations are on.", False),
        ("E0000 00:00:1.2   1 cuda_platform.cc:52] failed call to cuInit: UNKNOWN", False),
        ("E0000 00:00:1.2   1 gpu.cc:1] out of memory", True),
        ("F0000 00:00:1.2   1 x.cc:1] check failed", True),
        ("Traceback of another library", True),
    ],
)
def test_lines_that_tensorflow_logs_on_every_machine_are_not_printed(line, shown, capfd):
    with startup._without_the_usual():
        os.write(2, f"{line}\n".encode())
    assert capfd.readouterr().err == (f"{line}\n" if shown else "")


def test_tls_refuses_plain_text_and_strangers(base):
    authority, stranger = trustme.CA(), trustme.CA()
    own = authority.issue_cert("localhost")

    def pem(blob):
        return blob.bytes().decode()

    chain = "".join(pem(blob) for blob in own.cert_chain_pems)
    file = base.folder.parent / "ssl.config"
    file.write_text(
        text_format.MessageToString(
            text_configs.message("SSLConfig")(
                server_key=pem(own.private_key_pem),
                server_cert=chain,
                custom_ca=pem(authority.cert_pem),
                client_verify=True,
            )
        )
    )

    def credentials(issuer):
        client = issuer.issue_cert("client@example.org") if issuer else None
        return grpc.ssl_channel_credentials(
            authority.cert_pem.bytes(),
            client.private_key_pem.bytes() if client else None,
            b"".join(blob.bytes() for blob in client.cert_chain_pems) if client else None,
        )

    async def scenario():
        base.publish(1)
        async with served.running(
            f"--model_base_path={base.folder}", f"--ssl_config_file={file}", "--host=localhost"
        ) as app:
            async with grpc.aio.secure_channel(app.address, credentials(authority)) as channel:
                assert (await add(channel, [1])).outputs["y"].float_val[0] == 2
            for channel in (
                grpc.aio.insecure_channel(app.address),
                grpc.aio.secure_channel(app.address, credentials(None)),
                grpc.aio.secure_channel(app.address, credentials(stranger)),
            ):
                async with channel:
                    assert await add(channel, [1]).code() == grpc.StatusCode.UNAVAILABLE

    asyncio.run(scenario())


def test_a_port_is_not_shared_and_a_unix_socket_is_served(base):
    async def scenario():
        base.publish(1)
        path = base.folder.parent / "socket"
        more = (f"--grpc_socket_path={path}", "--enable_serialization_as_tensor_content")
        async with serving(base, *more) as (app, _):
            async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
                found = (await add(channel, [1])).outputs["y"]
                assert found.tensor_content and tf.make_ndarray(found) == [2]
            with pytest.raises(ValueError, match="cannot listen on"):
                async with served.running(
                    f"--model_base_path={base.folder}", f"--port={app.options.port}"
                ):
                    pass

    asyncio.run(scenario())


def test_a_model_that_cannot_be_loaded_ends_the_start(base):
    (base.folder / "1").mkdir()

    async def scenario():
        async with served.running(f"--model_base_path={base.folder}", *FAST):
            pass

    with pytest.raises(
        ServingError, match=r"1 servable\(s\) did not become available: .*version 1"
    ):
        asyncio.run(scenario())
