"""The papers' figures against ours: writes docs/ledger.md from the measurements.

usage: python -m tools.ledger [--machine='2 cores, no GPU' RUN...]

  RUN
      A finished run directory, to be added to the measurements before the page is written.

The measurements lie in `docs/measurements`, one JSON file per run: command, machine, seconds and
figures. The papers' figures lie in `docs/papers.json`, each with its source; one
that was not read in a source is null there and marked on the page.
"""

import fnmatch
import json
import math
import pathlib
import statistics
import sys

from scipy.special import stdtrit

from zoo import presets
from zoo import run_files
from zoo.cli import commands
from zoo.cli import markdown

DOCS = pathlib.Path(__file__).parent.parent / "docs"
PAGE = DOCS / "ledger.md"
ORDER = ("falls short", "cannot tell", "not counted", "not run", "nothing to compare", "reached")
HEAD = """# The papers' figures, and ours

Written by `python -m tools.ledger` from `docs/papers.json` and `docs/measurements`; not by hand.
Ours is the mean over runs ± its standard error, and so is theirs if a paper gives it.

There is no row of CIFAR-10, nor a preset: see docs/bigbigan.md."""
TABLES = {
    "paper": """## Figures of papers

Verdicts follow from a 95 % interval of the difference. Its half-width is √(a² + b²) plus the slack
in the remarks: a is that of our mean by Student's t (4.3 standard errors for three seeds), b is two
standard errors of theirs. *Falls short*: the whole interval is below zero. *Reached*: the whole
interval is above minus the margin, the difference that matters. In all other cases: *cannot tell*.
One seed has no interval: it is never *reached*, and *falls short* only by more than the margin.
Modes of points are counted only if half of the samples are close to a mode. Figures of another data
set, or of other networks, stand beside each other without a verdict: *not counted*. Figures that
fall short come first.""",
    "theorem": """## Theorems

Measured values beside those of theorems. A bound that does not cover this scale implies nothing
about these figures, nor do they about it.""",
    "control": """## Controls of our own constructions

Values that a construction or a test must return by design.""",
}


def page(papers: list, records: dict) -> str:
    """The ledger in Markdown.

    Args:
        papers: rows, as in `docs/papers.json`.
        records: name → measurement, as `keep` writes them.
    """
    rows, commands = {kind: [] for kind in TABLES}, {}
    for paper in papers:
        found = {n: r for n, r in records.items() if fnmatch.fnmatch(n, paper["runs"])}
        paper = _with_slack(paper, found)
        rows[paper["kind"]].append(ROWS[paper["kind"]](paper, found))
        commands |= found
    rows["paper"].sort(
        key=lambda row: min(i for i, word in enumerate(ORDER) if word in row["verdict"])
    )
    tables = [
        f"{text}\n\n"
        + markdown.table(list(rows[kind][0]), [list(row.values()) for row in rows[kind]])
        for kind, text in TABLES.items()
        if rows[kind]
    ]
    used = "\n".join(
        f"- {name}: `{r['command']}`; {r['machine']}" + (f"; {r['then']}" if "then" in r else "")
        for name, r in sorted(commands.items())
    )
    return "\n\n".join([HEAD, *tables, "## The runs", used]) + "\n"


def _paper_row(paper, found):
    values = _all_values(found, paper)
    minutes = [r["wall_s"] / 60 for r in found.values() if r.get("wall_s")]
    return {
        "paper": f"{paper['paper']}, {paper['place']}",
        "figure": paper["figure"],
        "theirs": _theirs(paper),
        "ours": markdown.cell(f".{paper.get('digits', 2)}f", *values),
        "margin": f"{paper['matters']:g}",
        "verdict": judge(paper, values, _excluded(paper, found)),
        "runs": str(len(values)),
        "minutes a run": markdown.cell(".1f", *minutes),
        "remarks": paper.get("remarks", ""),
    }


def _theorem_row(paper, found):
    values, digits = _all_values(found, paper), paper.get("digits", 2)
    measured = " to ".join(f"{v:.{digits}f}" for v in sorted({min(values), max(values)}))
    return {
        "theorem": f"{paper['paper']}, {paper['place']}",
        "figure": paper["figure"],
        "value": _theirs(paper),
        "measured": measured + (f" in {len(values)} cells" if paper.get("cells") else ""),
        "covered by the bound at this scale": "yes" if paper["covered"] else "no",
        "remarks": paper.get("remarks", ""),
    }


