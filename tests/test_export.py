"""`python -m export`: the contract of every method, and a doctor who lets nothing broken pass."""

import contextlib
import dataclasses
import io
import json
import math
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import games
import keras
import numpy as np
import pytest
import served
import tensorflow as tf
from keras import ops
from PIL import Image
from written import CLASSES
from written import WRITTEN

import zoo
from export import __main__ as command
from export import companions
from export import contract
from export import doctor
from export import publish
from export import signatures
from export import warmup
from export import write
from export.server import flags as server_flags
from export.server import text_configs
from export.server.batching_parameters import Parameters
from zoo import datasets
from zoo import models
from zoo import scores

ROOT = pathlib.Path(__file__).parent.parent
SHAPE = games.SHAPES["dcgan"]
ENVIRONMENT = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}

# Every method, and every kind of codes and networks at least once.
KINDS = {m: {"method": m} for m in zoo.METHODS if m not in ("acgan", "cyclegan", "unit")} | {
    "points": {"method": "bigan", "network": "mixture", "prior": "mixture", "latent_dim": 2},
    "stochastic_aae": {"method": "aae", "stochastic": True, "prior": "uniform"},
    "gaussian_vae": {"method": "vae", "likelihood": "gaussian", "network": "mlp"},
    "averaged": {"method": "bigan", "ema": 0.5, "network": "mlp"},
    "counterexample": {"method": "counterexample", "support": 8},
    **{method: {"method": method} for method in WRITTEN},
    "memorizer": {"method": "memorizer", "support": 8},
}
BY_DEFAULT = ("bigan", "vae", "gan")
STOCHASTIC = {"ali", "bigbigan", "vae", "vae_gan", "stochastic_aae", "gaussian_vae"}


def made(kind):
    """A game whose weights are not those that it began with."""
    arguments = {"latent_dim": 3, "network": "dcgan", "width": 4} | KINDS[kind]
    return moved(
        games.method_of(arguments.pop("method"))(games.SHAPES[arguments["network"]], **arguments)
    )


def moved(game):
    """`game` itself, with other weights."""
    rng = np.random.default_rng(1)
    for variable in game.variables:
        if variable.dtype == "float32":
            change = rng.normal(0, 0.2, variable.shape)
            variable.assign(variable + (abs(change) if "variance" in variable.path else change))
    return game


def written(game, directory, **options):
    directory.mkdir()
    write.write(game, directory, max_batch_size=4, **options)
    return directory


@contextlib.contextmanager
def session(directory):
    """A function that runs a signature as a server does: (name, inputs) → outputs."""
    running = tf.compat.v1.Session(graph=tf.Graph())
    with running.graph.as_default():
        loaded = tf.compat.v1.saved_model.load(running, ["serve"], str(directory))

    def run(name, **inputs):
        terms = loaded.signature_def[name]
        feeds = {terms.inputs[key].name: value for key, value in inputs.items()}
        return running.run({k: t.name for k, t in terms.outputs.items()}, feeds)

    yield run
    running.close()


