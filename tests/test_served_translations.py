"""Translations between two domains, and between classes, by server and client."""

import asyncio
import base64
import io
import json
import urllib.request

import numpy as np
import pytest
import served
from PIL import Image

import zoo
from export import write
from export.client import AsyncClient
from export.client import __main__ as shell
from zoo import datasets

SHAPE, CLASSES = (8, 8, 1), 3
GAMES = {
    "cyclegan": lambda: zoo.CycleGAN(SHAPE, width=4),
    "unit": lambda: zoo.UNIT(SHAPE, width=4),
    "acgan": lambda: zoo.ACGAN(SHAPE, classes=CLASSES, latent_dim=3, width=4),
}


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0]).save(file, "PNG")
    return file.getvalue()


def pixels(file):
    return np.asarray(Image.open(io.BytesIO(file)))[..., None].astype(int)


def rest(address, body):
    request = urllib.request.Request(
        f"http://{address}/v1/models/default:predict", json.dumps(body).encode()
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", ["cyclegan", "acgan", pytest.param("unit", marks=pytest.mark.long)]
)
def test_grpc_rest_files_and_the_shell_translate_as_the_game_does(method, tmp_path):
    game = GAMES[method]()
    if method == "unit":
        # It begins with equal weights for both domains, so that translations would be the same.
        for network in (game.encoder_b, game.generator_b):
            network.set_weights([weight + 0.1 for weight in network.get_weights()])
    (tmp_path / "base" / "1").mkdir(parents=True)
    write.write(game, tmp_path / "base" / "1", max_batch_size=4)
    levels = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), dtype="uint8")
    x, labels = datasets.scale(levels), np.array([2, 0, 1])
    for number, one in enumerate(levels):
        (tmp_path / f"{number}.png").write_bytes(png(one))

    async def scenario():
        async with served.running(f"--model_base_path={tmp_path / 'base'}", rest=True) as app:
            async with AsyncClient(app.address, "default") as client:
                if method == "acgan":
                    made = await client.translate(images=x, labels=labels)
                    codes = np.array(game.prior_codes(3, 0))
                    decoded = await client.decode(codes, labels=labels)
                    expected = np.array(game.decode(codes, labels))
                    np.testing.assert_allclose(decoded, expected, atol=1e-5)
                    assert len(await client.decode_png(codes, labels=labels)) == 3
                    assert (await client.sample([1, 2], labels=[0, 2])).shape == (2, *SHAPE)
                    with pytest.raises(ValueError, match="labels must be from 0 to"):
                        await client.decode(codes, labels=labels + 1)
                    np.save(tmp_path / "code.npy", codes)
                    words = ["client", "decode", "--server", app.address]
                    words += ["--code", str(tmp_path / "code.npy")]
                    words += ["--out", str(tmp_path / "made.png"), "--classes", "2", "0", "1"]
                    assert await asyncio.to_thread(shell.main, words) == 0
                    for number, image in enumerate(datasets.unscale(expected)):
                        written = pixels((tmp_path / f"made-{number}.png").read_bytes())
                        assert np.abs(written - image).max() <= 1
                    words = ["client", "sample", "--server", app.address, "--seed", "1", "2", "3"]
                    words += ["--out", str(tmp_path / "made.png"), "--classes"]
                    assert await asyncio.to_thread(shell.main, [*words, "1"]) == 0
                    assert await asyncio.to_thread(shell.main, [*words, "1", "2"]) == 2
                    rows = [{"images": i.tolist(), "labels": int(y)} for i, y in zip(x, labels)]
                    body = {"signature_name": "translate", "instances": rows}
                    return made, await asyncio.to_thread(rest, app.rest_address, body), None
                made = await client.translate_ab(images=x)
                body = {"signature_name": "translate_ba", "instances": x.tolist()}
                answer = await asyncio.to_thread(rest, app.rest_address, body)
                body = {
                    "signature_name": "translate_ab_image_bytes",
                    "instances": [{"b64": base64.b64encode(png(one)).decode()} for one in levels],
                }
                files = await asyncio.to_thread(rest, app.rest_address, body)
                words = ["client", "translate", "--server", app.address, "--to", "a", "--image"]
                words += [str(tmp_path / f"{number}.png") for number in range(3)]
                words += ["--out", str(tmp_path / "made.png")]
                assert await asyncio.to_thread(shell.main, words) == 0
                return made, answer, files

    made, answer, files = asyncio.run(scenario())
    if method == "acgan":
        expected = np.array(game.translate(x, labels))
        np.testing.assert_allclose(made, expected, atol=1e-5)
        np.testing.assert_allclose(answer["predictions"], expected, atol=1e-5)
        return
    to_a, to_b = (np.array(game.translate(x, domain)) for domain in (0, 1))
    assert np.abs(to_a - to_b).max() > 1e-4
    np.testing.assert_allclose(made, to_b, atol=1e-5)
    np.testing.assert_allclose(answer["predictions"], to_a, atol=1e-5)
    for number, file in enumerate(files["predictions"]):
        decoded = pixels(base64.b64decode(file["b64"]))
        assert np.abs(decoded - datasets.unscale(to_b[number])).max() <= 1
        written = pixels((tmp_path / f"made-{number}.png").read_bytes())
        assert np.abs(written - datasets.unscale(to_a[number])).max() <= 1
