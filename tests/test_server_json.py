"""What REST does before it converts a body: limits, names, shapes."""

import asyncio
import gzip
import json
import tracemalloc
import types

import aiohttp
import numpy as np
import pytest
from aiohttp import test_utils
from tensorflow.core.framework import types_pb2

from export.server import flags
from export.server import json_body
from export.server import json_tensors
from export.server.errors import ServingError
from export.server.errors import invalid
from export.server.rest import Rest

FLOAT, STRING = types_pb2.DT_FLOAT, types_pb2.DT_STRING


def signature(**dtypes):
    """Of inputs of these types, without defaults; shapes are the caller's to check."""
    return types.SimpleNamespace(inputs={a: (d, None) for a, d in dtypes.items()}, defaults={})


def feeds(body, checked=lambda alias, shape: None, **dtypes):
    return json_body.feeds(body, signature(**dtypes or {"x": FLOAT}), checked)


@pytest.mark.parametrize(
    "body, shape",
    [
        ({"instances": ["no number"] * 3}, (3,)),
        ({"instances": [[["no number"] * 4] * 5] * 3}, (3, 5, 4)),
        ({"instances": [{"x": ["no number"]}]}, (1, 1)),
        ({"instances": [[]]}, (1, 0)),
        ({"inputs": [["no number"] * 4]}, (1, 4)),
        ({"inputs": {"x": 1.0}}, ()),
    ],
)
def test_shapes_are_checked_before_anything_is_converted(body, shape):
    def check(alias, found):
        assert (alias, found) == ("x", shape)
        raise invalid("of another shape")

    with pytest.raises(ServingError, match="^of another shape$"):
        feeds(body, check)


def test_rows_become_one_array_for_each_input():
    found = feeds(
        {"instances": [{"a": [1, 2], "b": "x"}, {"b": "y", "a": [3, 4]}]}, a=FLOAT, b=STRING
    )
    np.testing.assert_array_equal(found["a"], np.array([[1, 2], [3, 4]], "float32"))
    assert found["b"].tolist() == [b"x", b"y"]
    assert feeds({"instances": [1.5, 2]})["x"].tolist() == [1.5, 2.0]
    assert feeds({"instances": [{"b64": "eA=="}, "y"]}, x=STRING)["x"].tolist() == [b"x", b"y"]


@pytest.mark.parametrize("n, at", [(1, 0), (9, 0), (9, 8), (50_000, 31_234)])
@pytest.mark.parametrize(
    "good, bad, message",
    [
        (0.5, "a", 'JSON Value: "a" Type: String is not of expected type: float'),
        ([1, 2], [1, None], "JSON Value: null Type: Null is not of expected type: float"),
        (
            [1, 2],
            [[1], [2, 3]],
            "Encountered list at unexpected size: 2 at level: 1 expected size: 1",
        ),
    ],
)
def test_the_row_that_is_wrong_is_named_and_found_in_few_looks(
    n, at, good, bad, message, monkeypatch
):
    looks, array = [], json_tensors.array
    monkeypatch.setattr(json_tensors, "array", lambda *given: looks.append(1) or array(*given))
    rows = [good] * n
    rows[at] = bad
    with pytest.raises(ServingError) as error:
        feeds({"instances": rows})
    assert error.value.message == (
        f"Failed to process element: {at} of 'instances' list. Error: INVALID_ARGUMENT: {message}"
    )
    assert len(looks) <= 20


def test_a_row_of_another_size_is_named():
    with pytest.raises(ServingError, match="element: 2 .*Expecting tensor size: 3 but got: 2$"):
        feeds({"instances": [[1, 2, 3], [1, 2, 3], [1, 2], [1]]})


@pytest.mark.parametrize("form", ["instances", "inputs"])
@pytest.mark.parametrize("depth", [62, 63, 64, 65, 70])
def test_lists_nested_as_deep_as_arrays_go_are_read_and_deeper_ones_refused(form, depth):
    value = 1.0
    for _ in range(depth):
        value = [value]
    if depth + (form == "instances") <= 64:
        given = [value] if form == "instances" else value
        assert feeds({form: given})["x"].ndim == depth + (form == "instances")
        return
    with pytest.raises(ServingError, match="Encountered list at unexpected level: 65") as error:
        feeds({form: [value] if form == "instances" else value})
    assert error.value.http_status == 400


