"""What is measured along training, when, and which levels make an onset."""

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from tauscope.specs.features import Features
from tauscope.specs.model import SpecModel
from tauscope.specs.sampler import DdimSpec, Sampler
from tauscope.specs.schedule import LogSpaced, Schedule
from tauscope.specs.shown import shown
from tauscope.specs.spectrum import LossGridSpec, SpectrumSpec

GAP_THRESHOLD = 1 / 3


class ProbesSpec(SpecModel):
    """Early warnings of copying that draw no samples, measured wherever the losses are."""

    index: int = shown(100, "Index", "0-based index into beta of the loss attack, PIA and alpha_ho", ge=0)
    small_index: int = shown(10, "Small index", "0-based index into beta of SimA, which adds no noise", ge=0)
    images: int = shown(
        128, "Images", "members and non-members at most; 1 % of fewer than 100 is no image", ge=100, le=100_000, unit="images each"
    )
    points: int = shown(64, "Points", "noised points of alpha_ho from each set", ge=16, le=100_000, unit="points each")


class Measurement(SpecModel):
    """What every kind's ``measurement`` has: when a run is measured."""

    if TYPE_CHECKING:  # Declared by each kind: pydantic shows a field where it was first declared.
        schedule: Schedule


class MeasurementSpec(Measurement):
    """What is measured of a denoiser along training, and when."""

    schedule: Schedule = shown(LogSpaced(), "Checkpoints", "steps at which samples are drawn")
    loss_schedule: Schedule | None = shown(None, "Further losses", "further steps at which only the losses are measured", advanced=True)
    n_generated: int = shown(
        1000, "Samples each", "samples per checkpoint; the same seeds at every checkpoint", ge=32, le=10**7, unit="samples"
    )
    sampler: Sampler = shown(DdimSpec(), "Sampler", "how samples are drawn")
    loss_indices: tuple[Annotated[int, Field(ge=0)], ...] = shown(
        (10, 100), "Loss indices", "0-based indices into beta where both losses are measured", min_length=1, max_length=32, advanced=True
    )
    loss_pairs: int = shown(
        512, "Loss pairs", "fixed (image, noise) pairs per set and index that a loss averages", ge=32, le=10**7, unit="pairs", advanced=True
    )


class ImageMeasurementSpec(MeasurementSpec):
    """What is measured of images beyond that."""

    frechet_components: int = shown(
        16, "Principal components", "principal components of the Frechet distance", ge=1, le=100_000, advanced=True
    )
    probes: ProbesSpec | None = shown(None, "Probes", "early warnings of copying beside the loss gap", advanced=True)
    features: tuple[Features, ...] = shown(
        (),
        "Feature networks",
        "networks whose features further qualities are measured on, e.g. {name: mobilenet_v2, metrics: [frechet, kid]}",
        max_length=8,
        advanced=True,
    )
    spectrum: SpectrumSpec | None = shown(None, "Spectrum", "the denoiser's error by frequency and by principal component", advanced=True)
    loss_grid: LossGridSpec | None = shown(None, "Losses over noise levels", "both losses from little noise to pure noise", advanced=True)

    @model_validator(mode="after")
    def _distinct_features(self) -> Self:
        keys = [features.key for features in self.features]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(
                f"measurement.features holds {', '.join(twice)} more than once | Keep one; give each torchscript a label of its own"
            )
        return self


class OnsetLevel(SpecModel):
    """The level whose first sustained crossing is an onset."""

    metric: str = shown(..., "metric", "the measured quantity", advanced=True)
    level: float = shown(..., "level", "absolute level, the same for the whole sweep")


class OnsetsSpec(SpecModel):
    """Definitions of tau_gen (metric falls to its level) and tau_mem (f_mem minus control, or another metric of the kind, rises to it)."""

    tau_gen: OnsetLevel = shown(OnsetLevel(metric="loss_held_out@100", level=0.55), "tau_gen")
    tau_mem: OnsetLevel = shown(OnsetLevel(metric="f_mem", level=0.25), "tau_mem")
