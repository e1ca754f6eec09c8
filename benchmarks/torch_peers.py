"""The networks, losses and loops of `benchmarks/peers.py` in PyTorch, without TensorFlow.

The two libraries are not loaded into one process: together they end it with a segmentation fault
(TensorFlow 2.21, PyTorch 2.14).
"""

import functools
import itertools

import torch
from torch import nn
from torch.nn import functional


class Pair(nn.Module):
    """(x, z) → logit: the joint discriminator of `zoo.networks.dcgan` for 28 × 28 × 1."""

    def __init__(self, latent_dim, width):
        super().__init__()
        self.image = nn.Sequential(*convolutions(width), dense(49 * 2 * width, 16 * width), leaky())
        self.code = nn.Sequential(dense(latent_dim, 16 * width), leaky())
        self.both = nn.Sequential(dense(32 * width, 16 * width), leaky(), dense(16 * width, 1))

    def forward(self, x, z):
        return self.both(torch.cat([self.image(x), self.code(z)], dim=1))


class Maxout(nn.Module):
    """Units that are each the largest of `pieces` linear functions."""

    def __init__(self, inputs, units, pieces=5):
        super().__init__()
        self.linear, self.shape = dense(inputs, units * pieces), (units, pieces)

    def forward(self, x):
        return self.linear(x).unflatten(1, self.shape).amax(dim=2)


def dense(inputs, units, bias=True):
    return nn.Linear(inputs, units, bias)


def leaky():
    return nn.LeakyReLU(0.2)


def norm(kind, units):
    # PyTorch's momentum is the weight of the new value.
    return kind(units, eps=1e-5, momentum=0.1)


def convolutions(width):
    return [
        nn.Conv2d(1, width, 4, 2, 1),
        leaky(),
        nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
        norm(nn.BatchNorm2d, 2 * width),
        leaky(),
        nn.Flatten(),
    ]


def encoder(latent_dim, width):
    hidden = [dense(49 * 2 * width, 16 * width, False), norm(nn.BatchNorm1d, 16 * width), leaky()]
    return nn.Sequential(*convolutions(width), *hidden, dense(16 * width, latent_dim))


def generator(latent_dim, width):
    return nn.Sequential(
        dense(latent_dim, 16 * width, False),
        norm(nn.BatchNorm1d, 16 * width),
        nn.ReLU(),
        dense(16 * width, 49 * 2 * width, False),
        norm(nn.BatchNorm1d, 49 * 2 * width),
        nn.ReLU(),
        nn.Unflatten(1, (2 * width, 7, 7)),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),
        norm(nn.BatchNorm2d, width),
        nn.ReLU(),
        nn.ConvTranspose2d(width, 1, 4, 2, 1),
        nn.Tanh(),
    )


def point_generator(latent_dim):
    layers, inputs = [], latent_dim
    for _ in range(4):
        layers += [dense(inputs, 400, False), norm(nn.BatchNorm1d, 400), nn.ReLU()]
        inputs = 400
    return nn.Sequential(*layers, dense(400, 2))


def point_discriminator():
    return nn.Sequential(Maxout(2, 200), Maxout(200, 200), Maxout(200, 200), dense(200, 1))


def accepted(logits):
    return functional.softplus(-logits).mean()


def rejected(logits):
    return functional.softplus(logits).mean()


class BiGAN:
    """Networks and losses of `zoo.BiGAN`, in PyTorch."""

    def __init__(self, latent_dim=50, width=32):
        self.latent_dim = latent_dim
        self.encoder, self.generator = encoder(latent_dim, width), generator(latent_dim, width)
        self.discriminator = Pair(latent_dim, width)
        self.others = nn.ModuleList([self.encoder, self.generator])

    def made(self, x, z):
        """What D judges: pairs of the encoder, and pairs of the generator."""
        return (x, self.encoder(x)), (self.generator(z), z)

    def losses(self, pairs):
        encoded, generated = (self.discriminator(*pair) for pair in pairs)
        return (
            (accepted(encoded) + rejected(generated)) / 2,
            (rejected(encoded) + accepted(generated)) / 2,
        )


class GAN:
    """Networks and losses of `zoo.GAN` on points, in PyTorch."""

    def __init__(self, latent_dim=2):
        self.latent_dim = latent_dim
        self.others, self.discriminator = point_generator(latent_dim), point_discriminator()

    def made(self, x, z):
        return x, self.others(z)

    def losses(self, judged):
        real, fake = map(self.discriminator, judged)
        return accepted(real) + rejected(fake), accepted(fake)


def adams(game, rates, **options):
    owned = (game.discriminator, game.others)
    return [
        torch.optim.Adam(list(net.parameters()), rate, betas=(beta_1, 0.999), **options)
        for net, (rate, beta_1) in zip(owned, rates, strict=True)
    ]


def two_passes(game, rates):
    of_d, of_others = adams(game, rates)

    def step(x):
        z = torch.randn(len(x), game.latent_dim)
        with torch.no_grad():
            judged = game.made(x, z)
        of_d.zero_grad()
        game.losses(judged)[0].backward()
        of_d.step()
        z = torch.randn(len(x), game.latent_dim)
        of_others.zero_grad()
        game.losses(game.made(x, z))[1].backward()
        of_others.step()

    return step


def shared_pass(game, rates, **options):
    optimizers = adams(game, rates, **options)

    def step(x):
        losses = game.losses(game.made(x, torch.randn(len(x), game.latent_dim)))
        for loss, optimizer, last in zip(losses, optimizers, (False, True), strict=True):
            owned = optimizer.param_groups[0]["params"]
            gradients = torch.autograd.grad(loss, owned, retain_graph=not last)
            for weight, gradient in zip(owned, gradients, strict=True):
                weight.grad = gradient
        for optimizer in optimizers:
            optimizer.step()

    return step


def batches(x, batch):
    """Endless shuffled batches of an array in memory, images with channels first."""
    x = torch.from_numpy(x)
    x = x.movedim(-1, 1).contiguous() if x.ndim == 4 else x
    while True:
        for chosen in torch.randperm(len(x)).split(batch)[: len(x) // batch]:
            yield x[chosen]


# Case of `benchmarks/peers.py` → its game.
GAMES = {"bigan": BiGAN, "gan": GAN}


def weights(game):
    """How many weights are trained."""
    nets = (game.discriminator, game.others)
    return sum(weight.numel() for net in nets for weight in net.parameters())


def taker(loop, case, rates, x, batch, threads):
    """A function that takes so many steps, and the number of weights.

    Args:
        loop: a key of `LOOPS`.
        case: a key of `GAMES`.
        rates: (rate, β1) of Adam, of the discriminator and of the other player.
        x: float32 (n, ...), channels last.
    """
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    game, shuffled = GAMES[case](), batches(x, batch)
    step = LOOPS[loop](game, rates)

    def take(steps):
        for some in itertools.islice(shuffled, steps):
            step(some)

    return take, weights(game)


LOOPS = {
    "PyTorch, two passes": two_passes,
    "PyTorch, shared pass": shared_pass,
    "PyTorch, shared pass, fused": functools.partial(shared_pass, fused=True),
}
