"""What ``make results`` does: runs the sweeps of a page of results, going on where it stopped, and writes the page from them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.live import Live

from tauscope.analysis.interventions import interventions
from tauscope.cli.inputs import read_sweep
from tauscope.cli.requirements import check_requirements, default_processes
from tauscope.cli.results_page import read_section, section, section_names, write_section
from tauscope.cli.service import output
from tauscope.cli.tables import progress_table
from tauscope.contracts.interventions import Interventions
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.summary import ExperimentSummary, RunSummary
from tauscope.execution.local_remeasuring import measure_again
from tauscope.execution.local_sweep import LocalRun, LocalSweep, execute_runs, same_training
from tauscope.execution.trainer_process import KEEP_FREED_MEMORY
from tauscope.figures.folder import read_folder
from tauscope.figures.render import render
from tauscope.figures.source import FigureData, Number
from tauscope.results.folder import read_spec, read_summary, spec_document
from tauscope.results.interventions import settings_in_folder
from tauscope.results.machine import read_sittings, record_sitting, this_sitting
from tauscope.specs import SpecError, SweepSpec

errors = Console(stderr=True)
UNFINISHED = ("queued", "running")
MOST_SETTINGS = 8


@dataclass(frozen=True)
class Place:
    """Where sweeps are computed, and where they are shown."""

    folder: Path
    page: Path
    images: Path


def show_results(sources: Sequence[str], place: Place, *, processes: int | None) -> bool:
    """Run what is not finished, the longest runs first, and show everything; return whether all went well.

    Args:
        sources: presets or YAML files; none means all that the page has a place for.
        place: the folders and the page.
        processes: runs at a time, of all sweeps; by default one a core.

    Raises:
        SpecError: if the page or its place for a sweep is missing, or a folder holds another sweep.
    """
    sweeps, complete = _runnable(sources, place.page)
    waiting = []
    for sweep in sweeps:
        if _is_finished(sweep, place.folder / sweep.name):
            _show(sweep, read_summary(place.folder / sweep.name), place)
        else:
            waiting.append(_take_up(sweep, place.folder / sweep.name))
    went_well = _run(waiting, place, processes=processes or min((default_processes(sweep) for sweep in sweeps), default=1))
    return complete and went_well


def _runnable(sources: Sequence[str], page: Path) -> tuple[list[SweepSpec], bool]:
    """The sweeps that this machine can run, and whether these are all; what is asked for by name must run."""
    if not page.is_file():
        raise SpecError.single("--page", f"there is no file {page}", "Name a page with marked places")
    text = page.read_text()
    sweeps = [read_sweep(source) for source in sources or section_names(text)]
    found = []
    for sweep in sweeps:
        read_section(text, sweep.name)
        try:
            check_requirements(sweep)
        except SpecError as error:
            if sources:
                raise
            errors.print(f"{sweep.name} is left out: {'; '.join(str(problem) for problem in error.problems)}", markup=False)
        else:
            found.append(sweep)
    return found, len(found) == len(sweeps)


def _is_finished(sweep: SweepSpec, folder: Path) -> bool:
    """Whether the folder holds all of this very sweep: then nothing in it is touched, its code version included."""
    if not (folder / "summary.json").is_file():
        return False
    wanted = spec_document(sweep, sweep.resolve(), "")["runs"]
    over = all(run.state == "finished" or (run.state == "stopped" and run.reason) for run in read_summary(folder).runs)
    return over and same_training(read_spec(folder)["runs"], wanted)


def _take_up(sweep: SweepSpec, folder: Path) -> LocalSweep:
    local = LocalSweep(sweep, folder, resume=True)
    record_sitting(folder, this_sitting({**KEEP_FREED_MEMORY, **os.environ}))
    return local


def _run(waiting: list[LocalSweep], place: Place, *, processes: int) -> bool:
    """Run what waits, and show each sweep once its last run is over; return whether none failed."""
    failed: list[RunSummary] = []
    later: list[tuple[SweepSpec, ExperimentSummary]] = []  # To be measured again, when no run of any sweep waits for that.
    every = [run for local in waiting for run in local.runs]
    with Live(console=errors, refresh_per_second=1, transient=True) as live:

        def look() -> None:
            for local in [local for local in waiting if _is_over(local.runs)]:
                waiting.remove(local)
                summary = local.finish()
                failed.extend(run for run in summary.runs if run.state == "failed")
                if local.sweep.again:
                    later.append((local.sweep, summary))
                else:
                    _show(local.sweep, summary, place)
            live.update(progress_table([run for run in every if run.state == "running"]))

        try:
            execute_runs(every, processes=processes, on_change=look)
            look()
            for sweep, summary in later:
                _show(sweep, summary, place, processes=processes)
        except KeyboardInterrupt:
            errors.print("Interrupted; every run wrote a checkpoint. The same command goes on from there.")
            raise typer.Exit(130) from None
    return not failed


def _is_over(runs: Sequence[LocalRun]) -> bool:
    return all(run.state not in UNFINISHED for run in runs)


def _show(sweep: SweepSpec, summary: ExperimentSummary, place: Place, *, processes: int = 1) -> None:
    """Measure again what a sweep asks for, draw its figures and write its section."""
    folder = place.folder / summary.experiment
    measure_again(folder, sweep, processes=processes)
    place.images.mkdir(parents=True, exist_ok=True)
    data = read_folder(folder)
    pictures = {}
    settings = _settings(sweep, folder)
    for number in () if settings else _figures(summary, data):  # Settings at one n have neither curves over n nor onsets against it.
        path = place.images / f"{summary.experiment}-figure-{number}.svg"
        path.write_bytes(render(data, number, "svg"))
        pictures[f"figure {number}"] = Path(os.path.relpath(path, place.page.parent)).as_posix()
    metrics = {name: info for run in data.runs for name, info in run.metrics.items()}
    write_section(place.page, summary.experiment, section(summary, metrics, read_sittings(folder), pictures, settings))
    output.print(f"{summary.experiment}: {len(summary.runs)} runs shown in {place.page}")


def _settings(sweep: SweepSpec, folder: Path) -> Interventions | None:
    """What a sweep that measures again compares: its settings, and its plain runs under other samplers. None if a run has no samples."""
    try:
        return interventions(*settings_in_folder(folder)) if sweep.again else None
    except ValueError:
        return None


def _figures(summary: ExperimentSummary, data: FigureData) -> tuple[Number, ...]:
    """Figure 2 shows curves and samples of one setting at several n; figure 3 the onsets of a few settings that can be told apart."""
    sizes = {run.params.get("n_train") for run in summary.runs}
    sampled = any(run.final.get("n_generated") != 0 for run in summary.runs)
    few = len({run.setting for run in data.runs}) <= MOST_SETTINGS
    timed = few and any(onset.status is not OnsetStatus.UNDEFINED for run in summary.runs for onset in run.onsets.values())
    figures: list[Number] = [2] if len(sizes) > 1 and sampled else []
    return (*figures, 3) if timed else tuple(figures)
