"""The commands about data sets: which there are, what is at a place, and how one of the hub comes here."""

import sys
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from tauscope.cli.cache import cache
from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output
from tauscope.contracts.datasets import DatasetCreate

if TYPE_CHECKING:
    from tauscope.datasets import DatasetError
    from tauscope.datasets.checking import Check

_SHOWN_CLASSES = 10
Here = Annotated[bool, typer.Option("--here", help="On this machine, for tauscope run, which asks no service.")]

group = typer.Typer(help="List data sets, check, register and remove your own, fetch one of the hub, look at the cache.")
group.command()(cache)
commands = typer.Typer()
commands.add_typer(group, name="datasets")
errors = Console(stderr=True)


@group.callback(invoke_without_command=True)
def datasets(context: typer.Context) -> None:
    """List data sets, check, register and remove your own, fetch one of the hub."""
    if context.invoked_subcommand is None:
        list_datasets(json=False, url=None)


@group.command("list")
def list_datasets(
    json: Json = False,
    url: Annotated[str | None, typer.Option("--url", help="Address of a service: list what is there, with what was registered.")] = None,
) -> None:
    """List the data sets and what they need, here or at a service."""
    from tauscope.datasets import dataset_views
    from tauscope.datasets.local_names import views_here

    if url is None:
        views = (*views_here(), *dataset_views())
    else:
        with open_client(url) as client:
            views = client.datasets()
    if json:
        sys.stdout.write(dumps([view.model_dump(mode="json") for view in views]) + "\n")
        return
    table = Table("data set", "images", "size", "licence", "here", box=None)
    for view in views:
        table.add_row(
            view.name, f"{view.n_images:,}" if view.n_images else "", view.size, view.licence, "yes" if view.available else view.remedy
        )
    output.print(table)


