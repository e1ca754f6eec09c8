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
    "form, factor, figures, text",
    [
        (".1f %", 100, [0.5], "50.0 %"),
        (",.0f", 1, [12345.4], "12,345"),
        (".1f", 1 / 60, [90], "1.5"),
        # Standard deviation √2, divided by √2; what is missing or not finite does not count.
        (".1f", 1, [16, None, 18, math.nan], "17.0 ± 1.0"),
        (".1f %", 100, [0.16, 0.18], "17.0 ± 1.0 %"),
        (".1f", 1, [None], "–"),
        (".1f", 1, [math.inf], "–"),
        (".1f", 1, [], "–"),
    ],
)
def test_a_cell_is_one_figure_or_a_mean_with_its_error(form, factor, figures, text):
    assert markdown.cell(form, factor, *figures) == text
