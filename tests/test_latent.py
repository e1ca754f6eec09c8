"""The tools for codes, on linear models whose answers are known and against plain loops."""

import dataclasses

import games
import keras
import numpy as np
import pytest

from zoo import latent
from zoo import models
from zoo import scores
from zoo.latent import __main__ as command

SHAPE, CODES = (4, 4, 1), 5


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def linear(law="normal"):
    """A model whose images are codes times orthonormal rows, and whose encoder undoes that."""
    rows, _ = np.linalg.qr(normal(0, 16, CODES))
    return models.Model(
        name="linear",
        encode=lambda x: np.reshape(x, (-1, 16)) @ rows,
        decode=lambda z: np.reshape(z @ rows.T, (-1, *SHAPE)),
        prior=lambda n, seed: normal(seed, n, CODES),
        law=law,
        shape=SHAPE,
    )


class TestPaths:
    def test_a_quarter_of_a_circle_by_hand(self):
        way = latent.slerp([[2, 0]], [[0, 2]], [0, 1 / 3, 0.5, 1])
        expected = [[2, 0], [3**0.5, 1], [2**0.5, 2**0.5], [0, 2]]
        np.testing.assert_allclose(way[0], expected, atol=1e-12)
        straight = latent.lerp([[2, 0]], [[0, 2]], [0.25])
        np.testing.assert_allclose(straight, [[[1.5, 0.5]]])

    def test_norms_and_angles_are_even(self):
        a, b = normal(1, 20, 50), 3 * normal(2, 20, 50)
        way = latent.slerp(a, b, np.linspace(0, 1, 6))
        np.testing.assert_allclose(way[:, 0], a, rtol=1e-6)
        np.testing.assert_allclose(way[:, -1], b, rtol=1e-6)
        norms = np.linalg.norm(way, axis=-1)
        np.testing.assert_allclose(np.diff(norms, 2), 0, atol=1e-9)
        units = way / norms[..., None]
        angles = np.arccos(np.einsum("nsd,nsd->ns", units[:, 1:], units[:, :-1]))
        np.testing.assert_allclose(angles, angles[:, :1] * np.ones(5), rtol=1e-6)
        whole = np.arccos(np.einsum("nd,nd->n", units[:, 0], units[:, -1]))
        np.testing.assert_allclose(angles.sum(axis=1), whole, rtol=1e-6)

    def test_where_no_angle_can_be_used(self):
        a = np.array([[1.0, 2, 0], [0, 0, 0], [1, 1, 1]])
        b = np.array([[2.0, 4, 0], [1, 0, 0], [1, 1, 1]])
        t = np.linspace(0, 1, 5)
        np.testing.assert_allclose(latent.slerp(a, b, t), latent.lerp(a, b, t))
        with pytest.raises(ValueError, match="opposite codes"):
            latent.slerp([[1.0, 2]], [[-2.0, -4]], t)

    def test_an_angle_of_a_thousandth_is_not_lost(self):
        b = [[np.cos(1e-3), np.sin(1e-3)]]
        (way,) = latent.slerp([[1, 0]], b, [0.5])
        np.testing.assert_allclose(way, [[np.cos(5e-4), np.sin(5e-4)]], atol=1e-12)

    def test_the_way_suits_the_prior(self):
        a, b = normal(3, 4, 6), normal(4, 4, 6)
        t = np.linspace(0, 1, 9)
        np.testing.assert_array_equal(latent.path("normal", a, b), latent.slerp(a, b, t))
        for law in ("uniform", "mixture"):
            np.testing.assert_array_equal(latent.path(law, a, b), latent.lerp(a, b, t))
        # In one dimension codes are parallel or opposite.
        np.testing.assert_allclose(latent.path("normal", [[1]], [[-1]], 3), [[[1], [0], [-1]]])

    def test_errors(self):
        with pytest.raises(ValueError, match="steps must be 2 or more; got 1"):
            latent.path("normal", [[1, 0]], [[0, 1]], 1)
        with pytest.raises(ValueError, match=r"twice the same shape.*\(1, 2\), \(1, 3\)"):
            latent.lerp(np.ones((1, 2)), np.ones((1, 3)), [0.5])

    def test_images_of_a_linear_model(self):
        model, a, b = linear("uniform"), normal(5, 3, CODES), normal(6, 3, CODES)
        images = latent.interpolate(model, a, b, steps=5)
        assert images.shape == (3, 5, *SHAPE)
        for i, t in enumerate(np.linspace(0, 1, 5)):
            np.testing.assert_allclose(images[:, i], model.decode((1 - t) * a + t * b), atol=1e-6)

    def test_a_traversal_sets_one_coordinate(self):
        model, z = linear(), normal(7, 2, CODES)
        images = latent.traverse(model, z, coordinates=[4, 1], values=[-1.0, 0.5, 2.0])
        assert images.shape == (2, 2, 3, *SHAPE)
        codes = model.encode(images).reshape(2, 2, 3, CODES)
        expected = z[1].copy()
        expected[1] = 2.0
        np.testing.assert_allclose(codes[1, 1, 2], expected, atol=1e-6)
        assert latent.traverse(model, z).shape == (2, CODES, 9, *SHAPE)
        with pytest.raises(ValueError, match=r"a list of numbers from 0 to 4; got \[5\]"):
            latent.traverse(model, z, [5])
        with pytest.raises(ValueError, match="coordinates must be a list of .*; got 3"):
            latent.traverse(model, z, 3)

    def test_a_game_of_classes_keeps_the_class_of_a_row(self):
        game = games.make("acgan", "mlp")
        z, other = np.array(game.prior_codes(4, 0)).reshape(2, 2, 3)
        images = latent.interpolate(game, z, other, steps=5)
        for row in (0, 1):
            for step, end in ((0, z), (4, other)):
                expected = np.array(game.decode(end[row : row + 1], row))
                np.testing.assert_allclose(images[row, step], expected[0], atol=1e-5)

    def test_of_a_game(self):
        game = games.make("gan")
        z = np.array(game.prior_codes(2, 0))
        images = latent.interpolate(game, z[:1], z[1:], steps=3)
        np.testing.assert_allclose(images[0, [0, 2]], np.array(game.decode(z)), atol=1e-5)
        with pytest.raises(ValueError, match=r"codes of GAN are \(n, 3\).*got \(2, 4\)"):
            latent.interpolate(game, np.ones((2, 4)), np.ones((2, 4)))


