"""Two logical CPUs, so that every test can place a game on two replicas.

With KERAS_BACKEND=jax the tests run on JAX, and need no TensorFlow.
"""

import os
import resource
import signal
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest

from tools import page_picture

# A shell starts its background jobs deaf to Ctrl-C, nohup makes them deaf to SIGHUP, and they and
# their children stay so.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

if "PYTEST_XDIST_WORKER" in os.environ:
    # The processes share the cores: further threads of each would only wait for each other.
    for threads in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(threads, "1")

# What XLA would optimise takes the tests, and the processes that they start, longer than it saves.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"
)

ON_JAX = os.environ.get("KERAS_BACKEND") == "jax"
if not ON_JAX:
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )


def pytest_collection_modifyitems(items):
    """Skip what is marked `tensorflow` where Keras runs on JAX."""
    for item in items:
        mark = item.get_closest_marker("tensorflow")
        if mark and ON_JAX:
            item.add_marker(pytest.mark.skip(reason=mark.args[0]))


@pytest.fixture(scope="session")
def two_devices():
    """A strategy of two replicas; on JAX, data parallelism over two devices."""
    if not ON_JAX:
        return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    import keras

    return keras.distribution.DataParallel(devices=["cpu:0", "cpu:1"])


@pytest.fixture
def refused(capsys):
    """refused(command, *arguments): what a command printed as it ended with exit code 2."""

    def refuse(command, *arguments):
        with pytest.raises(SystemExit) as ended:
            command(*arguments)
        assert ended.value.code == 2
        return capsys.readouterr().err

    return refuse


@pytest.fixture
def child_seconds():
    """A function: processor seconds of the child processes that have ended since the test began.

    Whoever waits is charged for what else the machine does, a child's processor time is not. The
    wall is watched too: a process that waits for a network uses no processor.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()

    def used():
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert time.monotonic() - began < 60
        return now.ru_utime + now.ru_stime - before.ru_utime - before.ru_stime

    return used


@pytest.fixture(scope="module")
def browser():
    """Chromium, for one module: while it runs, so does an event loop in this thread."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as started:
        try:
            opened = page_picture.chromium(started)
        except FileNotFoundError as error:
            pytest.skip(str(error))
        except playwright.Error as error:
            pytest.skip(f"Chromium does not start: {str(error).splitlines()[0]}")
        yield opened
        opened.close()
