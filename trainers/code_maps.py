"""Codes that have height and width, against vectors of as many numbers.

usage: python -m trainers.code_maps [flags]

Trains a VAE and an AAE with codes of 49 · c numbers, once as a vector and once as a map of
7 × 7 × c, on Fashion-MNIST. The networks differ in the layers next to the code alone: fully
connected for a vector, a convolution for a map. Measured are reconstructions of test images, and
what a map may lose: samples of the prior. Writes code_maps.json. The same command resumes.
"""

import time

from trainers.experiments import planning
from zoo import run_files
from zoo.cli import commands
from zoo.cli import markdown

FLAGS = {
    "methods": ("vae,aae", "Methods, separated by commas: vae, aae."),
    "channels": ("1,2,4", "Numbers of channels of the maps, separated by commas."),
    "epochs": (5, "Passes over the 8,000 training images."),
    "width": (16, "Channels of the first convolution."),
    "seed": commands.SEED,
    "run_dir": planning.CELLS["run_dir"],
}
SIDE = 7
BATCH = 128
COLUMNS = markdown.columns("parameters x_cycle_ratio class_kept z_cycle_ratio frechet seconds")


def encoder(shape, code, width, stochastic):
    """x → code, or (mean, log variance); a vector is fully connected to the last layer."""
    import keras
    from keras import layers

    from zoo.networks.layers import batch_norm
    from zoo.networks.layers import initializer
    from zoo.networks.layers import leaky

    x = keras.Input(shape)
    hidden = x
    for channels in (width, 2 * width):
        hidden = layers.Conv2D(
            channels, 4, 2, "same", use_bias=False, kernel_initializer=initializer()
        )(hidden)
        hidden = leaky()(batch_norm()(hidden))
    ends = []
    for _ in range(1 + stochastic):
        if len(code) == 1:
            ends.append(layers.Dense(code[0])(layers.Flatten()(hidden)))
        else:
            ends.append(layers.Conv2D(code[-1], 3, padding="same")(hidden))
    return keras.Model(x, ends if stochastic else ends[0], name="encoder")


def generator(shape, code, width, logits):
    """z → x, or its logits."""
    import keras
    from keras import layers

    from zoo.networks.layers import batch_norm
    from zoo.networks.layers import initializer

    z = keras.Input(code)
    if len(code) == 1:
        hidden = layers.Dense(SIDE * SIDE * 2 * width, use_bias=False)(z)
        hidden = layers.Reshape((SIDE, SIDE, 2 * width))(hidden)
    else:
        hidden = layers.Conv2D(2 * width, 3, padding="same", use_bias=False)(z)
    hidden = layers.ReLU()(batch_norm()(hidden))
    hidden = layers.Conv2DTranspose(
        width, 4, 2, "same", use_bias=False, kernel_initializer=initializer()
    )(hidden)
    hidden = layers.ReLU()(batch_norm()(hidden))
    x = layers.Conv2DTranspose(shape[-1], 4, 2, "same", kernel_initializer=initializer())(hidden)
    end = layers.Activation("linear" if logits else "tanh")
    return keras.Model(z, end(x), name="generator")


def game_of(method: str, shape: tuple, code: tuple, width: int, seed: int):
    """A compiled game of "vae" or "aae" with codes of the shape `code`, (n,) or (7, 7, c)."""
    import zoo
    from zoo import keras_settings
    from zoo import networks
    from zoo.networks import codes

    latent_dim = code if len(code) == 3 else code[0]
    with networks.seeded(seed), keras_settings.channels_last():
        own = {
            "encoder": encoder(shape, code, width, method == "vae"),
            "generator": generator(shape, code, width, method == "vae"),
        }
        if method == "aae":
            own["code_discriminator"] = codes.discriminator(latent_dim, width)
    game = zoo.method(method)(shape, latent_dim=latent_dim, width=width, seed=seed, **own)
    game.compile()
    return game


