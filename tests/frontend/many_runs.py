"""A sweep of many long runs that all measure at once, as the API would tell it: what the watch page has to keep up with."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.runs import RunState
from tauscope.contracts.system import SystemView
from tests.frontend import fake_world as world


class ManyRuns:
    """``runs`` runs with ``points`` points a series; every ``seconds`` each run brings one more."""

    def __init__(self, *, runs: int = 40, points: int = 1000, seconds: float = 1.0) -> None:
        self.points, self.seconds = points, seconds
        self.sizes = [8 * (1 + place) for place in range(runs)]

    def experiment(self) -> ExperimentView:
        """All running."""
        made = []
        for place, n in enumerate(self.sizes):
            run = world.run_view("many", place, 64, step=self.points, state=RunState.RUNNING)
            made.append(run.model_copy(update={"n_train": n, "params": {"n_train": n}, "steps": 4 * self.points}))
        return world.experiment_view("many", "forty runs", tuple(made), state=RunState.RUNNING)

    def curves(self, max_points: int) -> Curves:
        """Every series with at most so many points."""
        stride = max(1, -(-self.points // max_points))
        runs = {f"manyr{place}": self.series(n, range(1, self.points + 1, stride)) for place, n in enumerate(self.sizes)}
        return Curves(experiment_id="many", cursor=str(self.points), metrics=world.infos(), runs=runs)

    def series(self, n: int, steps: range) -> dict[str, Series]:
        """What a run of ``n`` images has measured at these steps."""
        copied = [(step, share := world.f_mem(n / 8, step), *world.clopper(share), world.N_GENERATED) for step in steps]
        loss = [(step, value := world.held_out_loss(n, step), value * 0.97, value * 1.03, 512) for step in steps]
        floor = [(step, 0.001, 0.0, 0.0055, 1000) for step in steps]
        return {"f_mem": world.series(copied), "f_mem_control": world.series(floor), "loss_held_out@100": world.series(loss)}


def create_many_runs(state: ManyRuns) -> FastAPI:
    """The routes that the watch page uses."""
    app = FastAPI()

    @app.get("/api/v1/system")
    def system() -> SystemView:
        return SystemView(version="0", database="sqlite", queued=0, running=40, workers=(), server_time=world.T0)

    @app.get("/api/v1/experiments/{identifier}")
    def experiment(identifier: str) -> ExperimentView:
        return state.experiment()

    @app.get("/api/v1/experiments/{identifier}/curves")
    def curves(identifier: str, max_points: int = 1_000_000) -> Curves:
        return state.curves(max_points)

    @app.get("/api/v1/experiments/{identifier}/events")
    def events(identifier: str, request: Request) -> StreamingResponse:
        return StreamingResponse(_stream(state), media_type="text/event-stream")

    return app


async def _stream(state: ManyRuns) -> AsyncIterator[bytes]:
    for step in itertools.count(state.points + 1):
        await asyncio.sleep(state.seconds)
        for place, n in enumerate(state.sizes):
            metrics = {name: item.model_dump(mode="json") for name, item in state.series(n, range(step, step + 1)).items()}
            yield f"event: points\nid: {step}\ndata: {json.dumps({'run_id': f'manyr{place}', 'metrics': metrics})}\n\n".encode()
