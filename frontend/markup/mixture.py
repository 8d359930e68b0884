"""The words of the mixture page: where a run stands between population and training points, and every number as a table."""

from frontend.charts.mixture import PARTS, metrics_of, score_indices, short
from frontend.charts.run_lines import Row, measured_rows
from frontend.markup.html import Html, join, tag
from frontend.markup.sections import section, table
from frontend.words import DASH, number, steps
from tauscope.contracts.curves import Curves
from tauscope.contracts.run_views import RunView

NOTHING = (
    "No population is known here: these are runs on data. The presets gmm-minute, gmm, gmm-d128 and gmm-conditional learn known mixtures."
)
_BESIDE = ("e_gen", "e_mem", "nearer_train", "energy_distance", "log_likelihood", "kl", "f_mem")
_HEAD = ("", "last (95 %)", "at τ", "fresh draws of the population (95 %)", "count")


def mixture_finding(name: str, run: RunView, curves: Curves, index: int | None) -> Html:
    """alpha at last, and how far the score is from both exact ones."""
    if index is None:
        return join(NOTHING)
    series = curves.runs.get(run.id, {})
    alpha, error, copied = (
        _last(measured_rows(series.get(f"{what}@{index}"))) for what in ("alpha", "score_error", "score_error_empirical")
    )
    if alpha is None or error is None or copied is None:
        return join(f"{name}: no point yet.")
    nearer = "population" if error[1] < copied[1] else "training points"
    return join(
        f"{name}: at τ {steps(alpha[0])} alpha is {_value(alpha)} at index {index}; the score is nearer to that of the {nearer}, "
        f"with an error of {_value(error)} to the one of the population and {_value(copied)} to the one of the training points."
    )


def mixture_keys(curves: Curves, index: int | None) -> Html | None:
    """What the lines are."""
    info = curves.metrics.get(f"alpha@{index}")
    if info is None:
        return None
    about = (
        f"Scores at index {info.index} (alpha_bar {info.alpha_bar:.3f}). alpha: 0 the population's score, 1 that of the training points; "
        "orthogonal: what of the error is no copying, in the same unit; alpha_ho: without knowing the population, 1/2 for a memorizer. "
        "Dotted in a line's colour: the error of the exact score of the training points, and the distances of fresh draws. "
        "Shaded: 95 %; upright, the onsets of this run with their intervals."
    )
    return tag("p", about, class_="tau-score")


def beside_table(run: RunView, curves: Curves) -> Html | None:
    """What is measured of samples, at last, beside what fresh draws of the population score."""
    series = curves.runs.get(run.id, {})
    names = [name for name in _BESIDE if name in curves.metrics]
    if not names:
        return None
    cells = []
    for name in names:
        info = curves.metrics[name]
        last, beside = _last(measured_rows(series.get(name))), _last(measured_rows(series.get(info.control or "")))
        place = (steps(last[0]), _value(beside), f"{last[4]:,}") if last else (DASH, DASH, DASH)
        cells.append((info.label, _value(last), *place))
    return section("Samples beside fresh draws", table(_HEAD, cells, "No point yet: it comes with the first samples."))


def data_table(run: RunView, curves: Curves, index: int | None) -> Html | None:
    """The drawn numbers at every step."""
    series = curves.runs.get(run.id, {})
    rows = {name: {row[0]: row for row in measured_rows(series.get(name))} for part in PARTS for name in metrics_of(part, index)}
    times = sorted({step for found in rows.values() for step in found})
    if not times:
        return None
    cells = [(steps(step), *(_value(found.get(step)) for found in rows.values())) for step in times]
    return tag("details", tag("summary", "Data table"), table(("τ", *map(short, rows)), cells, ""), class_="tau-details")


def chosen_index(curves: Curves, asked: str) -> int | None:
    """The index asked for, or the middle one; nothing where scores are not compared."""
    known = score_indices(curves.metrics)
    if asked.isdigit() and int(asked) in known:
        return int(asked)
    return known[len(known) // 2] if known else None


def _last(rows: list[Row]) -> Row | None:
    return rows[-1] if rows else None


def _value(row: Row | None) -> str:
    return DASH if row is None else f"{number(row[1])} ({number(row[2])} to {number(row[3])})"
