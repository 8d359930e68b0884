"""How what an image run is measured by is named, defined and drawn."""

from collections.abc import Iterable

from tauscope.analysis.copying_infos import copying_infos
from tauscope.analysis.denoiser_infos import alpha_bar, average_infos, loss_infos
from tauscope.analysis.probe_infos import probe_infos
from tauscope.analysis.quality_infos import quality_infos
from tauscope.analysis.spectrum_infos import grid_infos, spectrum_infos
from tauscope.analysis.theory_infos import image_theory_infos
from tauscope.analysis.twins import cosine_metric
from tauscope.contracts.points import MetricInfo
from tauscope.specs import ImageDdpmSpec


def image_infos(spec: ImageDdpmSpec) -> Iterable[MetricInfo]:
    """Every metric that a run on images measures."""
    infos = [*copying_infos(spec), *quality_infos(spec)] if spec.only_index is None else []
    infos += [*loss_infos(spec), _agreement(spec)]
    if spec.measurement.probes is not None:
        indices = (spec.measurement.probes.index, spec.measurement.probes.small_index)
        infos += probe_infos(spec, {index: alpha_bar(spec.process, index) for index in indices})
    infos += [info for made in (spectrum_infos, grid_infos) for info in made(spec, lambda index: alpha_bar(spec.process, index))]
    infos += image_theory_infos(spec)
    return [*infos, *average_infos(spec, {info.name: info for info in infos})]


def _agreement(spec: ImageDdpmSpec) -> MetricInfo:
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
