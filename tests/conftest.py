"""Two logical CPUs, so that every test can place a game on two replicas."""

import os

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
