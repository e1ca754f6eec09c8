# %% [markdown]
# # A first BiGAN
#
# A GAN learns a generator G, which turns a code z into an image. BiGAN (Donahue, Krähenbühl and
# Darrell 2017, [arXiv:1605.09782](https://arxiv.org/abs/1605.09782)) learns an encoder E beside it,
# which turns an image into a code. The discriminator D sees pairs, (x, E(x)) or (G(z), z), and
# learns to tell which kind a pair is; E and G learn to make that impossible. No pixel of a
# reconstruction G(E(x)) is ever compared with x.
#
# This page trains a small one, decodes, encodes and measures it. `steps` is short on purpose: the
# recipe of `python -m trainers.bigan` takes 16,000 steps of 32 images, and the preset at the end of
# the page more.

# %%
from PIL import Image

import zoo
from zoo import datasets
from zoo import latent
from zoo import metrics
from zoo.plots import pictures

# %% tags=["parameters"]
steps = 1500
trained, tested = 8000, 2000  # images

# %% [markdown]
# ## The data
#
# 8,000 training and 2,000 test images of Fashion-MNIST ship with the package. They are bytes;
# `scale` makes floats in [-1, 1] of them, which is what every network here takes.

# %%
data = datasets.load("fashion_mnist_10k")
x, x_test = datasets.scale(data.train[:trained]), datasets.scale(data.test[:tested])
print(x.shape, x_test.shape, data.classes)
Image.fromarray(pictures.grid(x[:24], 12)).resize((696, 116))

# %% [markdown]
# ## Training
#
# A game is a `keras.Model`. `compile()` takes the optimizers of the method, one for each player,
# and `fit` plays: in each step D and the pair (E, G) move together, from one forward pass. The
# network set `dcgan_joint` has a discriminator that takes the code at every depth, and
# `instance_noise` adds noise to the images that D sees, so that it cannot win by details of the
# pixels.

# %%
game = zoo.BiGAN(
    data.shape,
    latent_dim=10,
    network="dcgan_joint",
    width=16,
    ema=0.999,
    instance_noise=0.3,
    seed=0,
)
game.compile()
batches = len(x) // 64
history = game.fit(x, batch_size=64, epochs=-(-steps // batches), verbose=0)
for player in game.players:
    print(player, [round(loss, 2) for loss in history.history[player]])

# %% [markdown]
# D's loss is below log 2 = 0.69, the loss of a discriminator that cannot tell, and far from 0. The
# losses do not say how good the images are, so look at them, and measure.
#
# ## Codes to images
#
# Samples are decoded draws from the prior, N(0, I):

# %%
samples = game.decode(game.prior_codes(24, seed=1))
Image.fromarray(pictures.grid(samples, 12)).resize((696, 116))

# %% [markdown]
# ## Images to codes, and back
#
# Each test image stands above its reconstruction. The code has 10 numbers, the image 784.

# %%
codes = game.encode(x_test[:24])
print("codes:", codes.shape)
shown = pictures.pairs(x_test[:24], game.decode(codes), 12)
Image.fromarray(shown).resize((2 * shown.shape[1], 2 * shown.shape[0]))

# %% [markdown]
# ## How good is it?
#
# Each figure stands beside its baseline. The x-cycle ratio is the distance of a reconstruction to
# its image, divided by the distance to another image: 1 says that nothing was recovered.
# "Class kept" is the share of reconstructions that a classifier puts into the class of their image.

# %%
measured = data.sliced("train[:2000]", f"test[:{tested}]")
print(metrics.table(metrics.evaluate(game, measured)))

# %% [markdown]
# ## The same, trained for longer
#
# `zoo.load` reads a preset: the same method with the network set `dcgan_map`, width 20,
# trained on 60,000 images for 56 epochs.
# `python -m zoo bigan_fashion_mnist` prints its card, with what falls short.

# %%
preset = zoo.load("bigan_fashion_mnist")
shown = pictures.pairs(x_test[:24], preset.reconstruct(x_test[:24]), 12)
Image.fromarray(shown).resize((2 * shown.shape[1], 2 * shown.shape[0]))

# %% [markdown]
# Between two codes there are further codes. Each row goes from one test image to another; its ends
# are the reconstructions.

# %%
codes = preset.encode(x_test[:8])
path = latent.interpolate(preset, codes[:4], codes[4:], steps=9)
Image.fromarray(pictures.grid(path.reshape(-1, *data.shape), 9)).resize((522, 232))

# %% [markdown]
# ## What next
#
# - `python -m trainers.bigan` trains a BiGAN with `dcgan_map`, resumes, and writes a report.
# - Your own images: [your own photos](your_own_photos.py).
# - If samples look poor: [why is my GAN bad?](../why_is_my_gan_bad.md)
