"""Notifications on their way: leases, retries and giving up; on both databases."""

import threading

import pytest

from backend.storage.announcements import announce_test
from backend.storage.deliveries import (
    ATTEMPT_LIMIT,
    LONGEST_RETRY,
    LOST,
    Delivery,
    Outcome,
    anything_due,
    claim_delivery,
    keep_house,
    record_outcome,
    retry_after,
)
from backend.storage.tables import Notification, Webhook
from tests.worker.notified import Sessions, add_hook, attempts, notifications, pass_time

HTTP = ("http",)
FAILED = Outcome(0.1, 500, "answer 500")


def enqueue(sessions: Sessions, hook_id: str = "hook") -> None:
    with sessions.begin() as session:
        announce_test(session, session.get_one(Webhook, hook_id))


def take(sessions: Sessions, **options: float) -> Delivery | None:
    with sessions.begin() as session:
        return claim_delivery(session, HTTP, **options)


def certain(delivery: Delivery | None) -> Delivery:
    assert delivery is not None
    return delivery


def record(sessions: Sessions, delivery: Delivery, outcome: Outcome, chance: float = 0.5) -> None:
    with sessions.begin() as session:
        record_outcome(session, delivery, outcome, chance=chance)


def test_retries_wait_three_times_longer_each_time_up_to_six_hours_and_are_spread_by_a_fifth() -> None:
    waits = [retry_after(number, 0.5) for number in range(1, ATTEMPT_LIMIT)]
    assert waits == [10, 30, 90, 270, 810, 2430, 7290, 21600, 21600]
    assert retry_after(ATTEMPT_LIMIT, 0.5) is None
    assert (retry_after(1, 0.0), retry_after(1, 1.0)) == pytest.approx((8.0, 12.0))
    assert max(retry_after(number, 1.0) or 0 for number in range(1, 10)) == pytest.approx(1.2 * LONGEST_RETRY)


def test_a_notification_whose_sender_died_is_sent_again_under_the_same_id_when_its_lease_is_over(sessions: Sessions) -> None:
    add_hook(sessions)
    enqueue(sessions)
    first = certain(take(sessions))
    assert take(sessions) is None
    pass_time(sessions, 121)
    again = certain(take(sessions))
    assert (again.id, first.number, again.number) == (first.id, 1, 2)
    record(sessions, again, Outcome(0.2, 204))
    assert attempts(sessions) == [(1, None, ""), (2, 204, "")]
    assert [row.state for row in notifications(sessions)] == ["delivered"]


def test_senders_never_get_the_same_notification_nor_two_of_one_hook_at_once(sessions: Sessions) -> None:
    """Eight at once: on Postgres a choice may rest on a moment before another's commit, and did, in 1 claim of 120."""
    names = [f"hook-{number}" for number in range(20)]
    for name in names:
        add_hook(sessions, name)
        enqueue(sessions, name)
        enqueue(sessions, name)
    together = threading.Barrier(8)
    taken: list[str] = []
    busy: list[str] = []
    collisions: list[str] = []

    def send() -> None:
        together.wait()
        while len(taken) < 2 * len(names):
            if delivery := take(sessions):
                taken.append(delivery.id)
                collisions.extend([delivery.hook_id] * (delivery.hook_id in busy))
                busy.append(delivery.hook_id)
                busy.remove(delivery.hook_id)
                record(sessions, delivery, Outcome(0.0, 204))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 2 * len(names)
    assert [number for number, *_ in attempts(sessions)] == [1] * len(taken) and collisions == []


def test_a_hook_is_sent_one_at_a_time_in_order_and_holds_up_no_other(sessions: Sessions) -> None:
    for name in ("slow", "other"):
        add_hook(sessions, name)
        enqueue(sessions, name)
        enqueue(sessions, name)
    order = [row.id for row in notifications(sessions) if row.webhook_id == "slow"]
    slow, other = certain(take(sessions)), certain(take(sessions))
    assert (slow.hook_id, other.hook_id) == ("slow", "other") and take(sessions) is None
    record(sessions, other, Outcome(0.0, 204))
    assert certain(take(sessions)).hook_id == "other"
    record(sessions, slow, Outcome(0.0, 204))
    assert [slow.id, certain(take(sessions)).id] == order


