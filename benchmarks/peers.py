"""Processor time of a training step beside PyTorch and pythae, with the same networks.

    pip install -e '.[bench]'
    taskset -c 1 python benchmarks/peers.py [--rounds 12] [--steps 10] [--cases bigan,gan]

Cases: `bigan`, the dcgan BiGAN of 28 × 28 images at batch 128; `gan`, the GAN of points (G with
four layers of 400 units, D with three of 200 maxout units of 5 pieces) at batch 100; `vae_gan` and
`aae`, as `bigan`, beside pythae's own trainers. PyTorch plays the first two in three loops:

- two passes: the usual one. D learns from a forward pass without gradients of the others, then the
  others learn from a second pass, whose gradients of D are thrown away.
- shared pass: both players learn from the gradients of one forward pass, as ours do.
- shared pass, fused: with `torch.optim.Adam(fused=True)`.

Every loop has a process of its own. All take turns in short rounds, and ratios are of processor
seconds of the same round, because other work on a machine adds to wall time. Data, sizes and
optimizers are the same, but that pythae's AAE has one optimizer for all of E; layouts are each
library's own. The row "products alone" is a bound: the time that as many operations take in
products of two matrices, 512 × 512. Not measured: `torch.compile`, which needs a C++ compiler.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import multiprocessing
import statistics
import time
import typing

import numpy as np
from absl import app
from absl import flags

ROUNDS = flags.DEFINE_integer("rounds", 12, "Rounds, in turns.")
STEPS = flags.DEFINE_integer("steps", 10, "Steps of a round, a multiple of 5.")
WARM_UP = 10

PYTORCH = ("PyTorch, two passes", "PyTorch, shared pass", "PyTorch, shared pass, fused")
IMAGES, POINTS = (28, 28, 1), (2,)


class Case(typing.NamedTuple):
    """A game; `xla` as the trainers choose it."""

    method: str
    shape: tuple
    data: str = "fashion_mnist_10k"
    batch: int = 128
    peers: tuple = ("pythae",)
    xla: bool = False
    arguments: dict = {}


GAMES = {
    "bigan": Case("BiGAN", IMAGES, peers=PYTORCH),
    "gan": Case(
        "GAN", POINTS, "grid25", 100, PYTORCH, True, {"latent_dim": 2, "network": "mixture"}
    ),
    "vae_gan": Case("VAEGAN", IMAGES),
    "aae": Case("AAE", IMAGES),
}
CASES = flags.DEFINE_list("cases", list(GAMES), "Cases to measure.")


def made(case):
    import zoo

    chosen = GAMES[case]
    return getattr(zoo, chosen.method)(chosen.shape, **chosen.arguments)


def rates_of(game):
    """(rate, β1) of every player's optimizer; RMSprop has no β1."""
    found = [game.default_optimizer(player, game.network).keywords for player in game.players]
    return [(keywords["learning_rate"], keywords.get("beta_1")) for keywords in found]


def ours(case):
    """A function that takes so many steps, `rates_of` the game, its weights and operations."""
    import arithmetic

    from zoo import datasets

    game, batch = made(case), GAMES[case].batch
    examples = datasets.load(GAMES[case].data).train
    game.compile(jit_compile=GAMES[case].xla, steps_per_execution=5)
    stream = datasets.batches(examples, batch, seed=0)

    def take(steps):
        game.fit(stream, steps_per_epoch=steps, verbose=0, shuffle=False)

    weights = sum(int(np.prod(v.shape)) for v in game.trainable_variables)
    operations = arithmetic.of_step(game, (batch, *game.image_shape))
    return take, rates_of(game), weights, operations


def products(operations):
    """A function that multiplies matrices with as many operations as so many steps."""
    import arithmetic

    multiply, of_product = arithmetic.products(512)

    def take(steps):
        for _ in range(round(steps * operations / of_product)):
            multiply()

    return (take,)


def theirs(loop, case, rates):
    """The same of PyTorch, without the rates."""
    from zoo import datasets

    x = datasets.scale(datasets.load(GAMES[case].data).train)
    batch, threads = GAMES[case].batch, len(os.sched_getaffinity(0))
    if loop == "pythae":
        import pythae_peers

        return pythae_peers.taker(getattr(pythae_peers, case), rates, x, batch, threads)
    import torch_peers

    return torch_peers.taker(loop, case, rates, x, batch, threads)


def work(pipe, build, *arguments):
    """A process: builds, says what it built, then takes steps when it is told how many."""
    take, *about = build(*arguments)
    take(WARM_UP)
    pipe.send(about)
    while steps := pipe.recv():
        wall, processor = time.perf_counter(), time.process_time()
        take(steps)
        spent = time.process_time() - processor, time.perf_counter() - wall
        pipe.send([1000 * seconds / steps for seconds in spent])


def started(build, *arguments):
    """(pipe to a new process that does `work`, what it built)."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    context.Process(target=work, args=(there, build, *arguments), daemon=True).start()
    there.close()
    return here, here.recv()


def measured(case, rounds, steps):
    """Loop → (processor, wall) milliseconds a step of every round; the last loop is ours.

    Raises:
        ValueError: the networks of the two libraries have other numbers of weights.
    """
    own, (rates, weights, operations) = started(ours, case)
    pipes = {}
    for loop in GAMES[case].peers:
        pipes[loop], (found,) = started(theirs, loop, case, rates)
        if found != weights:
            raise ValueError(f"{loop} must have {weights:,} weights, as ours; got {found:,}")
    pipes["products alone"], _ = started(products, operations)
    pipes["ours, XLA" if GAMES[case].xla else "ours"] = own
    found = {loop: [] for loop in pipes}
    for turn in range(rounds):
        for loop in list(pipes)[:: 1 if turn % 2 else -1]:
            pipes[loop].send(steps)
            found[loop].append(pipes[loop].recv())
    for pipe in pipes.values():
        pipe.send(0)
    return found


def main(argv):
    for case in CASES.value:
        found = measured(case, ROUNDS.value, STEPS.value)
        own = [processor for processor, _ in list(found.values())[-1]]
        print(f"{case}, batch {GAMES[case].batch}, {ROUNDS.value} rounds of {STEPS.value} steps")
        print(f"{'':30}{'processor ms':>14}{'wall ms':>9}{'ratio to ours':>15}{'quartiles':>14}")
        for loop, rounds in found.items():
            processor, wall = (statistics.median(column) for column in zip(*rounds, strict=True))
            ratios = [spent / base for (spent, _), base in zip(rounds, own, strict=True)]
            low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
            print(f"{loop:30}{processor:14.2f}{wall:9.2f}{middle:15.2f}{low:9.2f}–{high:.2f}")


if __name__ == "__main__":
    app.run(main)
