"""The experiment kinds ``gmm`` and ``gmm_conditional``: a perceptron that learns to denoise draws of a known Gaussian mixture."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tauscope.specs.denoiser import DenoiserSpec
from tauscope.specs.measurement import MeasurementSpec, OnsetLevel, OnsetsSpec
from tauscope.specs.mixture import MixtureSpec
from tauscope.specs.mlp import ConditionalMlpSpec, MlpSpec
from tauscope.specs.shown import DATA, MEASUREMENT, TRAINING, shown


class MixtureMeasurementSpec(MeasurementSpec):
    """What is measured where the population is known."""

    score_indices: tuple[Annotated[int, Field(ge=0)], ...] = shown(
        (50, 150, 300), "Score indices", "0-based indices into beta of score errors, alpha and alpha_ho", min_length=1, max_length=32
    )
    score_points: int = shown(
        1024, "Score points", "fixed noised points at each of them, of training and of fresh draws", ge=32, le=10**6, unit="points"
    )

    @model_validator(mode="after")
    def _distinct_indices(self) -> Self:
        if len(set(self.score_indices)) < len(self.score_indices):
            raise ValueError("measurement.score_indices names one twice | List each once")
        return self


class GmmSpec(DenoiserSpec):
    """One run: one network, one draw of n points from a mixture."""

    kind: Literal["gmm"] = "gmm"
    dataset: MixtureSpec = shown(MixtureSpec(), "Mixture", group=DATA)
    network: MlpSpec = shown(MlpSpec(), "Network", group=DATA)
    batch_size: Annotated[int, Field(ge=1, le=10**9)] | Literal["full"] = shown(
        128, "Batch", 'points per step, or "full" for all n', unit="points", group=TRAINING
    )
    measurement: MixtureMeasurementSpec = shown(MixtureMeasurementSpec(), "Measurement", group=MEASUREMENT)
    onsets: OnsetsSpec = shown(
        OnsetsSpec(tau_gen=OnsetLevel(metric="energy_distance", level=0.08), tau_mem=OnsetLevel(metric="alpha@150", level=0.2)),
        "Onsets",
        group=MEASUREMENT,
    )

    PACE: ClassVar[tuple[str, ...]] = ("dataset.dim", "network")
    WITHIN_CONFIGURATION: ClassVar[tuple[str, ...]] = (*DenoiserSpec.WITHIN_CONFIGURATION, "measurement.score_points")
    DOMAIN: ClassVar[tuple[str, ...]] = ("dataset.name", "dataset.dim", "dataset.components", "dataset.mu", "process", "onsets.tau_mem")

    def _check_own(self) -> None:
        outside = [i for i in self.measurement.score_indices if i not in self.trained_indices]
        if outside:
            raise ValueError(f"measurement.score_indices {outside} are never trained | {self._choose_trained}")

    @property
    def quality_metrics(self) -> tuple[str, ...]:
        """The energy distance of samples, the error of the score against the population's, and the held-out losses."""
        drawn = ("energy_distance",) if self.only_index is None else ()
        return (*drawn, *(f"score_error@{index}" for index in self.measurement.score_indices), *super().quality_metrics)

    @property
    def memorization_metrics(self) -> tuple[str, ...]:
        drawn = ("f_mem",) if self.only_index is None else ()
        return (*drawn, *(f"alpha@{index}" for index in self.measurement.score_indices))

    @property
    def population_known(self) -> bool:
        return not self.network.told_labels

    @property
    def labels(self) -> int:
        """How many labels the network is told, 0 for none."""
        return self.dataset.components if self.network.told_labels else 0

    @property
    def parameters(self) -> int:
        return self.network.parameters(self.dataset.dim, self.labels)


class GmmConditionalSpec(GmmSpec):
    """The same with a network that is told the component, and classifier-free guidance at sampling."""

    kind: Literal["gmm_conditional"] = "gmm_conditional"  # type: ignore[assignment]
    network: ConditionalMlpSpec = shown(ConditionalMlpSpec(), "Network", group=DATA)

    ALIASES: ClassVar[dict[str, str]] = {**GmmSpec.ALIASES, "guidance": "measurement.sampler.guidance"}
