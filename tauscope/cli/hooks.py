"""The commands about hooks: who is told of onsets, warnings and ends, and how the telling went."""

import sys
import time
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output
from tauscope.client import TauscopeClient
from tauscope.contracts.notifications import SUBSCRIBABLE, AttemptNews, DeliveryView, HookEvent, HookView

hooks = typer.Typer(no_args_is_help=True, help="Webhooks: who is told of onsets, warnings and ends, and how the telling went.")
commands = typer.Typer()
commands.add_typer(hooks, name="hooks")

HookId = Annotated[str, typer.Argument(metavar="HOOK", help="A hook's id, as `hooks list` prints it.")]

WAIT_SECONDS = 20.0


@hooks.command()
def add(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="http or https address that takes a POST.")],
    event: Annotated[list[HookEvent], typer.Option("--event", help="What to tell of; repeatable. By default all but test.")] = [],  # noqa: B006 - typer copies it
    experiment: Annotated[str | None, typer.Option(help="Only of this experiment.")] = None,
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Add a hook and print its secret, which is not shown again."""
    with open_client(url) as client:
        created = client.add_hook(address, events=event or SUBSCRIBABLE, experiment_id=experiment)
    if json:
        sys.stdout.write(created.model_dump_json() + "\n")
        return
    output.print(Text(f"{created.id} is told of {', '.join(created.events)}"), soft_wrap=True)
    output.print(Text(f"Its secret, shown this once: {created.secret}"), soft_wrap=True)
    output.print(f"Try it: tauscope hooks test {created.id}", soft_wrap=True)


@hooks.command("list")
def list_(url: Url = DEFAULT_URL, json: Json = False) -> None:
    """List the hooks with their last delivery and what is in trouble."""
    with open_client(url) as client:
        found = client.hooks()
    if json:
        sys.stdout.write("[" + ",".join(hook.model_dump_json() for hook in found) + "]\n")
    elif found:
        output.print(_hooks_table(found))
    else:
        output.print("No hook. Add one: tauscope hooks add https://HOST/PATH; for e-mail set TAUSCOPE_SMTP_URL")


@hooks.command()
def remove(hook: HookId, url: Url = DEFAULT_URL) -> None:
    """Remove a hook with its deliveries; what still waits is not sent."""
    with open_client(url) as client:
        client.remove_hook(hook)
    output.print(f"{hook} is removed")


@hooks.command()
def disable(
    hook: HookId, off: Annotated[bool, typer.Option("--off", help="Let it be told again.")] = False, url: Url = DEFAULT_URL
) -> None:
    """Tell a hook nothing for a while; what already waits for it waits on."""
    with open_client(url) as client:
        view = client.set_hook_enabled(hook, off)
    output.print(f"{view.id} is {'told again' if view.enabled else 'told nothing'}; {view.pending} wait")


@hooks.command("test")
def try_out(hook: HookId, url: Url = DEFAULT_URL) -> None:
    """Send a hook something to try it with, and wait for how the first attempt goes; exit 1 unless it was delivered."""
    with open_client(url) as client:
        sent = _await_attempt(client, hook, client.test_hook(hook))
    if sent.state == "delivered":
        output.print(f"Delivered: {_attempt_words(sent.attempts[-1])}")
        return
    late = f"no attempt ended within {WAIT_SECONDS:.0f} s; is the reconciler running? Look again: tauscope hooks deliveries {hook}"
    output.print(Text(f"Not delivered: {sent.reason or late}"), soft_wrap=True)
    raise typer.Exit(1)


@hooks.command()
def deliveries(hook: HookId, url: Url = DEFAULT_URL, json: Json = False) -> None:
    """List what was or is to be sent to a hook, with every attempt."""
    with open_client(url) as client:
        found = client.deliveries(hook)
    if json:
        sys.stdout.write("[" + ",".join(item.model_dump_json() for item in found) + "]\n")
    else:
        output.print(_deliveries_table(found))


def _await_attempt(client: TauscopeClient, hook: str, sent: DeliveryView) -> DeliveryView:
    """The delivery once its first attempt has ended, or as it is when that takes too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while sent.state == "pending" and not sent.reason and time.monotonic() < deadline:
        time.sleep(0.2)
        sent = next((item for item in client.deliveries(hook) if item.id == sent.id), sent)
    return sent


def _hooks_table(found: tuple[HookView, ...]) -> Table:
    table = Table("hook", "address", "told of", "of", "waiting", "given up", "last delivery", "trouble", box=None)
    for hook in found:
        last = f"{hook.last.event}, {hook.last.state}" if hook.last else "none yet"
        events = "all" if set(hook.events) == set(SUBSCRIBABLE) else ", ".join(hook.events)
        about = (hook.experiment_id or "all experiments", str(hook.pending), str(hook.given_up))
        name = hook.id if hook.enabled else f"{hook.id} (off)"
        table.add_row(name, Text(hook.url), events, *about, last, Text(hook.trouble.reason if hook.trouble else ""))
    return table


def _deliveries_table(found: tuple[DeliveryView, ...]) -> Table:
    table = Table("delivery", "event", "run", "state", "attempt", "at", "how it ended", box=None)
    for item in found:
        about = (item.id, item.event, item.run_id or "", item.state)
        if not item.attempts:
            table.add_row(*about, "", "", "waits for its first attempt")
        for place, attempt in enumerate(item.attempts):
            named = about if place == 0 else ("", "", "", "")
            at = f"{datetime.fromtimestamp(attempt.at):%Y-%m-%d %H:%M:%S}"
            table.add_row(*named, str(attempt.number), at, Text(_attempt_words(attempt)))
    return table


def _attempt_words(attempt: AttemptNews) -> str:
    if attempt.seconds is None:
        return "goes on, or its sender died"
    answer = f"answer {attempt.status}" if attempt.status is not None else "no answer"
    return f"{answer} after {attempt.seconds:.1f} s" + (f": {attempt.error}" if attempt.error else "")
