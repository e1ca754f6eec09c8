"""One replica, two devices and two worker processes take the same steps on the same data.

One pair of processes does everything, because starting them is what costs.
"""

import pathlib
import re

import keras
import numpy as np
import pytest
import workers
from games import OWN_NETWORKS
from games import completed
from games import examples
from games import make
from games import size
from games import step

import zoo
from trainers.distribute import strategy
from zoo import datasets
from zoo import priors
from zoo.datasets import aligned

# Adam whose ε keeps a gradient of nearly nothing, which is rounding, from becoming a whole step. At
# larger rates a rectifier now and then falls on the other side of zero, and the runs part.
RATE = 1e-4
STEPS = 20
# The derivative of |x| jumps at 0. After some steps a pixel is so near to it that rounding decides,
# as it does on one replica too if the images of a batch change places.
STEPS_OF = {"cyclegan": 5}

# Of what the steps moved the weights by: how far apart two runs of them may end.
SHARE = 1e-3

# Signed zero, NaN, the smallest number, halves of odd length, whole numbers.
STATE = [
    np.array([0.1, -0.0, np.nan, 1e-45], np.float32),
    np.array([1, 2, 3], np.float16),
    np.array(-(2**40), np.int64),
    np.array([2**31 - 1, -(2**31)], np.int32),
]

# Points that are their own numbers: 50 of them, taken 8 at a time.
COUNT, BATCH = 50, 8

# Of a set that a copy would show in the memory of a process.
SIZE = 2**29


def network_of(method):
    """mlp, unless the method does not take it."""
    return OWN_NETWORKS.get(method, ("mlp",))[0]


def play(method):
    """`method` after `STEPS` steps in the strategy's scope that is open; its loss."""
    import tensorflow as tf

    def adam(rate):
        return keras.optimizers.Adam(rate, epsilon=1e-3)

    network = network_of(method)
    game = make(method, network, rate=RATE, optimizer=adam, ema=0.5)
    n, steps = size(game), STEPS_OF.get(method, STEPS)
    x = np.concatenate([examples(network, n, seed) for seed in range(steps)])
    stream = tf.data.Dataset.from_tensor_slices(completed(game, x)).batch(n, drop_remainder=True)
    return game, game.fit(stream, verbose=0, shuffle=False).history["loss"][-1]


def numbers(game):
    """Place → array: weights, statistics, averages, state of the noise."""
    kept = [*game.weights, game.optimizer.iterations, game.seed_generator.state]
    return {f"number{place}": v.numpy() for place, v in enumerate(kept)}


def points():
    """Points that are their own numbers."""
    return np.arange(COUNT, dtype=np.float32)[:, None].repeat(2, axis=1)


def images(folder):
    """Images of 4 × 4 that are their own numbers, mapped from a cache that is made by the first."""
    return datasets.load(f"npz:{folder}/numbered.npz", cache_dir=f"{folder}/cache").train


def write_images(folder):
    numbered = np.arange(COUNT, dtype=np.uint8)[:, None, None].repeat(16, axis=2).reshape(-1, 4, 4)
    np.savez(folder / "numbered.npz", train=numbered, test=numbered)


def indices(placed, start, steps, examples):
    """Which `examples` each step of this process' replicas takes. (steps, replicas' share)."""
    batches = datasets.batches(examples, BATCH, 3, start)
    stream = iter(placed.experimental_distribute_dataset(batches))
    taken = [placed.experimental_local_results(next(stream)) for _ in range(steps)]
    shares = np.array([np.concatenate([part for part in batch]) for batch in taken])
    shares = shares if examples.dtype == np.float32 else datasets.unscale(shares)
    return shares.reshape(steps, shares.shape[1], -1)[..., 0]


