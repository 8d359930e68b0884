"""The stand-in's hooks: one that gets everything, one with a delivery given up long ago, a mailbox that is off."""

from fastapi import FastAPI

from tauscope.contracts.notifications import SUBSCRIBABLE, AttemptNews, DeliveryView, HookEvent, HookView
from tests.frontend import fake_world as world


def delivery(hook_id: str, event: HookEvent, *, age: float, answers: tuple[int | None, ...], state: str, reason: str = "") -> DeliveryView:
    """A delivery whose last attempt was ``age`` seconds ago; an answer of ``None`` is none."""
    errors = {None: "no answer within 15 s", 204: ""}
    attempts = tuple(
        AttemptNews(
            number=number,
            at=world.T0 - age - 60 * (len(answers) - number),
            seconds=15.0 if status is None else 0.2,
            status=status,
            error=errors.get(status, f"answer {status}"),
        )
        for number, status in enumerate(answers, 1)
    )
    return DeliveryView.model_validate(
        {
            **{"id": f"{hook_id}{event}", "hook_id": hook_id, "event_id": "e", "event": event, "run_id": "demor0", "experiment_id": "demo"},
            **{"created_at": world.T0 - age - 600, "state": state, "due_at": world.T0 + 240, "reason": reason, "attempts": attempts},
        }
    )


def hooks() -> tuple[HookView, ...]:
    """Every state of a hook that the page tells apart, but one that fails now."""
    fine = delivery("1kq8hook", HookEvent.ONSET_REACHED, age=240, answers=(204,), state="delivered")
    again = delivery("1kqahook", HookEvent.RUN_FAILED, age=3600, answers=(503, 204), state="delivered")
    lost = delivery(
        "1kqahook",
        HookEvent.EXPERIMENT_ENDED,
        age=2 * 86400,
        answers=(None,) * 10,
        state="given_up",
        reason="10 attempts failed; the last: no answer within 15 s",
    )
    about = {"enabled": True, "created_at": world.T0 - 9 * 86400, "pending": 0, "given_up": 0, "experiment_id": None, "trouble": None}
    first = about | {"id": "1kq8hook", "kind": "http", "url": "https://hooks.lab.example/T0/B0/x", "events": SUBSCRIBABLE, "last": fine}
    second = about | {"id": "1kqahook", "kind": "http", "url": "http://127.0.0.1:9000", "events": ("run.failed", "experiment.ended")}
    mailbox = about | {
        "id": "email",
        "kind": "email",
        "url": "mailto:ann@lab.example,bob@lab.example",
        "events": SUBSCRIBABLE,
        "last": None,
    }
    return (
        HookView.model_validate(first),
        HookView.model_validate(second | {"last": again, "trouble": lost, "given_up": 1, "experiment_id": "demo", "pending": 2}),
        HookView.model_validate(mailbox | {"enabled": False}),
    )


def add_hooks(app: FastAPI) -> None:
    """Answer for the hooks."""

    @app.get("/api/v1/webhooks")
    def list_hooks() -> tuple[HookView, ...]:
        return hooks()
