"""The part of a page of results that a machine writes: one section a sweep, between two markers.

``<!-- results digits-width -->`` begins the section of digits-width, and ``<!-- end of results -->`` ends it.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tauscope.cli.tables import final_metrics, final_words, fit_sentences
from tauscope.contracts.interventions import Interventions
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.settings_words import settings_rows, settings_words
from tauscope.contracts.summary import ExperimentSummary, RunSummary
from tauscope.contracts.wording import onset_words
from tauscope.results.machine import Sitting, sittings_words
from tauscope.specs import SpecError

NOT_RUN = "Not written yet: `make results PRESETS={name}` writes its table here."
ONSETS, ENDS = ("tau_gen (95 %)", "state", "tau_mem (95 %)", "state"), ("steps", "run")
LONG = 40
"""Rows beyond which a table is folded."""
_SECTION = r"(?P<begin>^<!-- results {name} -->\n)(?P<written>.*?)(?P<end>^<!-- end of results -->$)"


def section_names(page: str) -> list[str]:
    """The sweeps that the page has a place for, in its order."""
    return [found["name"] for found in re.finditer(_SECTION.format(name=r"(?P<name>\S+)"), page, re.MULTILINE | re.DOTALL)]


def read_section(page: str, name: str) -> str:
    """What stands in the place of a sweep.

    Raises:
        SpecError: if the page has no place for it.
    """
    found = re.search(_SECTION.format(name=re.escape(name)), page, re.MULTILINE | re.DOTALL)
    if found is None:
        markers = f"`<!-- results {name} -->` and `<!-- end of results -->`"
        raise SpecError.single("--page", f"has no place for {name}", f"Add the lines {markers} where its table belongs")
    return found["written"]


def replace_section(page: str, name: str, text: str) -> str:
    """The page with another text in the place of a sweep; whatever else it says stays.

    Raises:
        SpecError: if the page has no place for it.
    """
    read_section(page, name)
    place = re.compile(_SECTION.format(name=re.escape(name)), re.MULTILINE | re.DOTALL)
    return place.sub(lambda found: f"{found['begin']}{text.rstrip()}\n{found['end']}", page, count=1)


def write_section(page: Path, name: str, text: str) -> None:
    """Put a text into the place of a sweep; the file is never half written."""
    temporary = page.with_name(page.name + ".partial")
    temporary.write_text(replace_section(page.read_text(), name, text))
    temporary.replace(page)


def section(
    summary: ExperimentSummary,
    metrics: Mapping[str, MetricInfo],
    sittings: Sequence[Sitting],
    pictures: Mapping[str, str],
    settings: Interventions | None = None,
) -> str:
    """A table with one row a run or a setting, the fitted laws, figures, and what all of it was computed on.

    Where nothing is trained the table has one row for each quantity.

    Args:
        summary: of the sweep.
        metrics: what its runs measure.
        sittings: when and on what its runs were computed.
        pictures: the figures' files, as the page links them, by what they are called.
        settings: side by side, where the sweep compares them.
    """
    seconds = sum(run.seconds for run in summary.runs)
    # A trainer that was killed told no time.
    took = f"Trainer processes of one thread took {seconds:,.0f} s, without what a kill cut short"
    facts = f"Machine: {sittings_words(sittings)}. Code {summary.code_version}. {took}."
    table = _rows_of(summary, metrics) if settings is None else _compared(settings)
    laws = "\n".join(f"- {sentence}" for sentence in fit_sentences(summary.fits))
    drawn = "\n\n".join(f"![{summary.experiment}, {name}]({path})" for name, path in pictures.items())
    return "\n\n".join(part for part in (table, laws, facts, drawn) if part)


def _rows_of(summary: ExperimentSummary, metrics: Mapping[str, MetricInfo]) -> str:
    trained = any(info.role == "quality" for info in metrics.values())
    return _table(summary.runs, metrics) if trained else _quantities(summary.runs, metrics)


def _table(runs: Sequence[RunSummary], metrics: Mapping[str, MetricInfo]) -> str:
    names, told = _axes(runs), final_metrics(runs)
    ends = [f"{metrics[name].label if name in metrics else name}, at the end (95 %)" for name in told]
    rows = [
        (*_values(run, names), *_onset(run, "tau_gen"), *_onset(run, "tau_mem"), *(final_words(run, name) for name in told), *_ending(run))
        for run in runs
    ]
    return _folded(_lines((*(name.removesuffix("_train") for name in names), *ONSETS, *ends, *ENDS), rows), len(rows))


def _quantities(runs: Sequence[RunSummary], metrics: Mapping[str, MetricInfo]) -> str:
    names = _axes(runs)
    rows = [
        (*_values(run, names), info.label, final_words(run, name)) for run in runs for name, info in metrics.items() if name in run.final
    ]
    return _lines((*names, "quantity", "value (95 %)"), rows)


def _axes(runs: Sequence[RunSummary]) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in run.params)) or ["run"]


def _values(run: RunSummary, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(run.params.get(name, run.id)) for name in names)


def _lines(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, ("---",) * len(headings), *rows))


def _folded(table: str, count: int) -> str:
    return table if count <= LONG else f"<details><summary>{count} runs</summary>\n\n{table}\n\n</details>"


def _compared(settings: Interventions) -> str:
    heads, *rows = settings_rows(settings)
    return f"{_lines(heads, [tuple(cell.replace('|', '/') for cell in row) for row in rows])}\n\n{settings_words(settings)}"


def _onset(run: RunSummary, name: str) -> tuple[str, str]:
    onset = run.onsets.get(name)
    return onset_words(onset), onset.status.value.replace("_", " ") if onset else "not measured"


def _ending(run: RunSummary) -> tuple[str, str]:
    step = run.final.get("step")
    state = f"{run.state}: {run.reason}" if run.reason else run.state
    return f"{step:,}" if step is not None else "none", state.replace("|", "/")
