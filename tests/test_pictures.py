"""Pictures: where every pixel goes, and that a report of any kind of run can be drawn."""

import itertools
import math

import numpy as np
import pytest
from PIL import Image

from zoo.plots import pictures
from zoo.plots.panels import draw_losses
from zoo.plots.panels import draw_ratios
from zoo.plots.panels import measured


def numbered(n, side=2, channels=1):
    """Flat images, n of them, whose grey values are 0, 1, ..., n - 1 of 255."""
    values = np.arange(n, dtype=np.float32) / 127.5 - 1
    return np.broadcast_to(values[:, None, None, None], (n, side, side, channels))


class TestGrid:
    def test_layout(self):
        g = 255
        expected = [
            [0, 0, g, 1, 1],
            [0, 0, g, 1, 1],
            [g, g, g, g, g],
            [2, 2, g, g, g],
            [2, 2, g, g, g],
        ]
        sheet = pictures.grid(numbered(3), columns=2)
        assert sheet.dtype == np.uint8
        np.testing.assert_array_equal(sheet, expected)

    def test_one_image_is_itself(self):
        image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 5, 3)).astype(np.float32)
        expected = np.rint((image[0] + 1) * 127.5)
        np.testing.assert_array_equal(pictures.grid(image, 1), expected)

    def test_values_outside_are_clipped(self):
        wild = np.array([-9.0, 9.0, math.nan]).reshape(1, 1, 3, 1)
        np.testing.assert_array_equal(pictures.grid(wild, 1), [[0, 255, 0]])

    @pytest.mark.parametrize("shape", [(2, 4, 4), (2, 4, 4, 2), (0, 4, 4, 1)])
    def test_wrong_shape(self, shape):
        with pytest.raises(ValueError, match="images must be"):
            pictures.grid(np.zeros(shape), 2)

    def test_wrong_columns(self):
        with pytest.raises(ValueError, match="columns"):
            pictures.grid(numbered(2), 0)


class TestPairs:
    def test_reconstructions_lie_below(self):
        upper, lower = numbered(3, side=1), numbered(6, side=1)[3:]
        sheet = pictures.pairs(upper, lower, columns=2)
        g, gap = 255, [[255] * 3]
        expected = [[0, g, 1], *gap, [3, g, 4], *(4 * gap), [2, g, g], *gap, [5, g, g]]
        np.testing.assert_array_equal(sheet, expected)

    def test_colour(self):
        sheet = pictures.pairs(numbered(2, 4, 3), numbered(2, 4, 3), columns=2)
        assert sheet.shape == (9, 9, 3)

    def test_errors(self):
        with pytest.raises(ValueError, match="equal shapes"):
            pictures.pairs(numbered(2), numbered(3), 2)
        with pytest.raises(ValueError, match="columns"):
            pictures.pairs(numbered(2), numbered(2), 0)


class TestPairSheets:
    def test_pairs_stand_one_above_the_other(self, tmp_path):
        path = tmp_path / "new" / "pairs.png"
        images = np.stack([np.full((8, 8, 3), v, np.float32) for v in (-1, -0.2, 0.6)])
        sheets = {"samples": (images, [[0, 1], [2, 1]]), "real": (images, [[1, 2]])}
        pictures.pair_sheets(path, "So many pairs. " * 20, sheets, columns=2)
        picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
        values = [0, 102, 204]
        lines = picture[:, 60], picture[:, 700]
        shown = [[v for v, _ in itertools.groupby(line[:, 0]) if v in values] for line in lines]
        # The text above may pass through these greys for a pixel or two, the images are long.
        assert shown[0][-4:] == [0, 102, 102, 204]
        assert shown[1][-2:] == [204, 102]

    @pytest.mark.parametrize("indices", [np.zeros((0, 2), int), np.zeros((3, 3), int), [1, 2]])
    def test_errors(self, tmp_path, indices):
        with pytest.raises(ValueError, match="pairs of indices"):
            pictures.pair_sheets(tmp_path / "a.png", "", {"samples": (numbered(3), indices)})
        with pytest.raises(ValueError, match="none"):
            pictures.pair_sheets(tmp_path / "a.png", "", {})


