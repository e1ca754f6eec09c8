"""Run-time checks of the doctor: loader, signatures, warm-up. See `export.doctor.checks`."""

import io
import zipfile

import numpy as np
import tensorflow as tf

from export import companions
from export import formats
from export import warmup
from export.doctor.checks import NotExamined
from export.doctor.checks import Unsound
from export.doctor.checks import first_line
from export.write import REFERENCE
from export.write import tried_sizes

TOLERANCE = 1e-5


def loading(export):
    """TensorFlow's session loader, which TensorFlow Serving uses, takes it."""
    tf.get_logger().setLevel("ERROR")  # no warning that this loader, which servers use, is old
    config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    export.session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
    try:
        with export.session.graph.as_default():
            export.graph = tf.compat.v1.saved_model.load(
                export.session, ["serve"], str(export.directory)
            )
    except Exception as error:
        raise Unsound(f"the session loader refuses it: {first_line(error)}") from None
    try:
        with np.load(export.directory / REFERENCE) as arrays:
            export.reference = {key: arrays[key] for key in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise Unsound(f"{REFERENCE} cannot be read: {first_line(error)}") from None
    return "by TensorFlow's session loader"


def signature(export, name):
    """Answers as the Keras model did, at batch 1, at 3 and at the largest allowed."""
    terms = export.contract["signatures"][name]
    most = export.contract["allowed_batch_sizes"][-1]
    inputs = {key: export.reference[f"{name}/inputs/{key}"] for key in terms["inputs"]}
    worst, answers = 0.0, {}
    for size in tried_sizes(export.contract["allowed_batch_sizes"]):
        answers[size] = export.run(name, {key: rows[:size] for key, rows in inputs.items()})
        worst = max(worst, _difference(export, name, size, answers[size]))
    sizes = ", ".join(map(str, answers))
    if set(inputs) != {"seeds"}:
        return f"batch {sizes}: {worst:.1e} from Keras"
    _same_bits(export, name, inputs["seeds"][:most], answers)
    return f"batch {sizes}: {worst:.1e} from Keras, bits equal in every batch"


def converted(export, file):
    """A file of another format, run by its own runtime, answers as the Keras model did."""
    path = export.directory / file
    if absent := formats.missing(path.suffix[1:]):
        raise NotExamined(f"not run here: it needs {absent}, of the extra formats")
    name, terms = path.stem, export.contract["signatures"][path.stem]
    worst, sizes = 0.0, tried_sizes(export.contract["allowed_batch_sizes"])
    for size in sizes:
        rows = {key: export.reference[f"{name}/inputs/{key}"][:size] for key in terms["inputs"]}
        found = formats.run(path, rows)
        if set(found) != set(terms["outputs"]):
            raise Unsound(
                f"outputs are {sorted(found)}, the contract has {sorted(terms['outputs'])}"
            )
        worst = max(worst, _difference(export, name, size, found))
    return f"batch {', '.join(map(str, sizes))}: {worst:.1e} from Keras"


def _difference(export, name, size, found):
    """Largest difference of the outputs `found` from those of the Keras model."""
    worst = 0.0
    for key, tensor in export.contract["signatures"][name]["outputs"].items():
        wanted = export.reference[f"{name}/outputs/{size}/{key}"]
        try:
            worst = max(worst, compare(found[key], wanted, tensor))
        except Unsound as error:
            raise Unsound(f"{key} at batch {size}: {error}") from None
    return worst


def _same_bits(export, name, seeds, answers):
    """Equal seeds give equal images: in every size of batch, and in every row of one."""
    whole = answers[len(seeds)]["images"]
    for answer in answers.values():
        if not np.array_equal(answer["images"], whole[: len(answer["images"])]):
            raise Unsound("the same seeds give other images in a batch of another size")
    for shift in range(1, min(len(seeds), 8)):
        turned = export.run(name, {"seeds": np.roll(seeds, shift)})["images"]
        if not np.array_equal(turned, np.roll(whole, shift, axis=0)):
            raise Unsound("the same seeds give other images in other rows of a batch")


def compare(found, wanted, tensor):
    """Largest difference of one output from the Keras model's, in units of its largest value."""
    found = np.asarray(found)
    if tensor["dtype"] == "string":
        found = np.stack([_pixels(data) for data in found])
        if found.shape != wanted.shape or np.abs(found.astype(int) - wanted).max() > 1:
            raise Unsound("the PNG files differ from the images of the Keras model")
        return 0.0
    if found.dtype != tensor["dtype"] or found.shape != wanted.shape:
        raise Unsound(f"{found.dtype} {found.shape} instead of {tensor['dtype']} {wanted.shape}")
    if not np.isfinite(found).all():
        raise Unsound(f"{int(np.sum(~np.isfinite(found)))} of {found.size} numbers are not finite")
    low, high = ((tensor["range"] or [None, None]) + [None])[:2]
    low, high = -np.inf if low is None else low, np.inf if high is None else high
    if found.min() < low - 1e-6 or found.max() > high + 1e-6:
        raise Unsound(f"[{found.min():.4g}, {found.max():.4g}] leaves the range [{low}, {high}]")
    scale = max(1.0, float(np.abs(wanted).max()))
    difference = float(np.abs(found.astype("float64") - wanted).max()) / scale
    if difference > TOLERANCE:
        raise Unsound(f"{difference:.1e} from the Keras model; {TOLERANCE:.0e} is allowed")
    return difference


def warm_up(export):
    """The warm-up requests cover every signature and size, and all of them run."""
    try:
        records = warmup.read(export.directory / warmup.PATH)
    except ValueError as error:
        raise Unsound(str(error)) from None
    covered = {(name, size) for name, size, _ in records}
    for name in export.contract["signatures"]:
        for size in export.contract["allowed_batch_sizes"]:
            if (name, size) not in covered:
                raise Unsound(f"there is no record of {name} at batch {size}")
    for name, size, inputs in records:
        if name not in export.signatures:
            raise Unsound(f"a record names {name}, which is missing")
        try:
            export.run(name, inputs)
        except Unsound as error:
            raise Unsound(f"the record of {name} at batch {size} {error}") from None
    return f"{len(records)} records replayed"


def batching(export):
    """The batching file ends at the size in the contract."""
    try:
        most, sizes = companions.read_batching(export.directory)
    except ValueError as error:
        raise Unsound(str(error)) from None
    wanted = export.contract["allowed_batch_sizes"]
    if sizes != wanted or most != wanted[-1]:
        raise Unsound(f"sizes {sizes} up to {most}, the contract has {wanted}")
    return f"up to {most} rows, padded to {', '.join(map(str, sizes))}"


def _pixels(data):
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format != "PNG":
                raise Unsound(f"{image.format} instead of PNG")
            pixels = np.asarray(image)
    except OSError as error:
        raise Unsound(f"not an image: {first_line(error)}") from None
    return pixels[..., None] if pixels.ndim == 2 else pixels
