"""Two logical CPUs, so that every test can place a game on two replicas."""

import os
import resource
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.fixture(scope="session")
def two_devices():
    """A strategy of two replicas."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


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
