"""In which settings the compared runs differ; what agrees in all of them is folded away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from frontend.charts.compared import Line
from frontend.comparison import Part, configuration, spec_of
from frontend.markup.html import Html, join, tag
from frontend.words import DASH, plural
from tauscope.contracts.run_views import RunView
from tauscope.specs.fields import FieldValue

_MOST_COLUMNS = 8


@dataclass(frozen=True)
class Column:
    """Runs that share a heading: of a line, or of a whole experiment where there are many lines."""

    heading: str
    part: Part
    runs: tuple[RunView, ...]


@dataclass(frozen=True)
class Difference:
    """A field with its value in each column; one text where all agree."""

    title: str
    cells: tuple[str, ...]


def columns_of(lines: Sequence[Line]) -> tuple[Column, ...]:
    """A column a line, or a column an experiment where those would not fit beside each other."""
    if len(lines) <= _MOST_COLUMNS:
        return tuple(Column(line.heading, line.part, line.members.runs) for line in lines)
    parts = {line.part.letter: line.part for line in lines}
    return tuple(Column(f"{part.letter}, {plural(len(part.runs), 'run')}", part, part.runs) for part in parts.values())


def differences(columns: Sequence[Column]) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """The fields in which any two runs differ, and those in which all agree."""
    fields = [[configuration(column.part.experiment, run) for run in column.runs] for column in columns]
    known: dict[str, FieldValue] = {path: item for column in fields for run in column for path, item in run.items()}
    differing: list[Difference] = []
    agreeing: list[Difference] = []
    for path, field in known.items():
        title = f"{field.title}, {field.unit}" if field.unit else field.title
        cells = tuple(", ".join(dict.fromkeys(_text(run, path) for run in column)) for column in fields)
        values = {_text(run, path) for column in fields for run in column}
        (differing if len(values) > 1 else agreeing).append(Difference(title, cells))
    return tuple(differing), tuple(agreeing)


def _text(fields: Mapping[str, FieldValue], path: str) -> str:
    return value_text(fields[path].value) if path in fields else DASH


def value_text(value: Any) -> str:
    """A setting exactly: two that differ never read alike."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.10g}"
    return " ".join(value_text(item) for item in value) if isinstance(value, list | tuple) else str(value)


def difference_table(lines: Sequence[Line]) -> Html:
    """The settings that differ, a column a line; the others by number, and in full when asked for."""
    columns = columns_of(lines)
    differing, agreeing = differences(columns)
    head = tag("tr", tag("th", "Setting", scope="col"), *[tag("th", column.heading, scope="col") for column in columns])
    rows = [tag("tr", tag("th", item.title, scope="row"), *[tag("td", cell) for cell in item.cells]) for item in differing]
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="tau-onsets tau-differences")
    shown = tag("div", table, class_="tau-scrolls", tabindex=0, role="region", aria_label="Settings that differ")
    nothing = tag("p", "Every setting agrees: these runs differ in nothing that was asked for.", class_="tau-notes")
    return tag(
        "section",
        tag("h2", "Settings that differ", class_="tau-label"),
        shown if differing else nothing,
        _agreeing(agreeing, more=bool(differing)),
        *_unreadable(lines),
        class_="tau-card tau-flush tau-section",
    )


def _agreeing(fields: Sequence[Difference], *, more: bool) -> Html:
    words = f"{len(fields):,} {'more ' if more else ''}field{'' if len(fields) == 1 else 's'} agree{'s' if len(fields) == 1 else ''}"
    entries = [join(tag("dt", item.title), tag("dd", item.cells[0])) for item in fields]
    return tag("details", tag("summary", words), tag("dl", *entries, class_="tau-agreeing"), class_="tau-details")


def _unreadable(lines: Sequence[Line]) -> list[Html]:
    """The experiments whose configuration this version cannot read are shown as they were stored."""
    parts = {line.part.letter: line.part for line in lines}
    lost = [letter for letter, part in parts.items() if any(spec_of(part.experiment, run) is None for run in part.runs)]
    words = f"The configuration of {', '.join(lost)} is of another version: its fields stand as they were stored, without their titles."
    return [tag("p", words, class_="tau-notes")] if lost else []