def growth(placed):
    """By how many bytes the memory of this process grows when it reads a set of SIZE bytes."""

    def used():
        status = pathlib.Path("/proc/self/status").read_text()
        return 1024 * int(re.search(r"RssAnon:\s+(\d+)", status)[1])

    # Zeros of `empty` take no memory before they are read.
    examples = aligned.empty((SIZE // 16, 4, 4, 1))
    before = used()
    indices(placed, 0, 3, examples)
    return used() - before


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
from trainers.distribute import agreement
rank, folder, methods = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
team = agreement.Workers(placed, rank, 2)
said = team.gather([rank + 5, 65535])
team.compare(dict.fromkeys("abc", 0.1))
refusals = []
for mine in ({"--seed": 1, "--width": rank, "--ema": rank}, {"--width": 1, f"--{rank}": 0}):
    try:
        team.compare(mine)
    except ValueError as refusal:
        refusals.append(str(refusal))
with placed.scope():
    mine = [tf.Variable(np.zeros_like(value)) for value in test_workers.STATE]
if rank == 0:
    for variable, value in zip(mine, test_workers.STATE):
        variable.assign(value)
team.adopt(mine)
np.savez(
    f"{folder}/{rank}.npz",
    gathered=said,
    refusals=refusals,
    indices=test_workers.indices(placed, 0, 25, test_workers.points()),
    mapped=test_workers.indices(placed, 0, 25, test_workers.images(folder)),
    later=test_workers.indices(placed, 11, 3, test_workers.images(folder)),
    growth=test_workers.growth(placed),
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
    write_images(folder)
    cluster = workers.addresses(2)
    said = [folder / f"said-{rank}.txt" for rank in range(2)]
    processes = [
        workers.start(["-c", WORKER, str(rank), str(folder), *methods], said[rank], cluster, rank)
        for rank in range(2)
    ]
    assert workers.end(processes, 1200) == [0, 0], said[0].read_text()[-3000:]
    return folder


OTHERS = [method for method in zoo.METHODS if method != "bigan"]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return meet(tmp_path_factory.mktemp("pair"), ["bigan"])


@pytest.fixture(scope="module")
def all_methods(tmp_path_factory):
    return meet(tmp_path_factory.mktemp("all"), OTHERS)


def check_same_steps(method, folder, two_devices):
    one, loss = play(method)
    with two_devices.scope():
        two, loss_of_two = play(method)
    first, second = (np.load(folder / f"{method}-{rank}.npz") for rank in range(2))
    assert [loss_of_two, first["loss"].item()] == pytest.approx([loss] * 2, rel=1e-5)
    for (name, one_value), two_value in zip(numbers(one).items(), numbers(two).values()):
        assert np.array_equal(first[name], second[name]), name
        length = max(np.linalg.norm(one_value.astype(float)), 1e-3)
        for other in (two_value, first[name]):
            assert np.linalg.norm(one_value.astype(float) - other) < 1e-5 * length, name
    # Weights are large beside what moved them, so that is what an error is measured by.
    untouched = make(method, network_of(method), ema=0.5)
    for owned in {net for nets in one.players.values() for net in nets}:
        trained = {id(v) for v in getattr(one, owned).trainable_variables}
        places = [place for place, v in enumerate(one.weights) if id(v) in trained]

        def vector(values, places=places):
            return np.concatenate([np.ravel(values[f"number{place}"]) for place in places])

        before, after = vector(numbers(untouched)), vector(numbers(one)).astype(float)
        moved = np.linalg.norm(after - before)
        assert moved > 1e-4 * np.linalg.norm(before), owned
        for other in (numbers(two), first):
            assert np.linalg.norm(after - vector(other)) < SHARE * moved, owned


def test_one_replica_two_devices_and_two_workers_take_the_same_steps(pair, two_devices):
    check_same_steps("bigan", pair, two_devices)


@pytest.mark.long
@pytest.mark.parametrize("method", OTHERS)
def test_so_does_every_other_method(method, all_methods, two_devices):
    check_same_steps(method, all_methods, two_devices)


@pytest.mark.slow
def test_statistics_are_of_the_whole_batch_or_of_the_first_replicas_share(two_devices):
    x = examples("mixture")
    x[8:] += 0.5

    def mean(placed, x, synchronised=True):
        """Moving mean of the encoder's first batch norm after a step that moves no weight."""
        with placed.scope():
            game = make("bigan", "mixture", rate={})
            if not synchronised:
                strategy.unsynchronised(game)
            step(game, x)
        norms = (layer for layer in game.encoder.layers if hasattr(layer, "moving_mean"))
        return next(norms).moving_mean.numpy()

    alone = strategy.build("one_device")[0]
    whole, share = mean(alone, x), mean(alone, x[:8])
    assert np.abs(whole - share).max() > 1e-3
    np.testing.assert_allclose(mean(two_devices, x), whole, atol=1e-6)
    np.testing.assert_allclose(mean(two_devices, x, synchronised=False), share, atol=1e-6)


@pytest.mark.parametrize("name", ["indices", "mapped"])
def test_workers_take_every_example_once_and_none_twice(pair, name):
    shares = [np.load(pair / f"{rank}.npz")[name] for rank in range(2)]
    assert [share.shape for share in shares] == [(25, BATCH // 2)] * 2
    # 25 steps of 8 are four passes over 50 points; a batch may straddle two of them.
    stream = np.concatenate(shares, axis=1).reshape(4, COUNT).astype(int)
    for turn in stream:
        assert sorted(turn) == list(range(COUNT))
    assert not np.array_equal(stream[0], stream[1])


def test_workers_and_devices_share_the_batches_of_one_and_resume_inside_a_pass(pair, two_devices):
    import tensorflow as tf

    alone = tf.distribute.get_strategy()
    from_zero = indices(alone, 0, 25, points())
    assert not images(pair).flags.writeable
    for start, steps, name in ((0, 25, "indices"), (0, 25, "mapped"), (11, 3, "later")):
        whole = from_zero[start : start + steps]
        np.testing.assert_array_equal(indices(two_devices, start, steps, images(pair)), whole)
        shares = [np.load(pair / f"{rank}.npz")[name] for rank in range(2)]
        np.testing.assert_array_equal(np.concatenate(shares, axis=1), whole)
        np.testing.assert_array_equal(indices(alone, start, steps, images(pair)), whole)


def test_workers_do_not_copy_the_examples(pair):
    for rank in range(2):
        assert np.load(pair / f"{rank}.npz")["growth"] < SIZE / 4


def test_noise_of_replicas_is_the_noise_of_one_in_parts(pair, two_devices):
    game = make("bigan", "mixture", prior="uniform")
    whole = np.array([game.noise(8).numpy(), game.normal_noise(8).numpy()])
    np.testing.assert_array_equal(noise(two_devices), whole)
    shares = [np.load(pair / f"{rank}.npz")["noise"] for rank in range(2)]
    np.testing.assert_array_equal(np.concatenate(shares, axis=1), whole)
    assert len(np.unique(whole)) == whole.size


def test_workers_agree_and_take_the_chiefs_state_bit_for_bit(pair):
    for rank in range(2):
        kept = np.load(pair / f"{rank}.npz")
        np.testing.assert_array_equal(kept["gathered"], [[5, 65535], [6, 65535]])
        for place, value in enumerate(STATE):
            assert kept[f"adopted{place}"].tobytes() == value.tobytes()


def test_workers_say_what_they_were_started_with_that_differs(pair):
    for rank in range(2):
        values, names = np.load(pair / f"{rank}.npz")["refusals"]
        assert f"another --width and another --ema (here: {rank}) than worker 0" in values
        assert "--seed" not in values
        assert "worker 1 was started with another trainer, or version of it, than" in names


def test_replicas_draw_their_part_at_a_size_that_xla_knows(monkeypatch):
    import tensorflow as tf

    whole = priors.draw(priors.normal, 8, (3,), 5).numpy()

    @tf.function(jit_compile=True)
    def part(replica):
        monkeypatch.setattr(priors, "_replica", lambda: (2, replica))
        return priors.draw(lambda shape, seed: tf.constant(whole), 4, (3,), 5)

    for replica in range(2):
        drawn = part(tf.constant(replica))
        np.testing.assert_array_equal(drawn, whole[4 * replica : 4 * replica + 4])
