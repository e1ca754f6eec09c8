"""The commands that draw: tables of images pixel by pixel, the latent page, the gallery."""

import argparse
import json
import shutil

import games
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import datasets
from zoo import gallery
from zoo import models
from zoo.latent import __main__ as command
from zoo.latent import page
from zoo.latent import parts
from zoo.plots import clouds
from zoo.plots import sheets
from zoo.plots.sheets import Row


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


class TestSheets:
    def test_every_image_is_where_it_belongs(self, tmp_path):
        # 28 pixels are drawn at twice their size, with 4 pixels between; a sign takes 22.
        images = np.random.default_rng(0).uniform(-1, 1, (3, 28, 28, 1)).astype("float32")
        rows = [Row("", [images[0], "=", images[1]]), Row("", [None, None, images[2]])]
        sheets.draw(tmp_path / "deep" / "table.png", "", rows)
        drawn = read(tmp_path / "deep" / "table.png")
        left, top = 14 + 10, 44
        for image, x, y in (
            (images[0], left, top),
            (images[1], left + 60 + 26, top),
            (images[2], left + 60 + 26, top + 60),
        ):
            pixels = np.rint((image + 1) * 127.5).repeat(2, axis=0).repeat(2, axis=1)
            np.testing.assert_array_equal(drawn[y : y + 56, x : x + 56], pixels * np.ones(3))
        assert (drawn[top + 60 : top + 116, left : left + 56] == 255).all()
        assert (drawn[top : top + 56, left + 60 : left + 82] < 128).any()

    def test_colour_and_large_images_are_drawn_as_they_are(self, tmp_path):
        image = np.random.default_rng(1).uniform(-1, 1, (64, 64, 3)).astype("float32")
        sheets.draw(tmp_path / "table.png", "", [Row("", [image])], note="a note " * 9)
        drawn = read(tmp_path / "table.png")
        np.testing.assert_array_equal(drawn[44:108, 24:88], np.rint((image + 1) * 127.5))

    @pytest.mark.parametrize("shapes", [[], [(4, 4, 1), (5, 4, 1)], [(4, 4)]])
    def test_errors(self, shapes, tmp_path):
        with pytest.raises(ValueError, match="images of one shape"):
            sheets.draw(tmp_path / "x.png", "", [Row("", [np.zeros(s) for s in shapes])])


