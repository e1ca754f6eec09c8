"""PredictionService and ModelService, for `grpc.aio` and `asgi.Grpc`."""

import grpc
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from export.server import messages
from export.server.errors import ServingError
from export.server.errors import invalid
from export.server.errors import parsed
from export.server.predictor import Predictor

FIELD = "signature_def"


def metadata(predictor: Predictor, request):
    """The answer to a GetModelMetadataRequest.

    Raises:
        ServingError: as in TensorFlow Serving.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    if not request.metadata_field:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != FIELD:
            raise invalid(f"Metadata field {field} is not supported")
    with predictor.version(request) as version:
        found = get_model_metadata_pb2.SignatureDefMap(signature_def=version.servable.definitions)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version.number
        response.metadata[FIELD].Pack(found)
        return response


def status(predictor: Predictor, request):
    """The answer to a GetModelStatusRequest; a label in it is ignored.

    Raises:
        ServingError: as in TensorFlow Serving.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    response = get_model_status_pb2.GetModelStatusResponse()
    for version in predictor.registry.status(request.model_spec):
        entry = response.model_version_status.add(version=version.number, state=int(version.state))
        entry.status.error_code = version.error.code.value[0] if version.error else 0
        entry.status.error_message = version.error.message if version.error else ""
    return response


PREDICTION = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"].full_name


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; signatures fed with `tf.Example` are not served."""

    def __init__(self, predictor: Predictor):
        self.predictor = predictor
        self.requests = messages.Requests()

    async def Predict(self, raw: bytes, context) -> bytes:
        """A serialised PredictResponse to a serialised PredictRequest."""
        known = self.requests.find(raw)
        try:
            request = None if known else parsed(predict_pb2.PredictRequest.FromString, raw)
            spec = known.spec if known else request.model_spec
            with self.predictor.counted(spec.name, "Predict", "GRPC", context):
                return await self._predict(raw, spec, known, request)
        except ServingError as error:
            await context.abort(error.code, error.message)

    async def _predict(self, raw, spec, known, request):
        predictor = self.predictor
        use = predictor.registry.use(spec) if known else predictor.version(request)
        with use as version:
            signature = version.servable.signature(spec.signature_name)
            if known and signature.fits(known, predictor.check_shapes):
                feeds, wanted = {known.alias: known.read(raw)}, signature.outputs
            else:
                request = request or predict_pb2.PredictRequest.FromString(raw)
                feeds, wanted = signature.feeds(
                    dict(request.inputs), list(request.output_filter), predictor.check_shapes
                )
                if not known:
                    self.requests.add(raw, request)
            name = spec.name
            found = await predictor.run(name, "Predict", version, signature, feeds, wanted)
            return messages.response(
                name,
                version.number,
                signature.name,
                {alias: found[alias] for alias in wanted},
                predictor.as_content,
            )

    async def GetModelMetadata(self, request, context):
        try:
            with self.predictor.counted(request.model_spec.name, "GetModelMetadata", "GRPC"):
                return metadata(self.predictor, request)
        except ServingError as error:
            await context.abort(error.code, error.message)

    def register(self, server) -> None:
        """Add all methods to a server."""
        predict = {"Predict": grpc.unary_unary_rpc_method_handler(self.Predict)}
        # First, since generated code would parse requests of Predict too.
        handler = grpc.method_handlers_generic_handler(PREDICTION, predict)
        server.add_generic_rpc_handlers((handler,))
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(self, server)

    async def Classify(self, request, context):
        await _refuse(context, "Classify")

    async def Regress(self, request, context):
        await _refuse(context, "Regress")

    async def MultiInference(self, request, context):
        await _refuse(context, "MultiInference")


async def _refuse(context, method):
    error = ServingError(
        "UNIMPLEMENTED",
        f"{method} takes serialised tf.Example, which this server does not serve; use Predict",
    )
    await context.abort(error.code, error.message)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Status of versions, and a new list of models while running.

    Args:
        predictor: `Predictor`.
        configure: coroutine that takes the list of `ModelConfig`.
    """

    def __init__(self, predictor: Predictor, configure):
        self.predictor = predictor
        self.configure = configure

    async def GetModelStatus(self, request, context):
        try:
            return status(self.predictor, request)
        except ServingError as error:
            await context.abort(error.code, error.message)

    async def HandleReloadConfigRequest(self, request, context):
        before = self.predictor.metrics.totals()
        response = model_management_pb2.ReloadConfigResponse()
        try:
            if request.config.WhichOneof("config") != "model_config_list":
                raise invalid(
                    "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                    "Only ModelConfigList is currently supported"
                )
            await self.configure(list(request.config.model_config_list.config))
        except ServingError as error:
            await context.abort(error.code, error.message)
        after = self.predictor.metrics.totals()
        for name in request.metric_names:
            if name in after:
                response.metric.add(name=name, int64_value_increase=after[name] - before[name])
        return response
