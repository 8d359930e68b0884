"""The stand-in's copied training images, counted by the library from the stand-in's samples."""

from collections.abc import Callable
from functools import cache

import numpy as np
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from tauscope.analysis.copied import SampledCheckpoint, copied_images, count_copies, unmeasured_steps
from tauscope.analysis.typicality import Distinct, Typicality, measure_typicality
from tauscope.contracts.copied import CopiedImages, UnmeasuredStep
from tauscope.contracts.problems import Problem
from tauscope.contracts.run_views import RunView
from tauscope.results.copied import copied_csv
from tests.frontend import fake_samples
from tests.frontend import fake_world as world

N_HELD_OUT = 1000


def copied(run: RunView, step: int, *, offset: int = 0, limit: int | None = None, image: int | None = None) -> CopiedImages:
    """What the service would say of a measured step of the run."""
    steps = fake_samples.sample_steps(run).steps
    measured = tuple(item.step for item in steps if item.state == "measured")
    told = [
        UnmeasuredStep(step=item.step, state=item.state, reason=item.reason or "its samples are still to be drawn")
        for item in steps
        if item.state != "measured"
    ]
    distinct, typicality = _training_set(run.n_train or 16)
    record = count_copies(run.id, [_checkpoint(run.id, run, at) for at in measured], distinct, typicality)
    scheduled = [at for at in world.SAMPLE_STEPS if at <= run.steps]
    return copied_images(
        record, step, offset=offset, limit=limit, image=image, unmeasured=unmeasured_steps(scheduled, run.step, measured, told)
    )


_checkpoints: dict[tuple[str, int], SampledCheckpoint] = {}


def _checkpoint(run_id: str, run: RunView, step: int) -> SampledCheckpoint:
    if (run_id, step) not in _checkpoints:
        view = fake_samples.samples_view(run, step)
        _checkpoints[run_id, step] = SampledCheckpoint(
            step, np.array(view.neighbours)[:, 0], np.array(view.distances)[:, 0], np.array(view.is_copy)
        )
    return _checkpoints[run_id, step]


@cache
def _training_set(n: int) -> tuple[Distinct, Typicality]:
    generator = np.random.default_rng(n)
    train = generator.random((n, 1, 8, 8), dtype=np.float32) ** generator.uniform(0.3, 4, (n, 1, 1, 1)).astype(np.float32)
    distinct = Distinct.of(train)
    return distinct, measure_typicality(train, distinct, generator.random((N_HELD_OUT, 1, 8, 8), dtype=np.float32))


def add_copied(app: FastAPI, run_of: Callable[[str], RunView]) -> None:
    """The routes of copied training images."""

    @app.get("/api/v1/runs/{run_id}/copied", response_model=None)
    def copied_route(run_id: str, step: str, offset: int = 0, limit: int = 100, image: int | None = None) -> CopiedImages | JSONResponse:
        run = run_of(run_id)
        measured = [item.step for item in fake_samples.sample_steps(run).steps if item.state == "measured"]
        if not step.isdigit() or int(step) not in measured:
            return _missing(f"Run {run_id} has no measured samples at step {step}", "samples_not_found")
        found = copied(run, int(step), offset=offset, limit=limit, image=image)
        return found if found.total else _missing(f"No training image is listed as {image}", "image_not_found")

    @app.get("/api/v1/runs/{run_id}/copied.csv")
    def copied_csv_route(run_id: str, step: str) -> Response:
        return Response(copied_csv([copied(run_of(run_id), int(step))]), media_type="text/csv")


def _missing(detail: str, code: str) -> JSONResponse:
    problem = Problem(type="about:blank", title="Not found", status=404, code=code, detail=detail, remedy="", errors=())
    return JSONResponse(problem.model_dump(mode="json"), status_code=404, media_type="application/problem+json")
