"""How good are the sets? Measures labelled folders and writes the tables of QUALITY.md.

    python benchmarks/quality.py samples path/to/folder ... --out benchmarks/QUALITY.md

Each folder holds one subfolder for each class. The settings are the shipped defaults, whatever
config lies about. What stands below the line `MARK` of an existing file is kept: it is written by
hand. The figures depend on the folders and the version alone; the run takes some minutes.
"""

import argparse
from pathlib import Path

import numpy as np

import imgbatch
from imgbatch.annotations.labels import class_numbers, find_labels
from imgbatch.config import default_config_path
from imgbatch.evaluation.evaluate import evaluate
from imgbatch.evaluation.trials import Setting, TrialImages
from imgbatch.evaluation.tune import halve, load_with_descriptors, tune
from imgbatch.outputs.evaluation import shown

MARK = "<!-- below: written by hand -->"
SHARES = (0.95, 0.85, 0.75, 0.65, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.0)
DEFAULT = imgbatch.load_config(default_config_path()).config


def name_of(folder: str) -> str:
    return Path(folder).resolve().name


def requests(folder: str, sets: int) -> list[str]:
    """Every figure of `imgbatch evaluate`."""
    measured = evaluate(imgbatch.load(folder, config=DEFAULT), sets=sets)
    lines = [
        f"\n### {name_of(folder)}: {measured.images} images, {measured.classes} classes\n",
        "| figure | value | 95% interval | random |",
        "|---|---:|---:|---:|",
    ]
    lines += [
        f"| {figure.name.replace('_', ' ')} | {shown(figure, figure.value)} "
        f"| {shown(figure, figure.low)} to {shown(figure, figure.high)} "
        f"| {shown(figure, figure.random)} |"
        for figure in measured.figures
    ]
    return lines


def presets(folders: list[str], sets: int) -> list[str]:
    """Precision at 10 of single queries and purity of similar sets under each preset."""
    lines = [
        "| folder | preset | precision at 10 | similar purity |",
        "|---|---|---:|---:|",
    ]
    for folder in folders:
        for name in DEFAULT.presets:
            collection = imgbatch.load(folder, config=DEFAULT, emphasis=name)
            figures = {one.name: one for one in evaluate(collection, sets=sets).figures}
            cells = [
                f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})"
                for one in (figures["precision_at_10"], figures["similar_purity"])
            ]
            lines.append(f"| {name_of(folder)} | {name} | {' | '.join(cells)} |")
    return lines


def tuned(folders: list[str], trials: int) -> list[str]:
    """What `imgbatch tune` finds on one half, measured on the other, both ways."""
    lines = [
        "| folder | figure | default | tuned | gain, 95% | weights found on all images |",
        "|---|---|---:|---:|---:|---|",
    ]
    for folder in folders:
        names = list(DEFAULT.weights)
        collection = load_with_descriptors(folder, DEFAULT, names)
        tuning = tune(collection, descriptors=names, trials=trials)
        weights = ", ".join(f"{n} {w:g}" for n, w in tuning.config.weights.items() if w)
        lines += [
            f"| {name_of(folder)} | {gain.name.replace('_', ' ')} | {gain.before:.1%} "
            f"| {gain.after:.1%} | {gain.low * 100:+.1f} to {gain.high * 100:+.1f} | {weights} |"
            for gain in tuning.gains
        ]
    return lines


def parts_of(folders: list[str]) -> dict[str, TrialImages]:
    """Each folder whole, and its two random halves, described by the default's descriptors."""
    parts = {}
    for folder in folders:
        collection = imgbatch.load(folder, config=DEFAULT)
        classes = class_numbers(find_labels(collection.records, collection.folder).names)
        rows = np.arange(len(collection))
        features, hashes = collection.features(rows), collection.projection.hashes
        augmented = collection.augmented()
        for title, chosen in zip(("", " A", " B"), (rows, *halve(classes, 0)), strict=True):
            block = {name: values[chosen] for name, values in features.items()}
            parts[name_of(folder) + title] = TrialImages(
                block, classes[chosen], hashes[chosen], augmented
            )
    return parts


