"""A window's picture is its values: each strip's line lies where the value is."""

import numpy as np
import pytest

from tauscope.figures.window_pictures import GROUND, INKS, MEAN, REACH, STRIP, draw_windows, picture_shape


@pytest.mark.parametrize(("channels", "length"), [(1, 4), (4, 24), (8, 200)])
def test_a_picture_has_the_shape_that_is_told(channels: int, length: int) -> None:
    pictures = draw_windows(np.zeros((2, channels, length)))
    assert pictures.shape == (2, *picture_shape(channels, length))
    assert pictures.dtype == np.uint8


@pytest.mark.parametrize(("value", "share"), [(0.0, 0.5), (REACH, 0.0), (-REACH, 1.0), (99.0, 0.0), (REACH / 2, 0.25)])
def test_a_level_line_lies_at_its_height_and_stays_in_its_strip(value: float, share: float) -> None:
    row = share * (STRIP - 1)
    windows = np.zeros((1, 2, 24))
    windows[0, 1] = value
    strip = draw_windows(windows)[0, :, STRIP:, 10].astype(float)
    ink = np.abs(strip - np.array(GROUND)[:, None]).sum(0)
    ink[STRIP // 2] -= np.abs(np.array(MEAN) - GROUND).sum() * (abs(row - STRIP // 2) >= 1)  # The faint line of the mean.
    assert (ink * np.arange(STRIP)).sum() / ink.sum() == pytest.approx(row, abs=0.35)


def test_channels_have_strips_and_colours_of_their_own() -> None:
    """A jump in one channel changes no pixel of the other's strip."""
    level, jump = np.zeros((1, 2, 24)), np.zeros((1, 2, 24))
    jump[0, 1, 12:] = 2
    changed = (draw_windows(level) != draw_windows(jump)).any(1)[0]
    assert not changed[:STRIP].any() and changed[STRIP:].any()
    top, bottom = (draw_windows(level)[0, :, row, 10] for row in (STRIP // 2, STRIP + STRIP // 2))
    assert tuple(top) != tuple(bottom)
    assert len(set(INKS)) == len(INKS)


def test_a_steep_line_has_no_holes() -> None:
    windows = np.zeros((1, 1, 24))
    windows[0, 0, ::2], windows[0, 0, 1::2] = -3, 3
    lit = (draw_windows(windows)[0] > np.array(GROUND)[:, None, None] + 20).any(0)
    assert lit.any(1).all()
