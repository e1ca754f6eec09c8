"""One replica, two devices and two worker processes take the same steps on the same data.

One pair of processes does everything, because starting them is what costs.
"""

import keras
import numpy as np
import pytest
import workers
from games import examples
from games import make

import zoo
from zoo import datasets
from zoo import priors

# Adam whose ε keeps a gradient of nearly nothing, which is rounding, from becoming a whole step.
RATE = 1e-3
STEPS = 20

# Points that are their own numbers: 50 of them, taken 8 at a time.
COUNT, BATCH = 50, 8


def play(method):
    """`method` after `STEPS` steps in the strategy's scope that is open; its loss."""
    import tensorflow as tf

    def adam(rate):
        return keras.optimizers.Adam(rate, epsilon=1e-3)

    game = make(method, "mixture", rate=RATE, optimizer=adam, ema=0.5)
    x = np.concatenate([examples("mixture", seed=seed) for seed in range(STEPS)])
    stream = tf.data.Dataset.from_tensor_slices(x).batch(16, drop_remainder=True)
    return game, game.fit(stream, verbose=0, shuffle=False).history["loss"][-1]


def numbers(game):
    """Path → array: weights, statistics, averages, slots of optimizers, state of the noise."""
    kept = [*game.weights, *game.optimizer.variables, game.seed_generator.state]
    return {f"{place} {v.path}": v.numpy() for place, v in enumerate(kept)}


def indices(placed, start, steps):
    """Which points each step of this process' replicas takes. (steps, replicas' share)."""
    points = np.arange(COUNT, dtype=np.float32)[:, None].repeat(2, axis=1)
    stream = iter(
        placed.experimental_distribute_dataset(datasets.batches(points, BATCH, 3, start))
    )
    taken = [placed.experimental_local_results(next(stream)) for _ in range(steps)]
    return np.array([np.concatenate([part[:, 0] for part in batch]) for batch in taken])


def noise(placed):
    """What this process' replicas draw: codes of the prior, normal noise."""
    with placed.scope():
        game = make("bigan", "mixture", prior="uniform")
    drawn = placed.run(lambda: (game.noise(4), game.normal_noise(4)))
    local = [placed.experimental_local_results(part) for part in drawn]
    return np.array([np.concatenate([part.numpy() for part in parts]) for parts in local])


WORKER = """
import sys
import numpy as np
import tensorflow as tf
placed = tf.distribute.MultiWorkerMirroredStrategy()
import test_workers
from trainers import agreement
rank, folder, methods = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
team = agreement.Workers(placed, rank, 2)
said = team.gather([rank + 5, 65535])
# Odd lengths, signed zeros, NaN, whole numbers and half precision.
with placed.scope():
    mine = [
        tf.Variable(np.array(value, dtype))
        for value, dtype in (
            ([0.1, -0.0, np.nan] if rank == 0 else [1, 2, 3], np.float32),
            (2**32 - 3 + rank, np.uint32),
            ([True, rank == 1, False], np.bool_),
            (rank - 2**40, np.int64),
        )
    ]
mine[1].assign(np.uint32(2**32 - 3 + rank))
for variable, value in zip(mine, ([0.1, -0.0, np.nan], 2**32 - 3, [True, False, False], -2**40)):
    if rank:
        variable.assign(tf.zeros_like(variable))
team.adopt(mine)
np.savez(
    f"{folder}/{rank}.npz",
    gathered=said,
    indices=test_workers.indices(placed, 0, 25),
    later=test_workers.indices(placed, 11, 3),
    noise=test_workers.noise(placed),
    **{f"adopted{place}": v.numpy() for place, v in enumerate(mine)},
)
for method in methods:
    with placed.scope():
        game, loss = test_workers.play(method)
    np.savez(f"{folder}/{method}-{rank}.npz", loss=loss, **test_workers.numbers(game))
"""


def meet(folder, methods):
    """Two workers do all of `WORKER`."""
    cluster = workers.addresses(2)
    said = [folder / f"said-{rank}.txt" for rank in range(2)]
    processes = [
        workers.start(["-c", WORKER, str(rank), str(folder), *methods], said[rank], cluster, rank)
        for rank in range(2)
    ]
    assert workers.end(processes, 1200) == [0, 0], said[0].read_text()[-3000:]
    return folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return meet(tmp_path_factory.mktemp("pair"), ["bigan", "vae"])


@pytest.fixture(scope="module")
def all_methods(tmp_path_factory):
    return meet(tmp_path_factory.mktemp("all"), list(zoo.METHODS))


def check_same_steps(method, folder, two_devices):
    start = numbers(make(method, "mixture", ema=0.5))
    one, loss = play(method)
    with two_devices.scope():
        two, loss_of_two = play(method)
    first, second = (np.load(folder / f"{method}-{rank}.npz") for rank in range(2))
    assert [loss_of_two, first["loss"].item()] == pytest.approx([loss] * 2, rel=1e-5)
    trained, far = numbers(one), {}
    for name, others in zip(trained, zip(numbers(two).values(), first.values())):
        pass
    for place, (name, vector) in enumerate(trained.items()):
        length = np.linalg.norm(vector.astype(float))
        assert np.array_equal(first[name], second[name]), name
        for other in (list(numbers(two).values())[place], first[name]):
            far[name] = np.linalg.norm(vector.astype(float) - other) / max(length, 1e-3)
            assert far[name] < 1e-5, name
    for owned in set(sum(one.players.values(), ())):
        before = getattr(make(method, "mixture"), owned).trainable_variables
        for old, new in zip(before, getattr(one, owned).trainable_variables):
            assert np.linalg.norm(new.numpy() - old.numpy()) > 1e-3 * np.linalg.norm(old), new.path
    return start
