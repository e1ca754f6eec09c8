"""A name that does not exist is refused before TensorFlow starts, and leaves nothing behind."""

import os
import re
import subprocess
import sys

import pytest
import workers

from trainers.bigan import RECIPE
from trainers.runs import directory
from trainers.runs import flags
from trainers.runs import names
from zoo import networks
from zoo import priors

TRAIN = """
import sys
from trainers.runs import run
from trainers.bigan import RECIPE
try:
    run.main(RECIPE, ["bigan.py", *sys.argv[1:]])
finally:
    print("IMPORTED", *sorted({"tensorflow", "keras"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--network=dcgn", "must be one of dcgan, .*; got 'dcgn'; nearest names: dcgan"),
        ("--prior=normul", "must be one of normal, .*; got 'normul'; nearest names: normal"),
        ("--dataset=rign8", "unknown data set 'rign8'; nearest names: .*ring8"),
        ("--dataset=photos", "there is a folder .*give --dataset=folder:photos"),
        ("--dataset=x.npz", "there is a file .*give --dataset=npz:x.npz"),
    ],
)
def test_a_wrong_name_is_refused_with_the_nearest_and_without_tensorflow(
    flag, said, tmp_path, child_seconds
):
    (tmp_path / "photos").mkdir()
    (tmp_path / "x.npz").touch()
    refused = subprocess.run(
        [sys.executable, "-c", TRAIN, flag],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(workers.ROOT)},
        capture_output=True,
        text=True,
    )
    assert child_seconds() < 2
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert line.startswith("error: ") and re.search(said, line)
    assert refused.stdout == "IMPORTED\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos", "x.npz"]


def test_the_names_in_the_source_are_those_of_the_modules():
    assert names.listed(*names.LISTS["network"]) == list(networks.BACKBONES)
    assert names.listed(*names.LISTS["prior"]) == list(priors.PRIORS)
    with pytest.raises(LookupError, match="does not define NOTHING"):
        names.listed("priors.py", "NOTHING")


@pytest.mark.parametrize("data", ["grid25", "grid25[class=0]", "mnist", "folder:x", "npz:x"])
def test_names_that_may_exist_go_on_to_be_read(data):
    assert flags.parse(RECIPE, ["bigan.py", f"--dataset={data}"]).dataset == data


def test_a_directory_in_which_nothing_was_written_is_removed_with_those_made_for_it(tmp_path):
    path = tmp_path / "runs" / "one"
    with pytest.raises(ValueError), directory.held(path):
        raise ValueError("bad input")
    assert not list(tmp_path.iterdir())
    with directory.held(path):
        (path / "kept").touch()
    assert [p.name for p in path.iterdir()] == ["kept"]
    with directory.held(tmp_path / "runs" / "two"):
        pass
    assert [p.name for p in (tmp_path / "runs").iterdir()] == ["one"]


def test_a_directory_that_was_there_is_kept(tmp_path):
    with directory.held(tmp_path):
        pass
    assert tmp_path.is_dir()
