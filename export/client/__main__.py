"""`python -m export.client encode --image cat.png`: a model on a server, from the shell."""

import json
import pathlib
import sys

from export.client.arguments import parser


def encode(client, options):
    codes = client.encode_bytes(_files(client, options, "encode"))
    if options.out:
        with open(options.out, "wb") as file:
            file.write(_npy(codes) if _suffix(options.out) == ".npy" else _json(codes))
        print(f"wrote {options.out}: {codes.dtype} {codes.shape}")
    else:
        print(_json(codes).decode(), end="")


def translate(client, options):
    signature = {"b": "translate_ab", "a": "translate_ba"}[options.to]
    files = _files(client, options, signature)
    found = client.predict(f"{signature}_image_bytes", image_bytes=files)
    _write_images(found["png_bytes"], options.out)


def _files(client, options, signature):
    """The image files, read, and a line if `signature` takes them in another size."""
    from export.client import pictures

    files = [pathlib.Path(image).read_bytes() for image in options.image]
    for name, file in zip(options.image, files):
        if not pictures.known(file):
            raise ValueError(f"{name} is not a PNG or JPEG file: convert it to one of them")
    _say_changes(client.metadata().signatures, signature, dict(zip(options.image, files)))
    return files


def _say_changes(signatures, signature, files):
    """Print a line for the first image that the model takes in another size or without colours."""
    from export.client import pictures

    shape = signatures[signature].inputs["images"].shape[1:] if signature in signatures else ()
    if len(shape) != 3:
        return
    changes = {name: pictures.changed(file, shape) for name, file in files.items()}
    changes = {name: change for name, change in changes.items() if change}
    if changes:
        name, change = next(iter(changes.items()))
        others = f" (and {len(changes) - 1} more)" if len(changes) > 1 else ""
        print(f"note: {name}: {change} for this model{others}", file=sys.stderr)


def decode(client, options):
    codes = _codes(options.code)
    _write_images(client.decode_png(codes, labels=_labels(options, len(codes))), options.out)


def sample(client, options):
    from export.client import png

    labels = _labels(options, len(options.seed))
    images = client.sample(options.seed, labels=labels)
    _write_images([png.encoded(image) for image in images], options.out)


def _labels(options, images):
    """`--classes` for so many images, or None if the flag is not given. Raises ValueError."""
    if options.classes is None:
        return None
    if len(options.classes) not in (1, images):
        given = len(options.classes)
        raise ValueError(
            f"--classes must be 1 number, or {images}, one for each image; got {given}"
        )
    return options.classes * images if len(options.classes) == 1 else options.classes


def metadata(client, options):
    found = client.metadata()
    print(f"{found.model} version {found.version}")
    for name, signature in found.signatures.items():
        sides = (
            ", ".join(f"{key} {tensor}" for key, tensor in side.items())
            for side in (signature.inputs, signature.outputs)
        )
        print(f"  {name}: {' → '.join(sides)}")


def status(client, options):
    for one in client.status():
        print(f"version {one.version}: {one.state}{': ' if one.error else ''}{one.error}")


def wait(client, options):
    found = client.wait_until_ready()
    print(f"{found.model} version {found.version} is served")


def _suffix(path):
    return pathlib.Path(path).suffix.lower()


def _json(codes):
    return (json.dumps(codes.tolist()) + "\n").encode()


def _npy(codes):
    import io

    import numpy as np

    file = io.BytesIO()
    np.save(file, codes)
    return file.getvalue()


def _codes(path):
    import numpy as np

    try:
        if _suffix(path) == ".npy":
            codes = np.load(path, allow_pickle=False)
        else:
            codes = np.array(json.loads(pathlib.Path(path).read_text(encoding="utf-8")), "float32")
        if not codes.ndim:
            raise ValueError("a list of codes is needed; got one number")
    except (ValueError, TypeError, EOFError) as error:
        raise ValueError(f"{path} holds no codes: {error}") from None
    return codes


def _write_images(files, out):
    path = pathlib.Path(out)
    for i, file in enumerate(files):
        target = path if len(files) == 1 else path.with_stem(f"{path.stem}-{i}")
        target.write_bytes(file)
        print(f"wrote {target}")


def _check_files(options):
    """Checks that need no server. Raises ValueError."""
    allowed = {"encode": (".npy", ".json"), "decode": (".png",), "sample": (".png",)}
    allowed["translate"] = (".png",)
    out = getattr(options, "out", None)
    if out and _suffix(out) not in allowed[options.command]:
        raise ValueError(f"--out must end in {' or '.join(allowed[options.command])}; got {out}")
    if options.command == "decode" and _suffix(options.code) not in allowed["encode"]:
        raise ValueError(f"--code must be a .npy or .json file; got {options.code}")


COMMANDS = {
    "encode": encode,
    "decode": decode,
    "sample": sample,
    "translate": translate,
    "metadata": metadata,
    "status": status,
    "wait": wait,
}


def main(argv: list) -> int:
    """Exit codes: 0 done, 1 the server failed or is not there, 2 bad input."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # on a console without UTF-8
    options = parser().parse_args(argv[1:])
    try:
        from export.client import Client
        from export.client import InvalidInput
        from export.client import ServerError
    except ModuleNotFoundError as error:
        return _failed(f"{error}: pip install numpy grpcio protobuf", 2)

    try:
        _check_files(options)
        with Client(
            options.server,
            options.model,
            version=options.version,
            label=options.label,
            timeout=options.timeout,
            ca=options.ca,
            cert=options.cert,
            key=options.key,
            tls=options.tls,
        ) as client:
            COMMANDS[options.command](client, options)
    except InvalidInput as error:
        return _failed(error, 2)
    except ServerError as error:
        return _failed(error, 1)
    except FileNotFoundError as error:
        return _failed(f"no such file or directory: {error.filename}", 2)
    except (ValueError, OSError) as error:
        return _failed(error, 2)
    return 0


def _failed(error, code):
    print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv))
