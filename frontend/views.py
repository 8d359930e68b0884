"""What live pages fetch again as data arrive: figures and pieces of HTML, made here so that each has one home."""

from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from frontend.charts.experiment import experiment_figure
from frontend.charts.figure import FigureError, ViewOptions
from frontend.charts.groups import focused, group_runs
from frontend.connection import TOKEN_COOKIE, client_for
from frontend.markup.experiments import experiment_rows, storage_line
from frontend.markup.finding import finding
from frontend.markup.header import header
from frontend.markup.html import join
from frontend.markup.keys import mark_keys
from frontend.markup.side import focus_card, notices, onset_table
from frontend.markup.state import is_live
from frontend.proxy import away
from frontend.theme import PALETTES, ThemeName
from frontend.words import Axis, slots_words
from tauscope.client import ApiError, ApiUnreachable
from tauscope.contracts.experiments import Curves, ExperimentView


def options_from(query: dict[str, str]) -> ViewOptions:
    """The viewer's choices from an address; what is not understood falls back to the default."""

    def whole(name: str) -> int | None:
        text = query.get(name, "")
        return int(text) if text.isdigit() else None

    axis = cast(Axis, query.get("axis")) if query.get("axis") in ("tau", "tau_n") else "tau"
    theme = cast(ThemeName, query.get("theme")) if query.get("theme") in PALETTES else "light"
    return ViewOptions(
        axis=axis,
        quality=query.get("quality") or None,
        focus=query.get("n") or None,
        losses=whole("losses"),
        theme=theme,
        viewport=whole("viewport"),
        width=whole("width"),
    )


def experiment_view(experiment: ExperimentView, curves: Curves, options: ViewOptions) -> dict[str, Any]:
    """Everything the watch page shows, by region."""
    groups = group_runs(experiment, options.palette)
    focus = focused(groups, options.focus)
    return {
        "figure": experiment_figure(experiment, curves, options),
        "header": header(experiment, tab="experiment", run_id=focus.runs[0].id if focus else None),
        "finding": finding(experiment, groups),
        "side": join(*notices(experiment, groups), focus_card(focus) if focus else None, onset_table(experiment, curves, groups, focus)),
        "keys": mark_keys(experiment, curves, options),
        "live": is_live(experiment),
    }


async def serve_experiment(request: Request) -> Response:
    """``GET /view/experiments/{id}``: the watch page's regions."""
    query = dict(request.query_params)
    identifier = str(request.path_params["id"])
    token = request.cookies.get(TOKEN_COOKIE)
    return await answer(lambda: _experiment(identifier, token, options_from(query)))


def _experiment(identifier: str, token: str | None, options: ViewOptions) -> dict[str, Any]:
    client = client_for(token)
    view = experiment_view(client.experiment(identifier), client.curves(identifier), options)
    return view | {"slots": slots_words(client.system())}


async def serve_experiments(request: Request) -> Response:
    """``GET /view/experiments``: the rows of the list."""
    query = dict(request.query_params)
    token = request.cookies.get(TOKEN_COOKIE)
    return await answer(lambda: _experiments(token, query))


def _experiments(token: str | None, query: dict[str, str]) -> dict[str, Any]:
    client = client_for(token)
    page, system = client.experiments(limit=100), client.system()
    theme = options_from(query).theme
    rows = experiment_rows(page.items, query=query.get("q", ""), state=query.get("state", "all"), palette=PALETTES[theme])
    shown = join(rows, storage_line(system.storage))
    return {"rows": shown, "live": any(is_live(item) for item in page.items), "slots": slots_words(system)}


async def answer(build: Any) -> Response:
    """What ``build`` returns as JSON, or the problem it met."""
    try:
        return JSONResponse(await run_in_threadpool(build), headers={"cache-control": "no-store"})
    except ApiUnreachable:
        return away()
    except FigureError as error:
        return JSONResponse({"title": "This figure is not drawn", "detail": str(error), "remedy": ""}, status_code=500)
    except ApiError as error:
        return JSONResponse(error.problem.model_dump(mode="json"), status_code=error.problem.status, media_type="application/problem+json")
