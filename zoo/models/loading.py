"""Models by path or name."""

import os
import pathlib
import sys
from collections.abc import Iterator

from zoo import saving
from zoo.models.data import data_of
from zoo.models.model import Model
from zoo.models.model import inverted
from zoo.models.model import of_game
from zoo.presets import handles
from zoo.presets import registry
from zoo.presets import storage


def of(model) -> Model:
    """`model` as a `Model`: from a game, a `Model` already, or a path for `load`.

    Raises:
        ValueError: it is none of these, or see `load`.
    """
    if isinstance(model, Model):
        return model
    if isinstance(model, str | os.PathLike):
        return load(os.fspath(model))
    from zoo.game import Game

    if isinstance(model, Game):
        return of_game(model)
    raise ValueError(f"expected a game, a zoo.models.Model or a path; got {type(model).__name__}")


def load(path: str, invert: int = 0) -> Model:
    """The model at `path`: a path for `zoo.load`, a SavedModel, or a directory of its versions.

    A SavedModel needs a signature `decode`, and `encode` if it has an encoder; its prior and
    noise are those of the `contract.json` beside it, and N(0, I) and none without one.

    Args:
        invert: steps of a search that finds codes in place of the encoder, see `inverted`; or 0.

    Raises:
        ValueError: there is no model, or it has no signature `decode`; or a SavedModel is to be
            inverted.
    """
    import zoo

    def made(name):
        game = zoo.load(path)
        return inverted(game, invert, name=name) if invert else of_game(game, name)

    if isinstance(registry.resolve(path), registry.Preset):
        return made(path)
    found = _newest(path)
    if (found / "saved_model.pb").is_file():
        from zoo.models import saved

        if invert:
            raise ValueError(f"{path} must be a preset or a .keras file to be inverted")
        return saved.read(found)
    return made(name_of(found))


def _newest(path):
    """The newest version in a directory of versions of a SavedModel; any other path as it is."""
    versions = [d for d in pathlib.Path(path).glob("*/saved_model.pb") if d.parent.name.isdigit()]
    return max((d.parent for d in versions), key=lambda d: int(d.name), default=pathlib.Path(path))


def check_exists(path):
    """Raises ValueError if there is no model at `path`. Reads none, and needs no TensorFlow."""
    found = registry.resolve(path)
    if isinstance(found, registry.Preset) or handles.is_handle(str(path)):
        return
    if not ((_newest(path) / "saved_model.pb").is_file() or storage.is_preset(found)):
        saving.file_of(found)


def name_of(path: str | pathlib.Path) -> str:
    """The name of the model in a run directory or a .keras file; of game.keras that of its run."""
    path = pathlib.Path(path)
    if path.name == "game.keras":
        return path.resolve().parent.name
    return path.stem if path.suffix == ".keras" else path.resolve().name


def load_each(paths: list, dataset: str = "", invert: int = 0) -> Iterator[tuple]:
    """(name, path, model, `data_of` it) of every path in turn, printed on stderr.

    A repeated path is skipped; a model with the name of an earlier one is named after
    its path.

    Raises:
        ValueError: there is no model at one of the paths; as `data_of` and `load`, when the path's
            turn comes; or the model was trained on two sets, and none is named.
    """
    paths, names = list(dict.fromkeys(map(str, paths))), set()
    for path in paths:  # all of them first: nothing that was measured is lost by a later path
        check_exists(path)
    for number, path in enumerate(paths, 1):
        print(f"{path} ({number} of {len(paths)}) …", file=sys.stderr, flush=True)
        data = data_of(path, dataset)  # first: missing data are found without TensorFlow
        model = load(path, invert)
        if data.other is not None:
            raise ValueError(
                f"{path} was trained on two sets; name the one to compare it with: "
                f"--dataset={data.name} or --dataset={data.other.name}"
            )
        name = path if model.name in names else model.name
        names.add(name)
        yield name, path, model, data
