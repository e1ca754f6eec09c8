"""`python -m export.client encode --image cat.png`: a model on a server, from the shell."""

# argparse, not absl: the client keeps its dependencies few.
import argparse
import json
import os
import pathlib
import sys


class Parser(argparse.ArgumentParser):
    """A parser whose errors take one line."""

    def error(self, message):
        self.exit(2, f"error: {message}; see --help\n")


def parser() -> Parser:
    """The parser of the seven commands."""
    shared = Parser(add_help=False)
    shared.add_argument(
        "--server", default="localhost:8500", help="host:port of gRPC (%(default)s)"
    )
    shared.add_argument("--model", default="default", help="name of the model (%(default)s)")
    shared.add_argument("--version", type=int, help="number of the version; the newest by default")
    shared.add_argument("--label", help="label of the version, instead of its number")
    shared.add_argument("--timeout", type=float, default=60, help="seconds for all (%(default)s)")
    path = os.path.expanduser  # shells leave --out=~/x as it is
    shared.add_argument(
        "--ca", type=path, help="PEM file: authority of the server's certificate; means TLS"
    )
    shared.add_argument("--cert", type=path, help="PEM file: the client's certificate")
    shared.add_argument("--key", type=path, help="PEM file: the key of --cert")
    shared.add_argument("--tls", action="store_true", help="TLS without --ca")
    found = Parser(prog="python -m export.client", description="Ask a model on a server.")
    commands = found.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, text):
        return commands.add_parser(name, help=text, description=text, parents=[shared])

    encode = command("encode", "The codes of image files.")
    encode.add_argument("--image", type=path, nargs="+", required=True, help="PNG or JPEG files")
    encode.add_argument(
        "--out", type=path, help="code.npy or code.json; by default JSON is printed"
    )
    decode = command("decode", "PNG files of codes.")
    decode.add_argument(
        "--code", type=path, required=True, help="code.npy or code.json, as of encode"
    )
    decode.add_argument(
        "--out", type=path, required=True, help="cat.png; several are cat-0.png, cat-1.png, …"
    )
    sample = command("sample", "PNG files of samples.")
    sample.add_argument("--seed", type=int, nargs="+", default=[0], help="whole numbers (0)")
    sample.add_argument(
        "--out", type=path, required=True, help="x.png; several are x-0.png, x-1.png, …"
    )
    translate = command("translate", "PNG files of images in the other domain.")
    translate.add_argument(
        "--to", choices=("a", "b"), default="b", help="the domain to translate to (%(default)s)"
    )
    translate.add_argument(
        "--image", type=path, nargs="+", required=True, help="PNG or JPEG files of the other one"
    )
    translate.add_argument(
        "--out", type=path, required=True, help="b.png; several are b-0.png, b-1.png, …"
    )
    command("metadata", "The version that answers, its signatures, their shapes and types.")
    command("status", "The versions that the server knows, newest first.")
    command("wait", "Wait until the model is served; at most --timeout seconds.")
    return found


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
    _write_images(client.decode_png(_codes(options.code)), options.out)


def sample(client, options):
    from export.client import png

    _write_images([png.encoded(image) for image in client.sample(options.seed)], options.out)


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
            return np.load(path, allow_pickle=False)
        return np.array(json.loads(pathlib.Path(path).read_text(encoding="utf-8")), "float32")
    except (ValueError, TypeError, EOFError) as error:
        raise ValueError(f"{path} holds no codes: {error}") from None


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
    except (ValueError, OSError) as error:
        return _failed(error, 2)
    return 0


def _failed(error, code):
    print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv))
