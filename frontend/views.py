"""What live pages fetch again as data arrive: figures and pieces of HTML, made here so that each has one home."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from frontend.charts.experiment import experiment_figure, watched
from frontend.charts.figure import FigureError, Part, View, ViewOptions
from frontend.charts.groups import Group, focused, group_runs
from frontend.charts.printing import PRINT_WIDTHS
from frontend.charts.reading import DESCRIBED, MAX_DRAWN
from frontend.charts.window import window_of
from frontend.connection import TOKEN_COOKIE, client_for
from frontend.markup.alternative import alternative
from frontend.markup.downloads import charts_of, downloads
from frontend.markup.experiments import experiment_rows, storage_line
from frontend.markup.finding import finding
from frontend.markup.header import header
from frontend.markup.html import Html, join
from frontend.markup.keys import mark_keys
from frontend.markup.probes import warning_cards
from frontend.markup.side import focus_card, notices, onset_table
from frontend.markup.state import is_live
from frontend.markup.tables import data_tables
from frontend.proxy import away
from frontend.theme import PALETTES
from frontend.words import AXIS_TITLES, slots_words
from tauscope.client import ApiError, ApiUnreachable, TauscopeClient
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.retention import RunCheckpoints
from tauscope.contracts.runs import TERMINAL_STATES
from tauscope.contracts.warnings import ExperimentWarnings

ROWS, MOST_ROWS = 25, 1000
# The filters of the list's address, and what the API calls them.
STATES = {"running": "live", "attention": "attention", "finished": "finished"}


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
        apart=query.get("seeds") == "each",
        print_mm=width if (width := whole("print")) in PRINT_WIDTHS else None,
    )


def experiment_view(
    experiment: ExperimentView,
    curves: Curves,
    options: ViewOptions,
    checkpoints_of: Callable[[str], RunCheckpoints] | None = None,
    warned: ExperimentWarnings | None = None,
) -> dict[str, Any]:
    """Everything the watch page shows, by region. ``checkpoints_of`` is asked for those of the focused run once it is over;
    ``warned`` is what the probes say."""
    groups = group_runs(experiment, options.palette)
    focus = focused(groups, options.focus)
    return {
        "figure": experiment_figure(experiment, curves, options),
        "header": header(experiment, tab="experiment", run_id=focus.runs[0].id if focus else None),
        "finding": finding(experiment, groups),
        "side": join(
            *notices(experiment, groups),
            _focused(focus, checkpoints_of),
            onset_table(experiment, curves, groups, focus),
            *(warning_cards(experiment, curves, groups, warned) if warned else []),
        ),
        "keys": join(mark_keys(experiment, curves, options), downloads(experiment, charts_of(experiment, curves, options))),
        "alt": alternative(experiment, groups),
        "live": is_live(experiment),
    }


def _focused(focus: Group | None, checkpoints_of: Callable[[str], RunCheckpoints] | None) -> Html | None:
    if focus is None:
        return None
    run = focus.runs[0]
    if checkpoints_of is None or run.state not in TERMINAL_STATES or window_of(run) is None:
        return focus_card(focus)
    return focus_card(focus, checkpoints_of(run.id))


async def serve_experiment(request: Request) -> Response:
    """``GET /view/experiments/{id}``: the watch page's regions."""
    identifier, token, options = asked(request)
    return await answer(lambda: _experiment(identifier, token, options))


def _experiment(identifier: str, token: str | None, options: ViewOptions) -> dict[str, Any]:
    client = client_for(token)
    experiment, curves = _watched(client, identifier, options, DESCRIBED)
    view = experiment_view(experiment, curves, options, client.checkpoints, client.warnings(identifier))
    return view | {"slots": slots_words(client.system()), "cursor": curves.cursor}


def _watched(client: TauscopeClient, identifier: str, options: ViewOptions, points: int) -> tuple[ExperimentView, Curves]:
    """An experiment, and of its curves those that the viewer's figure shows."""
    experiment = client.experiment(identifier)
    return experiment, client.curves(identifier, watched(experiment, options), max_points=points)


async def serve_figure(request: Request) -> Response:
    """``GET /view/experiments/{id}/figure``: one figure to take away; ``part`` names a panel, ``print`` a width in mm."""
    identifier, token, options = asked(request)
    client = client_for(token)
    return await answer(lambda: {"figure": experiment_figure(*_watched(client, identifier, options, DESCRIBED), options)})


async def serve_tables(request: Request) -> Response:
    """``GET /view/experiments/{id}/tables``: the numbers of the charts."""
    identifier, token, options = asked(request)
    return await answer(lambda: _tables(identifier, token, options))


def _tables(identifier: str, token: str | None, options: ViewOptions) -> dict[str, Any]:
    experiment, curves = _watched(client_for(token), identifier, options, MAX_DRAWN)
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
    wanted, rows = list_filter(query), query.get("rows", "")
    listed, total = _listed(client, wanted, min(int(rows), MOST_ROWS) if rows.isdigit() else ROWS)
    palette, system = PALETTES[options_from(query).theme], client.system()
    shown = experiment_rows(listed, total=total, filtered=bool(wanted), palette=palette)
    return {
        "rows": join(shown, storage_line(system.storage)),
        "live": any(is_live(item) for item in listed),
        "slots": slots_words(system),
    }


def list_filter(query: Mapping[str, str]) -> dict[str, Any]:
    """What the list's address asks of the API; what is not understood is left out."""
    found: dict[str, Any] = {}
    if query.get("q", "").strip():
        found["query"] = query["q"].strip()
    for name in ("data", "tag"):
        if query.get(name):
            found[name] = query[name]
    state = query.get("state", "")
    if state == "archived":
        found["archived"] = True
    elif state in STATES:
        found["state"] = STATES[state]
    return found


def _listed(client: TauscopeClient, wanted: dict[str, Any], rows: int) -> tuple[list[ExperimentView], int]:
    """The newest so many, page by page, and how many there are."""
    page = client.experiments(limit=min(100, rows), final=False, **wanted)
    found = list(page.items)
    while page.next_cursor is not None and len(found) < rows:
        page = client.experiments(cursor=page.next_cursor, limit=min(100, rows - len(found)), final=False, **wanted)
        found += page.items
    return found, page.total


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
