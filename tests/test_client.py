"""The client against a live server: every method, three ways and REST, and what is refused.

Nothing here imports TensorFlow; see `client_server`.
"""

import asyncio
import base64
import io
import json
import os
import pathlib
import struct
import subprocess
import sys
import urllib.request
import zlib

import client_server
import numpy as np
import pytest

from export import client as clients
from export.client import AsyncClient
from export.client import Client
from export.client import pictures

ROOT = pathlib.Path(__file__).parent.parent
ALONE = (
    "import sys; sys.modules.update(dict.fromkeys("
    "['tensorflow', 'keras', 'zoo', 'PIL', 'absl', 'tensorflow_serving']));"
    "from export.client.__main__ import main; sys.exit(main(['client', *sys.argv[1:]]))"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with client_server.ali(tmp_path_factory.mktemp("client")) as found:
        yield found


@pytest.fixture(scope="module")
def client(server):
    with Client(server.address, "ali") as found:
        yield found


def shell(server, *arguments):
    """The client's command in a process that cannot import TensorFlow: (exit code, out, err)."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *arguments, "--server", server.address, "--model", "ali"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def files(server):
    return [server.answers[f"file.{i}"].tobytes() for i in range(5)]


def pixels(png):
    """The grey pixels of an unfiltered PNG, or of any that has one row filter of kind 0."""
    data, chunks, at = b"", [], 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += size + 12
    width, height = struct.unpack(">II", chunks[0][1][:8])
    data = zlib.decompress(b"".join(content for name, content in chunks if name == b"IDAT"))
    rows = np.frombuffer(data, "u1").reshape(height, 1 + width)
    return _unfiltered(rows)[..., None]


def _unfiltered(rows):
    # PNG specification, section 9: none, sub, up, average, Paeth; one byte per pixel.
    found = np.zeros((len(rows), rows.shape[1] - 1), "int64")
    for y, (kind, *row) in enumerate(rows.tolist()):
        for x, value in enumerate(row):
            a = found[y, x - 1] if x else 0
            b = found[y - 1, x] if y else 0
            c = found[y - 1, x - 1] if x and y else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            found[y, x] = (value + [0, a, b, (a + b) // 2, nearest][kind]) % 256
    return found.astype("u1")


def close(found, expected):
    assert found.dtype == np.float32 and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_every_method_answers_as_the_game_does(server, client):
    known = server.answers
    x, z = known["images"], known["codes"]
    close(client.encode(x), known["encode"])
    close(client.encode(x.astype("float64")), known["encode"])
    close(client.encode(x[:1].tolist()), known["encode"][:1])
    close(client.decode(z), known["decode"])
    close(client.reconstruct(x), known["reconstruct"])
    close(client.encode_bytes(files(server)), known["encode"][:5])
    for name, found in (("anomaly", client.anomaly_score(x)), ("judge", client.discriminate(x))):
        assert {f"{name}.{k}" for k in found} == {k for k in known if k.startswith(f"{name}.")}
        for key, values in found.items():
            close(values, known[f"{name}.{key}"])
    decoded = np.stack([pixels(png) for png in client.decode_png(z[:5])])
    # The server rounds a float that may differ in its last bits.
    assert np.abs(decoded.astype(int) - known["decode_pixels"]).max() <= 1
    close(client.predict("serving_default", images=x[:2])["codes"], known["encode"][:2])
    # Signatures without a method of the client's own.
    close(client.encode_image_bytes(image_bytes=files(server)), known["encode"][:5])
    close(client.serving_default(images=x[:2], timeout=20), known["encode"][:2])


def test_draws_depend_on_their_seeds_alone_in_whatever_part_they_come(server, client):
    x, seeds = server.answers["images"], np.arange(70)
    samples = client.sample(seeds)
    assert samples.shape == (70, *client_server.SHAPE) and np.ptp(samples[:, 0, 0, 0]) > 0
    np.testing.assert_array_equal(client.sample([69, 3]), samples[[69, 3]])
    drawn = client.encode_sample(x, seeds)
    np.testing.assert_allclose(
        client.encode_sample(x[[69, 3]], seeds[[69, 3]]), drawn[[69, 3]], rtol=1e-4, atol=1e-5
    )
    assert np.abs(drawn - client.encode(x)).max() > 0.01


def test_no_rows_are_an_answer_with_no_rows(client):
    assert client.decode(np.zeros((0, 3), "float32")).shape == (0, *client_server.SHAPE)
    assert client.encode_bytes([]).shape == (0, 3)


def test_sync_asyncio_shell_and_rest_give_equal_codes(server, client, tmp_path):
    x, images = server.answers["images"][:5], []
    for i, content in enumerate(files(server)):
        images.append(str(tmp_path / f"{i}.png"))
        pathlib.Path(images[-1]).write_bytes(content)
    expected = client.encode(x)

    async def asked():
        async with AsyncClient(server.address, "ali") as other:
            return await asyncio.gather(
                other.encode(x), other.encode(server.answers["images"]), other.metadata()
            )

    codes, many, metadata = asyncio.run(asked())
    np.testing.assert_array_equal(codes, expected)
    np.testing.assert_array_equal(many, client.encode(server.answers["images"]))
    assert metadata == client.metadata()

    def rest(body):
        request = urllib.request.Request(
            f"http://{server.rest}/v1/models/ali:predict", json.dumps(body).encode()
        )
        with urllib.request.urlopen(request) as answer:
            return np.array(json.load(answer)["predictions"], "float32")

    by_file = [{"b64": base64.b64encode(content).decode()} for content in files(server)]
    named = {"signature_name": "encode_image_bytes", "instances": by_file}
    np.testing.assert_array_equal(
        rest({"signature_name": "encode", "instances": x.tolist()}), expected
    )
    np.testing.assert_array_equal(rest(named), expected)
    np.testing.assert_array_equal(client.encode_bytes(files(server)), expected)

    code, out, err = shell(server, "encode", "--image", *images)
    assert (code, err) == (0, "")
    np.testing.assert_array_equal(np.array(json.loads(out), "float32"), expected)
    out = shell(server, "encode", "--image", *images, "--out", str(tmp_path / "code.npy"))[1]
    assert out == f"wrote {tmp_path / 'code.npy'}: float32 (5, 3)\n"
    np.testing.assert_array_equal(np.load(tmp_path / "code.npy"), expected)


def test_the_shell_says_when_a_picture_is_made_smaller_or_grey(server, tmp_path):
    Image = pytest.importorskip("PIL.Image")

    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (64, 48), (200, 10, 10)).save(photo)
    code, out, err = shell(server, "encode", "--image", str(photo))
    height, width, _ = server.answers["images"].shape[1:]
    assert code == 0 and json.loads(out)
    said = f"note: {photo}: 64 x 48 pixels in colour become {width} x {height} in grey"
    assert err == f"{said} for this model\n"


@pytest.mark.parametrize("mode, coloured", [("L", False), ("RGB", True), ("P", True)])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "progressive"])
def test_the_head_of_a_picture(mode, coloured, form):
    Image = pytest.importorskip("PIL.Image")

    kind, options = (form, {}) if form != "progressive" else ("JPEG", {"progressive": True})
    if kind == "JPEG" and mode == "P":
        mode = "CMYK"
    file = io.BytesIO()
    # EXIF stands before the frame of a JPEG file.
    exif = Image.Exif()
    exif[0x010E] = "words " * 50
    Image.new(mode, (30, 20)).save(file, kind, exif=exif, **options)
    assert pictures.head(file.getvalue()) == (30, 20, coloured)
    for end in (0, 5, 20, 160):
        assert pictures.head(file.getvalue()[:end]) in (None, (30, 20, coloured))


def test_how_a_picture_is_changed():
    Image = pytest.importorskip("PIL.Image")

    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, "PNG")
    assert pictures.changed(file.getvalue(), (20, 30, 3)) == ""
    assert pictures.changed(file.getvalue(), (8, 8, 3)) == "30 x 20 pixels become 8 x 8"
    grey = "30 x 20 pixels in colour become 30 x 20 in grey"
    assert pictures.changed(file.getvalue(), (20, 30, 1)) == grey
    assert pictures.changed(b"no picture", (8, 8, 1)) == ""


def test_without_grpcio_the_shell_says_what_to_install():
    code = ALONE.replace("'absl'", "'absl', 'grpc'")
    done = subprocess.run(
        [sys.executable, "-c", code, "status"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "grpc" in done.stderr and "pip install numpy grpcio protobuf" in done.stderr


def test_the_shell_writes_pictures_and_says_what_there_is(server, client, tmp_path):
    codes = server.answers["codes"][:2]
    (tmp_path / "codes.json").write_text(json.dumps(codes.tolist()))
    target = tmp_path / "cat.png"
    code, out, err = shell(
        server, "decode", "--code", str(tmp_path / "codes.json"), "--out", str(target)
    )
    assert (code, out.count("wrote"), err) == (0, 2, "")
    for i, png in enumerate(client.decode_png(codes)):
        assert (tmp_path / f"cat-{i}.png").read_bytes() == png
    assert shell(server, "sample", "--seed", "7", "--out", str(target))[0] == 0
    image = client.sample([7])[0]
    np.testing.assert_array_equal(
        pixels(target.read_bytes()), np.clip(np.rint(image * 127.5 + 127.5), 0, 255)
    )
    code, out, _ = shell(server, "metadata")
    assert code == 0 and out.startswith("ali version 1\n")
    assert "  encode: images float32 (n, 8, 8, 1) → codes float32 (n, 3)\n" in out
    assert shell(server, "wait") == (0, "ali version 1 is served\n", "")
    assert shell(server, "status") == (0, "version 1: AVAILABLE\n", "")


@pytest.mark.parametrize(
    "arguments, code, message",
    [
        (["encode", "--image", "absent.png"], 2, "error: no such file or directory: absent.png"),
        (["encode", "--image", str(ROOT / "setup.py")], 2, "not a PNG or JPEG file"),
        (["decode", "--code", "code.npy"], 2, "--out"),
        (["metadata", "--version", "9"], 1, "NOT_FOUND: Servable not found for request: Specific"),
        (["status", "--ca", "absent.pem"], 2, "ca: absent.pem cannot be read"),
    ],
)
def test_the_shell_fails_in_one_line(server, arguments, code, message):
    found, out, err = shell(server, *arguments)
    assert (found, out) == (code, "")
    assert err.startswith("error: ") and message in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "ask, message",
    [
        (
            lambda c, x: c.encode(np.zeros((2, 8, 8, 1), "uint8")),
            r"images of encode must have dtype float32; got uint8; scale pixels .* \[-1, 1\]",
        ),
        (
            lambda c, x: c.encode((x + 1) * 127.5),
            r"images of encode must be about -1 to 1; got .* to 25.*; scale pixels of 0 to",
        ),
        (
            lambda c, x: c.encode(x[:, :7]),
            r"images of encode must have shape \(n, 8, 8, 1\) for any n; got \(70, 7, 8, 1\)",
        ),
        (lambda c, x: c.encode(x[0]), r"got \(8, 8, 1\); for a single one, pass \[x\]"),
        (
            lambda c, x: c.encode(x[..., 0]),
            r"got \(70, 8, 8\), without channels: pass x\[..., None\]",
        ),
        (
            lambda c, x: c.encode(x.transpose(0, 3, 1, 2)),
            r"got \(70, 1, 8, 8\), channels first: pass x.transpose\(0, 2, 3, 1\)$",
        ),
        (
            lambda c, x: c.encode(x * np.nan),
            "images of encode must be about -1 to 1; got nan to nan",
        ),
        (lambda c, x: c.encode("cat.png"), "dtype float32; got <U7"),
        (lambda c, x: c.sample([0.5]), "seeds of sample must have dtype int64; got float64"),
        (lambda c, x: c.sample(7), r"shape \(n,\) for any n; got \(\)"),
        (lambda c, x: c.sample(np.uint64([2**63])), r"\(int64\); got 9223372036854775808"),
        (lambda c, x: c.encode_sample(x, [1]), "equally many rows; images has 70, seeds has 1"),
        (lambda c, x: c.encode_bytes([1]), "must be bytes; got int"),
        (lambda c, x: c.encode_bytes(["cat.png"]), r"PNG or JPEG files; got a str; .*read_bytes"),
        (lambda c, x: c.predict("encod", images=x), "no signature 'encod'; .* decode, "),
        (lambda c, x: c.translate_ab(images=x), "no signature 'translate_ab'; .* decode, "),
        (lambda c, x: c.predict("encode", image=x), "encode must be images; got image"),
        (lambda c, x: c.encode(x, timeout=0), "timeout must be above 0 seconds; got 0"),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_sent(server, client, ask, message):
    with pytest.raises(ValueError, match=message) as caught:
        ask(client, server.answers["images"])
    assert not isinstance(caught.value, clients.ServerError)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"server": "localhost"}, "server must be host:port"),
        ({"server": "http://localhost:8501"}, "server must be host:port"),
        ({"version": 1, "label": "stable"}, "a version or a label; got 1 and 'stable'"),
        ({"attempts": 6}, "attempts must be 1 to 5; got 6"),
        ({"cert": b"-----BEGIN "}, "both cert and key; key is missing"),
        ({"ca": ROOT / "setup.py"}, "ca is no PEM file"),
        ({"max_batch_size": 0}, "max_batch_size must be 1 or more; got 0"),
        ({"timeout": -1.0}, "timeout must be above 0 seconds; got -1.0"),
    ],
)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_arguments_that_make_no_sense_are_refused(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(**arguments)


def test_the_servers_words_come_as_exceptions_of_python(server, client):
    with Client(server.address, "absent") as other:
        with pytest.raises(LookupError) as caught:
            other.encode(server.answers["images"])
        assert caught.value.code == "NOT_FOUND"
        assert caught.value.words == "Servable not found for request: Latest(absent)"
        with pytest.raises(clients.NotFound, match="Could not find any versions of model absent"):
            other.status()
        with pytest.raises(TimeoutError, match="not done within 0.5 s; before that NOT_FOUND: Se"):
            other.wait_until_ready(0.5)
    with Client(server.address, "ali", label="stable") as other:
        with pytest.raises(ValueError, match="Unrecognized servable version label: stable"):
            other.encode(server.answers["images"])
    # The row that the server names counts from the first of its part, which the client names.
    many = [*files(server) * 8, b"nonsense"]
    with pytest.raises(clients.InvalidInput, match=r"\(rows 32 to 40\): (?s:.*)not a P") as caught:
        client.encode_bytes(many)
    assert caught.value.rows == (32, 41)


def test_metadata_status_and_readiness(client):
    found = client.wait_until_ready(5)
    assert (found.model, found.version) == ("ali", 1)
    assert found == client.metadata()
    assert found.signatures["encode_sample"] == clients.Signature(
        {
            "images": clients.Tensor("float32", (None, 8, 8, 1)),
            "seeds": clients.Tensor("int64", (None,)),
        },
        {"codes": clients.Tensor("float32", (None, 3))},
    )
    assert client.status() == [clients.VersionStatus(1, "AVAILABLE", "")]


def test_a_version_can_be_asked_for(server):
    with Client(server.address, "ali", version=1) as other:
        close(other.encode(server.answers["images"][:2]), server.answers["encode"][:2])
        assert other.metadata().version == 1
    with Client(server.address, "ali", version=0) as other:
        with pytest.raises(clients.NotFound, match=r"Specific\(ali, 0\)"):
            other.encode(server.answers["images"])
