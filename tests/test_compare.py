"""Runs side by side."""

import json

from trainers import compare


def finished(directory, method, seed=3, settings=(), **figures):
    directory.mkdir()
    settings = {"method": method, "network": "mlp", "dataset": "mnist", "seed": seed} | dict(
        settings
    )
    (directory / "config.json").write_text(json.dumps({"settings": settings}))
    (directory / "metrics.json").write_text(json.dumps(figures))
    return str(directory)


def test_columns_that_no_run_has_are_left_out_and_missing_cells_are_marked(tmp_path):
    one = finished(tmp_path / "a", "bigan", x_cycle_ratio=0.514, wall_s=90)
    two = finished(tmp_path / "b", "gan", knn_code=0.5, wall_s=30, images_per_s=float("nan"))
    assert compare.table([one, two]).splitlines() == [
        "| method | network | dataset | seed | x-cycle ratio | 1-NN code | images/s | minutes |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| bigan | mlp | mnist | 3 | 0.51 | – | – | 1.5 |",
        "| gan | mlp | mnist | 3 | – | 50.0 % | – | 0.5 |",
    ]


def test_seeds_are_joined_into_mean_and_standard_error(tmp_path):
    runs = [
        finished(tmp_path / str(modes), "gan", seed=modes, modes=modes) for modes in (16, 18, 20)
    ]
    # Standard deviation 2, divided by the root of 3.
    last = compare.table(runs, over_seeds=True).splitlines()[-1]
    assert last == "| gan | mlp | mnist | 3 | 18.0 ± 1.2 |"


def test_runs_that_differ_in_more_than_the_seed_are_not_joined(tmp_path, refused):
    own = {"latent_dim": 2, "optimizer of generator": {"config": {"learning_rate": 1e-4}}}
    other = {"optimizer of generator": {"config": {"learning_rate": 1e-3}}}
    kinds = [own, own, own | {"latent_dim": 8}, own | other]
    runs = [
        finished(tmp_path / str(n), "gan", seed=n, settings=kind, modes=n)
        for n, kind in enumerate(kinds)
    ]
    # An older run, which recorded less.
    runs.append(finished(tmp_path / "old", "gan", seed=9, modes=2))
    lines = compare.table(runs, over_seeds=True).splitlines()[2:]
    assert [line.split(" | ", 3)[3] for line in lines] == [
        "3 | 1.0 ± 0.6 |",
        "1 | 2.0 |",
        "1 | 3.0 |",
    ]
    assert "different seeds; got seeds 0, 0 of gan, mlp, mnist" in refused(
        compare.main, ["compare", "--over_seeds", runs[0], runs[0]]
    )


def test_directories_without_a_finished_run_are_left_out(tmp_path, capsys, refused):
    (tmp_path / "audit").mkdir()
    run = finished(tmp_path / "run", "gan", modes=16)
    damaged = finished(tmp_path / "torn", "gan", modes=16)
    (tmp_path / "torn" / "config.json").write_text('{"settings"')
    empty = finished(tmp_path / "empty", "gan", modes=16)
    (tmp_path / "empty" / "config.json").write_text("{}")
    compare.main(["compare", str(tmp_path / "audit"), run, damaged, empty])
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "| gan | mlp | mnist | 3 | 16.0 |"
    none, torn, lacking = said.err.splitlines()
    assert none == f"left out: {tmp_path / 'audit'} holds no finished run: config.json is missing"
    assert torn.startswith(f"left out: {tmp_path / 'torn' / 'config.json'} is damaged: ")
    assert lacking.endswith("is damaged: its settings lack dataset, method, network, seed")
    assert f"{tmp_path / 'torn' / 'config.json'} is damaged" in refused(
        compare.main, ["compare", empty, damaged]
    )


def test_samples_and_the_length_of_runs_stand_side_by_side(tmp_path):
    one = finished(tmp_path / "a", "gan", classes=3.0, sample_spread_ratio=0.416, steps=90)
    two = finished(tmp_path / "b", "gan", classes=10.0, sample_spread_ratio=0.97, steps=8000)
    head, _, *rows = compare.table([one, two]).splitlines()
    assert head.endswith("| classes sampled | sample spread | steps |")
    assert rows[0].endswith("| 3.0 | 0.42 | 90 |") and rows[1].endswith("| 10.0 | 0.97 | 8,000 |")


def test_runs_of_two_sets_are_named_after_both(tmp_path):
    for name, other in (("a", "mnist[invert]"), ("b", "mnist[outline]")):
        finished(tmp_path / name, "unit", translation_ab_ratio=0.25)
        config = json.loads((tmp_path / name / "config.json").read_text())
        config["settings"]["dataset_b"] = other
        (tmp_path / name / "config.json").write_text(json.dumps(config))
    lines = compare.table([tmp_path / "a", tmp_path / "b"], over_seeds=True).splitlines()
    assert lines[0] == "| method | network | dataset | seeds | A → B ratio |"
    assert lines[2] == "| unit | mlp | mnist, mnist[invert] | 1 | 0.25 |" and len(lines) == 4


def test_a_directory_without_a_finished_run_is_named(tmp_path, refused):
    for arguments, said in (
        ([str(tmp_path / "nothing")], "nothing holds no finished run"),
        ([], "no run directory given; see --help"),
        (["--over_seed", "runs"], "over_seed"),
    ):
        error = refused(compare.main, ["compare", *arguments])
        assert error.startswith("error: ") and said in error


def test_the_command_prints_the_table_wherever_the_flag_stands(tmp_path, capsys):
    runs = [finished(tmp_path / str(n), "gan", seed=n, modes=n) for n in (16, 18)]
    for arguments in (["--over_seeds", *runs], [*runs, "--over_seeds"]):
        compare.main(["compare", *arguments])
        assert capsys.readouterr().out.splitlines()[-1] == "| gan | mlp | mnist | 2 | 17.0 ± 1.0 |"
