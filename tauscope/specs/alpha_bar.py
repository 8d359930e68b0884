"""alpha_bar of every forward process at every index: the one home that training, pages and figures read, without PyTorch."""

from functools import singledispatch

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.specs.process import AtTimeSpec, CosineSpec, LinearSpec, LogSnrSpec, ProcessSpec

MAX_BETA = 0.999


@singledispatch
def alpha_bars(process: ProcessSpec) -> Float[ndarray, " steps"]:
    """alpha_bar at indices 0 to steps - 1, strictly falling in (0, 1), float64."""
    raise TypeError(f"{process!r} is no forward process")


@alpha_bars.register
def _(process: LinearSpec) -> Float[ndarray, " steps"]:
    """prod_{s<=t} (1 - beta_s)."""
    index = np.arange(process.steps)
    step = np.longdouble((process.beta_max - process.beta_min) / (process.steps - 1))
    # From either end, and rounded once: as the linspace of PyTorch did, from which runs before had their noise.
    beta = np.where(index < process.steps // 2, process.beta_min + step * index, process.beta_max - step * index[::-1])
    return np.cumprod(1 - beta.astype(np.float64))


@alpha_bars.register
def _(process: CosineSpec) -> Float[ndarray, " steps"]:
    """f(t) = cos^2((t/T + s)/(1 + s) pi/2), beta_t = min(1 - f(t+1)/f(t), 0.999)."""
    time = np.linspace(0, 1, process.steps + 1)
    f = np.cos((time + process.offset) / (1 + process.offset) * np.pi / 2) ** 2
    return np.cumprod(1 - np.minimum(1 - f[1:] / f[:-1], MAX_BETA))


@alpha_bars.register
def _(process: LogSnrSpec) -> Float[ndarray, " steps"]:
    """1 / (1 + exp(-log_snr))."""
    return 1 / (1 + np.exp(-np.linspace(process.log_snr_max, process.log_snr_min, process.steps)))


@alpha_bars.register
def _(process: AtTimeSpec) -> Float[ndarray, " steps"]:
    """exp(-2 t), once."""
    return np.exp([-2 * process.t])
