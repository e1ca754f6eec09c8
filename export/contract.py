"""`contract.json`: description of an exported version, with checksums of its files."""

import hashlib
import json
import math
import pathlib

import zoo
from export import signatures
from zoo.signatures import is_stochastic

NAME = "contract.json"
# Increased when readers of older contracts would misread a newer one.
FORMAT = 1


def batch_sizes(most: int) -> list:
    """1, 2, 4, … up to `most`. Raises ValueError unless it is a power of 2 from 1 to 1024."""
    sizes = [2**i for i in range(11)]
    if most not in sizes:
        raise ValueError(f"max_batch_size must be a power of 2 from 1 to 1024; got {most!r}")
    return [size for size in sizes if size <= most]


def describe(
    game, offered: dict, batch_sizes: list, preset: str | None, source: str | None
) -> dict:
    """The contract of `game`, without its files: see `seal`.

    Args:
        offered: name → `signatures.Signature`.
        batch_sizes: those that a server may run, ascending.
        preset: name of the preset that the weights are, if any.
        source: sha256 of the file that the game was loaded from, if any.
    """
    images = signatures.tensor(game, "images")
    kinds = {kind for one in offered.values() for kind in one.kinds}
    has_codes = bool(kinds & {"codes", "prior"})
    return {
        "format": FORMAT,
        "method": type(game).__module__.rpartition(".")[2],
        "config": game.get_config(),
        "preset": preset,
        "game_sha256": source,
        "image": {"shape": list(game.image_shape), "range": _range(images)},
        "latent": {"prior": game.prior, "dimension": math.prod(game.code_shape)}
        if has_codes
        else None,
        "noise": _noise(game),
        "encoder": _encoder(game),
        "scores": sorted(game.scores),
        "serving_default": signatures.default(offered),
        "allowed_batch_sizes": batch_sizes,
        "signatures": {
            name: {
                "inputs": {k: _tensor(tensor) for k, tensor in signature.inputs.items()},
                "outputs": {k: _tensor(tensor) for k, tensor in signature.outputs.items()},
            }
            for name, signature in offered.items()
        },
        "zoo": zoo.__version__,
    }


def seal(contract: dict, version: pathlib.Path) -> None:
    """Write the contract into the directory `version`, with size and sha256 of every file there."""
    contract["files"] = {
        path.relative_to(version).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": sha256(path),
        }
        for path in sorted(version.rglob("*"))
        if path.is_file() and path.name != NAME and path.suffix != ".md"
    }
    contract["weights_sha256"] = contract["files"][weights_file(version)]["sha256"]
    text = json.dumps(contract, indent=2, allow_nan=False)
    (version / NAME).write_text(text + "\n", encoding="utf-8")


def read(version: pathlib.Path) -> dict:
    """The contract of an exported version.

    Raises:
        ValueError: it is missing, or this code cannot read it.
    """
    path = version / NAME
    try:
        contract = json.loads(path.read_text(encoding="utf-8"))
        known = contract["format"] <= FORMAT
    except FileNotFoundError:
        raise ValueError(f"there is no {NAME}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{NAME} cannot be read: {error}") from None
    if not known:
        raise ValueError(f"{NAME} has format {contract['format']}; this code reads {FORMAT}")
    return contract


def weights_file(version: pathlib.Path) -> str:
    """Path, within the version, of the file that holds the weights."""
    shards = sorted((version / "variables").glob("variables.data-*"))
    return shards[0].relative_to(version).as_posix()


def sha256(path: pathlib.Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _noise(game):
    """Noise of the data distribution of `game`: flat pixel indices and standard deviation."""
    noised = game.noised
    return {"pixels": noised.pixels.tolist(), "std": noised.std} if noised else None


def _encoder(game):
    if not game.has_encoder:
        return None
    return "stochastic" if is_stochastic(game) else "deterministic"


def _tensor(tensor):
    shape = [None, *tensor.shape]
    return {"dtype": tensor.dtype, "shape": shape, "range": _range(tensor)}


def _range(tensor):
    # JSON has no infinity: an unbounded end is null.
    ends = [None if abs(end) == float("inf") else end for end in tensor.range or ()]
    return ends or None
