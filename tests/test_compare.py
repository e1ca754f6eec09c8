"""Runs side by side."""

import json

import pytest

from trainers import compare


def finished(directory, method, **figures):
    directory.mkdir()
    settings = {"method": method, "network": "mlp", "dataset": "mnist", "seed": 3}
    (directory / "config.json").write_text(json.dumps({"settings": settings}))
    (directory / "metrics.json").write_text(json.dumps(figures))
    return str(directory)


def test_columns_that_no_run_has_are_left_out_and_missing_cells_are_marked(tmp_path):
    one = finished(tmp_path / "a", "bigan", x_cycle_ratio=0.514, wall_s=90)
    two = finished(tmp_path / "b", "gan", knn_code=0.5, wall_s=30, images_per_s=float("nan"))
    assert compare.table([one, two]).splitlines() == [
        "| run | method | network | data | seed | x-cycle ratio | 1-NN code | images/s | minutes |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| a | bigan | mlp | mnist | 3 | 0.51 | – | – | 1.5 |",
        "| b | gan | mlp | mnist | 3 | – | 50.0 % | – | 0.5 |",
    ]


def test_a_directory_without_a_finished_run_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"error: .*nothing holds no finished run"):
        compare.main(["compare", str(tmp_path / "nothing")])
    with pytest.raises(SystemExit, match="usage"):
        compare.main(["compare"])
