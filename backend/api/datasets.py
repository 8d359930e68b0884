"""Data sets: listing, registering by a path or by an upload, removing."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool

from backend.api.parameters import UsesContext
from backend.services import datasets
from backend.services.context import Context
from backend.services.errors import BodyTooLargeError
from tauscope.contracts.datasets import NAME_PATTERN, DatasetCreate, DatasetView

router = APIRouter(prefix="/datasets", tags=["catalogue"])

Name = Annotated[str, InPath(pattern=NAME_PATTERN, description="name of the data set")]
Words = Annotated[str, Query(max_length=500)]
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}
ZIP: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("")
def list_datasets(context: UsesContext) -> tuple[DatasetView, ...]:
    """Every data set that specs can name, the registered ones first."""
    return datasets.views(context)


@router.post("", status_code=201)
def register_dataset(context: UsesContext, request: DatasetCreate) -> DatasetView:
    """Register what lies at a path of the service's machine under a name."""
    return datasets.register_path(context, request)


@router.put("/{name}/archive", status_code=201, openapi_extra=ZIP)
async def upload_dataset(
    context: UsesContext,
    name: str,
    request: Request,
    file: Annotated[str, Query(max_length=200, description="what the archive is called where it comes from")] = "the archive",
    description: Words = "",
    licence: Words = "",
    attribution: Words = "",
) -> DatasetView:
    """Register a zip archive of images, sent as the body, under a name. It is never unpacked."""
    await run_in_threadpool(datasets.check_name, context, name)  # Before anybody waits for the upload.
    asked = DatasetCreate(name=name, path=file, description=description, licence=licence, attribution=attribution)
    context.settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="upload-", dir=context.settings.home) as folder:
        uploaded = Path(folder) / "upload.zip"
        await _save(context, request, uploaded)
        return await run_in_threadpool(datasets.register_archive, context, asked, uploaded)


@router.delete("/{name}", status_code=204)
def remove_dataset(context: UsesContext, name: Name) -> None:
    """Forget a registered data set, unless runs on it are not over."""
    datasets.remove(context, name)


@router.get("/{name}/sheet.png", responses=PNG, response_class=Response)
def get_dataset_sheet(context: UsesContext, name: Name) -> Response:
    """The first 32 images as tiles of one PNG."""
    return Response(datasets.sheet_png(context, name), media_type="image/png", headers={"Cache-Control": "private, no-cache"})


async def _save(context: Context, request: Request, target: Path) -> None:
    """Write the body to a file as it comes; none of it is held in memory.

    Raises:
        BodyTooLargeError: as soon as it is known to be.
    """
    most = context.settings.upload_mb * 10**6
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > most:
        raise _too_large(context)
    written = 0
    with target.open("wb") as out:
        async for block in request.stream():
            written += len(block)
            if written > most:
                raise _too_large(context)
            await run_in_threadpool(out.write, block)


def _too_large(context: Context) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"An archive may have at most {context.settings.upload_mb:,} MB",
        "Raise TAUSCOPE_UPLOAD_MB, or put the data into a folder of TAUSCOPE_DATA_ROOTS and register the path",
    )
