"""`report.md`: one page on the results and their limits."""

from trainers.counterexample.pairs import HELD_OUT
from trainers.experiments import planning
from trainers.experiments import sections
from zoo.audit import verdicts
from zoo.cli import commands


def text(rows: list, found: dict, plan, args, argv: list | None, minutes: float) -> str:
    """The page, in Markdown.

    Args:
        rows: cells, as from `judging.run`.
        found: figures of `zoo.audit.audit` and of `evidence`, for m = plan.control.
        plan: the `Plan`.
        args, argv: flags and command line.
        minutes: this command took, resumed cells not counted.
    """
    typed = commands.typed("trainers.counterexample", argv)
    parts = [
        f"# The counterexample on {args.dataset}",
        f"{planning.made_by(typed, sections.seeds(args, plan), rows, minutes)} "
        "Method: Arora, Risteski, Zhang 2017, arXiv:1711.02651. "
        "Clean images follow the uniform law on the training images; noise and codes are fresh.",
        f"Every image x has {args.latent_dim} pixels that are overwritten by independent N(0, 1) "
        "noise. The encoder E returns these pixels. The generator G stores m training images: a "
        f"code z selects one of them, and G overwrites its {args.latent_dim} pixels with z. So "
        "E(G(z)) = z exactly, and E(x) has no information about the rest of x. The paper proves "
        "that for every p and ε there is such a pair, with m of the order of p log²(p/ε) / ε², "
        "for which E φ(D(x, E(x))) and E φ(D(G(z), z)) differ by at most ε for all discriminators "
        "with fewer than p parameters (and Lipschitz in them).",
        "## Accuracy of fresh discriminators",
        *sections.tables(
            rows,
            "Held-out accuracy on (x, E(x)) against (G(z), z), of new discriminators of p "
            "parameters that are fitted to this fixed pair; ½ is nothing. ± is one standard error. "
            "Controls: *two real streams* are both (x, E(x)); *no overwrite* is G without its last "
            "step; *random encoder* is a random linear map in place of E.",
            "Clean images held out: real pairs show images that are not stored, one half of them "
            "to fit a discriminator, the other to judge it."
            if HELD_OUT in plan.contrasts
            else "",
            "E log D + E log(1 − D) + 2 log 2 on the same pairs, nats: 0 is BiGAN's optimum. Below "
            "0 the judge is overconfident, which happens if there is nothing to see.",
            "The same with φ(t) = t, the Wasserstein form, E D(x, E(x)) − E D(G(z), z) with the "
            "same D in (0, 1): 0 is the optimum, 1 the most.",
        ),
        f"## Properties of the pair, for m = {plan.control:,}",
        "\n".join(f"- {sentence}" for sentence in verdicts(found)),
        _exactness(found),
        "![a noised image, its code and its reconstruction](pair.png)",
        "## Not shown",
        "- The bound of the theorem, whose constant is not known. Taken as 1, with Δ = 1 and "
        "L·L_φ = 10, ε = 0.3 asks for m of about 15,900 at p = 30 and 73,000 at p = 100. The "
        "measurement covers the mechanism and how it scales.\n"
        "- That training finds such a pair. It was built, not learned; trained BiGANs reconstruct "
        "in part.\n"
        "- Anything about discriminators of another kind, or trained longer: each accuracy is of "
        "the judges named, with the pairs they were given.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _exactness(found):
    return (
        f"- exactly: max |E(G(z)) − z| = {found['z_cycle_largest']:g}, "
        f"max |G(E(G(z))) − G(z)| = {found['sample_cycle_largest']:g}; an informed discriminator "
        f"sees ‖E(x) − z‖ = {found['informed_encoded']:g} on real and "
        f"{found['informed_generated']:g} on generated pairs; {found['memorised']:.1%} of samples "
        f"are training images off the noise pixels, {found['stored_seen']:.0f} different ones."
    )
