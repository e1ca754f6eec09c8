"""The tf.distribute strategy behind `--strategy`."""

import contextlib
import glob
import os
import pathlib
import re
import socket
import sys
import threading

STRATEGIES = ("auto", "one_device", "mirrored", "multi_worker_mirrored", "tpu")

# How long a TPU may take to answer, and to be initialised.
ANSWER_S = 5
READY_S = 180

# Google's vendor number for PCI devices.
GOOGLE = "0x1ae0"


def check(name: str, tpu: str = "", devices: str = "") -> None:
    """Checks that need no TensorFlow.

    Raises:
        ValueError: no such strategy, or flags that do not go together.
    """
    if name not in STRATEGIES:
        raise ValueError(f"--strategy must be one of {', '.join(STRATEGIES)}; got {name!r}")
    if devices and name not in ("auto", "mirrored"):
        raise ValueError(
            f"--devices={devices} is for --strategy=mirrored; --strategy={name} has its own"
        )
    if tpu and name not in ("auto", "tpu"):
        raise ValueError(f"--tpu={tpu} is for --strategy=tpu, and --strategy={name} was given")
    if tpu and devices:
        raise ValueError(f"give --tpu={tpu} or --devices={devices}, not both")


def build(name: str, tpu: str = "", devices: str = "", workers: int = 1):
    """The strategy called `name`, and a sentence that describes it.

    `auto` takes, in this order: the other workers if TF_CONFIG names some, `devices` if they
    are given, a TPU that answers, several GPUs together, one device.

    Args:
        tpu: name or address of a TPU.
        devices: those of `mirrored`, such as "GPU:0,GPU:1"; "" for every GPU.
        workers: how many TF_CONFIG names (see `trainers.distribute.cluster`).

    Raises:
        ValueError: hardware and environment do not allow it.
    """
    check(name, tpu, devices)
    import keras

    if keras.backend.backend() == "jax":
        from trainers.distribute import jax_devices

        return jax_devices.build(name)
    if name == "auto":
        return _chosen(tpu, devices, workers)
    if name == "tpu":
        return _tpu(tpu), f"TPU {tpu or os.environ.get('TPU_NAME') or 'local'}"
    import tensorflow as tf

    if name == "multi_worker_mirrored":
        return tf.distribute.MultiWorkerMirroredStrategy(), f"{workers} workers together"
    if name == "one_device":
        return tf.distribute.get_strategy(), f"one device, {_here()[0]}"
    chosen = _named(devices) if devices else _here()
    many = f"{len(chosen)} replicas on" if len(chosen) > 1 else "one replica on"
    return tf.distribute.MirroredStrategy(chosen), f"{many} {', '.join(chosen)}"


def _chosen(tpu, devices, workers):
    """The choice of `auto`, and the reason."""

    def taken(name, why):
        placed, where = build(name, tpu, devices)
        return placed, f"{where} (auto: {why})"

    if workers > 1:
        if tpu or devices:
            given = f"--tpu={tpu}" if tpu else f"--devices={devices}"
            raise ValueError(f"{given} is for one process, and TF_CONFIG names {workers}")
        placed, where = build("multi_worker_mirrored", workers=workers)
        return placed, f"{where} (auto: TF_CONFIG names them)"
    if devices:
        return taken("mirrored", "--devices names them")
    if tpu or os.environ.get("TPU_NAME"):
        return taken("tpu", "--tpu names it" if tpu else "TPU_NAME names it")
    found, none = _tpu_here()
    if found:
        try:
            return taken("tpu", "it is in this machine")
        except ValueError as error:
            none = str(error)
    import tensorflow as tf

    gpus = len(tf.config.list_logical_devices("GPU"))
    if gpus > 1:
        return taken("mirrored", f"{none}, {gpus} GPUs")
    return taken("one_device", f"{none}, {gpus or 'no'} GPU")


def _tpu_here(root="/"):
    """Whether this machine has a TPU, and the reason if it has none.

    Older TPU VMs have /dev/accel0, newer ones /dev/vfio/0. But the latter is how a system hands
    any device to a program, and to look for a TPU there may take minutes. So the vendor is read.
    """
    if glob.glob(f"{root}/dev/accel[0-9]*"):
        return True, "no TPU"
    groups = [pathlib.Path(path).name for path in glob.glob(f"{root}/dev/vfio/[0-9]*")]
    for group in groups:
        makers = pathlib.Path(root, "sys/kernel/iommu_groups", group).glob("devices/*/vendor")
        if any(_said(maker) == GOOGLE for maker in makers):
            return True, "no TPU"
    if groups:
        return False, f"no TPU: /dev/vfio/{groups[0]} is not Google's"
    return False, "no TPU"


def _said(path):
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _here():
    """Names of this machine's GPUs, or of its CPUs if there is none."""
    import tensorflow as tf

    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [_short(device.name) for device in found]


def _named(devices):
    import tensorflow as tf

    known = [_short(d.name) for d in tf.config.list_logical_devices() if "_" not in d.device_type]
    wanted = [_short(part.strip()) for part in devices.split(",")]
    if not set(wanted) <= set(known) or len(set(wanted)) < len(wanted):
        raise ValueError(
            f"--devices={devices}: give each of them once, with commas between; "
            f"this machine has {', '.join(known)}"
        )
    return wanted


def _short(name):
    """Of "/device:GPU:0" or "gpu:0": "GPU:0"."""
    return re.sub(r"^/(job.*/)?(device|physical_device):", "", name).upper()


def unsynchronised(game) -> None:
    """Let every batch norm of `game` normalise over its replica's examples alone."""
    import keras

    for network in game.named_networks().values():
        # A generator of classes holds its network as one layer.
        for layer in network._flatten_layers(include_self=False):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = False


def _tpu(tpu):
    tpu = tpu or os.environ.get("TPU_NAME", "")
    _check_answers(tpu)
    import tensorflow as tf

    with _bounded(READY_S, f"--tpu={tpu!r} was not ready within {READY_S} s; {_REMEDY}"):
        try:
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=tpu or "local")
            if tpu not in ("", "local"):
                tf.config.experimental_connect_to_cluster(resolver)
            tf.tpu.experimental.initialize_tpu_system(resolver)
            return tf.distribute.TPUStrategy(resolver)
        # Google's API client looks names up and passes any error of its transport on.
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ValueError(f"no TPU answers to --tpu={tpu!r} ({reason}); {_REMEDY}") from None


_REMEDY = "name one with --tpu, or use --strategy=auto without it"


def _check_answers(tpu):
    """TensorFlow waits forever for an address at which no process listens."""
    address = re.fullmatch(r"(?:grpc://)?([^/,]+):(\d+)", tpu)
    if not address:
        return
    try:
        socket.create_connection((address[1], int(address[2])), ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise ValueError(f"no TPU answers to --tpu={tpu!r} ({error}); {_REMEDY}") from None


@contextlib.contextmanager
def _bounded(seconds, message):
    """Ends the process with code 2 if the body hangs inside TensorFlow."""

    def give_up():
        print(f"error: {message}", file=sys.stderr, flush=True)
        os._exit(2)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
