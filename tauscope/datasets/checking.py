"""What is at a place, said before a run is launched on it: every image read once, counted by size and mode, and a spec to start from."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

from tauscope.datasets.card import READ_ALL, SHEET_SIZE
from tauscope.datasets.duplicates import find_duplicates
from tauscope.datasets.fixed_order import FixedRandomOrder
from tauscope.datasets.image_bytes import SIXTEEN_BITS, Decoded
from tauscope.datasets.image_list import ImageList, UnreadableImageError
from tauscope.datasets.layout import printable
from tauscope.datasets.named_arrays import ArrayBlocks
from tauscope.datasets.preparing import square_of
from tauscope.datasets.source import ImageSource
from tauscope.specs.dataset import DatasetSpec

SHOWN_UNREADABLE = 10
SHOWN_KINDS = 20
LEAST_TRAINED, LEAST_HELD_OUT = 2, 32  # the bounds of DatasetSpec
SMALLEST_SIZE, LARGEST_SIZE, LARGEST_N = 8, 64, 1024
_DARK = 64


@dataclass(frozen=True)
class Kind:
    """How many images have one size and mode, and what is done to them."""

    width: int
    height: int
    mode: str
    treatment: str
    n_images: int


@dataclass(frozen=True)
class Check:
    """The report; ``problem`` is empty where a run could be launched with ``spec``.

    ``n_equal`` and ``n_near``, as on a `Card`: images of which another is equal, or nearly; ``None`` of more than ``READ_ALL``.
    """

    path: str
    recognised: str
    n_images: int
    n_unreadable: int
    unreadable: tuple[str, ...]
    kinds: tuple[Kind, ...]
    n_kinds: int
    classes: tuple[tuple[str, int], ...]
    n_equal: int | None
    n_near: int | None
    n_held_out: int
    n_trainable: int
    notes: tuple[str, ...]
    spec: dict[str, Any]
    problem: str = ""
    remedy: str = ""


@runtime_checkable
class _Decoding(Protocol):
    def decoded(self, index: int) -> Decoded: ...


@dataclass
class _Seen:
    """What reading all images has shown."""

    kinds: Counter[tuple[int, int, str, str]]
    unreadable: list[str]
    coloured: bool = False
    brightest_deep: int = -1
    short_edge: int = 0
    sketches: list[ndarray] = field(default_factory=list)

    @property
    def n_readable(self) -> int:
        return sum(self.kinds.values())

    def count(self, decoded: Decoded) -> None:
        """Take note of one image."""
        height, width, channels = decoded.pixels.shape
        self.kinds[width, height, decoded.mode, decoded.treatment] += 1
        self.short_edge = min(self.short_edge or width, width, height)
        # Grey pictures are often stored with three equal channels.
        self.coloured = self.coloured or (channels == 3 and bool(np.ptp(decoded.pixels, axis=2).any()))
        if SIXTEEN_BITS in decoded.treatment:
            self.brightest_deep = max(self.brightest_deep, int(decoded.pixels.max()))


def check_images(source: ImageSource, path: str, progress: Callable[[int, int], None] = lambda done, total: None) -> Check:
    """Read every image at a path once.

    Raises:
        DatasetError: if the place is nothing that the source opens.
    """
    opened = source.open(path)
    images = opened.images if isinstance(opened, FixedRandomOrder) else opened
    seen = _read_all(images, progress)
    defaults = DatasetSpec()
    n_equal, n_near = _twins(seen.sketches)
    problem, remedy = _problem(seen, len(images), arrays=isinstance(images, ArrayBlocks))
    return Check(
        path=str(Path(path).expanduser().absolute()),
        recognised=str(getattr(images, "words", source.description)),
        n_images=len(images),
        n_unreadable=len(seen.unreadable),
        unreadable=tuple(seen.unreadable[:SHOWN_UNREADABLE]),
        kinds=tuple(Kind(*kind, count) for kind, count in seen.kinds.most_common(SHOWN_KINDS)),
        n_kinds=len(seen.kinds),
        classes=_classes(images),
        n_equal=n_equal,
        n_near=n_near,
        n_held_out=defaults.n_held_out,
        n_trainable=max(0, seen.n_readable - defaults.n_held_out),
        notes=(*_notes(seen, defaults), *(images.notes if isinstance(images, ArrayBlocks) else ())),
        spec={} if seen.n_readable < LEAST_TRAINED + LEAST_HELD_OUT else _spec(source.name, path, seen, defaults),
        problem=problem,
        remedy=remedy,
    )


def _read_all(images: ImageList, progress: Callable[[int, int], None]) -> _Seen:
    seen = _Seen(Counter(), [])
    for index in range(len(images)):
        try:
            decoded = _decoded(images, index)
            sketch = square_of(images, index, decoded.pixels, size=SHEET_SIZE, colour=False)
            seen.count(decoded)
            seen.sketches += [sketch] if len(images) <= READ_ALL else []
        except UnreadableImageError as error:
            seen.unreadable.append(str(error))
        progress(index + 1, len(images))
    return seen


def _decoded(images: ImageList, index: int) -> Decoded:
    if isinstance(images, _Decoding):
        return images.decoded(index)
    pixels = images.picture(index)
    return Decoded(pixels, "grey" if pixels.shape[2] == 1 else "colour", "")


def _twins(sketches: list[ndarray]) -> tuple[int, int] | tuple[None, None]:
    if not sketches:
        return None, None
    pixels = np.stack(sketches)
    found = find_duplicates(pixels, pixels[:0])
    return found.train_equal, found.train_near


def _classes(images: ImageList) -> tuple[tuple[str, int], ...]:
    labels = images.labels()
    if labels is None:
        return ()
    names = getattr(images, "classes", ())
    numbers, counts = np.unique(labels, return_counts=True)
    return tuple(
        (printable(names[number]) if 0 <= number < len(names) else str(number), count)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
    )


def _problem(seen: _Seen, n_images: int, *, arrays: bool) -> tuple[str, str]:
    least = LEAST_TRAINED + LEAST_HELD_OUT
    if seen.unreadable:
        skip = ", or set dataset.unreadable to skip" if seen.n_readable >= least else ""
        return f"{len(seen.unreadable):,} of {n_images:,} images cannot be read", f"Replace them by intact copies or remove them{skip}"
    if seen.n_readable < least:
        array = "; one array of two axes is one image: save many as NHW" if n_images == 1 and arrays else ""
        return (
            f"{n_images:,} {'images are' if n_images != 1 else 'image is'} too few: "
            f"a run needs {LEAST_TRAINED} to train on and {LEAST_HELD_OUT} held out",
            f"Add images until there are at least {least}{array}",
        )
    return "", ""


def _notes(seen: _Seen, defaults: DatasetSpec) -> tuple[str, ...]:
    notes = []
    if 0 <= seen.brightest_deep < _DARK:
        notes.append(
            f"the 16-bit images use {(seen.brightest_deep + 1) / 256:.1%} of their range, so that they come out nearly black; "
            "if they hold 12 bits, multiply the pixels by 16 first"
        )
    if LEAST_TRAINED + LEAST_HELD_OUT <= seen.n_readable < defaults.n_held_out + LEAST_TRAINED:
        notes.append(f"too few for the default of {defaults.n_held_out:,} held out; the spec holds out {_held_out(seen, defaults):,}")
    if small := sum(kind[1] for kind in seen.kinds.items() if min(kind[0][:2]) < SMALLEST_SIZE):
        notes.append(f"{small:,} images are smaller than {SMALLEST_SIZE} pixels, the least size of a run, and would be enlarged")
    return tuple(notes)


def _spec(name: str, path: str, seen: _Seen, defaults: DatasetSpec) -> dict[str, Any]:
    n_held_out = _held_out(seen, defaults)
    spec = DatasetSpec(
        name=name,
        path=str(Path(path).expanduser().absolute()),
        n_train=min(_power_of_two(seen.n_readable - n_held_out), LARGEST_N),
        size=max(SMALLEST_SIZE, min(_power_of_two(seen.short_edge), LARGEST_SIZE)),
        n_held_out=n_held_out,
        colour=seen.coloured,
        unreadable="skip" if seen.unreadable else "fail",
    )
    return spec.model_dump(mode="json", exclude_defaults=True) | {"n_train": spec.n_train, "size": spec.size, "n_held_out": n_held_out}


def _held_out(seen: _Seen, defaults: DatasetSpec) -> int:
    enough = seen.n_readable >= defaults.n_held_out + LEAST_TRAINED
    return defaults.n_held_out if enough else max(LEAST_HELD_OUT, seen.n_readable // 2)


def _power_of_two(bound: int) -> int:
    return 1 << (max(bound, 1).bit_length() - 1)
