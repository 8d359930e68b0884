"""The learned score of several runs side by side at one training time, between the population's and that of the training points."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from frontend.charts.axes import FOOT, HEAD, base_layout, plain_axis
from frontend.charts.figure import Annotation, Trace, ViewOptions, label
from frontend.theme import Palette, with_opacity
from frontend.words import number, steps
from tauscope.contracts.curves import Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView
from tauscope.contracts.scores import ExactScores, ScoreCurves

_GAP = 0.05  # Between panels, as a share of the width.
_ROW_GAP = 64  # Pixels between rows of panels: an axis, its title, and the words above the next.
_WIDE, _MEDIUM = 1000, 640
_COVERED = 0.95  # The scale shows the scores at this share of the x_t there are; beyond, they leave the panel.
_ROOM = 1.4
_LEFT, _RIGHT = 46, 18
_RUG, _HILL = 0.045, 0.16  # Of the height: where the training points stand, and how high the density is drawn.


@dataclass(frozen=True)
class ScorePanel:
    """One run and its scores; ``errors`` is its E_score along training."""

    run: RunView
    name: str
    scores: ScoreCurves
    exact: ExactScores
    errors: Series | None = None

    def place(self, step: int) -> int | None:
        """The row of the last checkpoint up to a step."""
        return next((row for row, known in reversed(list(enumerate(self.scores.steps))) if known <= step), None)

    def words(self, step: int, *, short: bool = False) -> str:
        """What stands above the panel: n, tau, and E_score with its interval."""
        row = self.place(step)
        if row is None:
            return f"<b>{self.name}</b>, no checkpoint up to τ = {steps(step)}"
        at = self.scores.steps[row]
        said = f"<b>{self.name}</b>, τ = {steps(at)}"
        return said if short else f"{said}{_error_words(self.errors, at)}"


def _error_words(errors: Series | None, step: int) -> str:
    if errors is None or step not in errors.step:
        return ""
    place = errors.step.index(step)
    value, low, high = (column[place] for column in (errors.value, errors.low, errors.high))
    if value is None:
        return f", E<sub>score</sub> missing: {errors.reason[place]}"
    spread = f" ({number(low)} to {number(high)})" if low is not None and high is not None else ""
    return f", E<sub>score</sub> {number(value)}{spread}"


def is_score_1d(experiment: ExperimentView) -> bool:
    """Whether the runs of an experiment have scores to draw."""
    return bool(experiment.sweep.get("base", {}).get("kind") == "score_1d")


def columns_of(panels: Sequence[ScorePanel], options: ViewOptions) -> int:
    """How many panels stand side by side in the room there is."""
    return min(len(panels), 3 if options.pixels >= _WIDE else 2 if options.pixels >= _MEDIUM else 1)


def scores_figure(panels: Sequence[ScorePanel], step: int, options: ViewOptions, *, row_height: float) -> dict[str, Any]:
    """The figure at a training time; the browser moves it to another by the ``meta`` of the learned curves and titles.

    Args:
        panels: at least one; all share both axes.
        step: each panel shows its last checkpoint up to it.
        row_height: of one row of panels, in pixels.
    """
    columns = columns_of(panels, options)
    rows = -(-len(panels) // columns)
    height = HEAD + FOOT + rows * row_height + (rows - 1) * _ROW_GAP
    y_range = _reach(panels)
    traces: list[Trace] = []
    axes: dict[str, Any] = {}
    titles: list[Annotation] = []
    for place, panel in enumerate(panels):
        mark = "" if place == 0 else str(place + 1)
        across, down = _domains(place, columns, rows, (height - HEAD - FOOT, row_height))
        axes |= _axes(mark, across, down, panel, options, y_range, first=place % columns == 0)
        traces += [{**trace, "xaxis": f"x{mark}", "yaxis": f"y{mark}"} for trace in _traces(panel, step, options.palette, y_range)]
        titles.append(_title(panel, step, across[0], down[1], options))
    return {
        "data": traces,
        "layout": {
            **base_layout(options, height),
            **axes,
            "margin": {"l": _LEFT, "r": _RIGHT, "t": HEAD, "b": FOOT},
            "hovermode": "x",
            "annotations": titles,
            "meta": {"height": height},
            "uirevision": "scores",
        },
    }


def _domains(place: int, columns: int, rows: int, heights: tuple[float, float]) -> tuple[list[float], list[float]]:
    """Where a panel stands, as shares of the plotting area: from left to right and from the top down."""
    row, column = divmod(place, columns)
    width = (1 - _GAP * (columns - 1)) / columns
    left, (whole, each) = column * (width + _GAP), heights
    top = 1 - row * (each + _ROW_GAP) / whole
    return [left, min(1.0, left + width)], [max(0.0, top - each / whole), top]


def _reach(panels: Sequence[ScorePanel]) -> tuple[float, float]:
    """The scale of the scores: as far as either exact one goes at nearly all x_t, in every panel."""
    most = _ROOM * max(_covering(panel.exact) for panel in panels)
    return -most, most


def _covering(exact: ExactScores) -> float:
    rows = zip(exact.density, exact.population, exact.empirical, strict=True)
    heights = sorted((max(abs(one), abs(other)), density) for density, one, other in rows)
    shares = accumulate(density for _, density in heights)
    covered = _COVERED * sum(exact.density)
    return next(height for (height, _), share in zip(heights, shares, strict=True) if share >= covered)


def _axes(
    mark: str,
    across: list[float],
    down: list[float],
    panel: ScorePanel,
    options: ViewOptions,
    y_range: tuple[float, float],
    *,
    first: bool,
) -> dict[str, Any]:
    zero = {"zeroline": True, "zerolinecolor": options.palette.rule, "zerolinewidth": 1}
    bounds = [panel.exact.x[0], panel.exact.x[-1]]
    shared = {} if mark == "" else {"matches": "x"}
    title = f"x at diffusion time t = {panel.exact.t:g}"
    return {
        f"xaxis{mark}": {**plain_axis(options, title), "domain": across, "anchor": f"y{mark}", "range": bounds, "nticks": 8, **shared},
        f"yaxis{mark}": {
            **plain_axis(options),
            **zero,
            "domain": down,
            "anchor": f"x{mark}",
            "range": list(y_range),
            "nticks": 8,
            "showticklabels": first,
            **({} if mark == "" else {"matches": "y"}),
        },
    }


def _traces(panel: ScorePanel, step: int, palette: Palette, y_range: tuple[float, float]) -> list[Trace]:
    exact, row = panel.exact, panel.place(step)
    learned = [None] * len(exact.x) if row is None else list(panel.scores.learned[row])
    return [
        *_hill(exact, palette, y_range),
        _rug(exact, palette, y_range),
        # The widest line beneath: where it lies on another, both are seen.
        _curve(exact, learned, "learned", {"color": palette.ink_1, "width": 4}) | {"meta": {"curve": "learned", "run": panel.run.id}},
        _curve(exact, exact.population, "population", {"color": palette.quality, "width": 2}),
        _curve(exact, exact.empirical, "empirical", {"color": palette.memorization, "width": 1.5}),
    ]


def _curve(exact: ExactScores, values: Sequence[float | None], name: str, line: dict[str, Any]) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(exact.x),
        "y": list(values),
        "line": line,
        "name": name,
        "hovertemplate": f"{name} <b>%{{y:.3~g}}</b><extra></extra>",
        "showlegend": False,
        "meta": {"curve": name},
    }


def _hill(exact: ExactScores, palette: Palette, y_range: tuple[float, float]) -> list[Trace]:
    """The density of x_t along the lower edge: where the scores count."""
    bottom, whole, most = y_range[0], y_range[1] - y_range[0], max(exact.density)
    edge = {"type": "scatter", "mode": "lines", "x": list(exact.x), "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    hill = [bottom + _HILL * whole * density / most for density in exact.density]
    return [
        {**edge, "y": [bottom] * len(exact.x)},
        {**edge, "y": hill, "fill": "tonexty", "fillcolor": with_opacity(palette.control, 0.22), "meta": {"curve": "density"}},
    ]


def _rug(exact: ExactScores, palette: Palette, y_range: tuple[float, float]) -> Trace:
    """The training points, where the empirical score has its centres."""
    bottom, whole = y_range[0], y_range[1] - y_range[0]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [exact.alpha_bar**0.5 * point for point in exact.training],
        "y": [bottom + _RUG * whole] * len(exact.training),
        "marker": {"symbol": "line-ns-open", "size": 12, "color": palette.memorization, "line": {"width": 1.2}},
        "hovertemplate": "training point at %{x:.3~g}<extra></extra>",
        "showlegend": False,
        "meta": {"curve": "training"},
    }


def _title(panel: ScorePanel, step: int, left: float, top: float, options: ViewOptions) -> Annotation:
    words = panel.words(step, short=options.narrow)
    return label(left, top, words, colour=options.palette.ink_2, yanchor="bottom", yshift=8, name=f"title {panel.run.id}")
