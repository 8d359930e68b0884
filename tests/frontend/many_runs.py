"""A sweep of many long runs that all measure at once, as the API would tell it: what the watch page has to keep up with."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence

from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.runs import RunState
from tests.frontend import fake_world as world

_POLL_SECONDS = 0.1


class ManyRuns:
    """``runs`` runs that begin with ``points`` points a series; every ``seconds`` each run brings one more."""

    def __init__(self, *, runs: int = 40, points: int = 1000, seconds: float = 1.0) -> None:
        self.points, self.seconds = points, seconds
        self.sizes = [8 * (1 + place) for place in range(runs)]
        self.started = time.monotonic()

    def step(self) -> int:
        """How far all runs have come."""
        return self.points + int((time.monotonic() - self.started) / self.seconds)

    def experiment(self) -> ExperimentView:
        """All running."""
        made, step = [], self.step()
        for place, n in enumerate(self.sizes):
            run = world.run_view("forty", place, 64, step=step, state=RunState.RUNNING)
            made.append(run.model_copy(update={"n_train": n, "params": {"n_train": n}, "steps": 4 * self.points}))
        return world.experiment_view("forty", "forty runs", tuple(made), state=RunState.RUNNING)

    def curves(self, max_points: int | None) -> Curves:
        """Every series with at most so many points."""
        last = self.step()
        stride = max(1, -(-last // (max_points or last)))
        steps = sorted({*range(1, last + 1, stride), last})
        runs = {f"fortyr{place}": self.series(n, steps) for place, n in enumerate(self.sizes)}
        return Curves(experiment_id="forty", cursor=str(last), metrics=world.infos(), runs=runs)

    def series(self, n: int, steps: Sequence[int]) -> dict[str, Series]:
        """What a run of ``n`` images has measured at these steps."""
        copied = [(step, share := world.f_mem(n / 8, step), *world.clopper(share), world.N_GENERATED) for step in steps]
        loss = [(step, value := world.held_out_loss(n, step), value * 0.97, value * 1.03, 512) for step in steps]
        floor = [(step, 0.001, 0.0, 0.0055, 1000) for step in steps]
        return {"f_mem": world.series(copied), "f_mem_control": world.series(floor), "loss_held_out@100": world.series(loss)}

    async def events(self, sent: int) -> AsyncIterator[bytes]:
        """What each run measured after step ``sent``, as soon as it is measured."""
        while True:
            if (last := self.step()) > sent:
                for place, n in enumerate(self.sizes):
                    found = self.series(n, range(sent + 1, last + 1))
                    metrics = {name: item.model_dump(mode="json") for name, item in found.items()}
                    yield f"event: points\nid: {last}\ndata: {json.dumps({'run_id': f'fortyr{place}', 'metrics': metrics})}\n\n".encode()
                yield f"event: run\nid: {last}\ndata: {{}}\n\n".encode()
                sent = last
            await asyncio.sleep(_POLL_SECONDS)
