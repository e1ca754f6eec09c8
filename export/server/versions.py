"""The versions in a base path, and those among them that a policy selects."""

import asyncio
import dataclasses
import enum
import os

from export.server.errors import ServingError
from export.server.errors import invalid

MOST = 2**63 - 1


class State(enum.IntEnum):
    """Numbers of TensorFlow Serving's `ModelVersionStatus.State`."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclasses.dataclass(eq=False)
class Version:
    """One version that was seen, and its state."""

    number: int
    path: str
    state: State = State.START
    error: ServingError | None = None
    servable: object = None  # while it is loaded
    queues: dict = dataclasses.field(default_factory=dict)  # signature name → queues.Queue
    flying: int = 0  # requests in flight
    failed: bool = False  # not tried again unless it is removed and returns
    dropped: bool = False  # while it loads: it is no longer required
    wake: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)  # to try again at once
    task: object = None  # the asyncio.Task that loads or unloads it

    def busy(self) -> bool:
        """Whether its session is in use: a run continues after its callers have cancelled."""
        return bool(self.flying) or any(queue.running for queue in self.queues.values())


def on_disk(base_path: str) -> dict | None:
    """number → folder of every version below `base_path`; None if it cannot be read now.

    A version is a folder whose name is a number of 64 bits; other names are ignored, so that a
    version can be copied under another name and renamed when it is complete.
    """
    import tensorflow as tf

    try:
        # TensorFlow cannot list a directory with a name that is not UTF-8.
        local = "://" not in base_path
        names = os.listdir(base_path) if local else tf.io.gfile.listdir(base_path)
    except (tf.errors.OpError, OSError):
        return None
    found = {}
    for name in sorted(n.rstrip("/") for n in names):
        if name.isascii() and name.isdigit() and int(name) <= MOST and int(name) not in found:
            path = f"{base_path.rstrip('/')}/{name}"
            if tf.io.gfile.isdir(path):
                found[int(name)] = path
    return found


def none_in(base_path: str) -> str:
    """The message for a base path without versions."""
    import tensorflow as tf

    why = f"there is no version in {base_path}: no folder whose name is a number"
    make = f"python -m export MODEL --out {base_path} makes one"
    if tf.io.gfile.exists(f"{base_path.rstrip('/')}/saved_model.pb"):
        return f"{why}; it is a version itself, and the folder around it is a base path"
    if tf.io.gfile.glob(f"{base_path.rstrip('/')}/*/game.keras"):
        return f"{why}; it holds runs, which are exported first: {make}"
    return f"{why}; {make}"


def aspired(found: dict, policy) -> tuple[dict, list]:
    """The versions among `found` that a `ServableVersionPolicy` selects, and those missing."""
    kind = policy.WhichOneof("policy_choice")
    if kind == "all":
        return dict(found), []
    if kind == "specific":
        wanted = list(policy.specific.versions)
        return {n: found[n] for n in wanted if n in found}, [n for n in wanted if n not in found]
    newest = policy.latest.num_versions or 1
    return {n: found[n] for n in sorted(found)[-newest:]}, []


def check_configs(configs: list, served: dict) -> None:
    """Refuse a list of `ModelConfig` that cannot be served, in TensorFlow Serving's words.

    Args:
        configs: the list.
        served: name → `ModelConfig` of the models served now.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    names = set()
    for config in configs:
        if not config.name:
            raise invalid("Illegal to list a model without a name in config list")
        if config.name in names:
            raise invalid(f"Illegal to list model {config.name} multiple times in config list")
        names.add(config.name)
        if not config.base_path.startswith("/") and "://" not in config.base_path:
            raise invalid(
                f"Expected model {config.name} to have an absolute path or URI; "
                f"got base_path()={config.base_path}"
            )
        # model_type 1 is TENSORFLOW, deprecated.
        if not config.model_platform and not config.model_type:
            raise invalid(
                f"Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
                f"ModelServerConfig::model_platform, model name is {config.name}"
            )
        platform = config.model_platform or {1: "tensorflow"}.get(config.model_type, "other")
        if config.name in served and platform != "tensorflow":
            raise invalid(f"Illegal to change a model's platform. For model {config.name}")
        if platform != "tensorflow":
            raise invalid(f"Model {config.name} requests unsupported platform {platform}")
