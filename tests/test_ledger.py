"""The ledger says what the measurements say, and what falls short first."""

import fnmatch
import json
import math

import pytest

from tools import ledger

PAPER = {
    "paper": "A",
    "place": "B",
    "figure": "C",
    "key": "k",
    "runs": "run_*",
    "kind": "paper",
    "better": "higher",
    "matters": 0.1,
}
CONTROL = {
    "paper": "A",
    "place": "B",
    "figure": "C",
    "key": "k",
    "runs": "run_*",
    "kind": "control",
}


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
        # Three equal seeds: the interval of ours is a point.
        (1.0, 0.0, "higher", [1.0] * 3, "reached"),
        (1.0, 0.0, "higher", [2.0] * 3, "reached"),
        (1.0, 0.0, "higher", [0.5] * 3, "**falls short by 0.50**"),
        (1.0, 0.0, "higher", [0.99] * 3, "**falls short by 0.01**"),
        (1.0, 0.0, "lower", [0.5] * 3, "reached"),
        (1.0, 0.0, "lower", [1.5] * 3, "**falls short by 0.50**"),
        (1.0, 0.04, "higher", [1.0] * 3, "reached"),  # -0.08 to 0.08, and 0.1 matters
        (1.0, 0.06, "higher", [1.0] * 3, "cannot tell from 3 seeds"),  # -0.12 to 0.12
        (1.0, 0.06, "higher", [0.9] * 3, "cannot tell from 3 seeds"),  # -0.22 to 0.02
        (1.0, 0.04, "higher", [0.9] * 3, "**falls short by 0.10**"),  # -0.18 to -0.02
        (1.0, 0.0, "higher", [9.0], "cannot tell from 1 seed"),
        (1.0, 0.0, "higher", [0.95], "cannot tell from 1 seed"),
        (1.0, 0.0, "higher", [0.85], "**falls short by 0.15**"),
        (1.0, 0.0, "higher", [], "not run"),
        (None, 0.0, "higher", [1.0], "nothing to compare with"),
    ],
)
def test_verdicts(theirs, error, better, values, verdict):
    paper = PAPER | {"theirs": theirs, "error": error, "better": better}
    assert ledger.judge(paper, values) == verdict


def test_runs_that_differ_do_not_reach_what_is_inside_their_spread():
    # Values 0, 1/2 and 1: mean 1/2, standard error 1/(2 sqrt(3)) = 0.289. The 97.5 % quantile of
    # Student's t for two degrees of freedom is 0.95 sqrt(2 / (1 - 0.95^2)) = 4.303: half is 1.242.
    values = [0.0, 0.5, 1.0]
    half = 0.95 * math.sqrt(2 / (1 - 0.95**2)) / (2 * math.sqrt(3))
    assert ledger.judge(PAPER | {"theirs": 0.4}, values) == "cannot tell from 3 seeds"
    for theirs, verdict in (
        (0.5 + half + 0.01, "falls short by 1.25"),
        (0.5 + half - 0.01, "tell"),
    ):
        assert verdict in ledger.judge(PAPER | {"theirs": theirs}, values)
    for matters, verdict in ((half - 0.1 + 0.01, "reached"), (half - 0.1 - 0.01, "cannot tell")):
        assert verdict in ledger.judge(PAPER | {"theirs": 0.4, "matters": matters}, values)


def test_modes_count_only_if_samples_are_good():
    paper = PAPER | {"theirs": 1.0, "needs": {"key": "good", "least": 0.5}}
    found = records(1.0, 1.0)
    for share, verdict in ((0.5, "| reached |"), (0.49, "| not counted: 49 % of samples are")):
        for record in found.values():
            record["figures"]["good"] = share
        assert verdict in ledger.page([paper], found)


def test_figures_of_other_data_are_not_counted():
    page = ledger.page([PAPER | {"theirs": 1.0, "unlike": "other data"}], records(0.5))
    assert "not counted: other data" in page and "falls short by" not in page


def test_runs_without_a_figure_are_counted():
    page = ledger.page([PAPER | {"theirs": 1.0}], records(25.0, 25.0, math.nan))
    assert "not counted: 1 of 3 runs have no such figure" in page and "(2 of 3)" in page
    page = ledger.page([CONTROL | {"theirs": 0.0}], records(math.nan))
    assert "**missed by inf**" in page


def test_what_falls_short_comes_first():
    # Of two values the interval is 12.7 standard errors wide to either side.
    papers = [PAPER | {"theirs": 1.0, "figure": "good"}, PAPER | {"theirs": 19.0, "figure": "bad"}]
    page = ledger.page(papers, records(1.0, 3.0))
    assert page.index("| bad |") < page.index("| good |")
    error = math.sqrt(2) / math.sqrt(2)  # the standard deviation of 1 and 3, over that of 2 runs
    assert f"| 2.00 ± {error:.2f} |" in page and "| 1.5 ± 0.5 |" in page
    assert "- run_1: `c1`; m" in page


def test_a_theorem_has_no_verdict():
    cells = {"kind": "theorem", "covered": False, "key": "a_*", "cells": True, "theirs": 0.5}
    found = {"run_0": records(0.0)["run_0"] | {"figures": {"a_1": 0.5, "a_2": 0.53, "b": 9.0}}}
    page = ledger.page([PAPER | cells], found)
    assert "| 0.50 | 0.50 to 0.53 in 2 cells | no |" in page
    assert "short" not in page.partition("## Theorems")[2]


@pytest.mark.parametrize(
    "value, verdict", [(1.0, "passed"), (1.5, "passed"), (0.4, "**missed by 0.10**")]
)
def test_a_control_passes_within_its_slack(value, verdict):
    page = ledger.page([CONTROL | {"theirs": 1.0, "slack": 0.5}], records(value))
    assert f"| 1.00 | {value:.2f} | {verdict} |" in page


def test_slack_is_half_the_interval_of_the_record():
    paper = CONTROL | {"theirs": 1.0, "slack_of": ["low", "high"], "remarks": "slack {slack}"}
    for value, verdict in ((7.0, "| passed |"), (8.0, "| **missed by 1.00** |")):
        found = {"run_0": records(0.0)["run_0"] | {"figures": {"k": value, "low": 2, "high": 14}}}
        page = ledger.page([paper], found)
        assert verdict in page and "| slack 6 |" in page


def test_a_run_of_more_epochs_is_no_run_of_fewer():
    papers, _ = ledger.read()
    log = [paper for paper in papers if "log in the README" in paper["place"]]
    runs = {"mnist_mlp_0", "mnist_mlp_200_0", "mnist_mlp_400_0"}
    for paper in log:
        assert len([run for run in runs if fnmatch.fnmatch(run, paper["runs"])]) == 1, paper


def test_the_page_is_what_the_measurements_give():
    assert ledger.PAGE.read_text(encoding="utf-8") == ledger.page(*ledger.read()), (
        "run python -m tools.ledger"
    )


def test_every_row_is_whole():
    papers, _ = ledger.read()
    for paper in papers:
        whole = {
            "paper": PAPER.keys(),
            "theorem": CONTROL.keys() | {"covered"},
            "control": CONTROL.keys(),
        }
        assert paper.keys() >= whole[paper["kind"]] | {"theirs"}, paper
        assert paper.get("better", "higher") in ("higher", "lower")


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


def test_bad_command_lines(refused):
    assert "belong together" in refused(ledger.main, ["ledger", "runs/x"])
