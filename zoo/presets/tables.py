"""The table of a card: figures, what stands next to them, and what was published."""

from zoo import markdown
from zoo.presets.facts import Published

# label, key, format (which may end in a unit), factor, {baseline's name: its key, or its text}
ROWS = (
    ("x-cycle ratio", "x_cycle_ratio", ".3f", 1, {"another image": "1"}),
    ("x-cycle, L2 of all pixels", "x_cycle", ".2f", 1, {"another image": "x_cycle_mismatched"}),
    ("z-cycle ratio", "z_cycle_ratio", ".3f", 1, {"another code": "1"}),
    ("largest error of E(G(z))", "z_cycle_largest", ".3g", 1, {}),
    ("largest error of G(E(G(z)))", "sample_cycle_largest", ".3g", 1, {}),
    ("MMD² of codes and prior", "mmd", ".5f", 1, {"95 % of prior draws below": "mmd_null_95"}),
    (
        "1-NN on codes",
        "knn_code",
        ".1f %",
        100,
        {"untrained": "knn_code_random", "raw pixels": "knn_pixels"},
    ),
    (
        "1-NN on the encoder's last hidden layer",
        "knn_features",
        ".1f %",
        100,
        {"untrained": "knn_features_random", "raw pixels": "knn_pixels"},
    ),
    (
        "logistic regression on codes",
        "probe_code",
        ".1f %",
        100,
        {"raw pixels": "probe_pixels", "chance": "chance"},
    ),
    ("classes with 3 % of samples or more", "classes", ".0f", 1, {"of": "classes_total"}),
    ("Fréchet distance of samples", "frechet", ".1f", 1, {"real images": "frechet_real"}),
    ("precision of samples", "precision", ".2f", 1, {"real images": "precision_real"}),
    ("recall of samples", "recall", ".2f", 1, {"real images": "recall_real"}),
)


def table(metrics: dict, audit: dict, published: tuple[Published, ...]):
    """The table in Markdown, then its notes: where the published figures were read.

    Args:
        metrics, audit: contents of the JSON files of a preset.
        published: see `zoo.presets.facts`.
    """
    whole = metrics.get("all_test", {})
    found = {**audit, **metrics}
    published = {one.key: one for one in published}
    heads = ["", f"{metrics['n_test']:,.0f} test images", "next to"]
    heads += [f"all {whole['n_test']:,.0f}"] if whole else []
    heads += ["published"] if published else []
    lines, notes = [], []
    for label, key, form, factor, beside in ROWS:
        if key not in found:
            continue
        row = [label, _cell(found, key, form, factor), _beside(found, form, factor, beside)]
        row += [_whole(whole, key, form, factor, beside)] * bool(whole)
        if published:
            row.append(_published(published, key, beside, notes))
        lines.append(row)
    yield markdown.table(heads, lines)
    yield "\n".join(f"[{number}] {note}." for number, note in enumerate(notes, 1))


def _cell(found, key, form, factor):
    return markdown.cell(form, factor, found.get(key))


def _whole(found, key, form, factor, beside):
    if key not in found:
        return "–"
    measured = {label: one for label, one in beside.items() if one in found}
    near = _beside(found, form, factor, measured)
    return _cell(found, key, form, factor) + (f" ({near})" if near else "")


def _beside(found, form, factor, beside):
    cells = (
        f"{label} {_cell(found, key, form, factor) if key in found else key}"
        for label, key in beside.items()
        if key in found or key.isdigit()
    )
    return ", ".join(cells)


def _published(published, key, beside, notes):
    cells = []
    for label, one in (("", key), *beside.items()):
        if one in published:
            note = published[one].source
            if note not in notes:
                notes.append(note)
            value = f"{label} {published[one].value}".strip()
            cells.append(f"{value} [{notes.index(note) + 1}]")
    return ", ".join(cells) or "–"
