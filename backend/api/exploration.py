"""The adaptive mode of the phase diagram: runs chosen where a boundary is least known."""

from fastapi import APIRouter

from backend.api.parameters import Id, UsesContext
from backend.services import exploration
from tauscope.contracts.exploration import ExplorationAct, Explorations, ExplorationStart, ExplorationView

router = APIRouter(prefix="/experiments/{experiment_id}/exploration", tags=["experiments"])


@router.get("")
def get_explorations(context: UsesContext, experiment_id: Id) -> Explorations:
    """Every exploration of an experiment, newest first, with what was decided and why, what is spent, and what would be next."""
    return exploration.history(context, experiment_id)


@router.post("", status_code=201)
def start_exploration(context: UsesContext, experiment_id: Id, request: ExplorationStart) -> ExplorationView:
    """Let runs be chosen among these candidates, within a budget, until the boundaries are known to their grid."""
    return exploration.start(context, experiment_id, request)


@router.post("/{wish}")
def act_on_exploration(context: UsesContext, experiment_id: Id, wish: ExplorationAct) -> ExplorationView:
    """Pause, resume or stop choosing; the runs that were chosen go on, and are paused or stopped as any other."""
    return exploration.act(context, experiment_id, wish)
