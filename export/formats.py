"""The model in other formats: ONNX, and TFLite (LiteRT). `python -m export … --also=onnx,tflite`.

Every signature from images or codes (and labels) to images or codes becomes one file for each
format in `formats/` of the version, such as `formats/encode.onnx`. Names of inputs and outputs are
those of the signature, and n, the size of the batch, is free. Servers ignore the directory. The
doctor runs the files with ONNX Runtime and with the TFLite interpreter.

Left out of ONNX are signatures from images to images (`translate_ab`): there a name may not be both
an input's and an output's.
"""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import numpy as np

FOLDER = "formats"
# Format → the modules that convert to it and run it, in the extra "formats".
MODULES = {"onnx": ("tf2onnx", "onnxruntime"), "tflite": ("ai_edge_litert",)}
# The largest that tf2onnx 1.17 writes.
OPSET = 18
_TAKEN, _GIVEN = {"images", "codes", "labels"}, {"images", "codes"}


def chosen(text: str) -> list:
    """The formats that `--also` names, separated by commas.

    Raises:
        ValueError: a format is unknown, or its library is not installed.
    """
    found = [name.strip() for name in text.split(",") if name.strip()]
    for name in found:
        if name not in MODULES:
            raise ValueError(f"--also must name formats among {', '.join(MODULES)}; got {name!r}")
        if absent := missing(name):
            raise ValueError(
                f"--also={name} needs {absent}, which is not installed: "
                "pip install 'encoder-gan-zoo[formats]'"
            )
    return list(dict.fromkeys(found))


def missing(name: str) -> str:
    """The first module that format `name` needs and that is not installed, or ""."""
    absent = [module for module in MODULES[name] if importlib.util.find_spec(module) is None]
    return absent[0] if absent else ""


def convertible(signatures: dict, format_name: str) -> list:
    """Names of the signatures that are converted, of `signatures` as in a contract."""
    return [
        name
        for name, terms in signatures.items()
        if {*terms["inputs"]} <= _TAKEN
        and {*terms["outputs"]} <= _GIVEN
        and name not in ("reconstruct", "serving_default")  # the others in a row, and again
        # ONNX has one name space for inputs and outputs.
        and (format_name != "onnx" or not {*terms["inputs"]} & {*terms["outputs"]})
    ]


def files(contract: dict) -> list:
    """Paths, within the version, of the files of other formats that a contract names."""
    return sorted(name for name in contract["files"] if name.startswith(f"{FOLDER}/"))


def write(version: pathlib.Path, signatures: dict, formats: list) -> None:
    """Convert the SavedModel in the directory `version`.

    Args:
        signatures: as in its contract.
        formats: names in `MODULES`.

    Raises:
        ValueError: there is nothing to convert, or a converter does not know an operation.
    """
    convert = {"onnx": _onnx, "tflite": _tflite}
    for format_name in formats:
        names = convertible(signatures, format_name)
        if not names:
            raise ValueError(
                f"--also={format_name} converts signatures from images or codes to images or "
                "codes (ONNX: not from images to images); this model has none"
            )
        (version / FOLDER).mkdir(exist_ok=True)
        for name in names:
            convert[format_name](version, name, version / FOLDER / f"{name}.{format_name}")


def run(path: pathlib.Path, inputs: dict) -> dict:
    """Outputs of one file by name, for arrays by name."""
    return {".onnx": _run_onnx, ".tflite": _run_tflite}[path.suffix](path, inputs)


def _onnx(version, name, file):
    # In a process of its own: the converter changes state of TensorFlow that is global.
    command = [sys.executable, "-P", "-m", "tf2onnx.convert", "--saved-model", str(version)]
    options = ["--signature_def", name, "--opset", str(OPSET), "--output", str(file)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([*command, *options], capture_output=True, text=True, env=environment)
    if done.returncode or not file.is_file():
        raise ValueError(f"{name} cannot be converted to onnx: {_last_line(done.stderr)}")


def _tflite(version, name, file):
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(version), signature_keys=[name])
    try:
        file.write_bytes(converter.convert())
    except Exception as error:  # the converter's own, and those of its operations
        lacking = re.search(r"^TF Select ops: (.*)$", str(error), re.M)
        why = f"it has no {lacking[1]}" if lacking else _last_line(str(error))
        raise ValueError(f"{name} cannot be converted to tflite: {why}") from None


def _run_onnx(path, inputs):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def _run_tflite(path, inputs):
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path)).get_signature_runner(path.stem)
    return {name: np.array(value) for name, value in runner(**inputs).items()}


def _last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else "no message")[:300]
