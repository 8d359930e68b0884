"""How what a run on windows of a series is measured by is named, defined and drawn."""

from collections.abc import Iterable

from tauscope.analysis.copying_infos import INTERVAL, distance_infos, fraction_words, share_infos, short_criterion
from tauscope.analysis.denoiser_infos import average_infos, loss_infos
from tauscope.analysis.theory_infos import theory_infos
from tauscope.contracts.points import MetricInfo
from tauscope.specs.copying import GAP_THRESHOLDS
from tauscope.specs.timeseries import TimeseriesSpec

_APART = "the distance to the nearest training window is below {} of that to the nearest one that shares no step of time with it"
_DISTANCES = {
    "marginal": (
        "distance of values",
        "standard deviations",
        "Wasserstein-1 distance between all values of a channel and those of held-out windows, mean over channels",
    ),
    "autocorrelation": (
        "distance of autocorrelation",
        "correlation",
        "Mean absolute difference of autocorrelations from those of held-out windows, over channels and lags up to half a window",
    ),
    "spectral": (
        "distance of spectra",
        "dB, root mean square",
        "Root mean square difference of mean log periodograms from those of held-out windows, over channels and frequencies",
    ),
}
_OTHERS = {
    "floor": (
        "real against real",
        "The same for the other half of the held-out windows, in order of time; jackknife over 32 stretches of them.",
    ),
    "train": (
        "training windows",
        "The same for the raw training windows: what a perfect copier scores; jackknife over 32 stretches of them.",
    ),
}


def window_infos(spec: TimeseriesSpec) -> Iterable[MetricInfo]:
    """Every metric that a run on windows measures."""
    infos = [*_copying(spec), *_quality(spec)] if spec.only_index is None else []
    infos += loss_infos(spec)
    infos += theory_infos(spec)
    return [*infos, *average_infos(spec, {info.name: info for info in infos})]


def _copying(spec: TimeseriesSpec) -> list[MetricInfo]:
    criteria = {name: (short_criterion(name), "Euclidean", fraction_words(threshold)) for name, threshold in GAP_THRESHOLDS.items()}
    radius = spec.measurement.dtw_radius
    if radius is not None:
        criteria["f_mem_dtw"] = (f"warped by at most {radius} steps", f"dynamic time warping by at most {radius} steps", "1/3")
    shares = [
        info
        for name, (short, distance, fraction) in criteria.items()
        for info in share_infos(spec, name, short, f"for which {_APART.format(fraction)} ({distance})", apart=" and overlap none")
    ]
    ratio = "the distance to the nearest training window over that to the nearest one apart from it in time"
    return shares + _same_phase(spec) + distance_infos(spec, "standard units", ratio)


def _same_phase(spec: TimeseriesSpec) -> list[MetricInfo]:
    period = spec.dataset.period
    if period is None:
        return []
    return [
        MetricInfo(
            name="f_mem_control_phase",
            label=f"held-out control at the phases of training windows (period {period} steps)",
            unit="share of held-out windows",
            role="control",
            definition=(
                "The held-out control over those held-out windows that begin at a phase of the period at which a training window begins:"
                f" a periodic series repeats itself there without being copied; {INTERVAL}"
            ),
        )
    ]


def _quality(spec: TimeseriesSpec) -> list[MetricInfo]:
    infos = []
    half = (spec.dataset.n_held_out + 1) // 2
    for name, (label, unit, words) in _DISTANCES.items():
        said = f"{words}; {half:,} held-out windows as reference, 95 % jackknife interval over samples, the reference given."
        infos.append(
            MetricInfo(name=f"{name}_distance", label=label, unit=unit, role="quality", definition=said, control=f"{name}_distance_floor")
        )
        for what, (beside, meaning) in _OTHERS.items():
            infos.append(
                MetricInfo(
                    name=f"{name}_distance_{what}", label=f"{label}: {beside}", unit=unit, role="control", definition=f"{words}. {meaning}"
                )
            )
    return infos
