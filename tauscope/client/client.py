"""The typed client of the HTTP interface."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from tauscope.client.checkpoint_file import unpack_checkpoint
from tauscope.client.datasets import DatasetCalls
from tauscope.client.errors import raise_for_problem
from tauscope.client.explorations import ExplorationCalls
from tauscope.client.hooks import Hooks
from tauscope.client.remeasurements import RemeasurementCalls
from tauscope.client.scores import ScoreCalls
from tauscope.client.stream import StreamEvent, follow
from tauscope.contracts.comparison import LawComparison
from tauscope.contracts.copied import CopiedImages
from tauscope.contracts.curves import Curves
from tauscope.contracts.diagnosis import DiagnosisView
from tauscope.contracts.experiments import ExperimentCreate, ExperimentPage, ExperimentView, Plan, PresetView
from tauscope.contracts.forecasts import ForecastCalibration, RunForecasts
from tauscope.contracts.growing import SweepGrowth
from tauscope.contracts.interventions import Interventions
from tauscope.contracts.launching import KindView
from tauscope.contracts.listing import DeletionPreview, ExperimentCensus
from tauscope.contracts.phase import PhaseDiagram
from tauscope.contracts.retention import GarbageReport, PruneReport, PruneRequest, RunCheckpoints
from tauscope.contracts.run_views import AttemptView, RunEventView, RunView
from tauscope.contracts.runs import RunState
from tauscope.contracts.samples import SampleSteps, SamplesView, SeedView
from tauscope.contracts.summary import ExperimentSummary
from tauscope.contracts.system import SystemView, WorkerView
from tauscope.contracts.warnings import ExperimentWarnings, ProbeCalibration

_EXPORT_SECONDS = 600.0
_FIGURE_SECONDS = 120.0


class TauscopeClient(Hooks, ExplorationCalls, RemeasurementCalls, DatasetCalls, ScoreCalls):
    """One connection pool to one service; close it, or use it in a ``with`` block. Threads may share it.

    Every method raises ``ApiError`` with the service's problem, and ``ApiUnreachable`` where nothing answers.
    """

    def presets(self) -> tuple[PresetView, ...]:
        """Every preset, with what the service's machine lacks for it."""
        return self.get("/presets", tuple[PresetView, ...])

    def kinds(self) -> tuple[KindView, ...]:
        """Every experiment kind with the JSON Schema of its spec."""
        return self.get("/kinds", tuple[KindView, ...])

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of a sweep."""
        return self.get("/schema/specs", dict[str, Any])

    def system(self) -> SystemView:
        """Version, queue and workers."""
        return self.get("/system", SystemView)

    def diagnosis(self) -> DiagnosisView:
        """What the service says of its parts, queues and code versions, and its latest failures."""
        return self.get("/diagnosis", DiagnosisView)

    def drain(self, worker: str) -> WorkerView:
        """Ask a worker to give its runs back and take no further one."""
        return self.call("PUT", _path("workers", worker, "drain"), WorkerView)

    def undrain(self, worker: str) -> WorkerView:
        """Let a worker take runs again."""
        return self.call("DELETE", _path("workers", worker, "drain"), WorkerView)

    def collect_garbage(self, *, dry_run: bool = True) -> GarbageReport:
        """Remove the files that no run refers to; unless ``dry_run`` is false only count them."""
        return self.call("POST", "/system/garbage", GarbageReport, json=_prune_body(dry_run))

    def plan(self, request: ExperimentCreate) -> Plan:
        """What a launch would start; starts nothing."""
        return self.call("POST", "/specs/plan", Plan, json=request.model_dump(mode="json"))

    def launch(self, request: ExperimentCreate, *, idempotency_key: str | None = None) -> ExperimentView:
        """Start an experiment. Repeated with the same key it returns the one that was started."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self.call("POST", "/experiments", ExperimentView, json=request.model_dump(mode="json"), headers=headers)

    def plan_growth(self, experiment_id: str, growth: SweepGrowth) -> Plan:
        """The runs that a larger sweep would add to an experiment; adds nothing."""
        return self.call("POST", _path("experiments", experiment_id, "runs", "plan"), Plan, json=growth.model_dump(mode="json"))

    def add_runs(self, experiment_id: str, growth: SweepGrowth) -> ExperimentView:
        """Add runs to an experiment, also one that is over; the runs it has stay as they are."""
        return self.call("POST", _path("experiments", experiment_id, "runs"), ExperimentView, json=growth.model_dump(mode="json"))

    def experiments(
        self,
        *,
        cursor: str | None = None,
        limit: int = 20,
        state: RunState | str | None = None,
        query: str = "",
        data: str | None = None,
        tag: str | None = None,
        archived: bool = False,
        final: bool = True,
    ) -> ExperimentPage:
        """A page of experiments, newest first; ``next_cursor`` leads to the next.

        ``state`` may also be ``live`` or ``attention``. ``query`` holds words and settings: ``digits n = 16``. Those that were
        put away come only with ``archived``. Without ``final`` each run's last values are empty, and the answer is a quarter as large.
        """
        words = {"q": query or None, "data": data, "tag": tag, "archived": archived or None, "final": None if final else False}
        return self.get("/experiments", ExperimentPage, cursor=cursor, limit=limit, state=state, **words)

    def census(self, *, query: str = "", data: str | None = None, tag: str | None = None) -> ExperimentCensus:
        """How many experiments there are in each state, and the tags and data sets to filter by."""
        return self.get("/experiments/census", ExperimentCensus, q=query or None, data=data, tag=tag)

    def experiment(self, experiment_id: str) -> ExperimentView:
        """One experiment with its runs and fits."""
        return self.get(_path("experiments", experiment_id), ExperimentView)

    def summary(self, experiment_id: str) -> ExperimentSummary:
        """The result in one object."""
        return self.get(_path("experiments", experiment_id, "summary"), ExperimentSummary)

    def compare_laws(self, first_id: str, second_id: str) -> LawComparison:
        """Whether the exponents of two experiments differ, with interval and p-value."""
        return self.get(_path("experiments", first_id, "law", "compare"), LawComparison, **{"with": second_id})

    def stop(self, experiment_id: str) -> ExperimentView:
        """Ask every run to stop."""
        return self.call("POST", _path("experiments", experiment_id, "stop"), ExperimentView)

    def pause(self, experiment_id: str) -> ExperimentView:
        """Ask every run to pause."""
        return self.call("POST", _path("experiments", experiment_id, "pause"), ExperimentView)

    def resume(self, experiment_id: str) -> ExperimentView:
        """Let every paused run go on from its checkpoint."""
        return self.call("POST", _path("experiments", experiment_id, "resume"), ExperimentView)

    def set_priority(self, experiment_id: str, priority: int) -> ExperimentView:
        """Let every run that is not over be computed before those of lower priority."""
        return self.call("PUT", _path("experiments", experiment_id, "priority"), ExperimentView, json={"priority": priority})

    def set_tags(self, experiment_id: str, tags: Sequence[str]) -> ExperimentView:
        """Give an experiment these tags and no others."""
        return self.call("PUT", _path("experiments", experiment_id, "tags"), ExperimentView, json={"tags": list(tags)})

    def set_archived(self, experiment_id: str, archived: bool) -> ExperimentView:
        """Put an experiment that is over away, or take it out again."""
        return self.call("PUT", _path("experiments", experiment_id, "archived"), ExperimentView, json={"archived": archived})

    def preview_deletion(self, experiment_id: str) -> DeletionPreview:
        """What ``delete`` would remove; removes nothing."""
        return self.get(_path("experiments", experiment_id, "deletion"), DeletionPreview)

    def delete(self, experiment_id: str) -> None:
        """Delete an experiment that is over, with its files."""
        self.send("DELETE", _path("experiments", experiment_id))

    def prune(self, experiment_id: str, *, dry_run: bool = True) -> PruneReport:
        """Drop the checkpoints that nobody needs, of every run; unless ``dry_run`` is false only say which."""
        return self.call("POST", _path("experiments", experiment_id, "prune"), PruneReport, json=_prune_body(dry_run))

    def curves(self, experiment_id: str, metrics: Sequence[str] | None = None, *, max_points: int | None = None) -> Curves:
        """All curves, or those of the named metrics; at most ``max_points`` a series where it is given.

        What has not changed since the same question was last asked is not sent again.
        """
        query = {"metrics": ",".join(metrics) if metrics else None, "max_points": max_points}
        return self.get_again(_path("experiments", experiment_id, "curves"), Curves, **query)

    def phase(self, experiment_id: str) -> PhaseDiagram:
        """The state of every (n, p) of an experiment, and the boundaries between states."""
        return self.get(_path("experiments", experiment_id, "phase"), PhaseDiagram)

    def interventions(self, experiment_id: str) -> Interventions:
        """Each setting of an experiment beside the others, at one training time."""
        return self.get(_path("experiments", experiment_id, "interventions"), Interventions)

    def warnings(self, experiment_id: str) -> ExperimentWarnings:
        """What every probe says of every run. It never replaces f_mem."""
        return self.get(_path("experiments", experiment_id, "warnings"), ExperimentWarnings)

    def calibration(self) -> tuple[ProbeCalibration, ...]:
        """The level, lead time and false-alarm rate of every probe on every data set of this service."""
        return self.get("/warnings/calibration", tuple[ProbeCalibration, ...])

    def events(self, experiment_id: str, *, cursor: str = "", patience: float = 60.0) -> Iterator[StreamEvent]:
        """Follow an experiment from a cursor (``Curves.cursor``) or from its beginning, over broken connections too.

        It goes on for as long as the experiment exists: leave the loop when you have seen enough. Without an answer
        for ``patience`` seconds it raises ``ApiUnreachable``.
        """
        return follow(self._http, _path("experiments", experiment_id, "events"), cursor, patience)

    def export(self, experiment_id: str, path: Path) -> Path:
        """Write the whole experiment to ``path`` as a zip file, and return ``path``."""
        self._fetch(_path("experiments", experiment_id, "export"), path)
        return path

    def figure(self, experiment_id: str, number: int, form: str, **options: float | str | None) -> bytes:
        """The file of figure 2 or 3 as ``svg``, ``pdf``, ``png`` or ``zip``; ``options`` are width, a and quality."""
        query = {name: value for name, value in options.items() if value is not None}
        path = _path("experiments", experiment_id, "figures", f"{number}.{form}")
        return self.send("GET", path, params=query, timeout=_FIGURE_SECONDS).content

    def run(self, run_id: str) -> RunView:
        """One run."""
        return self.get(_path("runs", run_id), RunView)

    def run_events(self, run_id: str) -> tuple[RunEventView, ...]:
        """Why a run changed its state, in order."""
        return self.get(_path("runs", run_id, "events"), tuple[RunEventView, ...])

    def run_attempts(self, run_id: str) -> tuple[AttemptView, ...]:
        """Who computed a run from which step to which, in order."""
        return self.get(_path("runs", run_id, "attempts"), tuple[AttemptView, ...])

    def run_forecasts(self, run_id: str) -> RunForecasts:
        """Every forecast of a run's tau_mem as it was made, with how it turned out."""
        return self.get(_path("runs", run_id, "forecasts"), RunForecasts)

    def forecast_calibration(self) -> ForecastCalibration:
        """How the forecasts of all runs in the store turned out."""
        return self.get("/forecasts/calibration", ForecastCalibration)

    def stop_run(self, run_id: str) -> RunView:
        """Ask one run to stop."""
        return self.call("POST", _path("runs", run_id, "stop"), RunView)

    def pause_run(self, run_id: str) -> RunView:
        """Ask one run to pause."""
        return self.call("POST", _path("runs", run_id, "pause"), RunView)

    def resume_run(self, run_id: str) -> RunView:
        """Let one paused run go on from its checkpoint, or one that its policy stopped, in spite of it."""
        return self.call("POST", _path("runs", run_id, "resume"), RunView)

    def extend_run(self, run_id: str, steps: int) -> RunView:
        """Let a finished or stopped run go on from its last checkpoint, to ``steps`` in all."""
        return self.call("POST", _path("runs", run_id, "extend"), RunView, json={"steps": steps})

    def add_twin(self, run_id: str) -> RunView:
        """The twin of a run, on a disjoint slice of the data; it is added to the experiment unless it is there."""
        return self.call("POST", _path("runs", run_id, "twin"), RunView)

    def set_run_priority(self, run_id: str, priority: int) -> RunView:
        """Let one run be computed before those of lower priority."""
        return self.call("PUT", _path("runs", run_id, "priority"), RunView, json={"priority": priority})

    def checkpoints(self, run_id: str) -> RunCheckpoints:
        """Every checkpoint of a run, why it is kept, and the one that is recommended."""
        return self.get(_path("runs", run_id, "checkpoints"), RunCheckpoints)

    def checkpoint(self, run_id: str, step: int, folder: Path) -> Path:
        """Fetch a checkpoint into a folder, and return its ``.json``; its ``.safetensors`` stands beside it under the same name."""
        with tempfile.TemporaryDirectory() as place:
            archive = Path(place) / "checkpoint.zip"
            self._fetch(_path("runs", run_id, "checkpoints", f"{step}.zip"), archive)
            return unpack_checkpoint(archive, folder)

    def pin(self, run_id: str, step: int, *, pinned: bool = True) -> RunCheckpoints:
        """Keep a checkpoint whatever retention says, or let retention decide again."""
        return self.call("PUT" if pinned else "DELETE", _path("runs", run_id, "checkpoints", str(step), "pin"), RunCheckpoints)

    def prune_run(self, run_id: str, *, dry_run: bool = True) -> PruneReport:
        """Drop the checkpoints of one run that nobody needs; unless ``dry_run`` is false only say which."""
        return self.call("POST", _path("runs", run_id, "prune"), PruneReport, json=_prune_body(dry_run))

    def samples(self, run_id: str, step: int | str = "last") -> SamplesView:
        """The samples of a checkpoint with their nearest training images."""
        return self.get(_path("runs", run_id, "samples", str(step)), SamplesView)

    def sample_steps(self, run_id: str) -> SampleSteps:
        """Every checkpoint of a run that has samples, waits for them, or gave none."""
        return self.get(_path("runs", run_id, "samples"), SampleSteps)

    def seed(self, run_id: str, seed: int) -> SeedView:
        """The sample of one seed at every measured checkpoint."""
        return self.get(_path("runs", run_id, "seeds", str(seed)), SeedView)

    def copied(self, run_id: str, step: int | str = "last", *, offset: int = 0, limit: int = 100, image: int | None = None) -> CopiedImages:
        """The training images of a run, the most copied at a checkpoint first; or ``image`` alone."""
        query = {"step": str(step), "offset": offset, "limit": limit, "image": image}
        return self.get_again(_path("runs", run_id, "copied"), CopiedImages, **query)

    def copied_csv(self, run_id: str, step: int | str = "last") -> bytes:
        """Every training image as a row of CSV, with its copies at each checkpoint."""
        return self.send("GET", _path("runs", run_id, "copied.csv"), params={"step": str(step)}).content

    def _fetch(self, address: str, path: Path) -> None:
        """Write a long answer to a file as it comes; a refusal leaves none."""
        try:
            with self._http.stream("GET", address, timeout=_EXPORT_SECONDS) as response:
                raise_for_problem(response)
                with path.open("wb") as file:
                    for chunk in response.iter_bytes():
                        file.write(chunk)
        except httpx.TransportError as error:
            raise self.unreachable(error) from error


def _prune_body(dry_run: bool) -> dict[str, Any]:
    return PruneRequest(dry_run=dry_run).model_dump(mode="json")


def _path(*parts: str) -> str:
    """An address below the base; an id out of a page's address must not lead elsewhere."""
    return "/" + "/".join(quote(part, safe="") for part in parts)
