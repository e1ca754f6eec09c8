"""TensorFlow and JAX: equal steps for equal weights and noise, and the contract on JAX.

JAX runs in processes of its own: Keras has one backend per process.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys

import backends
import keras
import numpy as np
import pytest
from games import batch
from games import step
from written import WRITTEN

import zoo

TESTS = pathlib.Path(__file__).parent
QUICK = ("bigan",)

pytestmark = [
    pytest.mark.tensorflow("this is the TensorFlow half of a pair of processes"),
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None, reason="needs JAX: pip install '.[jax]'"
    ),
]


def on_jax(*arguments, cwd=TESTS.parent, **environment):
    """Run Python on JAX; what it printed."""
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
        **environment,
    }
    environment.pop("PYTEST_XDIST_WORKER", None)
    asked = [sys.executable, *map(str, arguments)]
    done = subprocess.run(asked, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


@pytest.fixture
def noise(monkeypatch):
    """Noise that does not depend on the backend, for this test only."""
    monkeypatch.setattr(keras.random, "normal", keras.random.normal)
    monkeypatch.setattr(keras.random, "uniform", keras.random.uniform)
    return backends.Noise()


@pytest.mark.parametrize(
    "methods",
    [
        QUICK,
        pytest.param(tuple(m for m in zoo.METHODS if m not in QUICK), marks=pytest.mark.long),
        pytest.param(tuple(WRITTEN), marks=pytest.mark.long),
    ],
    ids=["quick", "others", "written"],
)
def test_both_backends_take_the_same_step_and_load_what_the_other_saved(methods, tmp_path, noise):
    backends.begin(methods, tmp_path, noise)
    on_jax(TESTS / "backends.py", tmp_path, *methods)
    backends.play(methods, tmp_path, noise)
    for method in methods:
        ours, theirs = (np.load(tmp_path / f"{method}-{b}.npz") for b in ("tensorflow", "jax"))
        assert set(ours) == set(theirs)
        assert sum(name.startswith(("first", "second")) for name in ours) >= 4
        start = backends.values(zoo.load(tmp_path / f"{method}.keras"))
        for name in ours:
            if name.startswith(("first", "second")):
                assert theirs[name] == pytest.approx(ours[name], rel=1e-5), (method, name)
                continue
            apart = np.linalg.norm(np.float64(theirs[name]) - ours[name])
            # Biases begin at 0, and what moves them may cancel to little more than rounding.
            assert apart <= 1e-5 * np.linalg.norm(ours[name]) + 1e-9, (method, name)
        moved = [n for n in start if np.any(start[n] != ours[n])]
        assert any(n.startswith("weight") for n in moved)
        assert any(n.startswith("optimizer") for n in moved)
        crossed = zoo.load(tmp_path / f"{method}-jax.keras")
        for name, value in backends.values(crossed).items():
            np.testing.assert_array_equal(value, theirs[name], err_msg=f"{method} {name}")
        for name, loss in step(noise.of(crossed), batch(crossed, seed=2)).items():
            assert loss == pytest.approx(float(theirs[f"second {name}"]), rel=1e-5), method


def contract(tmp_path, *arguments):
    """Run tests of this folder on JAX with two devices; how many passed."""
    said = on_jax(
        *("-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", "--durations=0"),
        *arguments,
        JAX_COMPILATION_CACHE_DIR=str(tmp_path),
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
    )
    (passed,) = [line for line in said.splitlines() if " passed" in line]
    return int(passed.split(" passed")[0].split()[-1])


@pytest.mark.slow
def test_the_contract_holds_on_jax(tmp_path):
    chosen = "(bigan-dcgan and (moves or saved)) or test_jax or (inversion and weights)"
    assert contract(tmp_path, "-k", chosen, *suites()) == 21


@pytest.mark.long
def test_the_whole_contract_holds_on_jax(tmp_path):
    assert contract(tmp_path, *suites()) >= 150
    assert contract(tmp_path, "-m", "slow", TESTS / "test_jax.py") == 3 * (len(zoo.METHODS) - 1)


@pytest.mark.slow
def test_methods_that_a_user_writes_keep_the_contract_on_jax(tmp_path):
    chosen = ("-m", "not long", "-k", " or ".join(WRITTEN))
    assert contract(tmp_path, *chosen, TESTS / "test_games.py") == 9


def suites():
    return [
        TESTS / f"test_{name}.py"
        for name in ("games", "inversion", "jax", "trainers", "optimizers")
    ]
