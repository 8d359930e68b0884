"""The pages with a client that answers from memory: what each state shows, and that nothing breaks."""

from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from streamlit.testing.v1 import AppTest

import frontend.page
from backend.services import catalogue
from frontend.navigation import page_file
from tauscope.client import ApiError, ApiUnreachable
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentCreate, ExperimentPage, ExperimentView, Plan, PlannedRun, PresetView
from tauscope.contracts.forecasts import RunForecasts
from tauscope.contracts.launching import KindView
from tauscope.contracts.listing import DeletionPreview, ExperimentCensus
from tauscope.contracts.problems import FieldError, Problem
from tauscope.contracts.retention import RunCheckpoints
from tauscope.contracts.run_views import AttemptView, RunEventView, RunView
from tauscope.contracts.system import SystemView
from tauscope.contracts.warnings import ExperimentWarnings
from tauscope.specs import KINDS, SpecError, SweepSpec, apply_settings, load_preset, parse_sweep, preset_names
from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown as shown_field
from tests.frontend import fake_forecasts, fake_probes, fake_states, fake_twins
from tests.frontend import fake_world as world
from tests.frontend.fake_api import RECOMMENDED, WARNED

ENTRY = Path(frontend.page.__file__).parent / "entry" / "app.py"


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

    def curves(self, identifier: str, *, max_points: int | None = None) -> Curves:
        return world.curves_of(self.made[identifier])

    def warnings(self, identifier: str) -> ExperimentWarnings:
        return fake_probes.warnings(self.experiment(identifier), self.curves(identifier), calibrated=identifier == "demo")

    def run(self, identifier: str) -> RunView:
        name, _, index = identifier.rpartition("r")
        return self.experiment(name).runs[int(index)]

    def run_attempts(self, identifier: str) -> tuple[AttemptView, ...]:
        return world.attempts()

    def checkpoints(self, identifier: str) -> RunCheckpoints:
        return RunCheckpoints(run_id=identifier, recommendation=RECOMMENDED, warnings=WARNED, checkpoints=())

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

    def run_events(self, identifier: str) -> tuple[RunEventView, ...]:
        return world.events()

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
    app = opened("experiment", id="demo", axis="tau_n", losses="100", quality="frechet_pca", view="overlay")
    values = {control.key: control.value for control in app.button_group}
    assert values == {"choice-quality": "frechet_pca", "choice-losses": "100", "choice-axis": "tau_n", "choice-view": "overlay"}


def test_the_inspect_page_opens_at_the_checkpoint_of_its_address(api: FakeClient) -> None:
    opened("inspect", run="demor2", step="1763", seed="4", show="copies", sort="ratio")


def test_an_unknown_run_is_a_message_with_a_remedy_and_none_leads_to_the_list(api: FakeClient) -> None:
    assert "No such experiment" in shown(opened("inspect", run="nothingr0"))
    assert "No run is named" in shown(opened("inspect"))


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


