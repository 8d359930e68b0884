"""A stand-in for the API: the contract's answers for every state, and one experiment that grows while it is watched.

``python -m tests.frontend.states`` serves it with the dashboard and a page of links to every state.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from backend.services import catalogue
from backend.services.durations import schedule
from frontend.charts.reading import DESCRIBED
from tauscope.contracts.curves import Curves
from tauscope.contracts.diagnosis import DiagnosisView
from tauscope.contracts.experiments import ExperimentCreate, ExperimentView, Plan, PlannedRun, PresetView
from tauscope.contracts.forecasts import ForecastCalibration, RunForecasts
from tauscope.contracts.growing import SweepGrowth
from tauscope.contracts.interventions import Interventions
from tauscope.contracts.launching import Estimate, KindView
from tauscope.contracts.phase import PhaseDiagram
from tauscope.contracts.points import Point
from tauscope.contracts.remeasuring import Gaps, RemeasurementView, RemeasureRequest
from tauscope.contracts.retention import Margin, Recommendation, RunCheckpoints
from tauscope.contracts.run_views import AttemptView, RunEventView, RunExtension, RunView
from tauscope.contracts.runs import RunState
from tauscope.contracts.system import SystemView, WorkerView
from tauscope.contracts.warnings import ExperimentWarnings
from tauscope.specs import SpecError, apply_settings, load_preset, parse_sweep, preset_names
from tests.frontend import (
    fake_compared,
    fake_forecasts,
    fake_history,
    fake_interventions,
    fake_mixture,
    fake_phase,
    fake_probes,
    fake_remeasured,
    fake_scores,
    fake_states,
    fake_twins,
)
from tests.frontend import fake_world as world
from tests.frontend.fake_closed import EXPERIMENTS as CLOSED
from tests.frontend.fake_closed import curves as closed_curves
from tests.frontend.fake_copied import add_copied
from tests.frontend.fake_datasets import add_datasets
from tests.frontend.fake_exploration import add_explorations
from tests.frontend.fake_figures import add_figures
from tests.frontend.fake_hooks import add_hooks
from tests.frontend.fake_listing import add_listing
from tests.frontend.fake_samples import add_samples
from tests.frontend.fake_spectrum import EXPERIMENTS as SPECTRAL
from tests.frontend.fake_spectrum import curves as spectral_curves
from tests.frontend.fake_widths import over_widths, width_curves
from tests.frontend.many_runs import ManyRuns

LOADING_SECONDS = 15.0
EXPERIMENTS = {
    **{"demo": world.finished, "many": world.finished, "loading": world.finished},
    **{"failed": world.failed, "stale": world.stale, "empty": world.queued, "never": world.never_good},
    **{"paused": fake_states.paused, "one": fake_states.one_point, "diverged": fake_states.diverged, "long": fake_states.long},
    "policy": fake_states.stopped_by_policy,
    "warned": fake_probes.warned,
    "widths": over_widths,
    "foretold": fake_forecasts.foretold,
    "twins": fake_twins.twins,
    **fake_phase.EXPERIMENTS,
    **fake_interventions.EXPERIMENTS,
    **SPECTRAL,
    **fake_mixture.EXPERIMENTS,
    **CLOSED,
    **fake_scores.EXPERIMENTS,
    **{"wide": fake_compared.wide, "seeds": fake_compared.seeds, "pairs": fake_compared.pairs},
}


RECOMMENDED = Recommendation(
    step=411,
    quality=Point(metric="held_out_loss_100", step=411, value=0.339, low=0.332, high=0.346, count=0),
    f_mem=Point(metric="f_mem", step=411, value=0.0, low=0.0, high=0.0096, count=384),
    margin=Margin(share=0.37, low=0.31, high=0.437, words="37 % of tau_mem (31 to 44 %)"),
    reason="the best quality between tau_gen (by 36) and tau_mem (from 940)",
    summary="step 411: loss_held_out@100 0.339 (0.332 to 0.346), f_mem 0 of 384 (under 1.0 %), 37 % of tau_mem (31 to 44 %)",
)
WARNED = ("at 1,100: relative loss gap at index 100 46 % (44 to 48 %), above 10 %",)


class FakeApi:
    """The state of the stand-in: a clock for the growing experiment, and what was launched or stopped."""

    def __init__(self, *, seconds: float = 20.0) -> None:
        self.started = time.monotonic()
        self.seconds = seconds
        self.launched: list[str] = []
        self.stopped: dict[str, int] = {}  # At which step.
        self.paused: set[str] = set()
        self.extended: dict[str, int] = {}
        self.twinned: list[str] = []
        self.remeasured: list[tuple[str, RemeasureRequest]] = []
        self.archived: set[str] = set()
        self.deleted: set[str] = set()
        self.tags: dict[str, tuple[str, ...]] = {}
        self.many = {"forty": ManyRuns(), "ten-by-four": ManyRuns("ten-by-four", seeds=4)}
        self.cuts = 0  # How often every open event stream was cut off.
        self.resumed: list[str] = []  # The last events that streams were resumed from.

    def step(self) -> int:
        """How far the growing experiment has come: log-uniform in time."""
        share = min(1.0, (time.monotonic() - self.started) / self.seconds)
        return max(5, round(5 * (2400 / 5) ** share))

    def experiment(self, identifier: str) -> ExperimentView:
        """One experiment as it stands now."""
        if identifier in EXPERIMENTS:
            view = EXPERIMENTS[identifier](identifier)
            return world.paused(view) if identifier in self.paused else view
        if identifier in self.many:
            return self.many[identifier].experiment()
        if identifier == "live" or identifier in self.launched:
            view = world.live(identifier, step=self.stopped.get(identifier, self.step()), server_time=world.T0 + 100)
            return self._stopped(view) if identifier in self.stopped else view
        raise HTTPException(404, f"There is no experiment {identifier}")

    def curves(self, identifier: str, max_points: int | None) -> Curves:
        """Its curves; only those that would be many points are bounded."""
        if identifier in self.many:
            return self.many[identifier].curves(max_points)
        if identifier == "long":
            return fake_states.long_curves(identifier, max_points)
        view = self.experiment(identifier)
        if identifier == "widths":
            return width_curves(view)
        if identifier in fake_phase.EXPERIMENTS:
            return fake_phase.curves(view)
        if identifier in fake_compared.CURVES:
            return fake_compared.CURVES[identifier](view)
        if identifier in CLOSED:
            return closed_curves(view)
        if identifier in SPECTRAL:
            return spectral_curves(view)
        if identifier in fake_mixture.EXPERIMENTS:
            return fake_mixture.curves(view)
        if identifier in fake_scores.EXPERIMENTS:
            return fake_scores.curves(view)
        if identifier == "twins":
            return fake_twins.curves(view)
        return fake_states.broken_off(view, world.curves_of(view))

    def _stopped(self, view: ExperimentView) -> ExperimentView:
        runs = tuple(run if run.state is RunState.FINISHED else run.model_copy(update={"state": RunState.STOPPED}) for run in view.runs)
        return view.model_copy(update={"runs": runs, "state": RunState.STOPPED})

    def experiments(self) -> tuple[ExperimentView, ...]:
        """All of them, newest first."""
        names = (*reversed(self.launched), "live", "demo", "stale", "failed", "never", "empty")
        return tuple(self.experiment(name) for name in names if name not in self.deleted)

    def ordered(self, view: ExperimentView) -> ExperimentView:
        """The experiment with its tags and whether it was put away."""
        return view.model_copy(update={"tags": self.tags.get(view.id, ()), "archived": view.id in self.archived})


def create_fake_api(state: FakeApi) -> FastAPI:
    """The routes the dashboard uses."""
    app = FastAPI()

    @app.exception_handler(HTTPException)
    async def problem(request: Request, error: HTTPException) -> JSONResponse:
        return _problem(error.status_code, "No such experiment", str(error.detail), [])

    @app.exception_handler(SpecError)
    async def spec_problem(request: Request, error: SpecError) -> JSONResponse:
        fields = [{"path": item.path, "message": item.message, "remedy": item.remedy} for item in error.problems]
        return _problem(422, "Invalid spec", "The spec cannot be run as it stands", fields)

    _catalogue(app, state)
    add_listing(app, state)
    add_hooks(app)
    add_datasets(app)
    _experiments(app, state)
    _runs(app, state)
    add_figures(app, state.experiment, state.curves)
    add_explorations(app)
    fake_scores.add_scores(app)
    return app


def _problem(status: int, title: str, detail: str, errors: list[dict[str, str]]) -> JSONResponse:
    code = title.lower().replace(" ", "_")
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, "remedy": "", "errors": errors}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def _catalogue(app: FastAPI, state: FakeApi) -> None:
    @app.get("/api/v1/presets")
    def presets() -> list[PresetView]:
        return [_preset(name) for name in preset_names()]

    @app.get("/api/v1/kinds")
    def kinds() -> tuple[KindView, ...]:
        return catalogue.kinds()

    @app.post("/api/v1/specs/plan")
    def plan(request: ExperimentCreate) -> Plan:
        sweep = load_preset(request.preset).sweep if request.preset else parse_sweep(request.sweep)
        sweep = apply_settings(sweep, request.settings) if request.settings else sweep
        runs = [
            PlannedRun(index=run.index, label=run.label, params=run.params, spec=run.spec.model_dump(mode="json"), cost=run.spec.cost())
            for run in sweep.resolve()
        ]
        return Plan(sweep=sweep.model_dump(mode="json"), runs=tuple(runs), estimate=_estimate([run.cost for run in runs]))

    @app.post("/api/v1/experiments/{identifier}/runs/plan")
    def plan_growth(identifier: str, request: SweepGrowth) -> Plan:
        asked = plan(ExperimentCreate(sweep=request.sweep))
        held = {run.n_train for run in state.experiment(identifier).runs}
        runs = tuple(run for run in asked.runs if run.spec["dataset"]["n_train"] not in held)
        return asked.model_copy(update={"runs": runs, "estimate": _estimate([run.cost for run in runs]) if runs else None})

    @app.get("/api/v1/system")
    def system() -> SystemView:
        worker = WorkerView(name="laptop", device="cpu", slots=2, busy=1, seen_at=world.T0)
        return SystemView(version="0.1.0", database="sqlite", queued=0, running=1, workers=(worker,), server_time=world.T0)

    @app.get("/api/v1/diagnosis")
    def diagnosis() -> DiagnosisView:
        return fake_history.diagnosis()


def _estimate(costs: list[float]) -> Estimate:
    seconds = {index: cost * 3e-4 for index, cost in enumerate(costs)}
    lanes = schedule(seconds, 2)
    total = max(sum(seconds[index] for index in lane) for lane in lanes)
    source = "41 earlier runs of this network and image size on this machine"
    return Estimate(
        seconds=total, low=total / 1.15, high=total * 1.15, runs=tuple(seconds.values()), slots=lanes, past_runs=41, source=source
    )


def _preset(name: str) -> PresetView:
    preset = load_preset(name)
    needs = ("needs a CUDA device: set device to cpu",) if name == "celeba-paper" else ()
    runs = preset.sweep.resolve()
    measured = ("demo", 130.0) if name == "digits-demo" else (None, None)
    return PresetView(
        name=name,
        summary=preset.sweep.summary,
        yaml=preset.text,
        n_runs=len(runs),
        kind=preset.sweep.base.kind,
        requirements=needs,
        estimate=None if needs else _estimate([run.spec.cost() for run in runs]),
        measured=measured[0],
        measured_seconds=measured[1],
    )


def _experiments(app: FastAPI, state: FakeApi) -> None:
    @app.post("/api/v1/experiments", status_code=201)
    def create(request: ExperimentCreate) -> ExperimentView:
        identifier = f"new{len(state.launched)}"
        state.launched.append(identifier)
        state.started = time.monotonic()
        return state.experiment(identifier)

    @app.get("/api/v1/experiments/{identifier}")
    def experiment(identifier: str) -> ExperimentView:
        return state.ordered(state.experiment(identifier))

    @app.post("/api/v1/experiments/{identifier}/stop")
    def stop(identifier: str) -> ExperimentView:
        state.stopped[identifier] = state.step()
        return state.experiment(identifier)

    @app.post("/api/v1/experiments/{identifier}/pause")
    def pause(identifier: str) -> ExperimentView:
        state.paused.add(identifier)
        return state.experiment(identifier)

    @app.post("/api/v1/experiments/{identifier}/resume")
    def resume(identifier: str) -> ExperimentView:
        state.paused.discard(identifier)
        state.stopped.pop(identifier, None)
        if identifier == "live":
            state.started = time.monotonic()
        return state.experiment(identifier)

    @app.post("/api/v1/runs/{run_id}/extend")
    def extend(run_id: str, extension: RunExtension) -> RunView:
        state.extended[run_id] = extension.steps
        identifier, _, index = run_id.rpartition("r")
        return state.experiment(identifier).runs[int(index)]

    @app.post("/api/v1/runs/{run_id}/twin", status_code=201)
    def add_twin(run_id: str) -> RunView:
        state.twinned.append(run_id)
        identifier, _, index = run_id.rpartition("r")
        return state.experiment(identifier).runs[int(index)]

    @app.get("/api/v1/runs/{run_id}/checkpoints")
    def checkpoints(run_id: str) -> RunCheckpoints:
        return RunCheckpoints(run_id=run_id, recommendation=RECOMMENDED, warnings=WARNED, checkpoints=fake_remeasured.kept(run_id))

    @app.get("/api/v1/runs/{run_id}/remeasurements")
    def remeasurements(run_id: str) -> tuple[RemeasurementView, ...]:
        return fake_remeasured.sets(run_id)

    @app.post("/api/v1/runs/{run_id}/remeasurements")
    def remeasure(run_id: str, request: RemeasureRequest) -> RemeasurementView:
        state.remeasured.append((run_id, request))
        return fake_remeasured.sets("demor1")[0]

    @app.get("/api/v1/runs/{run_id}/evaluations/gaps")
    def gaps(run_id: str) -> Gaps:
        return Gaps(run_id=run_id, steps=())

    @app.get("/api/v1/runs/{run_id}/attempts")
    def attempts(run_id: str) -> tuple[AttemptView, ...]:
        return fake_history.attempts()

    @app.get("/api/v1/runs/{run_id}/events")
    def run_events(run_id: str) -> tuple[RunEventView, ...]:
        return fake_history.events()

    @app.get("/api/v1/runs/{run_id}/forecasts")
    def run_forecasts(run_id: str) -> RunForecasts:
        identifier, _, index = run_id.rpartition("r")
        return fake_forecasts.of_run(state.experiment(identifier).runs[int(index)])

    @app.get("/api/v1/forecasts/calibration")
    def calibration() -> ForecastCalibration:
        return fake_forecasts.calibration()

    @app.get("/api/v1/experiments/{identifier}/curves")
    async def curves(identifier: str, metrics: str | None = None, max_points: int | None = None) -> Curves:
        if identifier == "loading":
            await asyncio.sleep(LOADING_SECONDS)
        found = await run_in_threadpool(state.curves, identifier, max_points)
        wanted = metrics.split(",") if metrics is not None else None
        runs = {run: {name: item for name, item in known.items() if wanted is None or name in wanted} for run, known in found.runs.items()}
        return found.model_copy(update={"runs": runs})

    @app.get("/api/v1/experiments/{identifier}/warnings")
    def warnings(identifier: str) -> ExperimentWarnings:
        return fake_probes.warnings(
            state.experiment(identifier), state.curves(identifier, DESCRIBED), calibrated=identifier in fake_probes.WARNED
        )

    @app.get("/api/v1/experiments/{identifier}/phase")
    def phase(identifier: str) -> PhaseDiagram:
        return fake_phase.diagram(state.experiment(identifier), state.curves(identifier, DESCRIBED))

    @app.get("/api/v1/experiments/{identifier}/interventions")
    def interventions(identifier: str) -> Interventions:
        return fake_interventions.compared(state.experiment(identifier))

    @app.get("/api/v1/experiments/{identifier}/curves.csv")
    def curves_csv(identifier: str, metrics: str) -> Response:
        return Response(world.curves_csv(state.experiment(identifier), metrics.split(",")), media_type="text/csv")

    @app.get("/api/v1/experiments/{identifier}/events")
    async def events(identifier: str, request: Request, cursor: str = "0") -> StreamingResponse:
        if "last-event-id" in request.headers:
            state.resumed.append(request.headers["last-event-id"])
        sent = int(request.headers.get("last-event-id", cursor))
        told = state.many[identifier].events(sent) if identifier in state.many else _stream(state, identifier, sent)
        return StreamingResponse(told, media_type="text/event-stream")


async def _stream(state: FakeApi, identifier: str, sent: int) -> AsyncIterator[bytes]:
    cuts = state.cuts
    while cuts == state.cuts:
        view = state.experiment(identifier)
        curves = state.curves(identifier, None)
        for run in view.runs:
            fresh = {name: item for name, item in curves.runs.get(run.id, {}).items() if item.step and item.step[-1] > sent}
            if fresh:
                data = {"run_id": run.id, "metrics": {name: item.model_dump(mode="json") for name, item in fresh.items()}}
                yield _event("points", data, run.step)
            yield _event("run", run.model_dump(mode="json"), run.step)
        sent = max(run.step for run in view.runs)
        await asyncio.sleep(0.5)


def _event(name: str, data: object, cursor: int) -> bytes:
    return f"event: {name}\nid: {cursor}\ndata: {json.dumps(data)}\n\n".encode()


def _runs(app: FastAPI, state: FakeApi) -> None:
    @app.get("/api/v1/runs/{run_id}")
    def run(run_id: str) -> RunView:
        identifier, _, index = run_id.rpartition("r")
        return state.experiment(identifier).runs[int(index)]

    add_copied(app, run)
    add_samples(app, run)
