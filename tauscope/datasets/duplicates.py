"""Images that a run is given twice: in the training slice, where they hide copies, and held out and trained on, where the control leaks."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.near_pairs import first_of_equals, groups, near_pairs

SHOWN_PAIRS = 8


@dataclass(frozen=True)
class TwinPair:
    """Two images of a run that are one picture.

    Args:
        part: ``train``, or ``held_out`` where the first is a held-out image.
        first: its number in that part, from 0.
        second: the number of the training image that it equals.
        rms: root mean square of the difference, each less its mean, in grey levels of 255; ``None`` where every byte is equal.
    """

    part: str
    first: int
    second: int
    rms: float | None


@dataclass(frozen=True)
class Duplicates:
    """How many images of a run are one picture with another.

    Args:
        n_train: training images.
        n_held_out: held-out images.
        train_equal: training images of which another is equal in every byte; f_mem merges these
        train_near: training images of which another one, not equal, is a near duplicate: there d1/d2 of a copy is close to 1.
        held_out_equal: held-out images that equal a training image.
        held_out_near: further held-out images that are near duplicates of one.
        pairs: the first of each kind.
    """

    n_train: int
    n_held_out: int
    train_equal: int
    train_near: int
    held_out_equal: int
    held_out_near: int
    pairs: tuple[TwinPair, ...]

    def remarks(self) -> list[str]:
        """What whoever reads a result should know of it, in sentences; mostly nothing."""
        told = []
        if leaked := self.held_out_equal + self.held_out_near:
            kinds = f"{self.held_out_equal:,} in every byte, {self.held_out_near:,} nearly"
            told.append(f"{leaked:,} of {self.n_held_out:,} held-out images equal a training image ({kinds}): the control is not clean")
        if self.train_near:
            told.append(
                f"{self.train_near:,} of {self.n_train:,} training images ({self.train_near / self.n_train:.1%}) have a near duplicate "
                "among them: copies of these are not counted in f_mem. Set dataset.duplicates to merge to keep one of each"
            )
        if self.train_equal:
            told.append(f"{self.train_equal:,} of {self.n_train:,} training images equal another in every byte; f_mem counts these as one")
        return told

    @property
    def document(self) -> dict[str, Any]:
        return asdict(self)


def find_duplicates(
    train: UInt8[ndarray, "n_train channel height width"], held_out: UInt8[ndarray, "n_held_out channel height width"]
) -> Duplicates:
    """Look for images of the training slice that stand in it twice, and for held-out images that are trained on too."""
    n_train = len(train)
    pixels = np.concatenate([train, held_out])
    equal_to = first_of_equals(pixels)
    distinct = np.unique(equal_to)
    found = near_pairs(pixels[distinct])
    first, second = distinct[found.first], distinct[found.second]  # A group stands for itself by its first, a training image if it has one.
    within, across = second < n_train, (first < n_train) & (second >= n_train)
    is_near = np.isin(equal_to, second[across])
    is_equal = (equal_to < n_train) & (np.arange(len(pixels)) >= n_train)
    repeated = np.isin(np.arange(n_train), np.flatnonzero(np.bincount(equal_to[:n_train], minlength=n_train) > 1))
    train_equal = repeated[equal_to[:n_train]]
    leaks = [TwinPair("held_out", int(index) - n_train, int(equal_to[index]), None) for index in np.flatnonzero(is_equal)[:SHOWN_PAIRS]]
    leaks += _shown("held_out", second[across] - n_train, first[across], found.rms[across])
    repeats = _shown("train", second[within], first[within], found.rms[within])
    later = np.flatnonzero(equal_to[:n_train] != np.arange(n_train))
    repeats += [TwinPair("train", int(index), int(equal_to[index]), None) for index in later[:SHOWN_PAIRS]]
    return Duplicates(
        n_train=n_train,
        n_held_out=len(held_out),
        train_equal=int(train_equal.sum()),
        train_near=int(np.isin(equal_to[:n_train], np.concatenate([first[within], second[within]])).sum()),
        held_out_equal=int(is_equal.sum()),
        held_out_near=int(is_near.sum()),
        pairs=tuple(leaks[:SHOWN_PAIRS] + repeats[:SHOWN_PAIRS]),
    )


def _shown(part: str, first: ndarray, second: ndarray, rms: ndarray) -> list[TwinPair]:
    rows = zip(first.tolist(), second.tolist(), rms.tolist(), strict=True)
    return [TwinPair(part, one, other, round(apart, 2)) for one, other, apart in list(rows)[:SHOWN_PAIRS]]


def one_of_each(pixels: UInt8[ndarray, "image channel height width"]) -> Int[ndarray, " kept"]:
    """The first image of each group of duplicates, equal or near, in order; near duplicates are followed from image to image."""
    equal_to = first_of_equals(pixels)
    distinct = np.unique(equal_to)
    found = near_pairs(pixels[distinct])
    joined = groups(len(distinct), found.first, found.second)
    return distinct[np.unique(joined)]
