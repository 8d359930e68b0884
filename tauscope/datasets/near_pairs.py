"""Pairs of images that are the same picture: proposed by hashes, so that not every pair is looked at, and confirmed in pixels."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt64
from numpy import ndarray

from tauscope.datasets.perceptual_hash import perceptual_hashes

# The stated distance: root mean square difference of two images of equal mean, in grey levels of 255, and as a share of their contrast.
MAX_RMS = 8.0
MAX_RELATIVE = 0.2
# How far hashes of a confirmed pair may lie apart, and how they are looked up: in each of so many tables by so many of the lowest bits.
MAX_BITS = 16
TABLES, KEY_BITS, LOWEST_BITS = 12, 16, 32
# Of images that share a key, each is held against so many next to it in the order of their hashes; bounds what a degenerate set costs.
MAX_COMPARED = 128
_BLOCK = 8192


@dataclass(frozen=True)
class Pairs:
    """Pairs of images that are near duplicates, first < second, in order; ``rms`` is 0 where they differ by brightness alone."""

    first: Int[ndarray, " pair"]
    second: Int[ndarray, " pair"]
    rms: Float[ndarray, " pair"]

    def __len__(self) -> int:
        return len(self.first)


def first_of_equals(pixels: UInt8[ndarray, "image channel height width"]) -> Int[ndarray, " image"]:
    """For each image the first one that is equal to it in every byte; itself mostly."""
    seen: dict[bytes, int] = {}
    rows = (np.ascontiguousarray(image).tobytes() for image in pixels)
    digests = (hashlib.blake2b(row, digest_size=16).digest() for row in rows)
    return np.array([seen.setdefault(digest, index) for index, digest in enumerate(digests)], np.int64)


def near_pairs(pixels: UInt8[ndarray, "image channel height width"]) -> Pairs:
    """Near duplicates among images of which no two are equal.

    Two images are near duplicates if the root mean square of their difference, each less its own mean, is at most
    ``MAX_RMS`` grey levels and at most ``MAX_RELATIVE`` of their contrast (the geometric mean of their standard deviations).
    """
    none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    if len(pixels) < 2:
        return Pairs(*none)
    first, second = _candidates(perceptual_hashes(pixels))
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(first), _BLOCK)]
    found = [_confirmed(pixels, first[block], second[block]) for block in blocks]
    return Pairs(*(np.concatenate(parts) for parts in zip(none, *found, strict=True)))


def groups(n_images: int, first: Int[ndarray, " pair"], second: Int[ndarray, " pair"]) -> Int[ndarray, " image"]:
    """For each image the first one that it is joined to by pairs."""
    root = list(range(n_images))
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        ends = (_root(root, one), _root(root, other))
        root[max(ends)] = min(ends)
    return np.array([_root(root, index) for index in range(n_images)], np.int64)


def _root(root: list[int], index: int) -> int:
    while root[index] != index:
        root[index] = root[root[index]]
        index = root[index]
    return index


def _candidates(hashes: UInt64[ndarray, " image"]) -> tuple[ndarray, ndarray]:
    """Pairs whose hashes agree on all bits of a table's key and are at most ``MAX_BITS`` apart."""
    n_images = len(hashes)
    codes = [first * n_images + second for key in _keys() for first, second in _sharing(hashes, key)]
    first, second = np.divmod(np.unique(np.concatenate(codes or [np.empty(0, np.int64)])), n_images)
    return first, second


def _keys() -> Iterator[np.uint64]:
    """The bits of each table's key; drawn once and for all."""
    draw = np.random.default_rng(0)
    for _ in range(TABLES):
        yield np.bitwise_or.reduce(np.uint64(1) << draw.permutation(LOWEST_BITS)[:KEY_BITS].astype(np.uint64))


def _sharing(hashes: UInt64[ndarray, " image"], key: np.uint64) -> Iterator[tuple[ndarray, ndarray]]:
    keys = hashes & key
    order = np.lexsort((hashes, keys))
    keys, ordered = keys[order], hashes[order]
    here = np.arange(len(order))
    for apart in range(1, min(MAX_COMPARED, len(order) - 1) + 1):
        here = here[: np.searchsorted(here, len(order) - apart)]
        here = here[keys[here] == keys[here + apart]]
        if not len(here):
            return
        near = here[np.bitwise_count(ordered[here] ^ ordered[here + apart]) <= MAX_BITS]
        one, other = order[near], order[near + apart]
        yield np.minimum(one, other), np.maximum(one, other)


def _confirmed(pixels: ndarray, first: ndarray, second: ndarray) -> tuple[ndarray, ndarray, ndarray]:
    one, other = (_centred(pixels[index]) for index in (first, second))
    rms = np.sqrt(np.square(one - other).mean(axis=1))
    contrast = np.sqrt(np.sqrt(np.square(one).mean(axis=1) * np.square(other).mean(axis=1)))
    same = (rms <= MAX_RMS) & (rms <= MAX_RELATIVE * contrast) & (contrast > 0)  # Blank images of two greys show nothing alike.
    return first[same], second[same], rms[same].astype(np.float64)


def _centred(pixels: ndarray) -> Float[ndarray, "image value"]:
    values = pixels.reshape(len(pixels), -1).astype(np.float32)
    return values - values.mean(axis=1, keepdims=True)
