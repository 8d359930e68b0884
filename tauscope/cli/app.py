"""The commands. Each is a thin shell over the library or the client."""

import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from json import dumps
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tauscope.cli import (
    backups,
    copied,
    datasets,
    explore,
    figures,
    hindsight,
    hooks,
    interventions,
    keeping,
    laws,
    phase,
    remeasuring,
    results,
    twins,
    workers,
)
from tauscope.cli.inputs import parse_settings, queue_name, read_sweep
from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output
from tauscope.cli.tables import (
    attempts_table,
    events_table,
    experiments_table,
    fit_sentences,
    forecast_sentences,
    progress_table,
    run_states,
    summary_table,
    waiting_sentences,
)
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.runs import DEFAULT_QUEUE, TERMINAL_STATES
from tauscope.contracts.summary import ExperimentSummary
from tauscope.specs import SpecError, SweepSpec, apply_settings, load_preset, preset_names

app = typer.Typer(no_args_is_help=True, add_completion=False, help="How, and when, a diffusion model starts copying its training data.")

Settings = Annotated[
    list[str], typer.Option("--set", metavar="PATH=VALUE", help="Replace a field, e.g. --set steps=200 or --set n_train=[8,16].")
]

errors = Console(stderr=True)


@app.command()
def run(
    source: Annotated[str, typer.Argument(metavar="PRESET|SPEC.yaml", help="A preset's name, or a YAML file.")],
    settings: Settings = [],  # noqa: B006 - typer copies it
    out: Annotated[Path | None, typer.Option(help="Results folder; default results/<name>-<time>.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:i or mps.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Runs at a time; default one a core, or one a GPU.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what --out holds.")] = False,
    json: Json = False,
) -> None:
    """Run a sweep here, with no service."""
    from tauscope.datasets.local_names import pinned_here

    chosen = parse_settings(settings) | ({"device": device} if device else {})
    sweep = pinned_here(apply_settings(read_sweep(source), chosen))
    folder = out or Path("results") / f"{sweep.name}-{datetime.now():%Y%m%d-%H%M%S}"
    interrupted, summary = _run_local(sweep, folder, processes=processes, resume=resume, quiet=json)
    if json:
        sys.stdout.write(summary.model_dump_json() + "\n")
    else:
        _print_summary(summary)
        output.print(f"Results: {folder}")
    if interrupted:
        errors.print(f"Interrupted; every run wrote a checkpoint. Go on with: tauscope run {source} --out {folder} --resume")
        raise typer.Exit(130)
    raise typer.Exit(1 if any(item.state == "failed" for item in summary.runs) else 0)


def _run_local(sweep: SweepSpec, folder: Path, *, processes: int | None, resume: bool, quiet: bool) -> tuple[bool, ExperimentSummary]:
    from tauscope.cli.requirements import check_requirements, default_processes
    from tauscope.execution.local_remeasuring import measure_again
    from tauscope.execution.local_sweep import LocalSweep

    check_requirements(sweep)
    local = LocalSweep(sweep, folder, resume=resume)
    live_console = Console(stderr=True, quiet=quiet)
    interrupted = False
    with Live(console=live_console, refresh_per_second=4, transient=True) as live:
        try:
            local.execute(processes=processes or default_processes(sweep), on_change=lambda: live.update(progress_table(local.runs)))
        except KeyboardInterrupt:
            interrupted = True
    for remark in dict.fromkeys(remark for run in local.runs for remark in run.remarks):
        errors.print(f"{remark}.", markup=False)
    summary = local.finish()
    if not interrupted:
        try:
            measure_again(folder, sweep, processes=processes or default_processes(sweep))
        except SpecError as error:  # The runs are there, whatever became of that.
            errors.print(f"Not all is measured again: {error}", markup=False)
    return interrupted, summary


def _print_summary(summary: ExperimentSummary) -> None:
    output.print(summary_table(summary))
    for sentence in fit_sentences(summary.fits):
        output.print(sentence)


# The launcher knows its options and their help; everything is handed on to it.
@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def up(context: typer.Context) -> None:
    """Start the service and the dashboard on this machine; Ctrl-C stops them. Options as of `python -m launcher up`."""
    raise typer.Exit(subprocess.call([sys.executable, "-m", "launcher", "up", *context.args]))


