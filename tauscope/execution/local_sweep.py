"""A sweep on this machine without any service: several trainer children, longest run first, results into one folder."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tauscope.analysis.retention import reasons_to_keep
from tauscope.analysis.stopping import stops, verdict
from tauscope.analysis.summary import find_markers, summarize_experiment, summarize_points
from tauscope.analysis.twins import cosine_metric
from tauscope.contracts.points import Point
from tauscope.contracts.stopping import Verdict
from tauscope.contracts.summary import ExperimentSummary, RunSummary
from tauscope.execution.events import CheckpointWritten, DatasetWritten, Failed, Measured, Preparing, Progress, SegmentEnded, TrainerEvent
from tauscope.execution.trainer_process import TrainerProcess
from tauscope.results.folder import read_spec, run_name, spec_document, write_measurements, write_spec, write_summary
from tauscope.results.twins import compared_points
from tauscope.specs import KINDS, ExperimentSpec, ResolvedRun, SpecError, SweepSpec
from tauscope.specs.stopping import BudgetPolicy
from tauscope.specs.twins import find_pairs
from tauscope.version import code_version

POLL_SECONDS = 0.1
CHECKPOINT_PATIENCE_SECONDS = 120.0  # How long an interrupted run may take to reach its next step and write its checkpoint.


@dataclass
class LocalRun:
    """A run of a local sweep: where it stands, kept in its folder so that it can be resumed."""

    plan: ResolvedRun
    folder: Path
    state: str = "queued"
    step: int = 0
    steps_per_second: float | None = None
    seconds: float = 0.0
    reason: str = ""
    remarks: tuple[str, ...] = ()
    points: list[Point] = field(default_factory=list)
    checkpoint: Path | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    def take(self, event: TrainerEvent) -> None:
        """Take in an event of the trainer; what must survive is on disk before this returns."""
        if isinstance(event, Progress):
            self.step, self.steps_per_second = event.step, event.steps_per_second
        elif isinstance(event, Measured):
            self.points += event.points
            self.step = event.step
        elif isinstance(event, CheckpointWritten):
            self.step, self.checkpoint = event.step, Path(event.state)
            self.save()
        elif isinstance(event, SegmentEnded):
            self.step, self.seconds = event.step, self.seconds + event.seconds
            self.state = "finished" if event.finished else "stopped"
            self.obey(self.verdict)
            self.save()
        elif isinstance(event, Failed):
            self.state, self.reason = "failed", f"{event.message}. {event.remedy}"
            (self.folder / "traceback.txt").write_text(event.traceback)
            self.save()
        elif isinstance(event, Preparing):
            self.reason = event.words
        elif isinstance(event, DatasetWritten):
            self.state, self.reason, self.remarks = "running", "", event.remarks

    def save(self) -> None:
        """Write points, then the checkpoint's name and the state: the pointer never runs ahead of the points."""
        _replace(self.folder / "points.jsonl", "".join(point.model_dump_json() + "\n" for point in self.points))
        record = {
            "state": self.state,
            "step": self.step,
            "seconds": self.seconds,
            "reason": self.reason,
            "checkpoint": self.checkpoint.name if self.checkpoint else None,
        }
        _replace(self.folder / "run.json", json.dumps(record))

    def restore(self) -> None:
        """Take up where the folder says the run stood; points past the checkpoint are dropped, they will be made again."""
        if not (self.folder / "run.json").is_file():
            return
        record = json.loads((self.folder / "run.json").read_text())
        self.seconds = record["seconds"]
        self.state = "finished" if record["state"] == "finished" else "queued"
        if record["checkpoint"]:
            self.checkpoint = self.folder / "checkpoints" / record["checkpoint"]
            self.step = int(self.checkpoint.stem)
        lines = (self.folder / "points.jsonl").read_text().splitlines()
        self.points = [point for point in map(Point.model_validate_json, lines) if point.step <= self.step]
        if self.state != "finished":
            self.obey(self.verdict)

    @property
    def verdict(self) -> Verdict | None:
        """What the run's policy says of it, by the points up to its checkpoint."""
        return verdict(self.plan.spec, self.points, settled=self.step if self.checkpoint else 0)

    def obey(self, verdict: Verdict | None) -> None:
        """Count the run as stopped by its policy, if that left steps to take; whether it was told in time changes nothing."""
        if stops(self.plan.spec, verdict):
            assert verdict is not None
            self.state, self.reason = "stopped", verdict.reason

    def prune(self) -> None:
        """Drop the checkpoints that are not worth their space, where that is wanted and the run is over; samples and points stay."""
        over = self.state == "finished" or (self.state == "stopped" and self.reason)
        if self.plan.spec.retention == "all" or not over:
            return
        files = list((self.folder / "checkpoints").glob("*.*"))
        onsets, _ = summarize_points(self.plan.spec, self.points)
        kept = reasons_to_keep({int(file.stem) for file in files}, self.points, onsets)
        for file in files:
            if not kept[int(file.stem)]:
                file.unlink()

    def summary(self) -> RunSummary:
        onsets, final = summarize_points(self.plan.spec, self.points)
        return RunSummary(
            id=self.name,
            params=self.plan.params,
            state=self.state,
            onsets=onsets,
            markers=find_markers(self.plan.spec, self.points),
            final=final,
            seconds=round(self.seconds, 2),
            reason=self.reason,
        )


