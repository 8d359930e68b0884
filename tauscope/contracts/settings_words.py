"""The settings of a sweep in words, row by row: for the terminal, for a page of results and for the dashboard."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tauscope.contracts.interventions import Interventions, Setting
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.contracts.wording import measured_words, onset_words, share_words


def settings_rows(found: Interventions) -> list[tuple[str, ...]]:
    """What heads the columns, then a row a setting; a column that holds several metrics names each in its cell."""
    columns = [_cells(found, points) for points in _points(found.settings)]
    heads = ("setting", "n", "seeds", "tau_gen", "tau_mem", *(head for head, _ in columns if head))
    rows = (
        (
            *(row.setting or "as it is", f"{row.n_train:,}", ", ".join(map(str, row.seeds))),
            *(_onsets(onsets) for onsets in (row.tau_gen, row.tau_mem)),
            *(cells[place] for head, cells in columns if head),
        )
        for place, row in enumerate(found.settings)
    )
    return [heads, *rows]


def _points(rows: Sequence[Setting]) -> tuple[list[Point | None], ...]:
    """Column by column: quality, quality of samples, f_mem, control."""
    return ([row.quality for row in rows], [row.samples for row in rows], [row.f_mem for row in rows], [row.control for row in rows])


def _cells(found: Interventions, points: Sequence[Point | None]) -> tuple[str, list[str]]:
    """What heads a column, nothing where it is empty, and its cells."""
    names = list(dict.fromkeys(point.metric for point in points if point is not None))
    head, several = _head(found.labels, names), len(names) > 1
    return head, ["" if point is None else _cell(point) + _which(found.labels, point.metric, head) * several for point in points]


def _head(labels: Mapping[str, str], names: Sequence[str]) -> str:
    """The metric where all rows have the same, else what they are alike in."""
    if len(names) < 2:
        return "".join(_label(labels, name) for name in names)
    alike = {_label(labels, name).partition(" at index ")[0] for name in names}
    return alike.pop() if len(alike) == 1 else "quality"


def _which(labels: Mapping[str, str], name: str, head: str) -> str:
    """What tells a metric apart from others under the same head."""
    label = _label(labels, name)
    return f" {label.removeprefix(head).strip()}" if label.startswith(head) else f" {label}"


def _label(labels: Mapping[str, str], name: str) -> str:
    return labels.get(name, name.replace("_", " "))


def _cell(point: Point) -> str:
    if point.metric not in ("f_mem", "f_mem_control"):
        return measured_words(point)
    return f"{share_words(point)}{f' of {point.count:,} each' if point.count else ''}"


def _onsets(onsets: Sequence[Onset]) -> str:
    """The onset of all seeds, or each seed's; what several have alike is told once."""
    told = Counter(onset_words(onset) for onset in onsets)
    return "; ".join(f"{words} ({count} of {len(onsets)})" if len(onsets) > 1 else words for words, count in told.items())


def settings_words(found: Interventions) -> str:
    """How the rows are to be read."""
    return (
        f"All at step {found.at:,}, 95 % intervals. Three seeds or more of a setting are one row: mean, or geometric mean of an onset that "
        "each reached, with Student's interval over the seeds, never narrower than a single seed's own. Where a seed did not reach an "
        "onset each is told by itself."
    )
