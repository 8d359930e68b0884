"""Measuring checkpoints of a run again, and drawing samples that were given up."""

from fastapi import APIRouter, Response

from backend.api.parameters import Id, UsesContext
from backend.services import remeasuring
from tauscope.contracts.remeasuring import DrawRequest, Gaps, RemeasurementView, RemeasureRequest

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])


@router.get("/remeasurements")
def list_remeasurements(context: UsesContext, run_id: Id) -> tuple[RemeasurementView, ...]:
    """Every set of points that was measured again, with its label, its onsets and where each step stands."""
    return remeasuring.remeasurements(context, run_id)


@router.post("/remeasurements", responses={201: {"model": RemeasurementView}})
def remeasure(context: UsesContext, run_id: Id, request: RemeasureRequest, response: Response) -> RemeasurementView:
    """Measure checkpoints again with other settings, also of a run that is over. Asked twice, it is done once."""
    view, asked = remeasuring.remeasure(context, run_id, request)
    response.status_code = 201 if asked else 200
    return view


@router.delete("/remeasurements/{remeasurement_id}", status_code=204)
def forget_remeasurement(context: UsesContext, run_id: Id, remeasurement_id: Id) -> None:
    """Delete a set with its points; the run's own stay."""
    remeasuring.forget(context, run_id, remeasurement_id)


@router.get("/evaluations/gaps")
def list_gaps(context: UsesContext, run_id: Id) -> Gaps:
    """The steps whose samples five attempts failed to draw."""
    return remeasuring.gaps(context, run_id)


@router.post("/evaluations")
def draw_again(context: UsesContext, run_id: Id, request: DrawRequest) -> Gaps:
    """Draw the samples of gaps that five failed attempts left; they fill the run's own curves."""
    return remeasuring.draw_gaps(context, run_id, request)