def examined(*directories):
    """Directory → lines of its table, from one fresh process; and the exit code."""
    arguments = [sys.executable, "-m", "export.doctor", *map(str, directories)]
    done = subprocess.run(arguments, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    tables = {}
    for line in done.stdout.splitlines():
        if not line.startswith(" "):
            tables[line] = rows = []
        else:
            rows.append(line)
    return tables, done.returncode


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0]).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A function: kind → (game, its export); each is made once."""
    base, known = tmp_path_factory.mktemp("served"), {}

    def get(kind):
        if kind not in known:
            game = made(kind)
            known[kind] = game, written(game, base / kind)
        return known[kind]

    return get


@pytest.mark.slow
def test_the_signatures_of_a_game_are_listed_once(tmp_path, monkeypatch):
    game, listed = made("gaussian_vae"), []
    whole = game.signatures()
    monkeypatch.setattr(type(game), "signatures", lambda game: listed.append(1) or whole)
    written(game, tmp_path / "1")
    assert len(listed) == 1


@pytest.mark.parametrize(
    "kind",
    [k if k in BY_DEFAULT else pytest.param(k, marks=pytest.mark.slow) for k in KINDS],
)
def test_every_signature_answers_as_the_game_does(kind, exported):
    game, directory = exported(kind)
    terms = contract.read(directory)["signatures"]
    is_image = len(game.image_shape) == 3
    has_files = is_image and game.image_range is not None
    x = games.examples(game.network, n=5)
    pixels = datasets.unscale(x)
    x = datasets.scale(pixels) if is_image else x
    codes = np.array(game.prior_codes(5, seed=3))
    wanted = {
        "decode": ({"codes": codes}, lambda: {"images": game.decode(codes)}),
        "encode": ({"images": x}, lambda: {"codes": game.encode(x)}),
        "reconstruct": ({"images": x}, lambda: {"images": game.reconstruct(x)}),
        "discriminate": ({"images": x}, lambda: scores.discriminate(game, x)),
        "anomaly_score": ({"images": x}, lambda: scores.anomaly(game, x)),
    }
    if has_files:
        files = np.array([png(image) for image in pixels], object)
        wanted["encode_image_bytes"] = ({"image_bytes": files}, wanted["encode"][1])
    expected = {"sample", "decode", "serving_default"} | ({"decode_png"} if has_files else set())
    if game.has_encoder:
        expected |= {"encode", "reconstruct", "anomaly_score"}
        expected |= {"encode_image_bytes"} if has_files else set()
    expected |= {"encode_sample"} if kind in STOCHASTIC else set()
    expected |= {"discriminate"} if game.scores else set()
    assert set(terms) == expected
    wanted = {name: wanted[name] for name in wanted if name in expected}
    default = "encode" if game.has_encoder else "sample"
    assert terms["serving_default"] == terms[default]
    with session(directory) as run:
        for name, (inputs, answer) in wanted.items():
            found = run(name, **inputs)
            for key, value in answer().items():
                assert found[key].dtype == np.float32
                np.testing.assert_allclose(found[key], np.array(value), atol=1e-5, rtol=1e-5)
        if has_files:
            for data, image in zip(run("decode_png", codes=codes)["png_bytes"], game.decode(codes)):
                read = np.asarray(Image.open(io.BytesIO(data)))[..., None].astype(int)
                assert np.abs(read - datasets.unscale(np.array(image))).max() <= 1
        assert set(np.ravel(run("decode", codes=codes)["images"]) != 0) == {True}


@pytest.mark.parametrize("method", ["cyclegan", pytest.param("unit", marks=pytest.mark.slow)])
def test_two_domains_are_served_by_their_own_names(method, tmp_path):
    game = moved(zoo.method(method)(SHAPE, latent_dim=3, width=4))
    terms = write.write(game, tmp_path, max_batch_size=4)
    files = "translate_ab_image_bytes"
    names = {"translate_ab", "translate_ba", files, "translate_ba_image_bytes"}
    names |= {"discriminate", "serving_default"}
    coded = {"encode_a", "encode_b", "decode_a", "decode_b"} if method == "unit" else set()
    assert set(terms["signatures"]) == names | coded
    assert terms["serving_default"] == "translate_ab" and terms["encoder"] is None
    size = math.prod(game.code_shape)
    assert terms["latent"] == ({"prior": "normal", "dimension": size} if coded else None)
    levels = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), dtype="uint8")
    a = datasets.scale(levels)
    with session(tmp_path) as run:
        b = run("translate_ab", images=a)["images"]
        np.testing.assert_allclose(b, game.translate(a, 1), atol=1e-5)
        np.testing.assert_allclose(
            run("translate_ba", images=b)["images"], game.translate(b, 0), atol=1e-5
        )
        translated = run(files, image_bytes=[png(x) for x in levels])["png_bytes"]
        if coded:
            codes = run("encode_a", images=a)["codes"]
            assert codes.shape == (3, *game.code_shape)
            np.testing.assert_allclose(run("decode_b", codes=codes)["images"], b, atol=1e-5)
    for file, wanted in zip(translated, datasets.unscale(b), strict=True):
        read = np.asarray(Image.open(io.BytesIO(file)))[..., None].astype(int)
        assert np.abs(read - wanted).max() <= 1


def test_labels_go_over_the_wire(tmp_path):
    game = moved(zoo.ACGAN(SHAPE, classes=CLASSES, latent_dim=3, width=4))
    terms = write.write(game, tmp_path, max_batch_size=4)["signatures"]
    labels = {"dtype": "int64", "shape": [None], "range": [0, CLASSES - 1]}
    assert terms["decode"]["inputs"]["labels"] == labels
    seeds, labels = np.array([5, 5, 5, 7]), np.array([0, 1, 0, 1])
    with session(tmp_path) as run:
        made = run("sample", seeds=seeds, labels=labels)["images"]
        codes = np.array(game.prior_codes(4, seed=1))
        decoded = run("decode", codes=codes, labels=labels)["images"]
        # One row would stand for all.
        for name, given in (("decode", {"codes": codes}), ("sample", {"seeds": seeds})):
            with pytest.raises(tf.errors.InvalidArgumentError, match="must have equally many rows"):
                run(name, labels=labels[:1], **given)
        with pytest.raises(tf.errors.InvalidArgumentError, match="must have equally many rows"):
            run("sample", labels=labels, seeds=seeds[:1])
    np.testing.assert_array_equal(made[0], made[2])
    assert np.abs(made[0] - made[1]).max() > 1e-4 and np.abs(made[1] - made[3]).max() > 1e-4
    np.testing.assert_allclose(decoded, game.decode(codes, labels), atol=1e-6)
    with pytest.raises(ValueError, match="decode of .* takes codes and labels; give the .keras"):
        models.load(tmp_path)


@pytest.mark.slow
def test_the_doctor_passes_signatures_of_every_kind(tmp_path):
    found = [tmp_path / name for name in ("two", "labels", "coded")]
    written(moved(zoo.CycleGAN(SHAPE, latent_dim=3, width=4)), found[0])
    written(moved(zoo.ACGAN(SHAPE, classes=CLASSES, latent_dim=3, width=4)), found[1])
    written(moved(zoo.UNIT(SHAPE, latent_dim=3, width=4)), found[2])
    tables, code = examined(*found)
    assert code == 0, tables


@pytest.mark.parametrize("kind", ["gan", pytest.param("points", marks=pytest.mark.slow)])
def test_equal_seeds_give_the_same_bits_in_every_batch(kind, exported):
    _, directory = exported(kind)
    seeds = np.array([0, 1, -1, 2**40, 7, 8, -(2**63), 2**63 - 1, 5, 5, 3])
    with session(directory) as run:
        together = run("sample", seeds=seeds)["images"]
        for rows in ([0], [8], [8, 9], [3, 0, 1], range(10, -1, -1), [4] * 9 + [2]):
            alone = run("sample", seeds=seeds[list(rows)])["images"]
            np.testing.assert_array_equal(alone, together[list(rows)])
        np.testing.assert_array_equal(together[8], together[9])
        different = np.delete(together, 9, axis=0).reshape(10, -1)
        assert len(np.unique(different, axis=0)) == 10
        assert run("sample", seeds=seeds[:0])["images"].shape == (0, *together.shape[1:])


@pytest.mark.parametrize("prior", ["normal", "uniform", "mixture"])
def test_draws_follow_the_prior(prior):
    game = zoo.BiGAN((2,), network="mlp", width=1, latent_dim=2, prior=prior)

    @tf.function
    def drawn(seeds):
        return signatures.by_row(
            lambda seed: signatures.prior_draw(game, seed), seeds, tf.TensorSpec((2,))
        )

    found = drawn(tf.range(4000, dtype=tf.int64)).numpy()
    wanted = np.array(game.prior_codes(100_000, seed=5))
    # Means of 4,000 draws are within 4 standard errors of the law's, for values and squares.
    for power in (1, 2):
        error = wanted.std(axis=0) ** power * 4 * 1.5 / np.sqrt(4000)
        difference = np.abs((found**power).mean(axis=0) - (wanted**power).mean(axis=0))
        assert (difference < error).all(), (power, difference, error)
    assert np.abs(np.corrcoef(found.T)[0, 1]) < 4 / np.sqrt(4000)
    assert np.abs(np.corrcoef(found[1:, 0], found[:-1, 0])[0, 1]) < 4 / np.sqrt(4000)
    for quantile in (0.1, 0.5, 0.9):
        level = np.quantile(wanted[:, 0], quantile)
        assert abs((found[:, 0] < level).mean() - quantile) < 4 * 0.5 / np.sqrt(4000)


def test_posterior_draws_are_the_mean_plus_noise_of_the_seed(exported):
    game, directory = exported("vae")
    x = games.examples(n=3)
    mean, log_var = (np.array(part) for part in game.posterior(x))
    with session(directory) as run:
        seeds = np.array([4, 4, 9])
        drawn = run("encode_sample", images=x, seeds=seeds)["codes"]
        again = run("encode_sample", images=x[::-1], seeds=seeds)["codes"]
    noise = (drawn - mean) / np.exp(log_var / 2)
    np.testing.assert_allclose(noise[0], noise[1], atol=1e-4)
    assert np.abs(noise[0] - noise[2]).max() > 0.01
    noise_of_others = (again - mean[::-1]) / np.exp(log_var[::-1] / 2)
    np.testing.assert_allclose(noise, noise_of_others, atol=1e-4)
    # Not the noise that makes the samples of the same seed.
    prior = signatures.prior_draw(game, tf.constant(4, tf.int64))
    assert np.abs(noise[0] - prior.numpy()).max() > 0.01


def test_only_the_networks_in_use_are_shipped_and_only_once(exported):
    for kind, names in (("gan", ("generator", "discriminator")), ("vae", ("encoder", "generator"))):
        game, directory = exported(kind)
        reader = tf.train.load_checkpoint(str(directory / "variables" / "variables"))
        shapes = reader.get_variable_to_shape_map()
        shapes.pop("_CHECKPOINTABLE_OBJECT_GRAPH")
        count = sum(int(np.prod(shape)) for shape in shapes.values())
        assert count == sum(getattr(game, name).count_params() for name in names)


def test_half_precision_is_exported_in_float32():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        game = made("bigan")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert game.encoder.layers[1].compute_dtype == "bfloat16"
    copy = write.in_float32(game)
    assert {layer.compute_dtype for layer in copy.encoder.layers} == {"float32"}
    for one, other in zip(game.encoder.get_weights(), copy.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    x = games.examples(n=3)
    assert np.abs(np.array(copy.encode(x)) - np.array(game.encode(x))).max() < 0.2
    offered = signatures.signatures(copy)
    assert offered["encode"].function(ops.convert_to_tensor(x))["codes"].dtype == tf.float32
    assert write.in_float32(copy) is copy


def test_the_files_beside_the_model_say_what_it_is(exported):
    game, directory = exported("vae")
    terms = contract.read(directory)
    assert terms["method"] == "vae" and terms["encoder"] == "stochastic"
    assert terms["image"] == {"shape": [8, 8, 1], "range": [-1, 1]}
    assert terms["latent"] == {"prior": "normal", "dimension": 3}
    assert terms["preset"] is None
    data = directory / "variables" / "variables.data-00000-of-00001"
    assert terms["weights_sha256"] == contract.sha256(data)
    assert companions.read_batching(directory) == (4, [1, 2, 4])
    file = text_configs.read(str(directory / companions.BATCHING), "BatchingParameters")
    assert Parameters.from_proto(file) == Parameters(4, 0, 100, allowed_batch_sizes=(1, 2, 4))
    records = warmup.read(directory / warmup.PATH)
    assert len(records) == len(terms["signatures"]) * 3
    for name, size, inputs in records:
        for key, tensor in terms["signatures"][name]["inputs"].items():
            assert inputs[key].shape == (size, *tensor["shape"][1:])
    card = (directory / "model_card.md").read_text(encoding="utf-8")
    assert "arXiv:1312.6114" in card and terms["weights_sha256"] in card
    assert "| encode_sample | `images` float32 (n, 8, 8, 1), `seeds` int64 (n) |" in card


def test_the_files_at_the_base_point_to_it(tmp_path):
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    yaml = pytest.importorskip("yaml")
    base = tmp_path / 'My "VAE" 2'
    base.mkdir()
    assert companions.write_base(base, {"method": "vae"}) == []
    text = (base / "models.config").read_text(encoding="utf-8")
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    (served,) = config.model_config_list.config
    assert (served.name, served.base_path) == (base.name, str(base))
    assert served.model_platform == "tensorflow"
    kserve = yaml.safe_load((base / "kserve.yaml").read_text(encoding="utf-8"))
    compose = yaml.safe_load((base / "compose.yaml").read_text(encoding="utf-8"))
    (container,) = compose["services"].values()
    model = kserve["spec"]["predictor"]["model"]
    assert kserve["metadata"]["name"] == "my-vae-2"
    assert "name the model 'my-vae-2'" in (base / "kserve.yaml").read_text(encoding="utf-8")
    # One release of TensorFlow Serving in all files, and the same batches.
    dockerfile = (base / "Dockerfile").read_text(encoding="utf-8")
    assert container["image"] == f"tensorflow/serving:{model['runtimeVersion']}"
    assert f"\nFROM {container['image']}\n" in dockerfile
    command = json.loads(re.search("^ENTRYPOINT (.*)$", dockerfile, re.M)[1])
    assert {*model["args"]} <= {*container["command"]} & {*command}
    assert {*model["args"]} == {"--enable_batching", "--enable_per_model_batching_parameters"}
    assert f"--model_name={base.name}" in command
    # Flags that our server, which knows all of TensorFlow Serving's, reads.
    assert server_flags.parse(command).model_name == base.name
    assert {"cpu", "memory"} <= {*model["resources"]["requests"]}
    (base / "compose.yaml").write_text("mine")
    (base / "kserve.yaml").write_text(f"{companions.MARK}\nold")
    assert companions.write_base(base, {"method": "vae"}) == [base / "compose.yaml"]
    assert (base / "compose.yaml").read_text() == "mine"
    assert "InferenceService" in (base / "kserve.yaml").read_text(encoding="utf-8")
    (base / "compose.yaml").write_bytes("# für uns".encode("latin-1"))
    assert companions.write_base(base, {"method": "vae"}) == [base / "compose.yaml"]


# One way to break an export each: what the doctor must name, and where.


def missing_shard(directory):
    next((directory / "variables").glob("variables.data-*")).unlink()


def truncated_graph(directory):
    cut(directory / "saved_model.pb")


def truncated_weights(directory):
    cut(next((directory / "variables").glob("variables.data-*")))


def truncated_weights_sealed(directory):
    truncated_weights(directory)
    seal(directory)


def truncated_graph_sealed(directory):
    truncated_graph(directory)
    seal(directory)


def missing_variable(directory):
    prefix = str(directory / "variables" / "variables")
    reader = tf.train.load_checkpoint(prefix)
    names = sorted(reader.get_variable_to_shape_map())
    names.remove("_all_variables/1/.ATTRIBUTES/VARIABLE_VALUE")
    tensors = [reader.get_tensor(name) for name in names]
    tf.raw_ops.SaveV2(
        prefix=prefix, tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors
    )
    seal(directory)


def other_weights(directory):
    flip(next((directory / "variables").glob("variables.data-*")), 100)


def no_contract(directory):
    (directory / contract.NAME).unlink()


def renamed_signature(directory):
    terms = contract.read(directory)
    terms["signatures"]["decoder"] = terms["signatures"].pop("decode")
    (directory / contract.NAME).write_text(json.dumps(terms))


def broken_warm_up(directory):
    flip(directory / warmup.PATH, 20)
    seal(directory)


def forgotten_warm_up(directory):
    terms = contract.read(directory)["signatures"]
    terms.pop("decode")
    warmup.write(directory / warmup.PATH, "x", terms, png(np.zeros((8, 8, 1), "uint8")), [1, 2, 4])
    seal(directory)


def other_batching(directory):
    companions.write_batching(directory, [1, 2])
    seal(directory)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def seal(directory):
    contract.seal(contract.read(directory), directory)


DAMAGE = {
    missing_shard: r"FAIL  files +variables/variables.data-00000-of-00001 is missing",
    truncated_graph: r"FAIL  files +saved_model.pb has [\d,]+ bytes instead of",
    truncated_weights: r"FAIL  files +variables/variables.data-\S+ has [\d,]+ bytes instead of",
    truncated_weights_sealed: r"FAIL  weights +cannot be read: .*(truncated|too short|Read less)",
    truncated_graph_sealed: r"FAIL  graph +saved_model.pb cannot be read",
    missing_variable: r"FAIL  weights +_all_variables/1/\S+ is missing, one of 1",
    other_weights: r"FAIL  files +variables/variables.data-\S+ has changed",
    no_contract: r"FAIL  files +there is no contract.json",
    renamed_signature: r"FAIL  signatures +signatures are .*'decode'.*has .*'decoder'",
    broken_warm_up: r"FAIL  warm-up +cannot be read",
    forgotten_warm_up: r"FAIL  warm-up +there is no record of decode at batch 1",
    other_batching: r"FAIL  batching +sizes \[1, 2\] up to 2, the contract has \[1, 2, 4\]",
}


honest = signatures.signatures


def changed(one, change):
    """A signature that does something to the output of another."""

    def function(*tensors):
        return {key: change(value) for key, value in one.function(*tensors).items()}

    return dataclasses.replace(one, function=function)


def with_signature(monkeypatch, directory, name, change):
    """An export of a GAN whose signature `name` does something to its output."""

    def altered(game):
        one = honest(game)[name]
        return {name: changed(one, change), "serving_default": one}

    with monkeypatch.context() as patched:
        patched.setattr(write, "signatures", altered)
        return written(made("gan"), directory)


def all_wrong(monkeypatch, directory):
    """An export of every signature there is, each a little wrong."""

    def wrong(values):
        return values[::-1] if values.dtype == tf.string else 0.9 * values

    with monkeypatch.context() as patched:
        patched.setattr(
            write,
            "signatures",
            lambda game: {name: changed(one, wrong) for name, one in honest(game).items()},
        )
        return written(made("ali"), directory)


def through_python(images):
    result = tf.numpy_function(lambda x: x, [images], tf.float32)
    return tf.ensure_shape(result, images.shape)


def compiled(images):
    return tf.function(lambda x: x + 0.0, jit_compile=True)(images)


def printed(images):
    tf.print("hello", output_stream="file:///dev/null")
    return images


def of_the_whole_batch(images):
    return images - tf.reduce_mean(images, axis=0, keepdims=True) * 1e-6


CHANGES = {
    "wrong_range": (lambda y: y * 127.5 + 127.5, r"FAIL  sample .*leaves the range \[-1, 1\]"),
    "python": (through_python, r"FAIL  operations +operation PyFunc needs Python"),
    "xla": (compiled, r"FAIL  operations .* forces XLA compilation"),
    "prints": (printed, r"FAIL  operations +operation PrintV2 reads, writes or prints"),
    "batch": (of_the_whole_batch, r"FAIL  sample .*other images in a batch of another size"),
}


@pytest.mark.slow
def test_the_doctor_names_what_is_broken_and_passes_what_is_not(exported, tmp_path, monkeypatch):
    wanted = {exported(kind)[1]: r"\A  sound\Z" for kind in ("bigan", "gan")}
    for damage, message in DAMAGE.items():
        directory = tmp_path / damage.__name__
        shutil.copytree(exported("gan")[1], directory)
        damage(directory)
        wanted[directory] = message
    for name, (change, message) in CHANGES.items():
        directory = with_signature(monkeypatch, tmp_path / name, "sample", change)
        wanted[directory] = message
    sick = made("vae")
    sick.encoder.trainable_variables[1].assign(np.nan * sick.encoder.trainable_variables[1])
    with monkeypatch.context() as patched:
        few = {name: signatures.signatures(sick)[name] for name in ("encode", "serving_default")}
        patched.setattr(write, "signatures", lambda game: few)
        wanted[written(sick, tmp_path / "nan")] = (
            r"FAIL  weights .* of .*VARIABLE_VALUE are not finite"
        )
    lies = all_wrong(monkeypatch, tmp_path / "lies")
    tables, code = examined(*wanted, lies)
    assert code == 1
    failed = [line for line in tables[str(lies)] if line.startswith("  FAIL")]
    assert {line.split()[1] for line in failed} == set(contract.read(lies)["signatures"]), failed
    assert all("from the Keras model" in line or "PNG files" in line for line in failed), failed
    assert len(failed) == 10
    missed = []
    for directory, message in wanted.items():
        table = tables[str(directory)]
        found = [line for line in table if line.startswith("  FAIL")] or [table[-1]]
        missed += [] if len(found) == 1 and re.search(message, found[0]) else [table]
    assert not missed, "\n".join(line for table in missed for line in table)


def run_main(*arguments):
    """Exit code and stderr of `python -m export` in this process."""
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        return command.main(["export", *map(str, arguments)]), errors.getvalue()


def test_bad_input_is_named(tmp_path, monkeypatch):
    game, out = tmp_path / "game.keras", tmp_path / "served"
    made("gan").save(game)
    (out / "3").mkdir(parents=True)
    (tmp_path / "damaged.keras").write_bytes(b"no")
    for arguments, message in (
        (["--version=1"], "expected one MODEL, got 0"),
        ([game, game], "expected one MODEL, got 2"),
        ([game], "--out is missing"),
        ([tmp_path / "none", "--out", out], "no game at"),
        ([tmp_path / "damaged.keras", "--out", out], "damaged.keras"),
        ([game, "--out", out, "--version=-1"], "version must be a whole number from 1"),
        ([game, "--out", out, "--version=one"], "version"),
        ([game, "--out", out, "--version=3"], "version 3 exists"),
        ([game, "--out", game / "served"], "cannot be written to"),
        ([game, "--out", tmp_path / "new" / "x", "--max_batch_size=6"], "must be a power of 2"),
        ([game, "--out", out, "--nonsense"], "nonsense"),
    ):
        code, errors = run_main(*arguments)
        assert code == 2 and message in errors, (arguments, errors)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert "needs KERAS_BACKEND=tensorflow" in run_main(game, "--out", out)[1]
    assert [path.name for path in out.iterdir()] == ["3"]
    assert not (tmp_path / "new").exists()
    assert doctor.main(["doctor", str(tmp_path / "none")]) == 2


def test_what_the_doctor_refuses_is_not_published(tmp_path, monkeypatch):
    game, out = tmp_path / "game.keras", tmp_path / "served"
    made("gan").save(game)
    monkeypatch.setattr(doctor, "in_fresh_process", lambda directory: False)
    code, errors = run_main(game, "--out", out, "--max_batch_size=1")
    assert code == 1 and "nothing was published" in errors
    assert list(out.iterdir()) == []


@pytest.mark.slow
def test_every_kind_passes_the_doctor(exported):
    directories = [exported(kind)[1] for kind in KINDS]
    tables, code = examined(*directories)
    assert code == 0
    assert all(tables[str(directory)][-1] == "  sound" for directory in directories)


@pytest.mark.slow
def test_the_commands_of_the_readme_can_be_pasted_as_they_are(tmp_path):
    """All but the installation; at another port, since 8500 may be somebody's."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Export and serve\n")[2].partition("\n## ")[0]
    install, *commands = re.findall(r"^ {4}(.+)$", section, re.M)
    assert "pip install" in install and len(commands) == 7
    port = served.free_port()
    script = "\n".join(commands).replace("export.server", f"export.server --port={port}")
    script = re.sub(r"(export\.client \w+)", rf"\1 --server localhost:{port}", script)
    here = {"PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-ec", f"{script}\nwait"],
        cwd=tmp_path,
        env=ENVIRONMENT | here | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    assert np.load(tmp_path / "code.npy").shape == (1, zoo.load("bigan_fashion_mnist").latent_dim)
    with Image.open(tmp_path / "back.png") as back:
        assert back.size == (28, 28)


