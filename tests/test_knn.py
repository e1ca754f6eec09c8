"""The k-NN accuracies of BigBiGAN's Table 6, on numbers that can be checked by hand."""

import numpy as np
import pytest

from zoo import knn
from zoo.metrics.knn import DISTANCES
from zoo.metrics.knn import knn_accuracies


@pytest.mark.parametrize("distance", DISTANCES)
def test_length_does_not_count_and_direction_does(distance):
    train, labels = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1])
    test = np.array([[200.0, 1.0], [0.0, 0.01], [0.0, 0.0]])
    # The vector of zeros is as far from both: the first is its neighbour.
    assert knn_accuracies(train, labels, test, np.array([0, 1, 0]), distance, (1,))[1] == (1, 1)


def test_the_two_distances_can_differ():
    # From (1, 1, 0) / 2: D1 to (1, 0, 0) is ½ + ½ = 1, to (4, 4, 7) / 15 it is 7/30 + 7/30 + 7/15 =
    # 0.93. D2 from (1, 1, 0) / √2: to (1, 0, 0) √(2 − √2) = 0.77, to (4, 4, 7) / 9 0.86.
    train, labels = np.array([[1.0, 0.0, 0.0], [4.0, 4.0, 7.0]]), np.array([0, 1])
    found = [
        knn_accuracies(train, labels, np.array([[1.0, 1.0, 0.0]]), np.array([1]), name, (1,))[1][0]
        for name in ("D1", "D2")
    ]
    assert found == [1, 0]


def test_classes_are_ranked_by_votes_and_then_by_the_nearer_neighbour():
    angles = np.deg2rad([1, 2, 3, 4, 5, 6])
    train = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    labels = np.array([3, 0, 0, 3, 1, 2])
    test = np.array([[1.0, 0.0]])

    def found(label, k):
        return knn_accuracies(train, labels, test, np.array([label]), "D2", (k,))[k]

    assert found(3, 1) == (1, 1) and found(0, 1) == (0, 0)
    assert found(0, 3) == (1, 1) and found(3, 3) == (0, 1)  # votes: 0 twice, 3 once
    assert found(3, 4) == (1, 1) and found(0, 4) == (0, 1)  # twice each, 3 is nearer
    assert found(2, 5) == (0, 0) and found(2, 6) == (0, 1)


def test_bad_arguments_are_named():
    train, labels = np.eye(2), np.arange(2)
    with pytest.raises(ValueError, match="distance must be one of D1, D2; got 'L1'"):
        knn_accuracies(train, labels, train, labels, "L1", (1,))
    for labels in ([0], [0, -1], [[0, 1]]):
        with pytest.raises(ValueError, match="train_labels must be 2 whole numbers from 0"):
            knn_accuracies(train, labels, train, np.arange(2), ks=(1,))
    labels = np.arange(2)
    with pytest.raises(ValueError, match=r"ks must be 1 to 2, .* got \(3,\)"):
        knn_accuracies(train, labels, train, labels, ks=(3,))


def test_the_command_prints_the_table_with_both_baselines(capsys):
    words = ["knn", "bigan_fashion_mnist", "--dataset=fashion_mnist_10k", "--train=40", "--test=20"]
    knn.main(words)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| features | distance | k = 1 | k = 5 | k = 25 |"
    assert [line.split(" | ")[:2] for line in lines[2:8]] == [
        [f"| {name}", distance]
        for name in (
            "bigan_fashion_mnist, trained",
            "bigan_fashion_mnist, before training",
            "raw pixels",
        )
        for distance in ("D1", "D2")
    ]
    assert lines[2] != lines[4]
    assert lines[9].startswith("40 training and 20 test examples of fashion_mnist_10k, seed 0;")


def test_an_encoder_sees_the_data_of_its_model(capsys):
    # The counterexample reads noise: its features know no class.
    words = ["counterexample_fashion_mnist", "--dataset=fashion_mnist_10k", "--train=1000"]
    knn.main(["knn", *words, "--test=500"])
    lines = capsys.readouterr().out.splitlines()
    shares = [float(cell.split(" / ")[0]) for cell in lines[2].split(" | ")[2:]]
    error = 100 * (0.1 * 0.9 / 500) ** 0.5
    assert all(abs(share - 10) < 4 * error for share in shares), shares


@pytest.mark.parametrize(
    "words, message",
    [
        (["gan_fashion_mnist", "--dataset=fashion_mnist_10k"], "must have an encoder; got GAN"),
        (
            ["bigan_fashion_mnist", "--dataset=grid25", "--test=0"],
            "--test must be 1 or more; got 0",
        ),
    ],
)
def test_the_command_names_bad_input(words, message, refused):
    assert message in refused(knn.main, ["knn", *words])
