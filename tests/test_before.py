"""Files of an older version are still read: a run goes on, an export is served.

Version 34972e6 wrote both, with these commands; the paths in config.json were shortened.

    python -m trainers.bigan --dataset=ring8 --network=mixture --width=1 --latent_dim=2 \
        --batch_size=25000 --steps_per_execution=1 --epochs=2 --evaluate_every=0 --nojit_compile \
        --run_dir=runs/ring8
    python -m export runs/ring8 --out=served/ring8 --max_batch_size=4

run.zip has the run as it was after its first epoch, and the checkpoint that ended the second.
"""

import asyncio
import json
import pathlib
import shlex
import zipfile

import numpy as np
import pytest

FOLDER = pathlib.Path(__file__).parent / "before"


def unpacked(name, directory):
    with zipfile.ZipFile(FOLDER / f"{name}.zip") as archive:
        archive.extractall(directory)
    return directory


@pytest.mark.slow
@pytest.mark.tensorflow("each backend draws its own noise")
def test_a_run_of_an_older_version_goes_on_as_it_did(tmp_path):
    import zoo
    from trainers.bigan import RECIPE
    from trainers.runs import flags
    from trainers.runs import run

    directory = unpacked("run", tmp_path)
    _, _, _, *words = shlex.split(json.loads((directory / "config.json").read_text())["command"])
    argv = ["bigan", *words, f"--run_dir={directory}"]
    resumed = run.Run(RECIPE, flags.parse(RECIPE, argv), argv)
    assert resumed.step == 4
    assert resumed.train() is None
    assert resumed.step == 8
    first, second = (directory / "history.csv").read_text().splitlines()[1:]
    assert first.startswith("1.0,0.693146824836731,") and second.startswith("2,")
    before = zoo.load(directory / "step-00000008.keras")
    # Another machine rounds differently.
    for ours, theirs in zip(resumed.game.get_weights(), before.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.slow
@pytest.mark.tensorflow("exports are TensorFlow's")
def test_an_export_of_an_older_version_is_sound_and_is_served(tmp_path, capsys):
    import served

    from export import doctor
    from export.client import AsyncClient

    version = unpacked("export", tmp_path / "ring8" / "1")
    assert doctor.main(["doctor", str(version)]) == 0, capsys.readouterr().out
    with np.load(version / "assets.extra" / "doctor.npz") as kept:
        codes, images = kept["decode/inputs/codes"][:3], kept["decode/outputs/3/images"]

    async def answer():
        place = [f"--model_base_path={tmp_path / 'ring8'}", "--model_name=ring8"]
        async with served.running(*place) as server:
            async with AsyncClient(server.address, model="ring8") as client:
                return await client.decode(codes)

    np.testing.assert_allclose(asyncio.run(answer()), images, atol=1e-5)
