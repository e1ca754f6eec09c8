"""The ledger says what the measurements say, and what falls short first."""

import fnmatch
import json
import math

import pytest

from trainers import ledger

PAPER = {"paper": "A", "place": "B", "figure": "C", "key": "k", "runs": "run_*", "better": "higher"}


def records(*values):
    return {
        f"run_{i}": {
            "command": f"c{i}",
            "machine": "m",
            "wall_s": 60.0 * (i + 1),
            "figures": {"k": value},
        }
        for i, value in enumerate(values)
    }


@pytest.mark.parametrize(
    "theirs, error, better, values, verdict",
    [
        (1.0, 0.0, "higher", [1.0], "reached"),
        (1.0, 0.0, "higher", [2.0], "reached"),
        (1.0, 0.0, "higher", [0.5], "**falls short by 0.50**"),
        (1.0, 0.0, "lower", [0.5], "reached"),
        (1.0, 0.0, "lower", [1.5], "**falls short by 0.50**"),
        (1.0, 0.0, "equal", [1.5], "**falls short by 0.50**"),
        (1.0, 0.3, "equal", [1.5], "reached"),  # 0.5 is less than two errors of theirs
        (1.0, 0.2, "equal", [1.5], "**falls short by 0.50**"),
        (1.0, 0.0, "higher", [], "not run"),
        (None, 0.0, "higher", [1.0], "nothing to compare with"),
    ],
)
def test_verdicts(theirs, error, better, values, verdict):
    paper = PAPER | {"theirs": theirs, "error": error, "better": better}
    assert ledger.judge(paper, values) == verdict


def test_the_spread_of_our_runs_is_allowed_for():
    # Values 0 and 1: mean 1/2, standard error 1/2, of which two reach as far as 3/2.
    assert ledger.judge(PAPER | {"theirs": 1.49}, [0.0, 1.0]) == "reached"
    assert "falls short by 1.01" in ledger.judge(PAPER | {"theirs": 1.51}, [0.0, 1.0])


def test_what_falls_short_comes_first():
    papers = [PAPER | {"theirs": 1.0, "figure": "good"}, PAPER | {"theirs": 9.0, "figure": "bad"}]
    page = ledger.page(papers, records(1.0, 3.0))
    assert page.index("| bad |") < page.index("| good |")
    spread = math.sqrt(2)  # of 1 and 3, around 2
    assert f"| 2.00 ± {spread:.2f} |" in page and "| 1.5 ± 0.7 |" in page
    assert "- run_1: `c1`; m" in page


def test_cells_are_shown_by_their_extremes_and_those_beyond_the_slack_are_named():
    paper = PAPER | {"key": "a_*", "cells": True, "better": "equal", "theirs": 0.5, "slack": 0.01}
    found = {"run_0": records(0.0)["run_0"] | {"figures": {"a_1": 0.5, "a_2": 0.53, "b": 9.0}}}
    page = ledger.page([paper], found)
    assert "| 0.50 to 0.53 in 2 cells | **falls short by 0.03** | 1 |" in page
    assert "| beyond the slack: a_2 (1 of 2) |" in page
    found["run_0"]["figures"]["a_3"] = 0.6
    assert "beyond the slack: all but a_1 (2 of 3)" in ledger.page([paper], found)


def test_slack_is_half_the_interval_of_the_record():
    paper = PAPER | {"theirs": 1.0, "better": "equal", "slack_of": ["low", "high"]}
    paper["remarks"] = "slack {slack}"
    for value, verdict in ((7.0, "| reached |"), (8.0, "| **falls short by 7.00** |")):
        found = {"run_0": records(0.0)["run_0"] | {"figures": {"k": value, "low": 2, "high": 14}}}
        page = ledger.page([paper], found)
        assert verdict in page and "| slack 6 |" in page


def test_a_run_of_more_epochs_is_no_run_of_fewer():
    papers, _ = ledger.read()
    log = [paper for paper in papers if "log in the README" in paper["place"]]
    runs = {"mnist_mlp_0", "mnist_mlp_200_0", "mnist_mlp_400_0", "preset_bigan_mnist"}
    for paper in log:
        assert len([run for run in runs if fnmatch.fnmatch(run, paper["runs"])]) == 1, paper


def test_the_page_is_what_the_measurements_give():
    assert ledger.PAGE.read_text(encoding="utf-8") == ledger.page(*ledger.read()), (
        "run python -m trainers.ledger"
    )


def test_every_row_is_whole():
    papers, _ = ledger.read()
    for paper in papers:
        assert paper.keys() >= PAPER.keys() | {"theirs"}, paper
        assert paper["better"] in ("higher", "lower", "equal")


def test_a_run_becomes_a_measurement(tmp_path):
    with pytest.raises(ValueError, match="holds no finished run"):
        ledger.record(tmp_path, "a machine")
    (tmp_path / "config.json").write_text(json.dumps({"command": "python -m trainers.gan"}))
    (tmp_path / "metrics.json").write_text(json.dumps({"wall_s": 3.0, "modes": 4.0}))
    assert ledger.record(tmp_path, "a machine") == {
        "command": "python -m trainers.gan",
        "machine": "a machine",
        "wall_s": 3.0,
        "figures": {"modes": 4.0},
    }


def test_bad_command_lines(capsys):
    with pytest.raises(SystemExit) as ended:
        ledger.main(["ledger", "runs/x"])
    assert ended.value.code == 2 and "belong together" in capsys.readouterr().err
