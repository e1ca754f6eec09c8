"""One loaded version of a model."""

import math
import pathlib

from google.protobuf.message import DecodeError

from export.server.errors import ServingError
from export.server.errors import from_exception
from export.server.signatures import DEFAULT
from export.server.signatures import Signature

WARMUP = "assets.extra/tf_serving_warmup_requests"
MOST_RECORDS = 1000


class Servable:
    """A SavedModel in memory. Only graphs are loaded: nothing in the folder is run as Python.

    It runs in a session, as in TensorFlow Serving: both refuse the same graphs, only the
    outputs that are wanted are computed, and a request of one image costs a third of a millisecond
    less than through `tf.saved_model.load`.

    Args:
        path: the version's folder.
        tags: of the graph to load, "serve" as a rule.
        config: a `tf.compat.v1.ConfigProto` for the session; TensorFlow's defaults without.

    Raises:
        ServingError: the folder holds no SavedModel, or a broken one.
    """

    def __init__(self, path: str, tags: tuple = ("serve",), config=None):
        import tensorflow as tf

        self.path = path
        self.batching = None  # Parameters, if requests are batched
        self.definitions = _definitions(path, tags)
        self.session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
        # Hide the warning that this loader is deprecated. TensorFlow Serving uses it.
        tf.get_logger().setLevel("ERROR")
        try:
            with self.session.graph.as_default():
                tf.compat.v1.saved_model.load(self.session, list(tags), path)
            self.signatures = {
                name: Signature(name, definition, self.session)
                for name, definition in self.definitions.items()
            }
        except Exception as error:
            self.session.close()
            raise from_exception(error) from None

    def close(self) -> None:
        """Free the memory of variables."""
        self.session.close()

    def signature(self, name: str) -> Signature:
        """The signature `name`, "serving_default" if it is empty.

        Raises:
            ServingError: FAILED_PRECONDITION, it does not exist.
        """
        name = name or DEFAULT
        if name not in self.signatures:
            raise ServingError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        return self.signatures[name]

    def warm_up(self, iterations: int, check_shapes: bool) -> tuple[int, int]:
        """Run the recorded requests, or each signature on one row of zeros if there are none.

        Returns:
            how many requests were recorded, and how many runs were made.

        Raises:
            ServingError: a record fails, is of a kind that is not served, or exceeds the limit.
        """
        import tensorflow as tf

        file = f"{self.path}/{WARMUP}"
        if not tf.io.gfile.exists(file):
            return 0, self._run_zeros()
        records = 0
        try:
            for raw in tf.data.TFRecordDataset(file).as_numpy_iterator():
                records += 1
                if records > MOST_RECORDS:
                    raise ServingError(
                        "INVALID_ARGUMENT",
                        f"Number of warmup records exceeds the maximum ({MOST_RECORDS}) at {file}",
                    )
                for _ in range(iterations):
                    self._replay(raw, check_shapes)
        except tf.errors.DataLossError as error:
            raise ServingError(
                "DATA_LOSS",
                f"{file}: {from_exception(error).message}. "
                f"Please verify your warmup data is in TFRecord format.",
            ) from None
        return records, records * iterations

    def _replay(self, raw, check_shapes):
        from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

        try:
            log = PredictionLog.FromString(raw)
        except DecodeError as error:
            raise ServingError(
                "INVALID_ARGUMENT", f"Failed to parse warmup record: {error}"
            ) from None
        kind = log.WhichOneof("log_type")
        if kind != "predict_log":
            raise ServingError("UNIMPLEMENTED", f"Unsupported log_type for warmup: {kind}")
        request = log.predict_log.request
        signature = self.signature(request.model_spec.signature_name)
        try:
            # The file belongs to the model: its tensors may be as large as the model's batches.
            inputs, wanted = dict(request.inputs), list(request.output_filter)
            signature.run(*signature.feeds(inputs, wanted, check_shapes, most_repeated=math.inf))
        except Exception as error:
            raise from_exception(error) from None

    def _run_zeros(self):
        runs = 0
        for signature in self.signatures.values():
            feeds = signature.example(1) if signature.runs else None
            if feeds is None:
                continue
            try:
                signature.run(feeds, signature.outputs)
            except Exception:
                # Zeros may be an invalid input; then the first real request is slower.
                continue
            runs += 1
        return runs


def _definitions(path, tags):
    """name → SignatureDef of the graph with `tags`, as stored."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    file = f"{path.rstrip('/')}/saved_model.pb"
    try:
        with tf.io.gfile.GFile(file, "rb") as stream:
            saved = saved_model_pb2.SavedModel.FromString(stream.read())
    except tf.errors.NotFoundError:
        raise ServingError(
            "NOT_FOUND", f"there is no {pathlib.PurePath(file).name} in {path}"
        ) from None
    except DecodeError as error:
        raise ServingError("DATA_LOSS", f"{file} is cut short or damaged: {error}") from None
    except tf.errors.OpError as error:
        raise from_exception(error) from None
    for graph in saved.meta_graphs:
        if set(graph.meta_info_def.tags) == set(tags):
            return dict(sorted(graph.signature_def.items()))
    found = [sorted(graph.meta_info_def.tags) for graph in saved.meta_graphs]
    raise ServingError(
        "NOT_FOUND", f"{file} has no graph with the tags {sorted(tags)}; it has {found}"
    )
