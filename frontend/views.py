"""What live pages fetch again as data arrive: figures and pieces of HTML, made here so that each has one home."""

from collections.abc import Callable, Iterable
from typing import Any, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from frontend.charts.experiment import experiment_figure
from frontend.charts.figure import FigureError, Part, View, ViewOptions
from frontend.charts.groups import focused, group_runs
from frontend.charts.printing import PRINT_WIDTHS
from frontend.charts.reading import DESCRIBED, MAX_DRAWN
from frontend.connection import TOKEN_COOKIE, client_for
from frontend.markup.alternative import alternative
from frontend.markup.downloads import charts_of, downloads
from frontend.markup.experiments import experiment_rows, storage_line
from frontend.markup.finding import finding
from frontend.markup.header import header
from frontend.markup.html import join
from frontend.markup.keys import mark_keys
from frontend.markup.side import focus_card, notices, onset_table
from frontend.markup.state import is_live
from frontend.markup.tables import data_tables
from frontend.proxy import away
from frontend.theme import PALETTES
from frontend.words import AXIS_TITLES, slots_words
from tauscope.client import ApiError, ApiUnreachable
from tauscope.contracts.experiments import Curves, ExperimentView


def options_from(query: dict[str, str]) -> ViewOptions:
    """The viewer's choices from an address; what is not understood falls back to the default."""

    def whole(name: str) -> int | None:
        text = query.get(name, "")
        return int(text) if text.isdigit() else None

    def one_of(name: str, known: Iterable[str], default: str | None) -> Any:
        return query[name] if name in query and query[name] in known else default

    return ViewOptions(
        axis=one_of("axis", AXIS_TITLES, "tau"),
        view=one_of("view", get_args(View), "stacked"),
        quality=query.get("quality") or None,
        focus=query.get("n") or None,
        losses=whole("losses"),
        theme=one_of("theme", PALETTES, "light"),
        viewport=whole("viewport"),
        width=whole("width"),
        part=one_of("part", get_args(Part), None),
        talk=query.get("talk") == "1",
        print_mm=width if (width := whole("print")) in PRINT_WIDTHS else None,
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
        "keys": join(mark_keys(experiment, curves, options), downloads(experiment, charts_of(experiment, curves, options))),
        "alt": alternative(experiment, groups),
        "live": is_live(experiment),
    }


async def serve_experiment(request: Request) -> Response:
    """``GET /view/experiments/{id}``: the watch page's regions."""
    identifier, token, options = asked(request)
    return await answer(lambda: _experiment(identifier, token, options))


def _experiment(identifier: str, token: str | None, options: ViewOptions) -> dict[str, Any]:
    client = client_for(token)
    view = experiment_view(client.experiment(identifier), client.curves(identifier, max_points=DESCRIBED), options)
    return view | {"slots": slots_words(client.system())}


async def serve_figure(request: Request) -> Response:
    """``GET /view/experiments/{id}/figure``: one figure to take away; ``part`` names a panel, ``print`` a width in mm."""
    identifier, token, options = asked(request)
    client = client_for(token)
    return await answer(
        lambda: {"figure": experiment_figure(client.experiment(identifier), client.curves(identifier, max_points=DESCRIBED), options)}
    )


async def serve_tables(request: Request) -> Response:
    """``GET /view/experiments/{id}/tables``: the numbers of the charts."""
    identifier, token, options = asked(request)
    return await answer(lambda: _tables(identifier, token, options))


def _tables(identifier: str, token: str | None, options: ViewOptions) -> dict[str, Any]:
    client = client_for(token)
    experiment, curves = client.experiment(identifier), client.curves(identifier, max_points=MAX_DRAWN)
    return {"tables": data_tables(experiment, curves, group_runs(experiment, options.palette), options)}


def asked(request: Request) -> tuple[str, str | None, ViewOptions]:
    """The experiment, the viewer's token and their choices."""
    return str(request.path_params["id"]), request.cookies.get(TOKEN_COOKIE), options_from(dict(request.query_params))


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


async def answer(build: Callable[[], dict[str, Any]]) -> Response:
    """What ``build`` makes, as JSON, or why it could not."""
    try:
        return JSONResponse(await run_in_threadpool(build), headers={"cache-control": "no-store"})
    except ApiUnreachable:
        return away()
    except FigureError as error:
        return JSONResponse({"title": "This figure is not drawn", "detail": str(error), "remedy": ""}, status_code=500)
    except ApiError as error:
        return JSONResponse(error.problem.model_dump(mode="json"), status_code=error.problem.status, media_type="application/problem+json")
