"""Measuring the checkpoints of a results folder again, without any service; what is there is not measured twice."""

import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock
from typing import Any

from tauscope.contracts.points import Point
from tauscope.execution.events import EvaluationEnded, Failed, Measured
from tauscope.execution.trainer_process import TrainerProcess
from tauscope.results.folder import read_spec, run_name
from tauscope.results.remeasured import Remeasured, read_remeasured, write_remeasured
from tauscope.specs import KINDS, ExperimentSpec, SpecError, SweepSpec
from tauscope.specs.remeasuring import changes_key, changes_of, changes_words, check_reference, remeasured
from tauscope.training.checkpoints import read_state
from tauscope.version import code_version

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Task:
    """One checkpoint of one run, to be measured as another spec says."""

    run: str
    step: int
    spec: ExperimentSpec
    measured_as: ExperimentSpec
    checkpoint: Path  # The newest that is not after the step.

    @property
    def from_step(self) -> int:
        return int(self.checkpoint.stem)


class LocalRemeasuring:
    """One set of points of every run of a folder that has checkpoints.

    Args:
        folder: what ``run --out`` or ``export`` left.
        changes: fields of the spec's measurement by path; none measures as the runs were.
        steps: training steps; by default every checkpoint that is there.
        name: of the set; by default what differs, in words.
        only: the runs; by default all.

    Raises:
        FileNotFoundError: if this is no results folder.
        SpecError: if a change is refused, or there is nothing to measure from.
    """

    def __init__(
        self,
        folder: Path,
        changes: Mapping[str, Any],
        *,
        steps: Sequence[int] | None = None,
        name: str = "",
        only: Collection[str] | None = None,
    ) -> None:
        self.folder = folder
        self.held = read_remeasured(folder)
        self.left_out: list[tuple[str, int]] = []  # Runs and steps that lie outside of their checkpoints.
        held = {item["run"]: item["spec"] for item in read_spec(folder)["runs"] if only is None or item["run"] in only}
        runs = {run: KINDS[spec["kind"]].model_validate(spec) for run, spec in held.items()}
        again = {run: remeasured(spec, changes) for run, spec in runs.items()}
        self._keys = {run: changes_key(changes_of(spec, again[run])) for run, spec in runs.items()}
        self._names = {run: name or changes_words(spec, changes_of(spec, again[run])) for run, spec in runs.items()}
        asked = [task for run, spec in runs.items() for task in self._tasks_of(run, spec, again[run], steps)]
        if not asked:
            raise SpecError.single(str(folder), "holds no checkpoint to measure from", "Name steps from the first checkpoint on")
        done = {(row.run, row.changes, row.point.step) for row in self.held}
        self.tasks = [task for task in asked if (task.run, self._keys[task.run], task.step) not in done]

    def _tasks_of(self, run: str, spec: ExperimentSpec, measured_as: ExperimentSpec, steps: Sequence[int] | None) -> list[Task]:
        states = {int(file.stem): file for file in (self.folder / "runs" / run / "checkpoints").glob("*.json") if file.stem.isdigit()}
        wanted = sorted(states) if steps is None else [step for step in steps if states and min(states) <= step <= max(states)]
        self.left_out += [(run, step) for step in steps or () if step not in wanted]
        check_reference(measured_as, wanted, states, run=run)
        return [Task(run, step, spec, measured_as, states[max(at for at in states if at <= step)]) for step in wanted]

    @property
    def points(self) -> list[Remeasured]:
        """Every point of this set, by run, metric and step."""
        mine = (row for row in self.held if self._keys.get(row.run) == row.changes)
        return sorted(mine, key=lambda row: (row.run, row.point.metric, row.point.step))

    def execute(self, *, processes: int, on_change: Callable[[Task], None] = lambda task: None) -> None:
        """Measure what is not there yet, ``processes`` checkpoints at a time; each is written as soon as it is done.

        Raises:
            SpecError: if a checkpoint cannot be measured; what was done stays.
        """
        waiting: SimpleQueue[Task] = SimpleQueue()
        for task in self.tasks:
            waiting.put(task)
        lock, ended = Lock(), Event()

        def work() -> None:
            child = TrainerProcess()
            try:
                while not ended.is_set():
                    task = waiting.get_nowait()
                    points = _measure(child, task, ended)
                    if points:
                        with lock:
                            self._keep(task, points)
                        on_change(task)
            except Empty:
                return
            finally:
                child.close()

        with ThreadPoolExecutor(max(1, min(processes, len(self.tasks)))) as pool:
            working = [pool.submit(work) for _ in range(min(processes, len(self.tasks)))]
            try:
                done, _ = wait(working, return_when=FIRST_EXCEPTION)
            finally:
                ended.set()
        for future in done:
            future.result()

    def _keep(self, task: Task, points: Sequence[Point]) -> None:
        place = (self._names[task.run], self._keys[task.run], code_version(), task.from_step, task.run)
        self.held += [Remeasured(*place, point) for point in points]
        write_remeasured(self.folder, self.held)


def measure_again(folder: Path, sweep: SweepSpec, *, processes: int = 1, on_change: Callable[[Task], None] = lambda task: None) -> None:
    """What a sweep asks to be measured again of its runs, as far as it is not there yet.

    Raises:
        SpecError: if a checkpoint cannot be measured; what was done stays.
    """
    plain = [run_name(run.index, run.label) for run in sweep.resolve() if set(run.params) == set(sweep.axes)]
    for item in sweep.again:
        again = LocalRemeasuring(folder, item.changes, steps=item.steps or None, name=item.name, only=plain)
        again.execute(processes=processes, on_change=on_change)


def _measure(child: TrainerProcess, task: Task, ended: Event) -> tuple[Point, ...]:
    _check_code(task)
    folder = Path(tempfile.mkdtemp(prefix="tauscope-again-"))
    try:
        child.evaluate(task.spec, folder, task.checkpoint, step=task.step, measured_as=task.measured_as)
        return _followed(child, task, ended)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _followed(child: TrainerProcess, task: Task, ended: Event) -> tuple[Point, ...]:
    points: tuple[Point, ...] = ()
    while True:
        event = child.next_event(POLL_SECONDS)
        if ended.is_set():
            child.kill()
            return ()
        if isinstance(event, Measured):
            points = event.points
        elif isinstance(event, EvaluationEnded):
            return points
        elif isinstance(event, Failed):
            raise SpecError.single(f"{task.run} at step {task.step}", event.message, event.remedy)


def _check_code(task: Task) -> None:
    """Only the code that wrote a checkpoint may train on from it: any other would make another run's weights."""
    wrote = read_state(task.checkpoint)["code_version"]
    if task.from_step != task.step and wrote != code_version():
        raise SpecError.single(
            f"{task.run} at step {task.step}",
            f"its checkpoint is not there, and that of step {task.from_step} was written by code {wrote}, not by {code_version()}",
            "Leave this step out, or use the version that wrote it",
        )