@app.command()
def launch(
    source: Annotated[str, typer.Argument(metavar="PRESET|SPEC.yaml")],
    settings: Settings = [],  # noqa: B006 - typer copies it
    priority: Annotated[int, typer.Option(min=-1000, max=1000, help="Runs of higher priority are computed first.")] = 0,
    queue: Annotated[str, typer.Option(callback=queue_name, help="Only workers that serve this queue compute the runs.")] = DEFAULT_QUEUE,
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Start an experiment in the service."""
    from tauscope.contracts.experiments import ExperimentCreate

    sweep = apply_settings(read_sweep(source), parse_settings(settings))
    with open_client(url) as client:
        view = client.launch(ExperimentCreate(sweep=sweep.model_dump(mode="json"), priority=priority, queue=queue))
    if json:
        sys.stdout.write(view.model_dump_json() + "\n")
    else:
        output.print(f"{view.id}  {view.name}: {len(view.runs)} runs")


@app.command()
def grow(
    experiment_id: str,
    settings: Settings,
    priority: Annotated[int, typer.Option(min=-1000, max=1000, help="Runs of higher priority are computed first.")] = 0,
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Add seeds or training-set sizes to an experiment: --set seed=[4,5,6] adds the runs that it does not have yet."""
    from tauscope.contracts.growing import SweepGrowth

    with open_client(url) as client:
        held = len(client.experiment(experiment_id).runs)
        view = client.add_runs(experiment_id, SweepGrowth(settings=parse_settings(settings), priority=priority))
    if json:
        sys.stdout.write(view.model_dump_json() + "\n")
    else:
        output.print(f"{view.id}  {view.name}: {len(view.runs) - held} runs added, {len(view.runs)} in all")


@app.command("list")
def list_experiments(url: Url = DEFAULT_URL, json: Json = False) -> None:
    """List the service's experiments, newest first."""
    with open_client(url) as client:
        page = client.experiments()
    if json:
        sys.stdout.write(page.model_dump_json() + "\n")
    elif page.items:
        output.print(experiments_table(page.items))
    else:
        output.print("No experiments yet. Start one with: tauscope launch digits-demo")


@app.command()
def show(
    experiment: Annotated[str, typer.Argument(help="An experiment's id.")],
    events: Annotated[bool, typer.Option("--events", help="Also each run's attempts and why it changed its state.")] = False,
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Show an experiment: onsets with intervals, the law, progress."""
    with open_client(url) as client:
        if events:
            _show_events(client, experiment, json=json)
            return
        summary, view = client.summary(experiment), client.experiment(experiment)
        kept = [] if json else _recommended(client, view)
    if json:
        sys.stdout.write(summary.model_dump_json() + "\n")
        return
    _print_summary(summary)
    for sentence in (*kept, *forecast_sentences(view), *waiting_sentences(view)):
        output.print(Text(sentence))


def _recommended(client: TauscopeClient, view: ExperimentView) -> list[str]:
    """The checkpoint to keep of every run that has one; without tau_gen there is none."""
    good = [run for run in view.runs if "tau_gen" in run.onsets and run.onsets["tau_gen"].status is OnsetStatus.REACHED]
    found = {run.label: client.checkpoints(run.id).recommendation.summary for run in good}
    return [f"keep of {label}: {summary}" for label, summary in found.items() if summary]


def _show_events(client: TauscopeClient, experiment: str, *, json: bool) -> None:
    for run in client.experiment(experiment).runs:
        attempts, events = client.run_attempts(run.id), client.run_events(run.id)
        if json:
            document = {
                "run": run.id,
                "attempts": [item.model_dump() for item in attempts],
                "events": [item.model_dump() for item in events],
            }
            sys.stdout.write(dumps(document) + "\n")
            continue
        output.print(
            f"{run.id} {run.label}: {run.state}"
            + (f" by {run.worker}" if run.worker else "")
            + f", {run.step:,} of {run.steps:,}, queue {run.queue}"
        )
        output.print(attempts_table(attempts))
        output.print(events_table(events))


@app.command()
def stop(experiment: Annotated[str, typer.Argument(help="An experiment's id.")], url: Url = DEFAULT_URL) -> None:
    """Stop an experiment; what was measured is kept."""
    with open_client(url) as client:
        view = client.stop(experiment)
    output.print(f"{run_states(view)}. Running ones stop within seconds.")


@app.command()
def pause(experiment: Annotated[str, typer.Argument(help="An experiment's id.")], url: Url = DEFAULT_URL) -> None:
    """Pause an experiment: its runs write a checkpoint and free their slots."""
    with open_client(url) as client:
        view = client.pause(experiment)
    output.print(f"{run_states(view)}. Running ones pause within seconds; go on with: tauscope resume {view.id}")


@app.command()
def resume(experiment: Annotated[str, typer.Argument(help="An experiment's id.")], url: Url = DEFAULT_URL) -> None:
    """Let a paused experiment go on from its checkpoints."""
    with open_client(url) as client:
        view = client.resume(experiment)
    output.print(run_states(view))


@app.command()
def extend(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, as `show ID --events` prints it.")],
    steps: Annotated[int, typer.Argument(min=1, help="Training steps it shall have in all.")],
    url: Url = DEFAULT_URL,
) -> None:
    """Let a finished, stopped or failed run go on from its last checkpoint, to more steps."""
    with open_client(url) as client:
        view = client.extend_run(run_id, steps)
    output.print(f"{view.id}: {view.state}, goes on from step {view.step:,} to {view.steps:,}")


@app.command(context_settings={"ignore_unknown_options": True})
def priority(
    experiment: Annotated[str, typer.Argument(help="An experiment's id.")],
    value: Annotated[int, typer.Argument(min=-1000, max=1000, help="0 is usual; the highest goes first.")],
    url: Url = DEFAULT_URL,
) -> None:
    """Let an experiment go before or after others, from the next free slot on."""
    with open_client(url) as client:
        view = client.set_priority(experiment, value)
    active = sum(run.state not in TERMINAL_STATES for run in view.runs)
    output.print(f"{view.id}: priority {value} for {active} of {len(view.runs)} runs; the others are over.")


@app.command()
def export(
    experiment: Annotated[str, typer.Argument(help="An experiment's id.")],
    out: Annotated[Path, typer.Option(help="Folder to unpack into; must not exist or be empty.")],
    url: Url = DEFAULT_URL,
) -> None:
    """Fetch an experiment as a results folder, as `tauscope run --out` leaves one."""
    from tauscope.cli.exports import fetch_export

    with open_client(url) as client:
        fetch_export(client, experiment, out)
    output.print(f"Results: {out}")


@app.command()
def presets(yaml: Annotated[str | None, typer.Option(help="Print this preset's YAML.")] = None) -> None:
    """List the presets."""
    if yaml:
        sys.stdout.write(load_preset(yaml).text)
        return
    table = Table("preset", "runs", "what it shows", box=None)
    for name in preset_names():
        sweep = load_preset(name).sweep
        table.add_row(name, str(len(sweep.resolve())), sweep.summary)
    output.print(table)


@app.command()
def verify(folder: Annotated[Path, typer.Argument(help="A results folder.")]) -> None:
    """Recompute f_mem and the onsets of a results folder by other means; exit 1 where they disagree."""
    from tauscope.results.verify import verify_folder

    try:
        result = verify_folder(folder)
    except FileNotFoundError as error:
        errors.print(f"{error.filename} is missing: {folder} is no complete results folder. Use one that `run --out` or `export` left")
        raise typer.Exit(2) from error
    for finding in result.findings:
        errors.print(f"{finding.run}: {finding.what}")
    verdict = "disagrees" if result.findings else "agrees"
    samples = f"f_mem of {result.n_samples:,} samples at {result.n_checkpoints} checkpoints" if result.n_samples else "no samples are kept"
    output.print(f"{folder} {verdict}: {samples}; the onsets of {result.n_runs} runs recomputed")
    raise typer.Exit(1 if result.findings else 0)


@app.command()
def doctor(json: Json = False, url: Url = DEFAULT_URL) -> None:
    """Say what is here, what is missing, and what to do."""
    from tauscope.cli.doctor import examine

    checks = examine(url)
    if json:
        sys.stdout.write(dumps([asdict(check) for check in checks]) + "\n")
        return
    table = Table("", "part", "found", "what to do", box=None)
    for check in checks:
        table.add_row("ok" if check.ok else "--", check.part, check.found, check.remedy)
    output.print(table)


for group in (
    *(workers, datasets, keeping, copied, remeasuring, figures, laws, phase, explore, twins, hindsight, interventions, results, backups),
    hooks,
):
    app.add_typer(group.commands)
