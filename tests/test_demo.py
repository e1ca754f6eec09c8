"""The page of the server: in Chromium if it is installed, and what it allows without one."""

import shutil
import subprocess
import tarfile
import types
import urllib.request

import client_server
import games
import numpy as np
import pytest

from export.server import demo

PIXELS = """id => {
    const canvas = document.getElementById(id);
    return Array.from(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data);
}"""


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A server of one game under two names, and the game."""
    folder = tmp_path_factory.mktemp("demo")
    client_server.export(folder / "ali")
    one = 'config {{ name: "{}" base_path: "{}" model_platform: "tensorflow" }}'
    configs = " ".join(one.format(name, folder / "ali") for name in ("first", "second"))
    (folder / "models").write_text(f"model_config_list {{ {configs} }}")
    with client_server.running(f"--model_config_file={folder / 'models'}") as app:
        yield types.SimpleNamespace(url=f"http://{app.rest_address}/", game=client_server.game())


@pytest.fixture
def page(browser, two):
    """The page, loaded; an error in its script or a request to elsewhere fails the test."""
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.set_default_timeout(60_000)
    errors, asked = [], []
    page.on("pageerror", lambda error: errors.append(error))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(two.url)
    ready(page)
    yield page
    assert not errors
    assert all(url.startswith(two.url) for url in asked)
    page.close()


def ready(page):
    # Not `wait_for_function`, which evaluates a string: the policy of the page forbids that.
    page.locator("#status:empty").wait_for(state="attached")


def pixels(page, canvas):
    """(8, 8) red values of a canvas."""
    return np.array(page.evaluate(PIXELS, canvas)).reshape(8, 8, 4)[..., 0]


def painted(image):
    return np.floor((np.asarray(image)[0, :, :, 0] + 1) * 127.5 + 0.5)


@pytest.mark.slow
def test_the_page_shows_a_sample_its_reconstruction_and_decodes_what_the_sliders_set(page, two):
    x = pixels(page, "drawing")
    returned = two.game.reconstruct((x.reshape(1, 8, 8, 1) / 127.5 - 1).astype("float32"))
    np.testing.assert_allclose(pixels(page, "returned"), painted(returned), atol=2)
    np.testing.assert_array_equal(pixels(page, "decoded"), pixels(page, "returned"))
    assert page.locator("#sliders input").count() == client_server.CODES
    # By the keyboard alone.
    page.locator("#axis-0").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    # While a slider moves, the status stays empty.
    for _ in range(200):
        if (pixels(page, "decoded") != pixels(page, "returned")).any():
            break
        page.wait_for_timeout(50)
    else:
        pytest.fail("the sliders changed no pixel in ten seconds")
    page.get_by_role("button", name="Back to the code").click()
    ready(page)
    np.testing.assert_allclose(pixels(page, "decoded"), pixels(page, "returned"), atol=1)


@pytest.mark.slow
def test_samples_a_drawing_and_a_file_are_encoded(page, tmp_path):
    from PIL import Image

    shown = page.locator("#samples button")
    assert shown.count() == 24
    before = pixels(page, "drawing")
    shown.nth(3).click()
    ready(page)
    assert (pixels(page, "drawing") != before).any()
    page.get_by_role("button", name="Clear").click()
    ready(page)
    assert (pixels(page, "drawing") == 0).all()
    box = page.locator("#drawing").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    ready(page)
    drawn = pixels(page, "drawing")
    assert drawn[2:5, 3:5].max() > 200 and (drawn[:, 0] == 0).all()
    Image.fromarray(np.full((16, 16), 77, np.uint8)).save(tmp_path / "grey.png")
    page.locator("#file").set_input_files(tmp_path / "grey.png")
    ready(page)
    assert (pixels(page, "drawing") == 77).all()


@pytest.mark.slow
def test_two_images_are_joined_and_two_models_compared(page):
    page.get_by_role("button", name="The image above is the first").click()
    page.locator("#samples button").nth(1).click()
    ready(page)
    page.get_by_role("button", name="The image above is the last").click()
    page.locator("#strip canvas").nth(8).wait_for()
    assert page.locator("#strip canvas").count() == 9
    said = page.locator("#duel figcaption").all_inner_texts()
    assert [text.split(":")[0] for text in said] == ["first", "second"]
    # It is the same game twice.
    assert said[0].partition(":")[2] == said[1].partition(":")[2]
    page.locator("#model").select_option("second")
    ready(page)
    assert page.locator("#other").input_value() == "first"


@pytest.mark.slow
def test_a_model_that_is_chosen_while_another_loads_overtakes_it(browser, two):
    page = browser.new_page()
    held, asked = [], []

    def count(request):
        if request.post_data_json:
            asked.append((request.url.rpartition("/")[2], request.post_data_json["inputs"]))

    page.on("request", count)
    page.route("**/first:predict", lambda route: held.append(route))
    page.goto(two.url)
    while not held:
        page.wait_for_timeout(20)
    assert page.locator("section:not([inert])").count() == 0
    page.locator("#model").select_option("second")
    page.locator("#samples canvas").nth(23).wait_for()  # of the second, while the first is held
    page.unroute("**/first:predict")  # which lets go of what is held
    ready(page)
    assert page.locator("section[inert]").count() == 0
    # The survey of the first ends with its last sample; it must not go on with the second.
    while not any(
        url == "first:predict" and 1255 in given.get("seeds", []) for url, given in asked
    ):
        page.wait_for_timeout(20)
    page.wait_for_timeout(500)
    encoded = [len(given.get("images", [])) for url, given in asked if url == "second:predict"]
    assert sum(encoded) == 256 + 1 + 32  # survey, first image, side by side
    page.close()


@pytest.mark.slow
def test_models_of_classes_and_of_wide_images_on_a_server_of_small_batches(browser, tmp_path):
    """The page leaves out what takes labels, and cuts an upload to the sides of the model."""
    from PIL import Image

    import zoo
    from export import write

    shape = (8, 16, 1)
    wide = zoo.BiGAN(shape, latent_dim=2, width=4, network="mlp", seed=1)
    classes = games.make("acgan")
    for name, game in (("wide", wide), ("classes", classes)):
        (tmp_path / name / "1").mkdir(parents=True)
        write.write(game, tmp_path / name / "1", max_batch_size=4)
    one = 'config {{ name: "{0}" base_path: "{1}/{0}" model_platform: "tensorflow" }}'
    configs = " ".join(one.format(name, tmp_path) for name in ("wide", "classes"))
    (tmp_path / "models").write_text(f"model_config_list {{ {configs} }}")
    batched = ("--enable_batching", "--enable_per_model_batching_parameters")
    page = browser.new_page()
    with client_server.running(f"--model_config_file={tmp_path / 'models'}", *batched) as app:
        page.goto(f"http://{app.rest_address}/")
        page.locator("#model").select_option("wide")
        ready(page)
        # The cut takes a quarter from the left and one from the right, and stretches nothing.
        picture = np.zeros((8, 32, 3), np.uint8)
        picture[:, [8, 9, 10, 23], 0] = 200
        Image.fromarray(picture).save(tmp_path / "red.png")
        page.locator("#file").set_input_files(tmp_path / "red.png")
        ready(page)
        seen = np.array(page.evaluate(PIXELS, "drawing")).reshape(*shape[:2], 4)[..., 0]
        grey = 0.299 * picture[:, 8:24, 0]  # as in training
        np.testing.assert_allclose(seen, grey, atol=1)
        page.locator("#model").select_option("classes")
        ready(page)
        assert "no control for classes" in page.locator("#about").inner_text()
        assert not page.locator("#samples-section").is_visible()
        page.close()


@pytest.mark.slow
def test_on_a_phone_nothing_is_wider_than_the_screen(browser, two):
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(two.url)
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # Every control has a name for a screen reader.
    for control in page.locator("button, select, input").all():
        named = control.evaluate("e => e.ariaLabel || e.innerText || e.labels?.[0]?.innerText")
        assert named
    page.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The accessibility checker axe-core, of npm's registry."""
    if shutil.which("npm") is None:
        pytest.skip("npm, which fetches axe-core, is not installed")
    folder = tmp_path_factory.mktemp("axe")
    fetched = subprocess.run(["npm", "pack", "axe-core@4"], cwd=folder, capture_output=True)
    if fetched.returncode:
        pytest.skip("npm cannot fetch axe-core")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_no_fault_of_accessibility(browser, two, axe, scheme):
    # The policy of the page forbids other scripts.
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)
    page = context.new_page()
    page.goto(two.url)
    ready(page)
    page.add_script_tag(content=axe)
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 20
    for kind in ("violations", "incomplete"):
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found[kind]] == []
    context.close()


def test_the_page_may_load_nothing_and_lists_the_models(two):
    with urllib.request.urlopen(two.url) as answer:
        text, headers = answer.read().decode(), answer.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert 'const MODELS = ["first", "second"];' in text


@pytest.mark.parametrize(
    "host, asked, shown",
    [
        ("127.0.0.1", None, True),
        ("localhost", None, True),
        ("[::1]", None, True),
        ("0.0.0.0", None, False),
        ("example.org", None, False),
        ("0.0.0.0", True, True),
        ("127.0.0.1", False, False),
    ],
)
def test_the_page_is_for_loopback_addresses_unless_a_flag_says_otherwise(host, asked, shown):
    assert demo.enabled(types.SimpleNamespace(host=host, enable_demo=asked)) is shown


def test_a_model_name_cannot_end_the_script():
    model = types.SimpleNamespace(available=lambda: [1])
    text = demo.page(types.SimpleNamespace(models={"</script><b>": model}))
    assert text.count("</script>") == 1 and "\\u003c/script>" in text
