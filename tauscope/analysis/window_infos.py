"""How what a run on windows of a series is measured by is named, defined and drawn."""

from collections.abc import Iterable

from tauscope.analysis.denoiser_infos import average_infos, loss_infos
from tauscope.contracts.points import MetricInfo
from tauscope.specs.copying import GAP_THRESHOLDS, control_of
from tauscope.specs.timeseries import TimeseriesSpec

_INTERVAL = "95 % Clopper-Pearson interval."
_FRACTIONS = {"f_mem": "1/3", "f_mem_quarter": "1/4", "f_mem_half": "1/2"}
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
    infos += loss_infos(spec, points="windows", component="value")
    return [*infos, *average_infos(spec, {info.name: info for info in infos})]


def _copying(spec: TimeseriesSpec) -> list[MetricInfo]:
    infos = [
        info for name in GAP_THRESHOLDS for info in _share(spec, name, f"gap ratio below {_FRACTIONS[name]}", "Euclidean", _FRACTIONS[name])
    ]
    radius = spec.measurement.dtw_radius
    if radius is not None:
        infos += _share(spec, "f_mem_dtw", f"warped by at most {radius} steps", f"dynamic time warping by at most {radius} steps", "1/3")
    return infos + _same_phase(spec) + _distances()


def _share(spec: TimeseriesSpec, name: str, beside: str, distance: str, fraction: str) -> list[MetricInfo]:
    n = spec.n_generated
    said = "" if name == "f_mem" else f", {beside}"
    return [
        MetricInfo(
            name=name,
            label=f"memorized samples {name}{said}",
            unit=f"share of {n:,} samples",
            role="memorization",
            control=control_of(name),
            definition=f"Share of {n:,} generated windows for which {_APART.format(fraction)} ({distance}); {_INTERVAL}",
        ),
        MetricInfo(
            name=control_of(name),
            label=f"held-out control{said}",
            unit="share of held-out windows",
            role="control",
            definition=f"The same share for real held-out windows, which copy nothing and overlap none; {_INTERVAL}",
        ),
    ]


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
                f" a periodic series repeats itself there without being copied; {_INTERVAL}"
            ),
        )
    ]


def _distances() -> list[MetricInfo]:
    infos = []
    for q in (10, 50, 90):
        said = f"{q} % quantile over the samples of"
        infos += [
            MetricInfo(
                name=f"gap_ratio_q{q}",
                label=f"gap ratio d1/d2, {q} % quantile",
                unit="ratio",
                role="distance",
                definition=f"{said} the distance to the nearest training window over that to the nearest one apart from it in time.",
            ),
            MetricInfo(
                name=f"nearest_distance_q{q}",
                label=f"distance to the nearest training window, {q} % quantile",
                unit="Euclidean, standard units",
                role="distance",
                definition=f"{said} the Euclidean distance to the nearest training window.",
            ),
        ]
    return infos


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
