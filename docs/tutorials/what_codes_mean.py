# %% [markdown]
# # What do codes mean?
#
# An encoder gives every image some numbers. Do they describe the image? Good samples and a
# balanced loss do not say so. This page asks three models the same questions: a trained BiGAN, the
# same networks before training, and the counterexample of Arora, Risteski and Zhang 2017
# ([arXiv:1711.02651](https://arxiv.org/abs/1711.02651)), whose codes are white noise by
# construction.

# %%
import numpy as np
from PIL import Image

import zoo
from zoo import audit
from zoo import datasets
from zoo import metrics
from zoo import models
from zoo.audit import words
from zoo.plots import pictures

# %% tags=["parameters"]
train, test, samples = 4000, 2000, 4000

# %%
data = datasets.load("fashion_mnist_10k").sliced(f"train[:{train}]", f"test[:{test}]")
trained = zoo.load("bigan_fashion_mnist")
subjects = {
    "trained BiGAN": trained,
    "the same, untrained": type(trained).from_config(trained.get_config()),
    "counterexample": zoo.load("counterexample_fashion_mnist"),
}

# %% [markdown]
# ## The audit
#
# `audit` measures a model, `verdicts` says what was found, each with its evidence:
#
# - *discriminators*: can fresh discriminators of few parameters tell (x, E(x)) from (G(z), z)?
# - *cycles*: does G(E(x)) resemble x, and does E(G(z)) return z?
# - *classes*: has the reconstruction the class of its image?
# - *codes*: are they distributed as the prior?
# - *meaning*: can the class be read off the code?
# - *image*: can the main components of the image be read off the code?
# - *support*: how many different images does G make, at most?
# - *samples*: do they cover the classes, and are they near real images?

# %%
figures = {}
for name, game in subjects.items():
    model = models.of_game(game, name)
    figures[name] = audit.audit(model, data, samples=samples, progress=lambda part: None)
    print(f"{name}\n" + "\n".join(f"  {line}" for line in words.verdicts(figures[name])) + "\n")

# %% [markdown]
# Compare the counterexample's lines with those of the trained model. Its codes follow the prior,
# small discriminators cannot tell its two kinds of pairs apart, and its samples are clothes. By
# these measures it equals the trained model, or exceeds it. But a code has no information about
# what its image shows, and the reconstruction is an unrelated picture. What tells the two apart is
# *cycles*, *classes*, *meaning* and *image*, and the bound on the number of different samples,
# *support*.

# %%
rows = []
for game in subjects.values():
    x = game.observed(datasets.scale(data.test[:12]), seed=0)
    rows.append(pictures.pairs(x, np.asarray(game.reconstruct(x)), 12))
sheet = np.concatenate([np.pad(row, ((0, 12), (0, 0)), constant_values=255) for row in rows])
Image.fromarray(sheet).resize((2 * sheet.shape[1], 2 * sheet.shape[0]))

# %% [markdown]
# From above: the trained BiGAN, the untrained one, the counterexample; images above
# reconstructions.
#
# ## Directions
#
# Principal directions of the codes of test images: those along which codes vary most. Each row
# moves one code along one direction, from -2 to 2 standard deviations.

# %%
codes = np.asarray(trained.encode(datasets.scale(data.test)))
mean = codes.mean(axis=0)
_, spreads, directions = np.linalg.svd((codes - mean) / len(codes) ** 0.5, full_matrices=False)
moves = np.linspace(-2, 2, 9)[:, None]
path = [codes[4] + moves * spreads[k] * directions[k] for k in range(3)]
images = trained.decode(np.concatenate(path).astype("float32"))
Image.fromarray(pictures.grid(images, 9)).resize((522, 174))

# %% [markdown]
# ## Neighbours
#
# If codes describe images, images with close codes are alike: the nearest neighbour of a test image
# has its class more often than chance. Raw pixels are the baseline, and codes need not beat it.

# %%
clean = datasets.scale(data.train), datasets.scale(data.test)
pair = data.train_labels, data.test_labels
for name, game in subjects.items():
    # `observed` adds the noise of the counterexample's data; other games return the images.
    noised = (game.observed(x, seed) for seed, x in enumerate(clean))
    train_codes, test_codes = (np.asarray(game.encode(x)) for x in noised)
    found = metrics.nearest_neighbour_accuracy(train_codes, pair[0], test_codes, pair[1])
    print(f"{name}: {found:.1%}")
print(f"raw pixels: {metrics.nearest_neighbour_accuracy(clean[0], pair[0], clean[1], pair[1]):.1%}")
print(f"chance: {metrics.chance_accuracy(*pair):.1%}")

# %% [markdown]
# From the command line, on presets, runs or SavedModels:
# `python -m zoo.audit bigan_fashion_mnist counterexample_fashion_mnist`.
#
# The counterexample step by step: [for a lecture](counterexample.py). More uses of codes:
# [uses of codes](../latent.md).
