"""A 64-bit hash of what an image looks like: images that differ by compression or brightness differ in few bits."""

import numpy as np
from jaxtyping import Float, UInt8, UInt64
from numpy import ndarray

BITS = 64
_BLOCK = 4096


def perceptual_hashes(pixels: UInt8[ndarray, "image channel height width"]) -> UInt64[ndarray, " image"]:
    """One hash an image; the lowest frequencies, which compression changes least, are the lowest bits.

    The bits are signs of the lowest coefficients of the cosine transform of the grey image, as in pHash (Zauner 2010), without the
    constant one, so that brightness does not count. The sign is taken against the median of the given images, for then
    each bit divides them in halves; hashes of two calls are not comparable.
    """
    spectra = np.concatenate([_spectrum(pixels[start : start + _BLOCK]) for start in range(0, len(pixels), _BLOCK)])
    bits = spectra > np.median(spectra, axis=0)
    padded = np.zeros((len(bits), BITS), bool)
    padded[:, : bits.shape[1]] = bits
    return np.packbits(padded, axis=1, bitorder="little").view("<u8")[:, 0].astype(np.uint64)


def _spectrum(pixels: UInt8[ndarray, "image channel height width"]) -> Float[ndarray, "image coefficient"]:
    """Up to 64 coefficients of the lowest frequencies, lowest first, without the constant one."""
    grey = pixels.mean(axis=1, dtype=np.float32)
    down, across = (_cosines(edge) for edge in grey.shape[1:])
    coefficients = down @ grey @ across.T
    lowest = sorted(((i, j) for i in range(len(down)) for j in range(len(across))), key=lambda at: (at[0] ** 2 + at[1] ** 2, at))
    rows, columns = zip(*lowest[1 : BITS + 1], strict=True)
    return np.ascontiguousarray(coefficients[:, rows, columns])


def _cosines(edge: int) -> Float[ndarray, "frequency place"]:
    places = (np.arange(edge) + 0.5) * np.pi / edge
    return np.cos(np.arange(min(edge, 16))[:, None] * places).astype(np.float32)
