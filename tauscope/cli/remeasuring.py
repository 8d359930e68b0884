"""The command that measures checkpoints again, of a run in the service or of a results folder."""

import sys
from collections.abc import Mapping
from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tauscope.cli.inputs import parse_settings
from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output
from tauscope.contracts.curves import Series
from tauscope.contracts.points import Point
from tauscope.specs import SpecError

commands = typer.Typer()
errors = Console(stderr=True)
BESIDE = ("_floor", "_train")  # What a quality's names end in where it is that of real images, and of the raw training images.


@commands.command()
def remeasure(
    source: Annotated[str, typer.Argument(metavar="RUN|FOLDER", help="A run's id, as `show ID --events` prints it, or a results folder.")],
    samples: Annotated[int | None, typer.Option(min=32, help="Samples per checkpoint; default as many as the run drew.")] = None,
    settings: Annotated[
        list[str], typer.Option("--set", metavar="PATH=VALUE", help="Another field of `measurement`, e.g. --set sampler.steps=50.")
    ] = [],  # noqa: B006 - typer copies it
    steps: Annotated[list[int] | None, typer.Option("--step", min=1, help="Training step, once for each; default all checkpoints.")] = None,
    name: Annotated[str, typer.Option(help="Name of the set; default what differs, in words.")] = "",
    processes: Annotated[int, typer.Option(min=1, help="Of a folder: checkpoints at a time.")] = 1,
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Measure checkpoints again with other settings, beside the run's own points. Asked again, it goes on and says how far it is."""
    changes = parse_settings(settings) | ({"n_generated": samples} if samples is not None else {})
    if Path(source).is_dir():
        _folder(Path(source), changes, steps, name, processes=processes, json=json)
    else:
        _run(source, changes, steps, name, url=url, json=json)


@commands.command("draw-again")
def draw_again(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, as `show ID --events` prints it.")],
    steps: Annotated[list[int] | None, typer.Option("--step", min=1, help="Training step, once for each; default all gaps.")] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Draw the samples that five failed attempts left undrawn; they fill the gaps of the run's own curves."""
    with open_client(url) as client:
        drawn = client.draw_again(run_id, steps)
    output.print(f"{run_id}: {_listed(drawn.steps)} drawn again" if drawn.steps else f"{run_id} has no gap", highlight=False)


def _run(run_id: str, changes: dict[str, Any], steps: list[int] | None, name: str, *, url: str, json: bool) -> None:
    with open_client(url) as client:
        view = client.remeasure(run_id, changes, steps=steps, name=name)
        run = client.run(run_id)
        own = client.curves(run.experiment_id, list(view.series) or ["f_mem"]).runs.get(run_id, {})
    if json:
        sys.stdout.write(view.model_dump_json() + "\n")
        return
    states = {state: [item.step for item in view.steps if item.state == state] for state in ("measured", "measuring", "waiting", "failed")}
    output.print(f"{view.name}: " + "; ".join(f"{state} {_listed(found)}" for state, found in states.items() if found), highlight=False)
    for item in view.steps:
        if item.note:
            output.print(f"step {item.step:,}: {item.note}", highlight=False)
    before = {point.step: point for point in _points(own, "f_mem")}
    output.print(_table([(run.label, point.step, before.get(point.step), point) for point in _points(view.series, "f_mem")]))
    _tell_new([(run.label, point) for name in view.series if name not in own for point in _points(view.series, name)])


def _points(series: Mapping[str, Series], metric: str) -> list[Point]:
    found = series.get(metric)
    if found is None:
        return []
    columns = (found.step, found.value, found.low, found.high, found.count, found.reason)
    return [
        Point(step=step, metric=metric, value=value, low=low, high=high, count=count, reason=reason)
        for step, value, low, high, count, reason in zip(*columns, strict=True)
    ]


def _folder(folder: Path, changes: dict[str, Any], steps: list[int] | None, name: str, *, processes: int, json: bool) -> None:
    from tauscope.execution.local_remeasuring import LocalRemeasuring
    from tauscope.results.folder import read_measurements

    try:
        again, own = LocalRemeasuring(folder, changes, steps=steps, name=name), read_measurements(folder)
    except FileNotFoundError as error:
        raise SpecError.single(str(folder), f"{error.filename} is missing", "Use a folder that `run --out` or `export` left") from error
    for run, step in again.left_out:
        errors.print(f"left out: step {step:,} of {run} lies outside of its checkpoints", highlight=False)
    again.execute(processes=processes, on_change=lambda task: errors.print(f"measured {task.run} at step {task.step:,}", highlight=False))
    if json:
        rows = [{**row._asdict(), "point": row.point.model_dump()} for row in again.points]
        sys.stdout.write(dumps({"points": rows}) + "\n")
        return
    before = {(run, point.step): point for run, points in own.items() for point in points if point.metric == "f_mem"}
    shown = [row for row in again.points if row.point.metric == "f_mem"]
    output.print(_table([(row.run, row.point.step, before.get((row.run, row.point.step)), row.point) for row in shown]))
    measured = {(run, point.metric) for run, points in own.items() for point in points}
    _tell_new([(row.run, row.point) for row in again.points if (row.run, row.point.metric) not in measured])
    output.print(f"{len(again.points):,} points in {folder / 'remeasured.parquet'}; the runs' own stay as they are", highlight=False)


def _table(rows: list[tuple[str, int, Point | None, Point]]) -> Table:
    table = Table("run", "step", "f_mem as the run was measured", "f_mem measured again", box=None)
    for run, step, before, after in rows:
        table.add_row(run, f"{step:,}", _words(before), _words(after))
    return table


def _tell_new(points: list[tuple[str, Point]]) -> None:
    """What the run never measured, beside the same of as many real images and of the raw training images."""
    found = {(run, point.step, point.metric): point for run, point in points}
    rows = sorted(key for key in found if not key[2].endswith(BESIDE))
    if not rows:
        return
    table = Table("run", "step", "newly measured", "of samples", "of real images", "of the training images", box=None)
    for run, step, metric in rows:
        beside = [found.get((run, step, metric + suffix)) for suffix in BESIDE]
        table.add_row(run, f"{step:,}", metric, _words(found[run, step, metric]), *(_words(point) if point else "" for point in beside))
    output.print(table)


def _words(point: Point | None) -> str:
    if point is None:
        return "not measured there"
    if point.value is None or point.low is None or point.high is None:
        return point.reason or "not measured"
    return f"{point.value:.4f} ({point.low:.4f} to {point.high:.4f}) of {point.count or 0:,}"


def _listed(steps: list[int] | tuple[int, ...]) -> str:
    return f"step{'s' * (len(steps) > 1)} " + ", ".join(f"{step:,}" for step in steps)
