"""How the error by frequency and by principal component, and the losses over all noise levels, are named, defined and drawn."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from tauscope.contracts.points import MetricInfo
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.spectrum import FACTOR, SpectrumSpec

AlphaBar = Callable[[int], float]
_SETS = {
    "held_out": "held-out images",
    "train": "training images",
    "linear": "best linear filter",
    "ratio": "held-out images, over that of the best linear filter",
}
_GRID = {
    "train": ("training loss", "Mean squared error of the predicted noise of training images"),
    "held_out": ("held-out loss", "Mean squared error of the predicted noise of held-out images"),
    "gap": ("relative loss gap", "(held-out loss - training loss) / held-out loss"),
}


def spectrum_infos(spec: ImageDdpmSpec, alpha_bar: AlphaBar) -> list[MetricInfo]:
    """Every metric that ``measurement.spectrum`` may add; a group of components that training images do not have gets no points."""
    asked = spec.measurement.spectrum
    if asked is None:
        return []
    parts = {"band": _bands(asked, spec.dataset.size), "pc": _groups(asked, spec.dataset.n_train)}
    return [
        _error(spec, asked.index, alpha_bar(asked.index), f"error_{part}_{name}@{asked.index}:{k}", name, words)
        for part, named in parts.items()
        for name in _SETS
        for k, words in named.items()
        if k < asked.components or part == "band" or name == "held_out"  # Outside their span training images have no energy to err in.
    ]


def grid_infos(spec: ImageDdpmSpec, alpha_bar: AlphaBar) -> list[MetricInfo]:
    """Every metric that ``measurement.loss_grid`` adds."""
    asked = spec.measurement.loss_grid
    return [] if asked is None else [info for i in asked.indices(spec.process) for info in _grid_of(i, alpha_bar(i), asked.pairs)]


def _grid_of(index: int, alpha_bar: float, pairs: int) -> Iterator[MetricInfo]:
    for name, (label, definition) in _GRID.items():
        yield MetricInfo(
            name=f"grid_{name}@{index}",
            label=f"{label} at index {index} (alpha_bar {alpha_bar:.4g})",
            unit="share of the held-out loss" if name == "gap" else "squared error of eps per pixel",
            role="loss",
            definition=f"{definition} on {pairs:,} fixed pairs of image and noise at index {index}; 95 % interval over pairs.",
            log_scale=name != "gap",
            index=index,
            alpha_bar=alpha_bar,
        )


def _bands(asked: SpectrumSpec, size: int) -> dict[int, str]:
    ends = [f"{end:.2g}" if end < 10 else f"{end:.0f}" for end in asked.edges(size)]
    inner = {k: f"over {low} to {high} cycles per image" for k, (low, high) in enumerate(pairwise(ends), start=1)}
    return {0: "up to 1 cycle per image", **inner, len(ends) - 1: f"over {ends[-2]} cycles per image"}


def _groups(asked: SpectrumSpec, n_train: int) -> dict[int, str]:
    firsts = [1 if k == 0 else FACTOR**k + 1 for k in range(asked.components)]
    lasts = [min(FACTOR ** (k + 1), n_train - 1) for k in range(asked.components - 1)]
    known = {k: f"components {first} to {last}" for k, (first, last) in enumerate(zip(firsts, lasts, strict=False)) if first < n_train}
    if firsts[-1] < n_train:
        known[asked.components - 1] = f"components from {firsts[-1]} on"
    return {**known, asked.components: "outside the span of the training images"}


def _error(spec: ImageDdpmSpec, index: int, alpha_bar: float, metric: str, name: str, words: str) -> MetricInfo:
    where = f"at index {index} (alpha_bar {alpha_bar:.3f})"
    if name == "ratio":
        definition = (
            f"|x0_hat - x0|^2 over that of the filter that scales each coefficient by itself and is best for the "
            f"{spec.dataset.n_held_out:,} held-out images, {words}, on the same {spec.measurement.loss_pairs:,} pairs of held-out "
            f"image and noise {where}; 95 % jackknife interval over pairs, in which what both owe to the choice of pairs drops out."
        )
    elif name == "linear":
        definition = (
            f"What the filter that scales each coefficient by itself and is best for the {spec.dataset.n_held_out:,} held-out images "
            f"leaves of their energy, {words}, {where}: sum of l s / (l + s) over sum of l, with l the mean energy of a coefficient about "
            "the mean training image and s = (1 - alpha_bar) / alpha_bar. Computed, not sampled: it has no interval."
        )
    else:
        definition = (
            f"|x0_hat - x0|^2 over the energy of x0 about the mean training image, {words}, of {spec.measurement.loss_pairs:,} fixed pairs "
            f"of image and noise of the {_SETS[name]} {where}; 95 % jackknife interval over pairs."
        )
    return MetricInfo(
        name=metric,
        label=f"{words}: error, {_SETS[name]} {where}",
        unit="1: as the filter" if name == "ratio" else "share of the images' energy there; 1: knows the mean alone",
        role="control" if name == "linear" else "loss",
        control=metric.replace("held_out", "linear") if name == "held_out" and "outside" not in words else None,
        definition=definition,
        log_scale=True,
        index=index,
        alpha_bar=alpha_bar,
    )
