"""What stands on the page is what the rows say, in colours from the palette that a printer without colour keeps apart."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from tauscope.figures.drawing.curves import lines_of
from tauscope.figures.drawing.layout import draw
from tauscope.figures.drawing.scales import log_ticks, tick_words
from tauscope.figures.drawing.style import house_style
from tauscope.figures.palette import LIGHT, n_colours
from tauscope.figures.render import plan_figure
from tauscope.figures.rows import Plan
from tauscope.figures.source import FigureData, FigureOptions, Number
from tests.figures.made import made

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
DEFICIENCIES = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "none": np.eye(3).tolist(),
}
_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])


def drawn(data: FigureData, number: Number = 2, width: int = 175) -> tuple[Plan, Figure]:
    plan = plan_figure(data, number, FigureOptions(width))
    with house_style():
        return plan, draw(plan, width)


def every_axes(figure: Figure) -> list[Axes]:
    return [axes for item in figure.axes for axes in (item, *item.child_axes)]


def labelled(figure: Figure, beginning: str) -> list[np.ndarray]:
    lines = [line for axes in every_axes(figure) for line in axes.lines if str(line.get_label()).startswith(beginning)]
    return [np.array(line.get_xydata()) for line in lines]


def cielab(colour: str, seen_by: str = "none") -> np.ndarray:
    rgb = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(DEFICIENCIES[seen_by]) @ linear, 0, 1)
    f = _XYZ @ seen / np.array([0.95047, 1.0, 1.08883])
    f = np.where(f > 216 / 24389, np.cbrt(f), (24389 / 27 * f + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_every_line_is_drawn_through_exactly_its_rows() -> None:
    plan, figure = drawn(made(lost_from=640))
    shown = labelled(figure, "curve:") + labelled(figure, "control:")
    panels = [panel for item in plan.panels for panel in (item, item.inset) if panel is not None]
    expected = [np.array([(row.x, row.y) for row in rows]) for panel in panels for rows in lines_of(panel)]
    assert len(shown) == len(expected)
    for wanted in expected:
        assert any(line.shape == wanted.shape and np.allclose(line, wanted) for line in shown)


@pytest.mark.parametrize(("number", "field"), [(2, "x"), (3, "y")])
def test_only_reached_onsets_are_marks_and_every_other_is_an_arrow(number: Number, field: str) -> None:
    plan, figure = drawn(made(upto=640), number)
    onsets = [row for panel in plan.panels for row in panel.of("onset")]
    reached = [row for row in onsets if getattr(row, field) is not None]
    censored = [row for row in onsets if row.status == "censored"]
    assert reached
    assert censored
    values = (
        sorted(float(line[0, 0 if field == "x" else 1]) for line in labelled(figure, "onset:")) if number == 2 else sorted(_bars(figure))
    )
    assert sorted(values) == pytest.approx(sorted(getattr(row, field) for row in reached))
    arrows = [item for axes in every_axes(figure) for item in axes.texts if isinstance(item, Annotation) and item.arrow_patch is not None]
    bounds = sorted(item.xy[0 if field == "x" else 1] for item in arrows)
    assert bounds == pytest.approx(sorted(getattr(row, f"{field}_low") for row in censored))


def _bars(figure: Figure) -> list[float]:
    return [float(np.asarray(bar.lines[0].get_ydata())[0]) for axes in figure.axes for bar in axes.containers if bar.get_label()]


STATES = {
    "nothing measured": made(upto=0),
    "one point of one run": made((32,), upto=5),
    "no onset reached": made(good=False, upto=40),
    "never a number": made(lost_from=5),
    "diverged": made(lost_from=320),
    "two seeds": made((16, 32), seeds=(1, 2)),
    "three seeds, two widths": made((16, 32), seeds=(1, 2, 3), widths=(8, 16)),
}


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("state", STATES)
def test_every_state_draws_and_says_what_is_missing(state: str, number: Number) -> None:
    plan, figure = drawn(STATES[state], number, 85)
    words = " ".join(" ".join(item.get_text() for item in figure.findobj(lambda item: hasattr(item, "get_text"))).split())
    assert all(panel.empty[1:] in words for panel in plan.panels)


def test_curves_have_the_colours_of_the_palette_darker_for_larger_n() -> None:
    _, figure = drawn(made())
    colours = {to_hex(line.get_color()).upper() for axes in every_axes(figure) for line in axes.lines if "curve:" in str(line.get_label())}
    assert colours == set(n_colours(3, LIGHT))


@pytest.mark.parametrize("count", range(2, 12))
def test_without_colour_a_larger_n_is_darker(count: int) -> None:
    lightness = [cielab(colour)[0] for colour in n_colours(count, LIGHT)]
    assert all(before - after > 2 for before, after in pairwise(lightness))


@pytest.mark.parametrize("seen_by", DEFICIENCIES)
def test_quality_and_copying_stay_apart_for_every_colour_vision(seen_by: str) -> None:
    # A difference of 10 is seen at once; see Sharma and Bala 2002 on CIE 1976.
    assert np.linalg.norm(cielab(LIGHT.quality, seen_by) - cielab(LIGHT.memorization, seen_by)) > 40


def test_a_copy_is_framed_and_others_are_not() -> None:
    _, figure = drawn(made())
    frames = [patch for axes in figure.axes for patch in axes.patches if patch.get_label() == "copy"]
    assert len(frames) == 4  # Every second of eight, at the last checkpoint.


FINE = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (9, 1100, [10, 100, 1000]),
        (0.3, 1.2, [0.3, 0.5, 0.7, 1.0]),
        (5, 2400, [10, 100, 1000]),
        (3, 40, [3, 10, 30]),
        (0.61, 0.66, None),
        (0.36, 0.97, [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
    ],
)
def test_a_logarithmic_axis_has_few_round_ticks(low: float, high: float, ticks: list[float] | None) -> None:
    found = log_ticks(low, high)
    assert all(low <= tick <= high for tick in found)
    assert 2 <= len(found) <= 7
    assert ticks is None or found == pytest.approx(ticks)


def test_numbers_on_an_axis_need_no_exponent() -> None:
    assert [tick_words(value) for value in (0.5, 20, 1500, 20000, 2e6)] == ["0.5", "20", "1,500", "20k", "2M"]


def test_the_settings_of_the_process_are_as_before() -> None:
    import matplotlib as mpl
    from matplotlib.textpath import TextPath

    def exponent() -> float:
        return float(TextPath((0, 0), "$n^2$", size=10).get_extents().width)

    before, width = dict(mpl.rcParams.copy()), exponent()
    drawn(made((16, 32)))
    assert dict(mpl.rcParams.copy()) == before
    assert exponent() == width
