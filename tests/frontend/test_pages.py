"""The pages with a client that answers from memory: what each state shows, and that nothing breaks."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import frontend.page
from tauscope.client import ApiUnreachable
from tauscope.contracts.listing import ExperimentCensus
from tests.frontend import fake_twins
from tests.frontend.paged import FakeClient, api, field, opened, press, shown

__all__ = ["api"]  # The fixture.

ENTRY = Path(frontend.page.__file__).parent / "entry" / "app.py"


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
    app = AppTest.from_function(managing, default_timeout=60).run()
    assert next(item for item in app.button if item.label == "Delete 3 runs").disabled
    app.checkbox[0].check().run()
    press(app, "Delete 3 runs")
    assert api.asked == [("delete", "demo")]


def test_tags_are_saved_trimmed_and_the_archive_is_one_click(api: FakeClient) -> None:
    app = AppTest.from_function(managing, default_timeout=60).run()
    field(app, "Tags").set_value(" talk , kept,, ")
    press(app, "Save tags")
    press(app, "Archive")
    assert api.asked == [("tags", ["talk", "kept"]), ("archived", True)]


def test_the_entry_point_opens(api: FakeClient) -> None:
    app = AppTest.from_file(str(ENTRY), default_timeout=60).run()
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
    press(AppTest.from_function(stopping, default_timeout=60).run(), "Stop it")
    assert api.asked == [("stop", "staler1")]


@pytest.mark.parametrize("identifier", ["demo", "empty", "failed", "never"])
def test_the_probes_page_opens_in_every_state(api: FakeClient, identifier: str) -> None:
    app = opened("probes", id=identifier)
    assert [(control.key, control.value) for control in app.selectbox] == [("select-probe", "loss_gap@100")]


@pytest.mark.parametrize("identifier", ["demo", "empty", "failed"])
def test_the_phase_page_opens_in_every_state(api: FakeClient, identifier: str) -> None:
    assert not opened("phase", id=identifier).exception


@pytest.mark.parametrize("identifier", ["demo", "empty", "failed", "never"])
def test_the_law_page_opens_in_every_state_and_its_level_stands_in_the_address(api: FakeClient, identifier: str) -> None:
    app = opened("law", id=identifier, measure="0.5", a="0.8")
    assert {control.key: control.value for control in app.button_group} == {"choice-measure": "0.5"}
