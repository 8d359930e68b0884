"""Chooses the next runs of explorations, beside the reconciler: a phase diagram takes a second, and must hold up no wake-up."""

from concurrent.futures import Future
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.explorations import Basis, OvertakenError, conclude, decide, running
from backend.storage.outbox import Outbox, send_wakeups
from backend.storage.reading import reading
from tauscope.contracts.exploration import Proposal
from tauscope.specs import SpecError
from worker.background import Recurring
from worker.services import DATABASE_AWAY

if TYPE_CHECKING:
    from backend.storage.exploring import Standing

log = structlog.get_logger()


class Explorer(Recurring[int]):
    """Looks after every exploration, one after another. All that a decision rests on is in the database.

    A decision is read from a snapshot, made outside of any transaction, and carried out in one that finds everything as it was, or not at
    all: however many of these run, and whenever one is killed, no state is decided twice.
    """

    def __init__(self, sessions: sessionmaker[Session], outbox: Outbox) -> None:
        super().__init__(name="explorations", seconds=0.0)
        self._sessions = sessions
        self._outbox = outbox
        self._nothing: dict[str, tuple[Basis, int, int]] = {}  # For what there was nothing to choose: it need not be computed again.

    def _wanted(self) -> bool:
        with reading(self._sessions) as session:
            return bool(running(session))

    def _work(self) -> int:
        return self.explore()

    def _report(self, ended: Future[int]) -> None:
        error = ended.exception()
        if isinstance(error, DATABASE_AWAY):
            log.warning("explorations_not_decided", error=str(error))
        elif error is not None:
            log.error("exploration_failed", exc_info=error)  # Wake-ups must go out whatever one exploration meets.

    def explore(self) -> int:
        """Make every decision that is due, and return how many."""
        with reading(self._sessions) as session:
            ids = running(session)
        self._nothing = {key: value for key, value in self._nothing.items() if key in ids}
        return sum(self._explored(exploration_id) for exploration_id in ids)

    def _explored(self, exploration_id: str) -> bool:
        try:
            return self._explore(exploration_id)
        except OvertakenError:
            return False  # Another one decided, or its owner changed something: the next round reads it anew.

    def _explore(self, exploration_id: str) -> bool:
        from backend.storage.exploring import Standing  # SciPy loads slowly, and only explorations need it.

        with reading(self._sessions) as session:
            standing = Standing.read(session, exploration_id)
            if standing is None:
                return False
            seen = standing.basis, standing.slots, standing.under_way
            if self._nothing.get(exploration_id) == seen:
                return False
            proposal = _waiting(standing) or standing.propose(session, standing.slots - standing.under_way)
        if proposal.chosen:
            return self._carry_out(exploration_id, standing.basis, proposal, standing.remaining)
        self._conclude(exploration_id, standing.basis, finished=proposal.finished, reason=proposal.reason)
        self._nothing[exploration_id] = seen
        return False

    def _conclude(self, exploration_id: str, basis: Basis, *, finished: bool, reason: str) -> None:
        with self._sessions.begin() as session:
            conclude(session, exploration_id, basis, finished=finished, reason=reason)

    def _carry_out(self, exploration_id: str, basis: Basis, proposal: Proposal, remaining: float) -> bool:
        try:
            with self._sessions.begin() as session:
                waiting = decide(session, exploration_id, basis, proposal.chosen, remaining)
        except SpecError as error:
            self._conclude(exploration_id, basis, finished=True, reason=f"a run could not be made: {error}")
            return False
        log.info("exploration_decided", exploration=exploration_id, number=basis.decided + 1, runs=len(waiting))
        send_wakeups(self._sessions, self._outbox, waiting)
        return True


def _waiting(standing: "Standing") -> Proposal | None:
    """Why nothing can be chosen whatever the diagram says."""
    if standing.experiment.archived_at is not None:
        return Proposal(reason="its experiment was archived", finished=True)
    if not standing.slots:
        return Proposal(reason="no worker of its queue was heard of lately")
    if standing.slots <= standing.under_way:
        return Proposal(reason=f"{standing.under_way} runs of the experiment are under way, for {standing.slots} slots")
    return None
