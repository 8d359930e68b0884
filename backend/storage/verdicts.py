"""What a run's policy has decided: a request to stop like its owner's, made in the transaction that brought the points it rests on."""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.storage.claims import add_event
from backend.storage.tables import Evaluation, Run
from tauscope.contracts.runs import TERMINAL_STATES, DesiredState
from tauscope.contracts.stopping import Verdict


def settled_step(session: Session, run_id: str) -> int:
    """The last step whose points stay as they are: up to the checkpoint, and before the first one whose samples are still to be drawn.

    A resume computes what lies beyond the checkpoint again, on other code or another device perhaps to other numbers.
    """
    checkpoint = session.scalars(select(Run.checkpoint_step).where(Run.id == run_id)).one()
    awaited = session.scalars(select(func.min(Evaluation.step)).where(Evaluation.run_id == run_id)).one()
    return min(checkpoint or 0, awaited - 1) if awaited is not None else checkpoint or 0


def request_stop_by_policy(session: Session, run_id: str, verdict: Verdict) -> bool:
    """Ask a run to stop because its policy says so; whether it was asked. The run is locked, and settled by whoever holds it or none.

    A run that is over, or was asked to stop before, is left alone: the first reason stands.
    """
    # The flush number moves on, so that every open page hears of it.
    wanted = (Run.id == run_id, Run.state.not_in(TERMINAL_STATES), Run.desired != DesiredState.STOP)
    values = {"desired": DesiredState.STOP.value, "verdict": verdict.model_dump(mode="json"), "seq": Run.seq + 1}
    asked = update(Run).where(*wanted).values(values).returning(Run.seq)
    seq = session.execute(asked, execution_options={"synchronize_session": False}).scalar_one_or_none()
    if seq is not None:
        add_event(session, run_id, seq, "policy_says_stop", verdict.reason)
    return seq is not None


def verdict_of(session: Session, run_id: str) -> Verdict | None:
    """Why the policy of a run asked it to stop; ``None`` if it did not."""
    held = session.scalars(select(Run.verdict).where(Run.id == run_id)).one_or_none()
    return Verdict.model_validate(held) if held else None
