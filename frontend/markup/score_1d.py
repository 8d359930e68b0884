"""The words of the score page: what was found, what is drawn, and every number as a table."""

from collections.abc import Sequence

from frontend.charts.score_1d import ScorePanel, is_score_1d
from frontend.charts.score_errors import COPIED, E_SCORE, LINEAR
from frontend.markup.html import TAU_GEN, TAU_MEM, Html, join, tag
from frontend.markup.icons import GEN, MEM
from frontend.markup.sections import section, table
from frontend.words import DASH, number, onset_words, steps
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset, OnsetStatus

NOT_THIS = "This experiment has no scores to draw: only runs of the kind score_1d do. Launch the preset score-1d."
WAITING = "No run has begun: the exact scores come with the first one, the learned score with its first checkpoint."
_COLUMNS = (
    "τ",
    "E_score (95 %)",
    "distance to the training points' score (95 %)",
    "copied of it (95 %)",
    "alpha (95 %)",
    "orthogonal part (95 %)",
    "points",
)
_DRAWN = (E_SCORE, "score_to_training", COPIED, "alpha", "alpha_orthogonal")


def scores_finding(experiment: ExperimentView, panels: Sequence[ScorePanel], curves: Curves) -> Html:
    """One sentence for each run that is drawn."""
    if not is_score_1d(experiment):
        return join(NOT_THIS)
    if not panels:
        return join(WAITING)
    return join(*[part for panel in panels for part in (tag("b", panel.name), ": ", _found(panel, curves), " ")])


def _found(panel: ScorePanel, curves: Curves) -> Html:
    rows = [row for row in _rows(curves.runs.get(panel.run.id, {}).get(E_SCORE)) if row[1] is not None]
    if not rows:
        return join("no checkpoint yet.")
    best, last = min(rows, key=lambda row: row[1] or 0.0), rows[-1]
    said = join("E", tag("sub", "score"), f" {_value(best)} at τ {steps(best[0])}")
    later = join(", ", _value(last), f" at {steps(last[0])}") if last[0] > best[0] else None
    return join(said, later, "; ", _copying(panel.run.onsets.get("tau_mem")), ".")


def _copying(onset: Onset | None) -> Html:
    if onset is None:
        return join(TAU_MEM, " not known yet")
    words, spread = onset_words(onset)
    return join(TAU_MEM, f" {words} ({spread})" if onset.status is OnsetStatus.REACHED else f" {words}")


def scores_keys(panels: Sequence[ScorePanel], curves: Curves) -> Html:
    """The marks of both figures, and what each quantity is."""
    if not panels:
        return Html()
    marks = [
        join(_line("var(--tau-ink-1)", 4), "learned"),
        join(_line("var(--tau-quality)", 2), "population"),
        join(_line("var(--tau-memorization)", 1.5), "training points (empirical)"),
        join(_TICKS, "training points, scaled by √alpha_bar"),
        join(_HILL, "density of x under the population"),
        join(GEN, TAU_GEN),
        join(MEM, TAU_MEM),
    ]
    infos = [curves.metrics[name] for name in (*_DRAWN, LINEAR) if name in curves.metrics]
    said = [tag("p", tag("b", info.label), f": {info.definition}", class_="tau-quiet") for info in infos]
    line = tag("div", *[tag("span", mark) for mark in marks], tag("span", "Bars and bands: 95 %", class_="tau-right"), class_="tau-keys")
    return join(line, tag("details", tag("summary", "How it is measured"), *said, class_="tau-details"))


def scores_tables(panels: Sequence[ScorePanel], curves: Curves) -> Html:
    """Every checkpoint of each run that is drawn."""
    told = [section(panel.name, _table(panel, curves)) for panel in panels]
    return tag("details", tag("summary", "Data table"), *told, class_="tau-details") if told else Html()


def _table(panel: ScorePanel, curves: Curves) -> Html:
    found = curves.runs.get(panel.run.id, {})
    columns = [{row[0]: row for row in _rows(found.get(name))} for name in _DRAWN]
    times = sorted({step for column in columns for step in column})
    cells = [[steps(at), *(_value(column.get(at)) for column in columns), _counts(at, columns)] for at in times]
    return table(_COLUMNS, cells, "No checkpoint yet.")


_Row = tuple[int, float | None, float | None, float | None, int | None, str | None]


def _rows(series: Series | None) -> list[_Row]:
    if series is None:
        return []
    return list(zip(series.step, series.value, series.low, series.high, series.count, series.reason, strict=True))


def _value(row: _Row | None) -> str:
    if row is None:
        return DASH
    _, value, low, high, _, reason = row
    if value is None:
        return f"missing: {reason}"
    return f"{number(value)} ({number(low)} to {number(high)})" if low is not None and high is not None else number(value)


def _counts(step: int, columns: Sequence[dict[int, _Row]]) -> str:
    counts = {column[step][4] for column in columns if step in column} - {None}
    return " and ".join(f"{count:,}" for count in sorted(count for count in counts if count is not None))


def _line(colour: str, width: float) -> Html:
    return Html(
        '<svg class="tau-icon" width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">'
        f'<path d="M1 5h20" stroke="{colour}" stroke-width="{width}"/></svg>'
    )


_TICKS = Html(
    '<svg class="tau-icon" width="22" height="12" viewBox="0 0 22 12" aria-hidden="true">'
    '<path d="M4 1v10M9 1v10M17 1v10" stroke="var(--tau-memorization)" stroke-width="1.2"/></svg>'
)
_HILL = Html(
    '<svg class="tau-icon" width="22" height="12" viewBox="0 0 22 12" aria-hidden="true">'
    '<path d="M0 11C4 11 5 2 11 2s7 9 11 9z" fill="var(--tau-control)" opacity=".3"/></svg>'
)
