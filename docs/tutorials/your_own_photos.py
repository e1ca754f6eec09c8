# %% [markdown]
# # Your own photos
#
# A folder of images is a data set: PNG, JPEG, WebP, BMP, GIF, TIFF, of any size if you name one
# to resize to. Sub-folders are classes; without them there is one class. Set `folder` to yours.
#
# So that this page runs anywhere, it cuts small pictures out of the two photos that come with
# scikit-learn (china.jpg and flower.jpg, CC BY 2.0) and writes them to a temporary folder. They
# overlap, so what is measured here on test pictures is better than it would be on new photos.

# %%
import pathlib
import tempfile

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

import zoo
from zoo import datasets
from zoo import latent
from zoo.plots import pictures

# %% tags=["parameters"]
folder = ""  # such as "photos"; "" for the pictures that this page makes
side = 32  # pixels
cut = 600  # pictures of each photo
epochs = 30

# %%
temporary = tempfile.TemporaryDirectory()
if not folder:
    folder = pathlib.Path(temporary.name) / "photos"
    rng = np.random.default_rng(0)
    for name, photo in zip(("china", "flower"), load_sample_images().images):
        (folder / name).mkdir(parents=True)
        for number in range(cut):
            size = rng.integers(80, 200)
            top, left = (rng.integers(length - size) for length in photo.shape[:2])
            piece = Image.fromarray(photo[top : top + size, left : left + size])
            piece.resize((48, 48)).save(folder / name / f"{number:04}.jpg", quality=95)

# %% [markdown]
# ## Read it
#
# Every file is decoded now, so that a damaged one is named now. Every tenth image of a class is
# kept for testing, unless the folder has `train` and `test`. Images are cropped to a square and
# resized.

# %%
data = datasets.load(f"folder:{folder}", image_size=side)
x, x_test = datasets.scale(data.train), datasets.scale(data.test)
print(f"{len(x)} for training, {len(x_test)} for testing, of shape {data.shape}: {data.classes}")
Image.fromarray(pictures.grid(x[:: len(x) // 24][:24], 12)).resize((792, 132))

# %% [markdown]
# ## Train
#
# On a thousand images, for a minute, a method whose loss has a reconstruction error shows most:
# here an adversarial autoencoder (Makhzani et al. 2015,
# [arXiv:1511.05644](https://arxiv.org/abs/1511.05644)), whose discriminator judges codes, not
# images. Its pictures are blurred, and that is what its loss asks for. `zoo.BiGAN`, `zoo.ALI` or
# `zoo.VAEGAN` take the same arguments and need many more steps: think of thousands, not of
# hundreds.

# %%
game = zoo.AAE(data.shape, latent_dim=32, width=16, ema=0.99, seed=0)
game.compile()
history = game.fit(x, batch_size=64, epochs=epochs, verbose=0)
print(f"{epochs * len(x) // 64} steps; last losses:")
print({name: round(losses[-1], 2) for name, losses in history.history.items()})

# %%
chosen = np.linspace(0, len(x_test) - 1, 24).astype(int)
shown = pictures.pairs(x_test[chosen], game.predict(x_test[chosen], verbose=0), 12)
Image.fromarray(shown).resize((2 * shown.shape[1], 2 * shown.shape[0]))

# %% [markdown]
# ## Find the unusual ones
#
# A picture of a kind that the game was not trained on should come back worse. Here every test
# picture is scored twice: upright, and rotated by a quarter turn. The AUROC is the probability that
# a rotated one has the larger score; ½ is chance. The baseline beside it, the distance to the
# nearest training image, needs no model: on small sets it is hard to beat (below it is ahead, 0.68
# against 0.62), so always look at both.

# %%
turned = np.rot90(x_test, axes=(1, 2))
ours, nearest = latent.anomaly_scores(game, x_test), latent.baseline_scores(x, x_test)
ours_turned, nearest_turned = (
    latent.anomaly_scores(game, turned),
    latent.baseline_scores(x, turned),
)
for name, usual, unusual in (
    ("reconstruction error", ours["reconstruction_error"], ours_turned["reconstruction_error"]),
    ("nearest training image", nearest["pixel_neighbour"], nearest_turned["pixel_neighbour"]),
):
    print(f"{name}: AUROC {latent.auroc(usual, unusual):.2f}")

# %% [markdown]
# ## Keep it
#
# `save` writes networks, optimizers and the state of the noise into one file; `zoo.load` continues
# from there.

# %%
saved = pathlib.Path(temporary.name) / "photos.keras"
game.save(saved)
again = zoo.load(str(saved))
print("equal:", bool((np.asarray(again.encode(x_test)) == np.asarray(game.encode(x_test))).all()))
temporary.cleanup()

# %% [markdown]
# ## The same from the command line
#
# `python -m trainers.aae --dataset=folder:photos --image_size=32` also resumes, draws pictures as
# it trains and writes a report. `--image_size=64` and 128 work with the network sets `dcgan` and
# `residual`; see [all flags](../../README.md#train-on-your-data).
