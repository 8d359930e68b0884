"""Figures for a paper."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from backend.api.parameters import Id, IfNoneMatch, UsesContext, matches
from backend.services import figures
from tauscope.figures.render import Form
from tauscope.figures.source import FigureOptions

router = APIRouter(prefix="/experiments/{experiment_id}/figures", tags=["experiments"])

Drawn = Annotated[Literal["2", "3"], Path(description="2: quality, copying, losses, samples; 3: onsets against n, phases")]
Ending = Annotated[Form, Path(description="zip: all three forms, the numbers drawn as CSV and Parquet, the spec, a caption")]
Width = Annotated[Literal["85", "175"], Query(description="mm: one column or two")]
Exponent = Annotated[float, Query(ge=0, le=3, description="figure 2: its inset is drawn over tau / n^a")]
Quality = Annotated[str | None, Query(max_length=80, description="figure 2: the metric of its first panel; that of tau_gen by default")]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in figures.MEDIA_TYPES.values()}},
    304: {"description": "Unchanged"},
}


@router.get("/{number}.{form}", responses=_FILE, response_class=Response)
def get_figure(
    context: UsesContext,
    experiment_id: Id,
    number: Drawn,
    form: Ending,
    width: Width = "175",
    a: Exponent = 1.0,
    quality: Quality = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A figure as of now, with the configuration hash and what else made it inside; the same measurements give the same bytes."""
    options = FigureOptions(int(width), a, quality)
    query = figures.FigureQuery(experiment_id, 2 if number == "2" else 3, form, options)
    headers = {"ETag": figures.figure_etag(context, query), "Cache-Control": "private, no-cache"}
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    file = figures.figure(context, query)
    headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return Response(file.content, headers=headers, media_type=figures.MEDIA_TYPES[form])
