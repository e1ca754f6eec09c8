"""Measured figures as Markdown tables."""

import collections.abc
import math
import statistics

# The columns of the figures: key → (heading, form).
HEADINGS = {
    "bridge": ("bridge share", ".1f %"),
    "bridge_real": ("real data", ".1f %"),
    "bridge_times_slope": ("bridge × median L_G", ".3f"),
    "class_asked": ("class asked", ".1f %"),
    "class_kept": ("class kept", ".1f %"),
    "class_kept_ab": ("A → B class kept", ".1f %"),
    "class_kept_ba": ("B → A class kept", ".1f %"),
    "classes": ("classes sampled", ".1f"),
    "coverage": ("coverage", ".3f"),
    "domain_ab": ("A → B taken for B", ".1f %"),
    "domain_ba": ("B → A taken for A", ".1f %"),
    "frechet": ("Fréchet distance", ".1f"),
    "high_quality": ("high quality", ".1f %"),
    "images_per_s": ("images/s", ",.0f"),
    "knn_code": ("1-NN code", ".1f %"),
    "knn_features": ("1-NN features", ".1f %"),
    "knn_features_random": ("untrained", ".1f %"),
    "lipschitz_e_95": ("95 %", ".2f"),
    "lipschitz_e_max": ("max", ".2f"),
    "lipschitz_e_median": ("L_E median", ".2f"),
    "lipschitz_g_95": ("95 %", ".2f"),
    "lipschitz_g_max": ("max", ".2f"),
    "lipschitz_g_median": ("L_G median", ".2f"),
    "minutes": ("minutes", ".1f"),
    "mmd": ("MMD² to prior", ".4f"),
    "mmd_null_95": ("null 95 %", ".4f"),
    "modes": ("modes", ".1f"),
    "parameters": ("parameters of E and G", ",.0f"),
    "precision": ("precision", ".3f"),
    "probe_code": ("probe code", ".1f %"),
    "recall": ("recall", ".3f"),
    "reverse_kl": ("reverse KL, nats", ".2f"),
    "sample_spread_ratio": ("sample spread", ".2f"),
    "seconds": ("seconds", ".0f"),
    "stability_e": ("S_E", ".2f"),
    "stability_g": ("S_G", ".2f"),
    "steps": ("steps", ",.0f"),
    "translation_ab_identity": ("untranslated", ".2f"),
    "translation_ab_ratio": ("A → B ratio", ".2f"),
    "translation_ba_identity": ("untranslated", ".2f"),
    "translation_ba_ratio": ("B → A ratio", ".2f"),
    "x_cycle_ratio": ("x-cycle ratio", ".2f"),
    "z_cycle_ratio": ("z-cycle ratio", ".2f"),
}


def columns(figures: str) -> list:
    """(heading, key, form) of each figure: its key, or KEY:FORM for another form.

    columns("x_cycle_ratio mmd:.5f") has two.
    """
    parts = [figure.partition(":") for figure in figures.split()]
    return [(HEADINGS[key][0], key, form or HEADINGS[key][1]) for key, _, form in parts]


def table(head: list, rows: list) -> str:
    """A heading and rows of as many strings."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figures(heads: list, columns: collections.abc.Sequence, groups: list) -> str:
    """A table of figures.

    Args:
        heads: headings of the first columns, which have no figures.
        columns: (heading, key, form) of the others, see `cell`.
        groups: a row for each: (its first cells, its figures: key → value, or several of them).
    """
    rows = [[*first, *cells(columns, *found)] for first, *found in groups]
    return table([*heads, *(heading for heading, *_ in columns)], rows)


def cells(columns: collections.abc.Sequence, *found: dict) -> list[str]:
    """The cell of each column, see `figures`, for the figures `found`."""
    return [cell(form, *(values.get(key) for values in found)) for _, key, form in columns]


def cell(form: str, *figures: float | None) -> str:
    """A figure, written as `form`, which may end in a unit; a share in per cent if that is %.

    Of several figures the mean ± its standard error, which is left out if there is one; those
    that are None or not finite are skipped, and then the number of the others is added. – if none
    is left.

    (".1f %", 0.5) → "50.0 %".
    """
    form, _, unit = form.partition(" ")
    factor = 100 if unit == "%" else 1
    found = [factor * value for value in figures if value is not None and math.isfinite(value)]
    if not found:
        return "–"
    # z: a small negative number is 0.00, not -0.00.
    text = f"{statistics.mean(found):z{form}}"
    if len(found) > 1:
        text += f" ± {statistics.stdev(found) / math.sqrt(len(found)):{form}}"
    text = f"{text} {unit}".strip()
    return text if len(found) == len(figures) else f"{text} ({len(found)} of {len(figures)})"
