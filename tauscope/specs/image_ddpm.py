"""The experiment kind ``image_ddpm``: a U-Net denoiser trained on images, sampled and measured along training."""

from typing import Any, ClassVar, Literal

from tauscope.specs.dataset import DatasetSpec
from tauscope.specs.denoiser import DenoiserSpec
from tauscope.specs.feature_seconds import feature_seconds
from tauscope.specs.features import LOWER_IS_BETTER
from tauscope.specs.interventions import FrequencyPenaltySpec
from tauscope.specs.measurement import ImageMeasurementSpec
from tauscope.specs.network import UNetSpec
from tauscope.specs.parameters import trained_parameters
from tauscope.specs.shown import DATA, MEASUREMENT, TRAINING, shown

_ATTACK_QUERIES = 4  # Of the network for an image: one of the loss attack, two of PIA, one of SimA.
# For an image, a weight and a pixel, on one CPU core: measured 0.4e-11 (W = 32 at 32 pixels) to 2e-11 (W = 16 at 8 pixels).
_EVALUATION_SECONDS = 1e-11


class ImageDdpmSpec(DenoiserSpec):
    """One run: one network, one training set, one seed."""

    kind: Literal["image_ddpm"] = "image_ddpm"
    dataset: DatasetSpec = shown(DatasetSpec(), "Data", group=DATA)
    network: UNetSpec = shown(UNetSpec(), "Network", group=DATA)
    measurement: ImageMeasurementSpec = shown(ImageMeasurementSpec(), "Measurement", group=MEASUREMENT)
    penalty: FrequencyPenaltySpec | None = shown(
        None, "High-frequency penalty", "on what is learned of an image, beside the loss", group=TRAINING, advanced=True
    )

    POINTS: ClassVar[str] = "images"
    COMPONENT: ClassVar[str] = "pixel"
    ALIASES: ClassVar[dict[str, str]] = {**DenoiserSpec.ALIASES, "subset": "dataset.subset"}
    PACE: ClassVar[tuple[str, ...]] = ("dataset.size", *DenoiserSpec.PACE)
    WITHIN_CONFIGURATION: ClassVar[tuple[str, ...]] = (
        *DenoiserSpec.WITHIN_CONFIGURATION,
        *("dataset.subset", "dataset.path", "dataset.n_calibration", "dataset.unreadable"),
        *("measurement.probes", "measurement.spectrum", "measurement.loss_grid", "measurement.frechet_components", "measurement.features"),
    )
    DOMAIN: ClassVar[tuple[str, ...]] = ("dataset.name", "dataset.size", "dataset.colour", "process", "onsets.tau_mem")
    LATER: ClassVar[dict[str, Any]] = {
        "dataset.colour": False,
        "dataset.duplicates": "keep",
        "dataset.registered": None,
        "parameterization": "eps",
        "only_index": None,
        "optimizer.warmup_steps": 0,
        "optimizer.cosine_steps": None,
        "optimizer.clip_norm": None,
        "optimizer.weight_decay": 0.0,
        "ema.name": "constant",
        "ema.further": [],
        "compute.precision": "float32",
        "network.classes": None,
        "network.label_drop": 0.1,
        "measurement.sampler.guidance": 0.0,
        "measurement.sampler.low_pass": None,
        "measurement.sampler.projection": None,
        "network.fourier": None,
        "penalty": None,
    }

    def _check_own(self) -> None:
        self._check_probes()
        self._check_features()
        self._check_spectrum()
        self._check_resolution()
        self._check_cutoff("penalty", self.penalty)

    def _check_probes(self) -> None:
        probes = self.measurement.probes
        if probes is None:
            return
        outside = [i for i in (probes.index, probes.small_index) if i not in self.trained_indices]
        if outside:
            raise ValueError(f"measurement.probes: the indices {outside} are never trained | {self._choose_trained}")
        needed = probes.images + min(self.dataset.n_train, probes.images)
        if self.dataset.n_held_out < needed:
            raise ValueError(
                f"dataset.n_held_out {self.dataset.n_held_out} is too few for measurement.probes: {probes.images} non-members,"
                f" and for alpha_ho others | Hold out at least {needed}"
            )

    def _check_features(self) -> None:
        for features in self.measurement.features:
            features.parts(self.dataset.n_held_out, self.measurement.n_generated)

    def _check_spectrum(self) -> None:
        spectrum = self.measurement.spectrum
        if self.measurement.loss_grid is not None and self.only_index is not None:
            raise ValueError("measurement.loss_grid covers all noise levels, and only_index trains at one | Leave one of them out")
        if spectrum is None:
            return
        if spectrum.index not in self.trained_indices:
            raise ValueError(f"measurement.spectrum.index {spectrum.index} is never trained | {self._choose_trained}")
        empty = spectrum.empty_band(self.dataset.size)
        if empty is not None:
            raise ValueError(
                f"measurement.spectrum.bands {spectrum.bands}: band {empty} holds no frequency of images of dataset.size"
                f" {self.dataset.size} | Use fewer bands"
            )

    def _check_resolution(self) -> None:
        halvings = len(self.network.multipliers) - 1
        if self.dataset.size % 2**halvings:
            raise ValueError(
                f"dataset.size {self.dataset.size} cannot be halved {halvings} times"
                f" | Use a multiple of {2**halvings} or fewer network.multipliers"
            )

    @property
    def quality_metrics(self) -> tuple[str, ...]:
        losses = super().quality_metrics
        if self.only_index is not None:
            return losses
        features = self.measurement.features
        of_features = (item.metric_name(metric) for item in features for metric in item.metrics if metric in LOWER_IS_BETTER)
        return (*losses, "frechet_pca", *of_features)

    @property
    def images(self) -> DatasetSpec:
        return self.dataset

    @property
    def parameters(self) -> int:
        return trained_parameters(self.network)

    @property
    def comparison_index(self) -> int:
        """The 0-based index into beta at which a run and its twin are compared.

        At three tenths of the steps (alpha_bar 0.39 on the usual schedule) the agreement has one peak; nearer to the image it has
        one more, while both learn what any images have in common (measured on digits, docs/decisions/0016).
        """
        return self.only_index if self.only_index is not None else max(3 * self.process.steps // 10, self.process.first_trained_index)

    def cost(self) -> float:
        return super().cost() + self._evaluated_beside() + self._feature_evaluations()

    def _evaluated_beside(self) -> float:
        """Evaluations of one image for probes, spectrum and losses over noise levels."""
        measured, found = self.measurement, 0
        if measured.probes is not None:
            images = min(measured.probes.images, self.n_train) + measured.probes.images
            found += len(self.loss_steps) * (_ATTACK_QUERIES * images + 2 * measured.probes.points)
        if measured.spectrum is not None:
            found += len(self.loss_steps) * 2 * measured.loss_pairs
        if measured.loss_grid is not None:
            found += len(self.sample_steps) * 2 * measured.loss_grid.pairs * len(measured.loss_grid.indices(self.process))
        return float(found)

    def _feature_evaluations(self) -> float:
        """As many evaluations of one image as take about as long as the features of all checkpoints, on one CPU core."""
        seconds = sum(feature_seconds(features, self.n_generated) for features in self.measurement.features)
        return len(self.sample_steps) * seconds / (_EVALUATION_SECONDS * self.parameters * self.dataset.size**2)

    def work(self) -> float:
        """Image evaluations, each as long as the weights applied at every pixel."""
        return self.cost() * self.parameters * self.dataset.size**2
