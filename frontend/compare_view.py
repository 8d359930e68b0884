"""What the compare page fetches again as data arrive: the figure, the tables beneath it, and the numbers to take away."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.compare import RIGHT, compare_figure
from frontend.charts.compared import Line, compared_lines, merged
from frontend.charts.figure import ViewOptions
from frontend.charts.memorization import CONTROL, F_MEM
from frontend.charts.reading import FRECHET, drawn_points, level_of, references_of
from frontend.charts.seed_lines import drawn_curves
from frontend.charts.window import window_of
from frontend.comparison import Comparison, Selection, find, spec_of
from frontend.connection import TOKEN_COOKIE, client_for
from frontend.markup.compare import (
    Recommended,
    charts_compared,
    chosen_list,
    compare_alternative,
    compare_finding,
    compare_keys,
    compare_notices,
    result_table,
    stem_of,
)
from frontend.markup.differences import difference_table
from frontend.markup.html import join
from frontend.markup.state import is_live
from frontend.markup.tables import metric_table
from frontend.views import answer, options_from
from frontend.words import slots_words
from tauscope.client import ApiError, TauscopeClient
from tauscope.contracts.curves import Curves
from tauscope.contracts.retention import Recommendation
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import TERMINAL_STATES

_COLUMNS = ("experiment", "name", "run", "label", "n", "seed", "metric", "tau", "value", "low", "high", "count", "reason")


async def serve_comparison(request: Request) -> Response:
    """``GET /view/compare``: every region of the page; ``tables=1`` adds the numbers of the charts."""
    query, token = dict(request.query_params), request.cookies.get(TOKEN_COOKIE)
    return await answer(lambda: _compare(client_for(token), query))


async def serve_numbers(request: Request) -> Response:
    """``GET /view/compare/numbers.csv``: every point as measured of the chosen runs, one row each."""
    query, token = dict(request.query_params), request.cookies.get(TOKEN_COOKIE)
    try:
        text = await run_in_threadpool(lambda: numbers_csv(client_for(token), query))
    except ApiError as error:
        return Response(error.problem.model_dump_json(), status_code=error.problem.status, media_type="application/problem+json")
    return Response(text, media_type="text/csv", headers={"content-disposition": 'attachment; filename="compare.csv"'})


def _compare(client: TauscopeClient, query: Mapping[str, str]) -> dict[str, Any]:
    comparison = find(client, Selection.of(query))
    options = replace(options_from(dict(query)), right=RIGHT, focus=query.get("focus") or None)
    metric = options.quality or quality_of(comparison)
    wanted = (metric, F_MEM, CONTROL, *references_of(metric))
    points = drawn_points(sum(len(part.runs) for part in comparison.parts))
    found = {part.experiment.id: client.curves(part.experiment.id, wanted, max_points=points) for part in comparison.parts}
    view = compare_view(comparison, found, options, query, lambda run: _recommended(client, run))
    return view | {"slots": slots_words(client.system()), "cursors": {name: curves.cursor for name, curves in found.items()}}


def compare_view(
    comparison: Comparison, found: Mapping[str, Curves], options: ViewOptions, query: Mapping[str, str], recommended: Recommended
) -> dict[str, Any]:
    """Everything the page shows, by region. ``found`` holds the curves of each experiment."""
    if not comparison.parts:
        return {"figure": None, "notices": compare_notices(comparison, (), merged((), {}), "", options), "live": []}
    curves, metric = merged(comparison.parts, found), options.quality or quality_of(comparison)
    lines = compared_lines(comparison.parts, curves, options.palette, seeds_apart=query.get("seeds") == "each")
    return {
        "figure": compare_figure(comparison.parts, lines, curves, options, metric),
        "chosen": chosen_list(comparison),
        "finding": compare_finding(lines),
        "notices": compare_notices(comparison, lines, curves, metric, options),
        "keys": compare_keys(lines, charts_compared(query, metric), stem_of(comparison), options.theme),
        "tables": join(difference_table(lines), result_table(lines, curves, recommended)),
        "numbers": _numbers(lines, curves, metric, query) if query.get("tables") else None,
        "alt": compare_alternative(lines),
        "stem": f"{stem_of(comparison)}-figure",
        "live": [part.experiment.id for part in comparison.parts if is_live(part.experiment)],
    }


def quality_of(comparison: Comparison) -> str:
    """The quality that defines tau_gen in the first experiment."""
    defining = level_of(comparison.parts[0].experiment, "tau_gen") if comparison.parts else None
    return defining[0] if defining else FRECHET


def _numbers(lines: tuple[Line, ...], curves: Curves, metric: str, query: Mapping[str, str]) -> str:
    drawn, groups = drawn_curves(lines, curves, (metric, F_MEM, CONTROL)), [replace(line.drawn, name=line.heading) for line in lines]
    address = charts_compared(query, metric)[0].csv
    return join(metric_table(drawn, groups, metric, None, csv=address), metric_table(drawn, groups, F_MEM, CONTROL, csv=address))


def _recommended(client: TauscopeClient, run: RunView) -> Recommendation | None:
    """The checkpoint to keep of a run that is over; it changes no more unless the run is extended or flushes again."""
    if run.state not in TERMINAL_STATES or window_of(run) is None:
        return None
    return _remembered(client, run.id, run.seq, run.steps)


@lru_cache(maxsize=512)
def _remembered(client: TauscopeClient, run: str, seq: int, steps: int) -> Recommendation:
    return client.checkpoints(run).recommendation


def numbers_csv(client: TauscopeClient, query: Mapping[str, str]) -> str:
    """A table of the chosen runs in the API's columns, with the experiment each row is from."""
    metrics = tuple(name for name in query.get("metrics", "").split(",") if name) or (F_MEM, CONTROL)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(_COLUMNS)
    for part in find(client, Selection.of(query)).parts:
        curves = client.curves(part.experiment.id, metrics)
        for run in part.runs:
            seed = getattr(spec_of(part.experiment, run), "seed", run.params.get("seed"))
            who = (part.experiment.id, part.experiment.name, run.id, run.label, run.n_train, seed)
            for metric, series in sorted(curves.runs.get(run.id, {}).items()):
                columns = (series.step, series.value, series.low, series.high, series.count, series.reason)
                table.writerows([*who, metric, *row] for row in zip(*columns, strict=True) if metric in metrics)
    return text.getvalue()
