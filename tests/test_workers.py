"""Two real worker processes on loopback take the steps of one process."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest
from games import examples
from games import make
from games import weights

import zoo

TESTS = pathlib.Path(__file__).parent

WORKER = """
import sys
import numpy as np
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from games import examples, make, weights
x = np.concatenate([examples("mlp", seed=seed) for seed in range(3)])
with strategy.scope():
    game = make(sys.argv[1], "mlp", ema=0.5)
stream = tf.data.Dataset.from_tensor_slices(x).batch(16, drop_remainder=True)
history = game.fit(stream, verbose=0, shuffle=False).history
np.savez(sys.argv[2], loss=history["loss"][-1], **weights(game))
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for opened in sockets:
        opened.bind(("127.0.0.1", 0))
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


@pytest.mark.parametrize(
    "method",
    [m if m == "bigan" else pytest.param(m, marks=pytest.mark.slow) for m in zoo.METHODS],
)
def test_two_workers_take_the_steps_of_one(method, tmp_path):
    import tensorflow as tf

    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    processes = []
    for index in range(2):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = os.environ | {
            "TF_CONFIG": json.dumps(task),
            "CUDA_VISIBLE_DEVICES": "",
            "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
        }
        arguments = [sys.executable, "-c", WORKER, method, str(tmp_path / f"{index}.npz")]
        processes.append(subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE))
    for process in processes:
        _, said = process.communicate(timeout=180)
        assert process.returncode == 0, said.decode()[-2000:]
    one = make(method, "mlp", ema=0.5)
    x = np.concatenate([examples("mlp", seed=seed) for seed in range(3)])
    stream = tf.data.Dataset.from_tensor_slices(x).batch(16, drop_remainder=True)
    history = one.fit(stream, verbose=0, shuffle=False).history
    for index in range(2):
        worker = np.load(tmp_path / f"{index}.npz")
        assert worker["loss"] == pytest.approx(history["loss"][-1], rel=1e-4)
        for name, vector in weights(one).items():
            np.testing.assert_allclose(worker[name], vector, rtol=1e-4, atol=1e-5)
