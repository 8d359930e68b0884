"""The command about copied training images, of a run in the service or of a results folder."""

import sys
from json import dumps
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output
from tauscope.contracts.copied import CAVEAT, CopiedImage, CopiedImages, CopiesAndTypicality
from tauscope.results.copied import copied_csv, copied_in_folder, sampled_steps
from tauscope.specs import SpecError

commands = typer.Typer()
_ROWS = 20


@commands.command()
def copied(
    source: Annotated[str, typer.Argument(metavar="RUN|FOLDER", help="A run's id, as `show ID --events` prints it, or a results folder.")],
    step: Annotated[int | None, typer.Option(min=0, help="Training step of a checkpoint; default the last one measured.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print every training image as a row of CSV.")] = False,
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Say which training images are copied, by how many samples, since when, and how typical they are."""
    folder = Path(source)
    if csv:
        sys.stdout.write((copied_csv(_from_folder(folder, step)) if folder.is_dir() else _csv_of_run(source, step, url)).decode())
        return
    views = _from_folder(folder, step, limit=None if json else _ROWS) if folder.is_dir() else (_of_run(source, step, url),)
    if json:
        sys.stdout.write(dumps({"runs": [view.model_dump() for view in views]}) + "\n")
        return
    for view in views:
        _print(view)


def _of_run(run: str, step: int | None, url: str) -> CopiedImages:
    with open_client(url) as client:
        return client.copied(run, "last" if step is None else step, limit=_ROWS)


def _csv_of_run(run: str, step: int | None, url: str) -> bytes:
    with open_client(url) as client:
        return client.copied_csv(run, "last" if step is None else step)


def _from_folder(folder: Path, step: int | None, *, limit: int | None = None) -> tuple[CopiedImages, ...]:
    try:
        views = copied_in_folder(folder, step=step, limit=limit)
    except FileNotFoundError as error:
        raise SpecError.single(str(folder), f"{error.filename} is missing", "Use a folder that `run --out` or `export` left") from error
    if not views:
        steps = ", ".join(map(str, sampled_steps(folder))) or "none"
        raise SpecError.single("--step", f"no run of {folder} has samples there", f"Steps with samples: {steps}")
    return views


def _print(view: CopiedImages) -> None:
    for line in _sentences(view):
        output.print(line, soft_wrap=True)
    shown = [item for item in view.items if item.copies]
    if not shown:
        return
    table = Table(
        view.point,
        "copies",
        "95 % interval",
        "alike: 95 %",
        "first copied at",
        "seeds",
        "nearest other",
        "rank",
        "held-out copies",
        box=None,
    )
    for item in shown:
        table.add_row(*_cells(item, view))
    output.print(table)
    if view.n_copied > len(shown):
        output.print(f"The first {len(shown)} of {view.n_copied:,}; all of them with --csv")


def _sentences(view: CopiedImages) -> list[str]:
    head = f"{view.run_id}: {view.n_copies:,} of {view.n_generated:,} samples are copies at step {view.step:,}"
    lines = [f"{head}, of {view.n_copied:,} of {view.n_distinct:,} distinct training {view.point}s"]
    if view.n_copies:
        chance = view.uniform
        each = f"{chance.expected:.2f} copies each ({chance.low} to {chance.high} at 95 %)"
        lines.append(f"If they fell on all {view.point}s alike: {each}, the most copied at most {chance.most}")
    lines.append(f"Rank correlation of copies with the distance to the nearest other {view.point}: {_estimate(view, view.typicality)}")
    if view.typicality.value is not None:
        nearest = f"of the {view.n_copies:,} samples nearest to a training {view.point}: {_estimate(view, view.typicality_by_distance)}"
        lines.append(f"  ({CAVEAT}; {nearest})")
    if view.n_held_out is not None:
        lines.append(f"Control: {view.n_held_out_copies} of {view.n_held_out:,} held-out {view.point}s would count as copies")
    return lines + [f"Step {item.step:,} is not measured: {item.reason}" for item in view.unmeasured]


def _estimate(view: CopiedImages, found: CopiesAndTypicality) -> str:
    if found.value is None or found.low is None or found.high is None:
        return f"none: {found.reason}"
    return f"{found.value:.2f} (95 % interval {found.low:.2f} to {found.high:.2f}; {found.count:,} {view.point}s)"


def _cells(item: CopiedImage, view: CopiedImages) -> list[str]:
    since = f"{item.first_copied_at:,}" if item.first_copied_at is not None else ""
    after = f"{since} (not at {item.not_copied_at:,})" if item.not_copied_at is not None else since
    image = str(item.image) + (f" ({item.equal_images} equal)" if item.equal_images > 1 else "")
    distance = "" if item.nearest_distance is None else f"{item.nearest_distance:.3g}"
    rank = "" if item.typicality_rank is None else f"{item.typicality_rank:,} of {view.n_distinct:,}"
    control = "" if item.held_out_copies is None else f"{item.held_out_copies} of {view.n_held_out:,}"
    interval, alike = f"{item.low:.1%} to {item.high:.1%}", f"{item.expected_low} to {item.expected_high}"
    return [image, f"{item.copies:,} of {view.n_generated:,}", interval, alike, after, f"{item.seeds:,}", distance, rank, control]
