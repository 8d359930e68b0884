"""How every measured quantity is named, defined and drawn. One home for these words; pages and docs read them here."""

import numpy as np

from tauscope.analysis.probe_infos import probe_infos
from tauscope.analysis.spectrum_infos import grid_infos, spectrum_infos
from tauscope.analysis.twins import cosine_metric
from tauscope.contracts.points import MetricInfo
from tauscope.specs import ExperimentSpec
from tauscope.specs.process import ProcessSpec


def metric_infos(spec: ExperimentSpec) -> dict[str, MetricInfo]:
    """Every metric a run of this spec measures, by name."""
    infos = [*_memorization(spec), *_frechet(spec)]
    for index in spec.measurement.loss_indices:
        infos += _losses(spec, index)
    infos.append(_agreement(spec))
    if spec.measurement.probes is not None:
        indices = (spec.measurement.probes.index, spec.measurement.probes.small_index)
        infos += probe_infos(spec, {index: alpha_bar(spec.process, index) for index in indices})
    infos += [info for made in (spectrum_infos, grid_infos) for info in made(spec, lambda index: alpha_bar(spec.process, index))]
    return {info.name: info for info in infos}


def alpha_bar(process: ProcessSpec, index: int) -> float:
    """alpha_bar at a 0-based index of the linear schedule, without PyTorch."""
    beta = np.linspace(process.beta_min, process.beta_max, process.steps)
    return float(np.prod(1 - beta[: index + 1]))


def _memorization(spec: ExperimentSpec) -> list[MetricInfo]:
    n = spec.measurement.n_generated
    infos = [
        MetricInfo(
            name="f_mem",
            label="memorized samples f_mem",
            unit=f"share of {n:,} samples",
            role="memorization",
            control="f_mem_control",
            definition=(
                f"Share of {n:,} generated images whose distance to the nearest training image is below 1/3 of that to the "
                "second nearest distinct one (Euclidean, pixels in [0, 1]); 95 % Clopper-Pearson interval."
            ),
        ),
        MetricInfo(
            name="f_mem_control",
            label="held-out control",
            unit="share of held-out images",
            role="control",
            definition="The same share for real held-out images, which copy nothing; 95 % Clopper-Pearson interval.",
        ),
    ]
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
                label=f"distance to the nearest training image, {q} % quantile",
                unit="Euclidean, pixels in [0, 1]",
                role="distance",
                definition=f"{q} % quantile over the samples of the Euclidean distance to the nearest training image.",
            )
        )
    return infos


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
