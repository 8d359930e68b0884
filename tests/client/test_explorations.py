"""Explorations through the client and on the command line, against a running service."""

import pytest

from tauscope.client import ApiError, TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.contracts.exploration import Budget, BudgetKind, Candidates, ExplorationStart
from tauscope.specs import SpecError
from tests.client.conftest import LiveServer
from tests.client.test_worker_commands import invoke

START = ExplorationStart(
    candidates=Candidates(n_train=(8, 16, 32), width=(8, 16), seed=(4,)), budget=Budget(kind=BudgetKind.SECONDS, amount=600)
)


def test_an_exploration_is_started_watched_and_ended(api: TauscopeClient) -> None:
    identifier = api.launch(ExperimentCreate(preset="digits-ci")).id
    assert api.explorations(identifier).items == ()
    assert api.explore(identifier, START).budget == START.budget
    assert [api.act_on_exploration(identifier, wish).state for wish in ("pause", "resume", "stop")] == ["paused", "running", "finished"]
    with pytest.raises(ApiError, match="No exploration"):
        api.act_on_exploration(identifier, "pause")


def test_the_command_starts_shows_and_stops_it(server: LiveServer) -> None:
    where = ("--url", server.url)
    identifier = invoke("launch", "digits-ci", *where).split()[0]
    assert "No exploration yet" in invoke("explore", identifier, *where)
    started = invoke("explore", identifier, "--budget-steps", "4000", "--n", "8,16,32", "--width", "8,16", "--seed", "4", *where)
    assert "running; 0 of 4,000 steps spent" in started and "next" in started
    assert "paused, nothing is chosen for now, as its owner wished" in invoke("explore", identifier, "--pause", *where)
    assert '"state":"finished"' in invoke("explore", identifier, "--stop", "--json", *where)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--budget-steps", "10", "--budget-seconds", "10"), "several things at once"),
        (("--budget-steps", "10", "--stop"), "several things at once"),
        (("--budget-steps", "10", "--n", "8,x", "--width", "8"), "--n: 8,x is no list of whole numbers"),
        (("--budget-steps", "10", "--n", "8,16"), "--width: nothing is no list"),
        (("--budget-steps", "10", "--n", "8", "--width", "8"), "at least two"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(options: tuple[str, ...], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        invoke("explore", "any", *options, "--url", "http://127.0.0.1:1")
