"""Train the same models with random, diverse and diverse balanced batches, and compare.

    python benchmarks/training.py FOLDER ...     a subfolder for each class

Softmax regression and a small perceptron on the folder's points, in NumPy, and, if torch is
installed and the folder small, a convolutional network on 32x32 pictures. Equal seeds mean equal
starting weights. A fifth of every class's images is held out. Intervals are 95% t-intervals of the
mean, of differences to random batches with the same seed. Writes TRAINING.md and training.png;
needs matplotlib (extra `bench`).
"""

import argparse
import importlib.util
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is loaded

import numpy as np
from scipy import stats

import imgbatch
from imgbatch.batches.deal import deal_batches
from imgbatch.batches.population import DealOptions, Population
from imgbatch.batches.tally import random_batches

MODES = ("random", "diverse", "balanced")
MOMENTUM = 0.9
HIDDEN = 256
CHECKS = 8  # held-out measurements an epoch
SLACK = 1.03  # the loss to reach: this much above the best of random batches' mean curve


@dataclass
class Data:
    """Points scaled to unit variance, classes, and which images train."""

    points: np.ndarray
    labels: np.ndarray
    hashes: np.ndarray
    train: np.ndarray
    test: np.ndarray
    paths: list[str] = field(default_factory=list)


def read(folder: Path) -> Data:
    photos = imgbatch.load(folder)
    labels = np.unique([one.label for one in photos.records], return_inverse=True)[1]
    held_out = np.zeros(len(labels), bool)
    rng = np.random.default_rng(0)
    for label in range(labels.max() + 1):
        rows = rng.permutation(np.flatnonzero(labels == label))
        held_out[rows[: max(1, len(rows) // 5)]] = True
    points = np.array(photos.points)
    points /= points.std()
    train, test = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    return Data(points, labels, photos.projection.hashes, train, test, photos.paths)


class Dealer:
    """Batches of each mode; dealt once and kept."""

    def __init__(self, data: Data) -> None:
        rows = data.train
        self.population = Population(data.points[rows], data.hashes[rows], data.labels[rows])
        self.kept: dict[tuple, list[np.ndarray]] = {}

    def __call__(self, mode: str, size: int, seed: int, epoch: int) -> list[np.ndarray]:
        """An epoch's batches, of places in `data.train`."""
        key = (mode, size, seed, epoch)
        if key not in self.kept:
            if mode == "random":
                dealt = random_batches(len(self.population.points), size, seed, epoch)
            else:
                options = DealOptions(size, seed, epoch, balance=mode == "balanced")
                dealt = deal_batches(self.population, options)
            self.kept[key] = dealt
        return self.kept[key]


class Perceptron:
    """Softmax regression, or with one hidden layer of ReLUs, by SGD with momentum."""

    def __init__(self, data: Data, hidden: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        widths = [data.points.shape[1], *([hidden] if hidden else []), data.labels.max() + 1]
        self.weights = [
            (rng.normal(size=(a, b)) * np.sqrt((2 if hidden else 0) / a)).astype(np.float32)
            for a, b in pairwise(widths)
        ] + [np.zeros(b, np.float32) for b in widths[1:]]
        self.speed = [np.zeros_like(w) for w in self.weights]
        self.x, self.y = data.points[data.train], data.labels[data.train]
        self.held = data.points[data.test], data.labels[data.test]

    def forward(self, x: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """The inputs of each layer, and the probability of each class."""
        layers = len(self.weights) // 2
        inputs = [x]
        for i in range(layers):
            z = inputs[-1] @ self.weights[i] + self.weights[layers + i]
            if i < layers - 1:
                inputs.append(np.maximum(z, 0))
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        return inputs, p / p.sum(axis=1, keepdims=True)

    def gradient(self, rows: np.ndarray) -> list[np.ndarray]:
        """Of the mean loss of these rows, by parameter."""
        inputs, error = self.forward(self.x[rows])
        error[np.arange(len(rows)), self.y[rows]] -= 1
        error /= len(rows)
        layers = len(inputs)
        weights, biases = [None] * layers, [None] * layers
        for i in reversed(range(layers)):
            weights[i], biases[i] = inputs[i].T @ error, error.sum(axis=0)
            if i:
                error = (error @ self.weights[i].T) * (inputs[i] > 0)
        return [*weights, *biases]

    def step(self, rows: np.ndarray, rate: float) -> None:
        """One step of SGD with momentum on these rows."""
        for i, gradient in enumerate(self.gradient(rows)):
            self.speed[i] = MOMENTUM * self.speed[i] - rate * gradient
            self.weights[i] += self.speed[i]

    def measure(self) -> tuple[float, float]:
        """Held-out loss and accuracy."""
        p = self.forward(self.held[0])[1]
        own = p[np.arange(len(p)), self.held[1]]
        return float(-np.log(own + 1e-9).mean()), float((p.argmax(1) == self.held[1]).mean())


class ConvNet:
    """Three convolutions on 32x32 pictures, in torch, behind the same methods."""

    def __init__(self, data: Data, views: np.ndarray, seed: int) -> None:
        import torch
        from torch import nn

        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self.torch, classes = torch, int(data.labels.max()) + 1
        x = torch.from_numpy(views)
        y = torch.from_numpy(data.labels)
        self.x, self.y = x[data.train], y[data.train]
        self.held = x[data.test], y[data.test]
        layers = []
        for a, b in ((3, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 16, classes))
        self.loss = nn.CrossEntropyLoss()
        self.descent = None

    def step(self, rows: np.ndarray, rate: float) -> None:
        """One step of SGD with momentum on these rows."""
        if self.descent is None:
            self.descent = self.torch.optim.SGD(self.net.parameters(), rate, momentum=MOMENTUM)
        self.descent.zero_grad()
        self.loss(self.net(self.x[rows]), self.y[rows]).backward()
        self.descent.step()

    def gradient(self, rows: np.ndarray) -> list[np.ndarray]:
        """Of the mean loss of these rows, by parameter."""
        self.net.zero_grad()
        self.loss(self.net(self.x[rows]), self.y[rows]).backward()
        return [one.grad.numpy().copy() for one in self.net.parameters()]

    def measure(self) -> tuple[float, float]:
        """Held-out loss and accuracy."""
        with self.torch.no_grad():
            out = self.net(self.held[0])
            right = (out.argmax(1) == self.held[1]).float().mean()
            return float(self.loss(out, self.held[1])), float(right)


def small_pictures(data: Data) -> np.ndarray:
    import cv2

    views = np.empty((len(data.paths), 3, 32, 32), np.float32)
    for row, path in enumerate(data.paths):
        small = cv2.resize(cv2.imread(path), (32, 32), interpolation=cv2.INTER_AREA)
        views[row] = small.transpose(2, 0, 1)
    return (views - views.mean()) / views.std()


def flat(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([one.ravel() for one in arrays])


def gradient_variance(model, batches: list[np.ndarray]) -> float:
    """Mean squared distance of full batches' gradients from their mean."""
    total, squares, count = 0.0, 0.0, 0
    for rows in batches:
        if len(rows) == len(batches[0]):
            gradient = flat(model.gradient(rows)).astype(np.float64)
            total, squares, count = total + gradient, squares + gradient @ gradient, count + 1
    return float(squares / count - (total / count) @ (total / count))


@dataclass
class Run:
    """One training: held-out loss and accuracy at each check, gradient variances by mode."""

    steps: list[int]
    losses: list[float]
    accuracy: float
    variances: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Plan:
    """How to train."""

    size: int
    rate: float
    epochs: int


def train(model, dealer: Dealer, mode: str, seed: int, plan: Plan) -> Run:
    size, rate, epochs = plan.size, plan.rate, plan.epochs
    steps, losses, taken, accuracy = [], [], 0, 0.0
    variances = {}
    for epoch in range(epochs):
        if mode == "random" and epoch in (0, epochs - 1):  # all modes at the same two points
            for other in MODES:
                found = gradient_variance(model, dealer(other, size, seed, epoch))
                variances[other] = (*variances.get(other, ()), found)
        batches = dealer(mode, size, seed, epoch)
        marks = {len(batches) * (i + 1) // CHECKS for i in range(CHECKS)}
        for number, rows in enumerate(batches, start=1):
            model.step(rows, rate)
            taken += 1
            if number in marks:
                loss, accuracy = model.measure()
                steps.append(taken)
                losses.append(loss)
    return Run(steps, losses, accuracy, variances)


def interval(values: np.ndarray) -> tuple[float, float]:
    """Mean and half the width of its 95% t-interval."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(half)


def steps_to(run: Run, loss: float) -> float:
    """The first check at which the loss was reached, in steps; the last one if never."""
    return next(
        (s for s, own in zip(run.steps, run.losses, strict=True) if own <= loss), run.steps[-1]
    )


def compare(runs: dict[str, list[Run]]) -> list[str]:
    """The cells of one table row: variances, steps saved, accuracy gained."""
    mean_random = np.mean([run.losses for run in runs["random"]], axis=0)
    goal = float(mean_random.min()) * SLACK
    cells = []
    for mode in MODES[1:]:
        for point in (0, 1):
            values = np.array(
                [
                    run.variances[mode][point] / run.variances["random"][point]
                    for run in runs["random"]
                ]
            )
            cells.append("{:.3f} +- {:.3f}".format(*interval(values)))
    base = np.array([steps_to(run, goal) for run in runs["random"]])
    cells.append(f"{base.mean():.0f}")
    for mode in MODES[1:]:
        own = np.array([steps_to(run, goal) for run in runs[mode]])
        mean, half = interval(own - base)
        cells.append(f"{100 * mean / base.mean():+.1f}% +- {100 * half / base.mean():.1f}")
    accuracies = np.array([[100 * run.accuracy for run in runs[mode]] for mode in MODES])
    cells.append(f"{accuracies[0].mean():.2f}")
    cells += ["{:+.2f} +- {:.2f}".format(*interval(accuracies[i] - accuracies[0])) for i in (1, 2)]
    return cells


HEADS = (
    "model, B, rate",
    "gradient variance: diverse, start", "end", "balanced, start", "end",
    "steps to loss: random", "diverse", "balanced",
    "accuracy %: random", "diverse", "balanced",
)  # fmt: skip


def plot(panels: list[tuple[str, "Panels"]], target: Path) -> None:
    """A row of held-out losses for each data set, a column for each model."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shape = len(panels), max(len(row) for _, row in panels)
    figure, axes = plt.subplots(*shape, figsize=(3.8 * shape[1], 3 * shape[0]), squeeze=False)
    for line, (name, row) in zip(axes, panels, strict=True):
        for axis in line[len(row) :]:
            axis.set_axis_off()
        for axis, (title, runs) in zip(line, row, strict=False):
            for mode, color in zip(MODES, ("#888888", "#d9480f", "#1864ab"), strict=True):
                losses = np.array([run.losses for run in runs[mode]])
                steps, mean = runs[mode][0].steps, losses.mean(axis=0)
                half = stats.t.ppf(0.975, len(losses) - 1) * stats.sem(losses, axis=0)
                axis.plot(steps, mean, color=color, label=mode, linewidth=1.2)
                axis.fill_between(steps, mean - half, mean + half, color=color, alpha=0.2, lw=0)
            axis.set_title(title, fontsize=9)
            axis.set_xlabel("steps")
            axis.set_yscale("log")
        line[0].set_ylabel(f"{name}: held-out loss", fontsize=9)
    axes[0][0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(target, dpi=90)


def report(sections: list[str], options: argparse.Namespace) -> str:
    lines = [
        "# Does training gain from diverse batches?",
        "",
        f"By `benchmarks/training.py`: {options.seeds} seeds, {options.epochs} epochs,",
        f"{options.conv_epochs} of the convolutional network (`convolutions`).",
        "Intervals are 95% t-intervals; differences are paired by seed. Gradient variance: mean",
        "squared distance of a batch's gradient from the batches' mean, in proportion to random",
        "batches at the same weights, at the start and in the last epoch of random training. Steps",
        f"to loss: until held-out loss is {SLACK} times the least of random batches' mean curve,",
        f"looked at {CHECKS} times an epoch; differences in proportion to random ones.",
        "",
        *sections,
        "![Held-out loss over steps](training.png)",
        "",
    ]
    return "\n".join(lines)


def section(name: str, data: Data, rows: list[list[str]]) -> str:
    classes = data.labels.max() + 1
    lines = [
        f"**{name}**: {classes} classes, {len(data.train):,} images, {len(data.test):,} held out",
        "",
        "| " + " | ".join(HEADS) + " |",
        "| --- " + "| ---: " * (len(HEADS) - 1) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]
    return "\n".join(lines)


Panels = list[tuple[str, dict[str, list[Run]]]]


def study(data: Data, options: argparse.Namespace) -> tuple[list[list[str]], Panels]:
    """All models on one data set: the rows of its table, and the runs to plot."""
    dealer = Dealer(data)
    rows, panels = [], []

    def compare_modes(title: str, make: Callable, plan: Plan) -> None:
        start = time.perf_counter()
        runs = {
            mode: [train(make(seed), dealer, mode, seed, plan) for seed in range(options.seeds)]
            for mode in MODES
        }
        rows.append([f"{title}, {plan.size}, {plan.rate}", *compare(runs)])
        print(" | ".join(rows[-1]), f"({time.perf_counter() - start:.0f} s)", flush=True)
        if plan.size == options.sizes[0] and plan.rate == options.rates[-1]:
            panels.append((f"{title}, B = {plan.size}, rate {plan.rate}", runs))

    for title, hidden in (("softmax", 0), ("perceptron", HIDDEN)):
        for size in options.sizes:
            for rate in options.rates:
                plan = Plan(size, rate, options.epochs)
                compare_modes(title, lambda s, h=hidden: Perceptron(data, h, s), plan)
    if importlib.util.find_spec("torch") is None or len(data.train) > options.conv_most:
        print("no torch, or too many images: the convolutional network is left out")
    else:
        views = small_pictures(data)
        plan = Plan(options.sizes[0], options.rates[-1], options.conv_epochs)
        compare_modes("convolutions", lambda s: ConvNet(data, views, s), plan)
    return rows, panels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, default=Path("benchmarks"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--conv-epochs", type=int, default=6)
    parser.add_argument("--conv-most", type=int, default=2000, help="images it is trained on")
    parser.add_argument("--sizes", nargs="+", type=int, default=[16, 64])
    parser.add_argument("--rates", nargs="+", type=float, default=[0.003, 0.01])
    options = parser.parse_args()
    sections, panels = [], []
    for folder in options.folders:
        data = read(folder)
        rows, runs = study(data, options)
        sections.append(section(folder.name, data, rows))
        panels.append((folder.name, runs))
    plot(panels, options.output / "training.png")
    (options.output / "TRAINING.md").write_text(report(sections, options), encoding="utf-8")


if __name__ == "__main__":
    main()
