"""Sampling the saved checkpoints of an adaptive run one by one, once it is trained, until its onsets are known well enough."""

import structlog
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.evaluations import unevaluated
from backend.storage.flush import read_points
from backend.storage.reading import reading
from backend.storage.refining import ask_further, end_refining, to_be_refined
from backend.storage.retention import lock_runs
from backend.storage.tables import Run
from tauscope.contracts.runs import TERMINAL_STATES, RunState
from tauscope.specs import KINDS
from tauscope.specs.schedule import Adaptive

log = structlog.get_logger()


def refine(session: Session, run_id: str) -> str:
    """Ask for the samples that narrow an interval most, if a run's schedule wants that, it is trained, and all it asked for is there.

    Whoever asks, and how often, changes nothing: what comes next follows from the points.

    Returns:
        What is drawn now, in words; empty if nothing more is.
    """
    runs = lock_runs(session, [run_id])
    if not runs or not _is_trained(runs[0]) or unevaluated(session, [run_id]):
        return ""
    (run,) = runs
    spec = KINDS[run.spec["kind"]].model_validate(run.spec)
    if not isinstance(spec.measurement.schedule, Adaptive):
        return ""
    if spec.adaptive_schedule is None or not _is_wanted(run):
        why = "no samples are drawn" if spec.adaptive_schedule is None else f"the run {run.state}"
        end_refining(session, run, f"not refined: {why}")
        return ""
    # SciPy loads slowly, and only a worker with such a run needs it.
    from tauscope.analysis.refinement import next_refinement, refined_words

    points = read_points(session, run_id)
    found = next_refinement(spec, points)
    if found is None:
        end_refining(session, run, refined_words(spec, points))
        return ""
    ask_further(session, run, found.step, found.words)
    return found.words


def refine_ended(sessions: sessionmaker[Session]) -> int:
    """Take the next step of every run that ended before it was refined: one that its policy stopped, or that lost its worker.

    Returns:
        How many checkpoints wait for their samples now.
    """
    with reading(sessions) as session:
        ids = to_be_refined(session)
    asked = 0
    for run_id in ids:
        with sessions.begin() as session:
            asked += bool(refine(session, run_id))
    if asked:
        log.info("refining", checkpoints=asked)
    return asked


def _is_trained(run: Run) -> bool:
    """Whether no step of it is still to come."""
    return run.state in TERMINAL_STATES or (run.checkpoint_step or 0) >= run.steps


def _is_wanted(run: Run) -> bool:
    """A run that failed, or that its owner stopped, is not worth further samples; one that its policy stopped has run its course."""
    return run.state not in (RunState.FAILED, RunState.STOPPED) or bool(run.verdict)
