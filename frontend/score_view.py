"""What the score page fetches again as data arrive: the scores at a training time, two curves below, and what the slider moves through."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.figure import ViewOptions
from frontend.charts.groups import Group, focused, group_runs, run_name
from frontend.charts.printing import printed, projected
from frontend.charts.reading import MAX_DRAWN
from frontend.charts.score_1d import ScorePanel, columns_of, is_score_1d, scores_figure
from frontend.charts.score_errors import COPIED, E_SCORE, errors_figure
from frontend.connection import client_for
from frontend.markup.alternative import plain
from frontend.markup.downloads import Chart, curves_csv, downloads
from frontend.markup.header import header
from frontend.markup.html import join
from frontend.markup.score_1d import scores_finding, scores_keys, scores_tables
from frontend.markup.state import is_live
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView
from tauscope.contracts.scores import ScoreCurves

MOST_PANELS = 6
_RIGHT, _RIGHT_OF_PANELS = 130, 24
_ABOVE, _MIN_ROW, _MAX_ROW, _ERRORS_HEIGHT, _PRINT_SHAPE = 520, 240.0, 420.0, 420.0, 0.6


async def serve_scores(request: Request) -> Response:
    """``GET /view/score/{id}``: the score page's regions; ``seed`` names the seed, ``at`` the training time."""
    identifier, token, options = asked(request)
    return await answer(lambda: _scores(identifier, token, options, dict(request.query_params)))


def _scores(identifier: str, token: str | None, options: ViewOptions, query: dict[str, str]) -> dict[str, Any]:
    client = client_for(token)
    experiment, curves = client.experiment(identifier), client.curves(identifier, max_points=MAX_DRAWN)
    shown = shown_runs(experiment, query.get("seed")) if is_score_1d(experiment) else []
    scores = {run.id: client.scores(run.id) for _, run in shown}
    view = score_view(experiment, curves, scores, options, query)
    return view | {"slots": slots_words(client.system()), "cursor": curves.cursor}


def seed_choices(experiment: ExperimentView) -> dict[str, str]:
    """The seeds of an experiment, where there are several."""
    seeds = sorted({run.params["seed"] for run in experiment.runs if "seed" in run.params})
    return {str(seed): f"seed {seed}" for seed in seeds} if len(seeds) > 1 else {}


def shown_runs(experiment: ExperimentView, seed: str | None) -> list[tuple[Group, RunView]]:
    """One run of each group, of the asked seed where the group has it; the first groups where there are many."""
    groups = group_runs(experiment, None)[:MOST_PANELS]
    return [(group, next((run for run in group.runs if str(run.params.get("seed")) == seed), group.runs[0])) for group in groups]


def score_view(
    experiment: ExperimentView, curves: Curves, scores: Mapping[str, ScoreCurves], options: ViewOptions, query: Mapping[str, str]
) -> dict[str, Any]:
    """Everything the score page shows, by region."""
    panels = _panels(experiment, curves, scores, query.get("seed"))
    steps = sorted({step for panel in panels for step in panel.scores.steps})
    asked_for = query.get("at", "")
    step = int(asked_for) if asked_for.isdigit() else steps[-1] if steps else 0
    drawn = {panel.run.id for panel in panels}
    # What a copier has differs from seed to seed, so that the curves are those of the runs above them.
    every = [replace(group, runs=tuple(run for run in group.runs if run.id in drawn)) for group in group_runs(experiment, options.palette)]
    groups = [group for group in every if group.runs]
    focus = focused(groups, options.focus)
    said = scores_finding(experiment, panels, curves)
    figures = _figures(experiment, curves, panels, groups, step, options) if panels else {}
    return {
        "figures": figures,
        "frames": _frames(panels, steps, options),
        "header": header(experiment, tab="score", run_id=focus.runs[0].id if focus else None),
        "finding": said,
        "keys": scores_keys(panels, curves),
        "table": join(scores_tables(panels, curves), downloads(experiment, _charts(experiment)) if panels else None),
        "alt": {name: f"{title}. {plain(said)}" for name, title in _TITLES.items() if name in figures},
        "live": is_live(experiment),
    }


_TITLES = {"scores": "Learned, population and empirical score", "errors": "E_score and what is copied"}


def _charts(experiment: ExperimentView) -> tuple[Chart, ...]:
    return (
        Chart("scores", "Scores", "scores", f"/api/v1/experiments/{experiment.id}/scores.csv"),
        Chart("errors", _TITLES["errors"], "errors", curves_csv(experiment, (E_SCORE, COPIED))),
    )


def _panels(experiment: ExperimentView, curves: Curves, scores: Mapping[str, ScoreCurves], seed: str | None) -> list[ScorePanel]:
    return [
        ScorePanel(run, run_name(group, run), found, found.exact, curves.runs.get(run.id, {}).get(E_SCORE))
        for group, run in shown_runs(experiment, seed)
        if (found := scores.get(run.id)) is not None and found.exact is not None
    ]


def _figures(
    experiment: ExperimentView, curves: Curves, panels: Sequence[ScorePanel], groups: Sequence[Group], step: int, options: ViewOptions
) -> dict[str, Any]:
    beside = replace(options, right=_RIGHT_OF_PANELS)
    rows = -(-len(panels) // columns_of(panels, beside))
    room = max(_MIN_ROW, min(_MAX_ROW, ((options.viewport or 900) - _ABOVE) / min(rows, 2)))
    row_height = options.pixels * _PRINT_SHAPE / columns_of(panels, beside) if options.print_mm else room
    made = {
        "scores": scores_figure(panels, step, beside, row_height=row_height),
        "errors": errors_figure(experiment, curves, groups, step, replace(options, right=_RIGHT), height=_ERRORS_HEIGHT),
    }
    if options.print_mm:
        return {name: printed(figure, options) for name, figure in made.items()}
    return {name: projected(figure) for name, figure in made.items()} if options.talk else made


def _frames(panels: Sequence[ScorePanel], steps: Sequence[int], options: ViewOptions) -> dict[str, Any]:
    """What the slider moves through: at each training time, of each run the row of its learned score and the words above it."""
    return {
        "steps": list(steps),
        "learned": {panel.run.id: panel.scores.learned for panel in panels},
        "rows": {panel.run.id: [panel.place(step) for step in steps] for panel in panels},
        "titles": {panel.run.id: [panel.words(step, short=options.narrow) for step in steps] for panel in panels},
    }