def measure(game, data) -> dict[str, float]:
    """Figures of `COLUMNS` of a trained game, but for the seconds; on all test images."""
    import numpy as np

    from zoo import datasets
    from zoo import metrics

    x, n = datasets.scale(data.test), len(data.test) // 2
    codes = np.array(game.prior_codes(n, game.seed))
    samples = metrics.in_batches(game.decode, codes)
    copies = metrics.in_batches(game.reconstruct, x)
    recovered = metrics.in_batches(game.encode, samples)
    judge = metrics.classifier.load("fashion_mnist")
    kept = metrics.class_kept(judge.probabilities(x), judge.probabilities(copies))
    sets = metrics.compare_sets(judge, x[:n], samples, x[n : 2 * n])
    return {
        "parameters": game.encoder.count_params() + game.generator.count_params(),
        "x_cycle_ratio": metrics.cycles(x, copies)["x_cycle_ratio"],
        "class_kept": kept["class_kept"],
        "z_cycle_ratio": metrics.z_cycle(codes.reshape(n, -1), recovered.reshape(n, -1))[
            "z_cycle_ratio"
        ],
        "frechet": sets["frechet"],
        "frechet_real": sets["frechet_real"],
    }


def table(rows: list) -> str:
    """One Markdown row per training."""
    groups = [([row["method"], str(row["numbers"]), row["shape"]], row) for row in rows]
    return markdown.figures(["method", "numbers in a code", "shape"], COLUMNS, groups)


def main(argv: list | None = None) -> None:
    """Train and measure what is missing, print, write. Exit code 2 and one line for bad input."""
    from zoo import datasets

    with commands.exit_on_bad_input():
        args = commands.only_flags(__doc__, FLAGS, argv)
        commands.at_least(args, epochs=1, width=1, seed=0)
        wanted = _cells(*_chosen(args))
        out = commands.directory(args.run_dir or "runs/code_maps")
        planning.settle(out, args, "code_maps")
    data = datasets.load("fashion_mnist_10k")
    rows = planning.resume(out / "cells.json", wanted, lambda cell: _trained(cell, data, args))
    rows = planning.finished(wanted, rows, 0)
    print(f"\n{table(rows)}")
    command = commands.typed("trainers.code_maps", argv)
    report = {"command": command, "settings": vars(args), "runs": rows}
    run_files.write_json(out / "code_maps.json", report)
    real, seconds = rows[0]["frechet_real"], sum(row["seconds"] for row in rows)
    print(f"\nFréchet distance of real images {real:.1f}; {seconds:.0f} s of training")
    print(f"see {out / 'code_maps.json'}")


def _chosen(args):
    methods, channels = args.methods.split(","), commands.whole_numbers(args, "channels")
    if not set(methods) <= {"vae", "aae"}:
        raise ValueError(f"--methods must be among vae, aae; got {args.methods!r}")
    if not channels or min(channels) < 1:
        raise ValueError(f"--channels must be 1 or more each; got {args.channels!r}")
    return methods, channels


def _cells(methods, channels):
    return [
        {"method": method, "numbers": SIDE * SIDE * count, "shape": shape}
        for method in dict.fromkeys(methods)
        for count in dict.fromkeys(channels)
        for shape in (f"{SIDE * SIDE * count}", f"{SIDE} × {SIDE} × {count}")
    ]


def _trained(cell, data, args):
    """The row of one training."""
    from zoo import datasets

    code = tuple(map(int, cell["shape"].split(" × ")))
    began = time.time()
    game = game_of(cell["method"], data.shape, code, args.width, args.seed)
    stream = datasets.batches(data.train, BATCH, args.seed)
    steps = args.epochs * (len(data.train) // BATCH)
    game.fit(stream, steps_per_epoch=steps, verbose=0, shuffle=False)
    yield {**measure(game, data), "seconds": round(time.time() - began, 1)}


if __name__ == "__main__":
    main()
