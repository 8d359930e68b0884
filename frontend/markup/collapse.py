"""The words of the collapse: a slider for each exponent with the score behind it, and what the score says."""

import math
from collections.abc import Mapping

from frontend.charts.collapse import Exponents
from frontend.markup.html import TAU_MEM, Html, join, tag
from frontend.words import exponent as power
from frontend.words import percent
from tauscope.analysis.collapse import Collapse, Scaling
from tauscope.analysis.scaling import SYMBOLS
from tauscope.contracts.onsets import ScalingVariable

# What an exponent is called in the address and on the page, and between what the slider moves it.
LETTERS: dict[ScalingVariable, str] = {"n": "a", "width": "b"}
RANGES: dict[ScalingVariable, tuple[float, float]] = {"n": (0.0, 2.0), "width": (-2.0, 0.0)}
# The axes of Bonnaire et al. 2025, where tau_mem is in proportion to n and to 1/W.
PAPERS: dict[ScalingVariable, tuple[str, float]] = {"n": ("τ/n", 1.0), "width": ("W τ", -1.0)}
_WIDTH, _HEIGHT = 200, 26
_SMALL = 0.001


def within_range(variable: ScalingVariable, exponent: float) -> float:
    """The exponent, or the end of its slider that is nearest to it."""
    low, high = RANGES[variable]
    return min(max(exponent, low), high)


def sliders(found: Collapse | str, exponents: Exponents) -> Html:
    """An exponent in each row, with the score of every other one behind it; or why there is none."""
    if isinstance(found, str):
        return tag("div", tag("p", f"No collapse score yet: {found}.", class_="tau-label"), class_="tau-a-row")
    return join(*[_slider(found, place, scaling, exponents) for place, scaling in enumerate(found.scalings)])


def _slider(found: Collapse, place: int, scaling: Scaling, exponents: Exponents) -> Html:
    variable = scaling.variable
    letter, (low, high), exponent = LETTERS[variable], RANGES[variable], exponents[variable]
    control = tag(
        "input",
        type="range",
        min=low,
        max=high,
        step=0.01,
        value=f"{exponent:.2f}",
        class_="tau-slider",
        data_exponent=letter,
        aria_label=f"Exponent {letter}: time is divided by {SYMBOLS[variable]} to this power",
        aria_valuetext=score_words(found, exponents),
    )
    name, papers = PAPERS[variable]
    best = within_range(variable, scaling.best)
    buttons = (
        _button(f"Best {power(scaling.best)}", letter, best, "Where the curves lie closest"),
        _button(name, letter, papers, f"The paper's axis, {letter} = {power(papers)}"),
    )
    return tag(
        "div",
        tag("label", f"{letter} = ", tag("b", power(exponent), data_shown=letter), class_="tau-a"),
        tag("div", _parabola(found, place, best), control, class_="tau-a-scale"),
        *buttons,
        class_="tau-a-row",
    )


def _button(words: str, letter: str, exponent: float, title: str) -> Html:
    return tag("button", words, type="button", class_="tau-button", data_set=f"{exponent:.2f}", data_of=letter, title=title)


def _parabola(found: Collapse, place: int, best: float) -> Html:
    """The score over one slider with the others at their best, its minimum marked; for orientation, the number stands beside it."""
    low, high = RANGES[found.scalings[place].variable]
    places = [low + (high - low) * k / 40 for k in range(41)]
    scores = [found.score(*found.best[:place], at, *found.best[place + 1 :]) for at in places]
    top = max(scores) or 1.0
    points = " ".join(
        f"{(at - low) / (high - low) * _WIDTH:.1f},{2 + (1 - score / top) * (_HEIGHT - 4):.1f}"
        for at, score in zip(places, scores, strict=True)
    )
    x = (best - low) / (high - low) * _WIDTH
    return Html(
        f'<svg class="tau-parabola" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}" fill="none" stroke="var(--tau-ink-3)" stroke-width="1.5" vector-effect="non-scaling-stroke"/>'
        f'<path d="M{x:.1f} 0V{_HEIGHT}" stroke="var(--tau-memorization)" stroke-width="1.5" vector-effect="non-scaling-stroke"/></svg>'
    )


def score_words(found: Collapse, exponents: Mapping[ScalingVariable, float]) -> str:
    """``a = 1.00, b = −1.00: score 0.040, curves a factor 1.08 apart``."""
    at = [exponents[scaling.variable] for scaling in found.scalings]
    where = ", ".join(f"{LETTERS[scaling.variable]} = {power(value)}" for scaling, value in zip(found.scalings, at, strict=True))
    score = found.score(*at)
    said = f"score {score:.3f}" if score >= _SMALL else f"score under {_SMALL}"
    return f"{where}: {said}, curves {_apart(found, *at)}"


def _apart(found: Collapse, *exponents: float) -> str:
    return f"a factor {math.exp(found.spread(*exponents)):.2f} apart"


def collapse_words(found: Collapse | str, exponents: Exponents, measure: Html) -> Html:
    """The score here, at its best and without scaling, and what it is; ``measure`` is what the curves show."""
    if isinstance(found, str):
        return Html("")
    here = tag("b", score_words(found, exponents), data_score=True)
    where = " and ".join(f"{LETTERS[scaling.variable]} = {power(scaling.best)}{_interval(scaling)}" for scaling in found.scalings)
    closest = score_words(found, {scaling.variable: scaling.best for scaling in found.scalings}).partition(": ")[2]
    unscaled = _apart(found, *[0.0] * len(found.scalings))
    best = f"The curves lie closest at {where}: {closest}. Without scaling {unscaled}. Intervals 95 %, by {found.note}."
    return join(
        tag("p", here, ". ", best), tag("details", tag("summary", "What the score is"), _meaning(found, measure), class_="tau-details")
    )


def _interval(scaling: Scaling) -> str:
    if scaling.low is None or scaling.high is None:
        return " (no interval: too few runs)"
    return f" ({power(scaling.low)} to {power(scaling.high)})"


def _meaning(found: Collapse, measure: Html) -> Html:
    low, high = found.levels
    law = join(*[join(f" {SYMBOLS[scaling.variable]}", tag("sup", LETTERS[scaling.variable])) for scaling in found.scalings])
    unscaled = " and ".join(f"{LETTERS[scaling.variable]} = 0" for scaling in found.scalings)
    return tag(
        "p",
        "Time is divided by what ",
        TAU_MEM,
        " grows with, ",
        law,
        ". The score is the squared spread between curves of the log time at which each has risen to a level of ",
        measure,
        f", averaged over levels from {percent(low)} to {percent(high)} and divided by the same at {unscaled}: "
        f"1 is no better than not scaling, 0 a perfect collapse. {found.curves} curves.",
    )
