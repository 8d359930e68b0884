"""Which training images a run copies."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from backend.api.parameters import Id, IfNoneMatch, UsesContext, matches
from backend.services import copied
from backend.services.context import Context
from backend.services.samples import LAST, samples_etag
from tauscope.contracts.copied import MAX_IMAGES, CopiedImages

AskedStep = Annotated[str, Query(pattern=r"^(last|[0-9]{1,12})$", description="training step of a checkpoint, or `last`")]
Offset = Annotated[int, Query(ge=0, le=10**9, description="leave out so many of the first")]
Limit = Annotated[int, Query(ge=1, le=MAX_IMAGES, description="at most so many")]
Image = Annotated[int | None, Query(ge=0, le=10**9, description="this training image alone")]

_JSON: dict[int | str, dict[str, Any]] = {200: {"model": CopiedImages}, 304: {"description": "Unchanged"}}
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, 304: {"description": "Unchanged"}}

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])


@router.get("/copied", responses=_JSON)
def list_copied_images(
    context: UsesContext,
    run_id: Id,
    step: AskedStep = LAST,
    offset: Offset = 0,
    limit: Limit = 100,
    image: Image = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The training images, the most copied at a checkpoint first: copies with their interval, when first, chance level, typicality."""

    def body() -> str:
        return copied.copied(context, run_id, step, offset=offset, limit=limit, image=image).model_dump_json()

    return _conditional(context, run_id, f"copied {step} {offset} {limit} {image}", "application/json", if_none_match, body)


@router.get("/copied.csv", responses=_CSV, response_class=Response)
def get_copied_csv(context: UsesContext, run_id: Id, step: AskedStep = LAST, if_none_match: IfNoneMatch = None) -> Response:
    """Every training image as a row: as `copied`, with its copies at each checkpoint."""
    return _conditional(context, run_id, f"copied {step}", "text/csv", if_none_match, lambda: copied.copied_table(context, run_id, step))


def _conditional(
    context: Context, run_id: str, asked: str, media_type: str, if_none_match: str | None, body: Callable[[], str | bytes]
) -> Response:
    headers = {"ETag": samples_etag(context, run_id, asked), "Cache-Control": "private, no-cache"}
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body(), headers=headers, media_type=media_type)
