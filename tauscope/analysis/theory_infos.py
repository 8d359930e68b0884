"""How what theory says of a denoiser's losses is named and defined."""

from collections.abc import Iterable, Iterator

from tauscope.analysis.denoiser_infos import alpha_bar
from tauscope.contracts.points import MetricInfo
from tauscope.specs import DenoiserSpec, ImageDdpmSpec

PREFIX = "theory_"
_SETS = {"train": "training", "held_out": "held-out"}
_WHO = {"empirical": "exact empirical denoiser", "population": "population's denoiser", "linear": "best linear filter"}


def theory_infos(spec: DenoiserSpec, *, who: Iterable[str] = ("empirical",)) -> Iterator[MetricInfo]:
    """The constants of a run beside its losses.

    Args:
        spec: the run.
        who: whose losses they are: ``empirical``, ``population``, ``linear`` (of held-out points alone).
    """
    chosen = tuple(who)
    for index in spec.loss_indices:
        yield from _at(spec, "loss", index, spec.measurement.loss_pairs, chosen)


def image_theory_infos(spec: ImageDdpmSpec) -> Iterator[MetricInfo]:
    """Those of an image run, over all noise levels too where its losses are measured there."""
    yield from theory_infos(spec, who=("empirical", "linear"))
    if (grid := spec.measurement.loss_grid) is not None:
        for index in grid.indices(spec.process):
            yield from _at(spec, "grid", index, grid.pairs, ("empirical", "linear"))


def _at(spec: DenoiserSpec, name: str, index: int, pairs: int, chosen: tuple[str, ...]) -> Iterator[MetricInfo]:
    level = alpha_bar(spec.process, index)
    where = f"at index {index} (alpha_bar {level:.4g})"
    for who, part in ((who, part) for who in chosen for part in _SETS if who != "linear" or part == "held_out"):
        measured = f"{_SETS[part]} {spec.POINTS}"
        yield MetricInfo(
            name=f"{PREFIX}{name}_{who}_{part}@{index}",
            label=f"{_WHO[who]}, {measured} {where}",
            unit=f"squared error of eps per {spec.COMPONENT}",
            role="control",
            definition=f"{_answer(spec, who)} On {pairs:,} fixed pairs of noise and {measured} {where}; 95 % interval over pairs.",
            log_scale=True,
            index=index,
            alpha_bar=level,
        )


def _answer(spec: DenoiserSpec, who: str) -> str:
    error = "Mean squared error of the predicted noise"
    if who == "linear":
        return (
            f"{error} of the filter that scales each Fourier coefficient by itself and is best for the {spec.dataset.n_held_out:,} "
            f"held-out {spec.POINTS}."
        )
    told = " of the label that is told" if spec.network.told_labels else ""
    if who == "population":
        return f"{error} where x_0 is its mean under the law of the data{told} given x_t: no denoiser has a smaller expected held-out loss."
    return (
        f"{error} where x_0 is the mean over the {spec.n_train:,} training {spec.POINTS}{told}, each weighed by its likelihood given x_t: "
        "no network has a smaller expected training loss."
    )
