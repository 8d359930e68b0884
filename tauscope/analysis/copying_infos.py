"""How the shares of copies and the distances behind them are named, defined and drawn."""

from fractions import Fraction

from tauscope.contracts.points import MetricInfo
from tauscope.specs import ExperimentSpec
from tauscope.specs.copying import ADAPTIVE, ADAPTIVE_NEIGHBOURS, GAP_THRESHOLDS, control_of, copy_criteria

INTERVAL = "95 % Clopper-Pearson interval."


def copying_infos(spec: ExperimentSpec, unit: str = "pixels in [0, 1]") -> list[MetricInfo]:
    """Every share of copies with its control, then the quantiles of gap ratio and distance."""
    shares = [
        info
        for name in copy_criteria(spec.n_train)
        for info in share_infos(spec, name, short_criterion(name), f"{_criterion(name, spec.POINTS[:-1])} (Euclidean, {unit})")
    ]
    return shares + distance_infos(spec, unit, "the nearest over the second-nearest training distance")


def share_infos(spec: ExperimentSpec, name: str, short: str, criterion: str, *, apart: str = "") -> tuple[MetricInfo, MetricInfo]:
    """A share of copies and its held-out control.

    Args:
        spec: of a run.
        name: of the share.
        short: its criterion as it tells labels apart; f_mem needs none.
        criterion: which of the generated points it counts, as a relative clause.
        apart: what is so of held-out points beside that they copy nothing.
    """
    beside = "" if name == "f_mem" else f", {short}"
    n, points = spec.n_generated, spec.POINTS
    return (
        MetricInfo(
            name=name,
            label=f"memorized samples {name}{beside}",
            unit=f"share of {n:,} samples",
            role="memorization",
            control=control_of(name),
            definition=f"Share of {n:,} generated {points} {criterion}; {INTERVAL}",
        ),
        MetricInfo(
            name=control_of(name),
            label=f"held-out control{beside}",
            unit=f"share of held-out {points}",
            role="control",
            definition=f"The same share for real held-out {points}, which copy nothing{apart}; {INTERVAL}",
        ),
    )


def short_criterion(name: str) -> str:
    """A criterion of copying in a few words."""
    return "adaptive l2" if name == ADAPTIVE else f"gap ratio below {fraction_words(GAP_THRESHOLDS[name])}"


def _criterion(name: str, point: str) -> str:
    if name == ADAPTIVE:
        return (
            f"whose distance to the nearest training {point} is below half the mean distance to the "
            f"{ADAPTIVE_NEIGHBOURS} nearest distinct ones"
        )
    fraction = fraction_words(GAP_THRESHOLDS[name])
    return f"whose distance to the nearest training {point} is below {fraction} of that to the second nearest distinct one"


def fraction_words(threshold: float) -> str:
    """A threshold of the gap ratio as a fraction, e.g. ``1/3``."""
    return str(Fraction(threshold).limit_denominator(9))


def distance_infos(spec: ExperimentSpec, unit: str, ratio: str) -> list[MetricInfo]:
    """Quantiles of the gap ratio, which is ``ratio``, and of the distance to the nearest training point."""
    point = spec.POINTS[:-1]
    infos = []
    for q in (10, 50, 90):
        infos.append(
            MetricInfo(
                name=f"gap_ratio_q{q}",
                label=f"gap ratio d1/d2, {q} % quantile",
                unit="ratio",
                role="distance",
                definition=f"{q} % quantile over the samples of {ratio}.",
            )
        )
        infos.append(
            MetricInfo(
                name=f"nearest_distance_q{q}",
                label=f"distance to the nearest training {point}, {q} % quantile",
                unit=f"Euclidean, {unit}",
                role="distance",
                definition=f"{q} % quantile over the samples of the Euclidean distance to the nearest training {point}.",
            )
        )
    return infos
