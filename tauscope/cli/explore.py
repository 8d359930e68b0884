"""The command that lets the service choose runs where a boundary of the phase diagram is least known."""

import sys
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output
from tauscope.client import TauscopeClient
from tauscope.contracts.exploration import (
    Budget,
    BudgetKind,
    Candidates,
    ExplorationAct,
    ExplorationStart,
    ExplorationView,
    exploration_sentences,
)
from tauscope.specs import SpecError

commands = typer.Typer()


@commands.command()
def explore(
    experiment_id: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="An experiment's id.")],
    budget_steps: Annotated[float | None, typer.Option(help="Start, with so many training steps to spend.")] = None,
    budget_seconds: Annotated[float | None, typer.Option(help="Start, with so many seconds of computing to spend.")] = None,
    n: Annotated[str | None, typer.Option("--n", help="Training images to choose from, separated by commas.")] = None,
    width: Annotated[str | None, typer.Option(help="Base widths W to choose from, separated by commas.")] = None,
    seed: Annotated[str | None, typer.Option(help="Seeds, separated by commas; by default those of the experiment's runs.")] = None,
    pause: Annotated[bool, typer.Option("--pause", help="Choose nothing more for now.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on choosing.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End it. The runs that were chosen go on.")] = False,
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Let runs be chosen where a boundary of the phase diagram is least known, within a budget; without options, show the log."""
    budgets = {BudgetKind.STEPS: budget_steps, BudgetKind.SECONDS: budget_seconds}
    given = {kind: amount for kind, amount in budgets.items() if amount is not None}
    wishes: dict[ExplorationAct, bool] = {"pause": pause, "resume": resume, "stop": stop}
    asked = [wish for wish, wanted in wishes.items() if wanted]
    if len(given) + len(asked) > 1:
        raise SpecError.single("options", "ask for several things at once", "Give one budget, or one of --pause, --resume and --stop")
    with open_client(url) as client:
        found = _carry_out(client, experiment_id, given, asked, n=n, width=width, seed=seed)
    if json:
        sys.stdout.write("[" + ",".join(view.model_dump_json() for view in found) + "]\n")
        return
    for view in found:
        _show(view)
    if not found:
        output.print("No exploration yet. Start one with --budget-steps, --n and --width.")


def _carry_out(
    client: TauscopeClient,
    experiment_id: str,
    budgets: dict[BudgetKind, float],
    asked: list[ExplorationAct],
    *,
    n: str | None,
    width: str | None,
    seed: str | None,
) -> tuple[ExplorationView, ...]:
    if asked:
        return (client.act_on_exploration(experiment_id, asked[0]),)
    for kind, amount in budgets.items():
        values = {"n_train": _numbers("--n", n), "width": _numbers("--width", width), "seed": _numbers("--seed", seed) if seed else []}
        try:
            request = ExplorationStart(candidates=Candidates.model_validate(values), budget=Budget(kind=kind, amount=amount))
        except ValidationError as error:
            raise SpecError.from_validation(error) from error
        return (client.explore(experiment_id, request),)
    return client.explorations(experiment_id).items


def _numbers(option: str, text: str | None) -> list[int]:
    try:
        return [int(part) for part in (text or "").split(",")]
    except ValueError as error:
        raise SpecError.single(option, f"{text or 'nothing'} is no list of whole numbers", f"Write it as in {option} 8,16,32") from error


def _show(view: ExplorationView) -> None:
    budget, spent = view.budget, view.spent
    amounts = f"{spent.spent:,.0f} of {budget.words(budget.amount)} spent, {spent.committed:,.0f} committed to runs under way"
    output.print(Text(f"Exploration {view.id}: {view.state}{f', {view.reason}' if view.reason else ''}; {amounts}"), soft_wrap=True)
    table = Table("decision", "chosen and why", box=None)
    for number, sentence in exploration_sentences(view):
        table.add_row(number, sentence)
    output.print(table)
