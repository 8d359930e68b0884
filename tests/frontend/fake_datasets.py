"""The stand-in's data sets: the built-in ones, one that was uploaded, and one at a path with duplicates in it."""

from collections.abc import Sequence

import numpy as np
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from backend.services.images import sheet_of
from tauscope.contracts.datasets import DatasetView
from tauscope.datasets import dataset_views

UPLOADED = DatasetView(
    name="retina",
    description="Fundus photographs of the eye clinic, 2024",
    size="512x512, 640x480",
    n_images=1204,
    licence="internal, not to be passed on",
    source="an uploaded archive, which workers fetch",
    attribution="cite the ethics vote",
    coloured=True,
    available=True,
    registered=True,
    n_classes=2,
    n_unreadable=0,
    n_equal=0,
    n_near=0,
    n_experiments=3,
)
DOUBLED = UPLOADED.model_copy(
    update={
        "name": "faces",
        "description": "Registered here: /data/faces",
        "source": "/data/faces, which must exist on every worker too",
        "licence": "not stated",
        "attribution": "",
        "n_unreadable": 2,
        "n_equal": 12,
        "n_near": 31,
        "n_classes": None,
        "n_experiments": 0,
    }
)


def views() -> Sequence[DatasetView]:
    """Those two, then what every installation has."""
    return (DOUBLED, UPLOADED, *(view.model_copy(update={"n_experiments": 7 * (view.name == "digits")}) for view in dataset_views()))


def add_datasets(app: FastAPI) -> None:
    """Answer for the data sets; every name is taken."""

    @app.get("/api/v1/datasets")
    def list_datasets() -> Sequence[DatasetView]:
        return views()

    @app.get("/api/v1/datasets/{name}/sheet.png")
    def sheet(name: str) -> Response:
        blocks = np.random.default_rng(len(name)).integers(0, 256, (32, 3, 8, 8), dtype=np.uint8).repeat(4, 2).repeat(4, 3)
        return Response(sheet_of(blocks, columns=8, scale=1).png, media_type="image/png")

    @app.post("/api/v1/datasets")
    def register() -> JSONResponse:
        fault = {"path": "name", "message": "faces is taken", "remedy": "Choose another name, or remove the data set that has it"}
        body = {"type": "about:blank", "title": "Invalid", "status": 422, "code": "invalid", "detail": "", "remedy": "", "errors": [fault]}
        return JSONResponse(body, status_code=422, media_type="application/problem+json")
