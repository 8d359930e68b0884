"""The command that judges a stopping policy on runs that were left to go on."""

import sys
from collections.abc import Iterator
from json import dumps
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
import yaml
from pydantic import TypeAdapter, ValidationError
from rich.table import Table
from rich.text import Text

from tauscope.analysis.hindsight import hindsight as judge
from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output
from tauscope.contracts.hindsight import Difference, Hindsight, HindsightReport
from tauscope.contracts.points import Point
from tauscope.contracts.wording import counted_words, interval_percent, measured_words, number, onset_words, percent
from tauscope.figures.source import points_of
from tauscope.metrics.intervals import clopper_pearson
from tauscope.results.folder import read_measurements, read_spec
from tauscope.specs import KINDS, ExperimentSpec, ResolvedRun, SpecError, parse_sweep
from tauscope.specs.stopping import Stopping

commands = typer.Typer()

Source = tuple[str, str, ExperimentSpec, list[Point]]


@commands.command()
def hindsight(
    source: Annotated[str, typer.Argument(metavar="FOLDER|EXPERIMENT", help="A results folder, or the id of a service's experiment.")],
    stopping: Annotated[str, typer.Option(metavar="POLICY", help="As in a spec, e.g. '{name: copying, level: 0.05}'.")] = "{name: window}",
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Say where a stopping policy would have stopped each run, what that saves, and what was still to come."""
    policy = _policy(stopping)
    name, runs = _folder(Path(source)) if Path(source).is_dir() else _service(source, url)
    found = tuple(judge(spec, points, policy, run=run, label=label) for run, label, spec, points in runs)
    report = HindsightReport(experiment=name, policy=policy.model_dump(mode="json"), runs=found)
    if json:
        sys.stdout.write(report.model_dump_json() + "\n")
        return
    output.print(_table(report))
    for sentence in hindsight_sentences(report):
        output.print(Text(sentence), soft_wrap=True)


def _policy(text: str) -> Stopping:
    """A policy as YAML.

    Raises:
        SpecError: naming the field at fault.
    """
    try:
        policy: Stopping = TypeAdapter(Stopping).validate_python(yaml.safe_load(text))
    except ValidationError as error:
        raise SpecError.from_validation(error, prefix="--stopping") from error
    except yaml.YAMLError as error:
        raise SpecError.single("--stopping", f"is not valid YAML ({error})", "Write it as {name: window}") from error
    return policy


def _folder(folder: Path) -> tuple[str, Iterator[Source]]:
    """Name and runs of a results folder.

    Raises:
        SpecError: if a file that the layout promises is missing, naming it.
    """
    try:
        spec, points = read_spec(folder), read_measurements(folder)
    except FileNotFoundError as error:
        raise SpecError.single(str(folder), f"{error.filename} is missing", "Name a folder that `run --out` or `export` left") from error
    runs = [ResolvedRun(index, entry["params"], _spec(entry["spec"])) for index, entry in enumerate(spec["runs"])]
    names = [entry["run"] for entry in spec["runs"]]
    return spec["experiment"], ((name, run.label, run.spec, points.get(name, [])) for name, run in zip(names, runs, strict=True))


def _service(experiment: str, url: str) -> tuple[str, Iterator[Source]]:
    with open_client(url) as client:
        view, curves = client.experiment(experiment), client.curves(experiment)
    specs = {dumps(run.params, sort_keys=True): run.spec for run in parse_sweep(view.sweep).resolve()}
    return view.name, (
        (run.id, run.label, specs[dumps(run.params, sort_keys=True)], points_of(curves.runs.get(run.id, {}))) for run in view.runs
    )


def _spec(document: dict[str, Any]) -> ExperimentSpec:
    return KINDS[document["kind"]].model_validate(document)


def _table(report: HindsightReport) -> Table:
    table = Table(box=None)
    for heading in ("run", "steps", "stops at", "saved", "tau_mem", "copied there", "to keep", "its quality", "best later", "worse by"):
        table.add_column(heading)
    for run in report.runs:
        table.add_row(
            run.label,
            f"{run.trained:,}",
            "not stopped" if run.stopped_at is None else f"{run.stopped_at:,}",
            "" if run.saved is None else percent(run.saved),
            onset_words(run.tau_mem),
            "" if run.f_mem is None else counted_words(run.f_mem),
            "none" if run.kept.step is None else f"{run.kept.step:,}",
            "" if run.kept.quality is None else measured_words(run.kept.quality),
            _later(run),
            "" if run.cost is None else _cost(run.cost),
        )
    return table


def _later(run: Hindsight) -> str:
    if run.stopped_at is None:
        return ""
    return "none before tau_mem" if run.best_later is None else f"{measured_words(run.best_later)} at {run.best_later.step:,}"


def _cost(cost: Difference) -> str:
    return f"{number(cost.value)} ({number(cost.low)} to {number(cost.high)})"


def hindsight_sentences(report: HindsightReport) -> list[str]:
    """How many runs the policy stops, what that saves, whether in time, and at what cost; each with its counts."""
    stopped = [run for run in report.runs if run.stopped_at is not None]
    if not stopped:
        return [f"0 of {len(report.runs)} runs stopped."]
    saved = sorted(run.saved for run in stopped if run.saved is not None)
    told = [run for run in stopped if run.in_time is not None]
    costs = [run.cost for run in stopped if run.cost is not None]
    worse = sum(cost.low > 0 for cost in costs)
    return [
        f"{len(stopped)} of {len(report.runs)} runs stopped; of their steps {percent(median(saved))} saved in the median, "
        f"{interval_percent(saved[0], saved[-1])} over the runs.",
        f"Not after the lower end of tau_mem: {_of(sum(bool(run.in_time) for run in told), len(told))}.",
        f"Checkpoint kept worse than the best later one before tau_mem, beyond its 95 % interval: {_of(worse, len(costs))}; "
        f"{len(stopped) - len(costs)} had none later or none to keep.",
    ]


def _of(found: int, count: int) -> str:
    """Runs as what they are: a count, with the share they allow."""
    if not count:
        return "no run to judge"
    low, high = clopper_pearson(found, count)
    return f"{found} of {count} ({interval_percent(low, high)} at 95 %)"
