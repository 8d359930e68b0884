"""What the stand-in says of explorations: one that goes on, one that ended by itself, and one that is started, paused and ended here."""

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from tauscope.contracts.exploration import (
    Action,
    Budget,
    BudgetKind,
    Candidates,
    Chosen,
    Decision,
    ExplorationAct,
    Explorations,
    ExplorationStart,
    ExplorationState,
    ExplorationView,
    Proposal,
    Spent,
)
from tests.frontend import fake_world as world

_STATES: dict[ExplorationAct, ExplorationState] = {
    "pause": ExplorationState.PAUSED,
    "resume": ExplorationState.RUNNING,
    "stop": ExplorationState.FINISHED,
}


def _chosen(n: int, width: int, action: Action, steps: int, more: int, why: str) -> Chosen:
    return Chosen(action=action, n_train=n, width=width, seed=4, steps=steps, more_steps=more, cost=more, bits=0.9, why=why, run=None)


NEXT = _chosen(
    48, 16, Action.NEW, 2400, 2400,
    "n*(p), between copying and a plateau, lies between n = 32 and n = 64; up to 2,400 steps, to see copying (the upper 95 % end of the "
    "expected tau_mem, 1,180)",
)  # fmt: skip
_DECISIONS = (
    Decision(
        number=1,
        at=world.T0,
        chosen=(
            _chosen(
                24, 16, Action.NEW, 900, 900, "the edge between memorizing and a window lies between n = 16 and n = 64; up to 900 steps"
            ),
            _chosen(64, 8, Action.NEW, 2000, 2000, "n*(p), between copying and a plateau, lies above n = 32; up to 2,000 steps"),
        ),
        cost=2900,
        remaining=20_000,
    ),
    Decision(
        number=2,
        at=world.T0 + 95,
        chosen=(
            _chosen(
                64,
                8,
                Action.EXTEND,
                9900,
                7900,
                "n*(p), between copying and a plateau, lies between n = 32 and n = 64; copying not seen by 2,000, so up to 9,900 steps, "
                "10 times the upper 95 % end of the expected tau_mem, 900 and a margin",
            ),
        ),
        cost=7900,
        remaining=17_100,
    ),
)
CANDIDATES = Candidates(n_train=(8, 16, 24, 32, 48, 64), width=(8, 16), seed=(4,))


def going_on(identifier: str) -> ExplorationView:
    """Two decisions made, one run under way."""
    return ExplorationView(
        id="exploration1",
        experiment_id=identifier,
        candidates=CANDIDATES,
        budget=Budget(kind=BudgetKind.STEPS, amount=20_000),
        state=ExplorationState.RUNNING,
        reason="2 runs of the experiment are under way, for 2 slots",
        created_at=world.T0,
        spent=Spent(spent=5300, committed=5500),
        decisions=_DECISIONS,
        next=Proposal(chosen=(NEXT,)),
    )


def ended(identifier: str) -> ExplorationView:
    """The same once both boundaries are known."""
    known = "both boundaries are known to the grid at all 2 W: at each, at least 95 % of the belief lies in one gap between neighbouring n"
    changes = {"state": ExplorationState.FINISHED, "reason": known, "spent": Spent(spent=10_800, committed=0), "next": None}
    return going_on(identifier).model_copy(update=changes)


def add_explorations(app: FastAPI) -> None:
    """The routes that the phase page asks; what is started stays until the stand-in ends."""
    held = {"phases": (ended("phases"),), "phases-live": (going_on("phases-live"),)}

    @app.get("/api/v1/experiments/{identifier}/exploration")
    def explorations(identifier: str) -> Explorations:
        return Explorations(items=held.get(identifier, ()))

    @app.post("/api/v1/experiments/{identifier}/exploration", status_code=201)
    def explore(identifier: str, request: ExplorationStart) -> ExplorationView:
        begun = going_on(identifier).model_copy(
            update={**dict(request), "decisions": (), "spent": Spent(spent=0, committed=0), "reason": "", "id": "exploration2"}
        )
        held[identifier] = (begun, *held.get(identifier, ()))
        return begun

    @app.post("/api/v1/experiments/{identifier}/exploration/{wish}", response_model=None)
    def act(identifier: str, wish: ExplorationAct) -> ExplorationView | JSONResponse:
        first, *others = held[identifier]
        changes = {"state": _STATES[wish], "reason": f"{wish}, as its owner wished"} | ({"next": None} if wish == "stop" else {})
        held[identifier] = (first.model_copy(update=changes), *others)
        return held[identifier][0]
