"""`tf_serving_warmup_requests`: requests that a server runs before a version becomes available.

One record for each signature and each allowed batch size, so that no client pays for the first
call of a size.
"""

import pathlib

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_log_pb2

PATH = "assets.extra/tf_serving_warmup_requests"
# TensorFlow Serving refuses a version with more.
MOST_RECORDS = 1000


def write(path: pathlib.Path, name: str, signatures: dict, image: bytes, sizes: list) -> None:
    """Write the file.

    Args:
        path: file to write.
        name: name of the model; servers ignore it in this file.
        signatures: the signatures of a contract.
        image: bytes of an image file, for signatures that take files.
        sizes: allowed batch sizes.

    Raises:
        ValueError: there would be too many records.
    """
    if len(signatures) * len(sizes) > MOST_RECORDS:
        raise ValueError(
            f"{len(signatures)} signatures at {len(sizes)} batch sizes are more than the "
            f"{MOST_RECORDS} warm-up records that TensorFlow Serving takes"
        )
    with tf.io.TFRecordWriter(str(path)) as file:
        for signature in signatures:
            for size in sizes:
                request = predict_pb2.PredictRequest()
                request.model_spec.name = name
                request.model_spec.signature_name = signature
                for key, tensor in signatures[signature]["inputs"].items():
                    request.inputs[key].CopyFrom(_constant(tensor, size, image))
                log = prediction_log_pb2.PredictionLog()
                log.predict_log.request.CopyFrom(request)
                file.write(log.SerializeToString())


def read(path: pathlib.Path) -> list:
    """(signature name, batch size, input → array) of every record.

    Raises:
        ValueError: the file is damaged, or holds something else.
    """
    records = []
    try:
        for data in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            request = prediction_log_pb2.PredictionLog.FromString(data).predict_log.request
            inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
            size = min((len(rows) for rows in inputs.values()), default=0)
            records.append((request.model_spec.signature_name, size, inputs))
    except Exception as error:  # TensorFlow's, protobuf's and NumPy's have no common kind.
        raise ValueError(f"cannot be read: {str(error).splitlines()[0]}") from None
    return records


def _constant(tensor, size, image):
    # One value stands for all of them, so that the file stays small at any batch size.
    value = image if tensor["dtype"] == "string" else 0
    shape = (size, *tensor["shape"][1:])
    return tf.make_tensor_proto(value, tf.as_dtype(tensor["dtype"]), shape)
