"""k nearest neighbours on the features of encoders, as in Table 6 of BigBiGAN.

usage: python -m zoo.knn MODEL [MODEL ...] [flags]

MODEL is the name of a preset, a run directory or a .keras file, of a model with an encoder. Prints
a Markdown table: top-1 and top-5 accuracy for k = 1, 5, 25 and 50 under the distances D1 and D2 of
Donahue and Simonyan 2019 (arXiv:1907.02544), see zoo/metrics/knn.py. Features are the encoder's
last hidden layer. Below every encoder stand its weights before training, and last the raw pixels.
"""

import sys
import time

import numpy as np

from zoo import models
from zoo.cli import commands
from zoo.cli import markdown

FLAGS = {
    "dataset": models.DATASET_FLAG,
    "train": (10_000, "Training examples that serve as neighbours."),
    "test": (2000, "Test examples."),
    "seed": commands.SEED,
}


def rows_of(name: str, representations: dict, train, test) -> list[list[str]]:
    """Rows of the table: one for each representation and distance.

    Args:
        name: of the model.
        representations: name → function of images, (n, ...) → (n, ...).
        train, test: (images in [-1, 1], labels).
    """
    from zoo import metrics
    from zoo.metrics import knn

    rows = []
    for what, function in representations.items():
        features = [metrics.in_batches(function, x) for x, _ in (train, test)]
        for distance in knn.DISTANCES:
            found = knn.knn_accuracies(
                features[0], train[1], features[1], test[1], distance, _ks(len(train[0]))
            )
            # Five classes need five neighbours.
            cells = [
                f"{100 * top_1:.1f} / " + (f"{100 * top_5:.1f}" if k >= 5 else "–")
                for k, (top_1, top_5) in found.items()
            ]
            rows.append([f"{name}, {what}" if name else what, distance, *cells])
    return rows


def _ks(n):
    from zoo.metrics.knn import KS

    return tuple(k for k in KS if k <= n)


def table(paths: list, args) -> str:
    """The table of all models, as Markdown.

    Raises:
        ValueError: a model has no encoder, or its data have no labels; or models take examples of
            different data, whose pixels would be other baselines.
    """
    import zoo

    rows, sets = [], []
    for path in paths:
        models.check_exists(path)
    for number, path in enumerate(dict.fromkeys(paths), 1):
        print(f"{path} ({number} of {len(paths)}) …", file=sys.stderr, flush=True)
        data = models.data_of(path, args.dataset)
        sets.append((data.name, data.shape, len(data.train), len(data.test)))
        if len(data.classes) < 2:
            raise ValueError(f"labels are needed, and {data.name} has none; choose --dataset")
        if sets[-1] != sets[0]:
            raise ValueError(
                "models must be of one data set; got (name, shape, training and test examples) "
                f"{sets[0]} and {sets[-1]}: choose --dataset"
            )
        game = zoo.load(path)
        if not game.has_encoder:
            raise ValueError(f"{path} must have an encoder; got {type(game).__name__}")
        models.check_shape(path, game.image_shape, data)
        train = _chosen(data.train, data.train_labels, args.train, args.seed)
        test = _chosen(data.test, data.test_labels, args.test, args.seed)
        untrained = type(game).from_config(game.get_config())
        functions = {"trained": game.features, "before training": untrained.features}
        # The data of the model, which may be images under noise.
        seen = [
            (game.observed(x, args.seed + number), labels)
            for number, (x, labels) in enumerate((train, test))
        ]
        rows += rows_of(path, functions, *seen)
    rows += rows_of("", {"raw pixels": lambda x: x}, train, test)
    head = [f"k = {k}" for k in _ks(len(train[0]))]
    about = (
        f"{len(train[0]):,} training and {len(test[0]):,} test examples of {data.name}, seed "
        f"{args.seed}; top-1 / top-5 in %"
    )
    return markdown.table(["features", "distance", *head], rows) + f"\n\n{about}"


def _chosen(images, labels, limit, seed):
    from zoo import datasets

    kept = np.random.default_rng(seed).permutation(len(images))[:limit]
    return datasets.scale(images[kept]), labels[kept]


def main(argv: list | None = None) -> None:
    """Measure and print. Exit code 2 and one line for bad input."""
    started = time.perf_counter()
    with commands.exit_on_bad_input():
        args, paths = commands.parse(__doc__, FLAGS, argv, "model")
        commands.at_least(args, train=1, test=1, seed=0)
        print(table(paths, args))
    print(f"{time.perf_counter() - started:.0f} seconds")


if __name__ == "__main__":
    main()
