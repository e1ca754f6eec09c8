"""Measured figures as text."""

from collections.abc import Mapping

from zoo.cli import markdown

# key, label, format, {baseline key: its name}
_LINES = (
    (
        "x_cycle",
        "x-cycle ‖x − G(E(x))‖",
        ".2f",
        {"x_cycle_mismatched": "to another image", "x_cycle_ratio": "ratio"},
    ),
    (
        "x_cycle_same_class",
        "‖x − another of its class‖",
        ".2f",
        {"x_cycle_class_mean": "mean of its class"},
    ),
    (
        "class_kept",
        "class kept by G(E(x))",
        ".1f %",
        {"class_kept_chance": "largest class", "class_kept_real": "real images"},
    ),
    (
        "z_cycle",
        "z-cycle ‖z − E(G(z))‖",
        ".2f",
        {"z_cycle_mismatched": "to another code", "z_cycle_ratio": "ratio"},
    ),
    ("code_mean", "mean of codes", ".2f", {"prior_mean": "prior"}),
    ("code_std", "std of codes", ".2f", {"prior_std": "prior"}),
    ("code_largest_mean", "largest coordinate mean", ".2f", {"prior_largest_mean": "prior"}),
    ("mmd", "MMD² of codes and prior", ".5f", {"mmd_null_95": "95 % of prior draws below"}),
    *(
        (
            f"{probe}_{what}",
            f"{name} on {what}{plural}",
            ".1f %",
            {f"{probe}_{what}_random": "untrained encoder", f"{probe}_pixels": "raw pixels"},
        )
        for probe, name in (("knn", "1-NN"), ("probe", "logistic regression"))
        for what, plural in (("features", ""), ("code", "s"))
    ),
    (
        "sample_spread",
        "distance between samples",
        ".2f",
        {"sample_spread_real": "between test examples", "sample_spread_ratio": "ratio"},
    ),
    ("classes", "classes among samples", ".0f", {"classes_total": "of"}),
    ("class_asked", "samples of the class asked", ".1f %", {"class_asked_real": "real"}),
    ("class_translated", "images translated to a class", ".1f %", {}),
    *(
        line
        for way, name in (("ab", "A to B"), ("ba", "B to A"))
        for line in (
            (
                f"translation_{way}_ratio",
                f"{name}: error to the truth, ratio",
                ".2f",
                {
                    f"translation_{way}_identity": "untranslated",
                    f"translation_{way}": "error",
                    f"translation_{way}_mismatched": "to another image",
                },
            ),
            (
                f"cycle_{way}_ratio",
                f"{name} and back, ratio",
                ".2f",
                {f"cycle_{way}": "error", f"cycle_{way}_mismatched": "to another image"},
            ),
            (
                f"class_kept_{way}",
                f"{name}: class kept",
                ".1f %",
                {f"class_kept_{way}_untouched": "untranslated", f"class_kept_{way}_real": "real"},
            ),
            (
                f"class_reached_{way}",
                f"{name}: of a class of the target",
                ".1f %",
                {
                    f"class_reached_{way}_untouched": "untranslated",
                    f"class_reached_{way}_real": "real",
                },
            ),
            (
                f"domain_{way}",
                f"{name}: taken for the target",
                ".1f %",
                {f"domain_{way}_real": "real images"},
            ),
        )
    ),
    ("modes", "modes captured", ".0f", {"modes_total": "of", "modes_real": "real data"}),
    ("high_quality", "high-quality samples", ".1f %", {"high_quality_real": "real data"}),
    ("reverse_kl", "reverse KL of modes, nats", ".3f", {"reverse_kl_real": "real data"}),
)


def table(metrics: Mapping[str, float]) -> str:
    """The figures of `evaluate` and `sample_variety`, a line for each, baselines in brackets.

    Args:
      metrics: key -> value; unknown keys are ignored, missing ones left out.

    Returns:
      Aligned lines without a final newline, such as
      "1-NN on features  81.2 %  (untrained encoder 78.0 %, raw pixels 80.9 %)"; a line of its
      own has the number of examples. Empty if there is nothing to show.
    """
    found = _rows(metrics)
    if not found:
        return ""
    label_width = max(len(label) for label, _, _ in found)
    value_width = max(len(value) for _, value, _ in found)
    lines = [
        f"{label:<{label_width}}  {value:>{value_width}}  {behind}".rstrip()
        for label, value, behind in found
    ]
    return "\n".join([*lines, *_examples(metrics)])


def _rows(metrics):
    found = []
    for key, label, form, baselines in _LINES:
        if key not in metrics:
            continue
        behind = ", ".join(
            f"{name} {markdown.cell(form, metrics[other])}"
            for other, name in baselines.items()
            if other in metrics
        )
        value = markdown.cell(form, metrics[key])
        found.append((label, value, f"({behind})" if behind else ""))
    return found


def _examples(metrics):
    if "n_test" not in metrics:
        return
    trained = metrics.get("n_train", 0)
    behind = f", accuracies trained on {trained:.0f}" if trained else ""
    yield f"measured on {metrics['n_test']:.0f} test examples{behind}"
