"""The duty that chooses runs: one decision for one state, whoever is killed when, and never more than the budget."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.storage import explorations
from backend.storage.claims import claim_next, finish
from backend.storage.database import db_now
from backend.storage.experiments import create_experiment
from backend.storage.exploring import Standing
from backend.storage.flush import flush
from backend.storage.outbox import Outbox
from backend.storage.reading import reading
from backend.storage.requests import request_pause
from backend.storage.tables import Experiment, Exploration, ExplorationDecision, Run, RunEvent, Worker
from tauscope.contracts.exploration import Action, Budget, BudgetKind, Candidates, Chosen, ExplorationState
from tauscope.contracts.points import Point
from tauscope.contracts.runs import RunState
from tauscope.specs import parse_sweep
from tests.worker.notified import add_hook, events
from worker.exploring import Explorer
from worker.summaries import record_summary

CANDIDATES = Candidates(n_train=(8, 16, 32, 64), width=(8, 16), seed=(4,))
SLOTS = 2


class Silent(Outbox):
    """A broker that takes every wake-up."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    def wake(self, runs: Sequence[tuple[str, str]], work: Any = "train") -> list[str]:
        self.woken += [run_id for run_id, _ in runs]
        return [run_id for run_id, _ in runs]


def tau_mem(n: int, width: int) -> float:
    return float(25.0 * n**1.2 * (width / 8) ** -0.7)


