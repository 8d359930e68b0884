"""How far generated windows are from real ones in their values, their autocorrelation and their spectrum."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.intervals import grouped, jackknife_interval

Windows = Float[ndarray, "window channel time"]
Reference = Float[ndarray, "reference channel time"]
_LEAST_POWER = 1e-12


def marginal_distance(windows: Windows, reference: Reference) -> float:
    """The Wasserstein-1 distance of all values of a channel, mean over channels; in standard deviations of the training part."""
    return float(marginal_distances(windows, reference).mean())


def marginal_distances(windows: Windows, reference: Reference) -> Float[ndarray, " channel"]:
    """The Wasserstein-1 distance of all values of each channel: the area between the two distribution functions."""
    pairs = zip(windows.swapaxes(0, 1), reference.swapaxes(0, 1), strict=True)
    return np.array([_wasserstein(np.sort(x, axis=None), np.sort(y, axis=None)) for x, y in pairs])


def autocorrelation(windows: Windows) -> Float[ndarray, "channel lag"]:
    """Correlation of the values of a window with those ``lag`` steps later, lags 1 to half a window.

    The mean and variance are those of all windows of the set, so that what differs from one window to the next counts.
    """
    x = windows.astype(np.float64) - windows.mean((0, 2), dtype=np.float64)[:, None]
    length = x.shape[2]
    variance = np.maximum((x**2).mean((0, 2)), _LEAST_POWER)
    lags = range(1, length // 2 + 1)
    return np.stack([(x[:, :, lag:] * x[:, :, : length - lag]).mean((0, 2)) / variance for lag in lags], axis=1)


def autocorrelation_distance(windows: Windows, reference: Reference) -> float:
    """The mean absolute difference of autocorrelations, over channels and lags; 0 to 2."""
    return float(np.abs(autocorrelation(windows) - autocorrelation(reference)).mean())


def spectrum(windows: Windows) -> Float[ndarray, "channel frequency"]:
    """The mean periodogram of windows less their own means, under a Hann taper, without frequency 0; decibels."""
    x = windows.astype(np.float64)
    x = (x - x.mean(2, keepdims=True)) * np.hanning(x.shape[2] + 2)[1:-1]
    power = (np.abs(np.fft.rfft(x, axis=2)[:, :, 1:]) ** 2).mean(0)
    return 10 * np.log10(np.maximum(power, _LEAST_POWER))


def spectral_distance(windows: Windows, reference: Reference) -> float:
    """The root mean square difference of spectra, over channels and frequencies; decibels."""
    return float(np.sqrt(((spectrum(windows) - spectrum(reference)) ** 2).mean()))


DISTANCES: dict[str, Callable[[Windows, Reference], float]] = {
    "marginal": marginal_distance,
    "autocorrelation": autocorrelation_distance,
    "spectral": spectral_distance,
}


def distance_interval(name: str, windows: Windows, reference: Reference, *, in_time: bool = False) -> tuple[float, float, float]:
    """A distance with its 95 % jackknife interval over windows, the reference given; (value, low, high).

    Args:
        name: of ``DISTANCES``.
        in_time: whether the windows are real ones in the order of time, of which neighbours are alike: groups of successive ones
            are left out together, not every 32nd.
    """
    distance = DISTANCES[name]
    return jackknife_interval(lambda rows: distance(rows, reference), _dealt(windows) if in_time else windows)


def _dealt(windows: Windows) -> Windows:
    """Reordered so that the groups of the jackknife, which go round, hold successive windows."""
    place = np.argsort(grouped(len(windows), 32), kind="stable")
    dealt = np.empty_like(windows)
    dealt[place] = windows
    return dealt


def _wasserstein(x: Float[ndarray, " value"], y: Float[ndarray, " other"]) -> float:
    """Of two sorted lists."""
    both = np.sort(np.concatenate([x, y]), kind="stable")  # Which merges two sorted runs.
    below = [np.searchsorted(part, both[:-1], side="right") / len(part) for part in (x, y)]
    return float((np.abs(below[0] - below[1]) * np.diff(both)).sum())
