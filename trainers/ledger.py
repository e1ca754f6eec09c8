"""The papers' figures against ours: writes docs/ledger.md from what was measured.

usage: python -m trainers.ledger [--machine='2 cores, no GPU' RUN...]

  RUN
      A finished run directory, to be added to what was measured before the page is written.

What was measured lies in `docs/measurements`, one JSON file per run: command, machine, seconds and
figures. The papers' figures lie in `docs/papers.json`, each with the place where it was read; one
that was not read in a source is null there, and the page says so.
"""

import fnmatch
import json
import math
import os
import pathlib
import statistics
import sys

from zoo import presets
from zoo import saving
from zoo.cli import commands
from zoo.cli import markdown

DOCS = pathlib.Path(__file__).parent.parent / "docs"
PAGE = DOCS / "ledger.md"
COLUMNS = ("paper", "figure", "theirs", "ours", "verdict", "runs", "minutes a run", "remarks")
HEAD = """# The papers' figures, and ours

Written by `python -m trainers.ledger` from `docs/papers.json` and `docs/measurements`; not by hand.
Ours is the mean over runs ± their standard deviation. "Reached" allows for twice the standard error
of both and for the slack that the remarks name. Rows that fall short come first.

There is no row of CIFAR-10, nor a preset: none was trained, for two cores without an accelerator do
not reach a quality that could stand beside a paper's.
"""
ORDER = ("falls short", "not run", "nothing to compare with", "reached")


def page(papers: list, records: dict) -> str:
    """The ledger in Markdown.

    Args:
        papers: rows, as in `docs/papers.json`.
        records: name → measurement, as `keep` writes them.
    """
    rows, commands = [], {}
    for paper in papers:
        found = {n: r for n, r in records.items() if fnmatch.fnmatch(n, paper["runs"])}
        paper = _with_slack(paper, found)
        values = [value for r in found.values() for value in _values(r, paper)]
        verdict = judge(paper, values)
        minutes = [r["wall_s"] / 60 for r in found.values() if r.get("wall_s")]
        rows.append(
            {
                "paper": f"{paper['paper']}, {paper['place']}",
                "figure": paper["figure"],
                "theirs": _theirs(paper),
                "ours": _ours(paper, values),
                "verdict": verdict,
                "runs": str(len(found) if values else 0),
                "minutes a run": _mean(minutes, 1),
                "remarks": "; ".join(filter(None, (paper.get("remarks"), _beyond(paper, found)))),
            }
        )
        for name, record in found.items():
            commands[name] = record
    rows.sort(key=lambda row: min(i for i, word in enumerate(ORDER) if word in row["verdict"]))
    table = markdown.table(list(COLUMNS), [[row[c] for c in COLUMNS] for row in rows])
    used = "\n".join(
        f"- {name}: `{r['command']}`; {r['machine']}" + (f"; {r['then']}" if "then" in r else "")
        for name, r in sorted(commands.items())
    )
    return f"{HEAD}\n{table}\n\n## The runs\n\n{used}\n"


def judge(paper: dict, values: list) -> str:
    """Whether our mean reaches the paper's figure, in words.

    `better` of the row is "higher", "lower" or "equal" (what a theorem or a construction fixes).
    Of a row of cells the value that is farthest off decides.
    """
    if not values:
        return "not run"
    if paper["theirs"] is None:
        return "nothing to compare with"
    if paper.get("cells"):
        values = [max(values, key=lambda value: abs(value - paper["theirs"]))]
    gap = statistics.mean(values) - paper["theirs"]
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    error = paper.get("slack", 0.0) + 2 * math.hypot(error, paper.get("error", 0.0))
    short = {"higher": -gap, "lower": gap, "equal": abs(gap)}[paper["better"]]
    if short <= error:
        return "reached"
    return f"**falls short by {short:.{paper.get('digits', 2)}f}**"


def _values(record, paper):
    """What the row is about in one record: a figure, or all that its pattern names, or none."""
    return [value * paper.get("factor", 1) for _, value in _named(record, paper)]


def _named(record, paper):
    figures, key = record["figures"], paper["key"]
    if paper.get("cells"):
        return [(name, value) for name, value in figures.items() if fnmatch.fnmatch(name, key)]
    return [(key, figures[key])] if key in figures else []


def _with_slack(paper, found):
    """The row with its slack computed: half the interval whose ends `slack_of` names."""
    if "slack_of" not in paper or not found:
        return paper
    low, high = (next(iter(found.values()))["figures"][key] for key in paper["slack_of"])
    slack = (high - low) / 2
    return paper | {"slack": slack, "remarks": paper["remarks"].replace("{slack}", f"{slack:.0f}")}


def _beyond(paper, found):
    """Which cells of a row of cells are farther off than the slack."""
    if not paper.get("cells"):
        return ""
    cells = dict(cell for record in found.values() for cell in _named(record, paper))
    far = [name for name, v in cells.items() if abs(v - paper["theirs"]) > paper.get("slack", 0)]
    near = [name for name in cells if name not in far]
    which = f"all but {', '.join(near)}" if len(near) < len(far) else ", ".join(far) or "none"
    return f"beyond the slack: {which} ({len(far)} of {len(cells)})"


def _ours(paper, values):
    digits = paper.get("digits", 2)
    if paper.get("cells") and values:
        return f"{min(values):.{digits}f} to {max(values):.{digits}f} in {len(values)} cells"
    return _mean(values, digits)


def _theirs(paper):
    if paper["theirs"] is None:
        return "not read in a source"
    error = f" ± {paper['error']}" if paper.get("error") else ""
    return f"{paper['theirs']:.{paper.get('digits', 2)}f}{error}"


def _mean(values, digits):
    if not values:
        return "–"
    text = f"{statistics.mean(values):.{digits}f}"
    return f"{text} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else text


def record(directory: pathlib.Path, machine: str) -> dict:
    """What `docs/measurements` keeps of a finished run.

    Raises:
        ValueError: `directory` holds no finished run.
    """
    config, figures = saving.read_run(directory)
    return {
        "command": config["command"],
        "machine": machine,
        "wall_s": figures["wall_s"],
        "figures": {k: v for k, v in figures.items() if k != "wall_s"},
    }


def read() -> tuple[list, dict]:
    """(rows of the papers, name → measurement), those of presets being called preset_NAME."""
    papers = json.loads((DOCS / "papers.json").read_text(encoding="utf-8"))
    kept = sorted((DOCS / "measurements").glob("*.json"))
    records = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in kept}
    for preset in presets.list_presets():
        config, figures = saving.read_run(preset.directory)
        made = config["training"]
        records[f"preset_{preset.name}"] = {
            "command": made["command"],
            "machine": made.get("machine", "built, not trained")
            + ", with other work" * bool(made.get("shared_machine")),
            "wall_s": made.get("wall_s"),
            "figures": figures.get("all_test", figures),
        }
    return papers, records


def main(argv: list) -> None:
    """Add runs, write the page; exit code 2 for bad input."""
    known = {"machine": ("", "What the runs RUN… were made on, in words.")}
    with commands.exit_on_bad_input():
        args, runs = commands.parse(__doc__, known, argv)
        if bool(runs) != bool(args.machine):
            raise ValueError("runs and --machine belong together; see --help")
        for run in map(pathlib.Path, runs):
            _write(DOCS / "measurements" / f"{run.name}.json", _json(record(run, args.machine)))
        _write(PAGE, page(*read()))


def _json(value):
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _write(path, text):
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
    print(f"wrote {path}")


if __name__ == "__main__":
    main(sys.argv)
