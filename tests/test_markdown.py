"""Tables of figures."""

import math

import pytest

from zoo.cli import markdown


def test_a_table_has_a_heading_a_rule_and_its_rows():
    assert markdown.table(["a", "b"], [["1", "–"], ["2", "x"]]).splitlines() == [
        "| a | b |",
        "| --- | --- |",
        "| 1 | – |",
        "| 2 | x |",
    ]


@pytest.mark.parametrize(
    "form, figures, text",
    [
        (".1f %", [0.5], "50.0 %"),
        (",.0f", [12345.4], "12,345"),
        (".2f points", [1.5], "1.50 points"),
        (".2f", [-0.001], "0.00"),
        # Standard deviation √2, divided by √2; what is missing or not finite does not count.
        (".1f", [16, None, 18, math.nan], "17.0 ± 1.0 (2 of 4)"),
        (".1f %", [0.16, 0.18], "17.0 ± 1.0 %"),
        (".1f", [None], "–"),
        (".1f", [math.inf], "–"),
        (".1f", [], "–"),
    ],
)
def test_a_cell_is_one_figure_or_a_mean_with_its_error(form, figures, text):
    assert markdown.cell(form, *figures) == text


def test_a_table_of_figures_has_a_row_for_each_group():
    columns = (("share", "a", ".0f %"), ("length", "b", ".1f"))
    groups = [(["x"], {"a": 0.5, "b": 2}), (["y"], {"a": 1.0}, {"a": 1.0})]
    assert markdown.figures(["name"], columns, groups).splitlines()[2:] == [
        "| x | 50 % | 2.0 |",
        "| y | 100 ± 0 % | – |",
    ]
