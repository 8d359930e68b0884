"""The command that compares the laws of two sweeps."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from tauscope.analysis.comparison import compare_laws as compare
from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output
from tauscope.cli.tables import interval_words, law_name
from tauscope.contracts.comparison import ExponentComparison, LawComparison
from tauscope.contracts.summary import ExperimentSummary
from tauscope.results.folder import read_summary
from tauscope.specs import SpecError

commands = typer.Typer()

LEAST_P = 0.001  # A smaller one is given as a bound: the likelihood ratio is not exact so far out.


@commands.command()
def compare_laws(
    first: Annotated[str, typer.Argument(metavar="A", help="A results folder, or the id of an experiment of the service.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The one to compare with it; the difference is B minus A.")],
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Say whether the onsets of two sweeps scale differently: exponents, their difference with interval and p-value."""
    found = compare(*[(f"{summary.experiment} ({source})", summary.runs) for source in (first, second) for summary in [_read(source, url)]])
    if json:
        sys.stdout.write(found.model_dump_json() + "\n")
        return
    output.print(Text(f"A: {found.first}\nB: {found.second}"), soft_wrap=True)
    for sentence in comparison_sentences(found):
        output.print(Text(sentence), soft_wrap=True)


def _read(source: str, url: str) -> ExperimentSummary:
    """A results folder if there is one, and otherwise an experiment of the service.

    Raises:
        SpecError: for a folder without a summary, and for what can be neither a folder nor an id.
        ApiError: where there is neither.
    """
    folder = Path(source)
    if not folder.is_dir():
        if not re.fullmatch(r"[0-9a-z]{1,32}", source):
            raise SpecError.single(source, "is no folder, and no experiment's id", "Check the path; `tauscope list` prints the ids")
        with open_client(url) as client:
            return client.summary(source)
    try:
        return read_summary(folder)
    except FileNotFoundError as error:
        raise SpecError.single(source, "holds no summary.json", "Use a folder that `run --out` or `export` left") from error


def comparison_sentences(found: LawComparison) -> list[str]:
    """One sentence an exponent, with what it leaves out; or why there is nothing to compare."""
    if not found.exponents:
        return ["Neither n_train nor width varies in either sweep, so there is no law to compare."]
    return [f"{law_name(key)}: {_said(item)}" for key, item in found.exponents.items()]


def _said(item: ExponentComparison) -> str:
    if item.difference is None:
        return f"not compared: {item.note}"
    both = " and ".join(
        f"{fit.exponent:.2f} ({interval_words(fit.low, fit.high)}; {fit.points} onsets, {fit.censored} censored)"
        for fit in (item.first, item.second)
        if fit is not None
    )
    chance = "" if item.p_value is None else f", p {'< 0.001' if item.p_value < LEAST_P else f'= {item.p_value:.3f}'}"
    return f"{both}; difference {item.difference:+.2f} (95 % interval {interval_words(item.low, item.high)}){chance}; {item.note}"
