# %% [markdown]
# # The counterexample, for a lecture
#
# *Question to the class.* BiGAN's discriminator compares the pairs (x, E(x)) and (G(z), z). Suppose
# that it cannot tell them apart. Must E(x) describe x? Must G know many images?
#
# *Answer* (Arora, Risteski and Zhang 2017, [arXiv:1711.02651](https://arxiv.org/abs/1711.02651)):
# no, for every discriminator of limited size. This page builds their pair, in half a minute on
# one core.

# %%
import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from trainers.counterexample import pairs
from zoo import counterexample
from zoo import datasets
from zoo import metrics
from zoo.metrics import judges
from zoo.plots import pictures

# %% tags=["parameters"]
supports = (64, 256, 1024)
capacities = (10, 30, 100, 300)
judged = 10_000  # pairs of either kind

# %% [markdown]
# ## The trick
#
# Add noise to the data: overwrite 16 fixed pixels of every image with independent N(0, 1) numbers.
#
# - The *encoder* reads those 16 pixels. Its code is white noise, and knows nothing else of the
#   image.
# - The *generator* stores m images. It picks one by a part of the code, and overwrites the 16
#   pixels with the code.

# %%
data = datasets.load("fashion_mnist_10k")
game = counterexample.build(data, support=1024, latent_dim=16, seed=0)
x = game.observed(datasets.scale(data.test[:12]), seed=1)
shown = pictures.pairs(x, np.asarray(game.reconstruct(x)), 12)
Image.fromarray(shown).resize((2 * shown.shape[1], 2 * shown.shape[0]))

# %% [markdown]
# Above: noised images x. Below: G(E(x)). The 16 pixels are those of x; the rest is another picture.
#
# *Ask the class* what D sees of each pair: an image with 16 noise pixels, and a code that equals
# these pixels. In both kinds of pairs. The code carries no sign of which kind a pair is:

# %%
z = np.asarray(game.prior_codes(2000, seed=2))
samples = np.asarray(game.decode(z))
print("largest |E(G(z)) - z|:", float(np.abs(np.asarray(game.encode(samples)) - z).max()))
codes = np.asarray(game.encode(game.observed(datasets.scale(data.test), seed=3)))
print(
    f"codes: mean {codes.mean():+.3f}, standard deviation {codes.std():.3f}; the prior's: 0 and 1"
)

# %% [markdown]
# Can the class be read off a code? A logistic regression says no; of pixels it can:

# %%
half = len(codes) // 2
for name, rows in (
    ("codes", codes),
    ("pixels", datasets.scale(data.test).reshape(len(codes), -1)),
):
    known = metrics.logistic_accuracy(
        rows[:half], data.test_labels[:half], rows[half:], data.test_labels[half:]
    )
    print(f"class read off {name}: {known:.1%}")
print(f"chance: {metrics.chance_accuracy(data.test_labels[:half], data.test_labels[half:]):.1%}")

# %% [markdown]
# ## What a discriminator can see
#
# The only weakness: the generator has m images, the data more. Train fresh discriminators of p
# parameters, for several m. They are logistic readouts of random features, a convex problem, so
# that a bad result is not a failure of training.


# %%
def accuracies(support):
    """Held-out accuracy of a fresh discriminator of each capacity; ½ is chance."""
    stream = pairs.Pairs(counterexample.build(data, support, 16, seed=0), data.train, seed=0)
    draw = stream.contrast("pair")
    fresh = [judges.Readout(p, draw, seed=0) for p in capacities]
    judges.fit(fresh, draw, judged, steps=4)
    return [judges.verdict(judge.logits, draw, judged)["accuracy"] for judge in fresh]


found = {support: accuracies(support) for support in supports}
for support, row in found.items():
    print(f"m = {support:>5}: " + ", ".join(f"p = {p}: {a:.3f}" for p, a in zip(capacities, row)))

# %%
figure = Figure(figsize=(7, 4), layout="constrained")
axes = figure.subplots()
for support, row in found.items():
    axes.plot(capacities, row, marker="o", label=f"m = {support:,} stored images")
axes.axhline(0.5, color="grey", linestyle="--", label="cannot tell")
axes.set(xscale="log", xlabel="parameters of the discriminator, p", ylabel="held-out accuracy")
axes.legend()
file = io.BytesIO()
figure.savefig(file, format="png")
Image.open(file)

# %% [markdown]
# *The point.* More parameters detect the pair, more stored images hide it again: at each p the
# accuracy falls as m grows. By the theorem it comes as close to ½ as one likes. So a value of the
# objective near its optimum, with a discriminator of limited size, proves neither that codes mean
# anything nor that G knows the data.
#
# *What it does not say.* The pair was built, not learned. Trained BiGANs do reconstruct in part:
# [what codes mean](what_codes_mean.py). The full measurement, with controls:
# [docs/counterexample.md](../counterexample.md).
#
# ## A slider, if ipywidgets is installed
#
# Walk through the code: one coordinate of z moves, the rest stays. The noise pixel follows it at
# once, and the picture changes when z enters another block.

# %%
coordinate = z[:1].repeat(9, axis=0)
coordinate[:, 0] = np.linspace(-2, 2, 9)
Image.fromarray(pictures.grid(game.decode(coordinate), 9)).resize((522, 58))

# %%
try:
    import ipywidgets
except ModuleNotFoundError:
    print("the slider needs ipywidgets; the row above shows the same")
else:

    def walk(value=0.0):
        code = z[:1].copy()
        code[:, 0] = value
        return Image.fromarray(pictures.grid(game.decode(code), 1)).resize((224, 224))

    ipywidgets.interact(walk, value=ipywidgets.FloatSlider(min=-2, max=2, step=0.1))
