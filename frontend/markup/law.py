"""The words of the law page: what was found, the slider with its score, the fitted laws with their counts."""

import math
from collections.abc import Mapping

from frontend.charts.law import position
from frontend.charts.reading import level_of, metric_info, title_of
from frontend.markup.html import F_MEM, TAU_GEN, TAU_MEM, Html, join, tag
from frontend.markup.icons import CENSORED, GEN, MEM
from frontend.words import UNTIL_BEST, UNTIL_PEAK, level_text, percent, plural, sentence
from frontend.words import exponent as power
from tauscope.analysis.collapse import RISEN, Collapse
from tauscope.analysis.scaling import AXES, SYMBOLS
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import OnsetStatus, PowerLawFit, ScalingVariable

A_RANGE = (0.0, 2.0)
_WIDTH, _HEIGHT = 200, 26
_SMALL = 0.001
_NAMED = 3


def scales_with(experiment: ExperimentView) -> tuple[ScalingVariable, ...]:
    """What a law can scale with in this experiment: n, W, both or nothing."""
    return tuple(variable for variable in AXES if len({position(run, variable) for run in experiment.runs} - {None}) > 1)


def law_finding(experiment: ExperimentView, by: ScalingVariable = "n") -> Html:
    """Both exponents in a sentence each, and how that of copying compares with the paper's."""
    mem, gen = (experiment.fits.get(f"{name}_vs_{by}") for name in ("tau_mem", "tau_gen"))
    if by not in scales_with(experiment):
        return Html(f"{SYMBOLS[by]} does not vary in this experiment, so there is no law to fit.")
    if mem is None:
        return Html(f"No law yet: it needs the onset of copying at two values of {SYMBOLS[by]}.")
    return join(_copying(mem), " ", _quality(gen) if gen else None)


# How copying compares with the paper, where tau_mem is in proportion to n and to 1/W.
_COMPARED: dict[ScalingVariable, tuple[str, str, str]] = {
    "n": ("steeper than linear", "flatter than linear", "linear growth (exponent 1) lies inside the interval"),
    "width": ("steeper than 1/W", "flatter than 1/W", "1/W (exponent −1) lies inside the interval"),
}


def _copying(fit: PowerLawFit) -> Html:
    if fit.exponent is None:
        return join("No law of copying yet: ", fit.note, ".")
    measured = join("Measured: ", TAU_MEM, f" ~ {SYMBOLS[fit.variable]}", tag("sup", power(fit.exponent)))
    if fit.low is None or fit.high is None:
        return join(measured, ".")
    steep, flat, within = _COMPARED[fit.variable]
    low, high = (fit.low, fit.high) if fit.variable == "n" else (-fit.high, -fit.low)
    compared = steep if low > 1 else flat if high < 1 else within
    return join(measured, tag("span", f" ({power(fit.low)} to {power(fit.high)})", class_="tau-quiet"), f", {compared}.")


def _quality(fit: PowerLawFit) -> Html:
    if fit.exponent is None:
        return Html("")
    if fit.low is not None and fit.high is not None and fit.low <= 0 <= fit.high:
        return join(TAU_GEN, f" shows no dependence on {SYMBOLS[fit.variable]}: exponent 0 lies inside its interval.")
    return join(TAU_GEN, f" ~ {SYMBOLS[fit.variable]}", tag("sup", power(fit.exponent)), ".")


def slider(found: Collapse | None, exponent: float) -> Html:
    """The exponent with the score of every other one behind it."""
    if found is None:
        return tag(
            "div",
            tag("p", f"No collapse score yet: copying has to rise to {percent(RISEN)} at two values of n.", class_="tau-label"),
            class_="tau-a-row",
        )
    best = min(max(found.best, A_RANGE[0]), A_RANGE[1])
    control = tag(
        "input",
        type="range",
        min=A_RANGE[0],
        max=A_RANGE[1],
        step=0.01,
        value=f"{exponent:.2f}",
        class_="tau-slider",
        aria_label="Exponent a: time is divided by n to this power",
        aria_valuetext=score_words(found, exponent),
    )
    return tag(
        "div",
        tag("label", "a = ", tag("b", f"{exponent:.2f}", data_a=True), class_="tau-a"),
        tag("div", _parabola(found, best), control, class_="tau-a-scale"),
        tag("button", f"Best {found.best:.2f}", type="button", class_="tau-button", data_best=f"{best:.2f}"),
        class_="tau-a-row",
    )


def _parabola(found: Collapse, best: float) -> Html:
    """S(a) over the slider, its minimum marked; for orientation, the number stands beside it."""
    low, high = A_RANGE
    places = [low + (high - low) * k / 40 for k in range(41)]
    scores = [found.score(a) for a in places]
    top = max(scores) or 1.0
    points = " ".join(
        f"{(a - low) / (high - low) * _WIDTH:.1f},{2 + (1 - score / top) * (_HEIGHT - 4):.1f}"
        for a, score in zip(places, scores, strict=True)
    )
    at = (best - low) / (high - low) * _WIDTH
    return Html(
        f'<svg class="tau-parabola" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}" fill="none" stroke="var(--tau-ink-3)" stroke-width="1.5" vector-effect="non-scaling-stroke"/>'
        f'<path d="M{at:.1f} 0V{_HEIGHT}" stroke="var(--tau-memorization)" stroke-width="1.5" vector-effect="non-scaling-stroke"/></svg>'
    )


