"""The energy of images by radial Fourier band and by group of principal components, and what a linear filter leaves of it. Torch-free."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from tauscope.metrics.frechet import PrincipalComponents

_NO_VARIANCE = 1e-12  # Of the largest component's, below which there is none but rounding.


@dataclass(frozen=True)
class FourierBands:
    """Radial bands of the orthonormal 2-D Fourier transform.

    Attributes:
        band: the band of each frequency, in the order of ``numpy.fft.fft2``.
        count: how many bands there are.
    """

    band: Int[ndarray, "height width"]
    count: int

    @classmethod
    def of(cls, height: int, width: int, band_of: Callable[[float], int], count: int) -> "FourierBands":
        """Bands over |k| in cycles per image; ``band_of`` gives the band of a radius."""
        radius = np.hypot(height * np.fft.fftfreq(height)[:, None], width * np.fft.fftfreq(width)[None, :])
        return cls(np.vectorize(band_of, otypes=[int])(radius), count)

    def power(self, images: Float[ndarray, "item channel height width"]) -> Float[ndarray, "item coefficient"]:
        """|F x|^2 of every coefficient, those of all channels together; its sum is |x|^2 (Parseval)."""
        return np.square(np.abs(np.fft.fft2(images, norm="ortho"))).sum(1).reshape(len(images), -1)

    def energy(self, images: Float[ndarray, "item channel height width"]) -> Float[ndarray, "item band"]:
        """The energy of each image in each band."""
        return _summed(self.power(images), self.band.ravel(), self.count)

    def filtered(self, about_mean: Float[ndarray, "item channel height width"], noise: float) -> Float[ndarray, " band"]:
        """What the best filter of each coefficient leaves of the energy, as a share of it; see ``filter_error``."""
        channels = np.square(np.abs(np.fft.fft2(about_mean, norm="ortho"))).mean(0)
        power, band = channels.reshape(-1), np.tile(self.band.ravel(), len(channels))
        return filter_error(power, band, self.count, noise)


@dataclass(frozen=True)
class ComponentGroups:
    """Groups of the principal components of the training images, and all directions in which these do not vary.

    Attributes:
        components: the components with variance, the largest first.
        group: the group of each.
        count: how many groups there are; the directions without variance are one more.
    """

    components: PrincipalComponents
    group: Int[ndarray, " component"]
    count: int

    @classmethod
    def of(cls, train: Float[ndarray, "item channel height width"], group_of: Callable[[int], int], count: int) -> "ComponentGroups":
        """Fit the components; ``group_of`` gives the group of a rank, 1 for the first."""
        fitted = PrincipalComponents.of(train, min(len(train) - 1, train[0].size))
        variance = fitted.features(train).var(0)
        rank = int((variance > _NO_VARIANCE * variance.max()).sum())
        kept = PrincipalComponents(fitted.mean, fitted.axes[:, :rank])
        return cls(kept, np.array([group_of(k + 1) for k in range(rank)]), count)

    def energy(self, images: Float[ndarray, "item channel height width"]) -> Float[ndarray, "item group"]:
        """The energy of each image in each group; the last column is all that lies outside the training images' span."""
        flat = images.reshape(len(images), -1)
        power = np.square(flat @ self.components.axes)
        outside = np.square(flat).sum(1) - power.sum(1)
        return np.column_stack([_summed(power, self.group, self.count), np.clip(outside, 0, None)])

    def filtered(self, about_mean: Float[ndarray, "item channel height width"], noise: float) -> Float[ndarray, " group"]:
        """What the best filter of each component leaves of the energy, as a share of it; see ``filter_error``."""
        power = np.square(about_mean.reshape(len(about_mean), -1) @ self.components.axes).mean(0)
        return filter_error(power, self.group, self.count, noise)


def filter_error(
    power: Float[ndarray, " coefficient"], group: Int[ndarray, " coefficient"], count: int, noise: float
) -> Float[ndarray, " group"]:
    """The relative error of the best filter that scales each coefficient by itself (Wiener 1949), by group.

    Of a coefficient of power l, seen in noise of variance s, it leaves l s / (l + s) on average; that is the least any denoiser leaves
    where the coefficients are independent Gaussians, and more than a denoiser can reach that uses how they depend on each other.

    Args:
        power: the mean square of each coefficient about its mean.
        group: the group of each, below ``count``.
        noise: the variance of the noise of x_t / sqrt(alpha_bar), (1 - alpha_bar) / alpha_bar.

    Returns:
        Left over energy / energy, NaN where a group has none.
    """
    left, whole = (np.bincount(group, weights, minlength=count) for weights in (power * noise / (power + noise), power))
    return np.divide(left, whole, out=np.full(count, np.nan), where=whole > 0)


def _summed(power: Float[ndarray, "item coefficient"], group: Int[ndarray, " coefficient"], count: int) -> Float[ndarray, "item group"]:
    return np.stack([power[:, group == k].sum(1) for k in range(count)], axis=1)
