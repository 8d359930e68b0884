"""Images of a run: single ones, sheets of many, and the film of a seed."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from backend.api.parameters import Id, IfNoneMatch, Index, Scale, Step, UsesContext, matches
from backend.services import images, sample_steps, seeds
from backend.services.context import Context
from backend.services.image_numbers import COLUMNS, MAX_IMAGES, PATTERN, parse_numbers
from backend.services.images import Of, Picture, Sheet
from tauscope.contracts.samples import SampleSteps, SeedView

PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}, 304: {"description": "Unchanged"}}

Numbers = Annotated[
    str | None,
    Query(
        alias="images",
        pattern=PATTERN,
        description=f"numbers and ranges, at most {MAX_IMAGES}, e.g. 0-63,70; by default the first {COLUMNS**2}",
    ),
]
Version = Annotated[str, Query(pattern=r"^[0-9a-f]{0,12}$", description="the content's version: with it the answer may be kept for ever")]

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])


@router.get("/samples")
def list_sample_steps(context: UsesContext, run_id: Id) -> SampleSteps:
    """Every checkpoint that has samples, waits for them, or gave none."""
    return sample_steps.sample_steps(context, run_id)


@router.get("/samples/{step}/sheet.png", responses=PNG, response_class=Response)
def get_sample_sheet(
    context: UsesContext,
    run_id: Id,
    step: Step,
    numbers: Numbers = None,
    of: Of = "generated",
    scale: Scale = 1,
    v: Version = "",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Samples, or their nearest training images, as tiles of one PNG, 16 a row, in the order they are asked for."""
    return _picture(context, images.sample_sheet(context, run_id, step, of, parse_numbers(numbers), scale), v, if_none_match)


@router.get("/samples/{step}/{index}.png", responses=PNG, response_class=Response)
def get_sample_image(
    context: UsesContext, run_id: Id, step: Step, index: Index, scale: Scale = 1, v: Version = "", if_none_match: IfNoneMatch = None
) -> Response:
    """One generated sample."""
    return _picture(context, images.sample_picture(context, run_id, step, index, scale), v, if_none_match)


@router.get("/train/sheet.png", responses=PNG, response_class=Response)
def get_train_sheet(
    context: UsesContext,
    run_id: Id,
    numbers: Numbers = None,
    scale: Scale = 1,
    v: Version = "",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Training images as tiles of one PNG, 16 a row, in the order they are asked for."""
    return _picture(context, images.train_sheet(context, run_id, parse_numbers(numbers), scale), v, if_none_match)


@router.get("/train/{index}.png", responses=PNG, response_class=Response)
def get_train_image(
    context: UsesContext, run_id: Id, index: Index, scale: Scale = 1, v: Version = "", if_none_match: IfNoneMatch = None
) -> Response:
    """One training image."""
    return _picture(context, images.train_picture(context, run_id, index, scale), v, if_none_match)


@router.get("/seeds/{seed}")
def get_seed(context: UsesContext, run_id: Id, seed: Index) -> SeedView:
    """The sample of one seed at every measured checkpoint."""
    return seeds.seed_view(context, run_id, seed)


@router.get("/seeds/{seed}/film.png", responses=PNG, response_class=Response)
def get_film(
    context: UsesContext, run_id: Id, seed: Index, scale: Scale = 1, v: Version = "", if_none_match: IfNoneMatch = None
) -> Response:
    """Two rows, a column a measured checkpoint: the sample of the seed, and its nearest training image."""
    version = seeds.seed_view(context, run_id, seed).version
    etag = f'"{version}-{seed}-{scale}"'
    return _answer(etag, v == version, if_none_match, lambda: seeds.film(context, run_id, seed, scale))


def _picture(context: Context, picture: Picture, v: str, if_none_match: str | None) -> Response:
    return _answer(picture.etag, v == picture.version, if_none_match, lambda: images.draw(context, picture))


def _answer(etag: str, named: bool, if_none_match: str | None, draw: Callable[[], Sheet]) -> Response:
    # An address that names its content keeps it for good; any other may show something else tomorrow, so it is asked again.
    lifetime = "max-age=31536000, immutable" if named else "no-cache"
    headers = {"ETag": etag, "Cache-Control": f"private, {lifetime}"}
    if matches(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    sheet = draw()
    headers |= {
        "X-Sprite-Columns": str(sheet.columns),
        "X-Sprite-Tile-Width": str(sheet.tile_width),
        "X-Sprite-Tile-Height": str(sheet.tile_height),
    }
    return Response(sheet.png, headers=headers, media_type="image/png")
