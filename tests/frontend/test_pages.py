"""The pages with a client that answers from memory: what each state shows, and that nothing breaks."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import frontend.page
from frontend.navigation import page_file
from tauscope.client import ApiError, ApiUnreachable
from tauscope.contracts.experiments import (
    AttemptView,
    Curves,
    ExperimentCreate,
    ExperimentPage,
    ExperimentView,
    FieldError,
    Plan,
    PlannedRun,
    PresetView,
    Problem,
    RunEventView,
    RunView,
    SystemView,
)
from tauscope.specs import SpecError, apply_settings, load_preset, parse_sweep, preset_names
from tests.frontend import fake_world as world

ENTRY = Path(frontend.page.__file__).parent / "entry" / "app.py"


def problem(status: int, title: str, errors: tuple[FieldError, ...] = ()) -> ApiError:
    return ApiError(Problem(type="about:blank", title=title, status=status, code="test", detail=title, remedy="Do this.", errors=errors))


class FakeClient:
    """The client's methods that pages use."""

    def __init__(self) -> None:
        self.launched: list[ExperimentCreate] = []
        self.made = {view.id: view for view in (world.finished(), world.queued(), world.stale(), world.failed(), world.never_good())}

    def system(self) -> SystemView:
        return SystemView(version="0", database="sqlite", queued=0, running=0, workers=(), server_time=world.T0)

    def experiments(self, **_: Any) -> ExperimentPage:
        return ExperimentPage(items=tuple(self.made.values()), next_cursor=None)

    def experiment(self, identifier: str) -> ExperimentView:
        if identifier not in self.made:
            raise problem(404, "No such experiment")
        return self.made[identifier]

    def curves(self, identifier: str) -> Curves:
        return world.curves_of(self.made[identifier])

    def run(self, identifier: str) -> RunView:
        name, _, index = identifier.rpartition("r")
        return self.experiment(name).runs[int(index)]

    def run_attempts(self, identifier: str) -> tuple[AttemptView, ...]:
        return world.attempts()

    def run_events(self, identifier: str) -> tuple[RunEventView, ...]:
        return world.events()

    def presets(self) -> tuple[PresetView, ...]:
        return tuple(PresetView(name=name, summary="", yaml=load_preset(name).text, n_runs=3) for name in preset_names())

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
    app = AppTest.from_file(str(page_file(page)), default_timeout=20)
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def shown(app: AppTest) -> str:
    return "\n".join(str(item.value) for item in app.markdown)


@pytest.mark.parametrize("identifier", ["demo", "empty", "stale", "failed", "never"])
def test_the_watch_page_opens_in_every_state(api: FakeClient, identifier: str) -> None:
    opened("experiment", id=identifier)


def test_an_unknown_experiment_is_a_message_with_a_remedy(api: FakeClient) -> None:
    assert "No such experiment" in shown(opened("experiment", id="nothing"))


def test_without_a_name_the_watch_page_leads_to_the_list(api: FakeClient) -> None:
    assert "No experiment is named" in shown(opened("experiment"))


def test_while_the_api_is_away_pages_say_how_to_start_it(api: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise ApiUnreachable("http://127.0.0.1:8500", "refused")

    monkeypatch.setattr(api, "presets", away)
    words = shown(opened("launch"))
    assert "The API does not answer" in words
    assert "make up" in words


def test_the_address_restores_the_controls_of_the_watch_page(api: FakeClient) -> None:
    app = opened("experiment", id="demo", axis="tau_n", losses="100", quality="frechet_pca")
    values = {control.key: control.value for control in app.button_group}
    assert values == {"choice-quality": "frechet_pca", "choice-losses": "100", "choice-axis": "tau_n"}


def test_the_inspect_page_opens_at_the_checkpoint_of_its_address(api: FakeClient) -> None:
    opened("inspect", run="demor2", step="1763", seed="4", show="copies", sort="ratio")


def test_an_unknown_run_is_a_message_with_a_remedy_and_none_leads_to_the_list(api: FakeClient) -> None:
    assert "No such experiment" in shown(opened("inspect", run="nothingr0"))
    assert "No run is named" in shown(opened("inspect"))


def test_launching_sends_the_preset_and_the_changed_fields_alone(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    next(item for item in app.text_input if item.label.startswith("Seeds")).set_value("7").run()
    next(item for item in app.button if item.label == "Launch 3 runs").click().run()
    (request,) = api.launched
    assert request.preset == "digits-ci"
    assert request.settings == {"seed": 7}


def test_a_bad_field_is_refused_with_its_path_and_nothing_can_be_launched(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    next(item for item in app.text_input if item.label.startswith("Training")).set_value("8, 16").run()
    assert "`steps`: 3 step counts for 2 values of n" in shown(app)
    assert not [item for item in app.button if item.label.startswith("Launch")]


def test_a_bad_yaml_field_is_named_by_its_path_with_the_remedy(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci", view="yaml")
    app.text_area[0].set_value(app.text_area[0].value.replace("base_width: 16", "base_width: 17")).run()
    words = shown(app)
    assert "network.base_width" in words
    assert "Use 8, 16, 24" in words


def test_what_the_form_changed_is_there_in_the_yaml(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    next(item for item in app.text_input if item.label == "Name").set_value("mine").run()
    next(item for item in app.button_group if item.key == "choice-view").set_value("yaml").run()
    assert "name: mine" in app.text_area[0].value


def test_the_system_page_opens(api: FakeClient) -> None:
    opened("system")


def test_the_list_opens(api: FakeClient) -> None:
    opened("experiments", q="n = 16", state="finished")


def test_the_entry_point_opens(api: FakeClient) -> None:
    app = AppTest.from_file(str(ENTRY), default_timeout=20).run()
    assert not app.exception


def test_the_run_page_opens_and_without_a_name_leads_to_the_list(api: FakeClient) -> None:
    opened("run", id="demor0")
    assert "No run is named" in shown(opened("run"))
