"""A picture of the pair: noised images, their codes, and the images that G makes of them."""

import pathlib

import numpy as np

from zoo import datasets
from zoo.plots.panels import COLOURS
from zoo.plots.pictures import blank
from zoo.plots.pictures import grid


def pair(path: pathlib.Path, game, data, shown: int = 6) -> None:
    """Noised test images, their codes, their "reconstructions", and some stored images."""
    clean = datasets.scale(data.test[:shown])
    x = game.observed(clean, seed=0)
    codes = np.asarray(game.encode(x))
    back = np.asarray(game.reconstruct(x))
    memory = np.asarray(game.generator.get_layer("memory").images)[: 4 * shown]
    figure = blank(12, 7.2)
    heads = ("image", "noised image x", "code E(x)", "G(E(x))")
    for row, head in enumerate(heads):
        for column in range(shown):
            axes = figure.add_axes(
                (0.13 + 0.142 * column, 0.79 - 0.185 * row, 0.13, 0.165), xticks=[], yticks=[]
            )
            if row == 2:
                axes.bar(np.arange(codes.shape[1]), codes[column], color=COLOURS[0])
                axes.axhline(0, color="0.3", linewidth=0.8)
                axes.set_ylim(-3, 3)
            else:
                image = (clean, x, None, back)[row][column]
                axes.imshow(grid(image[None], 1), cmap="gray", vmin=0, vmax=255)
            if column == 0:
                axes.set_ylabel(head, rotation=0, ha="right", va="center", fontsize=12)
    axes = figure.add_axes((0.13, 0.01, 0.84, 0.2), xticks=[], yticks=[])
    axes.imshow(grid(datasets.scale(memory), 2 * shown), cmap="gray", vmin=0, vmax=255)
    axes.set_ylabel("stored", rotation=0, ha="right", va="center", fontsize=12)
    figure.text(
        0.13,
        0.97,
        f"E reads {game.latent_dim} noise pixels; G looks one of {game.support:,} stored images up "
        "and writes them back",
        fontsize=13,
        fontweight="bold",
    )
    figure.savefig(path, format="png")