class TestNeighbours:
    def test_against_a_plain_loop(self):
        queries, library = normal(0, 12, 3, 2), normal(1, 40, 3, 2)
        indices, distances = latent.nearest(queries, library, k=4)
        for query, row, found in zip(queries, indices, distances, strict=True):
            every = [np.sqrt(np.square(query - other).sum()) for other in library]
            assert list(row) == list(np.argsort(every)[:4])
            np.testing.assert_allclose(found, np.sort(every)[:4], rtol=1e-4)

    def test_by_code_and_not_by_pixels(self):
        # The code is the first pixel alone, which is the smallest part of an image.
        model = dataclasses.replace(linear(), encode=lambda x: x[:, 0, 0])
        library = np.zeros((3, *SHAPE), np.float32)
        library[:, 0, 0, 0] = 0.1, 0.2, 0.3
        library[:, 3, 3, 0] = 0, 5, 9
        query = library[:1] + 0.0
        query[0, 0, 0, 0] = 0.21
        indices, distances = latent.neighbours(model, query, library, k=2)
        assert indices.tolist() == [[1, 2]]
        np.testing.assert_allclose(distances, [[0.01, 0.09]], atol=1e-6)
        assert latent.nearest(query, library)[0].tolist() == [[0]]

    def test_agreement_by_hand(self):
        # Queries of labels 5 and 6; neighbours have 5, 6 and 6, 5.
        assert latent.label_agreement(np.array([[0, 1], [1, 1]]), [5, 6], [5, 6]) == 0.75
        column = np.array([[5], [6]])
        assert latent.label_agreement(np.array([[0, 1], [1, 1]]), column, column) == 0.75
        with pytest.raises(ValueError, match=r"labels must be of shape \(2,\); got \(3,\)"):
            latent.label_agreement(np.array([[0, 1], [1, 1]]), [5, 6, 7], [5, 6])

    def test_errors(self):
        x = normal(0, 4, *SHAPE)
        with pytest.raises(ValueError, match="k must be 1 to 4.*got 5"):
            latent.neighbours(linear(), x, x, k=5)
        with pytest.raises(ValueError, match=r"of one kind, got \(4, 4, 4, 1\) and \(4, 4\)"):
            latent.nearest(x, x[:, :, 0, 0])
        with pytest.raises(ValueError, match="GAN has no encoder"):
            latent.neighbours(games.make("gan"), games.examples(), games.examples())
        with pytest.raises(ValueError, match=r"takes \(n, 4, 4, 1\).*got \(4, 4, 1\)"):
            latent.neighbours(linear(), x[0], x)
        with pytest.raises(ValueError, match="images in .*zoo.datasets.scale; got uint8"):
            latent.neighbours(linear(), np.zeros((2, *SHAPE), np.uint8), x)