def _control_row(paper, found):
    values, digits = _all_values(found, paper), paper.get("digits", 2)
    errors = [abs(value - paper["theirs"]) for value in values]
    off = max(error if math.isfinite(error) else math.inf for error in errors)
    off -= paper.get("slack", 0.0)
    return {
        "construction": f"{paper['paper']}, {paper['place']}",
        "figure": paper["figure"],
        "must be": _theirs(paper),
        "is": markdown.cell(f".{digits}f", *values),
        "verdict": "passed" if off <= 0 else f"**missed by {off:.{digits}f}**",
        "remarks": paper.get("remarks", ""),
    }


ROWS = {"paper": _paper_row, "theorem": _theorem_row, "control": _control_row}


def judge(paper: dict, values: list, excluded: str = "") -> str:
    """How our mean compares with the paper's figure, in words.

    `better` of the row is "higher" or "lower"; `matters` is the difference that would matter.

    Args:
        excluded: why these values do not count, if they do not.
    """
    if not values:
        return "not run"
    if paper["theirs"] is None:
        return "nothing to compare with"
    if excluded:
        return f"not counted: {excluded}"
    if lost := sum(not math.isfinite(value) for value in values):
        return f"not counted: {lost} of {len(values)} runs have no such figure"
    ahead = statistics.mean(values) - paper["theirs"]
    ahead = -ahead if paper["better"] == "lower" else ahead
    alone = len(values) == 1
    half = paper.get("slack", 0.0) + math.hypot(_half(values), 2 * paper.get("error", 0.0))
    if ahead + half < (-paper["matters"] if alone else 0.0):
        return f"**falls short by {-ahead:.{paper.get('digits', 2)}f}**"
    if ahead - half >= -paper["matters"] and not alone:
        return "reached"
    return f"cannot tell from {len(values)} seed{'s' * (len(values) > 1)}"


def _half(values):
    """Half of the 95 % interval of a mean of normal values, by Student's t; 0 for one value."""
    if len(values) == 1:
        return 0.0
    quantile = stdtrit(len(values) - 1, 0.975)
    return float(quantile * statistics.stdev(values) / math.sqrt(len(values)))


def _excluded(paper, found):
    """Why the values of a row do not count, or nothing: too few samples are good, say."""
    if "unlike" in paper:
        return paper["unlike"]
    if "needs" not in paper or not found:
        return ""
    key, least = paper["needs"]["key"], paper["needs"]["least"]
    share = statistics.mean(record["figures"][key] for record in found.values())
    return "" if share >= least else f"{100 * share:.0f} % of samples are close to a mode"


def _all_values(found, paper):
    return [value for record in found.values() for value in _values(record, paper)]


def _values(record, paper):
    """The values of the row in one record: a figure, or all that its pattern names, or none."""
    figures, key = record["figures"], paper["key"]
    names = fnmatch.filter(figures, key) if paper.get("cells") else {key} & figures.keys()
    return [figures[name] * paper.get("factor", 1) for name in names]


def _with_slack(paper, found):
    """The row with its slack computed: half the interval whose ends `slack_of` names."""
    if "slack_of" not in paper or not found:
        return paper
    low, high = (next(iter(found.values()))["figures"][key] for key in paper["slack_of"])
    slack = (high - low) / 2
    return paper | {"slack": slack, "remarks": paper["remarks"].replace("{slack}", f"{slack:.0f}")}


def _theirs(paper):
    if paper["theirs"] is None:
        return "not read in a source"
    error = f" ± {paper['error']}" if paper.get("error") else ""
    return f"{paper['theirs']:.{paper.get('digits', 2)}f}{error}"


def record(directory: pathlib.Path, machine: str) -> dict:
    """The record of a finished run in `docs/measurements`.

    Raises:
        ValueError: `directory` holds no finished run.
    """
    config, figures = run_files.read_run(directory)
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
        config, figures = run_files.read_run(preset.directory)
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
    known = {"machine": ("", "The machine of the runs RUN…, in words.")}
    with commands.exit_on_bad_input():
        args, runs = commands.parse(__doc__, known, argv)
        if bool(runs) != bool(args.machine):
            raise ValueError("runs and --machine belong together; see --help")
        for run in map(pathlib.Path, runs):
            kept = DOCS / "measurements" / f"{run.name}.json"
            run_files.write_json(kept, record(run, args.machine))
            print(f"wrote {kept}")
        run_files.write(PAGE, page(*read()).encode())
        print(f"wrote {PAGE}")


if __name__ == "__main__":
    main(sys.argv)
