"""Pages with a client that answers from memory."""

from collections.abc import Sequence
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import frontend.page
from backend.services import catalogue
from frontend.navigation import page_file
from tauscope.client import ApiError
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentCreate, ExperimentPage, ExperimentView, Plan, PlannedRun, PresetView
from tauscope.contracts.exploration import Explorations
from tauscope.contracts.forecasts import RunForecasts
from tauscope.contracts.launching import KindView
from tauscope.contracts.listing import DeletionPreview, ExperimentCensus
from tauscope.contracts.problems import FieldError, Problem
from tauscope.contracts.remeasuring import Gaps, RemeasurementView
from tauscope.contracts.retention import RunCheckpoints
from tauscope.contracts.run_views import AttemptView, RunEventView, RunView
from tauscope.contracts.system import SystemView
from tauscope.contracts.warnings import ExperimentWarnings
from tauscope.specs import SpecError, apply_settings, load_preset, parse_sweep, preset_names
from tests.frontend import fake_forecasts, fake_history, fake_probes, fake_remeasured, fake_states
from tests.frontend import fake_world as world
from tests.frontend.fake_api import RECOMMENDED, WARNED


def problem(status: int, title: str, errors: tuple[FieldError, ...] = ()) -> ApiError:
    return ApiError(Problem(type="about:blank", title=title, status=status, code="test", detail=title, remedy="Do this.", errors=errors))


class FakeClient:
    """The client's methods that pages use."""

    def __init__(self) -> None:
        self.launched: list[ExperimentCreate] = []
        self.asked: list[tuple[str, Any]] = []
        self.made = {view.id: view for view in (world.finished(), world.queued(), world.stale(), world.failed(), world.never_good())}
        self.made["policy"] = fake_states.stopped_by_policy("policy")

    def system(self) -> SystemView:
        return SystemView(version="0", database="sqlite", queued=0, running=0, workers=(), server_time=world.T0)

    def experiments(self, **_: Any) -> ExperimentPage:
        return ExperimentPage(items=tuple(self.made.values()), next_cursor=None)

    def census(self, **_: Any) -> ExperimentCensus:
        counts = {"all": 5, "live": 2, "attention": 2, "finished": 1, "archived": 0}
        return ExperimentCensus(counts=counts, tags={"talk": 1}, datasets={"digits": 5})

    def experiment(self, identifier: str) -> ExperimentView:
        if identifier not in self.made:
            raise problem(404, "No such experiment")
        return self.made[identifier]

    def preview_deletion(self, identifier: str) -> DeletionPreview:
        return world.deletion_preview()

    def delete(self, identifier: str) -> None:
        self.asked.append(("delete", identifier))

    def set_tags(self, identifier: str, tags: list[str]) -> ExperimentView:
        self.asked.append(("tags", tags))
        return self.made[identifier]

    def set_archived(self, identifier: str, archived: bool) -> ExperimentView:
        self.asked.append(("archived", archived))
        return self.made[identifier]

    def curves(self, identifier: str, metrics: Sequence[str] | None = None, *, max_points: int | None = None) -> Curves:
        return world.curves_of(self.made[identifier])

    def warnings(self, identifier: str) -> ExperimentWarnings:
        return fake_probes.warnings(self.experiment(identifier), self.curves(identifier), calibrated=identifier == "demo")

    def remeasurements(self, run_id: str) -> tuple[RemeasurementView, ...]:
        return fake_remeasured.sets(run_id)

    def remeasure(self, run_id: str, changes: dict[str, Any], *, steps: list[int] | None) -> None:
        self.asked.append(("remeasure", (run_id, changes, steps)))

    def gaps(self, run_id: str) -> Gaps:
        return Gaps(run_id=run_id, steps=(54,))

    def draw_again(self, run_id: str) -> None:
        self.asked.append(("draw", run_id))

    def run(self, identifier: str) -> RunView:
        name, _, index = identifier.rpartition("r")
        return self.experiment(name).runs[int(index)]

    def run_attempts(self, identifier: str) -> tuple[AttemptView, ...]:
        return fake_history.attempts()

    def checkpoints(self, identifier: str) -> RunCheckpoints:
        return RunCheckpoints(run_id=identifier, recommendation=RECOMMENDED, warnings=WARNED, checkpoints=fake_remeasured.kept(identifier))

    def resume_run(self, identifier: str) -> RunView:
        self.asked.append(("resume", identifier))
        return self.run(identifier)

    def add_twin(self, identifier: str) -> RunView:
        self.asked.append(("twin", identifier))
        return self.run(identifier)

    def stop_run(self, identifier: str) -> RunView:
        self.asked.append(("stop", identifier))
        return self.run(identifier)

    def run_forecasts(self, identifier: str) -> RunForecasts:
        return fake_forecasts.of_run(self.run(identifier))

    def explorations(self, identifier: str) -> Explorations:
        return Explorations(items=())

    def run_events(self, identifier: str) -> tuple[RunEventView, ...]:
        return fake_history.events()

    def presets(self) -> tuple[PresetView, ...]:
        return tuple(PresetView(name=name, summary="", yaml=load_preset(name).text, n_runs=3) for name in preset_names())

    def kinds(self) -> tuple[KindView, ...]:
        return catalogue.kinds()

    def plan(self, request: ExperimentCreate) -> Plan:
        try:
            sweep = load_preset(request.preset).sweep if request.preset else parse_sweep(request.sweep)
            sweep = apply_settings(sweep, request.settings)
            runs = sweep.resolve()
        except SpecError as error:
            faults = tuple(FieldError(path=item.path, message=item.message, remedy=item.remedy) for item in error.problems)
            raise problem(422, "Invalid", faults) from error
        planned = [PlannedRun(index=r.index, label=r.label, params=r.params, spec=r.spec.model_dump(mode="json"), cost=1.0) for r in runs]
        return Plan(sweep=sweep.model_dump(mode="json"), runs=tuple(planned))

    def launch(self, request: ExperimentCreate, *, idempotency_key: str | None = None) -> ExperimentView:
        self.launched.append(request)
        return self.made["demo"]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    fake = FakeClient()
    monkeypatch.setattr(frontend.page, "client_for", lambda token: fake)
    return fake


def opened(page: str, **params: str) -> AppTest:
    app = AppTest.from_file(str(page_file(page)), default_timeout=60)
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def shown(app: AppTest) -> str:
    return "\n".join(str(item.value) for item in app.markdown)


def field(app: AppTest, label: str) -> Any:
    """The input of that label."""
    return next(item for item in (*app.text_input, *app.selectbox) if item.label.partition(", ")[0] == label)


def html(app: AppTest) -> str:
    """Everything the page wrote as HTML: faults, changes and the summary."""
    return "\n".join(str(item.proto.body) for item in app.get("html"))


def press(app: AppTest, label: str) -> AppTest:
    return next(item for item in app.button if item.label == label).click().run()


def show_as(app: AppTest, view: str) -> AppTest:
    return next(item for item in app.button_group if item.key == "choice-view").set_value(view).run()
