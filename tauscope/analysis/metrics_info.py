"""How every measured quantity is named, defined and drawn. One home for these words; pages and docs read them here."""

import numpy as np

from tauscope.analysis.copying_infos import copying_infos
from tauscope.analysis.probe_infos import probe_infos
from tauscope.analysis.twins import cosine_metric
from tauscope.contracts.points import MetricInfo
from tauscope.specs import ExperimentSpec
from tauscope.specs.process import ProcessSpec


def metric_infos(spec: ExperimentSpec) -> dict[str, MetricInfo]:
    """Every metric a run of this spec measures, by name."""
    infos = [*copying_infos(spec), *_frechet(spec)]
    for index in spec.measurement.loss_indices:
        infos += _losses(spec, index)
    infos.append(_agreement(spec))
    if spec.measurement.probes is not None:
        indices = (spec.measurement.probes.index, spec.measurement.probes.small_index)
        infos += probe_infos(spec, {index: alpha_bar(spec.process, index) for index in indices})
    return {info.name: info for info in infos}


def alpha_bar(process: ProcessSpec, index: int) -> float:
    """alpha_bar at a 0-based index of the linear schedule, without PyTorch."""
    beta = np.linspace(process.beta_min, process.beta_max, process.steps)
    return float(np.prod(1 - beta[: index + 1]))


def _frechet(spec: ExperimentSpec) -> list[MetricInfo]:
    components, n, held_out = spec.measurement.frechet_components, spec.measurement.n_generated, spec.dataset.n_held_out
    n_floor = min(n, held_out // 2)
    what = f"Fréchet distance on {components} principal components"
    unit = "squared Euclidean, pixels in [0, 1]"
    against = f"against {held_out - n_floor:,} held-out images; components fitted on the same images; 95 % jackknife interval."
    return [
        MetricInfo(
            name="frechet_pca",
            label=what,
            unit=unit,
            role="quality",
            control="frechet_pca_floor",
            log_scale=True,
            definition=f"Of {n:,} generated images {against} Not an FID, whose features are another network's.",
        ),
        MetricInfo(
            name="frechet_pca_floor",
            label="real against real",
            unit=unit,
            role="control",
            log_scale=True,
            definition=f"The same distance for {n_floor:,} real images held out from both: what perfect samples score.",
        ),
        MetricInfo(
            name="frechet_pca_train",
            label="training set against held-out",
            unit=unit,
            role="control",
            log_scale=True,
            definition="The same distance for the raw training images: what a perfect copier scores.",
        ),
    ]


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