class TestDirections:
    def test_by_hand(self):
        codes = np.array([[0.0, 0], [2, 0], [5, 7], [9, 9]])
        labels = np.array([0, 0, 1, 2])
        np.testing.assert_allclose(latent.mean_code(codes, labels, 0), [1, 0])
        np.testing.assert_allclose(latent.class_vector(codes, labels, 1, 0), [4, 7])
        np.testing.assert_allclose(latent.mean_code(codes, labels[:, None], 0), [1, 0])
        np.testing.assert_allclose(latent.class_vector(codes, labels[:, None], 1, 0), [4, 7])
        # Of all others: the mean of three codes, not of two classes.
        others = codes[[0, 1, 3]].mean(axis=0)
        np.testing.assert_allclose(latent.class_vector(codes, labels, 1), codes[2] - others)

    def test_a_planted_direction_is_found_through_the_images(self):
        model, direction = linear(), normal(9, CODES)
        has = np.arange(4000) % 2 == 0
        x = model.decode(normal(1, 4000, CODES) + has[:, None] * direction)
        found = latent.attribute_vector(model.encode(x), has)
        # A difference of two means of 2,000 unit normals: standard deviation 0.032.
        np.testing.assert_allclose(found, direction, atol=5 * 0.032)
        moved = latent.edit(model, x[:3], found, strengths=[0, 2])
        np.testing.assert_allclose(moved[:, 0], x[:3], atol=1e-5)
        np.testing.assert_allclose(
            model.encode(moved[:, 1]), model.encode(x[:3]) + 2 * found, atol=1e-5
        )

    def test_within_classes_the_class_cancels(self):
        # Class 1 lies 10 to the right, and has the attribute, which moves codes up, more often.
        labels = np.repeat([0, 1], 100)
        has = np.concatenate([np.arange(100) < 10, np.arange(100) < 90])
        codes = np.stack([10.0 * labels, 1.0 * has], axis=1)
        np.testing.assert_allclose(latent.attribute_vector(codes, has), [8, 1])
        np.testing.assert_allclose(latent.attribute_vector(codes, has, labels), [0, 1], atol=1e-9)
        # A class in which all have it says nothing, and is left out.
        more = np.concatenate([codes, [[50.0, 60.0]]])
        found = latent.attribute_vector(more, np.append(has, True), np.append(labels, 2))
        np.testing.assert_allclose(found, [0, 1], atol=1e-9)

    def test_arithmetic_of_a_linear_model(self):
        model, shift = linear(), normal(3, CODES)
        b, c = model.decode(normal(1, 7, CODES)), model.decode(normal(2, 9, CODES))
        a = b + model.decode(shift[None])
        expected = c.mean(axis=0) + model.decode(shift[None])[0]
        np.testing.assert_allclose(latent.arithmetic(model, a, b, c), expected, atol=1e-5)

    def test_errors(self):
        codes, labels = np.ones((4, 2)), np.array([0, 0, 1, 1])
        with pytest.raises(ValueError, match="no example has the label 7; labels are 0, 1"):
            latent.class_vector(codes, labels, 7)
        with pytest.raises(ValueError, match="no example has the label 3"):
            latent.mean_code(codes, labels, 3)
        for function in (latent.class_vector, latent.mean_code):
            with pytest.raises(ValueError, match=r"labels must be of shape \(4,\); got \(3,\)"):
                function(codes, labels[:3], 1)
        with pytest.raises(ValueError, match="examples with the attribute and examples without"):
            latent.attribute_vector(codes, np.ones(4, bool))
        with pytest.raises(ValueError, match="marked by booleans, got int64"):
            latent.attribute_vector(codes, labels)
        with pytest.raises(ValueError, match=r"got \(4, 2\), \(3,\) and \(4,\)"):
            latent.attribute_vector(codes, labels[:3] == 0)
        with pytest.raises(ValueError, match=r"codes of linear are \(n, 5\).*got \(1, 4\)"):
            latent.edit(linear(), normal(0, 2, *SHAPE), np.ones(4))
        with pytest.raises(ValueError, match="GAN has no encoder"):
            latent.arithmetic(games.make("gan"), *[games.examples()] * 3)


