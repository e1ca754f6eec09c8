"""`python -m export … --also=onnx,tflite`: converted, run by their own runtimes, compared."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import games
import numpy as np
import pytest

import zoo
from export import contract
from export import doctor
from export import formats
from export import write
from export.doctor import checks
from export.doctor import trials

ROOT = pathlib.Path(__file__).parent.parent
needs_converters = pytest.mark.skipif(
    any(formats.missing(name) for name in formats.MODULES),
    reason="the extra formats is not installed",
)
TENSORS = {"images": {}, "codes": {}, "labels": {}, "seeds": {}, "png_bytes": {}, "scores": {}}


def signature(taken, given):
    return {
        "inputs": {name: TENSORS[name] for name in taken.split()},
        "outputs": {name: TENSORS[name] for name in given.split()},
    }


def test_an_unknown_format_and_a_missing_module_are_refused_in_one_line(monkeypatch):
    assert formats.chosen("") == []
    with pytest.raises(ValueError, match="--also must name formats among onnx, tflite; got 'pb'"):
        formats.chosen("onnx,pb" if not formats.missing("onnx") else "pb")
    monkeypatch.setattr(formats, "MODULES", {"onnx": ("os", "no_such_runtime")})
    with pytest.raises(ValueError, match=r"needs no_such_runtime.*encoder-gan-zoo\[formats\]"):
        formats.chosen("onnx")
    monkeypatch.setattr(formats, "MODULES", {"onnx": ("os",), "tflite": ("sys",)})
    assert formats.chosen("tflite, onnx,tflite") == ["tflite", "onnx"]


def test_the_command_refuses_before_it_makes_anything(tmp_path):
    command = [sys.executable, "-m", "export", "vae_mnist", "--out", str(tmp_path / "served")]
    done = subprocess.run(
        [*command, "--also=pb"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 2
    assert done.stderr == "error: --also must name formats among onnx, tflite; got 'pb'\n"
    assert not (tmp_path / "served").exists()


def test_signatures_from_images_or_codes_to_images_or_codes_are_converted():
    offered = {
        "encode": signature("images", "codes"),
        "decode": signature("codes labels", "images"),
        "translate_ab": signature("images", "images"),
        "reconstruct": signature("images", "images"),
        "sample": signature("seeds", "images"),
        "decode_png": signature("codes", "png_bytes"),
        "discriminate": signature("images", "scores"),
        "serving_default": signature("images", "codes"),
    }
    assert formats.convertible(offered, "tflite") == ["encode", "decode", "translate_ab"]
    assert formats.convertible(offered, "onnx") == ["encode", "decode"]
    with pytest.raises(ValueError, match="this model has none"):
        formats.write(pathlib.Path("nowhere"), {"sample": offered["sample"]}, ["onnx"])


def test_without_the_runtime_the_doctor_says_so_and_calls_nothing_sound_or_broken(capsys):
    class Export:
        directory = ROOT

    known = formats.MODULES
    try:
        formats.MODULES = {"onnx": ("no_such_runtime",)}
        with pytest.raises(checks.NotExamined, match="needs no_such_runtime, of the extra formats"):
            trials.converted(Export, "formats/encode.onnx")
        assert doctor._row("encode.onnx", trials.converted, Export, "formats/encode.onnx")
    finally:
        formats.MODULES = known
    assert capsys.readouterr().out.startswith("  –     encode.onnx         not run here")


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    """An exported version with both formats."""
    directory = tmp_path_factory.mktemp("version") / "1"
    directory.mkdir()
    game = zoo.BiGAN(games.SHAPES["dcgan"], latent_dim=3, network="dcgan", width=4, seed=1)
    write.write(game, directory, max_batch_size=4, also=["onnx", "tflite"])
    return game, directory


@pytest.mark.slow
@needs_converters
@pytest.mark.parametrize("name", ["onnx", "tflite"])
def test_a_converted_file_answers_as_the_game(version, name):
    game, directory = version
    assert formats.files(contract.read(directory)) == [
        f"formats/{signature}.{kind}"
        for signature in ("decode", "encode")
        for kind in ("onnx", "tflite")
    ]
    # Other inputs and batches than the doctor's.
    x = games.examples(n=5)
    codes = formats.run(directory / "formats" / f"encode.{name}", {"images": x})["codes"]
    np.testing.assert_allclose(codes, np.asarray(game.encode(x)), atol=1e-5)
    z = np.asarray(game.prior_codes(2, seed=3))
    images = formats.run(directory / "formats" / f"decode.{name}", {"codes": z})["images"]
    np.testing.assert_allclose(images, np.asarray(game.decode(z)), atol=1e-5)


@pytest.mark.slow
@needs_converters
def test_the_doctor_runs_them_and_finds_one_that_answers_otherwise(version, tmp_path, capsys):
    _, directory = version
    assert doctor.examine(directory)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    checked = {row[1] for row in rows if row[0] == "ok"}
    assert {"encode.onnx", "encode.tflite", "decode.onnx", "decode.tflite"} <= checked
    # The files of another game, with checksums that are right.
    other = tmp_path / "other"
    shutil.copytree(directory, other)
    game = zoo.BiGAN(games.SHAPES["dcgan"], latent_dim=3, network="dcgan", width=4, seed=2)
    (made := tmp_path / "made").mkdir()
    write.write(game, made, max_batch_size=4, also=["tflite"])
    shutil.copy(made / "formats" / "encode.tflite", other / "formats" / "encode.tflite")
    terms = json.loads((other / contract.NAME).read_text(encoding="utf-8"))
    contract.seal(terms, other)
    assert not doctor.examine(other)
    (failed,) = [line for line in capsys.readouterr().out.splitlines() if "FAIL" in line]
    assert "encode.tflite" in failed and "codes at batch 1" in failed


@pytest.mark.long
@needs_converters
@pytest.mark.parametrize("method", ["ali", "unit", "acgan"])
def test_other_methods_are_converted(method, tmp_path):
    """A stochastic encoder, two domains, labels."""
    write.write(games.make(method), tmp_path, max_batch_size=2, also=["tflite", "onnx"])
    assert doctor.examine(tmp_path)


@pytest.mark.slow
@needs_converters
def test_an_operation_that_a_format_lacks_is_named(tmp_path):
    game = games.make("counterexample", support=8)
    with pytest.raises(ValueError, match="^decode cannot be converted to tflite: .*UpperBound"):
        write.write(game, tmp_path, max_batch_size=2, also=["tflite"])
