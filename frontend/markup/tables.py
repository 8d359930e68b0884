"""The numbers of a chart as a table that can be read without seeing it."""

from collections.abc import Callable, Sequence

from frontend.charts.figure import ViewOptions
from frontend.charts.groups import Group, run_name
from frontend.charts.losses import loss_metrics
from frontend.charts.memorization import CONTROL, F_MEM
from frontend.charts.reading import FRECHET, copying_metric, metric_info, quality_choices, series_of, title_of
from frontend.markup.downloads import curves_csv
from frontend.markup.html import Html, join, tag
from frontend.words import number, percent, steps
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView

MAX_ROWS = 400


def data_tables(experiment: ExperimentView, curves: Curves, groups: Sequence[Group], options: ViewOptions) -> Html:
    """One table a chart, by run and training time, with value, interval, count and, for f_mem, its control."""
    quality = options.quality or next(iter(quality_choices(experiment, curves)), FRECHET)
    copying = copying_metric(experiment)
    shown = [(quality, None), (copying, CONTROL if copying == F_MEM else None)]
    if options.losses is not None:
        shown += [(metric, None) for metric in loss_metrics(options.losses) if metric != quality]
    return join(
        *[
            metric_table(curves, groups, metric, control, csv=curves_csv(experiment, [metric, *([control] if control else [])]))
            for metric, control in shown
        ]
    )


def metric_table(curves: Curves, groups: Sequence[Group], metric: str, control: str | None, *, csv: str) -> Html:
    """The numbers of one metric, with the address of all of them."""
    rows = [row for group in groups for run in group.runs for row in _rows(curves, group, run, metric, control)]
    form = percent if metric.startswith(F_MEM) else number
    head = ["run", "τ", "value", "95 % interval", "count", *(["held-out control"] if control else [])]
    body = [tag("tr", *[tag("td", cell) for cell in _cells(row, form)]) for row in rows[:MAX_ROWS]]
    note = f"{len(rows):,} points" if len(rows) <= MAX_ROWS else f"The first {MAX_ROWS} of {len(rows):,} points drawn"
    every = tag("a", "every point as measured (CSV)", href=csv, download=True)
    title = title_of(metric_info(curves, metric))
    table = tag(
        "table",
        tag("caption", tag("b", title), f" · {note} · ", every),
        tag("thead", tag("tr", *[tag("th", words, scope="col") for words in head])),
        tag("tbody", *body),
        class_="tau-data",
    )
    return tag("div", table, class_="tau-scroll", tabindex=0, role="region", aria_label=f"Data: {title}")


_Row = tuple[str, int, float | None, float | None, float | None, int | None, str | None, float | None, bool]


def _rows(curves: Curves, group: Group, run: RunView, metric: str, control: str | None) -> list[_Row]:
    series = series_of(curves, run, metric)
    if series is None:
        return []
    held_out = series_of(curves, run, control) if control else None
    floor = dict(zip(held_out.step, held_out.value, strict=True)) if held_out else {}
    columns = zip(series.step, series.value, series.low, series.high, series.count, series.reason, strict=True)
    return [(run_name(group, run), *row, floor.get(row[0]), control is not None) for row in columns]


def _cells(row: _Row, form: Callable[[float], str]) -> list[str]:
    name, step, value, low, high, count, reason, floor, controlled = row
    spread = f"{form(low)} to {form(high)}" if low is not None and high is not None else "none"
    words = form(value) if value is not None else reason or "not measured"
    cells = [name, steps(step), words, spread, f"{count:,}" if count is not None else ""]
    return cells + ([form(floor) if floor is not None else "not measured"] if controlled else [])
