"""Going on in spite of a policy."""

from sqlalchemy.orm import Session

from backend.storage.flush import read_points
from backend.storage.tables import Run
from backend.storage.verdicts import settled_step
from tauscope.analysis.stopping import verdict
from tauscope.specs import ExperimentSpec
from tauscope.specs.stopping import BudgetPolicy


def in_spite_of_policy(session: Session, run: Run, spec: ExperimentSpec) -> tuple[ExperimentSpec, str]:
    """The spec under which a run goes on, and what its event shall say of its policy.

    A policy that has said stop by the points there are would stop the run again at once, so it is off from now. Another stays.
    """
    found = verdict(spec, read_points(session, run.id), settled=settled_step(session, run.id))
    if found is None:
        return spec, ""
    off = spec.model_copy(update={"stopping": BudgetPolicy()})
    return off, f", in spite of its policy {found.policy!r}, which is off from now: at {found.step:,} it said stop"
