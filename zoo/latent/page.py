"""The page of `python -m zoo.latent`: one line of code, picture and figures of every tool."""

import math

from zoo.cli import markdown
from zoo.latent.detection import NAMES
from zoo.latent.detection import UPSIDE_DOWN

_LINES = {
    "interpolation": (
        "Interpolation",
        "latent.interpolate(game, game.encode(x), game.encode(y), steps=9)",
    ),
    "traversal": ("Traversal", "latent.traverse(game, game.encode(x), coordinates=[3, 7])"),
    "neighbours": ("Neighbours in code space", "latent.neighbours(game, x, library, k=5)"),
    "attributes": (
        "Attribute vectors",
        "latent.edit(game, x, latent.class_vector(game.encode(library), labels, to=9, source=7))",
    ),
    "arithmetic": ("Code arithmetic", "latent.arithmetic(game, pullovers, tshirts, dresses)"),
    "anomaly": ("Anomaly detection", "latent.anomaly_scores(game, x)"),
}


def sentences(found: dict) -> dict[str, list[str]]:
    """Tool → sentences with its figures.

    Args:
        found: the contents of `latent.json`.
    """
    told = {name: _TOLD[name](figures, found) for name, figures in found["figures"].items()}
    if found["anomaly"]:
        told["anomaly"] = _anomaly(found)
    return told


def summary(found: dict) -> str:
    """The printed text: a line for each sentence, and the table of AUROCs."""
    lines = []
    for name, told in sentences(found).items():
        lines += [f"\n{_LINES[name][0].lower()}", *(f"  {sentence}" for sentence in told)]
    if found["anomaly"]:
        lines += ["", table(found["anomaly"])]
    return "\n".join(lines)


def written(found: dict, pictures: str) -> str:
    """The page.

    Args:
        found: the contents of `latent.json`.
        pictures: the folder of the pictures, relative to the page.
    """
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    folder = "" if pictures == "." else f"{pictures}/"
    parts = [
        "# Tools for codes",
        "This page, its pictures and its figures are written by one command, here in "
        f"{found['seconds'] / 60:.1f} minutes on {found['machine']}, with {versions}:",
        f"    {found['command']}",
        f"Model of every picture: **{found['model']}**, trained on {found['trained_on']}; measured "
        f"on {found['tested_on']:,} test images that it has not seen, with a library of "
        f"{found['library']:,} training images; seed {found['settings']['seed']}; one training "
        "run of each model.",
        "```python\nimport zoo\nfrom zoo import latent\n```",
        "Every tool takes a game, a `zoo.models.Model`, or a path to one; images are in [-1, 1], "
        "any number of them.",
    ]
    for name, told in sentences(found).items():
        title, line = _LINES[name]
        parts += [f"## {title}", f"    {line}", *told]
        if name == "anomaly":
            parts.append(table(found["anomaly"]))
        parts.append(f"![{title}]({folder}{name}.png)")
    return "\n\n".join(parts) + "\n"


def table(rows: list) -> str:
    """AUROCs as Markdown: a line for each model and set, a column for each score."""
    areas = [scores for row in rows for scores in row["unusual"].values()]
    columns = [name for name in NAMES if any(name in scores for scores in areas)]
    lines = []
    for row in rows:
        for name, scores in row["unusual"].items():
            cells = [f"{scores[c]:.3f}" if c in scores else "–" for c in columns]
            lines.append([row["model"], row["trained_on"], name, *cells])
    return markdown.table(
        ["model", "trained on", "unusual", *(NAMES[c] for c in columns)],
        lines,
    )


def _interpolation(f, found):
    told = [
        "Great circles for a Gaussian prior (White 2016, arXiv:1609.04468), straight lines in the "
        f"box of a uniform one. Mean norm of the code half way: {f['norm_middle']:.2f}, and "
        f"{f['norm_middle_straight']:.2f} on straight lines; of the ends {f['norm_codes']:.2f}, of "
        f"the prior {f['norm_prior']:.2f}."
    ]
    if "largest_step_blend" in f:
        told.append(
            f"The largest of eight steps between images is {f['largest_step']:.2f} of their mean; "
            f"{f['largest_step_blend']:.2f} where pixels are blended, 8 if the image jumped."
        )
    return told


def _traversal(f, found):
    return [
        f"From end to end of one coordinate the image moves by {f['change']:.1f} (L2, pixels in "
        f"[-1, 1]) in the mean of the six shown; by {f['change_least']:.1f} along the coordinate "
        "that matters least. Nothing in training gives a single coordinate a meaning of its own."
    ]


