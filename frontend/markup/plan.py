"""The runs of a plan: a grid over its first two axes with the cost of each run, and their order on the slots."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from frontend.markup.html import Html, join, tag
from frontend.markup.icons import swatch
from frontend.markup.settings import axis_name
from frontend.theme import following_ink_on_n, following_n_colours
from frontend.words import clock, plural
from tauscope.contracts.experiments import Plan, PlannedRun

MAX_ROWS, MAX_COLUMNS, MAX_SLOTS = 24, 3, 8  # What fits beside the form without scrolling.


@dataclass(frozen=True)
class _Row:
    """The runs of one value of the first axis."""

    label: str
    colour: str
    ink: str
    runs: tuple[PlannedRun, ...]


def plan_grid(plan: Plan) -> Html:
    """A row for each value of the first axis and a column for each of the second; a bar is a run's share of the dearest."""
    first, second = _axes(plan)
    rows = _rows(plan)
    columns = list(dict.fromkeys(_at(run, second) for run in plan.runs)) if second else []
    wide = len(columns) <= MAX_COLUMNS
    dearest = max(run.cost for run in plan.runs)
    head = [tag("th", axis_name(first) if first else "run"), *_steps_head(plan)]
    head += [tag("th", words) for words in _work_words(second, columns if wide else [], len(columns))]
    head += [tag("th", "each")] if plan.estimate else []
    body = [_line(row, plan, second, columns if second and wide else [], dearest) for row in rows[:MAX_ROWS]]
    rest = tag("p", f"and {plural(len(rows) - MAX_ROWS, 'further row')}", class_="tau-notes") if len(rows) > MAX_ROWS else None
    return join(tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body), class_="tau-onsets tau-plan"), rest)


def _axes(plan: Plan) -> tuple[str | None, str | None]:
    names = list(plan.runs[0].params)
    zipped = plan.sweep.get("combine") == "zip"
    return names[0] if names else None, names[1] if len(names) > 1 and not zipped else None


def _rows(plan: Plan) -> list[_Row]:
    first, _ = _axes(plan)
    found: dict[str, list[PlannedRun]] = {}
    for run in plan.runs:
        found.setdefault(_at(run, first) or "1", []).append(run)
    colours, inks = following_n_colours(len(found)), following_ink_on_n(len(found))
    return [_Row(label, colour, ink, tuple(runs)) for (label, runs), colour, ink in zip(found.items(), colours, inks, strict=True)]


def _line(row: _Row, plan: Plan, second: str | None, columns: Sequence[str], dearest: float) -> Html:
    cells = [[run for run in row.runs if _at(run, second) == label] for label in columns] if columns else [list(row.runs)]
    parts = [tag("td", swatch(row.colour), row.label), *_steps_cell(row)]
    parts += [tag("td", _bar(cell, row.colour, dearest)) for cell in cells]
    if plan.estimate:
        seconds = [plan.estimate.runs[run.index] for run in row.runs]
        parts.append(tag("td", clock(max(seconds))))
    return tag("tr", *parts)


def _bar(runs: Sequence[PlannedRun], colour: str, dearest: float) -> Html:
    share = 100 * max((run.cost for run in runs), default=0.0) / dearest
    count = tag("span", f"×{len(runs)}", class_="tau-times-runs") if len(runs) > 1 else None
    return join(tag("span", tag("span", style=f"width:{share:.1f}%;background:{colour}"), class_="tau-bar"), count)


def _work_words(second: str | None, columns: Sequence[str], count: int) -> list[str]:
    if second is None:
        return ["work"]
    return [f"{axis_name(second)} {label}" for label in columns] or [f"work, {count} values of {axis_name(second)}"]


def _steps_head(plan: Plan) -> list[Html]:
    return [tag("th", "steps")] if all("steps" in run.spec for run in plan.runs) else []


def _steps_cell(row: _Row) -> list[Html]:
    counts = sorted({run.spec["steps"] for run in row.runs if "steps" in run.spec})
    if not counts:
        return []
    return [tag("td", f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}")]


def slot_order(plan: Plan) -> Html:
    """Which slot computes which run when, on one time axis; the longest run goes first."""
    assert plan.estimate is not None
    estimate = plan.estimate
    row_of = {run.index: row for row in _rows(plan) for run in row.runs}
    lanes = [
        tag("div", *[_block(estimate.runs[index] / estimate.seconds, row_of[index]) for index in lane], class_="tau-lane")
        for lane in estimate.slots[:MAX_SLOTS]
    ]
    more = len(estimate.slots) - MAX_SLOTS
    rest = [tag("p", f"and {plural(more, 'further slot')}", class_="tau-notes")] if more > 0 else []
    words = "; ".join(
        f"slot {position + 1}: {', '.join(row_of[index].label for index in lane)}" for position, lane in enumerate(estimate.slots)
    )
    axis = tag("div", tag("span", "now"), tag("span", f"+{clock(estimate.seconds)}"), class_="tau-lane-axis")
    title = tag("div", f"Order on {plural(len(estimate.slots), 'slot')}, longest first", class_="tau-label")
    return tag("div", title, tag("div", *lanes, role="img", aria_label=words), axis, *rest, class_="tau-order")


def _block(share: float, row: _Row) -> Html:
    words = row.label if share > 0.12 else ""
    return tag("span", tag("span", words), style=f"width:{100 * share:.2f}%;background:{row.colour};color:{row.ink}", title=row.label)


def _at(run: PlannedRun, axis: str | None) -> str:
    """The run's value of an axis as a heading; a tagged object goes by its name."""
    value: Any = run.params.get(axis, "") if axis else ""
    if isinstance(value, dict):
        return str(value.get("name", json.dumps(value)))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