@pytest.fixture
def experiment(sessions: sessionmaker[Session]) -> str:
    """Two small runs, both over, that copied; and a worker with two slots."""
    base = {
        "kind": "image_ddpm",
        "network": {"base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, True]},
        "measurement": {"schedule": {"kind": "log_spaced", "first": 10, "count": 20}, "loss_indices": [100]},
        "steps": 1000,
        "seed": 4,
    }
    sweep = parse_sweep({"name": "phases", "base": base, "axes": {"n_train": [8, 16]}})
    made = create_experiment(sessions, sweep, sweep.resolve(), code_version="test", request=None)
    with sessions.begin() as session:
        session.add(Worker(name="w", device="cpu", slots=SLOTS, queues=["default"]))
    compute_all(sessions)
    return made.experiment_id


def points(n: int, width: int, steps: int) -> list[Point]:
    found = []
    for step in (
        parse_sweep({"base": {"kind": "image_ddpm"}, "name": "x"})
        .base.measurement.schedule.model_copy(update={"first": 10, "count": 20})
        .steps(steps)
    ):
        share = min(1.0, 0.25 * (step / tau_mem(n, width)) ** 3)
        loss = 0.5 if step > 40 else 0.8
        found += [
            Point(step=step, metric="f_mem", value=share, low=max(0.0, share - 0.02), high=min(1.0, share + 0.02), count=256),
            Point(step=step, metric="f_mem_control", value=0.0, low=0.0, high=0.004, count=1000),
            Point(step=step, metric="loss_held_out@100", value=loss, low=loss - 0.01, high=loss + 0.01, count=512),
            Point(step=step, metric="loss_gap@100", value=0.1, low=0.09, high=0.11, count=512),
        ]
    return found


def compute_all(sessions: sessionmaker[Session], limit: int = 100) -> int:
    """Claim and finish every run that waits, as a worker would; how many."""
    for done in range(limit):
        with sessions.begin() as session:
            claim = claim_next(session, "w", 60.0)
        if claim is None:
            return done
        data, network = claim.spec["dataset"], claim.spec["network"]
        with sessions.begin() as session:
            flush(
                session,
                claim,
                points=points(data["n_train"], network["base_width"], claim.steps),
                step=claim.steps,
                seconds=claim.steps / 100,
            )
            record_summary(session, claim.run_id)
            finish(session, claim, RunState.FINISHED)
    return limit


@pytest.fixture
def begin(sessions: sessionmaker[Session], experiment: str) -> Callable[..., str]:
    def start(amount: float = 20_000, kind: BudgetKind = BudgetKind.STEPS) -> str:
        with sessions.begin() as session:
            return explorations.start(session, experiment, CANDIDATES, Budget(kind=kind, amount=amount))

    return start


@pytest.fixture
def explorer(sessions: sessionmaker[Session]) -> Explorer:
    return Explorer(sessions, Silent())


def rows(sessions: sessionmaker[Session], model: Any) -> list[Any]:
    with sessions() as session:
        return list(session.scalars(select(model).order_by(*model.__table__.primary_key)))


def exploration(sessions: sessionmaker[Session]) -> Exploration:
    (row,) = rows(sessions, Exploration)
    assert isinstance(row, Exploration)
    return row


def test_free_slots_are_filled_with_new_runs_that_join_the_sweep(
    sessions: sessionmaker[Session], begin: Any, explorer: Explorer, experiment: str
) -> None:
    begin()
    assert explorer.explore() == 1
    runs = rows(sessions, Run)
    new = [run for run in runs if run.state == "queued"]
    assert len(new) == SLOTS
    (decision,) = rows(sessions, ExplorationDecision)
    made = {run.id: (run.params["n_train"], run.params["width"], run.steps) for run in new}
    assert {item["run"]: (item["n_train"], item["width"], item["steps"]) for item in decision.chosen} == made
    with sessions() as session:
        sweep = parse_sweep(session.get_one(Experiment, experiment).sweep)
    assert len(sweep.resolve()) == len(runs)


def test_nothing_is_decided_while_every_slot_is_taken_and_the_log_says_so(
    sessions: sessionmaker[Session], begin: Any, explorer: Explorer
) -> None:
    begin()
    explorer.explore()
    assert explorer.explore() == 0
    assert "2 runs of the experiment are under way, for 2 slots" in exploration(sessions).reason
    assert len(rows(sessions, ExplorationDecision)) == 1


def test_a_run_that_its_owner_pauses_frees_its_slot(sessions: sessionmaker[Session], begin: Any, explorer: Explorer) -> None:
    begin()
    explorer.explore()
    assert explorer.explore() == 0
    (held, _) = [run.id for run in rows(sessions, Run) if run.state == "queued"]
    with sessions.begin() as session:
        request_pause(session, [held])
    assert explorer.explore() == 1
    assert len(rows(sessions, ExplorationDecision)) == 2


def test_it_goes_on_until_it_ends_by_itself_within_its_budget(sessions: sessionmaker[Session], begin: Any, explorer: Explorer) -> None:
    exploration_id = begin(amount=20_000)
    for _ in range(40):
        explorer.explore()
        if exploration(sessions).state == ExplorationState.FINISHED:
            break
        compute_all(sessions)
    row = exploration(sessions)
    assert row.state == ExplorationState.FINISHED, row.reason
    with reading(sessions) as session:
        standing = Standing.read(session, exploration_id)
    assert standing is not None
    trained = sum(run.step for run in rows(sessions, Run)) - 2000
    assert standing.spent.spent == trained <= 20_000
    assert standing.spent.committed == 0
    told = [
        (item["n_train"], item["width"], item["seed"])
        for decision in rows(sessions, ExplorationDecision)
        for item in decision.chosen
        if item["action"] == "new"
    ]
    assert len(told) == len(set(told)) > 2


def test_two_reconcilers_make_one_decision_for_one_state(sessions: sessionmaker[Session], begin: Any) -> None:
    exploration_id = begin()
    with reading(sessions) as session:
        standing = Standing.read(session, exploration_id)
        assert standing is not None
        chosen = standing.propose(session, SLOTS).chosen
    with sessions.begin() as session:
        explorations.decide(session, exploration_id, standing.basis, chosen, standing.remaining)
    with pytest.raises(explorations.OvertakenError), sessions.begin() as session:
        explorations.decide(session, exploration_id, standing.basis, chosen, standing.remaining)
    assert len(rows(sessions, ExplorationDecision)) == 1
    assert len(rows(sessions, Run)) == 2 + SLOTS


def test_a_decision_that_is_killed_before_its_commit_left_nothing_and_is_made_again(sessions: sessionmaker[Session], begin: Any) -> None:
    exploration_id = begin()
    with reading(sessions) as session:
        standing = Standing.read(session, exploration_id)
        assert standing is not None
        chosen = standing.propose(session, SLOTS).chosen
    with sessions() as session:
        explorations.decide(session, exploration_id, standing.basis, chosen, standing.remaining)
        session.rollback()  # What the database does for a process that is gone.
    assert len(rows(sessions, Run)) == 2 and not rows(sessions, ExplorationDecision)
    assert Explorer(sessions, Silent()).explore() == 1
    (decision,) = rows(sessions, ExplorationDecision)
    assert [(item["n_train"], item["width"]) for item in decision.chosen] == [item.cell for item in chosen]


def test_runs_whose_wake_up_was_never_sent_wait_for_the_reconciler_to_send_it(sessions: sessionmaker[Session], begin: Any) -> None:
    begin()

    class Gone(Silent):
        def wake(self, runs: Sequence[tuple[str, str]], work: Any = "train") -> list[str]:
            return []

    Explorer(sessions, Gone()).explore()
    assert [run.enqueued_at for run in rows(sessions, Run) if run.state == "queued"] == [0.0, 0.0]
    assert Explorer(sessions, Silent()).explore() == 0


def test_a_run_that_ended_without_copying_is_extended_where_that_was_chosen(sessions: sessionmaker[Session], begin: Any) -> None:
    exploration_id = begin()
    held = rows(sessions, Run)[1]
    with reading(sessions) as session:
        standing = Standing.read(session, exploration_id)
    assert standing is not None
    item = Chosen(
        action=Action.EXTEND, n_train=16, width=8, seed=4, steps=3000, more_steps=2000, cost=2000, bits=1.0, why="to see", run=held.id
    )
    with sessions.begin() as session:
        explorations.decide(session, exploration_id, standing.basis, [item], standing.remaining)
    run = next(run for run in rows(sessions, Run) if run.id == held.id)
    assert (run.state, run.steps, run.spec["steps"]) == ("queued", 3000, 3000)
    assert any("as its exploration chose" in event.detail for event in rows(sessions, RunEvent) if event.run_id == held.id)
    with reading(sessions) as session:
        after = Standing.read(session, exploration_id)
    assert after is not None and (after.spent.spent, after.spent.committed) == (0, 2000)


def test_steps_that_are_computed_twice_after_a_loss_are_spent_twice(
    sessions: sessionmaker[Session], begin: Any, explorer: Explorer
) -> None:
    exploration_id = begin()
    explorer.explore()
    with sessions.begin() as session:
        first = claim_next(session, "w", 60.0)
        assert first is not None
        flush(session, first, step=300, seconds=3.0)
    with sessions.begin() as session:
        session.get_one(Run, first.run_id).lease_until = 0.0
    with sessions.begin() as session:
        again = claim_next(session, "w", 60.0)
        assert again is not None and again.run_id == first.run_id
        flush(session, again, step=200, seconds=5.0)
    with reading(sessions) as session:
        standing = Standing.read(session, exploration_id)
    assert standing is not None and standing.spent.spent == 500


def test_seconds_are_counted_as_the_runs_used_them(sessions: sessionmaker[Session], begin: Any, explorer: Explorer) -> None:
    exploration_id = begin(amount=1e5, kind=BudgetKind.SECONDS)
    assert explorer.explore() == 1
    compute_all(sessions)
    with reading(sessions) as session:
        standing = Standing.read(session, exploration_id)
    assert standing is not None
    assert standing.spent.spent == pytest.approx(sum(run.seconds for run in rows(sessions, Run)) - 20.0)


def test_it_chooses_nothing_while_paused_without_a_worker_or_archived(sessions: sessionmaker[Session], begin: Any, experiment: str) -> None:
    begin()
    with sessions.begin() as session:
        explorations.set_state(session, experiment, ExplorationState.PAUSED, "paused by its owner")
    assert Explorer(sessions, Silent()).explore() == 0
    with sessions.begin() as session:
        explorations.set_state(session, experiment, ExplorationState.RUNNING, "")
        session.get_one(Worker, "w").draining = True
    assert Explorer(sessions, Silent()).explore() == 0
    assert "no worker of its queue" in exploration(sessions).reason
    with sessions.begin() as session:
        session.get_one(Experiment, experiment).archived_at = session.scalars(select(db_now())).one()
    assert Explorer(sessions, Silent()).explore() == 0
    assert (exploration(sessions).state, exploration(sessions).reason) == ("finished", "its experiment was archived")


def test_an_experiment_has_ended_only_once_nothing_more_is_chosen(
    sessions: sessionmaker[Session], begin: Any, explorer: Explorer, experiment: str
) -> None:
    add_hook(sessions, events=["experiment.ended"])
    begin()
    explorer.explore()
    compute_all(sessions)
    assert events(sessions) == []
    with sessions.begin() as session:
        explorations.set_state(session, experiment, ExplorationState.FINISHED, "stopped by its owner")
    assert events(sessions) == ["experiment.ended"]


def test_a_second_one_begins_only_when_the_first_is_finished(sessions: sessionmaker[Session], begin: Any, experiment: str) -> None:
    begin()
    with pytest.raises(explorations.AlreadyExploredError):
        begin()
    with sessions.begin() as session:
        explorations.set_state(session, experiment, ExplorationState.FINISHED, "stopped by its owner")
    begin()
    assert len(rows(sessions, Exploration)) == 2


def test_deleting_the_experiment_deletes_its_explorations(
    sessions: sessionmaker[Session], begin: Any, explorer: Explorer, experiment: str
) -> None:
    begin()
    explorer.explore()
    with sessions.begin() as session:
        session.delete(session.get_one(Experiment, experiment))
    assert not rows(sessions, Exploration) and not rows(sessions, ExplorationDecision)
    assert explorer.explore() == 0
