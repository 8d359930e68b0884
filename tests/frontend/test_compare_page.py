"""The compare page with a client that answers from memory: what its controls put into the address, and what it says."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.frontend.fake_compared import seeds
from tests.frontend.paged import FakeClient, api, opened, shown

__all__ = ["api"]  # The fixture.


def labels(app: AppTest) -> dict[str, list[str]]:
    return {control.key: list(control.options) for control in app.button_group if control.key is not None}


def asked(app: AppTest) -> dict[str, str]:
    return {name: ",".join([value] if isinstance(value := app.query_params[name], str) else value) for name in app.query_params}


def test_without_a_selection_the_page_leads_to_the_list_and_offers_names(api: FakeClient) -> None:
    app = opened("compare")
    assert "Nothing is compared yet" in shown(app)
    assert "[the list](/experiments)" in shown(app)
    assert "digits-demo, 3 runs, started 21 Sep 14:13 UTC" in app.selectbox[0].options


def test_an_experiment_is_added_by_name_beside_those_in_the_address(api: FakeClient) -> None:
    app = opened("compare", experiments="demo")
    assert "digits-demo, 3 runs" not in app.selectbox[0].options
    app.selectbox(key="compare-add").set_value("never").run()
    assert asked(app)["experiments"] == "demo,never"
    assert app.selectbox(key="compare-add").value is None
    assert app.multiselect(key="compare-runs").value == ["demor0", "demor1", "demor2", "neverr0", "neverr1"]


def test_runs_that_are_left_out_leave_their_experiment_in_part(api: FakeClient) -> None:
    app = opened("compare", experiments="demo,never")
    app.multiselect(key="compare-runs").set_value(["demor0", "demor2", "neverr0", "neverr1"]).run()
    assert asked(app) == {"experiments": "never", "runs": "demor0,demor2"}
    app.multiselect(key="compare-runs").set_value(["demor0", "demor1", "demor2"]).run()
    assert asked(app) == {"experiments": "demo"}


def test_the_address_restores_every_control(api: FakeClient) -> None:
    app = opened("compare", experiments="demo,never", axis="w_tau", metric="frechet_pca")
    values = {control.key: control.value for control in app.button_group}
    assert values == {"choice-metric": "frechet_pca", "choice-axis": "w_tau"}
    assert labels(app)["choice-metric"] == ["Held-out loss 100", "Fréchet distance", "Held-out loss 10"]


def test_seeds_can_be_shown_one_by_one_where_there_are_enough_for_a_mean(api: FakeClient) -> None:
    assert "choice-seeds" not in labels(opened("compare", experiments="demo"))
    api.made["seeds"] = seeds()
    app = opened("compare", experiments="seeds", seeds="each")
    assert next(control.value for control in app.button_group if control.key == "choice-seeds") == "each"


@pytest.mark.parametrize("address", [{"experiments": "nothing"}, {"runs": "nothingr0"}])
def test_an_unknown_id_is_named_and_the_page_goes_on(api: FakeClient, address: dict[str, str]) -> None:
    app = opened("compare", **address)
    assert f"There is no experiment or run {next(iter(address.values()))}" in shown(app)
    assert app.selectbox[0].options
