"""The energy of images by radial Fourier band and by group of principal components, and what a linear filter leaves of it. Torch-free."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Inexact, Int
from numpy import ndarray

from tauscope.metrics.frechet import PrincipalComponents

_NO_VARIANCE = 1e-12  # Of the largest component's, below which there is none but rounding.
Images = Float[ndarray, "item channel height width"]


@dataclass(frozen=True)
class Basis(ABC):
    """An orthonormal basis whose coefficients fall into parts.

    Attributes:
        part: the part of each coefficient, below ``count``.
        count: how many parts there are.
    """

    part: Int[ndarray, " coefficient"]
    count: int

    @abstractmethod
    def coefficients(self, images: Images) -> Inexact[ndarray, "item coefficient"]:
        """The coefficients of each image."""

    def energy(self, images: Images) -> Float[ndarray, "item part"]:
        """The energy |x|^2 of each image in each part."""
        return self._summed(np.square(np.abs(self.coefficients(images))))

    def power(self, about_mean: Images) -> Float[ndarray, " coefficient"]:
        """The mean square of each coefficient over images that are given about their mean."""
        return np.square(np.abs(self.coefficients(about_mean))).mean(0)

    def filter_error(self, power: Float[ndarray, " coefficient"], noise: float) -> Float[ndarray, " part"]:
        """The relative error of the best filter that scales each coefficient by itself (Wiener 1949), by part.

        Of a coefficient of power l, seen in noise of variance s, it leaves l s / (l + s) on average; that is the least any denoiser
        leaves where the coefficients are independent Gaussians, and more than one can reach that uses how they depend on each other.

        Args:
            power: of each coefficient, see ``power``.
            noise: the variance s of the noise of x_t / sqrt(alpha_bar), (1 - alpha_bar) / alpha_bar.

        Returns:
            Left over energy / energy, NaN where a part has none.
        """
        left, whole = (np.bincount(self.part, weights, minlength=self.count) for weights in (power * noise / (power + noise), power))
        return np.divide(left, whole, out=np.full(self.count, np.nan), where=whole > 0)

    def filter_energy(
        self, about_mean: Images, eps: Images, power: Float[ndarray, " coefficient"], noise: float
    ) -> Float[ndarray, "item part"]:
        """What that filter leaves of each noised image, about_mean + sqrt(noise) eps, in each part."""
        gain = power / (power + noise)
        left = (gain - 1) * self.coefficients(about_mean) + gain * noise**0.5 * self.coefficients(eps)
        return self._summed(np.square(np.abs(left)))

    def _summed(self, power: Float[ndarray, "item coefficient"]) -> Float[ndarray, "item part"]:
        return np.stack([power[:, self.part == k].sum(1) for k in range(self.count)], axis=1)


@dataclass(frozen=True)
class FourierBands(Basis):
    """The orthonormal 2-D Fourier transform of each channel in radial bands."""

    @classmethod
    def of(cls, shape: tuple[int, int, int], band_of: Callable[[float], int], count: int) -> "FourierBands":
        """Bands over |k| in cycles per image; ``band_of`` gives the band of a radius, ``shape`` is (channel, height, width)."""
        channels, height, width = shape
        radius = np.hypot(height * np.fft.fftfreq(height)[:, None], width * np.fft.fftfreq(width)[None, :])
        return cls(np.tile(np.vectorize(band_of, otypes=[int])(radius).ravel(), channels), count)

    def coefficients(self, images: Images) -> Inexact[ndarray, "item coefficient"]:
        return np.fft.fft2(images, norm="ortho").reshape(len(images), -1)


@dataclass(frozen=True)
class ComponentGroups(Basis):
    """The principal components of the training images in groups, and all directions in which these do not vary.

    Attributes:
        components: those with variance, the largest first.
    """

    components: PrincipalComponents

    @classmethod
    def of(cls, train: Images, group_of: Callable[[int], int], count: int) -> "ComponentGroups":
        """Fit the components; ``group_of`` gives the group of a rank, 1 for the first."""
        fitted = PrincipalComponents.of(train, min(len(train) - 1, train[0].size))
        variance = fitted.features(train).var(0)
        rank = int((variance > _NO_VARIANCE * variance.max()).sum())
        kept = PrincipalComponents(fitted.mean, fitted.axes[:, :rank])
        return cls(np.array([group_of(k + 1) for k in range(rank)]), count, kept)

    def coefficients(self, images: Images) -> Inexact[ndarray, "item coefficient"]:
        return images.reshape(len(images), -1) @ self.components.axes

    def energy(self, images: Images) -> Float[ndarray, "item part"]:
        """The energy of each image in each group; a last column holds all that lies outside the training images' span."""
        inside = super().energy(images)
        return np.column_stack([inside, np.clip(np.square(images).sum((1, 2, 3)) - inside.sum(1), 0, None)])
