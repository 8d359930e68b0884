"""How what theory says of a run's losses is named and defined."""

from collections.abc import Callable, Iterator

from tauscope.contracts.points import MetricInfo
from tauscope.specs import ExperimentSpec

AlphaBar = Callable[[int], float]
PREFIX = "theory_"
_WHO = {
    "empirical_train": ("exact empirical denoiser, training images", "training images"),
    "empirical_held_out": ("exact empirical denoiser, held-out images", "held-out images"),
    "linear_held_out": ("best linear filter, held-out images", "held-out images"),
}


def theory_infos(spec: ExperimentSpec, alpha_bar: AlphaBar) -> Iterator[MetricInfo]:
    """Every constant of a run that stands beside its losses: at the loss indices, and over all noise levels where they are measured."""
    measurement = spec.measurement
    for index in measurement.loss_indices:
        yield from _at("loss", index, alpha_bar(index), measurement.loss_pairs, spec)
    if (grid := measurement.loss_grid) is not None:
        for index in grid.indices(spec.process):
            yield from _at("grid", index, alpha_bar(index), grid.pairs, spec)


def theory_metrics(name: str, index: int) -> dict[str, str]:
    """The names of the constants beside ``loss`` or ``grid`` at an index, by what they are."""
    return {who: f"{PREFIX}{name}_{who}@{index}" for who in _WHO}


def _at(name: str, index: int, alpha_bar: float, pairs: int, spec: ExperimentSpec) -> Iterator[MetricInfo]:
    where = f"at index {index} (alpha_bar {alpha_bar:.4g})"
    for who, metric in theory_metrics(name, index).items():
        label, images = _WHO[who]
        yield MetricInfo(
            name=metric,
            label=f"{label} {where}",
            unit="squared error of eps per pixel",
            role="control",
            definition=f"{_answer(who, spec)} On the {pairs:,} fixed pairs of noise and {images} {where}; 95 % interval over pairs.",
            log_scale=True,
            index=index,
            alpha_bar=alpha_bar,
        )


def _answer(who: str, spec: ExperimentSpec) -> str:
    if who == "linear_held_out":
        return (
            "Mean squared error of the predicted noise of the filter that scales each Fourier coefficient by itself and is best for "
            f"the {spec.dataset.n_held_out:,} held-out images."
        )
    told = "" if spec.network.classes is None else " of the label that is told"
    return (
        f"Mean squared error of the predicted noise where x_0 is the mean over the {spec.dataset.n_train:,} training images{told}, each "
        "weighed by its likelihood given x_t: no network has a smaller expected training loss."
    )
