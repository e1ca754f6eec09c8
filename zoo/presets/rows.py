"""The lines of a card's table: figures, and the baselines beside them."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        label: name of the figure.
        key: of metrics.json or audit.json.
        form: how it is written; may end in a unit.
        of: data that it was measured on, a key of `_counted`.
        beside: baseline's name → its key, or its text.
    """

    label: str
    key: str
    form: str
    of: str
    beside: dict

    @property
    def factor(self) -> int:
        """From the unit of the files to that of the table."""
        return 100 if self.form.endswith("%") else 1


def _both_ways():
    for way, name, target in (("ab", "A → B", "B"), ("ba", "B → A", "A")):
        real = f"real images of {target}"
        yield Row(
            f"{name}, error to the truth, ratio",
            f"translation_{way}_ratio",
            ".3f",
            "images",
            {"untranslated": f"translation_{way}_identity", "truth of another image": "1"},
        )
        for key, label in (
            ("class_kept", f"{name}, class kept"),
            ("class_reached", f"{name}, of a class of {target}"),
        ):
            beside = {"untranslated": f"{key}_{way}_untouched", real: f"{key}_{way}_real"}
            yield Row(label, f"{key}_{way}", ".1f %", "images", beside)
        yield Row(
            f"{name}, taken for {target} by a logistic regression",
            f"domain_{way}",
            ".1f %",
            "images",
            {real: f"domain_{way}_real"},
        )
        yield Row(
            f"{name} and back, error, ratio",
            f"cycle_{way}_ratio",
            ".3f",
            "images",
            {"another image": "1"},
        )


_PIXELS = {"raw pixels": "knn_pixels"}
ROWS = (
    *_both_ways(),
    Row(
        "samples of the class asked",
        "class_asked",
        ".1f %",
        "asked",
        {"real images with their label": "class_asked_real"},
    ),
    Row(
        "images translated to another class, of that class",
        "class_translated",
        ".1f %",
        "images",
        {},
    ),
    Row("x-cycle ratio", "x_cycle_ratio", ".3f", "images", {"another image": "1"}),
    Row(
        "x-cycle, L2",
        "x_cycle",
        ".2f",
        "images",
        {
            "another image": "x_cycle_mismatched",
            "of x to another of its class": "x_cycle_same_class",
            "to the mean of its class": "x_cycle_class_mean",
        },
    ),
    Row(
        "class kept by G(E(x))",
        "class_kept",
        ".1f %",
        "images",
        {"largest class": "class_kept_chance", "real images with their label": "class_kept_real"},
    ),
    Row("z-cycle ratio", "z_cycle_ratio", ".3f", "draws", {"another code": "1"}),
    Row("largest error of E(G(z))", "z_cycle_largest", ".3g", "draws", {}),
    Row("largest error of G(E(G(z)))", "sample_cycle_largest", ".3g", "draws", {}),
    Row(
        "MMD² of codes and prior", "mmd", ".5f", "law", {"95 % of prior draws below": "mmd_null_95"}
    ),
    Row(
        "1-NN on codes",
        "knn_code",
        ".1f %",
        "neighbours",
        {"untrained": "knn_code_random"} | _PIXELS,
    ),
    Row(
        "1-NN on the encoder's last hidden layer",
        "knn_features",
        ".1f %",
        "neighbours",
        {"untrained": "knn_features_random"} | _PIXELS,
    ),
    Row(
        "logistic regression on codes",
        "probe_code",
        ".1f %",
        "neighbours",
        {"raw pixels": "probe_pixels", "chance": "chance"},
    ),
    Row(
        "classes with 3 % of samples or more", "classes", ".0f", "samples", {"of": "classes_total"}
    ),
    Row(
        "samples of no clear class (its probability is below ½)",
        "unsure",
        ".1f %",
        "samples",
        {"real images": "unsure_real"},
    ),
    Row(
        "samples less clear than 99 % of real images (entropy of its probabilities)",
        "less_clear",
        ".1f %",
        "samples",
        {"real images": "1 %"},
    ),
    Row(
        "Fréchet distance of samples", "frechet", ".1f", "compared", {"real images": "frechet_real"}
    ),
    Row("precision of samples", "precision", ".2f", "compared", {"real images": "precision_real"}),
    Row("recall of samples", "recall", ".2f", "compared", {"real images": "recall_real"}),
)