class LocalSweep:
    """All runs of a sweep in one folder.

    Args:
        sweep: what to run.
        folder: where results go; made if missing.
        resume: take up what the folder holds; otherwise a folder that holds results is refused.

    Raises:
        SpecError: if the sweep cannot be resolved, or the folder holds another experiment or results not asked to resume.
    """

    def __init__(self, sweep: SweepSpec, folder: Path, *, resume: bool = False) -> None:
        self.sweep = sweep
        self.folder = folder
        plans = sweep.resolve()
        document = spec_document(sweep, plans, code_version())
        self._claim_folder(document, resume=resume)
        self.runs = [LocalRun(plan, folder / "runs" / run_name(plan.index, plan.label)) for plan in plans]
        for run in self.runs:
            run.folder.mkdir(parents=True, exist_ok=True)
            if resume:
                run.restore()

    def _claim_folder(self, document: dict[str, Any], *, resume: bool) -> None:
        if (self.folder / "spec.json").is_file():
            held = read_spec(self.folder)
            if not resume:
                raise SpecError.single(
                    "--out", f"{self.folder} already holds {held['experiment']!r}", "Name another folder, or add --resume"
                )
            if not same_training(held["runs"], document["runs"]):
                raise SpecError.single(
                    "--resume",
                    f"{self.folder} holds a sweep with another spec",
                    "Resume with the same preset and settings; only stopping and retention may differ",
                )
        self.folder.mkdir(parents=True, exist_ok=True)
        write_spec(self.folder, document)

    def execute(self, *, processes: int, on_change: Callable[[], None] = lambda: None) -> None:
        """Train all runs, as ``execute_runs`` does."""
        execute_runs(self.runs, processes=processes, on_change=on_change)

    def finish(self) -> ExperimentSummary:
        """Write ``summary.json`` and ``measurements.parquet`` for what there is, prune where that is wanted, and return the summary."""
        self._compare_twins()
        summary = summarize_experiment(self.sweep.name, code_version(), [run.summary() for run in self.runs])
        write_summary(self.folder, summary)
        write_measurements(self.folder, ((run.name, point) for run in self.runs for point in run.points))
        for run in self.runs:
            run.prune()
        return summary

    def _compare_twins(self) -> None:
        """Add the agreement of twins to the points of both."""
        for places in find_pairs([run.plan.spec for run in self.runs]):
            one, other = (self.runs[place] for place in places)
            points = compared_points(one.plan.spec, one.folder, other.folder)
            for run in (one, other):
                run.points = [point for point in run.points if point.metric != cosine_metric(run.plan.spec)] + points


def execute_runs(runs: Sequence[LocalRun], *, processes: int, on_change: Callable[[], None] = lambda: None) -> None:
    """Train the queued ones of the runs, of one sweep or of several, ``processes`` at a time and the longest first.

    Raises:
        KeyboardInterrupt: after every running child has written a checkpoint, so that the runs can be resumed.
    """
    waiting = sorted((run for run in runs if run.state == "queued"), key=lambda run: run.plan.spec.work())
    children = [TrainerProcess() for _ in range(min(processes, len(waiting)))]
    busy: dict[TrainerProcess, LocalRun] = {}
    try:
        while waiting or busy:
            for place, child in enumerate(children):
                if child not in busy and waiting:
                    if not child.alive:
                        children[place] = child = TrainerProcess()
                    busy[child] = _start(child, waiting.pop())
            _collect(busy)
            on_change()
    except KeyboardInterrupt:
        _interrupt(busy)
        raise
    finally:
        for child in children:
            child.close()


def _collect(busy: dict[TrainerProcess, LocalRun]) -> None:
    for child, run in list(busy.items()):
        event = child.next_event(POLL_SECONDS / len(busy))
        if event is not None:
            run.take(event)
        if isinstance(event, CheckpointWritten) and stops(run.plan.spec, run.verdict):
            child.end_segment()
        if isinstance(event, (SegmentEnded, Failed)):
            del busy[child]


def _interrupt(busy: dict[TrainerProcess, LocalRun]) -> None:
    for child in busy:
        child.end_segment()
    deadline = time.monotonic() + CHECKPOINT_PATIENCE_SECONDS
    while busy and time.monotonic() < deadline:
        _collect(busy)


def _start(child: TrainerProcess, run: LocalRun) -> LocalRun:
    run.state = "running"
    child.run_segment(run.plan.spec, run.folder, checkpoint=run.checkpoint)
    return run


def same_training(held: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> bool:
    """Whether two lists of runs train the same for as long, whatever their policies; a field that came later has its default."""
    return [_training(entry) for entry in held] == [_training(entry) for entry in wanted]


def _training(entry: Mapping[str, Any]) -> tuple[str, ExperimentSpec | None]:
    try:
        spec = KINDS[entry["spec"]["kind"]].model_validate(entry["spec"])
    except (KeyError, ValidationError):
        return entry["run"], None
    return entry["run"], spec.model_copy(update={"stopping": BudgetPolicy(), "retention": "all"})


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".partial")
    temporary.write_text(text)
    temporary.replace(path)
