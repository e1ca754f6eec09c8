"""pythae's VAE/GAN and AAE on the networks of `benchmarks/torch_peers.py`, by its own trainers.

pythae 0.1 (Chadebec, Vincent and Allassonnière 2022, arXiv:2206.08309). Its VAE/GAN calls D four
times a step, and its generator minimises a saturating loss; its AAE takes all gradients from one
forward pass, where ours follows the paper's phases.
"""

import os
import tempfile

os.environ.setdefault("TQDM_DISABLE", "1")

import torch
import torch_peers
from pythae.data.datasets import BaseDataset
from pythae.models import VAEGAN
from pythae.models import Adversarial_AE
from pythae.models import Adversarial_AE_Config
from pythae.models import VAEGANConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder
from pythae.models.nn import BaseDiscriminator
from pythae.models.nn import BaseEncoder
from pythae.trainers import AdversarialTrainer
from pythae.trainers import AdversarialTrainerConfig
from pythae.trainers import CoupledOptimizerAdversarialTrainer
from pythae.trainers import CoupledOptimizerAdversarialTrainerConfig
from torch import nn

LATENT_DIM, WIDTH = 50, 32
# pythae makes a folder for every trainer.
FOLDER = tempfile.TemporaryDirectory()


class Encoder(BaseEncoder):
    """x → mean and log variance, which is 0 if `stochastic` is False."""

    def __init__(self, stochastic):
        super().__init__()
        self.net = torch_peers.encoder(LATENT_DIM * (2 if stochastic else 1), WIDTH)

    def forward(self, x):
        out = self.net(x)
        mean, log_var = out.split(LATENT_DIM, 1) if out.shape[1] > LATENT_DIM else (out, 0 * out)
        return ModelOutput(embedding=mean, log_covariance=log_var)


class Decoder(BaseDecoder):
    def __init__(self):
        super().__init__()
        self.net = torch_peers.generator(LATENT_DIM, WIDTH)

    def forward(self, z):
        return ModelOutput(reconstruction=self.net(z))


class Discriminator(BaseDiscriminator):
    """Probabilities; level 1 is the output of the layers in `first`, the last is that of all."""

    def __init__(self, first, rest):
        super().__init__()
        self.first, self.rest, self.depth = first, nn.Sequential(*rest, nn.Sigmoid()), 2

    def forward(self, x, output_layer_levels=None):
        hidden = self.first(x)
        if output_layer_levels == [1]:
            return ModelOutput(embedding_layer_1=hidden)
        return ModelOutput(embedding=self.rest(hidden))


def of_images():
    """The discriminator of VAE/GAN: its features are the raw output of the last convolution."""
    layers = torch_peers.convolutions(WIDTH)
    hidden = [torch_peers.dense(49 * 2 * WIDTH, 16 * WIDTH), torch_peers.leaky()]
    rest = [*layers[3:], *hidden, torch_peers.dense(16 * WIDTH, 1)]
    return Discriminator(nn.Sequential(*layers[:3]), rest)


def of_codes():
    layers, inputs = [], LATENT_DIM
    for _ in range(2):
        layers += [torch_peers.dense(inputs, 32 * WIDTH), torch_peers.leaky()]
        inputs = 32 * WIDTH
    return Discriminator(nn.Sequential(*layers), [torch_peers.dense(inputs, 1)])


def vae_gan(rates, **settings):
    config = VAEGANConfig(input_dim=(1, 28, 28), latent_dim=LATENT_DIM, reconstruction_layer=1)
    model = VAEGAN(config, Encoder(True), Decoder(), of_images())
    optimizers = {
        f"{network}_{key}": value
        for network, (rate, _) in zip(("encoder", "decoder", "discriminator"), rates, strict=True)
        for key, value in {
            "optimizer_cls": "RMSprop",
            "optimizer_params": {"alpha": 0.9},  # as Keras' rho
            "learning_rate": rate,
        }.items()
    }
    config = CoupledOptimizerAdversarialTrainerConfig(**optimizers, **settings)
    return CoupledOptimizerAdversarialTrainer, model, config


def aae(rates, **settings):
    config = Adversarial_AE_Config(
        input_dim=(1, 28, 28), latent_dim=LATENT_DIM, deterministic_posterior=True
    )
    model = Adversarial_AE(config, Encoder(False), Decoder(), of_codes())
    # Ours has another optimizer for E's part in the game of codes.
    (of_both, _), (of_codes_rate, beta_1), _ = rates
    config = AdversarialTrainerConfig(
        autoencoder_learning_rate=of_both,
        discriminator_learning_rate=of_codes_rate,
        discriminator_optimizer_params={"betas": (beta_1, 0.999)},
        **settings,
    )
    return AdversarialTrainer, model, config


def taker(make, rates, x, batch, threads):
    """A function that takes so many steps, and the number of weights.

    Args:
        make: `vae_gan` or `aae`.
        rates: (rate, β1) of every player of our game, in order.
        x: float32 images (n, 28, 28, 1).
    """
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    kind, model, config = make(
        rates, output_dir=FOLDER.name, per_device_train_batch_size=batch, no_cuda=True, num_epochs=1
    )
    images = torch.from_numpy(x).movedim(-1, 1).contiguous()

    def data(steps):
        chosen = torch.randperm(len(images))[: steps * batch]
        return BaseDataset(images[chosen], torch.zeros(len(chosen)))

    trainer = kind(model, data(1), training_config=config)
    trainer.prepare_training()

    def take(steps):
        trainer.train_loader = trainer.get_train_dataloader(data(steps))
        trainer.train_step(epoch=1)

    return take, sum(weight.numel() for weight in model.parameters())
