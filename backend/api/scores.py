"""The scores of one-dimensional runs."""

from typing import Any

from fastapi import APIRouter, Response

from backend.api.parameters import Id, IfNoneMatch, UsesContext, matches
from backend.services import scores
from backend.services.curves import CurvesQuery, curves_etag
from backend.services.samples import samples_etag
from backend.services.tables import as_csv
from tauscope.contracts.scores import ScoreCurves

_JSON: dict[int | str, dict[str, Any]] = {200: {"model": ScoreCurves}, 304: {"description": "Unchanged"}}
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, 304: {"description": "Unchanged"}}

router = APIRouter()


@router.get("/runs/{run_id}/scores", responses=_JSON, tags=["runs"])
def get_scores(context: UsesContext, run_id: Id, if_none_match: IfNoneMatch = None) -> Response:
    """The learned score of a run at each checkpoint, beside those of its population and of its training points."""
    headers = {"ETag": samples_etag(context, run_id, "scores"), "Cache-Control": "private, no-cache"}
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(scores.scores(context, run_id).model_dump_json(), headers=headers, media_type="application/json")


@router.get("/experiments/{experiment_id}/scores.csv", responses=_CSV, response_class=Response, tags=["experiments"])
def get_scores_csv(context: UsesContext, experiment_id: Id, if_none_match: IfNoneMatch = None) -> Response:
    """Every score at every x and checkpoint: n, run, seed, tau, x, learned, population, empirical, density."""
    headers = {
        "ETag": curves_etag(context, CurvesQuery(experiment_id, ("scores",)), "text/csv"),
        "Cache-Control": "private, no-cache",
    }
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(as_csv(scores.score_table(context, experiment_id)), headers=headers, media_type="text/csv")
