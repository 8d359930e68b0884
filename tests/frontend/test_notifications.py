"""The words of the System page's section on notifications."""

from frontend.markup.notifications import failing, notifications
from frontend.markup.system import system_finding, system_regions
from tauscope.contracts.notifications import HookEvent
from tests.frontend import fake_history
from tests.frontend import fake_world as world
from tests.frontend.fake_hooks import delivery, hooks
from tests.frontend.test_system import system


def test_without_a_hook_it_says_how_to_add_one() -> None:
    words = notifications((), world.T0)
    assert "None configured" in words and "tauscope hooks add" in words and "TAUSCOPE_SMTP_URL" in words


def test_each_hook_shows_what_it_is_told_its_last_delivery_and_what_was_given_up_with_the_reason() -> None:
    words = notifications(hooks(), world.T0)
    for part in (
        "onset.reached",
        "delivered, 4 min ago",
        "everything",
        "run.failed, experiment.ended",
        "of experiment demo",
        "email, off",
        "ann@lab.example, bob@lab.example",
        "experiment.ended to http://127.0.0.1:9000",
        "given up after 10 attempts, 2 days ago",
        "10 attempts failed; the last: no answer within 15 s",
    ):
        assert part in words, part


def test_the_path_of_a_webhook_is_not_shown() -> None:
    words = notifications(hooks(), world.T0)
    assert "https://hooks.lab.example/…" in words and "T0/B0" not in words


def test_a_hook_that_fails_now_needs_attention_and_says_when_it_is_tried_next() -> None:
    assert failing(hooks()) == []
    late = delivery("1kq8hook", HookEvent.RUN_FAILED, age=30, answers=(500, 500), state="pending", reason="answer 500")
    hook = hooks()[0].model_copy(update={"last": late, "trouble": late, "pending": 1})
    assert system_finding(system(), fake_history.diagnosis(), (hook,)).endswith("Needs attention: disk, notifications.")
    main = system_regions(system(), fake_history.diagnosis(), (hook,))["main"]
    assert "2 attempts, the next in 4 min" in main and "not yet delivered" in main
    assert failing([hook.model_copy(update={"enabled": False})]) == []
