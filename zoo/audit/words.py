"""Verdicts of an audit. Every sentence gives its evidence and claims no more."""

import math

UNRELATED = "are unrelated to their images"
NOT_CLOSER = "are not closer than another image of the class"
CLASS_ALONE = (
    "are closer to their images than another image of the class, but not than the mean of the "
    "class: they may show the class alone"
)


def verdicts(figures: dict) -> list[str]:
    """One sentence for each part of an audit that was measured.

    Args:
        figures: as from `zoo.audit.audit`.
    """
    found = (part(figures) for part in PARTS)
    return [sentence for sentence in found if sentence]


def _judged(f):
    capacities = sorted(int(k.split("_")[1]) for k in f if k.endswith("_accuracy_se"))
    if not capacities:
        return ""
    cells = [
        "{:.1f} ± {:.1f} % (p = {})".format(
            100 * f[f"judge_{p}_accuracy"], 100 * f[f"judge_{p}_accuracy_se"], p
        )
        for p in capacities
    ]
    blind = [p for p in capacities if not _above(f, p)]
    # Above 0.5 by more than chance, but only slightly.
    tell = "tell" if max(f[f"judge_{p}_accuracy"] for p in capacities) > 0.6 else "hardly tell"
    seen = "cannot tell" if len(blind) == len(capacities) else tell
    able = [p for p in capacities if _above(f, p)]
    if blind and able and max(blind) < min(able):
        seen = f"of {max(blind)} parameters cannot tell, larger ones {tell}"
    return (
        f"discriminators: fresh ones {seen} (x, E(x)) from (G(z), z): held-out accuracy "
        f"{', '.join(cells)}; chance 50 %"
    )


def _above(f, p):
    return f[f"judge_{p}_accuracy"] - 0.5 > 2 * f[f"judge_{p}_accuracy_se"]


def resemblance(f: dict, ratio_error: float) -> str:
    """How reconstructions relate to their images, after "reconstructions".

    Args:
        f: figures as from `zoo.audit.audit` or `zoo.metrics.evaluate`, of a game with an encoder.
        ratio_error: standard error of x_cycle_ratio.
    """
    if f["x_cycle_ratio"] > 1 - 3 * ratio_error:
        return UNRELATED
    if "x_cycle_same_class" not in f:
        return "are closer to their images than to others"
    if f["x_cycle"] < f["x_cycle_class_mean"]:
        return "resemble their images: they are closer than another image of the class"
    return CLASS_ALONE if f["x_cycle"] < f["x_cycle_same_class"] else NOT_CLOSER


def _cycles(f):
    if "x_cycle_ratio" not in f:
        return ""
    ratio, known = f["x_cycle_ratio"], resemblance(f, f["x_cycle_ratio_se"])
    if "x_cycle_same_class" in f and known != UNRELATED:
        known += (
            f" (L2 {f['x_cycle']:.2f} against {f['x_cycle_same_class']:.2f}; the mean image of the "
            f"class {f['x_cycle_class_mean']:.2f})"
        )
    exact = ", bit for bit" if f["z_cycle_largest"] == 0 else ""
    codes, read = "come back in part", ""
    if "z_cycle_r2" in f:
        codes = codes if f["z_cycle_r2"] > 0.1 else "hardly come back"
        read = f", R² {f['z_cycle_r2']:.2f}"
    if f["z_cycle_ratio"] > 0.98:
        linear = f.get("z_cycle_r2", 0) > 0.1
        codes = "come back only through a linear map" if linear else "do not come back"
    if f["z_cycle_ratio"] < 0.05:
        codes = "come back"
    return (
        f"cycles: reconstructions {known}, x-cycle ratio {ratio:.2f} (1 is another image's "
        f"distance); codes {codes} from samples{exact} "
        f"(z-cycle ratio {f['z_cycle_ratio']:.2f}{read})"
    )


def _kept(f):
    if "class_kept" not in f:
        return ""
    lost = ", ".join(f["class_kept_collapsed"])
    collapsed = f"collapsed (less than 5 %): {lost}" if lost else "no class is below 5 %"
    return (
        f"classes: {100 * f['class_kept']:.1f} % of reconstructions have the class of their image, "
        f"by {f['space']} (largest class {100 * f['class_kept_chance']:.1f} %; real images with "
        f"their label {100 * f['class_kept_real']:.1f} %); {collapsed}"
    )