def saved(path, seed, classes=4):
    """A data set of 8 × 8 images, brighter from class to class; its name."""
    rng = np.random.default_rng(seed)
    labels = np.arange(60) % classes
    images = (rng.uniform(0, 60, (60, 8, 8)) + 40 * labels[:, None, None]).astype("uint8")
    arrays = {"train": images[:40], "test": images[40:]}
    np.savez(path, **arrays, y_train=labels[:40], y_test=labels[40:])
    return f"npz:{path}"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder with two data sets, a BiGAN whose run says its set, and a GAN."""
    folder = tmp_path_factory.mktemp("tiny")
    usual = saved(folder / "usual.npz", 0)
    saved(folder / "other.npz", 1)
    for method in ("bigan", "gan"):
        (folder / f"{method}_run").mkdir()
        games.make(method).save(folder / f"{method}_run" / "game.keras")
    (folder / "bigan_run" / "config.json").write_text(
        json.dumps({"settings": {"dataset": usual, "image_size": 0, "train_split": "train[:30]"}})
    )
    return folder


def test_the_command_draws_every_tool(tiny, tmp_path, capsys):
    flags = ["--attributes=0:3", "--arithmetic=2-0+1", "--examples=20"]
    flags += [f"--unusual=npz:{tiny / 'other.npz'}", f"--out={tmp_path / 'pictures'}"]
    command.main(["latent", str(tiny / "bigan_run"), *flags, f"--page={tmp_path / 'latent.md'}"])
    found = json.loads((tmp_path / "pictures" / "latent.json").read_text())
    text = (tmp_path / "latent.md").read_text()
    names = ("interpolation", "traversal", "neighbours", "attributes", "arithmetic", "anomaly")
    for name in names:
        assert (tmp_path / "pictures" / f"{name}.png").stat().st_size > 5000
        assert f"(pictures/{name}.png)" in text
    assert set(found["figures"]) == set(names) - {"anomaly"}
    assert found["trained_on"].endswith("usual.npz train[:30]") and found["library"] == 30
    assert found["figures"]["neighbours"]["same_class_chance"] == pytest.approx(0.25, abs=0.02)
    (row,) = found["anomaly"]
    other, upside_down = row["unusual"].values()
    assert upside_down["darkness"] == pytest.approx(0.5)
    assert all(0 <= area <= 1 for area in other.values()) and len(other) == 5
    assert page.table(found["anomaly"]) in text
    assert page.table(found["anomaly"]) in capsys.readouterr().out


def test_without_an_encoder_there_are_two_pictures(tiny, tmp_path):
    command.main(
        ["latent", str(tiny / "gan_run"), f"--dataset=npz:{tiny / 'usual.npz'}"]
        + [f"--out={tmp_path}", "--examples=20"]
    )
    assert {file.name for file in tmp_path.iterdir()} == {
        *("interpolation.png", "traversal.png", "latent.json", "README.md")
    }


def test_the_table_has_a_row_for_each_model_and_set():
    rows = [
        {"model": "a", "trained_on": "x", "unusual": {"y": {"anomaly_score": 0.51234}}},
        {"model": "b", "trained_on": "y", "unusual": {"x": {"darkness": 1.0}}},
    ]
    assert page.table(rows).splitlines()[2:] == [
        "| a | x | y | 0.512 | – |",
        "| b | y | x | – | 1.000 |",
    ]


@pytest.mark.parametrize(
    "words, message",
    [
        (
            ["bigan_run", "--attributes=0:9"],
            "labels of --attributes must be among those seen, 0, 1,",
        ),
        (["bigan_run", "--arithmetic=1+2"], "'1+2' is not like '2-0+3,9-7+5'"),
        (["bigan_run", "--dataset=grid25"], "grid25 holds points"),
        (
            ["bigan_run", "--dataset=fashion_mnist_10k"],
            "fashion_mnist_10k must have examples of shape (8, 8, 1)",
        ),
        (["gan_run", "--attributes=0:1", "--dataset=DATA"], "needs an encoder and labels"),
        (
            ["bigan_run", "--dataset=DATA", "--attributes=0:1,1:1"],
            "--attributes must be pairs of two different labels; got 1:1",
        ),
        (["bigan_run", "--examples=3"], "--examples must be 20 or more"),
        (
            ["bigan_run", "--dataset=DATA", "--unusual=DATA[class=1]"],
            "--unusual must share no image with the data of a model; got npz:usual.npz[class=1]",
        ),
        (
            ["bigan_run", "--unusual=fashion_mnist_10k"],
            "fashion_mnist_10k must have examples of shape (8, 8, 1), which bigan_run takes; got "
            "(28, 28, 1); choose another --unusual",
        ),
    ],
)
def test_errors_of_the_command(words, message, tiny, monkeypatch, refused):
    monkeypatch.chdir(tiny)
    words = [word.replace("DATA", "npz:usual.npz") for word in words]
    assert message in refused(command.main, ["latent", *words])


@pytest.mark.parametrize(
    "dataset, unusual",
    [
        ("DATA[class=1]", "DATA[class=2]"),
        ("DATA", "DATA[invert]"),
        ("DATA[invert][class=1]", "DATA[class=2][invert]"),
    ],
)
def test_other_classes_and_maps_of_a_set_are_unusual(dataset, unusual, tiny):
    dataset, unusual = (s.replace("DATA", f"npz:{tiny / 'usual.npz'}") for s in (dataset, unusual))
    subject = command.read(str(tiny / "bigan_run"), dataset, 20, 0)
    args = argparse.Namespace(unusual=unusual, seed=0, examples=20)
    (others,) = command._others([subject], args)
    np.testing.assert_array_equal(others[unusual], datasets.load(unusual).test)
    assert list(others) == [unusual]


def test_neighbours_of_one_class_have_no_share_of_the_same_class(tiny, tmp_path):
    for bracket, figures in (("", 3), ("[class=1]", 0)):
        dataset = f"npz:{tiny / 'usual.npz'}{bracket}"
        subject = command.read(str(tiny / "bigan_run"), dataset, 20, 0)
        assert len(parts.nearest(subject, tmp_path)) == figures


def test_the_gallery_shows_every_model_below_its_data(tiny, tmp_path, capsys):
    out = tmp_path / "gallery.png"
    shown = [str(tiny / "bigan_run"), str(tiny / "gan_run")]
    # The order is that of the methods, not that of the command.
    gallery.main(
        ["gallery", *shown, f"--dataset=npz:{tiny / 'usual.npz'}", f"--out={out}"]
        + ["--reconstructions=3", "--samples=2"]
    )
    drawn = read(out)
    data = np.load(tiny / "usual.npz")
    # 8 pixels are drawn seven times as large; the first test image of the first class is the first.
    left, top = 14 + int(11.2 * len("(no encoder)")) + 10, 44 + 26 + 32
    first = data["test"][0].repeat(7, axis=0).repeat(7, axis=1)
    np.testing.assert_array_equal(drawn[top : top + 56, left : left + 56, 0], first)
    game = zoo.load(str(tiny / "bigan_run"))
    back = np.array(game.reconstruct(data["test"][:1, ..., None].astype("float32") / 127.5 - 1))
    below = drawn[top + 120 : top + 176 : 7, left : left + 56 : 7, 0].astype(int)
    assert np.abs(below - np.rint((back[0, ..., 0] + 1) * 127.5)).max() <= 1
    # The GAN's row: nothing where reconstructions would be, and two samples.
    assert (drawn[top + 60 : top + 116, left : left + 176] == 255).all()
    assert (drawn[top + 60 : top + 116, left + 206 : left + 322] < 255).any()
    with pytest.raises(SystemExit):
        gallery.main(["gallery", shown[0], "--dataset=fashion_mnist_10k", f"--out={out}"])
    assert "a gallery needs images of one shape" in capsys.readouterr().err


def test_translations_stand_between_both_sets_and_the_truth(tiny, tmp_path, refused):
    run, name = tmp_path / "cyclegan_run", f"npz:{tiny / 'usual.npz'}"
    run.mkdir()
    game = games.make("cyclegan")
    game.save(run / "game.keras")
    settings = {"method": "cyclegan", "dataset": name, "dataset_b": f"{name}[invert]"}
    (run / "config.json").write_text(json.dumps({"settings": settings}))
    out = tmp_path / "gallery.png"
    gallery.main(["gallery", str(run), "--reconstructions=3", "--samples=2", f"--out={out}"])
    drawn, test = read(out)[..., 0], np.load(tiny / "usual.npz")["test"]
    left, top = 14 + int(11.2 * len("test images")) + 10, 44 + 26 + 32
    # Images, translations, these back, and the truth; the 4th image is the first of B.
    cells = [
        [drawn[y + 3 : y + 56 : 7, x + 3 : x + 56 : 7].astype(int) for x in (left, left + 206)]
        for y in (top, top + 60, top + 120, top + 180)
    ]
    assert len(drawn) > top + 240
    np.testing.assert_array_equal(cells[0], [test[0], 255 - test[3]])
    np.testing.assert_array_equal(cells[3], [255 - test[0], test[3]])
    a, b = ((pixels[None, ..., None] / 127.5 - 1).astype("float32") for pixels in cells[0])
    for x, way, column in ((a, (1, 0), 0), (b, (0, 1), 1)):
        for domain, row in zip(way, cells[1:3], strict=True):
            x = np.array(game.translate(x, domain))
            assert np.abs(row[column] - np.rint((x[0, ..., 0] + 1) * 127.5)).max() <= 1
    few = ["gallery", str(run), f"--reconstructions={len(test)}", f"--out={out}"]
    assert f"leaves none of the {len(test)} test images" in refused(gallery.main, few)


@pytest.mark.parametrize(
    "name, method, title",
    [
        ("vae_gan_dcgan_mnist", "vae_gan", "VAE/GAN"),
        ("vae", "vae", "VAE"),
        ("latent_regressor_mnist", "latent_regressor", "Latent regressor"),
    ],
)
def test_the_method_is_read_from_the_name(name, method, title):
    assert gallery.method_of(name) == method
    assert gallery.title_of(method) == title
    assert gallery.method_of("vaeish") == ""


@pytest.mark.parametrize("name", ["vae_like", "mine"])
def test_the_method_of_a_game_is_that_of_its_class(name, tiny, tmp_path):
    path = tmp_path / f"{name}.keras"
    games.make("bigan").save(path)
    args = argparse.Namespace(
        dataset=f"npz:{tiny / 'usual.npz'}", reconstructions=1, samples=1, seed=0
    )
    _, made = gallery._made(str(path), args)
    assert (made.name, made.method) == (name, "bigan")


def test_models_of_points_stand_side_by_side_with_their_names(tmp_path, monkeypatch):
    paths = []
    for method, seed in (("vae", 0), ("gan", 0), ("vae", 1)):
        path = tmp_path / f"{method}_{seed}"
        path.mkdir()
        games.make(method, network="mixture", seed=seed).save(path / "game.keras")
        paths.append(str(path))
    (tmp_path / "again").mkdir()
    paths.append(str(shutil.copytree(paths[0], tmp_path / "again" / "vae_0")))
    given = {"dataset": "ring8", "method": "gan"}
    (tmp_path / "gan_0" / "config.json").write_text(json.dumps({"settings": given}))
    drawn, draw, out = {}, clouds.draw_points, tmp_path / "gallery.png"

    def noted(axes, *arguments):
        drawn[arguments[2]] = arguments
        draw(axes, *arguments)

    monkeypatch.setattr(clouds, "draw_points", noted)
    gallery.main(["gallery", *paths, "--dataset=ring8", "--points=30", f"--out={out}"])
    # The names of all, and the path of a second of one name.
    assert list(drawn) == ["GAN", "vae_0", "vae_1", str(tmp_path / "again" / "vae_0")]
    assert all(np.shape(made) == (30, 2) for _, made, _ in drawn.values())
    assert read(out).shape == (550, 2000, 3)


def test_a_title_is_wrapped_to_the_width_of_its_panels(tmp_path):
    real = np.array([[-1.0, -1.0], [1.0, 1.0]])
    title = "ring8: real points and 2,500 samples of each model"
    clouds.draw(tmp_path / "a.png", title, real, {"a model": real})
    drawn = read(tmp_path / "a.png")
    assert drawn.shape == (575, 500, 3)
    assert (drawn[:50, -10:] == 255).all() and (drawn[:50, :250] < 255).any()


def test_points_outside_a_panel_are_counted(tmp_path):
    real = np.array([[-1.0, -1.0], [1.0, 1.0]])
    made = np.array([[0.0, 0.0], [1.9, -1.9], [2.1, 0.0], [0.0, -5.0]])
    clouds.draw(tmp_path / "a.png", "title", real, {"a model": made})
    clouds.draw(tmp_path / "b.png", "title", real, {"a model": made[:2]})
    # The same dots, and other words below the axes.
    a, b = read(tmp_path / "a.png"), read(tmp_path / "b.png")
    assert (a[:500] == b[:500]).all() and (a[500:] != b[500:]).any()


def test_a_model_of_two_sets_is_compared_with_the_one_that_is_named(tiny, tmp_path):
    name = f"npz:{tiny / 'usual.npz'}"
    games.make("acgan").save(tmp_path / "game.keras")
    settings = {"dataset": name, "dataset_b": f"{name}[invert]", "train_split": "train[:30]"}
    (tmp_path / "config.json").write_text(json.dumps({"settings": settings}))
    assert models.trained_on(str(tmp_path))["other"] == f"{name}[invert]"
    with pytest.raises(ValueError, match=r"--dataset=npz:.* or --dataset=npz:.*\[inv"):
        next(models.load_each([tmp_path]))
    with pytest.raises(ValueError, match="no game at .*missing"):
        next(models.load_each([tmp_path, tmp_path / "missing"], name))
    _, _, _, data = next(models.load_each([tmp_path], name))
    assert data.other is None


def test_what_a_run_was_trained_on(tiny, tmp_path):
    expected = {
        "name": f"npz:{tiny / 'usual.npz'}",
        "image_size": None,
        "train_split": "train[:30]",
        "test_split": "test",
    }
    assert models.trained_on(str(tiny / "bigan_run")) == expected
    assert models.trained_on(str(tiny / "bigan_run" / "game.keras")) == expected
    assert models.trained_on(str(tiny / "gan_run")) == {}
    (tmp_path / "config.json").write_text('{"settings": {"dataset": "not recorded"}}')
    assert models.trained_on(str(tmp_path)) == {}