def test_after_the_last_attempt_it_is_given_up_with_the_reason_and_every_attempt_is_kept(sessions: Sessions) -> None:
    add_hook(sessions)
    enqueue(sessions)
    for number in range(1, ATTEMPT_LIMIT + 1):
        delivery = certain(take(sessions))
        assert delivery.number == number
        record(sessions, delivery, FAILED)
        assert take(sessions) is None
        pass_time(sessions, 0.5 * (retry_after(number, 0.5) or 0))
        assert take(sessions) is None
        pass_time(sessions, 0.5 * (retry_after(number, 0.5) or 0))
    (row,) = notifications(sessions)
    assert (row.state, row.reason) == ("given_up", "10 attempts failed; the last: answer 500")
    assert attempts(sessions) == [(number, 500, "answer 500") for number in range(1, 11)]


def test_one_whose_last_sender_died_is_given_up_too(sessions: Sessions) -> None:
    add_hook(sessions)
    enqueue(sessions)
    for _ in range(ATTEMPT_LIMIT):
        certain(take(sessions))
        pass_time(sessions, 121)
    assert take(sessions) is None
    assert [(row.state, row.reason) for row in notifications(sessions)] == [("given_up", f"10 attempts failed; the last: {LOST}")]
    with sessions() as session:
        assert not anything_due(session, HTTP)


def test_a_hopeless_one_is_given_up_at_once(sessions: Sessions) -> None:
    add_hook(sessions)
    enqueue(sessions)
    record(sessions, certain(take(sessions)), Outcome(0.1, 410, "answer 410", hopeless=True))
    assert [(row.state, row.reason) for row in notifications(sessions)] == [("given_up", "answer 410")]


def test_a_failure_that_comes_after_its_lease_does_not_undo_what_another_sender_did(sessions: Sessions) -> None:
    add_hook(sessions)
    enqueue(sessions)
    late = certain(take(sessions))
    pass_time(sessions, 121)
    other = certain(take(sessions))
    record(sessions, late, FAILED)
    assert take(sessions) is None, "the other's lease stands"
    record(sessions, other, Outcome(0.1, 204))
    record(sessions, late, FAILED)
    assert [row.state for row in notifications(sessions)] == ["delivered"]


def test_a_late_success_counts(sessions: Sessions) -> None:
    add_hook(sessions)
    enqueue(sessions)
    late = certain(take(sessions))
    pass_time(sessions, 121)
    other = certain(take(sessions))
    record(sessions, late, Outcome(130.0, 204))
    record(sessions, other, FAILED)
    assert [row.state for row in notifications(sessions)] == ["delivered"]


def test_a_disabled_hook_waits_but_can_be_tried_out(sessions: Sessions, add_run: object) -> None:
    add_hook(sessions, enabled=False)
    with sessions.begin() as session:
        session.add(Notification(id="n", webhook_id="hook", event_id="e", event="run.failed", payload={}))
    assert take(sessions) is None
    enqueue(sessions)
    assert certain(take(sessions)).event == "test"


def test_a_mail_is_claimed_only_by_whoever_can_send_mails(sessions: Sessions) -> None:
    add_hook(sessions, kind="email")
    enqueue(sessions)
    assert take(sessions) is None
    with sessions.begin() as session:
        assert claim_delivery(session, ("http", "email")) is not None


def test_a_clock_that_was_set_back_leaves_nothing_waiting_for_days_and_old_news_is_forgotten(sessions: Sessions) -> None:
    add_hook(sessions)
    enqueue(sessions)
    certain(take(sessions))
    pass_time(sessions, -3 * 86400)
    assert take(sessions) is None
    with sessions.begin() as session:
        keep_house(session)
    delivery = certain(take(sessions))
    record(sessions, delivery, Outcome(0.1, 204))
    with sessions.begin() as session:
        keep_house(session)
        session.get_one(Notification, delivery.id).created_at -= 31 * 86400
    assert len(notifications(sessions)) == 1
    with sessions.begin() as session:
        keep_house(session)
    assert notifications(sessions) == [] and attempts(sessions) == []
