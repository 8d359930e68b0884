"""One origin for the browser: Streamlit's pages, the API behind a proxy, plotly.js and the fonts, all from here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from streamlit import config as streamlit_config

from frontend.assets import STATIC, KeptFiles, assets
from frontend.closed_form_view import serve_closed
from frontend.compare_view import serve_comparison, serve_numbers
from frontend.connection import set_api_url
from frontend.copied_view import serve_copied
from frontend.datasets_view import serve_datasets
from frontend.document import serve_document
from frontend.forecasts_view import serve_forecasts
from frontend.inspection import serve_inspection
from frontend.interventions_view import serve_interventions
from frontend.law_view import serve_law
from frontend.login import show_login, take_login
from frontend.mixture_view import serve_mixture
from frontend.navigation import TITLES
from frontend.phase_view import serve_phase
from frontend.probes_view import serve_probes
from frontend.proxy import METHODS, ApiProxy
from frontend.remeasured_view import serve_remeasured
from frontend.run_view import serve_run
from frontend.score_view import serve_scores
from frontend.security import SecurityHeaders
from frontend.spectrum_view import serve_spectrum
from frontend.system_view import serve_system
from frontend.theme import streamlit_options
from frontend.twin_view import serve_twin
from frontend.views import serve_experiment, serve_experiments, serve_figure, serve_tables
from tauscope.heap import settle

HERE = Path(__file__).parent
PLOTLY = STATIC / "vendor" / "plotly-cartesian-4.1.1.min.js"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def build_app(api_url: str, *, host: str = "127.0.0.1") -> st.App:
    """The whole dashboard as one ASGI application."""
    set_api_url(api_url)
    for option, value in streamlit_options().items():
        streamlit_config.set_option(option, value)
    proxy = ApiProxy()

    @asynccontextmanager
    async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any] | None]:
        yield None
        await proxy.close()

    return st.App(HERE / "entry" / "app.py", routes=_routes(proxy), middleware=_middleware(host), lifespan=lifespan)


def _routes(proxy: ApiProxy) -> list[Any]:
    return [
        Route("/api/{path:path}", proxy.__call__, methods=list(METHODS)),
        Route("/view/experiments", serve_experiments),
        Route("/view/experiments/{id}", serve_experiment),
        Route("/view/experiments/{id}/figure", serve_figure),
        Route("/view/experiments/{id}/tables", serve_tables),
        Route("/view/law/{id}", serve_law),
        Route("/view/phase/{id}", serve_phase),
        Route("/view/probes/{id}", serve_probes),
        Route("/view/spectrum/{id}", serve_spectrum),
        Route("/view/mixture/{id}", serve_mixture),
        Route("/view/interventions/{id}", serve_interventions),
        Route("/view/closed/{id}", serve_closed),
        Route("/view/score/{id}", serve_scores),
        Route("/view/inspect/{run}", serve_inspection),
        Route("/view/inspect/{run}/copied", serve_copied),
        Route("/view/compare", serve_comparison),
        Route("/view/compare/numbers.csv", serve_numbers),
        Route("/view/system", serve_system),
        Route("/view/datasets", serve_datasets),
        Route("/view/forecasts", serve_forecasts),
        Route("/view/runs/{id}", serve_run),
        Route("/view/runs/{id}/twin", serve_twin),
        Route("/view/runs/{id}/remeasured/{seq:int}", serve_remeasured),
        *[Route(f"/{name}", serve_document) for name in ("", *TITLES)],
        Route("/login", show_login, methods=["GET"]),
        Route("/login", take_login, methods=["POST"]),
        Route("/assets/plotly.min.js", serve_plotly),
        Mount(assets(), KeptFiles(directory=STATIC)),
        Mount("/assets", StaticFiles(directory=STATIC)),
    ]


def _middleware(host: str) -> list[Middleware]:
    """On loopback only loopback's names are answered, so that no foreign site can rebind its name to us."""
    headers = Middleware(SecurityHeaders)
    if host not in LOOPBACK:
        return [headers]
    return [headers, Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "testserver"], www_redirect=False)]


async def serve_plotly(request: Request) -> Response:
    """The part of plotly.js with Cartesian charts, kept in the repository (decision 0007)."""
    return FileResponse(PLOTLY, media_type="text/javascript", headers={"cache-control": "public, max-age=86400"})


def serve(*, host: str, port: int, api_url: str) -> None:
    """Serve until told to stop; open event streams are given two seconds to end."""
    app = build_app(api_url, host=host)
    settle()
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=2)
