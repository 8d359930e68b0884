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
    """``runs`` runs that begin with ``points`` points a series; every ``seconds`` each run brings one more. ``seeds`` of each n."""

    def __init__(self, name: str = "forty", *, runs: int = 40, points: int = 1000, seconds: float = 1.0, seeds: int = 1) -> None:
        self.name, self.points, self.seconds, self.seeds = name, points, seconds, seeds
        self.sizes = [8 * (1 + place // seeds) for place in range(runs)]
        self.started = time.monotonic()

    def step(self) -> int:
        """How far all runs have come."""
        return self.points + int((time.monotonic() - self.started) / self.seconds)

    def experiment(self) -> ExperimentView:
        """All running."""
        made, step = [], self.step()
        for place, n in enumerate(self.sizes):
            run = world.run_view(self.name, place, 64, step=step, state=RunState.RUNNING)
            params = {"n_train": n} | ({"seed": place % self.seeds} if self.seeds > 1 else {})
            made.append(run.model_copy(update={"n_train": n, "params": params, "steps": 4 * self.points}))
        return world.experiment_view(self.name, f"{self.name} runs", tuple(made), state=RunState.RUNNING)

    def curves(self, max_points: int | None) -> Curves:
        """Every series with at most so many points."""
        last = self.step()
        stride = max(1, -(-last // (max_points or last)))
        steps = sorted({*range(1, last + 1, stride), last})
        runs = {f"{self.name}r{place}": self.series(n * self._early(place), steps) for place, n in enumerate(self.sizes)}
        return Curves(experiment_id=self.name, cursor=str(last), metrics=world.infos(), runs=runs)

    def _early(self, place: int) -> float:
        """By what a seed is earlier or later than the others of its n."""
        return float(1.1 ** (place % self.seeds - (self.seeds - 1) / 2))

    def series(self, n: float, steps: Sequence[int]) -> dict[str, Series]:
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
                    found = self.series(n * self._early(place), range(sent + 1, last + 1))
                    metrics = {name: item.model_dump(mode="json") for name, item in found.items()}
                    told = json.dumps({"run_id": f"{self.name}r{place}", "metrics": metrics})
                    yield f"event: points\nid: {last}\ndata: {told}\n\n".encode()
                yield f"event: run\nid: {last}\ndata: {{}}\n\n".encode()
                sent = last
            await asyncio.sleep(_POLL_SECONDS)
