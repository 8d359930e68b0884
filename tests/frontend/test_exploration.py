"""The exploration on the phase page: in words, and its form with a client that answers from memory."""

from typing import Any

import pytest

import frontend.page
from frontend.exploring import between
from frontend.markup.exploration import exploration_section, exploring
from frontend.markup.settings import varies_text
from tauscope.contracts.exploration import Explorations, ExplorationStart, ExplorationState, ExplorationView, Proposal
from tests.frontend import fake_phase
from tests.frontend.fake_exploration import ended, going_on
from tests.frontend.paged import FakeClient, opened, problem, shown


class ExploringClient(FakeClient):
    """With what the phase page asks of explorations."""

    def __init__(self, *views: ExplorationView) -> None:
        super().__init__()
        self.made["phases"] = fake_phase.phases("phases")
        self.held = views
        self.started: list[ExplorationStart] = []
        self.acts: list[str] = []
        self.refuses = False

    def explorations(self, identifier: str) -> Explorations:
        return Explorations(items=self.held)

    def explore(self, identifier: str, request: ExplorationStart) -> ExplorationView:
        if self.refuses:
            raise problem(409, "It is being explored already")
        self.started.append(request)
        return going_on(identifier)

    def act_on_exploration(self, identifier: str, wish: Any) -> ExplorationView:
        self.acts.append(wish)
        return going_on(identifier)


def page(monkeypatch: pytest.MonkeyPatch, *views: ExplorationView) -> tuple[Any, ExploringClient]:
    fake = ExploringClient(*views)
    monkeypatch.setattr(frontend.page, "client_for", lambda token: fake)
    return opened("phase", id="phases"), fake


def press(app: Any, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, app.exception


def test_the_log_says_what_was_chosen_why_for_how_much_and_what_is_next() -> None:
    said = exploration_section(Explorations(items=(going_on("x"),)))
    assert "5,300 of 20,000 steps spent (26 %); 5,500 committed to runs under way" in said
    assert "Goes on: 2 runs" in said
    assert "n = 64, W = 8, seed 4: 7,900 more steps. n*(p), between copying and a plateau, lies between n = 32 and n = 64" in said
    assert "Expected 2,900 steps of the 20,000 steps that were left." in said
    assert "n = 48, W = 16" in said
    assert said.index("7,900 more steps") < said.index("n = 24, W = 16")  # Newest first.


def test_one_that_is_over_says_why_and_plans_nothing_and_earlier_ones_are_folded() -> None:
    found = Explorations(items=(ended("x"), going_on("x").model_copy(update={"id": "first", "state": ExplorationState.FINISHED})))
    said = exploration_section(found)
    assert "Finished: both boundaries are known to the grid" in said
    assert said.count("<details") == 1 and "Earlier: Finished" in said
    assert not exploring(found) and exploring(Explorations(items=(going_on("x"),)))
    assert "None has been yet" in exploration_section(Explorations(items=()))


def test_what_waits_says_what_it_waits_for() -> None:
    waiting = going_on("x").model_copy(update={"next": Proposal(reason="waits for the runs under way at 2 cells")})
    assert "waits for the runs under way at 2 cells" in exploration_section(Explorations(items=(waiting,)))


def test_the_form_proposes_the_gaps_between_the_n_there_are() -> None:
    assert between([8, 16, 32]) == [8, 11, 16, 23, 32, 64]
    assert between([]) == []


def test_an_exploration_is_started_from_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    app, fake = page(monkeypatch)
    app.text_input[0].set_value("8, 16,24")
    app.text_input[2].set_value("1, 2")
    app.number_input[0].set_value(5000)
    press(app, "Explore")
    (request,) = fake.started
    assert request.candidates.model_dump() == {"n_train": (8, 16, 24), "width": (8, 16, 32), "seed": (1, 2)}
    assert (request.budget.kind, request.budget.amount) == ("steps", 5000)


@pytest.mark.parametrize(("text", "says"), [("8; 16", "Write it as in 8, 16, 32"), ("8", "at least two values"), ("1, 8", "n_train")])
def test_what_cannot_be_explored_is_refused_at_its_field(monkeypatch: pytest.MonkeyPatch, text: str, says: str) -> None:
    app, fake = page(monkeypatch)
    app.text_input[0].set_value(text)
    press(app, "Explore")
    assert not fake.started
    assert "Not started" in shown(app) and says in shown(app)


def test_a_refusal_of_the_service_is_shown_beside_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    app, fake = page(monkeypatch)
    fake.refuses = True
    press(app, "Explore")
    assert "It is being explored already" in shown(app)


def test_one_that_goes_on_is_paused_resumed_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    app, fake = page(monkeypatch, going_on("phases"))
    press(app, "Pause exploring")
    fake.held = (going_on("phases").model_copy(update={"state": ExplorationState.PAUSED}),)
    app.run()
    press(app, "Resume exploring")
    press(app, "End exploring")
    assert fake.acts == ["pause", "resume", "stop"]


def test_the_header_counts_what_further_runs_vary() -> None:
    view = fake_phase.phases("phases")
    sweep = view.sweep | {"axes": {"n_train": [8, 32], "width": [8]}, "further": [{"n_train": 16, "width": 24, "steps": 9}]}
    assert varies_text(view.model_copy(update={"sweep": sweep})) == "n = 8, 16, 32; W = 8, 24"