class TestAnomaly:
    def test_auroc_by_hand_and_against_a_double_loop(self):
        # Pairs (usual, unusual): (1, 2) +, (1, 0) −, (2, 2) tie, (2, 0) −.
        assert latent.auroc([1, 2], [2, 0]) == 1.5 / 4
        assert latent.auroc([0, 1], [2, 3]) == 1 and latent.auroc([2], [1]) == 0
        rng = np.random.default_rng(0)
        usual, unusual = rng.integers(0, 10, 37), rng.integers(3, 13, 23)
        wins = [(u > v) + 0.5 * (u == v) for v in usual for u in unusual]
        assert latent.auroc(usual, unusual) == pytest.approx(np.mean(wins))
        assert latent.auroc(usual, usual) == 0.5
        assert latent.auroc([1, 2], [np.inf, -np.inf]) == 0.5

    @pytest.mark.parametrize("bad", [([], [1]), ([1], [[1]]), ([1, np.nan], [1])])
    def test_errors(self, bad):
        with pytest.raises(ValueError, match="auroc"):
            latent.auroc(*bad)

    @pytest.mark.parametrize("method", ["bigan", "vae"])
    def test_scores_of_many_are_those_of_few(self, method):
        game, x = games.make(method), games.examples(n=510)
        found = latent.anomaly_scores(game, x)
        expected = scores.anomaly(game, x[500:])
        assert set(found) == set(expected)
        for name, values in found.items():
            assert values.shape == (510,)
            np.testing.assert_allclose(values[500:], np.array(expected[name]), rtol=1e-4)

    def test_training_images_are_checked_too(self):
        game, x = games.make("vae"), games.examples()
        raw = np.full(x.shape, 9, np.uint8)
        with pytest.raises(ValueError, match="images in .*zoo.datasets.scale; got uint8"):
            latent.detect(game, raw, x, x)
        for name, images in (("train", (raw, x)), ("x", (x, raw))):
            with pytest.raises(ValueError, match=f"^{name} must be floats, .*; got uint8"):
                latent.baseline_scores(*images)

    def test_without_a_score(self):
        with pytest.raises(ValueError, match="GAN has no encoder"):
            latent.anomaly_scores(games.make("gan"), games.examples())

    def test_detection_of_what_a_linear_model_cannot_say(self):
        model = linear()
        model = dataclasses.replace(
            model,
            anomaly=lambda x: {
                "anomaly_score": np.abs(x - model.decode(model.encode(x))).sum(axis=(1, 2, 3))
            },
        )
        train, usual = (model.decode(normal(s, 60, CODES)) for s in (1, 2))
        found = latent.detect(model, train, usual, usual + normal(3, 60, *SHAPE))
        assert list(found) == ["anomaly_score", "pixel_neighbour", "darkness"]
        assert found["anomaly_score"][2] == 1.0
        inside, outside, area = found["pixel_neighbour"]
        assert area == latent.auroc(inside, outside) > 0.8
        np.testing.assert_allclose(inside, latent.nearest(usual, train)[1][:, 0])
        np.testing.assert_allclose(found["darkness"][0], -usual.mean(axis=(1, 2, 3)), rtol=1e-4)


@pytest.mark.slow
def test_a_saved_model_scores_like_its_game(tmp_path):
    game, x = games.make("bigan"), games.examples(n=6)
    archive = keras.export.ExportArchive()
    archive.track(game)
    spec = [keras.InputSpec(shape=(None, 8, 8, 1), dtype="float32")]
    archive.add_endpoint("decode", game.decode, [keras.InputSpec(shape=(None, 3), dtype="float32")])
    archive.add_endpoint("encode", game.encode, spec)
    archive.add_endpoint("anomaly_score", lambda images: scores.anomaly(game, images), spec)
    archive.write_out(tmp_path / "served", verbose=False)
    model = models.load(str(tmp_path / "served"))
    expected = latent.anomaly_scores(game, x)
    for name, values in latent.anomaly_scores(model, x).items():
        np.testing.assert_allclose(values, expected.pop(name), rtol=1e-4)
    assert not expected
    np.testing.assert_allclose(model.encode(x), np.array(game.encode(x)), atol=1e-5)


def test_a_path_will_do_and_other_things_will_not(tmp_path):
    game = games.make("bigan")
    game.save(tmp_path / "game.keras")
    z = np.array(game.prior_codes(2, 0))
    of_path, of_game = (latent.traverse(m, z, [0]) for m in (str(tmp_path / "game.keras"), game))
    np.testing.assert_allclose(of_path, of_game, atol=1e-5)
    with pytest.raises(ValueError, match="a game, a zoo.models.Model or a path; got int"):
        latent.traverse(3, z)


def test_training_and_test_images_of_a_noised_model_have_noise_of_their_own():
    found = command.read("counterexample_fashion_mnist", "fashion_mnist_10k", limit=50, seed=0)
    # The encoder reads the noise: with the same noise, the codes would be the same.
    apart = np.abs(found.codes["test"][:, None] - found.codes["train"][None]).max(axis=2)
    assert apart.min() > 0.1
