"""Images that stand in arrays with names, as .npz files and saved dictionaries of tensors hold them: which are images, which labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.image_bytes import SIXTEEN_BITS, Decoded, scale_sixteen_bits
from tauscope.datasets.source import DatasetError

_IMAGES = ("images", "image", "x", "data", "samples", "arr_0")
_LABELS = ("labels", "label", "y", "targets", "target", "arr_1")
_SPLITS = ("train", "val", "valid", "test")
_ROWS = 4096
_EDGE = 1e-3  # float32 of a normalisation written in another order misses the ends by less


@dataclass(frozen=True)
class Block:
    """Images of one array, and their labels where there are any."""

    name: str
    images: ndarray
    labels: Int[ndarray, " image"] | None
    note: str = ""  # Why labels that are there are not used.


def find_blocks(arrays: Mapping[str, ndarray], where: str) -> list[Block]:
    """The arrays of images by their names, in the order of train, validation and test where they are split.

    Raises:
        DatasetError: if no array, or more than one, could be the images; it lists the names and shapes.
    """
    names = {name.lower(): name for name in arrays}
    pairs = _split_pairs(names) or _plain_pair(names) or _only_candidate(arrays)
    if not pairs:
        listed = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in arrays.items()) or "nothing"
        raise DatasetError(
            f"{where} holds no array that is known to be the images: it has {listed}", "Name the images `images` and the labels `labels`"
        )
    return [_block(arrays[image], arrays.get(label or ""), f"{where}[{image}]") for image, label in pairs]


def _split_pairs(names: Mapping[str, str]) -> list[tuple[str, str | None]]:
    pairs = []
    for split in _SPLITS:
        image = next((names[key] for stem in _IMAGES for key in (f"{stem}_{split}", f"{split}_{stem}") if key in names), None)
        label = next((names[key] for stem in _LABELS for key in (f"{stem}_{split}", f"{split}_{stem}") if key in names), None)
        if image is not None:
            pairs.append((image, label))
    return pairs


def _plain_pair(names: Mapping[str, str]) -> list[tuple[str, str | None]]:
    image = next((names[key] for key in _IMAGES if key in names), None)
    label = next((names[key] for key in _LABELS if key in names), None)
    return [] if image is None else [(image, label)]


def _only_candidate(arrays: Mapping[str, ndarray]) -> list[tuple[str, str | None]]:
    candidates = [name for name, array in arrays.items() if array.ndim >= 3]
    # Among many arrays, as a network's weights are, one of images would have a name.
    return [(candidates[0], None)] if len(candidates) == 1 and len(arrays) <= 2 else []


def _block(images: ndarray, labels: ndarray | None, where: str) -> Block:
    shaped = _channels_last(images, where)
    if labels is None or labels.ndim == 0:
        return Block(where, shaped, None)
    classes = _class_numbers(labels, len(shaped), where)
    note = f"the labels of {where} are not used: they are {labels.dtype}{list(labels.shape)}, not one whole number an image"
    return Block(where, shaped, classes, note if classes is None else "")


def _class_numbers(labels: ndarray, n_images: int, where: str) -> Int[ndarray, " image"] | None:
    flat = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if len(flat) != n_images:
        raise DatasetError(f"{where} has {n_images:,} images and {len(flat):,} labels", "Save as many labels as images")
    # Several labels an image, or real numbers, are no classes: the images are used without.
    return np.asarray(flat).astype(np.int64) if flat.ndim == 1 and flat.dtype.kind in "iub" else None


def _channels_last(images: ndarray, where: str) -> ndarray:
    """View the array as NHWC.

    Raises:
        DatasetError: if the shape is not that of images with one channel or three, or could be read in two ways.
    """
    shape = "x".join(map(str, images.shape))
    if 0 in images.shape:
        raise DatasetError(f"{where} is empty: its shape is {shape}", "Save the array again with the images in it")
    if images.ndim == 2:
        return images[None, :, :, None]
    if images.ndim == 3:
        return images[None] if images.shape[2] in (1, 3) and min(images.shape[:2]) > 3 else images[:, :, :, None]
    if images.ndim != 4:
        raise DatasetError(f"{where} has {images.ndim} axes ({shape})", "Save it as HW, NHW, NHWC or NCHW")
    last, second = images.shape[3] in (1, 3), images.shape[1] in (1, 3)
    if last == second:
        what = "either axis could be the channels" if last else "neither axis 1 nor axis 3 is a channel axis of 1 or 3"
        raise DatasetError(f"{where} has the shape {shape}: {what}", "Save it as NHWC or NCHW with 1 channel or 3; leave transparency out")
    return images if last else images.transpose(0, 2, 3, 1)


class ArrayBlocks:
    """An ``ImageList`` over arrays, the one after the other; nothing is copied until a picture is asked for."""

    def __init__(self, blocks: list[Block], *, words: str, fingerprint: str) -> None:
        for block in blocks:
            _refuse_type(block)
        self.classes: tuple[str, ...] = ()
        self._blocks = blocks
        self._starts = np.cumsum([0, *(len(block.images) for block in blocks)])
        self.words = words
        self.notes = tuple(block.note for block in blocks if block.note)
        self._fingerprint = fingerprint

    def __len__(self) -> int:
        return int(self._starts[-1])

    def picture(self, index: int) -> UInt8[ndarray, "height width channel"]:
        return self.decoded(index).pixels

    def decoded(self, index: int) -> Decoded:
        """The picture with the type of its numbers and what was done to them.

        Raises:
            DatasetError: if the floating-point pixels of the arrays are in no known range.
        """
        block, row = self._find(index)
        pixels = np.array(block.images[row])
        kind = pixels.dtype
        if kind.kind == "f":
            return Decoded(_shades(pixels, self._black), str(kind), f"{self._black:g} to 1 scaled to 0 to 255")
        if kind.itemsize == 2:
            return Decoded(scale_sixteen_bits(pixels), str(kind), SIXTEEN_BITS)
        return Decoded(pixels, str(kind), "")

    def place(self, index: int) -> str:
        block, row = self._find(index)
        return f"image {row} of {block.name}"

    def labels(self) -> Int[ndarray, " image"] | None:
        parts = [block.labels for block in self._blocks if block.labels is not None]
        return np.concatenate(parts) if len(parts) == len(self._blocks) else None

    def fingerprint(self) -> str:
        return self._fingerprint

    def _find(self, index: int) -> tuple[Block, int]:
        number = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self._blocks[number], index - int(self._starts[number])

    @cached_property
    def _black(self) -> float:
        """What stands for black in the floating-point arrays, of which 1 is white: 0, or -1 where any pixel is below zero."""
        floats = [block for block in self._blocks if block.images.dtype.kind == "f"]
        ends = [_ends(block) for block in floats]
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        if low < -1 - _EDGE or high > 1 + _EDGE:
            raise DatasetError(
                f"{floats[0].name} holds floating-point pixels from {low:g} to {high:g}",
                "Save them in [0, 1] or [-1, 1], or as uint8 in 0 to 255",
            )
        return -1.0 if low < -_EDGE else 0.0


def _refuse_type(block: Block) -> None:
    kind = block.images.dtype
    if kind.kind != "f" and not (kind.kind == "u" and kind.itemsize <= 2):
        raise DatasetError(f"{block.name} holds {kind}", "Save it as uint8 in 0 to 255, or as floats in [0, 1] or [-1, 1]")


def _shades(pixels: ndarray, black: float) -> UInt8[ndarray, "height width channel"]:
    return np.rint(np.clip((pixels.astype(np.float64) - black) / (1 - black), 0, 1) * 255).astype(np.uint8)


def _ends(block: Block) -> tuple[float, float]:
    """Lowest and highest pixel, read a few thousand images at a time: a mapped file may be larger than the memory."""
    low, high = np.inf, -np.inf
    for start in range(0, len(block.images), _ROWS):
        part = block.images[start : start + _ROWS]
        finite = np.isfinite(part)
        if not finite.all():
            row = start + int(np.argmin(finite.reshape(len(part), -1).all(axis=1)))
            raise DatasetError(f"{block.name} holds pixels that are NaN or infinite, the first in image {row}", "Remove that image")
        low, high = min(low, float(part.min())), max(high, float(part.max()))
    return low, high
