"""Image files as arrays."""

from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

from tauscope.datasets.image_list import UnreadableImageError

# What Pillow raises of damaged files; which one depends on the format and on where the damage is.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, Image.DecompressionBombError)
GREY, DEEP = {"L", "1"}, ("I", "F")


def decode_image(content: Path | bytes, *, place: str) -> UInt8[ndarray, "height width channel"]:
    """Decode one image: grey stays one channel, everything else becomes red, green and blue.

    Raises:
        UnreadableImageError: if it is damaged, or has more than 8 bits a channel.
    """
    try:
        with Image.open(BytesIO(content) if isinstance(content, bytes) else content) as image:
            if image.mode.startswith(DEEP):
                raise UnreadableImageError(place, f"it has more than 8 bits a channel (mode {image.mode})")
            pixels = np.asarray(image.convert("L" if image.mode in GREY else "RGB"))
    except DAMAGED as error:
        raise UnreadableImageError(place, str(error) or type(error).__name__) from error
    return pixels[..., None] if pixels.ndim == 2 else pixels
