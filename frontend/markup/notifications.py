"""Who is told of onsets, warnings and ends, and how the telling goes: a section of the System page."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from frontend.markup.html import Html, join, tag
from frontend.markup.icons import WARNING
from frontend.markup.sections import section, table
from frontend.words import DASH, ago, duration, plural
from tauscope.contracts.notifications import SUBSCRIBABLE, DeliveryView, HookView

NONE = (
    "None configured. Add a webhook: tauscope hooks add https://HOST/PATH."
    " For mails set TAUSCOPE_SMTP_URL, TAUSCOPE_SMTP_FROM and TAUSCOPE_SMTP_TO, and start the reconciler anew."
)


def failing(hooks: Sequence[HookView]) -> list[HookView]:
    """The hooks whose newest delivery did not arrive."""
    return [hook for hook in hooks if hook.enabled and hook.last is not None and hook.last.reason and hook.last.state != "delivered"]


def notifications(hooks: Sequence[HookView], now: float) -> Html:
    """Every hook with its last delivery, then what is in trouble and why."""
    rows = [_row(hook, now) for hook in hooks]
    columns = ("Receiver", "Told of", "Last delivery", "Waiting", "Given up")
    troubles = [_trouble(hook, hook.trouble, now) for hook in hooks if hook.trouble is not None]
    return section("Notifications", join(table(columns, rows, NONE), tag("div", *troubles, class_="tau-failures") if troubles else None))


def _row(hook: HookView, now: float) -> Sequence[object]:
    about = hook.id if hook.enabled else f"{hook.id}, off"
    name = join(receiver_words(hook), tag("span", about, class_="tau-quiet"))
    every = set(hook.events) == set(SUBSCRIBABLE)
    told = join("everything" if every else ", ".join(hook.events), _only_of(hook))
    return name, told, _last(hook, now), hook.pending, tag("span", WARNING, hook.given_up, class_="tau-silent") if hook.given_up else 0


def _only_of(hook: HookView) -> Html | None:
    return tag("span", f"of experiment {hook.experiment_id}", class_="tau-quiet") if hook.experiment_id else None


def receiver_words(hook: HookView) -> str:
    """Where it leads. The path of a webhook is often as secret as a password, so no page shows it."""
    if hook.kind == "email":
        return hook.url.removeprefix("mailto:").replace(",", ", ")
    parts = urlsplit(hook.url)
    return f"{parts.scheme}://{parts.netloc}{'/…' if parts.path.strip('/') or parts.query else ''}"


def _last(hook: HookView, now: float) -> object:
    if hook.last is None:
        return DASH
    attempt = hook.last.attempts[-1]
    states = {"delivered": "delivered", "given_up": "given up", "pending": "not yet delivered"}
    words = f"{states[hook.last.state]}, {ago(max(0.0, now - attempt.at))}"
    return join(hook.last.event, tag("span", words, class_="tau-quiet"))


def _trouble(hook: HookView, item: DeliveryView, now: float) -> Html:
    tried = plural(len(item.attempts), "attempt")
    if item.state == "given_up":
        words = f"given up after {tried}, {ago(max(0.0, now - item.attempts[-1].at))}"
    else:
        words = f"{tried}, the next in {duration(max(0.0, item.due_at - now))}"
    head = tag(
        "div", tag("b", f"{item.event} to {receiver_words(hook)}"), tag("span", words, class_="tau-quiet"), class_="tau-failure-head"
    )
    return tag("div", head, tag("p", item.reason), class_="tau-failure")