def single_settings(folders: list[str]) -> list[str]:
    """Precision at 10 under each setting of a grid: the same setting for every folder."""
    parts = parts_of(folders)
    names = [name for name, weight in DEFAULT.weights.items() if weight > 0]
    default = Setting.of(DEFAULT, {name: DEFAULT.weights[name] for name in names})
    rest = 1 - default.weights["hsv"] - default.weights["hog"]
    grid = {"default": default} | {
        f"hsv {share:g}": Setting(
            default.weights | {"hsv": (1 - rest) * share, "hog": (1 - rest) * (1 - share)},
            default.components,
            default.power,
        )
        for share in SHARES
    }
    table = np.array([[p.scores(s).mean() * 100 for p in parts.values()] for s in grid.values()])
    means = table.reshape(len(grid), len(folders), 3).mean(axis=(1, 2))  # each folder counts once
    best = int(means.argmax())
    own = table.max(axis=0)
    lines = [
        "| setting | " + " | ".join(parts) + " | mean |",
        "|---|" + "---:|" * (len(parts) + 1),
    ]
    rows = [(name, table[at], means[at]) for at, name in enumerate(grid)]
    rows.append(("default minus best single", table[0] - table[best], means[0] - means[best]))
    rows.append(("default minus each column's own best", table[0] - own, means[0] - own.mean()))
    lines += [
        f"| {name}{' (best single)' if at == best else ''} | "
        + " | ".join(f"{value:.1f}" for value in values)
        + f" | {mean:.1f} |"
        for at, (name, values, mean) in enumerate(rows)
    ]
    worst = max(0.0, float((table[best] - table[0]).max()))
    lines.append(
        f"\nThe best single setting is `{list(grid)[best]}`; the default is "
        f"{means[best] - means[0]:.1f} points below it on average, {worst:.1f} at most."
    )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--out", type=Path, help="write here instead of printing")
    parser.add_argument("--sets", type=int, default=2000, help="requests of each kind")
    parser.add_argument("--trials", type=int, default=150, help="settings that tune tries")
    given = parser.parse_args()
    out = f" --out {given.out.as_posix()}" if given.out else ""
    heading = (
        f"Made by `python benchmarks/quality.py {' '.join(map(name_of, given.folders))}{out}` with "
        f"imgbatch {imgbatch.__version__} and its default settings. What each figure is, and its "
        "source, stands in `imgbatch/evaluation/metrics.py`; intervals are 95%, by bootstrap. "
        "Of the folders, only `samples` is shipped."
    )
    lines = [
        "# Quality",
        "",
        heading,
        "",
        f"## Requests ({given.sets:,} seeds of each kind, sets of ten)",
        *(line for folder in given.folders for line in requests(folder, given.sets)),
        "\n## Presets (500 seeds)\n",
        *presets(given.folders, 500),
        f"\n## Tuned ({given.trials} trials, all descriptors)\n",
        "The search is run on a random half of the images, and what it finds is measured on the",
        "other half alone; both ways. Halves are harder than whole folders: each class has half",
        "the members to find.\n",
        *tuned(given.folders, given.trials),
        "\n## One setting for all folders\n",
        "Precision at 10 (at r for classes of r < 10 others), in percent, of single queries; on",
        "each folder and on its random halves A and B. `hsv x` gives hsv the share x of what hsv",
        "and hog have together; all else is as in the default.\n",
        *single_settings(given.folders),
        "",
    ]
    kept = ""
    if given.out and given.out.is_file():
        kept = given.out.read_text(encoding="utf-8").partition(MARK)[2]
    text = "\n".join(lines) + f"\n{MARK}\n" + (kept.lstrip("\n") and "\n" + kept.lstrip("\n"))
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