@pytest.mark.slow
def test_export_then_saved_model_cli(tmp_path):
    """The command of the README, and the tool of TensorFlow in a process of its own."""
    game = made("bigan")
    game.save(tmp_path / "game.keras")
    base = tmp_path / "served" / "bigan"
    exporting = [sys.executable, "-m", "export", str(tmp_path), "--out", str(base)]
    done = subprocess.run(exporting, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE)
    assert done.returncode == 0 and f"published {base / '1'}".encode() in done.stdout
    assert doctor.version_of(base) == base / "1"
    tool = str(pathlib.Path(sys.executable).parent / "saved_model_cli")
    about = ["--dir", str(base / "1"), "--tag_set", "serve"]
    x, seeds = games.examples(n=5), np.array([3, 1, 4, 1, 5])
    given = {"encode": ("images", x), "sample": ("seeds", seeds)}
    found = {}
    for name, (key, value) in given.items():
        np.save(tmp_path / "input.npy", value)
        subprocess.run(
            [tool, "run", *about, "--signature_def", name]
            + ["--inputs", f"{key}={tmp_path / 'input.npy'}", "--outdir", str(tmp_path / name)],
            check=True,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
        )
        (output,) = (tmp_path / name).glob("*.npy")
        found[name] = np.load(output)
    np.testing.assert_allclose(found["encode"], np.array(game.encode(x)), atol=1e-5)
    # Another process, another batch, another export: the same bits.
    with session(written(game, tmp_path / "again")) as run:
        alone = [run("sample", seeds=seeds[i : i + 1])["images"][0] for i in range(5)]
    np.testing.assert_array_equal(found["sample"], alone)


