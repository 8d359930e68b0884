"""Windows of a series as small pictures: a strip a channel, one below the other, each a line over the steps of the window."""

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

STRIP = 24  # Pixels of height a channel.
STEP = 3  # Pixels of width a step, where that gives no fewer than NARROWEST and no more than WIDEST.
NARROWEST, WIDEST = 48, 256
REACH = 2.5  # Standard deviations that a strip shows to either side of the mean; beyond them a line lies at its edge.
GROUND, MEAN = (22.0, 27.0, 34.0), (58.0, 66.0, 78.0)
INKS = ((120, 190, 255), (255, 182, 92), (126, 217, 150), (235, 140, 200), (230, 220, 120), (160, 160, 255))


def picture_shape(channels: int, length: int) -> tuple[int, int, int]:
    """Colours, height and width of a window's picture."""
    return 3, STRIP * channels, min(max(STEP * length, NARROWEST), WIDEST)


def draw_windows(windows: Float[ndarray, "window channel time"]) -> UInt8[ndarray, "window 3 height width"]:
    """Draw windows in standard units; the mean of a channel is a faint line across its strip."""
    count, channels, length = windows.shape
    _, height, width = picture_shape(channels, length)
    ink = _coverage(windows, width).reshape(count, height, width)
    ground = np.broadcast_to(np.array(GROUND)[:, None, None], (3, height, width)).copy()
    ground[:, STRIP // 2 :: STRIP] = np.array(MEAN)[:, None, None]
    colours = np.repeat(np.array([INKS[channel % len(INKS)] for channel in range(channels)], float), STRIP, axis=0).T
    mixed = ground + ink[:, None] * (colours[:, :, None] - ground)
    return np.rint(mixed).astype(np.uint8)


def _coverage(windows: Float[ndarray, "window channel time"], width: int) -> Float[ndarray, "window channel strip width"]:
    """How much of each pixel a line covers: 1 within the heights it has in the pixel's column, less up to a pixel beyond them."""
    edges = _along(windows, np.linspace(0, windows.shape[2] - 1, width + 1))
    heights = (STRIP - 1) / 2 * (1 - np.clip(edges / REACH, -1, 1))
    top, bottom = np.minimum(heights[..., 1:], heights[..., :-1]), np.maximum(heights[..., 1:], heights[..., :-1])
    row = np.arange(STRIP)[:, None]
    return np.clip(1 - np.maximum(top[:, :, None] - row, row - bottom[:, :, None]), 0, 1)


def _along(windows: Float[ndarray, "window channel time"], places: Float[ndarray, " place"]) -> Float[ndarray, "window channel place"]:
    """Linear between steps."""
    before = np.minimum(places.astype(int), windows.shape[2] - 2)
    share = places - before
    return windows[..., before] * (1 - share) + windows[..., before + 1] * share
