"""Adding the twin of a run: the same run on a disjoint slice of the data and from other weights, beside it in its experiment."""

from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.errors import NotComparableError
from backend.services.experiments import required_run, run
from backend.services.growing import enlarge, locked
from backend.storage.outbox import send_wakeups
from backend.storage.tables import Experiment, Run
from backend.storage.twins import has_predictions, link_twins
from tauscope.contracts.growing import SweepGrowth
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import TERMINAL_STATES
from tauscope.datasets import source_of
from tauscope.datasets.source import DatasetError, slices
from tauscope.specs import KINDS, ImageDdpmSpec, SpecError
from tauscope.specs.twins import twin_spec


def add_twin(context: Context, run_id: str) -> tuple[RunView, bool]:
    """The twin of a run, and whether it was added now; one that is there already is returned as it is.

    Raises:
        UnknownRunError: if there is no such run.
        NotComparableError: if the run is over and has recorded no predictions to compare.
        SpecError: if the data set has no disjoint slice left, or the run begins from a checkpoint.
    """
    ids: tuple[str, ...] = ()
    with context.sessions.begin() as session:
        experiment = locked(session, required_run(session, run_id).experiment_id)
        # Under the lock: two clicks at once add one twin.
        held = next(item for item in experiment.runs if item.id == run_id)
        if held.twin_id is None:  # Runs that were launched before there were twins do not know one that is there.
            link_twins(session, experiment.id)
            session.refresh(held)
        twin_id = held.twin_id
        if twin_id is None:
            _check_predictions(session, held)
            ids = enlarge(context, session, experiment, _growth(experiment, held))
            twin_id = ids[0]
    send_wakeups(context.sessions, context.outbox, ids)
    return run(context, twin_id), bool(ids)


def _check_predictions(session: Session, held: Run) -> None:
    if held.state in TERMINAL_STATES and not has_predictions(session, held.id):
        raise NotComparableError(
            f"Run {held.id} is {held.state} and has recorded no predictions, which a twin's are compared with",
            "Launch it anew and add the twin to that run",
        )


def _growth(experiment: Experiment, held: Run) -> SweepGrowth:
    """The experiment's sweep with the twin beside its runs, with the run's own steps, priority and queue."""
    spec = KINDS[held.spec["kind"]].model_validate(held.spec)
    twin = twin_spec(spec)
    _check_slice(twin)
    name = "dataset.subset" if "dataset.subset" in held.params else "subset"
    params = held.params | {name: twin.dataset.subset, "seed": twin.seed, "steps": held.steps}
    sweep = experiment.sweep | {"further": [*experiment.sweep.get("further", []), params]}
    return SweepGrowth(sweep=sweep, priority=held.priority, queue=held.queue)


def _check_slice(twin: ImageDdpmSpec) -> None:
    source = source_of(twin.dataset)
    if source.n_images is None:
        return
    try:
        slices(source.n_images, twin.dataset)
    except DatasetError as error:
        raise SpecError.single(
            "dataset.subset",
            f"has no disjoint slice left for a twin: {error.message}",
            "Launch the run and its twin with a smaller dataset.n_train or dataset.n_held_out",
        ) from error