@pytest.mark.slow
def test_an_export_that_is_killed_publishes_nothing(tmp_path):
    made("gan").save(tmp_path / "game.keras")
    base = tmp_path / "served"
    arguments = [sys.executable, "-m", "export", str(tmp_path), "--out", str(base)]
    for by, left in ((signal.SIGKILL, 1), (signal.SIGTERM, 1)):
        with subprocess.Popen(
            arguments, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL
        ) as process:
            known, deadline = set(base.glob(".writing-*/*.pb")), time.monotonic() + 120
            while not set(base.glob(".writing-*/*.pb")) - known:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.01)
            process.send_signal(by)
            process.wait(60)
        assert publish.versions(base) == []
        assert len(list(base.iterdir())) == left


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stop_whose_exception_is_dropped_publishes_nothing(tmp_path, monkeypatch):
    class Finalised:
        def __del__(self):
            command._stop(signal.SIGTERM, None)

    def examine(_directory):
        Finalised()
        return True

    monkeypatch.setattr(command, "_stops", [])
    monkeypatch.setattr("export.doctor.in_fresh_process", examine)
    made("gan").save(tmp_path / "game.keras")
    base = tmp_path / "served"
    assert command.export(str(tmp_path), base, None, 2) == 128 + signal.SIGTERM
    assert list(base.iterdir()) == []


