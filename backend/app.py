"""The app factory of the HTTP interface."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware

from backend.api import (
    catalogue,
    copied,
    datasets,
    experiments,
    exploration,
    figures,
    forecasts,
    images,
    phase,
    problems,
    remeasuring,
    runs,
    scores,
    system,
    warnings,
    webhooks,
    workers,
)
from backend.api.guard import Guard
from backend.services.closing import Closing
from backend.services.context import Context
from backend.services.copied_cache import CopiedCache
from backend.services.curve_cache import CurveCache
from backend.services.figure_cache import FigureCache
from backend.services.fits import FitCache
from backend.services.image_cache import ImageCache
from backend.services.pools import PoolCache
from backend.settings import ApiSettings
from backend.storage.artifacts import ArtifactStore
from backend.storage.database import open_database, session_factory
from backend.storage.outbox import Outbox
from tauscope.contracts.problems import Problem
from tauscope.version import code_version

PREFIX = "/api/v1"
PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": {"model": Problem, "description": "Refused, with the reason and the remedy"}}


def create_app(settings: ApiSettings) -> FastAPI:
    """Build the app. It opens no connection before the first request, and may be mounted in another app."""
    return furnished(bare_app(), settings)


def bare_app() -> FastAPI:
    """The routes and what the interface says of itself, without storage: nothing can be served yet."""
    app = FastAPI(
        title="Tauscope",
        version=code_version(),
        openapi_url=f"{PREFIX}/openapi.json",
        # The interactive pages load their scripts from elsewhere; this server talks to nobody else.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=_operation_name,
    )
    problems.install(app)
    router = APIRouter(prefix=PREFIX, responses=PROBLEMS)
    about_runs = (runs, forecasts, images, copied, remeasuring, scores)
    for part in (system, workers, webhooks, catalogue, datasets, experiments, phase, exploration, figures, *about_runs, warnings):
        router.include_router(part.router)
    app.include_router(router)
    problems.describe(app)
    return app


def furnished(app: FastAPI, settings: ApiSettings) -> FastAPI:
    """The app with the storage and the guard of these settings, in the place of any it had; not while it serves."""
    app.state.context = _context(settings)
    app.user_middleware = [Middleware(Guard, settings=settings)]
    app.middleware_stack = None
    return app


def _context(settings: ApiSettings) -> Context:
    engine = open_database(settings.database_url)
    artifacts = ArtifactStore(settings.artifacts_url, grace_seconds=settings.garbage_grace_seconds)
    images = ImageCache(artifacts)
    return Context(
        settings=settings,
        engine=engine,
        sessions=session_factory(engine),
        outbox=Outbox(settings.broker_url),
        artifacts=artifacts,
        fits=FitCache(),
        images=images,
        copied=CopiedCache(artifacts, images),
        curves=CurveCache(),
        figures=FigureCache(),
        phases=FigureCache(what="phase diagrams"),
        warnings=PoolCache(),
        closing=Closing(),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    context: Context = app.state.context
    context.closing.begin()
    context.outbox.close()
    context.engine.dispose()


def _operation_name(route: APIRoute) -> str:
    return route.name