class TestSavePng:
    @pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3)])
    def test_round_trip(self, tmp_path, shape):
        array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        path = tmp_path / "new" / "sheet.png"
        pictures.save_png(array, path)
        np.testing.assert_array_equal(np.asarray(Image.open(path)), array)

    def test_floats_are_refused(self, tmp_path):
        with pytest.raises(ValueError, match="float64"):
            pictures.save_png(np.zeros((2, 2)), tmp_path / "sheet.png")


def coloured(picture, rgb):
    """How many pixels have exactly this colour."""
    return int(np.all(picture == rgb, axis=-1).sum())


ORANGE = (0xD9, 0x76, 0x2B)


class TestPoints:
    def test_both_clouds_are_drawn(self):
        rng = np.random.default_rng(0)
        real, made = rng.normal(size=(200, 2)), rng.normal(size=(200, 2)) + 9
        picture = pictures.points(real, made)
        assert picture.shape == (600, 600, 3) and picture.dtype == np.uint8
        few = pictures.points(real, made[:20])
        assert coloured(picture, ORANGE) > 2 * coloured(few, ORANGE) > 0

    def test_wrong_shape(self):
        with pytest.raises(ValueError, match="points"):
            pictures.points(np.zeros((4, 2)), np.zeros((4, 3)))


def draw(path, images, reconstructions, samples, **others):
    history = {"discriminator": [0.7, 0.6, 0.5], "generator": [0.7, 0.8, math.nan]}
    history["x_cycle_ratio"] = [None, 0.9, 0.8] if reconstructions is not None else []
    arguments = {"history": history, "metrics": {"x_cycle": 6.0, "n_test": 10.0}} | others
    pictures.report(path, title="A run", images=images, reconstructions=reconstructions,
                    samples=samples, **arguments)  # fmt: skip
    picture = Image.open(path)
    assert picture.size == (1600, 1000)
    return np.asarray(picture.convert("RGB"))


class TestReport:
    def test_images(self, tmp_path):
        x = np.full((72, 8, 8, 3), -1, np.float32)
        z = np.random.default_rng(0).normal(size=(50, 4))
        full = draw(tmp_path / "runs" / "a.png", x, x, x, codes=z, prior=z)
        left = full[:, :800]
        # Black tiles cover most of two sheets of 490 x 390 pixels and more.
        assert coloured(left, (0, 0, 0)) > 2 * 490 * 390
        without_codes = draw(tmp_path / "b.png", x, x, x)
        np.testing.assert_array_equal(left, without_codes[:, :800])
        assert np.any(full[400:650, 800:] != without_codes[400:650, 800:])

    def test_reconstructions_are_the_lower_rows(self, tmp_path):
        red = np.broadcast_to(np.array([1, -1, -1], np.float32), (36, 8, 8, 3))
        blue = np.broadcast_to(np.array([-1, -1, 1], np.float32), (36, 8, 8, 3))
        left = draw(tmp_path / "a.png", red, blue, -np.ones_like(red))[:, :800]
        rows = [np.flatnonzero(np.all(left == c, axis=-1).any(axis=1)) for c in
                ((255, 0, 0), (0, 0, 255), (0, 0, 0))]  # fmt: skip
        assert rows[0].min() < rows[1].min() < rows[2].max()
        assert rows[0].max() < rows[1].max() < rows[2].max()

    @pytest.mark.parametrize("metrics", [{}, {"knn_code": 0.5}])
    def test_no_encoder(self, tmp_path, metrics):
        x = np.zeros((200, 8, 8, 1), np.float32)
        right = draw(tmp_path / "a.png", x, None, x, metrics=metrics)[680:, 830:]
        assert (coloured(right, (255, 255, 255)) < right.size / 3) == bool(metrics)

    def test_points(self, tmp_path):
        x = np.random.default_rng(0).normal(size=(300, 2))
        with_encoder = draw(tmp_path / "a.png", x, x + 0.1, x + 1)
        without = draw(tmp_path / "b.png", x, None, x + 1)
        for part in (with_encoder[:480, :800], with_encoder[520:, :800], without[:, :800]):
            assert coloured(part, ORANGE) > 100
        other_samples = draw(tmp_path / "c.png", x, x + 0.1, x + 2)
        np.testing.assert_array_equal(other_samples[:480], with_encoder[:480])
        assert np.any(other_samples[520:, :800] != with_encoder[520:, :800])

    def test_a_diverged_run(self, tmp_path):
        x = np.full((40, 8, 8, 1), math.nan)
        history = {"generator": [math.nan, math.nan], "x_cycle_ratio": [math.nan]}
        codes = np.full((40, 4), math.nan)
        draw(tmp_path / "a.png", x, x, x, history=history, codes=codes, metrics={"mmd": math.nan})
        assert (tmp_path / "a.png").stat().st_size > 10_000

    def test_no_global_state(self, tmp_path):
        from matplotlib import pyplot

        before = pyplot.get_fignums()
        draw(tmp_path / "a.png", np.zeros((4, 8, 8, 1)), None, np.zeros((4, 8, 8, 1)))
        assert pyplot.get_fignums() == before

    def test_wrong_shape(self, tmp_path):
        with pytest.raises(ValueError, match="equal shapes"):
            draw(tmp_path / "a.png", numbered(4), numbered(3), numbered(4))


