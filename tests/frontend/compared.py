"""Experiments of the stand-in world, compared: their lines and their figure."""

from typing import Any

from frontend.charts.compare import compare_figure
from frontend.charts.compared import Line, compared_lines, merged
from frontend.charts.figure import ViewOptions
from frontend.comparison import LETTERS, Part
from frontend.theme import LIGHT
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tests.frontend import fake_compared
from tests.frontend import fake_world as world

LOSS = "loss_held_out@100"
Drawn = tuple[tuple[Part, ...], tuple[Line, ...], Curves]


def curves_of(view: ExperimentView) -> Curves:
    made = fake_compared.CURVES.get(view.id, world.curves_of)
    return made(view)


def drawn(*experiments: ExperimentView, runs: tuple[str, ...] = (), apart: bool = False) -> Drawn:
    parts = tuple(
        Part(letter, view, frozenset(run.id for run in view.runs if not runs or run.id in runs))
        for letter, view in zip(LETTERS, experiments, strict=False)
    )
    curves = merged(parts, {view.id: curves_of(view) for view in experiments})
    return parts, compared_lines(parts, curves, LIGHT, seeds_apart=apart), curves


def figure(*experiments: ExperimentView, metric: str = LOSS, **options: Any) -> dict[str, Any]:
    parts, lines, curves = drawn(*experiments)
    return compare_figure(parts, lines, curves, ViewOptions(width=1400, right=176, **options), metric)


def lines_of(made: dict[str, Any]) -> list[dict[str, Any]]:
    return [trace for trace in made["data"] if "group" in trace.get("meta", {})]


def texts(made: dict[str, Any]) -> str:
    return "\n".join(item["text"] for item in made["layout"]["annotations"])
