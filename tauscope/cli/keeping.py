"""The commands about checkpoints and their space."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output
from tauscope.client import ApiError, TauscopeClient
from tauscope.contracts.retention import GarbageReport, PruneReport
from tauscope.contracts.storage import size_words
from tauscope.specs import SpecError

commands = typer.Typer()

RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, as `show ID --events` prints it.")]


@commands.command()
def checkpoints(run_id: RunId, url: Url = DEFAULT_URL, json: Json = False) -> None:
    """List a run's checkpoints, why each is kept, and the one that is recommended."""
    with open_client(url) as client:
        found = client.checkpoints(run_id)
    if json:
        sys.stdout.write(found.model_dump_json() + "\n")
        return
    table = Table("step", "size", "pinned", "kept because", box=None)
    for item in found.checkpoints:
        table.add_row(
            f"{item.step:,}", size_words(item.n_bytes), "yes" if item.pinned else "", ", ".join(item.kept) or "(pruning drops it)"
        )
    output.print(table)
    chosen = found.recommendation
    output.print(f"Recommended: {chosen.summary or 'none'}; {chosen.reason}", highlight=False)
    for warned in found.warnings:
        output.print(f"Warning: {warned}", highlight=False)


@commands.command()
def pin(
    run_id: RunId,
    step: Annotated[int, typer.Argument(min=0, help="Training step of the checkpoint.")],
    off: Annotated[bool, typer.Option("--off", help="Let retention decide again.")] = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Keep a checkpoint whatever retention says."""
    with open_client(url) as client:
        client.pin(run_id, step, pinned=not off)
    output.print(f"{run_id}: step {step:,} is {'no longer pinned' if off else 'pinned'}")


@commands.command()
def fetch(
    run_id: RunId,
    step: Annotated[int | None, typer.Argument(min=0, help="Training step of the checkpoint; by default the recommended one.")] = None,
    out: Annotated[Path, typer.Option(help="Folder to put its two files into.")] = Path(),
    url: Url = DEFAULT_URL,
) -> None:
    """Fetch a checkpoint as a file: weights and training state, to sample from or to fork from."""
    with open_client(url) as client:
        state = client.checkpoint(run_id, _recommended(client, run_id) if step is None else step, out)
    output.print(f"{state}, with its weights beside it", highlight=False, soft_wrap=True)


def _recommended(client: TauscopeClient, run_id: str) -> int:
    chosen = client.checkpoints(run_id).recommendation
    if chosen.step is None:
        raise SpecError.single("STEP", f"none is recommended: {chosen.reason}", "Name one: `tauscope checkpoints RUN` lists them")
    return chosen.step


@commands.command()
def prune(
    identity: Annotated[str | None, typer.Argument(metavar="ID", help="An experiment's or a run's id.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it. Otherwise nothing is removed, only told.")] = False,
    orphans: Annotated[bool, typer.Option("--orphans", help="Instead, the files that no run refers to.")] = False,
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Drop the checkpoints that nobody needs; samples and curves stay."""
    if (identity is None) != orphans:
        raise typer.BadParameter("give either an id or --orphans", param_hint="ID")
    with open_client(url) as client:
        report = client.collect_garbage(dry_run=not apply) if identity is None else _prune(client, identity, dry_run=not apply)
    if json:
        sys.stdout.write(report.model_dump_json() + "\n")
    elif isinstance(report, GarbageReport):
        output.print(f"{_did(report.dry_run)} {report.files:,} files that no run refers to: {size_words(report.n_bytes)}")
    else:
        _print_prune(report)


def _prune(client: TauscopeClient, identity: str, *, dry_run: bool) -> PruneReport:
    try:
        return client.prune(identity, dry_run=dry_run)
    except ApiError as error:
        if error.problem.code != "experiment_not_found":
            raise
    return client.prune_run(identity, dry_run=dry_run)


def _print_prune(report: PruneReport) -> None:
    table = Table("run", "step", "", "why", box=None)
    for run in report.runs:
        rows = {kept.step: ("kept", ", ".join(kept.reasons)) for kept in run.kept} | dict.fromkeys(run.dropped, ("dropped", ""))
        for step, (verdict, why) in sorted(rows.items()):
            table.add_row(run.label or run.run_id, f"{step:,}", verdict, why)
    output.print(table)
    dropped = sum(len(run.dropped) for run in report.runs)
    again = " Nothing was removed; do it with --apply" if report.dry_run else ""
    output.print(f"{_did(report.dry_run)} {dropped:,} checkpoints: {size_words(report.bytes_freed)}.{again}")


def _did(dry_run: bool) -> str:
    return "Would remove" if dry_run else "Removed"
