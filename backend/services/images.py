"""Images of a run as PNG: one image, or a sheet of many in tiles of known place."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from backend.services.context import Context
from backend.services.errors import NoImageError
from backend.services.experiments import invalid_field, required_run
from backend.services.image_cache import Pixels
from backend.services.image_numbers import COLUMNS
from backend.services.samples import sample_file
from backend.storage.files import find_file
from backend.storage.reading import reading
from backend.storage.tables import RunFile
from tauscope.contracts.samples import version_of

MAX_SCALE = 64
MAX_EDGE = 2048
MAX_SHEET_PIXELS = 40_000_000

Of = Literal["generated", "nearest", "second"]
"""Which image of a card: the sample itself, or its nearest or second-nearest training image."""


@dataclass(frozen=True)
class Picture:
    """Images of one array in the store, by number, in the order of their tiles.

    ``version`` is that of the content an address names: with it in the address, the pixels are good for ever.
    """

    sha256: str
    array: str
    images: tuple[int, ...]
    scale: int
    columns: int
    version: str

    @property
    def etag(self) -> str:
        """Changes exactly when the pixels do."""
        content = repr((self.sha256, self.array, self.images, self.scale, self.columns))
        return f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'


class Sheet(NamedTuple):
    """A PNG of tiles, row by row: image i stands in column i mod ``columns`` and row i // ``columns``."""

    png: bytes
    columns: int
    tile_width: int
    tile_height: int


def sample_picture(context: Context, run_id: str, step: str, index: int, scale: int) -> Picture:
    """One generated sample."""
    sha256 = sample_file(context, run_id, step).sha256
    return Picture(sha256, "samples", (index,), scale, 1, version_of(sha256))


def sample_sheet(context: Context, run_id: str, step: str, of: Of, numbers: Sequence[int] | None, scale: int) -> Picture:
    """Samples of a checkpoint, or the training images nearest to them, in the order of ``numbers``."""
    sha256 = sample_file(context, run_id, step).sha256
    nearest = context.images.neighbours(sha256).nearest
    chosen = known(range(min(len(nearest), COLUMNS**2)) if numbers is None else numbers, len(nearest))
    if of == "generated":
        return Picture(sha256, "samples", chosen, scale, COLUMNS, version_of(sha256))
    images = tuple(nearest[list(chosen), 0 if of == "nearest" else 1].tolist())
    return Picture(train_file(context, run_id).sha256, "images", images, scale, COLUMNS, version_of(sha256))


def train_picture(context: Context, run_id: str, index: int, scale: int) -> Picture:
    """One training image."""
    sha256 = train_file(context, run_id).sha256
    return Picture(sha256, "images", (index,), scale, 1, version_of(sha256))


def train_sheet(context: Context, run_id: str, numbers: Sequence[int] | None, scale: int) -> Picture:
    """Training images by number."""
    sha256 = train_file(context, run_id).sha256
    count = len(context.images.load(sha256, "images"))
    chosen = range(min(count, COLUMNS**2)) if numbers is None else numbers
    return Picture(sha256, "images", known(chosen, count), scale, COLUMNS, version_of(sha256))


def train_file(context: Context, run_id: str) -> RunFile:
    """The file of the training images.

    Raises:
        NoImageError: if the run has not stored them yet.
    """
    with reading(context.sessions) as session:
        required_run(session, run_id)
        file = find_file(session, run_id, "train")
    if file is None:
        raise NoImageError(f"Run {run_id} has not stored its training images yet", "They come with its first news")
    return file


def known(numbers: Sequence[int], count: int) -> tuple[int, ...]:
    """The numbers, all of images there are.

    Raises:
        NoImageError: if one is beyond the last image.
    """
    beyond = next((number for number in numbers if number >= count), None)
    if beyond is not None:
        raise NoImageError(f"There is no image {beyond}: they are numbered 0 to {count - 1}", "Choose one of these")
    return tuple(numbers)


def draw(context: Context, picture: Picture) -> Sheet:
    """Draw a picture; pixels are repeated, never smoothed.

    Raises:
        NoImageError: if a number is beyond the last image.
        InvalidRequestError: if it would be too large.
    """
    images = context.images.load(picture.sha256, picture.array)
    return sheet_of(images[list(known(picture.images, len(images)))], columns=picture.columns, scale=picture.scale)


def sheet_of(images: Pixels, *, columns: int, scale: int) -> Sheet:
    """Images as tiles of one PNG.

    Raises:
        InvalidRequestError: if it would be too large.
    """
    rows = -(-len(images) // columns)
    height, width = (edge * scale for edge in images.shape[2:])
    too_large = max(height, width) > MAX_EDGE or rows * columns * height * width > MAX_SHEET_PIXELS
    if too_large:
        raise invalid_field("query.scale", f"{scale} makes the picture too large", "Use a smaller scale, or fewer images")
    return Sheet(_png(_enlarge(_tile(images, rows, columns), scale)), columns, width, height)


def _tile(images: Pixels, rows: int, columns: int) -> Pixels:
    """[image, channel, height, width] to one [rows * height, columns * width, channel], empty places black."""
    count, channels, height, width = images.shape
    padded = np.zeros((rows * columns, channels, height, width), np.uint8)
    padded[:count] = images
    grid = padded.reshape(rows, columns, channels, height, width)
    return grid.transpose(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)


def _enlarge(pixels: Pixels, scale: int) -> Pixels:
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def _png(pixels: Pixels) -> bytes:
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
