"""REST: the paths of TensorFlow Serving under /v1/models, and the metrics."""

import asyncio
import json
import re
import urllib.parse

from aiohttp import http_exceptions
from aiohttp import web
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2

from export.server import demo
from export.server import json_body
from export.server import json_tensors
from export.server import services
from export.server.errors import ServingError
from export.server.errors import from_exception
from export.server.errors import invalid
from export.server.versions import MOST

MODEL = r"/v1/models(?:/(?P<name>[^/:]+))?(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
ACTION = re.compile(MODEL + r":(?P<action>predict|classify|regress)", re.IGNORECASE)
LOOK = re.compile(MODEL + r"(?P<metadata>/metadata)?", re.IGNORECASE)
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}


class TooLarge(ServingError):
    """A body beyond a limit."""

    http_status = 413

    def __init__(self, most: int, packed: bool):
        flag = "rest_api_max_unpacked_bytes" if packed else "rest_api_max_body_bytes"
        what = "the body unpacks to" if packed else "the body has"
        super().__init__("RESOURCE_EXHAUSTED", f"{what} more than {most} bytes, set by --{flag}")


class Rest:
    """The handler of every HTTP request.

    Args:
        predictor: `predictor.Predictor`.
        metrics_path: path of the metrics; "" for none.
        timeout: longest run in seconds.
        most_bytes: limit of a body, as it is sent.
        most_unpacked_bytes: limit of a compressed body, once it is unpacked.
        cors: allow calls from web pages of other sites.
        with_demo: serve the page of `export.server.demo` at /.
    """

    def __init__(
        self,
        predictor,
        metrics_path: str,
        timeout: float,
        most_bytes: int,
        most_unpacked_bytes: int,
        cors: bool = False,
        with_demo: bool = False,
    ):
        self.predictor = predictor
        self.metrics_path = metrics_path
        self.timeout = timeout
        self.most_bytes, self.most_unpacked_bytes = most_bytes, most_unpacked_bytes
        self.headers = CORS if cors else {}
        self.with_demo = with_demo
        self.reading = set()  # an `asyncio.Timeout` for every body that is being read
        self.ended = False

    def end(self) -> None:
        """Stop waiting for bodies; requests whose body has arrived are answered."""
        self.ended = True
        for limit in self.reading:
            limit.reschedule(0)

    def application(self) -> web.Application:
        """The aiohttp application."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.answer)
        return application

    async def answer(self, request: web.Request) -> web.Response:
        path = request.rel_url.raw_path
        if self.metrics_path and path == self.metrics_path and request.method == "GET":
            return web.Response(text=self.predictor.metrics.text(), content_type="text/plain")
        if self.with_demo and path == "/" and request.method == "GET":
            text = demo.page(self.predictor.registry)
            return web.Response(text=text, content_type="text/html", headers=demo.HEADERS)
        if request.method == "OPTIONS" and self.headers:
            return web.Response(headers=self.headers)
        try:
            if not path.lower().startswith("/v1/"):
                raise ServingError("NOT_FOUND", f"Not found: {path}")
            text = await self._answer(request, path)
        except Exception as error:
            known = from_exception(error)
            text, status = json.dumps({"error": known.message}, indent=4), known.http_status
        else:
            status = 200
        return web.Response(
            text=text, status=status, content_type="application/json", headers=self.headers
        )

    async def _answer(self, request, path):
        if request.method == "POST" and (match := ACTION.fullmatch(path)):
            spec = _spec(match)
            if match["action"].lower() != "predict":
                raise ServingError(
                    "UNIMPLEMENTED", f"{match['action']} takes tf.Example; use predict"
                )
            text = await self._body(request)
            with self.predictor.counted(spec.name, "predict", "REST"):
                return await self._predict(spec, text)
        if request.method == "GET" and (match := LOOK.fullmatch(path)):
            if not match["name"]:
                raise invalid("Missing model name in request.")
            return self._metadata(_spec(match)) if match["metadata"] else self._status(_spec(match))
        raise invalid(f"Malformed request: {request.method} {path}")

    async def _body(self, request):
        packed = request.headers.get("Content-Encoding", "identity").lower() != "identity"
        most = self.most_unpacked_bytes if packed else self.most_bytes
        body = bytearray()
        try:
            async with asyncio.timeout(0 if self.ended else None) as limit:
                self.reading.add(limit)
                # In pieces: `request.read` unpacks as much as the limit at once.
                async for piece in request.content.iter_any():
                    body += piece
                    if len(body) > most:
                        raise TooLarge(most, packed)
        except TimeoutError:
            raise ServingError("UNAVAILABLE", "the server stopped before the body came") from None
        except (http_exceptions.BadHttpMessage, web.RequestPayloadError) as error:
            raise invalid(f"the body cannot be read: {error}") from None
        finally:
            self.reading.discard(limit)
        return bytes(body)

    async def _predict(self, spec, text):
        # Reading and writing JSON takes longer than most runs: not on the event loop.
        body = await asyncio.to_thread(json_body.parse_body, text)
        with self.predictor.registry.use(spec) as version:
            name = body.get("signature_name", "")
            try:
                signature = version.servable.signature(name)
            except ServingError:
                raise invalid(
                    f'Serving signature name: "{name or "serving_default"}" '
                    f"not found in signature def"
                ) from None
            queue = version.queues.get(signature.name)

            def check(alias, shape):
                if self.predictor.check_shapes:
                    signature.check_shape(alias, shape)
                if queue is not None and shape:
                    queue.check_rows(shape[0])

            feeds = await asyncio.to_thread(json_body.feeds, body, signature, check)
            try:
                async with asyncio.timeout(self.timeout or None):
                    found = await self.predictor.run(
                        spec.name, "predict", version, signature, feeds, signature.outputs
                    )
            except TimeoutError:
                raise ServingError(
                    "DEADLINE_EXCEEDED", "Timed out waiting for notification"
                ) from None
            return await asyncio.to_thread(json_tensors.reply, found, json_body.ROW in body)

    def _status(self, spec):
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
        if spec.WhichOneof("version_choice") == "version_label":
            # REST resolves a label to its version, but gRPC ignores it.
            request.model_spec.version.value = self.predictor.registry.find(spec).number
        response = services.status(self.predictor, request)
        return json_format.MessageToJson(
            response, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )

    def _metadata(self, spec):
        request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec)
        request.metadata_field.append(services.FIELD)
        response = services.metadata(self.predictor, request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata[services.FIELD].Unpack(signatures)

        def written(message):
            return json_format.MessageToDict(
                message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )

        found = {
            "model_spec": written(response.model_spec),
            "metadata": {services.FIELD: written(signatures)},
        }
        return json.dumps(found, indent=1)


def _spec(match):
    from tensorflow_serving.apis.model_pb2 import ModelSpec

    if match["name"] is None:
        raise invalid("Missing model name in request.")
    spec = ModelSpec(name=urllib.parse.unquote(match["name"]))
    if match["version"]:
        if len(match["version"]) > 19 or int(match["version"]) > MOST:
            raise invalid(f"Failed to convert version: {match['version']} to numeric.")
        spec.version.value = int(match["version"])
    if match["label"]:
        spec.version_label = urllib.parse.unquote(match["label"])
    return spec
