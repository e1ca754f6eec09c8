"""The models that are served, by name, and which version answers a request."""

import asyncio
import dataclasses

from export.server.errors import ServingError
from export.server.errors import invalid
from export.server.versions import State
from export.server.versions import Version


@dataclasses.dataclass
class Model:
    """A model by name: its configuration, and every version that was ever seen."""

    name: str
    config: object = None  # ModelConfig; None once it is no longer listed
    versions: dict = dataclasses.field(default_factory=dict)
    aspired: dict = dataclasses.field(default_factory=dict)  # number → folder
    labels: dict = dataclasses.field(default_factory=dict)
    new: bool = False  # no version of it has been available yet
    readable: bool = True  # whether the base path was readable at the last poll
    empty: bool = False  # whether there was no version in it

    # Kept, because searching all versions ever seen for every request takes time.
    _available: list = dataclasses.field(default_factory=list)

    def available(self) -> list:
        """Numbers of the versions that answer, ascending."""
        return self._available

    def turn(self, version: Version, state: State) -> None:
        """Set the state of one of `versions`."""
        version.state = state
        self._available = sorted(n for n, v in self.versions.items() if v.state is State.AVAILABLE)

    def failed(self) -> bool:
        """Whether every version that is asked for has failed permanently."""
        return bool(self.aspired) and all(
            n in self.versions and self.versions[n].failed for n in self.aspired
        )


class InUse:
    """Keeps a version in memory until the block ends; a generator would cost twice as much."""

    __slots__ = ("registry", "version")

    def __init__(self, registry: "Registry", version: Version):
        self.registry, self.version = registry, version

    def __enter__(self) -> Version:
        self.version.flying += 1
        return self.version

    def __exit__(self, *_):
        self.version.flying -= 1
        self.registry.released(self.version)


class Registry:
    """Looks versions up. Used from the event loop only, so no request sees a partial change."""

    def __init__(self):
        self.models: dict[str, Model] = {}
        self.moved = asyncio.Condition()  # notified when a state has changed or a request ended

    def find(self, spec) -> Version:
        """The version that a `ModelSpec` names: by number, by label, or the newest.

        Raises:
            ServingError: in the order and words of TensorFlow Serving.
        """
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        model = self.models.get(spec.name)
        choice = spec.WhichOneof("version_choice")
        if choice == "version_label":
            number = model.labels.get(spec.version_label) if model else None
            if number is None:
                raise invalid(f"Unrecognized servable version label: {spec.version_label}")
        elif choice == "version":
            number = spec.version.value
        else:
            numbers = model.available() if model else ()
            if not numbers:
                raise ServingError(
                    "NOT_FOUND", f"Servable not found for request: Latest({spec.name})"
                )
            number = numbers[-1]
        version = model.versions.get(number) if model else None
        if version is None or version.state is not State.AVAILABLE:
            raise ServingError(
                "NOT_FOUND", f"Servable not found for request: Specific({spec.name}, {number})"
            )
        return version

    def use(self, spec) -> "InUse":
        """The version that a `ModelSpec` names, as a context that keeps it in memory.

        Raises:
            ServingError: see `find`.
        """
        return self.held(self.find(spec))

    def held(self, version: Version) -> "InUse":
        """A context that keeps `version` in memory."""
        return InUse(self, version)

    def status(self, spec) -> list[Version]:
        """Every version of a model that was seen, newest first; or the one that is named.

        Raises:
            ServingError: NOT_FOUND.
        """
        model = self.models.get(spec.name)
        if model is None or not model.versions:
            raise ServingError("NOT_FOUND", f"Could not find any versions of model {spec.name}")
        if spec.WhichOneof("version_choice") != "version":
            return [model.versions[n] for n in sorted(model.versions, reverse=True)]
        if spec.version.value not in model.versions:
            raise ServingError(
                "NOT_FOUND", f"Could not find version {spec.version.value} of model {spec.name}"
            )
        return [model.versions[spec.version.value]]

    def label(self, listed: dict, ahead: bool) -> None:
        """Replace the labels of the models in name → `ModelConfig`; nothing changes on an error.

        Args:
            ahead: let a label that is not in use point at a version that is not available yet.

        Raises:
            ServingError: FAILED_PRECONDITION, a version is not available.
        """
        for name, config in listed.items():
            model = self.models[name]
            for label, number in config.version_labels.items():
                moved = label in model.labels and model.labels[label] != number
                if number not in model.available() and (moved or not ahead):
                    raise ServingError(
                        "FAILED_PRECONDITION",
                        f"Request to assign label to version {number} of model {name}, "
                        f"which is not currently available for inference"
                        f"{_remedy(model.versions.get(number), moved)}",
                    )
        for name, config in listed.items():
            self.models[name].labels = dict(config.version_labels)

    def released(self, version: Version) -> None:
        """Wake the task that waits to unload a version, if nothing uses it any more."""
        if version.state is State.UNLOADING and not version.busy():
            asyncio.ensure_future(self.announce())

    async def announce(self) -> None:
        """Wake all tasks that wait for a change."""
        async with self.moved:
            self.moved.notify_all()


def _remedy(version, moved):
    """What to do about a label of a version that is not available yet."""
    if version is None or version.state is not State.LOADING:
        return ""
    if moved:
        return "; it is loading: move the label once it is available"
    return "; it is loading: --allow_version_labels_for_unavailable_models lets labels wait for it"


def check_available(models: list) -> None:
    """Raises ServingError with the errors of those models that have no version available."""
    broken = [model for model in models if not model.available()]
    why = "; ".join(
        f"{model.name} version {version.number}: {version.error.message}"
        for model in broken
        for version in model.versions.values()
        if version.error
    )
    if broken:
        raise ServingError(
            "UNKNOWN", f"{len(broken)} servable(s) did not become available: {{{why}}}"
        )
