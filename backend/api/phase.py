"""The phase diagram of an experiment, and its settings side by side."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response

from backend.api.parameters import Id, IfNoneMatch, UsesContext, matches
from backend.services import interventions, phase
from backend.services.context import Context
from backend.services.curves import CurvesQuery, curves_etag
from tauscope.contracts.interventions import Interventions
from tauscope.contracts.phase import PhaseDiagram
from tauscope.results.phase import phase_csv

_JSON: dict[int | str, dict[str, Any]] = {200: {"model": PhaseDiagram}, 304: {"description": "Unchanged"}}
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, 304: {"description": "Unchanged"}}

_SETTINGS: dict[int | str, dict[str, Any]] = {200: {"model": Interventions}, 304: {"description": "Unchanged"}}

router = APIRouter(prefix="/experiments/{experiment_id}", tags=["experiments"])


@router.get("/phase", responses=_JSON)
def get_phase(context: UsesContext, experiment_id: Id, if_none_match: IfNoneMatch = None) -> Response:
    """The state of every (n, p) with the numbers it rests on, and the boundaries between states with their brackets."""

    def body() -> str:
        return phase.diagram(context, experiment_id).model_dump_json()

    return _conditional(context, experiment_id, "application/json", if_none_match, body)


@router.get("/phase.csv", responses=_CSV, response_class=Response)
def get_phase_csv(context: UsesContext, experiment_id: Id, if_none_match: IfNoneMatch = None) -> Response:
    """Every cell as a row: n, p, W, state, onsets with their ends, predicted tau_mem, reason."""
    return _conditional(context, experiment_id, "text/csv", if_none_match, lambda: phase_csv(phase.diagram(context, experiment_id)))


@router.get("/interventions", responses=_SETTINGS)
def get_interventions(context: UsesContext, experiment_id: Id, if_none_match: IfNoneMatch = None) -> Response:
    """Each setting of the sweep: both onsets, and quality and copying at one training time; what was measured again with another
    sampler is a setting too."""

    def body() -> str:
        return interventions.compared(context, experiment_id).model_dump_json()

    return _conditional(context, experiment_id, "application/json", if_none_match, body)


def _conditional(
    context: Context, experiment_id: str, media_type: str, if_none_match: str | None, body: Callable[[], str | bytes]
) -> Response:
    """The body, or 304 where the reader holds it: nothing flushed since it was made."""
    headers = {"ETag": curves_etag(context, CurvesQuery(experiment_id, ("phase",)), media_type), "Cache-Control": "private, no-cache"}
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body(), headers=headers, media_type=media_type)
