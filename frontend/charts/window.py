"""The window of a run: from the upper end of tau_gen to the lower end of tau_mem."""

from dataclasses import dataclass

from frontend.words import steps
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.run_views import RunView


@dataclass(frozen=True)
class Window:
    """Where quality is there and copying is not; ``open`` while copying has not been seen."""

    start: float
    end: float
    open: bool

    @property
    def words(self) -> str:
        """``τ 38 to 1,360``, or since when it is open."""
        return f"open since τ {steps(self.start)}" if self.open else f"τ {steps(self.start)} to {steps(self.end)}"

    @property
    def ratio(self) -> str:
        """How many times longer than tau_gen it lasts."""
        return ("> " if self.open else "") + f"{_ratio(self.end / self.start)}×"


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value < 10 else steps(value)


def window_of(run: RunView) -> Window | None:
    """The window of a run, or ``None`` where there is none (``no_window`` says why)."""
    gen, mem = run.onsets.get("tau_gen"), run.onsets.get("tau_mem")
    if gen is None or mem is None or gen.status is not OnsetStatus.REACHED:
        return None
    start = gen.high if gen.high is not None else gen.value
    end = _end(mem, run)
    if start is None or end is None or end <= start:
        return None
    return Window(start, end, open=mem.status is OnsetStatus.CENSORED)


def _end(mem: Onset, run: RunView) -> float | None:
    if mem.status is OnsetStatus.REACHED:
        return mem.low if mem.low is not None else mem.value
    return mem.low or float(run.step) or None if mem.status is OnsetStatus.CENSORED else None


def no_window(run: RunView) -> str:
    """Why a run has no window, in one clause."""
    gen, mem = run.onsets.get("tau_gen"), run.onsets.get("tau_mem")
    if gen is None or mem is None:
        return "nothing measured yet"
    if gen.status is OnsetStatus.CENSORED:
        return gen.reason if "quality" in gen.reason else f"quality {gen.reason or 'not reached'}"
    if OnsetStatus.UNDEFINED in (gen.status, mem.status):
        return gen.reason if gen.status is OnsetStatus.UNDEFINED else mem.reason
    if OnsetStatus.BEFORE_FIRST in (gen.status, mem.status):
        return "an onset lies before the first checkpoint"
    return "copying starts before quality arrives"
