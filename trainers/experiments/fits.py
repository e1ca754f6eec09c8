"""How a figure of fresh judges falls with the support: powers of m."""

import numpy as np

from trainers.experiments import planning


def exponents(rows: list, key: str = "accuracy", nothing: float = 0.5) -> list:
    """How accuracy - ½, or another figure, falls with m at each p: log-log least squares.

    Supports whose mean over repeats is within two standard errors of `nothing` are left out; fewer
    than three give no slope.

    Returns:
        one dict per p: parameters, exponent, exponent_se (of the fit, not of the cells), supports.
    """
    found = []
    pairs = planning.of_cell({"contrast": "pair"}, rows)
    for (p,), mine in sorted(planning.groups(pairs, "parameters")):
        points = []
        for (m,), same in sorted(planning.groups(mine, "support")):
            excess = np.mean([row[key] - nothing for row in same])
            error = np.mean([row[f"{key}_se"] for row in same])
            if excess > 2 * error / np.sqrt(len(same)):
                points.append((m, excess))
        if len(points) < 3:
            continue
        exponent, error = power(*zip(*points, strict=True))
        found.append(
            {
                "parameters": p,
                "exponent": exponent,
                "exponent_se": error,
                "supports": [m for m, _ in points],
            }
        )
    return found


def power(x, y) -> tuple[float, float]:
    """The exponent a of y = c xᵃ by least squares of the logarithms, and its standard error.

    Args:
        x, y: positive numbers, three or more, as many of either; two or more different x.
    """
    x, y = np.log(np.array([x, y], float))
    slope, intercept = np.polyfit(x, y, 1)
    residuals = y - (slope * x + intercept)
    error = np.sqrt(np.sum(residuals**2) / (len(x) - 2) / np.sum((x - x.mean()) ** 2))
    return float(slope), float(error)