@group.command()
def add(
    name: Annotated[str, typer.Argument(help="What specs shall call it: small letters, digits, _ . -")],
    path: Annotated[str, typer.Argument(help="A path on the service's machine; with --upload a zip archive of this one.")],
    description: Annotated[str, typer.Option(help="What the images are.")] = "",
    licence: Annotated[str, typer.Option(help="Under which licence they are.")] = "",
    attribution: Annotated[str, typer.Option(help="What is asked of whoever shows them.")] = "",
    upload: Annotated[bool, typer.Option("--upload", help="Send the archive to the service, whose workers fetch it.")] = False,
    here: Here = False,
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Register a data set with a service, or on this machine, under a name; a run then needs the name alone."""
    if here:
        _add_here(name, path)
        return
    try:
        request = DatasetCreate(name=name, path=path, description=description, licence=licence, attribution=attribution)
        with open_client(url) as client:
            view = client.upload_dataset(request) if upload else client.register_dataset(request)
    except ValidationError as error:
        fault = error.errors()[0]
        message = fault["msg"].removeprefix("Value error, ").replace(" | ", ". ")
        raise typer.BadParameter(f"{'.'.join(map(str, fault['loc']))}: {message}") from error
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}. Name a zip archive") from error
    if json:
        sys.stdout.write(view.model_dump_json() + "\n")
        return
    output.print(Text(f"{view.name} is registered: {view.n_images:,} images, {view.size}"), soft_wrap=True)
    for count, words in ((view.n_unreadable, "cannot be read"), (view.n_equal, "equal another"), (view.n_near, "have a near duplicate")):
        if count:
            output.print(f"{count:,} images {words}")


@group.command()
def remove(name: Annotated[str, typer.Argument(help="A registered data set.")], here: Here = False, url: Url = DEFAULT_URL) -> None:
    """Forget a registered data set; an uploaded archive goes, what a path leads to stays."""
    if here:
        _forget_here(name)
    else:
        with open_client(url) as client:
            client.remove_dataset(name)
    output.print(f"{name} is removed")


def _add_here(name: str, path: str) -> None:
    from tauscope.datasets import DatasetError
    from tauscope.datasets.local_names import register_here

    try:
        count = register_here(name, path)
    except DatasetError as error:
        _refuse_plainly(error)
    output.print(Text(f"{name} is registered on this machine: {count:,} images. Use it with: --set dataset.name={name}"), soft_wrap=True)


def _forget_here(name: str) -> None:
    from tauscope.datasets import DatasetError
    from tauscope.datasets.local_names import forget_here

    try:
        forget_here(name)
    except DatasetError as error:
        _refuse_plainly(error)


@group.command()
def check(
    path: Annotated[str, typer.Argument(help="A folder, a zip archive, or a .npy, .npz, .pt or .parquet file.")],
    name: Annotated[str, typer.Option("--as", help="The data set it is meant to be; default: recognise the format.")] = "images",
    json: Json = False,
) -> None:
    """Read every image at a place and say what a run would be given; exit 1 with the remedy where it could not be launched."""
    from tauscope.datasets import DatasetError, find_dataset
    from tauscope.datasets.checking import check_images

    source = find_dataset(name)
    try:
        with Progress(console=Console(stderr=True, quiet=json), transient=True) as bar:
            task = bar.add_task("images read", total=None)
            report = check_images(source, path, lambda done, total: bar.update(task, completed=done, total=total))
    except DatasetError as error:
        _refuse(path, error, source.layouts, json=json)
    if json:
        sys.stdout.write(dumps(asdict(report)) + "\n")
    else:
        _print(report)
    raise typer.Exit(1 if report.problem else 0)


@group.command()
def fetch(
    hub_id: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="A data set of the Hugging Face hub.")],
    folder: Annotated[Path, typer.Argument(help="Where it shall be; must not exist or be empty.")],
    revision: Annotated[str | None, typer.Option(help="A commit, so that it can be fetched again as it is now.")] = None,
) -> None:
    """Download a data set of the Hugging Face hub to a folder; needs the optional package datasets. Look at its licence first."""
    from tauscope.datasets import DatasetError
    from tauscope.datasets.huggingface import fetch

    output.print(Text(f"Downloading {hub_id} from huggingface.co"))
    try:
        fetch(hub_id, folder, revision=revision)
    except DatasetError as error:
        _refuse_plainly(error)
    output.print(Text(f"{folder} holds it. Look at it with: tauscope datasets check {folder}"), soft_wrap=True)


def _refuse_plainly(error: "DatasetError") -> NoReturn:
    errors.print(Text(f"{error.message}. {error.remedy}"), soft_wrap=True)
    raise typer.Exit(1) from error


def _refuse(path: str, error: "DatasetError", layouts: tuple[str, ...], *, json: bool) -> NoReturn:
    from tauscope.datasets.layout import found_tree

    try:
        found = found_tree(Path(path).expanduser())
    except (OSError, RuntimeError):
        found = "nothing that can be read"
    if json:
        document = {"path": path, "problem": error.message, "remedy": error.remedy, "expected": layouts, "found": found}
        sys.stdout.write(dumps(document) + "\n")
    else:
        errors.print(Text(f"{error.message}. {error.remedy}"), soft_wrap=True)
        errors.print(Text(f"Expected: {'; '.join(layouts)}"), soft_wrap=True)
        errors.print(Text(f"Found: {found}"), soft_wrap=True)
    raise typer.Exit(1) from error


def _print(report: "Check") -> None:
    output.print(Text(f"{report.n_images:,} images at {report.path}, {report.recognised}"), soft_wrap=True)
    table = Table("width x height", "mode", "images", "what is done", box=None)
    for kind in report.kinds:
        table.add_row(f"{kind.width} x {kind.height}", kind.mode, f"{kind.n_images:,}", kind.treatment)
    output.print(table)
    for line in _sentences(report):
        output.print(Text(line), soft_wrap=True)
    if report.spec:
        output.print(Text("\n" + yaml.safe_dump({"dataset": report.spec}, sort_keys=False)), soft_wrap=True)


def _sentences(report: "Check") -> list[str]:
    lines = [f"and {report.n_kinds - len(report.kinds):,} more sizes and modes"] * (report.n_kinds > len(report.kinds))
    if report.classes:
        shown = ", ".join(f"{name} ({count:,})" for name, count in report.classes[:_SHOWN_CLASSES])
        lines.append(f"{len(report.classes):,} classes: {shown}{', ...' if len(report.classes) > _SHOWN_CLASSES else ''}")
    if report.n_unreadable:
        more = f", the first {len(report.unreadable)}" if report.n_unreadable > len(report.unreadable) else ""
        lines.append(f"{report.n_unreadable:,} cannot be read{more}:")
        lines += [f"  {line}" for line in report.unreadable]
    if report.n_equal or report.n_near:
        twins = f"{report.n_equal or 0:,} equal another and {report.n_near or 0:,} have a near duplicate"
        lines.append(f"{twins}; dataset.duplicates: merge keeps one of each, so that copies are counted and the control is clean")
    lines.append(f"{report.n_trainable:,} can be trained on with the default of {report.n_held_out:,} held out")
    return [*lines, *report.notes, *([f"{report.problem}. {report.remedy}"] if report.problem else [])]