class TestCurves:
    def test_epochs_without_a_value(self):
        epochs, values = measured([None, 0.9, math.nan, 0.7])
        np.testing.assert_array_equal(epochs, [2, 4])
        np.testing.assert_array_equal(values, [0.9, 0.7])

    @pytest.mark.parametrize(
        ("history", "names", "scale"),
        [
            ({"loss": [2.0], "encoder": [1.0], "x_cycle_ratio": [0.5]}, ["encoder"], "linear"),
            ({"loss": [2.0]}, ["loss"], "linear"),
            ({"encoder": [900.0, 300.0], "discriminator": [0.6, 0.5]},
             ["encoder", "discriminator"], "log"),
            ({"encoder": [900.0, 300.0], "discriminator": [0.6, -0.5]},
             ["encoder", "discriminator"], "linear"),
        ],
    )  # fmt: skip
    def test_which_losses_are_drawn(self, history, names, scale):
        from matplotlib.figure import Figure

        axes = Figure().add_subplot()
        draw_losses(axes, history)
        assert [line.get_label() for line in axes.get_lines()] == names
        assert axes.get_yscale() == scale

    @pytest.mark.parametrize(
        ("reported", "title", "label"),
        [
            ((), "loss of each player", "loss"),
            (("other",), "loss of each player", "loss"),
            (("distance",), "losses, reported values", "value"),
        ],
    )
    def test_values_that_are_no_losses_are_named_in_the_title(self, reported, title, label):
        axes = pictures.blank(6, 4).add_subplot()
        draw_losses(axes, {"critic": [1.0], "distance": [0.5]}, reported)
        assert (axes.get_title(loc="left"), axes.get_ylabel()) == (title, label)

    def test_no_legend_covers_a_curve(self):
        figure = pictures.blank(16, 10)
        losses, ratios = (
            figure.add_axes((0.57, bottom, width, height))
            for bottom, width, height in ((0.68, 0.41, 0.22), (0.39, 0.18, 0.2))
        )
        players = ("encoder", "generator", "discriminator", "code_discriminator")
        draw_losses(losses, {name: [1.0, 5.0] for name in players})
        draw_ratios(ratios, np.arange(1, 4), np.array([1.4, 1.7, 1.7]))
        figure.canvas.draw()
        legend = losses.get_legend().get_window_extent()
        assert legend.y0 >= losses.get_window_extent().y1
        (title,) = losses.findobj(lambda a: getattr(a, "get_text", str)() == "loss of each player")
        assert legend.x0 > title.get_window_extent().x1
        assert ratios.get_legend().get_window_extent().y0 > ratios.transData.transform((3, 1.7))[1]
