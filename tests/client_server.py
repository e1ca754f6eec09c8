"""An exported game on a server, for the tests of the client, and what the game itself answers.

The tests of `test_client.py` need no TensorFlow, but a server does. They ask the one of
CLIENT_SERVER (host:port of gRPC), CLIENT_REST (host:port) and CLIENT_EXPECTED (file of
`answers`), if set, and else start one.
"""

import asyncio
import contextlib
import io
import os
import pathlib
import threading
import types

import numpy as np
import served

SHAPE, CODES = (8, 8, 1), 3
ROWS = 70  # three requests of up to 32


def game():
    """ALI has every signature there is: its encoder is stochastic."""
    import zoo

    return zoo.ALI(SHAPE, latent_dim=CODES, width=4, seed=1)


def export(base, version=1):
    """Publish `game` as `base`/`version`; a file beside it holds `answers`."""
    from export import write

    base = pathlib.Path(base)
    unfinished = base.parent / f"unfinished.{version}"
    unfinished.mkdir(parents=True)
    played = game()
    write.write(played, unfinished, max_batch_size=32)
    base.mkdir(exist_ok=True)
    unfinished.rename(base / str(version))
    np.savez(base.parent / "answers.npz", **answers(played))
    return base.parent / "answers.npz"


def answers(played):
    """Inputs, and for each method of the client what the game answers."""
    from PIL import Image

    from zoo import datasets
    from zoo import scores

    pixels = np.random.default_rng(0).integers(0, 256, (ROWS, *SHAPE), "uint8")
    images = datasets.scale(pixels)
    codes = np.random.default_rng(1).normal(size=(ROWS, CODES)).astype("float32")
    files = []
    for picture in pixels[:5]:
        file = io.BytesIO()
        Image.fromarray(picture[..., 0]).save(file, "PNG")
        files.append(np.frombuffer(file.getvalue(), "u1"))
    anomaly = {f"anomaly.{k}": np.asarray(v) for k, v in scores.anomaly(played, images).items()}
    judged = {f"judge.{k}": np.asarray(v) for k, v in scores.discriminate(played, images).items()}
    return {
        "images": images,
        "codes": codes,
        "encode": np.asarray(played.encode(images)),
        "decode": np.asarray(played.decode(codes)),
        "decode_pixels": datasets.unscale(np.asarray(played.decode(codes[:5]))),
        "reconstruct": np.asarray(played.reconstruct(images)),
        **{f"file.{i}": file for i, file in enumerate(files)},
        **anomaly,
        **judged,
    }


@contextlib.contextmanager
def running(*flags):
    """`served.running` in a thread of its own, beside a test that waits for its answers."""
    loop, began, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found = types.SimpleNamespace(app=None, error=None)

    async def live():
        try:
            async with served.running(*flags, rest=True) as found.app:
                began.set()
                await over.wait()
        except BaseException as error:
            found.error = error
        finally:
            began.set()

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),))
    thread.start()
    began.wait()
    try:
        if found.error:
            raise found.error
        yield found.app
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@contextlib.contextmanager
def ali(folder):
    """`address`, `rest` and `answers` of a server with the model `ali`."""
    if "CLIENT_SERVER" in os.environ:
        with np.load(os.environ["CLIENT_EXPECTED"]) as known:
            yield types.SimpleNamespace(
                address=os.environ["CLIENT_SERVER"],
                rest=os.environ["CLIENT_REST"],
                answers=dict(known),
            )
        return
    file = export(folder / "ali")
    flags = ("--model_name=ali", f"--model_base_path={folder / 'ali'}", "--enable_batching")
    with running(*flags, "--enable_per_model_batching_parameters") as app, np.load(file) as known:
        yield types.SimpleNamespace(address=app.address, rest=app.rest_address, answers=dict(known))
