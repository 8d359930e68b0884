"""Further runs of an experiment: inserted beside those it has, which keep their place."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.storage.claims import add_event
from backend.storage.database import db_now
from backend.storage.experiments import insert_runs
from backend.storage.tables import Experiment, Run
from tauscope.specs import KINDS, ResolvedRun, SweepSpec


def lock_experiment(session: Session, experiment_id: str) -> Experiment | None:
    """The experiment with its runs; nobody else adds runs to it until this transaction ends."""
    query = select(Experiment).where(Experiment.id == experiment_id).with_for_update()
    return session.scalars(query, execution_options={"populate_existing": True}).one_or_none()


def places(held: Sequence[Run], runs: Sequence[ResolvedRun]) -> dict[str, ResolvedRun | None]:
    """Which run of a sweep each run of the experiment is, by its id; ``None`` for one that the sweep leaves out."""
    by_identity = {run.spec.identity: run for run in runs}
    # A stored spec is read anew, so that it has the fields that came later.
    return {run.id: by_identity.get(KINDS[run.spec["kind"]].model_validate(run.spec).identity) for run in held}


def added(held: Mapping[str, ResolvedRun], runs: Sequence[ResolvedRun]) -> tuple[ResolvedRun, ...]:
    """The runs of a sweep that the experiment does not have; a combination that it has as a further run is none of them."""
    known = {place.spec.identity for place in held.values()}
    return tuple(run for run in runs if run.spec.identity not in known)


def grow(
    session: Session,
    experiment: Experiment,
    sweep: SweepSpec,
    *,
    held: Mapping[str, ResolvedRun],
    new: Sequence[ResolvedRun],
    priority: int,
    queue: str,
) -> tuple[str, ...]:
    """Let the experiment be that sweep: name its runs anew, insert the new ones, and return their ids, the most work first.

    ``held`` says which run of the sweep each run of the experiment is, by its id. A wake-up must follow the commit.
    """
    experiment.sweep = sweep.model_dump(mode="json")
    for run in experiment.runs:
        place = held[run.id]
        if (run.params, run.label) != (place.params, place.label):
            seq = _rename(session, run.id, place)
            add_event(session, run.id, seq, "renamed", f"{place.label}: the sweep has grown")
    places = range(len(experiment.runs), len(experiment.runs) + len(new))
    now = session.scalars(select(db_now())).one()
    rows = insert_runs(session, experiment.id, new, now=now, places=places, priority=priority, queue=queue)
    return tuple(row.id for row in sorted(rows, key=lambda row: -row.cost))


def _rename(session: Session, run_id: str, place: ResolvedRun) -> int:
    """Give a run the parameters and label it has in the larger sweep; the number of this write."""
    values = {"params": place.params, "label": place.label, "seq": Run.seq + 1}
    changed = update(Run).where(Run.id == run_id).values(values).returning(Run.seq)
    return session.execute(changed, execution_options={"synchronize_session": False}).scalar_one()
