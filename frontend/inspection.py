"""What the inspect page fetches: the checkpoints of a run in words, and their miniature curves."""

import math
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.groups import group_runs, run_name
from frontend.charts.reading import level_of, metric_info, series_of, short_label
from frontend.connection import TOKEN_COOKIE, client_for
from frontend.markup.checkpoints import Quality, checkpoint_words, mini_curves, no_checkpoint
from frontend.markup.header import header
from frontend.markup.state import is_live
from frontend.theme import PALETTES
from frontend.views import answer, options_from
from frontend.words import slots_words
from tauscope.client import TauscopeClient
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView
from tauscope.contracts.samples import SampleStep

_MINIATURE_POINTS = 300


async def serve_inspection(request: Request) -> Response:
    """``GET /view/inspect/{run}``: everything but the samples themselves."""
    run_id, query = request.path_params["run"], dict(request.query_params)
    token = request.cookies.get(TOKEN_COOKIE)
    return await answer(lambda: inspected(client_for(token), run_id, query))


def inspected(client: TauscopeClient, run_id: str, query: dict[str, str]) -> dict[str, Any]:
    """The page's view of a run, read from the service."""
    steps = client.sample_steps(run_id).steps
    run = client.run(run_id)
    experiment = client.experiment(run.experiment_id)
    defining = level_of(experiment, "tau_gen")
    curves = client.curves(experiment.id, [defining[0]] if defining else ["f_mem"], max_points=_MINIATURE_POINTS)
    groups = group_runs(experiment, PALETTES[options_from(query).theme])
    view = inspection(experiment, run, steps, curves, defining[0] if defining else None)
    runs = [{"id": item.id, "name": run_name(group, item)} for group in groups for item in group.runs]
    return view | {"runs": runs, "slots": slots_words(client.system())}


def inspection(
    experiment: ExperimentView, run: RunView, steps: Sequence[SampleStep], curves: Curves, quality: str | None
) -> dict[str, Any]:
    """The page's view of a run: places lie on the log axis from its first checkpoint to its budget, 0 to 1."""
    axis = LogAxis(steps[0].step if steps else 1, max(run.steps, run.step, 2))
    return {
        "id": experiment.id,
        "cursor": curves.cursor,
        "live": is_live(experiment),
        "header": header(experiment, tab="inspect", run_id=run.id),
        "curves": mini_curves(run, steps, _quality(run, curves, quality), axis.place),
        "checkpoints": [{**checkpoint_words(item), "at": axis.place(item.step)} for item in steps],
        "empty": no_checkpoint(run),
    }


def _quality(run: RunView, curves: Curves, metric: str | None) -> Quality:
    series = series_of(curves, run, metric) if metric else None
    if metric is None or series is None:
        return Quality("quality", ())
    points = [(step, value) for step, value in zip(series.step, series.value, strict=True) if value is not None]
    return Quality(short_label(metric_info(curves, metric)), points)


class LogAxis:
    """Training time to a place from 0 to 1; what lies outside stands at the end."""

    def __init__(self, low: float, high: float) -> None:
        self._low = math.log(max(low, 1))
        self._span = max(math.log(max(high, 1)) - self._low, 1e-9)

    def place(self, step: float) -> float:
        """Where a step stands."""
        return min(1.0, max(0.0, (math.log(max(step, 1)) - self._low) / self._span))
