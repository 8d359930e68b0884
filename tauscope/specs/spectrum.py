"""Where in frequency and at which noise levels the model errs: what is asked of a run."""

import math

from tauscope.specs.model import SpecModel
from tauscope.specs.process import ProcessSpec
from tauscope.specs.shown import shown

FACTOR = 4  # Each group of principal components ends at so many times the rank of the one before.


class SpectrumSpec(SpecModel):
    """The denoiser's error by Fourier band and by principal component of the training images, wherever the losses are measured."""

    index: int = shown(100, "Index", "0-based index into beta at which images are noised and denoised", ge=0)
    bands: int = shown(4, "Fourier bands", "radial bands, each ending at the same multiple of the one before", ge=2, le=32)
    components: int = shown(
        3, "Component groups", "groups of principal components: 1 to 4, 5 to 16 and so on, the last one all others", ge=1, le=10
    )

    def edges(self, size: int) -> tuple[float, ...]:
        """The upper ends of the bands in cycles per image; the last band also holds the corners of the spectrum beyond its end."""
        half = max(size / 2, 1.0)
        return tuple(half ** (k / (self.bands - 1)) for k in range(self.bands))

    def empty_band(self, size: int) -> int | None:
        """The first band without any frequency of an image of that size."""
        ends = self.edges(size)
        found = {self.band_of(math.hypot(a, b), ends) for a in range(size // 2 + 1) for b in range(size // 2 + 1)}
        return next((k for k in range(self.bands) if k not in found), None)

    @staticmethod
    def band_of(radius: float, ends: tuple[float, ...]) -> int:
        """The band of a radius; a radius that is an end belongs to the band that it ends, whatever rounding says."""
        return next((k for k, end in enumerate(ends) if radius <= end * (1 + 1e-9)), len(ends) - 1)

    def group_of(self, rank: int) -> int:
        """The group of a principal component by its rank, 1 for the one of largest variance."""
        return next(k for k in range(self.components) if rank <= FACTOR ** (k + 1) or k == self.components - 1)


class LossGridSpec(SpecModel):
    """Training and held-out loss over all noise levels, wherever samples are drawn."""

    count: int = shown(12, "Noise levels", "evenly spaced in the logarithm of the index, over all that are trained", ge=2, le=64)
    pairs: int = shown(
        256, "Pairs", "fixed (image, noise) pairs per set and noise level that a loss averages", ge=32, le=100_000, unit="pairs"
    )

    def indices(self, process: ProcessSpec) -> tuple[int, ...]:
        """The 0-based indices into beta, increasing and distinct; rounding may merge the lowest."""
        first, last = process.first_trained_index + 1, process.steps
        ratio = math.log(last / first) / (self.count - 1)
        return tuple(sorted({round(first * math.exp(ratio * k)) - 1 for k in range(self.count)}))
