"""The methods of both kinds of client."""

import functools
from typing import Any

from export.client import addresses
from export.client import channels
from export.client.steps import METHODS
from export.client.steps import Steps


class Methods:
    """The signatures of a model as methods, and `predict` for any signature by name.

    A batch may have any size: it is sent in parts, some of them at the same time, and the result is
    put together in order; all of it comes from one version of the model. Inputs are compared with
    the server's metadata of the model before anything is sent.

    Every method raises:
        ValueError: an input does not fit the model; `InvalidInput` if the server refused it.
        ServerError: the server's error, or no server was reached; see `export.client.errors`.
    """

    def __init__(
        self,
        server: str = "localhost:8500",
        model: str = "default",
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 60.0,
        attempts: int = channels.MOST_ATTEMPTS,
        ca=None,
        cert=None,
        key=None,
        tls: bool = False,
        max_batch_size: int = 32,
        max_message_bytes: int = 4 * 2**20,
        concurrency: int = 4,
    ):
        """Sends nothing: if the server cannot be reached, the first call fails.

        Args:
            server: host:port of gRPC, or unix:path.
            model: name of the model on the server.
            version: number of the version; by default the server chooses, as a rule the newest.
            label: of a version, instead of its number.
            timeout: seconds for a whole call with all its parts and retries; methods take another.
            attempts: attempts at a request while no server answers: 1 to 5, the first retry after
                0.2 s, then 0.4 s, 0.8 s and 1.6 s. Only UNAVAILABLE is retried.
            ca, cert, key: paths of PEM files, or their bytes: the authority of the server's
                certificate, and the client's own certificate with its key if the server asks for
                one. Any of them means TLS.
            tls: TLS with the authorities that gRPC trusts, if no `ca` is given.
            max_batch_size: rows in one request. A server that batches refuses more than its own
                max_batch_size, which exports set to 32 unless told otherwise.
            max_message_bytes: size of one request. gRPC servers take 4 MiB by default; this
                project's and TensorFlow's take 2 GiB. Answers are not limited.
            concurrency: requests at the same time.

        Raises:
            ValueError: an argument is none of these, or a PEM file cannot be read.
        """
        self._given = {name: value for name, value in locals().items() if name != "self"}
        if not model:
            raise ValueError("model must not be empty")
        if version is not None and label is not None:
            raise ValueError(f"give a version or a label; got {version} and {label!r}")
        if attempts not in range(1, channels.MOST_ATTEMPTS + 1):
            raise ValueError(f"attempts must be 1 to {channels.MOST_ATTEMPTS}; got {attempts}")
        for what, value, least in (
            ("max_batch_size", max_batch_size, 1),
            ("max_message_bytes", max_message_bytes, 64 * 2**10),
            ("concurrency", concurrency, 1),
        ):
            if value < least:
                raise ValueError(f"{what} must be {least} or more; got {value}")
        channels.Deadline(timeout)
        self.server = addresses.check_address(server)
        self.timeout, self.concurrency = timeout, concurrency
        self._options = channels.options(attempts, self.server)
        self._credentials = channels.credentials(tls, ca, cert, key)
        self._steps = Steps(model, version, label, max_batch_size, max_message_bytes)
        self._channel: Any = None
        self._start()

    def __reduce__(self):
        """Pickles the arguments, PEM given as bytes included; the copy opens its own channel."""
        return functools.partial(type(self), **self._given), ()

    def _start(self):
        """Set up the client; each kind has its own."""

    def _open(self, module):
        """Open the channel with `grpc`, or with `grpc.aio`."""
        if self._credentials:
            channel = module.secure_channel(self.server, self._credentials, self._options)
        else:
            channel = module.insecure_channel(self.server, self._options)
        self._channel = channel
        self._calls = {
            method: channel.unary_unary(
                path,
                request_serializer=lambda request: request.SerializeToString(),
                response_deserializer=response.FromString,
            )
            for method, (path, response) in METHODS.items()
        }

    def _run(self, steps, timeout):
        """The return value of the generator `steps`; in `AsyncClient`, a coroutine for it."""
        raise NotImplementedError

    def predict(self, signature: str, /, *, timeout: float | None = None, **inputs):
        """Any signature: its inputs by name → dict of its outputs, as NumPy arrays."""
        return self._run(self._steps.predict(signature, inputs), timeout)

    def __getattr__(self, name):
        """A signature without a method of its own: `client.translate_ab(images=x)`, by keyword.

        Returns:
            A function: inputs by name (and `timeout`) → the only output, or output → array.
        """
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

        def call(*, timeout: float | None = None, **inputs):
            def steps():
                found = yield from self._steps.predict(name, inputs)
                return found if len(found) > 1 else next(iter(found.values()))

            return self._run(steps(), timeout)

        return call

    def _one(self, signature, output, timeout, **inputs):
        def steps():
            found = yield from self._steps.predict(signature, inputs)
            if output not in found:
                raise ValueError(f"{signature} of this model gives {sorted(found)}, no {output}")
            return found[output]

        return self._run(steps(), timeout)

    def encode(self, images, timeout: float | None = None):
        """Codes E(x), or their means. float (n, h, w, c) in [-1, 1] → float32 (n, d).

        Spatial codes are (n, h, w, c) too.
        Whole numbers are refused: uint8 pixels are scaled by (images - 127.5) / 127.5, which
        `zoo.datasets.scale` does.
        """
        return self._one("encode", "codes", timeout, images=images)

    def encode_sample(self, images, seeds, timeout: float | None = None):
        """Codes drawn from the encoder, equal for equal seeds. Seeds are whole numbers (n,)."""
        return self._one("encode_sample", "codes", timeout, images=images, seeds=seeds)

    def encode_bytes(self, files, timeout: float | None = None):
        """Codes of PNG or JPEG files, a list of bytes. The server cuts and resizes them."""
        return self._one("encode_image_bytes", "codes", timeout, image_bytes=files)

    def decode(self, codes, timeout: float | None = None, labels=None):
        """Images G(z). Codes as of `encode` → float32 (n, h, w, c) in [-1, 1].

        A model of classes takes labels, whole numbers (n,), too.
        """
        return self._one("decode", "images", timeout, **_given(codes=codes, labels=labels))

    def decode_png(self, codes, timeout: float | None = None, labels=None):
        """Images G(z) as files: a list of n PNG files, each bytes. Labels as of `decode`."""

        def steps():
            given = _given(codes=codes, labels=labels)
            found = yield from self._steps.predict("decode_png", given)
            return found["png_bytes"].tolist()

        return self._run(steps(), timeout)

    def reconstruct(self, images, timeout: float | None = None):
        """G(E(x)). float (n, h, w, c) in [-1, 1] → float32 of the same shape."""
        return self._one("reconstruct", "images", timeout, images=images)

    def sample(self, seeds, timeout: float | None = None, labels=None):
        """One image for each seed, equal for equal seeds. Whole numbers (n,) → (n, h, w, c).

        Labels as of `decode`.
        """
        return self._one("sample", "images", timeout, **_given(seeds=seeds, labels=labels))

    def discriminate(self, images, timeout: float | None = None) -> dict:
        """Scores of the model's judges, of `score_xz`, `score_x`, `score_z` → float32 (n,)."""
        return self.predict("discriminate", timeout=timeout, images=images)

    def anomaly_score(self, images, timeout: float | None = None) -> dict:
        """`anomaly_score` and its terms → float32 (n,); higher is more anomalous."""
        return self.predict("anomaly_score", timeout=timeout, images=images)

    def metadata(self, timeout: float | None = None):
        """`Metadata`: the version that answers, and its signatures with shapes and types."""
        return self._run(self._steps.metadata(), timeout)

    def status(self, timeout: float | None = None) -> list:
        """`VersionStatus` of every version that the server knows, newest first."""
        return self._run(self._steps.status(), timeout)

    def wait_until_ready(self, timeout: float | None = None):
        """Waits until the server is there and serves the model; `Metadata`.

        Raises:
            DeadlineExceeded: the model was not ready within `timeout` seconds; the message
                includes the last error.
        """
        return self._run(self._steps.wait(), timeout)


def _given(**inputs):
    return {name: value for name, value in inputs.items() if value is not None}
