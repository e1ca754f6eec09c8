"""Where training runs: the tf.distribute strategy behind `--strategy`."""

import json
import os

STRATEGIES = ("auto", "one_device", "mirrored", "multi_worker_mirrored", "tpu")


def build(name: str, tpu: str = ""):
    """The strategy called `name`, and a sentence saying what it is.

    `auto` takes a TPU where `tpu` names one, several GPUs together, and one device otherwise.

    Raises:
        ValueError: unknown name, or hardware and environment do not allow it.
    """
    if name not in STRATEGIES:
        raise ValueError(f"--strategy must be one of {', '.join(STRATEGIES)}; got {name!r}")
    import keras

    if keras.backend.backend() == "jax":
        from trainers import jax_devices

        return jax_devices.build(name)
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    if name == "auto":
        name = "tpu" if tpu else "mirrored" if len(gpus) > 1 else "one_device"
    if name == "tpu":
        return _tpu(tpu), f"TPU {tpu or 'local'}"
    if name == "multi_worker_mirrored":
        return _workers()
    if name == "one_device":
        device = (gpus or tf.config.list_logical_devices("CPU"))[0].name
        return tf.distribute.get_strategy(), f"one device, {device}"
    devices = [d.name for d in gpus or tf.config.list_logical_devices("CPU")]
    return tf.distribute.MirroredStrategy(devices), f"{len(devices)} replicas on {devices}"


def worker_index() -> int:
    """Which worker of several this process is; 0, the chief, where it is alone."""
    try:
        return json.loads(os.environ.get("TF_CONFIG", ""))["task"]["index"]
    except (ValueError, KeyError, TypeError):
        return 0


def _tpu(tpu):
    import tensorflow as tf

    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=tpu or "local")
        if tpu not in ("", "local"):
            tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"no TPU answers to --tpu={tpu!r} ({reason}); "
            "name one with --tpu, or use --strategy=auto"
        ) from None


def _workers():
    import tensorflow as tf

    try:
        cluster = json.loads(os.environ.get("TF_CONFIG", ""))
        workers = cluster["cluster"]["worker"]
        index = cluster["task"]["index"]
        workers[index]
    except (ValueError, KeyError, IndexError, TypeError):
        raise ValueError(
            "--strategy=multi_worker_mirrored needs TF_CONFIG, such as "
            '{"cluster": {"worker": ["host:port", "host:port"]}, '
            f'"task": {{"type": "worker", "index": 0}}}}; got {os.environ.get("TF_CONFIG")!r}'
        ) from None
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    return strategy, f"worker {index} of {len(workers)}"
