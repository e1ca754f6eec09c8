"""The commands of `python -m export.client`, and their flags."""

# argparse, not absl: the client keeps its dependencies few.
import argparse
import os


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
    for drawn in (decode, sample):
        drawn.add_argument(
            "--classes",
            type=int,
            nargs="+",
            metavar="CLASS",
            help="numbers of classes, one for all images or one for each; for a model of classes",
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
