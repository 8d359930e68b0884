"""From a request to the result, with real training, on both stacks; what comes out is what the library gives alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate, ExperimentView
from tauscope.contracts.runs import TERMINAL_STATES, RunState
from tauscope.execution.local_sweep import LocalSweep
from tauscope.specs import apply_settings, load_preset
from tests.service import running_broker, running_service, wait_for
from tests.tiny import PRESET, tiny_training

STEPS = 60
SETTINGS = tiny_training(runs=2, steps=STEPS, checkpoints=4)

Values = dict[str, dict[str, list[tuple[int, float | None]]]]


@pytest.fixture
def client(database_url: str, database_kind: str, tmp_path: Path) -> Iterator[TauscopeClient]:
    """The service as separate processes, each of which sends every message twice."""
    settings = {
        "TAUSCOPE_DATABASE_URL": database_url,
        "TAUSCOPE_SLOTS": "2",
        "TAUSCOPE_DEFER_SAMPLES": "always" if database_kind == "postgres" else "spare",
        # Short enough that runs are given back and taken up again in the middle.
        "TAUSCOPE_SEGMENT_SECONDS": "0.2",
    }
    with (
        running_broker(tmp_path, on_a_port=database_kind == "postgres") as broker,
        running_service(tmp_path, settings | {"TAUSCOPE_BROKER_URL": broker}, prefix=("tests.flows.doubled",)) as url,
        TauscopeClient(url) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Values:
    """The curves of the same sweep, run without any service."""
    sweep = LocalSweep(apply_settings(load_preset(PRESET).sweep, SETTINGS), tmp_path_factory.mktemp("alone") / "sweep")
    sweep.execute(processes=1)
    values: Values = {}
    for run in sweep.runs:
        curves = values.setdefault(run.plan.label, {})
        for point in run.points:
            curves.setdefault(point.metric, []).append((point.step, point.value))
    return values


def follow(client: TauscopeClient, view: ExperimentView) -> ExperimentView:
    seen: list[ExperimentView] = [view]

    def over() -> bool:
        seen.append(client.experiment(view.id))
        return all(run.state in TERMINAL_STATES for run in seen[-1].runs)

    wait_for(over, seconds=120)
    return seen[-1]


# On Postgres under faults: tests/chaos.
@pytest.mark.parametrize("database_kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def test_a_submitted_sweep_gives_the_curves_of_the_library_though_every_message_comes_twice(client: TauscopeClient, alone: Values) -> None:
    view = follow(client, client.launch(ExperimentCreate(preset=PRESET, settings=SETTINGS)))
    assert [(run.state, run.reason) for run in view.runs] == [(RunState.FINISHED, "")] * 2
    assert sum(run.epoch for run in view.runs) > 2, "no run was given back in the middle, so nothing was resumed"
    curves = client.curves(view.id).runs
    served: Values = {
        run.label: {metric: list(zip(series.step, series.value, strict=True)) for metric, series in curves[run.id].items()}
        for run in view.runs
    }
    assert served == alone
    for run in view.runs:
        samples = client.samples(run.id)
        assert (samples.step, samples.n_generated) == (STEPS, 32)
        assert set(run.onsets) == {"tau_gen", "tau_mem"}
        assert run.final["step"] == STEPS


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_stopped_sweep_keeps_what_it_measured(client: TauscopeClient) -> None:
    long = SETTINGS | {"steps": 100_000, "n_train": [8]}
    view = client.launch(ExperimentCreate(preset=PRESET, settings=long))
    wait_for(lambda: client.experiment(view.id).runs[0].step > 10)
    client.stop(view.id)
    ended = follow(client, view)
    assert ended.runs[0].state is RunState.STOPPED
    # What was left to the spare slot arrives late, though the run is over.
    wait_for(lambda: client.run(view.runs[0].id).unevaluated == 0)
    assert client.curves(view.id).runs[ended.runs[0].id]["f_mem"].step
