"""The section Limits of a card, and its first lines if a preset falls short."""

from zoo.presets import facts
from zoo.presets import tables
from zoo.presets.figures import joined

_FEW = 1 / 3  # of the recall of real images


def lacking(audit: dict) -> list[str]:
    """Classes with less than 3 % of samples, by the shipped classifier, as "Bag (0.4 %)"."""
    from zoo.metrics.coverage import SHARE

    counts = audit.get("class_counts") or []
    names = audit.get("class_names") or range(len(counts))
    shares = [count / max(sum(counts), 1) for count in counts]
    return [f"{name} ({100 * s:.1f} %)" for name, s in zip(names, shares) if s < SHARE]


def first(metrics: dict, audit: dict) -> str:
    """The first warning: a class is missing, few images are known, or translations do harm."""
    missing, words = lacking(audit), ""
    for way, name in (("ab", "A → B"), ("ba", "B → A")):
        ours, without = (metrics.get(f"translation_{way}_{of}") for of in ("ratio", "identity"))
        if ours is not None and not ours < without:
            words += (
                f"**No better by ratio than no translation:** {name} {ours:.2f}, untranslated "
                f"{without:.2f}. "
            )
    if missing:
        words += f"**Collapsed:** its samples lack {', '.join(missing)}. "
    recall, real = audit.get("recall"), audit.get("recall_real")
    if recall is not None and recall < _FEW * real:
        words += f"**Knows few images:** recall {recall:.2f}, real {real:.2f}. "
    return words


def behind(config: dict, metrics: dict, audit: dict) -> str:
    """The sentence below the first line if a published figure is not reached, or nothing."""
    short = tables.shortfalls(config, metrics, audit)
    return f"**Falls short of published figures:** {'; '.join(short)}." if short else ""


def sentences(config: dict, metrics: dict, audit: dict):
    """The paragraphs under Limits."""
    from zoo.audit import words

    if audit:
        yield "Verdicts of the audit on codes, samples and support:"
        yield "\n".join(f"- {sentence}" for sentence in words.verdicts(audit))
    else:
        yield (
            "The audit, which compares codes and samples with one set, does not apply to two. The "
            "error there and back says nothing of the translation, which may exchange images."
        )
    yield _untrained(config, metrics, audit)
    yield (
        "Grey images of 28 × 28 pixels, one seed: differences of a point or two between presets "
        "mean nothing."
        if config["arguments"]["image_shape"] == [28, 28, 1]
        else "One seed."
    ) + f" {_selected(config, metrics)}"


def _untrained(config, metrics, audit):
    """Sentences on accuracies that training lowered: that of the untrained encoder is higher."""
    if config["training"].get("built"):
        return ""
    parts = {f"{metrics['n_test']:,.0f} test images": joined(metrics, audit)}
    if whole := metrics.get("all_test"):
        parts[f"all {whole['n_test']:,.0f}"] = whole
    said = []
    for label, key in (("codes", "knn_code"), ("the encoder's last hidden layer", "knn_features")):
        worse = [
            f"{100 * found[key]:.1f} % against {100 * found[f'{key}_random']:.1f} % on {where}"
            for where, found in parts.items()
            if key in found and found[key] < found[f"{key}_random"]
        ]
        if worse:
            said.append(
                f"1-NN on {label} knows the class less often than before any training: "
                f"{', '.join(worse)}."
            )
    return " ".join(said)


def _selected(config, metrics):
    """The data used for each choice, as far as it is recorded."""
    training, source = config["training"], metrics["measured_on"]["small"]
    split = training.get("train_split")
    if not split:
        return "The training data were not recorded, nor whether anything was selected."
    made = "Built from" if training.get("built") else "Trained on"
    text = (
        f"{made} `{split}` of `{config['settings']['dataset']}`"
        + (f" and `{other}`" if (other := source.get("other")) else "")
        + f", measured on `{source.get('test_split', 'test')}` of "
        + (f"`{source['name']}` and `{other}`" if other else f"`{source['name']}`")
    )
    # The trainers always write the game after the last step.
    last = "the weights are those of the last step"
    last = last if facts.chosen(config) else f"no checkpoint was chosen: {last}"
    return text + f"; {last}" * ("epochs" in training) + "."
