"""Numbers and states in words: one way of writing each on every page."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.run_views import RunView
from tauscope.contracts.system import SystemView
from tauscope.contracts.wording import interval_percent as interval_percent
from tauscope.contracts.wording import number as number
from tauscope.contracts.wording import percent as percent

DASH = "–"
# What "first at a level" means for a curve that turns back later, and what stands in brackets after an onset.
UNTIL_BEST = "and kept up to its best value; what comes later is overfitting"
UNTIL_PEAK = "and kept up to its highest value"
UNTIL_RISEN = "below it, the checkpoints that cannot be told from the least"
UNTIL_FALLEN = "below it, the checkpoints that cannot be told from the highest"
INTERVAL = (
    "Below each its 95 % interval: the checkpoints between which the curve may have crossed the level, given the intervals of its"
    " points. Window: from the upper end of one to the lower end of the other."
)
FORETOLD_FROM = 0.05  # The share of a run from which its speed foretells its end.
SILENT_AFTER = 30.0  # Seconds without a heartbeat after which a worker's slots no longer count.


def exponent(value: float) -> str:
    """Two digits after the point, zero without a sign, below it with a minus."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def steps(value: float) -> str:
    """A training time: whole steps, thousands separated."""
    return f"{value:,.0f}"


def share_of_samples(copies: int, count: int, low: float, high: float) -> str:
    """Copies among samples with the 95 % interval; a count of zero is given its upper end."""
    if copies == 0:
        return f"0 of {count:,} copied, under {percent(high)} at 95 %"
    return f"{copies:,} of {count:,} copied: {percent(copies / count)} ({interval_percent(low, high)})"


def control_words(share: float, low: float, high: float, count: int) -> str:
    """The held-out control with its interval and count; a share of zero is given its upper end."""
    spread = f"under {percent(high)}" if share == 0 else interval_percent(low, high)
    return f"held-out control {percent(share)} ({spread}) of {count:,}"


def interval(low: float | None, high: float | None) -> str:
    """An interval of times or other numbers; an open end is said in words."""
    if low is None or high is None:
        return f"above {number(low)}" if low is not None else "no interval"
    return f"{number(low)} to {number(high)}"


def duration(seconds: float) -> str:
    """A span of time in its two largest units."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"
    if seconds < 48 * 3600:
        return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"
    return f"{seconds / 86400:.1f} days"


def rough(seconds: float) -> str:
    """A span of time that is only known roughly: one unit."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{max(1.0, seconds / unit):.0f} {name}"
    return f"{seconds / 86400:.0f} days"


def clock(seconds: float) -> str:
    """A span of time as 0:31, 5:31 or 2:05:31; days from a day on."""
    if seconds >= 86400:
        return f"{seconds / 86400:.1f} days"
    hours, rest = divmod(round(seconds), 3600)
    minutes = f"{rest // 60:02d}" if hours else str(rest // 60)
    return (f"{hours}:" if hours else "") + f"{minutes}:{rest % 60:02d}"


def seconds_left(run: RunView) -> float | None:
    """How long a run still trains at its present speed; ``None`` while that foretells nothing.

    The first checkpoints follow each other closely, and measuring them is most of the time.
    """
    speed = run.steps_per_second
    return (run.steps - run.step) / speed if speed and run.step >= FORETOLD_FROM * run.steps else None


def ago(seconds: float) -> str:
    """How long ago something was."""
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    if seconds < 86400:
        return f"{seconds // 3600:.0f} h ago"
    days = round(seconds / 86400)
    return "yesterday" if days == 1 else f"{days} days ago"


def moment(at: float) -> str:
    """A time in UTC, to the second."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def onset_words(onset: Onset) -> tuple[str, str]:
    """An onset as its value and its interval, or its state and the reason; never a number it does not have."""
    if onset.status is OnsetStatus.REACHED:
        assert onset.value is not None
        return steps(onset.value), interval(onset.low, onset.high)
    reasons = {
        OnsetStatus.CENSORED: "not reached",
        OnsetStatus.BEFORE_FIRST: "before the first checkpoint",
        OnsetStatus.UNDEFINED: "undefined",
    }
    # The column says which onset it is.
    return (onset.reason.replace("quality never reached by", "not by") or reasons[onset.status]), {
        OnsetStatus.CENSORED: "censored",
        OnsetStatus.BEFORE_FIRST: "earlier than measured",
        OnsetStatus.UNDEFINED: "no onset",
    }[onset.status]


def sentence(words: str) -> str:
    """A clause as a sentence of its own."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}." if words else ""


def plural(count: int, noun: str) -> str:
    """``1 run``, ``3 runs``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def slots_words(system: SystemView) -> str:
    """How busy the workers are."""
    heard = [worker for worker in system.workers if system.server_time - worker.seen_at < SILENT_AFTER]
    slots, busy = sum(worker.slots for worker in heard), sum(worker.busy for worker in heard)
    return f"{busy} of {plural(slots, 'slot')} busy" if slots else "no worker"


_LETTERED = re.compile(r"([A-Z]†?(?:, [A-Z]†?)*) (.+)")


def joined_names(names: Sequence[str]) -> str:
    """Names of one form share their beginning: ``n = 16, 32, 64``; those of several experiments their end: ``A, B n = 16``."""
    split = [_LETTERED.fullmatch(name) for name in names]
    if len({found and found[2] for found in split}) == 1 and all(split):
        return f"{', '.join(found[1] for found in split if found)} {split[0][2]}"  # type: ignore[index]
    beginnings = {name.partition(" = ")[0] for name in names}
    if len(beginnings) == 1 and all(name.count(" = ") == 1 for name in names):
        return f"{beginnings.pop()} = " + ", ".join(name.partition(" = ")[2] for name in names)
    return "; ".join(names)


def probe_value(metric: str, value: float) -> str:
    """The value of a probe: a relative gap in percent, anything else as a number."""
    return percent(value) if metric.startswith("loss_gap") else number(value)


def level_text(metric: str, level: float) -> str:
    """A level in the unit of its metric."""
    return percent(level) if metric.startswith("f_mem") else number(level)


Axis = Literal["tau", "tau_n", "w_tau", "epochs", "seconds"]
AXIS_TITLES: dict[Axis, str] = {
    "tau": "training time τ, steps (log)",
    "tau_n": "τ/n, steps per training point (log)",
    "w_tau": "Wτ, steps times base width (log)",
    "epochs": "epochs, τ × batch / n (log)",
    "seconds": "time spent computing, s, at each run's mean speed (log)",
}
AXIS_SYMBOLS: dict[Axis, str] = {"tau": "τ", "tau_n": "τ/n", "w_tau": "Wτ", "epochs": "epoch", "seconds": "s"}
AXIS_NAMES: dict[Axis, str] = {"tau": "τ", "tau_n": "τ/n", "w_tau": "Wτ", "epochs": "epochs", "seconds": "seconds"}
