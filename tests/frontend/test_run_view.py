"""The page of a run as it is asked for again: what it shows, when it still changes, and what its widgets hang on."""

from typing import Any

from frontend.charts.figure import ViewOptions
from frontend.run_view import run_view
from frontend.twin_view import twin_view
from tauscope.client import TauscopeClient
from tauscope.contracts.retention import RunCheckpoints
from tauscope.contracts.runs import RunState
from tests.frontend import fake_history, fake_twins
from tests.frontend import fake_world as world
from tests.frontend.fake_api import RECOMMENDED
from tests.frontend.paged import FakeClient

CHECKPOINTS = RunCheckpoints(run_id="demor0", recommendation=RECOMMENDED, checkpoints=fake_history.checkpoints())


def shown(checkpoints: RunCheckpoints = CHECKPOINTS, **changes: Any) -> dict[str, Any]:
    view = world.finished()
    client: TauscopeClient = FakeClient()  # type: ignore[assignment]
    return run_view(client, view, view.runs[0].model_copy(update=changes), checkpoints)


def test_every_checkpoint_is_a_file_with_its_size_and_what_pruning_does_with_it() -> None:
    table = shown()["regions"]["checkpoints"]
    for step, words in ((150, "drop it"), (411, "keep it: recommended"), (1100, "keep it: resume</td><td>by its owner")):
        row = table.split(f"/api/v1/runs/demor0/checkpoints/{step}.zip")[1].split("</tr>")[0]
        assert "Download, 1.2 MB" in row and words in row
    assert "none is left" in shown(CHECKPOINTS.model_copy(update={"checkpoints": ()}))["regions"]["checkpoints"]


def test_a_run_goes_on_until_it_is_over_and_its_samples_are_drawn() -> None:
    assert shown(state=RunState.RUNNING)["live"] and shown(unevaluated=1)["live"] and not shown()["live"]


def test_the_agreement_of_twins_goes_on_as_long_as_either_of_them() -> None:
    view = fake_twins.twins()
    run = view.runs[0]
    asked = {
        state: view.model_copy(update={"runs": tuple(item.model_copy(update={"state": state}) for item in view.runs)})
        for state in (RunState.RUNNING, RunState.FINISHED)
    }
    assert [twin_view(pair, run, None, ViewOptions())["live"] for pair in asked.values()] == [True, False]


def test_what_it_offers_changes_with_state_budget_twin_and_checkpoints_and_with_nothing_else() -> None:
    offers = shown()["offers"]
    fewer = CHECKPOINTS.model_copy(update={"checkpoints": CHECKPOINTS.checkpoints[1:]})
    others = [shown(state=RunState.STOPPED), shown(steps=9), shown(twin_id="x"), shown(fewer)]
    assert len({offers, *(other["offers"] for other in others)}) == 5
    assert shown(step=7, seconds=9.0)["offers"] == offers
