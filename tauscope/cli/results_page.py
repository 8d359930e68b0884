"""The part of a page of results that a machine writes: one section a sweep, between two markers.

``<!-- results digits-width -->`` begins the section of digits-width, and ``<!-- end of results -->`` ends it.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tauscope.cli.tables import control_words, copies_words, fit_sentences
from tauscope.contracts.interventions import Interventions
from tauscope.contracts.settings_words import settings_rows, settings_words
from tauscope.contracts.summary import ExperimentSummary, RunSummary
from tauscope.contracts.wording import onset_words
from tauscope.results.machine import Sitting, sittings_words
from tauscope.specs import SpecError

NOT_RUN = "Not written yet: `make results PRESETS={name}` writes its table here."
HEADINGS = ("tau_gen (95 %)", "state", "tau_mem (95 %)", "state", "f_mem at the end (95 %)", "control", "steps", "run")
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
    summary: ExperimentSummary, sittings: Sequence[Sitting], pictures: Mapping[str, str], settings: Interventions | None = None
) -> str:
    """A table with one row a run or a setting, the fitted laws, figures, and what all of it was computed on.

    Args:
        summary: of the sweep.
        sittings: when and on what its runs were computed.
        pictures: the figures' files, as the page links them, by what they are called.
        settings: side by side, where the sweep compares them.
    """
    seconds = sum(run.seconds for run in summary.runs)
    # A trainer that was killed told no time.
    took = f"Trainer processes of one thread took {seconds:,.0f} s, without what a kill cut short"
    facts = f"Machine: {sittings_words(sittings)}. Code {summary.code_version}. {took}."
    laws = "\n".join(f"- {sentence}" for sentence in fit_sentences(summary.fits))
    drawn = "\n\n".join(f"![{summary.experiment}, {name}]({path})" for name, path in pictures.items())
    return "\n\n".join(part for part in (_table(summary.runs) if settings is None else _compared(settings), laws, facts, drawn) if part)


def _table(runs: Sequence[RunSummary]) -> str:
    names = list(dict.fromkeys(name for run in runs for name in run.params)) or ["run"]
    rows = [(*(name.removesuffix("_train") for name in names), *HEADINGS), ("---",) * (len(names) + len(HEADINGS))]
    rows += [(*(str(run.params.get(name, run.id)) for name in names), *_told(run)) for run in runs]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _compared(settings: Interventions) -> str:
    heads, *rows = settings_rows(settings)
    lines = [heads, ("---",) * len(heads), *(tuple(cell.replace("|", "/") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{settings_words(settings)}"


def _told(run: RunSummary) -> tuple[str, ...]:
    onsets = [words for name in ("tau_gen", "tau_mem") for words in _onset(run, name)]
    step = run.final.get("step")
    state = f"{run.state}: {run.reason}" if run.reason else run.state
    return (*onsets, copies_words(run), control_words(run), f"{step:,}" if step is not None else "none", state.replace("|", "/"))


def _onset(run: RunSummary, name: str) -> tuple[str, str]:
    onset = run.onsets.get(name)
    return onset_words(onset), onset.status.value.replace("_", " ") if onset else "not measured"
