"""The command that puts the settings of a sweep beside one another, on a results folder."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from tauscope.analysis.interventions import interventions as compare
from tauscope.cli.service import Json, output
from tauscope.cli.tables import onset_words
from tauscope.contracts.interventions import Interventions
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.contracts.wording import measured_words, share_words
from tauscope.results.interventions import settings_in_folder
from tauscope.specs import SpecError

commands = typer.Typer()


@commands.command()
def interventions(
    folder: Annotated[Path, typer.Argument(help="A results folder that `run --out` or `export` left.")],
    at: Annotated[int | None, typer.Option(min=1, help="Training step of the comparison; default the last that all runs share.")] = None,
    json: Json = False,
) -> None:
    """Compare the settings of a sweep: onsets, and quality and copying at the same training time."""
    try:
        name, runs = settings_in_folder(folder)
        found = compare(name, runs, at)
    except FileNotFoundError as error:
        raise SpecError.single(str(folder), f"{error.filename} is missing", "Use a folder that `run --out` or `export` left") from error
    except ValueError as error:
        message, _, remedy = str(error).partition(" | ")
        raise SpecError.single("--at", message, remedy) from error
    if json:
        sys.stdout.write(found.model_dump_json() + "\n")
        return
    output.print(_table(found))
    output.print(Text(_told(found)), soft_wrap=True)


def _table(found: Interventions) -> Table:
    qualities = {row.quality.metric for row in found.settings}
    drawn = {row.samples.metric for row in found.settings if row.samples is not None}
    heads = ("setting", "n", "seeds", "tau_gen", "tau_mem", _head(qualities, "quality"), _head(drawn, "of samples"), "f_mem", "control")
    table = Table(*heads, title=f"{found.experiment}, at step {found.at:,}", title_justify="left", box=None)
    for row in found.settings:
        table.add_row(
            *(row.setting or "as it is", f"{row.n_train:,}", ", ".join(map(str, row.seeds))),
            *(_onsets(onsets) for onsets in (row.tau_gen, row.tau_mem)),
            _named(row.quality, qualities),
            "" if row.samples is None else _named(row.samples, drawn),
            *(_share(point) for point in (row.f_mem, row.control)),
        )
    return table


def _onsets(onsets: Sequence[Onset]) -> str:
    """The onset of all seeds, or each seed's; what several have alike is told once."""
    told = Counter(onset_words(onset) for onset in onsets)
    return "; ".join(f"{words} ({count} of {len(onsets)})" if len(onsets) > 1 else words for words, count in told.items())


def _head(metrics: set[str], otherwise: str) -> str:
    """The metric where all rows have the same, else what it is."""
    return next(iter(metrics)) if len(metrics) == 1 else otherwise


def _named(point: Point, metrics: set[str]) -> str:
    return measured_words(point) + (f" {point.metric}" if len(metrics) > 1 else "")


def _share(point: Point) -> str:
    return f"{share_words(point)}{f' of {point.count:,} each' if point.count else ''}"


def _told(found: Interventions) -> str:
    return (
        f"All at step {found.at:,}, 95 % intervals. Three seeds or more of a setting are one row: mean, or geometric mean of an onset that "
        "each reached, with Student's interval over the seeds, never narrower than a single seed's own. Where a seed did not reach an "
        "onset each is told by itself."
    )