def test_launching_sends_the_sweep_as_the_form_has_it(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Seeds").set_value("7").run()
    field(app, "Learning rate").set_value("1e-3, 2e-3").run()
    assert "changed, was 0.002" in html(app)
    press(app, "Launch 6 runs")
    (request,) = api.launched
    assert request.sweep is not None
    assert request.sweep["base"]["seed"] == 7
    assert request.sweep["axes"] == {"n_train": [8, 16, 32], "lr": [0.001, 0.002]}


def test_summary_priority_and_queue_are_sent_with_the_sweep(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Summary").set_value("Does it copy?").run()
    next(item for item in app.number_input if item.label == "Priority").set_value(5).run()
    field(app, "Queue").set_value("gpu").run()
    assert "No worker serves this queue now" in html(app)
    press(app, "Launch 3 runs")
    (request,) = api.launched
    assert request.sweep is not None
    assert (request.sweep["summary"], request.priority, request.queue) == ("Does it copy?", 5, "gpu")


def test_a_name_that_no_queue_can_have_is_refused_at_its_field(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci", view="yaml")
    field(app, "Queue").set_value("My queue").run()
    assert "Use at most 40 small letters" in html(app)
    assert not [item for item in app.button if item.label.startswith("Launch")]
    press(app, "Undo all changes")
    assert [item for item in app.button if item.label == "Launch 3 runs"]


def test_a_field_that_cannot_be_read_says_so_there_and_nothing_can_be_launched(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Training images n").set_value("8, 16").run()
    assert "3 values for 2 values of n" in html(app)
    assert "one for each of 8, 16" in html(app)
    assert not [item for item in app.button if item.label.startswith("Launch")]
    field(app, "Training steps").set_value("150, 400 by n").run()
    assert [item for item in app.button if item.label == "Launch 2 runs"]


def test_what_the_api_refuses_stands_at_its_field_with_the_remedy(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Base width W").set_value("17").run()
    assert "Use 8, 16, 24 or 32" in html(app)
    assert field(app, "Base width W").value == "17"


def test_a_bad_yaml_field_is_named_with_its_line_and_the_remedy(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci", view="yaml")
    app.text_area[0].set_value(app.text_area[0].value.replace("base_width: 16", "base_width: 17")).run()
    assert "line 7, base.network.base_width" in html(app)
    assert "Use 8, 16, 24" in html(app)


def test_the_yaml_of_an_untouched_preset_keeps_its_comments(api: FakeClient) -> None:
    assert opened("launch", preset="digits-ci", view="yaml").text_area[0].value == load_preset("digits-ci").text


def test_form_and_yaml_go_over_into_each_other_without_loss(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Name").set_value("mine").run()
    field(app, "Training images n").set_value("8..64 x2").run()
    field(app, "Training steps").set_value("150, 400, 800, 1600 by n").run()
    show_as(app, "yaml")
    text = app.text_area[0].value
    assert "name: mine" in text
    app.text_area[0].set_value(text.replace("seed: 4", "seed: 5")).run()
    show_as(app, "form")
    assert field(app, "Training images n").value == "8, 16, 32, 64"
    assert field(app, "Training steps").value == "150, 400, 800, 1600 by n"
    assert field(app, "Seeds").value == "5"
    show_as(app, "yaml")
    assert app.text_area[0].value == text.replace("seed: 4", "seed: 5")


def test_yaml_that_cannot_be_read_stays_as_it_is_when_the_form_is_asked_for(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci", view="yaml")
    broken = "name: x\nbase: [1, 2\nseed: 3\n"
    app.text_area[0].set_value(broken).run()
    assert "line 3" in html(app)
    show_as(app, "form")
    assert app.text_area[0].value == broken
    assert app.query_params["view"] == "yaml"


def test_a_field_that_cannot_be_read_keeps_the_form_when_the_yaml_is_asked_for(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Seeds").set_value("1, , 2").run()
    show_as(app, "yaml")
    assert field(app, "Seeds").value == "1, , 2"
    assert not app.text_area


def test_each_card_keeps_what_was_typed_for_it(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Seeds").set_value("7, 8").run()
    app.query_params["preset"] = "digits-demo"
    app.run()
    assert field(app, "Seeds").value == "4"
    app.query_params["preset"] = "digits-ci"
    app.run()
    assert field(app, "Seeds").value == "7, 8"
    press(app, "Undo all changes")
    assert field(app, "Seeds").value == "4"


def test_a_variant_shows_its_own_fields_and_brings_back_what_was_typed_before(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Learning rate").set_value("0.5").run()
    field(app, "Optimizer").set_value("sgd").run()
    assert field(app, "Momentum").value == "0.95"
    assert field(app, "Learning rate").value == "0.01"
    field(app, "Optimizer").set_value("adam").run()
    assert field(app, "Learning rate").value == "0.5"


def test_an_earlier_experiment_is_copied_and_one_of_its_runs_taken_alone(api: FakeClient) -> None:
    assert field(opened("launch", **{"from": "demo"}), "Training images n").value == "16, 32, 64"
    fork = opened("launch", fork="demor1")
    assert field(fork, "Training images n").value == "32"
    assert field(fork, "Name").value.endswith("n_train=32")
    assert [item for item in fork.button if item.label == "Launch 1 run"]


def test_an_unknown_experiment_to_copy_is_a_message_with_a_remedy(api: FakeClient) -> None:
    assert "No such experiment" in shown(opened("launch", **{"from": "nothing"}))


class Throwaway(SpecModel):
    """A kind that only this test knows."""

    kind: Literal["throwaway"] = "throwaway"
    width: int = shown_field(3, "Width", "how wide", unit="metres", ge=1)
    mode: Literal["slow", "fast"] = shown_field("slow", "Mode")
    ALIASES: ClassVar[dict[str, str]] = {}


class ThrowawaySweep(SweepSpec):
    """A sweep over it."""

    base: Throwaway  # type: ignore[assignment]


def test_a_kind_without_a_preset_has_a_form_of_its_own_and_is_launched(api: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def plan(request: ExperimentCreate) -> Plan:
        sweep = ThrowawaySweep.model_validate(request.sweep)
        runs = [PlannedRun(index=r.index, label=r.label, params=r.params, spec=r.spec.model_dump(), cost=1.0) for r in sweep.resolve()]
        return Plan(sweep=sweep.model_dump(mode="json"), runs=tuple(runs))

    monkeypatch.setitem(KINDS, "throwaway", Throwaway)  # type: ignore[arg-type]
    monkeypatch.setattr(api, "plan", plan)
    app = opened("launch", kind="throwaway")
    assert field(app, "Width").label == "Width, metres"
    field(app, "Width").set_value("2, 4").run()
    field(app, "Mode").set_value("slow, fast").run()
    press(app, "Launch 4 runs")
    (request,) = api.launched
    assert request.sweep is not None
    assert request.sweep["axes"] == {"width": [2, 4], "mode": ["slow", "fast"]}


def test_a_launch_that_was_refused_is_repeated_with_its_key_and_another_sweep_gets_a_new_one(
    api: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str | None] = []

    def refuse(request: ExperimentCreate, *, idempotency_key: str | None = None) -> ExperimentView:
        keys.append(idempotency_key)
        raise problem(503, "Not now")

    monkeypatch.setattr(api, "launch", refuse)
    app = opened("launch", preset="digits-ci")
    press(app, "Launch 3 runs")
    press(app, "Launch 3 runs")
    field(app, "Seeds").set_value("7").run()
    press(app, "Launch 3 runs")
    assert keys[0] == keys[1] != keys[2]


def test_the_system_page_opens(api: FakeClient) -> None:
    opened("system")


def test_the_list_opens(api: FakeClient) -> None:
    opened("experiments", q="n = 16", state="finished")


def test_while_the_api_is_away_the_list_still_opens_and_leaves_the_word_to_its_live_part(
    api: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: Any) -> ExperimentCensus:
        raise ApiUnreachable("http://127.0.0.1:8500", "refused")

    monkeypatch.setattr(api, "census", away)
    app = opened("experiments")
    assert "The API does not answer" not in shown(app)
    assert [item for item in app.button_group if item.key == "choice-state"]


def managing() -> None:
    """A page that is nothing but the dialog of the finished experiment."""
    from frontend.manage import manage
    from frontend.page import client

    manage(client().experiment("demo"), ("talk",))


def test_an_experiment_is_deleted_only_after_it_was_confirmed(api: FakeClient) -> None:
    app = AppTest.from_function(managing, default_timeout=20).run()
    assert next(item for item in app.button if item.label == "Delete 3 runs").disabled
    app.checkbox[0].check().run()
    press(app, "Delete 3 runs")
    assert api.asked == [("delete", "demo")]


def test_tags_are_saved_trimmed_and_the_archive_is_one_click(api: FakeClient) -> None:
    app = AppTest.from_function(managing, default_timeout=20).run()
    field(app, "Tags").set_value(" talk , kept,, ")
    press(app, "Save tags")
    press(app, "Archive")
    assert api.asked == [("tags", ["talk", "kept"]), ("archived", True)]


def test_the_entry_point_opens(api: FakeClient) -> None:
    app = AppTest.from_file(str(ENTRY), default_timeout=20).run()
    assert not app.exception


def test_the_run_page_opens_and_without_a_name_leads_to_the_list(api: FakeClient) -> None:
    opened("run", id="demor0")
    assert "No run is named" in shown(opened("run"))


def test_a_run_that_its_policy_stopped_goes_on_in_spite_of_it_at_a_click(api: FakeClient) -> None:
    app = opened("run", id="policyr0")
    press(app, "Go on in spite of its policy")
    assert api.asked == [("resume", "policyr0")]
    assert "Go on in spite of its policy" not in [button.label for button in opened("run", id="policyr1").button]


def test_one_click_on_the_run_page_adds_the_twin_of_a_run_that_has_none(api: FakeClient) -> None:
    press(opened("run", id="demor0"), "Add its twin")
    assert api.asked == [("twin", "demor0")]
    api.made["twins"] = fake_twins.twins()
    assert "Add its twin" not in [button.label for button in opened("run", id="twinsr0").button]


def stopping() -> None:
    """A page that is nothing but the question before a run is stopped."""
    from frontend.page import client
    from frontend.requests import confirm_stop_run

    confirm_stop_run(client().run("staler1"))


def test_a_single_run_is_stopped_from_its_page_after_asking_once(api: FakeClient) -> None:
    press(opened("run", id="staler1"), "Stop this run")
    assert api.asked == []
    press(AppTest.from_function(stopping, default_timeout=20).run(), "Stop it")
    assert api.asked == [("stop", "staler1")]


@pytest.mark.parametrize("identifier", ["demo", "empty", "failed", "never"])
def test_the_probes_page_opens_in_every_state(api: FakeClient, identifier: str) -> None:
    app = opened("probes", id=identifier)
    assert [(control.key, control.value) for control in app.selectbox] == [("select-probe", "loss_gap@100")]


@pytest.mark.parametrize("identifier", ["demo", "empty", "failed", "never"])
def test_the_law_page_opens_in_every_state_and_its_level_stands_in_the_address(api: FakeClient, identifier: str) -> None:
    app = opened("law", id=identifier, measure="0.5", a="0.8")
    assert {control.key: control.value for control in app.button_group} == {"choice-measure": "0.5"}
