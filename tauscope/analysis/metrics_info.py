"""How every measured quantity is named, defined and drawn. One home for these words; pages and docs read them here."""

from collections.abc import Iterator, Mapping

from tauscope.analysis.copying_infos import copying_infos
from tauscope.analysis.probe_infos import probe_infos
from tauscope.analysis.quality_infos import quality_infos
from tauscope.analysis.spectrum_infos import grid_infos, spectrum_infos
from tauscope.analysis.theory_infos import theory_infos
from tauscope.analysis.twins import cosine_metric
from tauscope.contracts.points import MetricInfo
from tauscope.specs import ExperimentSpec
from tauscope.specs.alpha_bar import alpha_bars
from tauscope.specs.process import ProcessSpec


def metric_infos(spec: ExperimentSpec) -> dict[str, MetricInfo]:
    """Every metric a run of this spec measures, by name."""
    infos = [*copying_infos(spec), *quality_infos(spec)] if spec.only_index is None else []
    for index in spec.measurement.loss_indices:
        infos += _losses(spec, index)
    infos.append(_agreement(spec))
    if spec.measurement.probes is not None:
        indices = (spec.measurement.probes.index, spec.measurement.probes.small_index)
        infos += probe_infos(spec, {index: alpha_bar(spec.process, index) for index in indices})
    made = (spectrum_infos, grid_infos, theory_infos)
    infos += [info for infos_of in made for info in infos_of(spec, lambda index: alpha_bar(spec.process, index))]
    known = {info.name: info for info in infos}
    return known | {info.name: info for info in _of_averages(spec, known)}


def _of_averages(spec: ExperimentSpec, known: Mapping[str, MetricInfo]) -> Iterator[MetricInfo]:
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


def _agreement(spec: ExperimentSpec) -> MetricInfo:
    index = spec.comparison_index
    level = alpha_bar(spec.process, index)
    return MetricInfo(
        name=cosine_metric(spec),
        label=f"agreement with the twin at index {index} (alpha_bar {level:.3f})",
        unit="cosine: 1 alike, 0 nothing in common",
        role="agreement",
        definition=(
            "Mean cosine between the predictions of the run and of its twin, trained on other images from other weights, at held-out "
            f"images noised at index {index}, less what a Gaussian of their scale explains; 95 % interval over the points. "
            "Measured only where there is a twin."
        ),
        index=index,
        alpha_bar=level,
    )


def _losses(spec: ExperimentSpec, index: int) -> list[MetricInfo]:
    level = alpha_bar(spec.process, index)
    where = f"at index {index} (alpha_bar {level:.3f})"
    pairs = spec.measurement.loss_pairs

    def info(
        name: str, label: str, role: str, definition: str, unit: str = "squared error of eps per pixel", log: bool = True
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

    bank = f"on {pairs} fixed (image, noise) pairs {where}; 95 % interval over pairs."
    return [
        info("loss_train", "training loss", "loss", f"Mean squared error of the predicted noise of training images {bank}"),
        info("loss_held_out", "held-out loss", "quality", f"Mean squared error of the predicted noise of held-out images {bank}"),
        info(
            "loss_gap",
            "relative loss gap",
            "warning",
            f"(held-out loss - training loss) / held-out loss {bank}",
            unit="share of the held-out loss",
            log=False,
        ),
    ]
