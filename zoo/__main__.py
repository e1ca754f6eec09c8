"""The trained models that come with the zoo, with their metrics.

usage: python -m zoo            the presets, with their key figures
       python -m zoo NAME       the card of one of them, or of a directory that `zoo.load` reads
"""

from zoo.cli import commands


def main(argv: list | None = None) -> None:
    """Print; exit code 2 and one line if there is no such preset. Needs no TensorFlow."""
    with commands.exit_on_bad_input():
        print(_text(commands.parse(__doc__, {}, argv)[1]))


def _text(words):
    from zoo import presets
    from zoo.presets import storage

    if not words:
        return presets.table(presets.list_presets()) + "\n\nzoo.load(NAME) loads one"
    if len(words) > 1:
        raise ValueError(f"expected the name of one preset, got {' '.join(words)}; see --help")
    directory = presets.directory_of(words[0])
    if (directory / "card.md").is_file():
        return (directory / "card.md").read_text(encoding="utf-8").rstrip()
    if storage.is_preset(directory) or (directory / "game.keras").is_file():
        raise ValueError(
            f"zoo.load reads {directory}, but it has no card; python -m zoo.presets RUN --out=NEW "
            "makes a preset with one of a run"
        )
    return presets.find(words[0]).card.rstrip()


if __name__ == "__main__":
    main()
