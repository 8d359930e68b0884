"""How the shares of copies and the distances behind them are named, defined and drawn."""

from tauscope.contracts.points import MetricInfo
from tauscope.specs import ExperimentSpec
from tauscope.specs.copying import ADAPTIVE, ADAPTIVE_NEIGHBOURS, control_of, copy_criteria

_INTERVAL = "95 % Clopper-Pearson interval."
_FRACTIONS = {"f_mem": "1/3", "f_mem_quarter": "1/4", "f_mem_half": "1/2"}


def copying_infos(spec: ExperimentSpec, points: str = "images", unit: str = "pixels in [0, 1]") -> list[MetricInfo]:
    """Every share of copies with its control, then the quantiles of gap ratio and distance, of what are called ``points``."""
    criteria = copy_criteria(spec.n_train)
    return [info for name in criteria for info in _share(name, spec.n_generated, points, unit)] + _distances(points, unit)


def _share(name: str, n: int, points: str, unit: str) -> tuple[MetricInfo, MetricInfo]:
    beside = "" if name == "f_mem" else f", {_short(name)}"
    return (
        MetricInfo(
            name=name,
            label=f"memorized samples {name}{beside}",
            unit=f"share of {n:,} samples",
            role="memorization",
            control=control_of(name),
            definition=f"Share of {n:,} generated {points} {_criterion(name, points[:-1])} (Euclidean, {unit}); {_INTERVAL}",
        ),
        MetricInfo(
            name=control_of(name),
            label=f"held-out control{beside}",
            unit=f"share of held-out {points}",
            role="control",
            definition=f"The same share for real held-out {points}, which copy nothing; {_INTERVAL}",
        ),
    )


def _short(name: str) -> str:
    return "adaptive l2" if name == ADAPTIVE else f"gap ratio below {_FRACTIONS[name]}"


def _criterion(name: str, point: str) -> str:
    if name == ADAPTIVE:
        return (
            f"whose distance to the nearest training {point} is below half the mean distance to the "
            f"{ADAPTIVE_NEIGHBOURS} nearest distinct ones"
        )
    return f"whose distance to the nearest training {point} is below {_FRACTIONS[name]} of that to the second nearest distinct one"


def _distances(points: str, unit: str) -> list[MetricInfo]:
    infos = []
    for q in (10, 50, 90):
        infos.append(
            MetricInfo(
                name=f"gap_ratio_q{q}",
                label=f"gap ratio d1/d2, {q} % quantile",
                unit="ratio",
                role="distance",
                definition=f"{q} % quantile over the samples of the nearest over the second-nearest training distance.",
            )
        )
        infos.append(
            MetricInfo(
                name=f"nearest_distance_q{q}",
                label=f"distance to the nearest training {points[:-1]}, {q} % quantile",
                unit=f"Euclidean, {unit}",
                role="distance",
                definition=f"{q} % quantile over the samples of the Euclidean distance to the nearest training {points[:-1]}.",
            )
        )
    return infos
