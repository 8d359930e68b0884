"""The experiment kind ``timeseries``: a denoiser trained on windows of a time series. Open research: the paper has images alone."""

from typing import ClassVar, Literal

from tauscope.specs.denoiser import DenoiserSpec
from tauscope.specs.measurement import MeasurementSpec
from tauscope.specs.network1d import UNet1dSpec
from tauscope.specs.series import SeriesSpec
from tauscope.specs.shown import DATA, MEASUREMENT, shown

DISTANCES = ("marginal", "autocorrelation", "spectral")


class WindowMeasurementSpec(MeasurementSpec):
    """What is measured of windows beyond that."""

    dtw_radius: int | None = shown(
        2,
        "Warping band",
        "steps by which two windows may be warped against one another for f_mem_dtw; none: it is not measured",
        ge=1,
        le=4096,
        unit="steps",
        advanced=True,
    )


class TimeseriesSpec(DenoiserSpec):
    """One run: one network, n windows, one seed."""

    kind: Literal["timeseries"] = "timeseries"
    dataset: SeriesSpec = shown(SeriesSpec(), "Series", group=DATA)
    network: UNet1dSpec = shown(UNet1dSpec(), "Network", group=DATA)
    measurement: WindowMeasurementSpec = shown(WindowMeasurementSpec(), "Measurement", group=MEASUREMENT)

    POINTS: ClassVar[str] = "windows"
    COMPONENT: ClassVar[str] = "value"
    ALIASES: ClassVar[dict[str, str]] = {**DenoiserSpec.ALIASES, "subset": "dataset.subset", "length": "dataset.length"}
    PACE: ClassVar[tuple[str, ...]] = ("dataset.length", "network")
    WITHIN_CONFIGURATION: ClassVar[tuple[str, ...]] = (
        *DenoiserSpec.WITHIN_CONFIGURATION,
        *("dataset.subset", "dataset.path", "dataset.period", "measurement.dtw_radius"),
    )
    DOMAIN: ClassVar[tuple[str, ...]] = ("dataset.name", "dataset.channels", "dataset.length", "process", "onsets.tau_mem")

    def _check_own(self) -> None:
        halvings, length, radius = len(self.network.multipliers) - 1, self.dataset.length, self.measurement.dtw_radius
        if length % 2**halvings:
            raise ValueError(
                f"dataset.length {length} cannot be halved {halvings} times | Use a multiple of {2**halvings} or fewer network.multipliers"
            )
        if radius is not None and radius >= length:
            raise ValueError(f"measurement.dtw_radius {radius} is no band in a window of {length} steps | Use about a tenth of the window")

    @property
    def quality_metrics(self) -> tuple[str, ...]:
        losses = super().quality_metrics
        return losses if self.only_index is not None else (*losses, *(f"{name}_distance" for name in DISTANCES))

    @property
    def parameters(self) -> int | None:
        """Where the spec names the channels; else the file tells how many there are."""
        return self.network.parameters(len(self.dataset.channels)) if self.dataset.channels else None

    def work(self) -> float:
        """Window evaluations, each as long as the weights applied at every step."""
        return self.cost() * self.network.parameters(len(self.dataset.channels or ())) * self.dataset.length