@pytest.mark.parametrize(
    "text, found",
    [
        ("eHl6MQ==", b"xyz1"),
        ("eHl6MQ", b"xyz1"),  # no padding
        ("eHl6\n MQ = =\t", b"xyz1"),  # white space
        ("eHl6", b"xyz"),
        ("", b""),
        ("eHl6MQ=", None),  # half of it
        ("eHl6=", None),
        ("eHl6M", None),  # six bits too many
        ("eHl*", None),
        ("eH=l", None),
        ("_-8=", None),
    ],
)
def test_base64_is_read_as_tensorflow_serving_reads_it(text, found):
    body = {"instances": [{"b64": text}]}
    if found is not None:
        assert feeds(body, x=STRING)["x"].tolist() == [found]
        return
    with pytest.raises(ServingError, match="Unable to base64 decode"):
        feeds(body, x=STRING)


def test_a_value_is_shown_without_its_whole_text():
    assert json_tensors.shown({"a": [1]}) == json.dumps({"a": [1]}, indent=4)
    # Indented, it takes 2 GB.
    deep = "[" * 500 + ",".join(["1"] * 10**6) + "]" * 500
    tracemalloc.start()
    found = json_tensors.shown(json.loads(deep))
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.startswith("[\n    [\n        [") and len(found) == 257
    assert size < 10**8


def test_bodies_beyond_a_limit_are_refused_before_they_are_read_whole():
    async def answers(*calls):
        rest = Rest(None, "", 1, most_bytes=3000, most_unpacked_bytes=2000)
        server = test_utils.TestServer(rest.application())
        async with test_utils.TestClient(server) as client:
            for data, packed in calls:
                headers = {"Content-Encoding": "gzip"} if packed else {}
                path = "/v1/models/m:predict"
                async with client.post(path, data=data, headers=headers) as answer:
                    yield answer.status, (await answer.json())["error"]

    async def scenario():
        calls = [
            (bytes(3001), False),
            (gzip.compress(bytes(2001)), True),
            (gzip.compress(bytes(10**8)), True),
            (bytes(3000), False),
            (gzip.compress(bytes(2000)), True),
        ]
        return [answer async for answer in answers(*calls)]

    plain, small, large, *fine = asyncio.run(scenario())
    assert plain == (413, "the body has more than 3000 bytes, set by --rest_api_max_body_bytes")
    limit = "set by --rest_api_max_unpacked_bytes"
    assert small == large == (413, f"the body unpacks to more than 2000 bytes, {limit}")
    assert [status for status, _ in fine] == [500, 500]  # there is no predictor
    parsed = flags.parse(["server", "--model_base_path=m"])
    assert (parsed.rest_api_max_body_bytes, parsed.rest_api_max_unpacked_bytes) == (2**31 - 1, 0)


def test_work_ends_when_the_caller_has_left():
    stages = []

    class Predictor:
        def counted(self, *_):
            return self

        def __enter__(self):
            stages.append("began")

        def __exit__(self, kind, *_):
            stages.append(kind)

    class Slow(Rest):
        async def _predict(self, spec, text):
            await asyncio.sleep(60)

    async def scenario():
        rest = Slow(Predictor(), "", 1, 100, 100)
        # As `ports.open_rest` does.
        server = test_utils.TestServer(rest.application(), handler_cancellation=True)
        async with test_utils.TestClient(server) as client:
            with pytest.raises(TimeoutError):
                timeout = aiohttp.ClientTimeout(0.3)
                await client.post("/v1/models/m:predict", data=json.dumps({}), timeout=timeout)
            for _ in range(100):
                if len(stages) == 2:
                    break
                await asyncio.sleep(0.02)

    asyncio.run(scenario())
    assert stages == ["began", asyncio.CancelledError]


def test_strings_that_end_in_zeros_are_whole_in_rows_and_columns():
    found = {"x_bytes": np.array([b"ab\0\0", b"\0"], object)}
    assert json.loads(json_tensors.reply(found, True)) == {
        "predictions": [{"b64": "YWIAAA=="}, {"b64": "AA=="}]
    }
    assert json.loads(json_tensors.reply(found, False))["outputs"][1] == {"b64": "AA=="}
    pair = {"a": np.arange(4.0).reshape(2, 2), "b": np.array([5, 6])}
    rows = [{"a": [0.0, 1.0], "b": 5}, {"a": [2.0, 3.0], "b": 6}]
    assert json.loads(json_tensors.reply(pair, True)) == {"predictions": rows}
