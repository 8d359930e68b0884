"""The caption of a figure as plain text: what each panel shows, how it was measured, and what made it."""

import re
from collections.abc import Mapping

from tauscope.figures.rows import Panel, Plan


def caption(plan: Plan, facts: Mapping[str, str]) -> str:
    """Paragraphs: a panel each, what holds for all of them, and what made the figure."""
    said = [_panel(panel) for panel in plan.panels]
    made = ". ".join(f"{name}: {value}" for name, value in facts.items())
    return "\n\n".join(plain(part) for part in (f"Figure {plan.number}.", *said, *plan.notes, made)) + "\n"


def _panel(panel: Panel) -> str:
    if panel.empty:
        return f"({panel.letter}) {panel.title}: {panel.empty}."
    return f"({panel.letter}) {panel.title}. {'; '.join(panel.note.splitlines())}. {panel.definition}"


def plain(words: str) -> str:
    """The same words without typesetting: ``f_mem``, ``n^1.30``."""
    words = re.sub(r"\\mathrm\{(\w+)\}", r"\1", words).replace("\\bar\\alpha", "alpha_bar").replace("\\tau", "tau")
    return re.sub(r"\{([^{}]*)\}", r"\1", words.replace("$", ""))