def _law(f):
    if "ks_p" not in f:
        return ""
    from zoo.audit.measures import KERNEL

    n = f"{f['n_test']:.0f} codes"
    if f["n_test"] > KERNEL:
        n += f" (MMD: {KERNEL})"
    fails = []
    if f["ks_rejected"]:
        fails.append(f"{f['ks_rejected']:.0f} of {f['ks_total']:.0f} coordinates (KS)")
    if f["mmd"] > f["mmd_null_95"]:
        fails.append("the kernel test (MMD)")
    evidence = (
        f"smallest corrected p-value {f['ks_p']:.2g}, MMD² {f['mmd']:.5f} against "
        f"{f['mmd_null_95']:.5f} for 95 % of prior draws"
    )
    if fails:
        return f"codes: not distributed as the prior, by {' and '.join(fails)} on {n}: {evidence}"
    return f"codes: indistinguishable from the prior by KS and MMD on {n}: {evidence}"


def _class(f):
    if "chance" not in f:
        return ""
    best = max(("knn", "probe", "mlp"), key=lambda probe: f[f"{probe}_code"])
    name = {"knn": "1-NN", "probe": "logistic regression", "mlp": "a small network"}[best]
    accuracy, chance = f[f"{best}_code"], f["chance"]
    error = math.sqrt(chance * (1 - chance) / f["n_test"])
    nats = max(0.0, f["label_information_linear"], f["label_information_mlp"])
    evidence = (
        f"at best {100 * accuracy:.1f} % ({name}), chance {100 * chance:.1f} %, raw pixels "
        f"{100 * max(f['knn_pixels'], f['probe_pixels']):.1f} %; at least {nats:.2f} of "
        f"{f['label_entropy']:.2f} nats"
    )
    # Three probes are tried: three standard errors keep a lucky one from counting as information.
    if accuracy - chance < 3 * error:
        return f"meaning: no class information was found in the codes: {evidence}"
    return f"meaning: codes know the class: {evidence}"


def _image(f):
    if "image_information" not in f:
        return ""
    found, null = f["image_information"], f["image_information_mismatched"]
    # With few examples the codes of other images have less than nothing, by over-fitting.
    if found < 3 * max(null, 0) + 0.01:
        return f"image: none of it can be read off the code linearly ({found:.3f} nats found)"
    return (
        f"image: its {f['components']:.0f} leading components can be read off the code linearly, "
        f"{found:.1f} nats in sum ({null:.2f} for the codes of other images)"
    )


def _modes(f):
    if "modes" not in f:
        return ""
    return (
        f"samples: {f['modes']:.0f} of {f['modes_total']:.0f} modes captured, "
        f"{100 * f['high_quality']:.1f} % of samples within 3 standard deviations of one, reverse "
        f"KL of mode frequencies {f['reverse_kl']:.2f} nats"
    )


def _support(f):
    if "birthday" not in f:
        return ""
    seen, bound = f["birthday"], f.get("support_at_most", math.inf)
    # A bound below the number of classes found counts similar samples as duplicates.
    if bound < f.get("classes", 0):
        seen = (
            f"no usable bound: the birthday test's would be about {bound:.0f}, and samples of "
            f"{f['classes']:.0f} classes were found; to its distance, blurred or odd samples are "
            "all alike"
        )
    return f"support, by {f['support_space']}: {seen}"


def _samples(f):
    if "classes_total" not in f:
        return ""
    return (
        f"samples, by {f['space']}: {f['classes']:.0f} of {f['classes_total']:.0f} classes have "
        f"3 % or more, {100 * f['unsure']:.1f} % have no clear class (real examples "
        f"{100 * f['unsure_real']:.1f} %), {100 * f['less_clear']:.1f} % are less clear than 99 % "
        f"of real examples; precision {f['precision']:.2f}, recall {f['recall']:.2f} (real "
        f"{f['precision_real']:.2f} and {f['recall_real']:.2f}); Fréchet distance "
        f"{f['frechet']:.1f} (real {f['frechet_real']:.1f})"
    )


PARTS = (_judged, _cycles, _kept, _law, _class, _image, _support, _samples, _modes)
