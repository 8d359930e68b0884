"""The state of an experiment in words, and whether its news is old."""

from collections import Counter
from dataclasses import dataclass

from frontend.words import duration, plural, rough, seconds_left, steps
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import STALE_AFTER_SECONDS, TERMINAL_STATES, DesiredState, RunState


@dataclass(frozen=True)
class Status:
    """A state with its two lines of words."""

    state: RunState
    title: str
    detail: str
    stale: bool = False


def status_of(experiment: ExperimentView) -> Status:
    """What a page says of an experiment as a whole."""
    counts = Counter(run.state for run in experiment.runs)
    total = len(experiment.runs)
    finished = f"{counts[RunState.FINISHED]} of {total} finished"
    silent = silence(experiment)
    if silent is not None:
        return Status(RunState.RUNNING, f"No news for {rough(silent)}", "resumes by itself when a worker is back", stale=True)
    match experiment.state:
        case RunState.PAUSED:
            return Status(RunState.PAUSED, "Paused", _paused_words(experiment))
        case RunState.RUNNING:
            return Status(RunState.RUNNING, "Running", finished)
        case RunState.QUEUED:
            return Status(RunState.QUEUED, "Queued", f"{plural(total, 'run')}, starts when a slot is free")
        case RunState.FAILED:
            return Status(RunState.FAILED, "Failed", f"{counts[RunState.FAILED]} of {plural(total, 'run')}, {finished}")
        case RunState.STOPPED:
            return Status(RunState.STOPPED, "Stopped", finished)
        case RunState.FINISHED:
            return Status(RunState.FINISHED, "Finished", f"{total} of {total}")


def _paused_words(experiment: ExperimentView) -> str:
    """``by its owner at τ = 1,180``; of several runs, how many and where they stand."""
    paused = [run.step for run in experiment.runs if run.state is RunState.PAUSED]
    if len(experiment.runs) == 1:
        return f"by its owner at τ = {steps(paused[0])}"
    spread = steps(paused[0]) if len(set(paused)) == 1 else f"{steps(min(paused))} to {steps(max(paused))}"
    return f"{len(paused)} of {plural(len(experiment.runs), 'run')} by their owner at τ = {spread}"


def silence(experiment: ExperimentView) -> float | None:
    """Seconds without news of every running run, once that is long; ``None`` while all is well."""
    ages = [_age(run, experiment) for run in experiment.runs if run.state is RunState.RUNNING]
    return min(ages) if ages and min(ages) > STALE_AFTER_SECONDS else None


def _age(run: RunView, experiment: ExperimentView) -> float:
    return experiment.server_time - (run.updated_at if run.updated_at is not None else experiment.created_at)


def is_live(experiment: ExperimentView) -> bool:
    """Whether anything can still change."""
    return any(run.state not in TERMINAL_STATES for run in experiment.runs)


def goes_on(run: RunView) -> bool:
    """Whether anything of a run can still change; samples may come when it is over."""
    return run.state not in TERMINAL_STATES or run.unevaluated > 0


def requests(experiment: ExperimentView) -> tuple[str, ...]:
    """What its owner may ask of it now, as buttons name it."""
    wanted = {run.desired for run in experiment.runs if run.state not in TERMINAL_STATES}
    names = {"pause": DesiredState.RUN, "resume": DesiredState.PAUSE}
    over = any(run.state in (RunState.FINISHED, RunState.STOPPED) for run in experiment.runs)
    return (*(name for name, desired in names.items() if desired in wanted), *(("stop",) if wanted else ()), *(("extend",) if over else ()))


def elapsed(experiment: ExperimentView) -> str:
    """How long it has run, or took."""
    latest = max((run.updated_at for run in experiment.runs if run.updated_at is not None), default=experiment.created_at)
    seconds = (experiment.server_time if is_live(experiment) else latest) - experiment.created_at
    return f"{duration(max(0.0, seconds))} elapsed" if is_live(experiment) else f"took {duration(max(0.0, seconds))}"


def progress(experiment: ExperimentView) -> float:
    """Share of all training steps done."""
    asked = sum(run.steps for run in experiment.runs)
    return sum(run.step for run in experiment.runs) / asked if asked else 0.0


def time_left(experiment: ExperimentView) -> str:
    """How long the running runs still train at their present speed; empty while that is not known."""
    running = [run for run in experiment.runs if run.state is RunState.RUNNING]
    if not running or any(run.state is RunState.QUEUED for run in experiment.runs) or silence(experiment) is not None:
        return ""
    left = [seconds for run in running if (seconds := seconds_left(run)) is not None]
    return f"about {rough(max(left))} left" if len(left) == len(running) else ""