def test_the_copy_that_is_exported_keeps_what_an_adapted_layer_computed():
    x = np.random.default_rng(0).uniform(-1, 1, (8, *SHAPE)).astype("float32")
    adapted = keras.layers.Normalization()
    adapted.adapt(5 + 3 * x)
    ends = [keras.layers.Flatten(), keras.layers.Dense(3)]
    own = keras.Sequential([keras.Input(SHAPE), adapted, *ends])
    game = zoo.BiGAN(SHAPE, latent_dim=3, width=4, encoder=own)
    np.testing.assert_array_equal(write.in_float32(game).encode(x), game.encode(x))


def test_networks_of_ones_own_are_exported_in_float32():
    layers = [keras.layers.Flatten(), keras.layers.Dense(8, dtype="mixed_bfloat16")]
    ends = [keras.layers.ReLU(dtype="mixed_bfloat16"), keras.layers.Dense(3, dtype="float32")]
    own = keras.Sequential([keras.Input(SHAPE), *layers, *ends])
    game = zoo.BiGAN(SHAPE, latent_dim=3, width=4, encoder=own)
    x = np.random.default_rng(0).uniform(-1, 1, (8, *SHAPE)).astype("float32")
    first, bias, second, other = own.get_weights()
    expected = np.maximum(x.reshape(8, -1) @ first + bias, 0) @ second + other
    assert np.abs(game.encode(x) - expected).max() > 1e-4
    np.testing.assert_allclose(write.in_float32(game).encode(x), expected, atol=1e-5)