def _neighbours(f, found):
    if not f:
        return ["The set has no two classes to compare."]
    return [
        f"Of the five nearest training images {_percent(f['same_class_code'])} have the class of "
        f"the test image by code, {_percent(f['same_class_pixels'])} by pixels, "
        f"{_percent(f['same_class_chance'])} at random."
    ]


def _attributes(f, found):
    classes, told = found["classes"], []
    for key in f:
        if not key.endswith("arrived_0"):
            continue
        pair = key.split()[0]
        source, to = (classes[int(label)] for label in pair.split(":"))
        told.append(
            f"{source} to {to}: the nearest training image is of the class {to} for "
            f"{_percent(f[f'{pair} arrived_0'])} of the reconstructions, "
            f"{_percent(f[f'{pair} arrived_0.5'])} half way, {_percent(f[f'{pair} arrived_1'])} "
            f"at the full vector, {_percent(f[f'{pair} arrived_1.5'])} at one and a half; "
            f"{_percent(f[f'{pair} arrived_control'])} for a vector of that length from shuffled "
            "labels."
        )
    if "brighter" in f:
        told.append(
            f"Brighter: the vector of bright minus dark images lifts the mean pixel by "
            f"{f['brighter']:.2f} and keeps the class of {_percent(f['kept'])}; taken within "
            f"classes, at the same length, {f['brighter_within']:.2f} and "
            f"{_percent(f['kept_within'])}."
        )
    return told


def _arithmetic(f, found):
    classes = found["classes"]
    told = [
        "After Radford, Metz and Chintala 2016 (arXiv:1511.06434), with the mean codes of real "
        "images. No metric says whether a sum is right: look."
    ]
    for key in f:
        if key.endswith("as_c"):
            a, b, c = (classes[int(n)] for n in key.split()[0].replace("+", "-").split("-"))
            told.append(
                f"{a} − {b} + {c}: with the difference added, {_percent(f[key])} of the images of "
                f"the class {c} still have a {c} as nearest training image; "
                f"{_percent(f[f'{key}_before'])} of the plain reconstructions."
            )
    return told


def _anomaly(found):
    told = [
        "AUROC: the probability that an unusual image has the higher score; ½ is chance. The "
        "score is (1 − w) · reconstruction error + w · distance of the discriminator's features, "
        "w = 0.1, after Zenati et al. 2018 (arXiv:1802.06222); models without a discriminator of "
        "images have the first term alone."
    ]
    areas = [scores for row in found["anomaly"] for scores in row["unusual"].values()]
    # By Birnbaum and Klose, the variance of an AUROC is at most A (1 − A) / min(n, m).
    variances = [
        area * (1 - area) / row["images"]
        for row in found["anomaly"]
        for scores in row["unusual"].values()
        for area in scores.values()
    ]
    error = math.sqrt(max(variances))
    told.append(
        f"{_above(areas, 'anomaly_score', error)} {_above(areas, 'feature_error', error)} The "
        "neighbour needs no model, but all training images at hand. One standard error is at most "
        f"{error:.3f}."
    )
    sets = {name: scores for row in found["anomaly"] for name, scores in row["unusual"].items()}
    if set(sets) != {UPSIDE_DOWN}:
        told.append(
            "Telling one set from another is easy, and the last two columns, which need no model, "
            "say how easy: read the score next to them. Darkness is minus the mean pixel; far "
            "below ½, brightness tells the sets apart. Images turned upside down are as bright as "
            "they were, so that darkness is at ½ by construction; some of them, such as bags or "
            "the digit 0, look the same either way."
        )
    return told


def _above(areas, score, error):
    """How often a score is above the nearest neighbour, also by two errors, and above darkness."""
    having = [scores for scores in areas if score in scores]
    if not having:
        return ""
    leads = [scores[score] - scores["pixel_neighbour"] for scores in having]
    above, clearly = (sum(lead > least for lead in leads) for least in (0, 2 * error))
    bright = sum(scores[score] > scores["darkness"] for scores in having)
    return (
        f"The {NAMES[score]} is above the nearest training image in {above} of {len(having)} rows, "
        f"by two standard errors or more in {clearly}, and above darkness in {bright}."
    )


def _percent(share):
    return f"{100 * share:.0f} %"


_TOLD = {
    "interpolation": _interpolation,
    "traversal": _traversal,
    "neighbours": _neighbours,
    "attributes": _attributes,
    "arithmetic": _arithmetic,
}
