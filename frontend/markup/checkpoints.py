"""The checkpoints of a run: what was found at each, and their miniature curves on the log axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from frontend.charts.window import window_of
from frontend.markup.html import Html, join, tag
from frontend.words import control_words, interval_percent, percent, steps
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import TERMINAL_STATES
from tauscope.contracts.samples import SampleStep

Place = Callable[[float], float]
_WIDTH, _TOP, _BOTTOM = 1000, 6, 50


def checkpoint_words(item: SampleStep) -> dict[str, Any]:
    """A checkpoint as the page needs it: its finding, or why there is none."""
    titles = {
        "measured": "",
        "waiting": f"The samples of τ = {steps(item.step)} are still being evaluated",
        "diverged": f"No samples at τ = {steps(item.step)}: the sampler gave no finite sample",
    }
    details = {"measured": "", "waiting": item.reason or "They appear here by themselves.", "diverged": "The training had diverged here."}
    shown = {"step": item.step, "state": item.state, "version": item.version, "title": titles[item.state], "detail": details[item.state]}
    return shown | {"finding": copies_found(item) if item.state == "measured" else titles[item.state] + "."}


def copies_found(item: SampleStep) -> Html:
    """How many samples are copies, with interval and control."""
    assert item.f_mem is not None and item.n_generated is not None
    at, count = f"At τ = {steps(item.step)}, ", item.n_generated
    copies, low, high = round(item.f_mem * count), item.f_mem_low or 0.0, 1.0 if item.f_mem_high is None else item.f_mem_high
    control = _control(item)
    if copies == 0:
        return join(at, f"0 of {count:,} samples are copies: under {percent(high)} at 95 %.", tag("span", control, class_="tau-quiet"))
    shown = tag("span", f"{copies:,} of {count:,}", class_="tau-copied")
    spread = f" ({interval_percent(low, high)} at 95 %)."
    return join(at, shown, f" samples are copies: {percent(item.f_mem)}", tag("span", spread, control, class_="tau-quiet"))


def _control(item: SampleStep) -> str:
    share, low, high, count = item.f_mem_control, item.f_mem_control_low, item.f_mem_control_high, item.control_count
    if share is None or low is None or high is None or count is None:
        return ""
    return f" {control_words(share, low, high, count).capitalize()}."


def no_checkpoint(run: RunView) -> dict[str, str]:
    """What the page says of a run without any samples."""
    if run.state in TERMINAL_STATES:
        return {"title": "This run drew no samples", "detail": run.reason or "It ended before its first checkpoint."}
    return {"title": "No samples yet", "detail": "They appear here with the run's first checkpoint."}


@dataclass(frozen=True)
class Quality:
    """The measured quality that defines tau_gen, lower is better, and its name."""

    name: str
    points: Sequence[tuple[int, float]]


def mini_curves(run: RunView, found: Sequence[SampleStep], quality: Quality, place: Place) -> Html:
    """f_mem, the quality that defines tau_gen, and the window between, in miniature: for orientation, not for reading."""
    copied = [(place(item.step), item.f_mem) for item in found if item.f_mem is not None]
    window = window_of(run)
    words = tag(
        "div",
        tag("span", quality.name, class_="tau-quality"),
        " (lower is better) and ",
        tag("span", "share of copies", class_="tau-copied"),
        f" over log τ; window {window.words}" if window else " over log τ",
        class_="tau-strip-words",
    )
    lines = [
        _window(place(window.start), place(window.end)) if window else "",
        _line(_scaled([(place(step), value) for step, value in quality.points]), "quality"),
        _line(copied, "memorization"),
    ]
    drawn = f'<svg class="tau-mini" viewBox="0 0 {_WIDTH} 56" preserveAspectRatio="none" aria-hidden="true">{"".join(lines)}</svg>'
    return join(words, Html(drawn))


def _scaled(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    low, high = min((value for _, value in points), default=0.0), max((value for _, value in points), default=1.0)
    return [(at, (value - low) / ((high - low) or 1)) for at, value in points]


def _line(points: Sequence[tuple[float, float]], colour: str) -> str:
    """Values from 0 to 1, bottom to top; a single one is a short line, so that it can be seen."""
    if not points:
        return ""
    pairs = [*points, (points[0][0] + 0.01, points[0][1])] if len(points) == 1 else points
    drawn = " ".join(f"{at * _WIDTH:.1f},{_BOTTOM - (_BOTTOM - _TOP) * value:.1f}" for at, value in pairs)
    return (
        f'<polyline points="{drawn}" fill="none" stroke="var(--tau-{colour})" stroke-width="2" '
        'vector-effect="non-scaling-stroke" stroke-linejoin="round"/>'
    )


def _window(start: float, end: float) -> str:
    left, width = start * _WIDTH, (end - start) * _WIDTH
    return f'<rect class="tau-mini-window" x="{left:.1f}" width="{width:.1f}" y="0" height="56"/>'
