"""How what every denoiser is measured by is named, defined and drawn: its losses, and those of further averages of its weights."""

from collections.abc import Iterator, Mapping

from tauscope.contracts.points import MetricInfo
from tauscope.specs import DenoiserSpec
from tauscope.specs.alpha_bar import alpha_bars
from tauscope.specs.process import ProcessSpec


def loss_infos(spec: DenoiserSpec) -> list[MetricInfo]:
    """Both losses and their gap at every chosen index."""
    return [info for index in spec.loss_indices for info in _losses(spec, index)]


def average_infos(spec: DenoiserSpec, known: Mapping[str, MetricInfo]) -> Iterator[MetricInfo]:
    """What is measured of further averages of the weights, named and told apart by their length."""
    if spec.ema is None:
        return
    for suffix, length in spec.ema.further_names.items():
        what = f"average of {spec.ema.LENGTH.replace('_', ' ')} {length:g}"
        for name in ("f_mem", *(f"loss_held_out@{index}" for index in spec.measurement.loss_indices)):
            if name in known:
                info = known[name]
                update = {"name": name + suffix, "label": f"{info.label}, {what}", "definition": f"{info.definition} Of the {what}."}
                yield info.model_copy(update=update)


def alpha_bar(process: ProcessSpec, index: int) -> float:
    """alpha_bar at a 0-based index."""
    return float(alpha_bars(process)[index])


def _losses(spec: DenoiserSpec, index: int) -> list[MetricInfo]:
    level = alpha_bar(spec.process, index)
    where = f"at index {index} (alpha_bar {level:.3f})"
    pairs, points = spec.measurement.loss_pairs, spec.POINTS

    def info(
        name: str, label: str, role: str, definition: str, unit: str = f"squared error of eps per {spec.COMPONENT}", log: bool = True
    ) -> MetricInfo:
        return MetricInfo.model_validate(
            {
                "name": f"{name}@{index}",
                "label": f"{label} {where}",
                "unit": unit,
                "role": role,
                "definition": definition,
                "log_scale": log,
                "index": index,
                "alpha_bar": level,
            }
        )

    bank = f"on {pairs} fixed ({points[:-1]}, noise) pairs {where}; 95 % interval over pairs."
    return [
        info("loss_train", "training loss", "loss", f"Mean squared error of the predicted noise of training {points} {bank}"),
        info("loss_held_out", "held-out loss", "quality", f"Mean squared error of the predicted noise of held-out {points} {bank}"),
        info(
            "loss_gap",
            "relative loss gap",
            "warning",
            f"(held-out loss - training loss) / held-out loss {bank}",
            unit="share of the held-out loss",
            log=False,
        ),
    ]
