"""The outcome of a run and the next thing to try, in one line; a warning if its recipe is longer.

The verdict follows from the figures in metrics.json alone, and uses the terms of `zoo.audit`.
"""

import math

from trainers.runs import flags
from zoo.audit import words
from zoo.datasets import holds_points

# Training images of the set that ships with the package, for which recipes are made.
SHIPPED = 8000

# A run of less than this share of its recipe's steps is called short.
SHORT = 0.5

# Samples are called collapsed if they have at most this share of the classes or modes, or of the
# spread of test images. The shipped presets have all ten classes and a spread of 0.8 to 1.0.
COLLAPSED = 0.5

# Standard error of an x-cycle ratio, which a run does not measure: 0.006 on 2,000 test images.
RATIO_ERROR = 0.01


def steps_of_recipe(recipe, args, examples: int, step_examples: int) -> tuple[int, str]:
    """(steps that the recipe takes, its length as text).

    Recipes count epochs of the set that ships with the package; those of points, of any.

    Args:
        args: the flags of the run, as from `trainers.runs.flags.parse`.
        examples: training examples of the run.
        step_examples: those of one of its steps.
    """
    options = recipe.of_network(args.network)
    n = examples if holds_points(args.dataset) else SHIPPED
    batch_size = options.get("batch_size", flags.COMMON["batch_size"][0])
    per_step = batch_size * step_examples // args.batch_size
    steps = options["epochs"] * max(1, n // per_step)
    return steps, f"{steps:,} ({options['epochs']} epochs of {n:,} examples)"


def of_plan(run) -> str:
    """The line to print before a `trainers.runs.run.Run` trains; empty unless it is short."""
    recipe, length = _recipe(run)
    if run.steps >= SHORT * recipe:
        return ""
    return (
        f"{run.steps:,} steps are few: the recipe takes {length}, as {_as_long(run, recipe)} does"
    )


def of_end(run, figures: dict) -> str:
    """The outcome of the `Run`, and the next thing to try.

    Args:
        figures: key → value, as in metrics.json.
    """
    # Without a sample near a mode there are no frequencies of modes: no sign of divergence.
    numbers = [v for key, v in figures.items() if isinstance(v, float) and key != "reverse_kl"]
    if not all(map(math.isfinite, numbers)):
        return "some figures are not finite: diverged; try a lower --learning_rate"
    said = [*_samples(figures), *_reconstructions(figures), *_translations(figures)]
    text = "; ".join(sentence for sentence, _ in said) or "nothing was measured"
    if all(good for _, good in said):
        return text
    recipe, length = _recipe(run)
    if run.step < SHORT * recipe:
        return f"{text}; {run.step:,} steps are few, the recipe takes {length}: try " + _as_long(
            run, recipe
        )
    return f"{text}; try another --seed, a lower --learning_rate, or --epochs={2 * run.args.epochs}"


def _recipe(run):
    x = run.parts[0] if isinstance(run.parts, tuple) else run.parts
    return steps_of_recipe(run.recipe, run.args, len(x), run.step_examples)


def _as_long(run, recipe):
    return f"--epochs={-(-recipe // run.epoch_steps)}"


def _samples(f):
    for key, what in (("classes", "classes"), ("modes", "modes")):
        if f"{key}_total" in f:
            collapsed = f[key] <= COLLAPSED * f[f"{key}_total"]
            text = f"samples cover {f[key]:.0f} of {f[f'{key}_total']:.0f} {what}"
            sharp = f.get("high_quality", 1.0)
            if "high_quality" in f:
                text += f", {100 * sharp:.0f} % of them within 3 standard deviations of one"
            yield text + ": collapsed" * collapsed, sharp > 0.5 and not collapsed
            break
    else:
        if "sample_spread_ratio" in f:
            collapsed = f["sample_spread_ratio"] <= COLLAPSED
            text = f"samples vary {100 * f['sample_spread_ratio']:.0f} % as much as test examples"
            yield text + ": collapsed" * collapsed, not collapsed
    if "class_asked" in f:
        good = f["class_asked"] > 0.5
        yield f"{100 * f['class_asked']:.0f} % of samples have the class asked", good


def _reconstructions(f):
    if "x_cycle_ratio" not in f:
        return
    known = words.resemblance(f, RATIO_ERROR)
    text = f"reconstructions {known} (x-cycle ratio {f['x_cycle_ratio']:.2f})"
    good = known not in (words.UNRELATED, words.NOT_CLOSER, words.CLASS_ALONE)
    if "class_kept" in f:
        text += f", {100 * f['class_kept']:.0f} % keep the class"
        good = good and f["class_kept"] > 0.5
    yield text, good


def _translations(f):
    for way, name in (("ab", "A to B"), ("ba", "B to A")):
        if f"translation_{way}_ratio" in f:
            error, nothing = f[f"translation_{way}_ratio"], f[f"translation_{way}_identity"]
            # An image as it is may be further from its truth than another's truth, which is 1.
            if nothing > 1 and error > 1 - 3 * RATIO_ERROR:
                yield f"{name}: unrelated to the truth ({error:.2f}; 1 is another image's)", False
                continue
            good = error < nothing
            text = f"{name}: ratio to the truth {error:.2f}, {'not ' * (not good)}below that of no "
            yield f"{text}translation, {nothing:.2f}", good
        elif f"domain_{way}" in f:
            share = f[f"domain_{way}"]
            text = f"{name}: {100 * share:.0f} % are taken for the target"
            # If all translations are one image, they may all be taken for the target.
            lost = f.get(f"cycle_{way}_ratio", 0) > 1 - 3 * RATIO_ERROR
            yield text + ", and do not come back" * lost, share > 0.5 and not lost
