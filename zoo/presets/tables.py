"""The table of a card: figures, of how many images or samples, and their baselines."""

import dataclasses

from zoo.cli import markdown
from zoo.presets import facts
from zoo.presets.figures import joined
from zoo.presets.rows import ROWS


def table(config: dict, metrics: dict, audit: dict):
    """The table in Markdown, then its notes: sources of the published figures.

    Args:
        config, metrics, audit: contents of the JSON files of a preset.
    """
    whole = metrics.get("all_test", {})
    found = joined(metrics, audit)
    published = published_of(config)
    counted = _counted(metrics, audit)
    heads = ["", "figure", "measured on", "next to"]
    heads += [f"all {whole['n_test']:,.0f} test images"] if whole else []
    heads += ["published", "verdict"] if published else []
    lines, notes = [], []
    for row in ROWS:
        if row.key not in found:
            continue
        line = [row.label, _cell(found, row, row.key), counted[row.of], _beside(found, row)]
        line += [_whole(whole, row)] * bool(whole)
        if published:
            line += [_published(published, row, notes), _verdict(published, row, found, whole)]
        lines.append(line)
    yield markdown.table(heads, lines)
    yield "\n".join(f"[{number}] {note}." for number, note in enumerate(notes, 1))
    if published:
        of = " Verdicts are of all test images." if whole else ""
        yield f"The tolerance of verdicts is {facts.TOLERANCES[config['method']]}.{of}"


def shortfalls(config: dict, metrics: dict, audit: dict) -> list[str]:
    """Figures that fall short of a published figure by more than its tolerance, in words."""
    whole, found = metrics.get("all_test", {}), joined(metrics, audit)
    short = []
    for one in published_of(config).values():
        row = next((row for row in ROWS if row.key == one.key), None)
        if row is None or not one.better or row.key not in found:
            continue
        by = _short_by(one, row, found, whole)
        # Written so that NaN falls short.
        if not by <= one.tolerance:
            ours = _cell(whole if row.key in whole else found, row, row.key)
            theirs = markdown.cell(one.form, one.value)
            short.append(f"{row.label} {ours} against {theirs} (tolerance {one.tolerance:g})")
    return short


def published_of(config: dict) -> dict:
    """Key → the published figure that stands beside that of a preset of this config.json."""
    kinds = (config["arguments"].get("network"), "")
    named = [(config["method"], config["settings"]["dataset"], kind) for kind in kinds]
    return {one.key: one for name in named for one in facts.PUBLISHED.get(name, ())}


def _counted(metrics, audit):
    from zoo.audit import measures
    from zoo.metrics import translation

    n, known = metrics["n_test"], metrics["n_train"]
    if not audit:
        return {"images": f"{n:,.0f} test images"}
    samples, half = audit["n_samples"], measures.compared(n)
    return {
        "images": f"{n:,.0f} test images",
        "asked": f"{translation.MOST:,.0f} samples",
        "draws": f"{samples:,.0f} codes drawn from the prior",
        "law": f"{min(n, measures.KERNEL):,.0f} codes of test images, as many drawn",
        "neighbours": f"{n:,.0f} test images, learned from {known:,.0f}",
        "samples": f"{samples:,.0f} samples",
        "compared": f"{half:,.0f} samples, {half:,.0f} test images",
    }


def _cell(found, row, key):
    return markdown.cell(row.form, found.get(key))


def _whole(found, row):
    if row.key not in found:
        return "–"
    measured = {label: one for label, one in row.beside.items() if one in found}
    near = _beside(found, dataclasses.replace(row, beside=measured))
    return _cell(found, row, row.key) + (f" ({near})" if near else "")


def _beside(found, row):
    cells = (
        f"{label} {_cell(found, row, key) if key in found else key}"
        for label, key in row.beside.items()
        if key in found or key[0].isdigit()
    )
    return ", ".join(cells)


def _published(published, row, notes):
    cells = []
    for label, one in (("", row.key), *row.beside.items()):
        if one in published:
            note = published[one].source
            if note not in notes:
                notes.append(note)
            value = markdown.cell(published[one].form, published[one].value)
            cells.append(f"{label} {value} [{notes.index(note) + 1}]".strip())
    return ", ".join(cells) or "–"


def _verdict(published, row, found, whole):
    one = published.get(row.key)
    if one is None or not one.better:
        return "–"
    short = _short_by(one, row, found, whole)
    if short <= 0:
        return "reached"
    by = markdown.cell(".2f points" if row.factor == 100 else row.form, short)
    if short <= one.tolerance:
        return f"off by {by}, within {one.tolerance:g}"
    return f"**falls short by {by}**"


def _short_by(one, row, found, whole):
    """How far ours is from the published figure on its bad side, in the unit of the table."""
    gap = row.factor * ((whole if row.key in whole else found)[row.key] - one.value)
    return {"higher": -gap, "lower": gap, "equal": abs(gap)}[one.better]
