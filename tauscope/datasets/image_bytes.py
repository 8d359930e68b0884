"""The bytes of an image file as 8-bit pixels, grey or colour; what was done to them is said, what cannot be shown is refused."""

import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

# Pillow reads more, some through other programs; a picture of unknown origin meets these decoders alone.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"})
MAX_PIXELS = 89_478_485  # Pillow's own warning level: a file of a few kB may claim more and fill the memory
SIXTEEN_BITS = "16 bits scaled to 8"

_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N")
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error, zlib.error)


@dataclass(frozen=True)
class Decoded:
    """One picture, its mode as stored (Pillow's name) and what was done to it, in words, or an empty text."""

    pixels: UInt8[ndarray, "height width channel"]
    mode: str
    treatment: str


def decode(data: bytes) -> Decoded:
    """Read the first frame, upright by its EXIF orientation, transparent parts laid on white, 16 bits scaled to 8.

    Raises:
        ValueError: with the reason, if the bytes are no whole image of a mode that has a known range.
    """
    if not data:
        raise ValueError("the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=FORMATS) as image:
                return _upright(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"it has more than {MAX_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        raise ValueError(f"its content is none of {', '.join(FORMATS)}") from error
    except _DAMAGE as error:
        raise ValueError(str(error) or type(error).__name__) from error


def _upright(image: Image.Image) -> Decoded:
    mode = image.mode
    notes = ["first frame only"] if getattr(image, "is_animated", False) else []
    image.load()
    if image.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9):
        ImageOps.exif_transpose(image, in_place=True)
        notes.append("turned upright by its EXIF orientation")
    pixels, note = _eight_bit(image, str(image.format))
    return Decoded(pixels, mode, ", ".join([*notes, note] if note else notes))


def _eight_bit(image: Image.Image, file_format: str) -> tuple[UInt8[ndarray, "height width channel"], str]:
    if image.mode in _SIXTEEN_BIT or (image.mode == "I" and file_format in ("PNG", "PPM")):
        return scale_sixteen_bits(np.asarray(image))[:, :, None], SIXTEEN_BITS
    if image.mode in ("I", "F"):
        raise ValueError(f"its pixels are 32-bit numbers (mode {image.mode}), which have no known range; save it with 8 or 16 bits")
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return _on_white(image), "transparency laid on white"
    if image.mode in ("L", "RGB"):
        return _channels_last(image), ""
    target = "L" if image.mode == "1" else "RGB"
    return _channels_last(image.convert(target)), f"{image.mode} turned into {target}"


def scale_sixteen_bits(values: ndarray) -> UInt8[ndarray, "..."]:
    """0 to 65,535 as 0 to 255, rounded."""
    return np.rint(values.astype(np.float64) / 257).astype(np.uint8)


def _on_white(image: Image.Image) -> UInt8[ndarray, "height width channel"]:
    target = "L" if image.mode in ("L", "LA", "La", "1") else "RGB"
    painted = image.convert("RGBA")
    white = Image.new("RGBA", painted.size, "white")
    return _channels_last(Image.alpha_composite(white, painted).convert(target))


def _channels_last(image: Image.Image) -> UInt8[ndarray, "height width channel"]:
    pixels = np.array(image)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
