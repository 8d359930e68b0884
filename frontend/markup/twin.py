"""A run beside its twin in words and numbers: how far the two agree, and where that is highest."""

from frontend.markup.downloads import curves_csv
from frontend.markup.header import address
from frontend.markup.html import TAU_SPLIT, Html, join, tag
from frontend.markup.sections import section, table
from frontend.words import number, onset_words, sentence, steps
from tauscope.contracts.curves import Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.run_views import RunView

_COLUMNS = ("τ", "Mean cosine", "95 % interval", "Points")
HOLDS = "The interval holds the choice of points, not what other images or weights would change."


def split_finding(split: Onset | None) -> Html:
    """tau_split with its interval, or its state and the reason, in one sentence."""
    if split is None or split.status is OnsetStatus.UNDEFINED:
        return join(TAU_SPLIT, f" is not known: {split.reason if split else 'nothing was measured yet'}.")
    value, spread = onset_words(split)
    if split.status is OnsetStatus.REACHED:
        return join(TAU_SPLIT, f" {value} ({spread}): the twins agree most there, with a mean cosine of {number(split.level)}.")
    return join(TAU_SPLIT, f": {value} ({spread}); the highest mean cosine so far is {number(split.level)}.")


def twin_table(experiment: ExperimentView, run: RunView, twin: RunView, split: Onset | None, found: Series | None) -> Html:
    """The twin, what 1 and 0 mean, and the agreement at every step at which it was measured."""
    rows = list(zip(found.step, found.value, found.low, found.high, found.count, found.reason, strict=True)) if found else []
    cells = [
        (steps(step), f"{value:.3f}" if value is not None else sentence(reason or "not measured"), _spread(low, high), f"{count or 0:,}")
        for step, value, low, high, count, reason in rows
    ]
    where = address("run", id=twin.id)
    other = tag("a", twin.label, href=where, data_go=where, class_="tau-link")
    standing = f", {twin.state} at τ {steps(twin.step)} of {steps(twin.steps)}."
    csv = tag("a", "CSV", href=curves_csv(experiment, [split.metric]), download=True, class_="tau-link") if split and cells else None
    body = join(
        tag("p", "The twin: ", other, standing, " It has other images and other weights to begin with; all else is the same."),
        tag("p", "1: both give the same answers. 0: they have nothing in common. ", HOLDS, class_="tau-quiet"),
        table(_COLUMNS, cells, "Nothing yet: it appears where both have come."),
        tag("p", "Every point as measured: ", csv) if csv else None,
    )
    return section("Agreement with the twin", body)


def _spread(low: float | None, high: float | None) -> str:
    return f"{low:.3f} to {high:.3f}" if low is not None and high is not None else ""
