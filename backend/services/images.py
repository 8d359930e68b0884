"""Images of a run as PNG: single samples, training images, and all samples of a checkpoint in one sheet."""

import io
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

from backend.services.context import Context
from backend.services.errors import NoImageError
from backend.services.experiments import invalid_field, required_run
from backend.services.image_cache import Pixels
from backend.services.samples import sample_file
from backend.storage.files import find_file
from backend.storage.reading import reading

MAX_SCALE = 64
MAX_EDGE = 2048
MAX_SHEET_PIXELS = 40_000_000


@dataclass(frozen=True)
class Picture:
    """A set of images in the store, which of them is meant (all where ``None``), and how much it is enlarged."""

    sha256: str
    array: str
    index: int | None
    scale: int

    @property
    def etag(self) -> str:
        """Changes exactly when the pixels do."""
        return f'"{self.sha256[:32]}-{"all" if self.index is None else self.index}-{self.scale}"'


class Sheet(NamedTuple):
    """A PNG of tiles, row by row: image i stands in column i mod ``columns`` and row i // ``columns``."""

    png: bytes
    columns: int
    tile_width: int
    tile_height: int


def sample_picture(context: Context, run_id: str, step: str, index: int | None, scale: int) -> Picture:
    """A generated sample, or all of a checkpoint."""
    return Picture(sample_file(context, run_id, step).sha256, "samples", index, scale)


def train_picture(context: Context, run_id: str, index: int, scale: int) -> Picture:
    """A training image of a run."""
    with reading(context.sessions) as session:
        required_run(session, run_id)
        file = find_file(session, run_id, "train")
    if file is None:
        raise NoImageError(f"Run {run_id} has not stored its training images yet", "They come with its first news")
    return Picture(file.sha256, "images", index, scale)


def draw(context: Context, picture: Picture) -> Sheet:
    """Draw a picture; pixels are repeated, never smoothed.

    Raises:
        NoImageError: if the index is beyond the last image.
        InvalidRequestError: if it would be too large.
    """
    images = context.images.load(picture.sha256, picture.array)
    if picture.index is not None and picture.index >= len(images):
        raise NoImageError(f"There is no image {picture.index}: they are numbered 0 to {len(images) - 1}", "Choose one of these")
    chosen = images if picture.index is None else images[picture.index : picture.index + 1]
    columns = math.ceil(math.sqrt(len(chosen)))
    height, width = (edge * picture.scale for edge in chosen.shape[2:])
    rows = math.ceil(len(chosen) / columns)
    too_large = rows * columns * height * width > MAX_SHEET_PIXELS if picture.index is None else max(height, width) > MAX_EDGE
    if too_large:
        raise invalid_field("query.scale", f"{picture.scale} makes the picture too large", "Use a smaller scale")
    return Sheet(_png(_enlarge(_tile(chosen, rows, columns), picture.scale)), columns, width, height)


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