def score_words(found: Collapse, exponent: float) -> str:
    """``a = 1.00: score 0.04, curves 1.08× apart``."""
    score = found.score(exponent)
    said = f"score {score:.3f}" if score >= _SMALL else f"score under {_SMALL}"
    return f"a = {exponent:.2f}: {said}, curves a factor {math.exp(found.spread(exponent)):.2f} apart"


def collapse_words(found: Collapse | None, exponent: float, *, width_too: bool = False) -> Html:
    """The score here, at its best and without scaling, and what it is; where W varies beside n, that it is left in the spread."""
    if found is None:
        return Html("")
    interval = f" ({found.low:.2f} to {found.high:.2f} by {found.note})" if found.low is not None and found.high is not None else ""
    here = tag("b", score_words(found, exponent), data_score=True)
    closest = score_words(found, found.best).partition(": ")[2]
    best = f"The curves lie closest at a = {found.best:.2f}{interval}: {closest}. Without scaling {_factor(found, 0.0)}."
    low, high = found.levels
    meaning = tag(
        "p",
        "The score is the squared spread between curves of the log time at which each has risen to a level of f",
        tag("sub", "mem"),
        f" minus control, averaged over levels from {percent(low)} to {percent(high)} and divided by the same at a = 0: "
        f"1 is no better than not scaling, 0 a perfect collapse. {found.curves} curves; 95 % interval by {found.note}.",
    )
    mixed = " W varies too and is not scaled: it stays in the spread." if width_too else ""
    return join(tag("p", here, ". ", best, mixed), tag("details", tag("summary", "What the score is"), meaning, class_="tau-details"))


def _factor(found: Collapse, exponent: float) -> str:
    return f"a factor {math.exp(found.spread(exponent)):.2f} apart"


def law_keys() -> Html:
    """The marks of the law's chart."""
    marks = (join(MEM, TAU_MEM), join(GEN, TAU_GEN), join(CENSORED, "not reached by then"))
    return join(*[tag("span", mark) for mark in marks])


def law_table(experiment: ExperimentView, curves: Curves, fits: Mapping[str, PowerLawFit], level: float | None) -> Html:
    """Exponent, interval, counts and definition of each law."""
    head = ("Law", "exponent", "95 % interval", "onsets", "censored", "seeds per setting", "measured as")
    rows = [
        _law_row(experiment, curves, name, fit, level)
        for name in ("tau_mem", "tau_gen")
        for variable in AXES
        if (fit := fits.get(f"{name}_vs_{variable}"))
    ]
    if not rows:
        return Html("")
    columns = tag("thead", tag("tr", *[tag("th", words, scope="col") for words in head]))
    return tag("section", tag("table", columns, tag("tbody", *rows), class_="tau-onsets tau-laws"), class_="tau-card tau-flush")


def _law_row(experiment: ExperimentView, curves: Curves, name: str, fit: PowerLawFit, level: float | None) -> Html:
    mark, symbol = (MEM, TAU_MEM) if name == "tau_mem" else (GEN, TAU_GEN)
    spread = f"{power(fit.low)} to {power(fit.high)}" if fit.low is not None and fit.high is not None else "none"
    cells = [
        join(mark, symbol, f" ~ {SYMBOLS[fit.variable]}", tag("sup", "a" if fit.variable == "n" else "b")),
        tag("b", power(fit.exponent)) if fit.exponent is not None else "none",
        spread,
        fit.points,
        fit.censored,
        fit.seeds,
        join(
            _definition(experiment, curves, name, level),
            tag("span", f" {sentence(fit.note)} ", class_="tau-quiet"),
            _never(experiment, name),
        ),
    ]
    return tag("tr", *[tag("td", cell) for cell in cells])


def _definition(experiment: ExperimentView, curves: Curves, name: str, level: float | None) -> Html:
    defining = level_of(experiment, name)
    if name == "tau_mem":
        return join(F_MEM, f" minus control first at or above {percent(level or (defining[1] if defining else 0))}, {UNTIL_PEAK}.")
    if defining is None:
        return Html("")
    return join(f"{title_of(metric_info(curves, defining[0]))} first at or below {level_text(*defining)}, {UNTIL_BEST}.")


def _never(experiment: ExperimentView, name: str) -> Html | None:
    """Runs without this onset, by why."""
    lost: dict[str, list[str]] = {}
    for run in experiment.runs:
        onset = run.onsets.get(name)
        if onset is not None and onset.status is not OnsetStatus.REACHED:
            lost.setdefault(onset.reason or str(onset.status), []).append(run.label)
    said = [f"{', '.join(labels) if len(labels) <= _NAMED else plural(len(labels), 'run')}: {why}." for why, labels in lost.items()]
    return tag("span", " ".join(said), class_="tau-quiet") if said else None


def level_choices(experiment: ExperimentView) -> dict[str, str]:
    """The levels of copying that the law can be read at, by how the address names them; the spec's own first."""
    defining = level_of(experiment, "tau_mem")
    own = defining[1] if defining else 0.25
    return {f"{level:g}": percent(level) for level in dict.fromkeys((own, 0.1, 0.5))}
