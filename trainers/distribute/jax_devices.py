"""Devices of training on JAX: one device, or all of them through `keras.distribution`."""

import contextlib
import dataclasses
from typing import Any

from trainers.distribute import cluster

STRATEGIES = ("auto", "one_device")


@dataclasses.dataclass(frozen=True)
class Placed:
    """The part of a tf.distribute strategy that `trainers.runs.run` uses.

    Attributes:
        num_replicas_in_sync: devices among which a batch is divided.
        distribution: the `keras.distribution.DataParallel` in force, or None on one device.
    """

    num_replicas_in_sync: int
    distribution: Any = None

    def scope(self):
        """Variables made in it are copied to every device."""
        return self.distribution.scope() if self.distribution else contextlib.nullcontext()


def check(name: str, tpu: str = "", devices: str = "", sync_batch_norm: bool = True) -> None:
    """Raises ValueError if flags or TF_CONFIG ask for a feature that JAX lacks. Imports no JAX."""
    if name not in STRATEGIES:
        raise ValueError(
            f"--strategy must be one of {', '.join(STRATEGIES)} on JAX; got {name!r}. "
            "--strategy=auto takes all devices that JAX sees; without KERAS_BACKEND=jax, "
            "TensorFlow has more"
        )
    if tpu:
        raise ValueError(
            f"--tpu={tpu} is for TensorFlow; with KERAS_BACKEND=jax, JAX finds the TPUs of its "
            "machine by itself; leave --tpu out"
        )
    if devices:
        raise ValueError(
            f"--devices={devices} is for TensorFlow; with KERAS_BACKEND=jax, JAX takes all devices "
            "that it sees; choose with CUDA_VISIBLE_DEVICES, or give --strategy=one_device"
        )
    if not sync_batch_norm:
        raise ValueError(
            "--nosync_batch_norm is for TensorFlow: on JAX a batch is one array on all devices"
        )
    if len(cluster.read("auto").addresses) > 1:
        raise ValueError(
            "TF_CONFIG names several workers, which train together on TensorFlow only; unset it, "
            "or unset KERAS_BACKEND"
        )


def build(name: str) -> tuple[Placed, str]:
    """The devices behind `--strategy=name`, and a sentence that gives the choice and the reason.

    `auto` takes all devices of this process' machine, of the kind that JAX prefers: TPU, GPU, CPU.
    Several devices are set for the whole process, before any variable is made: the batch is
    divided among them, and everything else is as on one device, batch norm and noise included.

    Raises:
        ValueError: the strategy is TensorFlow's.
    """
    check(name)
    import jax
    import keras

    devices = keras.distribution.list_devices()
    kind = jax.devices()[0].device_kind
    if name == "one_device":
        return Placed(1), f"JAX on one device, {devices[0]} ({kind}), as --strategy asks"
    if len(devices) == 1:
        return Placed(1), f"JAX on {devices[0]} ({kind}), the only device it sees"
    distribution = keras.distribution.DataParallel(devices=devices)
    keras.distribution.set_distribution(distribution)
    return Placed(len(devices), distribution), (
        f"JAX divides each batch among {len(devices)} devices, {', '.join(devices)} ({kind}): "
        "all that it sees"
    )
