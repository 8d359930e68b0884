"""The settings of a sweep in words, row by row: for the terminal, for a page of results and for the dashboard."""

from collections import Counter
from collections.abc import Sequence

from tauscope.contracts.interventions import Interventions, Setting
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.contracts.wording import measured_words, onset_words, share_words


def settings_rows(found: Interventions) -> list[tuple[str, ...]]:
    """What heads the columns, then a row a setting."""
    qualities = {row.quality.metric for row in found.settings}
    drawn = {row.samples.metric for row in found.settings if row.samples is not None}
    heads = ("setting", "n", "seeds", "tau_gen", "tau_mem", _head(qualities, "quality"), _head(drawn, "of samples"), "f_mem", "control")
    return [heads, *(_row(row, qualities, drawn) for row in found.settings)]


def _row(row: Setting, qualities: set[str], drawn: set[str]) -> tuple[str, ...]:
    return (
        *(row.setting or "as it is", f"{row.n_train:,}", ", ".join(map(str, row.seeds))),
        *(_onsets(onsets) for onsets in (row.tau_gen, row.tau_mem)),
        _named(row.quality, qualities),
        "" if row.samples is None else _named(row.samples, drawn),
        *(_share(point) for point in (row.f_mem, row.control)),
    )


def _onsets(onsets: Sequence[Onset]) -> str:
    """The onset of all seeds, or each seed's; what several have alike is told once."""
    told = Counter(onset_words(onset) for onset in onsets)
    return "; ".join(f"{words} ({count} of {len(onsets)})" if len(onsets) > 1 else words for words, count in told.items())


def _head(metrics: set[str], otherwise: str) -> str:
    """The metric where all rows have the same, else what it is."""
    return next(iter(metrics)) if len(metrics) == 1 else otherwise


def _named(point: Point, metrics: set[str]) -> str:
    return measured_words(point) + (f" {point.metric}" if len(metrics) > 1 else "")


def _share(point: Point) -> str:
    return f"{share_words(point)}{f' of {point.count:,} each' if point.count else ''}"


def settings_words(found: Interventions) -> str:
    """How the rows are to be read."""
    return (
        f"All at step {found.at:,}, 95 % intervals. Three seeds or more of a setting are one row: mean, or geometric mean of an onset that "
        "each reached, with Student's interval over the seeds, never narrower than a single seed's own. Where a seed did not reach an "
        "onset each is told by itself."
    )
