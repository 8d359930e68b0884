"""Checkpoints that another version of the code wrote."""

from sqlalchemy import delete, select, update

from backend.storage.tables import Attempt, Run, RunEvent, RunFile
from tauscope.contracts.runs import RunState
from tauscope.version import code_version
from tests.worker.supervising.supervised import WHOLE, Fault, Sessions, change, serve_until_over, steps, the_run
from worker.settings import WorkerSettings
from worker.supervisor import Supervisor, open_services


def partly_trained(supervisor: Supervisor, sessions: Sessions, run_id: str, fault: Fault) -> None:
    """Bring a run to its checkpoint of step 30, written by an older version of the code."""
    fault("die")
    supervisor.serve(run_id)
    change(sessions, lease_until=0.0)
    with sessions.begin() as session:
        session.execute(update(Attempt).values(code_version="0.0+older"))
        session.execute(update(Run).values(checkpoint_version="0.0+older"))


def test_a_run_whose_checkpoint_other_code_wrote_is_left_to_that_code(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Fault
) -> None:
    partly_trained(supervisor, sessions, tiny, fault)
    assert supervisor.serve(tiny) is None
    run = the_run(sessions)
    assert (run.state, run.epoch, run.checkpoint_step, steps(sessions)) == (RunState.QUEUED, 1, 30, WHOLE[:3])


def test_falling_back_to_a_checkpoint_of_other_code_hands_the_run_on_without_a_stall(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Fault
) -> None:
    partly_trained(supervisor, sessions, tiny, fault)
    # The newest checkpoint is this worker's own, but gone; the one before is not its own.
    change(sessions, checkpoint_version=code_version())
    with sessions.begin() as session:
        session.execute(delete(RunFile).where(RunFile.path == "checkpoints/30.json"))
    assert supervisor.serve(tiny) == tiny
    run = the_run(sessions)
    assert (run.state, run.checkpoint_step, run.checkpoint_version, run.stalls) == (RunState.QUEUED, 20, "0.0+older", 0)
    assert supervisor.serve(tiny) is None
    with sessions() as session:
        outcomes = list(session.scalars(select(Attempt.outcome).order_by(Attempt.epoch)))
    assert outcomes[-1] == "code version 0.0+older wrote the checkpoint of step 20"


def test_another_code_version_that_is_accepted_is_shown_on_the_run(
    settings: WorkerSettings, sessions: Sessions, tiny: str, fault: Fault
) -> None:
    accepting = Supervisor(open_services(settings.model_copy(update={"code_version_policy": "accept"})))
    partly_trained(accepting, sessions, tiny, fault)
    run = serve_until_over(accepting, sessions)
    accepting.close()
    accepting.services.close()
    assert (run.state, run.code_note) == (
        RunState.FINISHED,
        f"steps up to 30 computed by 0.0+older, later ones by {code_version()}",
    )
    with sessions() as session:
        assert "code_version_changed" in set(session.scalars(select(RunEvent.name)))
        assert list(session.scalars(select(Attempt.resumed_version).order_by(Attempt.epoch))) == [None, "0.0+older"]
