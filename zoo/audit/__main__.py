"""Audit trained models: verdicts on their discriminators, codes and samples.

usage: python -m zoo.audit MODEL [MODEL ...] [flags]

MODEL is the name of a preset (`python -m zoo` lists them), a run directory, a .keras file, or a
SavedModel directory. Each is evaluated on its training data set unless --against is given.
Prints verdicts, and with several models one table; writes audit.json and audit.png. With
--check-card nothing is written: every figure on the cards of these presets is measured again, and
differences are printed; exit code 1 if there is one.
"""

import pathlib
import sys
import time

from zoo import models
from zoo import run_files
from zoo.cli import commands
from zoo.cli import markdown

FLAGS = {
    "against": models.DATASET_FLAG,
    "samples": (10_000, "Samples drawn from each model."),
    "examples": (10_000, "Training examples at most, and as many test examples."),
    "invert": (
        0,
        "Steps of a search for the code of each example in place of an encoder, which a plain GAN "
        "does not have; 0: none. 100 take about 0.1 s an example: see --examples.",
    ),
    "seed": commands.SEED,
    "out": (
        "",
        "Directory to write to; by default the one run directory given, else runs/audit, as with "
        "--invert.",
    ),
    "check_card": (False, "Measure the figures on the cards of presets again."),
}
ROWS = (
    *((f"fresh discriminator, p = {p}", f"judge_{p}_accuracy", ".1f %") for p in (30, 100, 300)),
    *markdown.columns("x_cycle_ratio"),
    ("class kept by G(E(x))", "class_kept", ".1f %"),
    ("… share of the largest class", "class_kept_chance", ".1f %"),
    *markdown.columns("z_cycle_ratio"),
    ("cycle ratio of samples", "sample_cycle_ratio", ".2f"),
    ("coordinates unlike the prior", "ks_rejected", ".0f"),
    ("… of", "ks_total", ".0f"),
    ("MMD² to the prior", "mmd", ".5f"),
    ("… 95 % of prior draws below", "mmd_null_95", ".5f"),
    ("covariance error", "covariance_error", ".2f"),
    ("… of prior draws", "covariance_error_prior", ".2f"),
    ("active units", "active_units", ".0f"),
    ("class from codes, 1-NN", "knn_code", ".1f %"),
    ("class from codes, logistic", "probe_code", ".1f %"),
    ("class from codes, network", "mlp_code", ".1f %"),
    ("class from pixels, logistic", "probe_pixels", ".1f %"),
    ("chance", "chance", ".1f %"),
    ("class information, nats", "label_information_mlp", ".2f"),
    ("image information, nats", "image_information", ".1f"),
    ("support at most about", "support_at_most", ",.0f"),
    ("… no bound, above about", "support_above", ",.0f"),
    ("classes of samples", "classes", ".0f"),
    ("samples of no clear class", "unsure", ".1f %"),
    ("… real examples", "unsure_real", ".1f %"),
    ("samples less clear than 99 % of real ones", "less_clear", ".1f %"),
    *markdown.columns("precision:.2f recall:.2f frechet"),
    ("… of real examples", "frechet_real", ".1f"),
    ("slope of E, median", "lipschitz_e_median", ".2f"),
    ("slope of G, median", "lipschitz_g_median", ".2f"),
    *markdown.columns("seconds"),
)


def table(rows: dict) -> str:
    """Figures of models, name → figures, as Markdown, one column each; missing figures are –."""
    lines = [
        [label, *(markdown.cell(form, figures.get(key)) for figures in rows.values())]
        for label, key, form in ROWS
        if any(key in figures for figures in rows.values())
    ]
    return markdown.table(["", *rows], lines)


def main(argv: list | None = None) -> None:
    """Measure, print, write. Exit code 2 and one line for bad input."""
    with commands.exit_on_bad_input():
        argv = _spelled(sys.argv if argv is None else argv)
        args, paths = commands.parse(__doc__, FLAGS, argv, "model")
        commands.at_least(args, samples=200, examples=100, invert=0, seed=0)
        if args.examples > 10_000:
            raise ValueError(f"--examples must be 10,000 or less; got {args.examples}")
        others = (name for name, value in vars(args).items() if value != FLAGS[name][0])
        if args.check_card and {*others} != {"check_card"}:
            raise ValueError("--check-card measures what is on the card; leave out other flags")
        if args.check_card:
            from zoo.presets import checking

            sys.exit(0 if all([checking.report(path) for path in paths]) else 1)
        out = _out(args.out, paths, args.invert)
        audited = _audit_all(paths, args)
    from zoo.audit import picture

    figures = {name: found for name, found, *_ in audited}
    searched = f"; E is a search of {args.invert} steps" if args.invert else ""
    for name, _, sentences, _ in audited:
        print(
            f"\n{name}, evaluated on {figures[name]['data']}{searched}\n"
            + "\n".join(f"  {sentence}" for sentence in sentences)
        )
    if len(audited) > 1:
        print(f"\n{table(figures)}")
    run_files.write_json(out / "audit.json", {"settings": vars(args), "models": figures})
    picture.draw(out / "audit.png", audited)
    print(f"\nsee {out / 'audit.json'} and {out / 'audit.png'}")


def _spelled(argv):
    return ["--check_card" if word == "--check-card" else word for word in argv]


def _out(given, paths, invert):
    single = pathlib.Path(paths[0])
    # Never into a SavedModel's folder, nor that of its versions: a served export must not change.
    # Nor over the audit of a run with its own encoder.
    if not given and not invert and len(paths) == 1 and (single / "game.keras").is_file():
        return single
    return commands.directory(given or "runs/audit")


def _audit_all(paths, args):
    from zoo.audit import measures
    from zoo.audit import words

    audited = []
    began = time.monotonic()
    for name, path, model, data in models.load_each(paths, args.against, args.invert):
        found, shown = measures.audit_and_show(model, data, args.seed, args.samples, args.examples)
        seconds = round(time.monotonic() - began, 1)
        found |= {"path": path, "data": data.name, "seconds": seconds}
        audited.append((name, found, words.verdicts(found), shown))
        began = time.monotonic()
    return audited


if __name__ == "__main__":
    main()
