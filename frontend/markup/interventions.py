"""The words of the interventions page: each setting of a sweep as a row, all at one training time."""

from frontend.markup.html import F_MEM, TAU_GEN, TAU_MEM, Html, join, tag
from frontend.markup.icons import CENSORED, CONTROL, GEN, MEM
from frontend.markup.sections import section, table
from frontend.words import plural, steps
from tauscope.contracts.interventions import AT_SAMPLING, Interventions, Setting
from tauscope.contracts.settings_words import settings_rows, settings_words
from tauscope.contracts.wording import share_words
from tauscope.specs.setting_words import uncapitalized

NO_SAMPLES_TRAINED = "Rows at sampling are the plain runs' own weights under another sampler: nothing was trained for them."

_SYMBOLS = {"tau_gen": TAU_GEN, "tau_mem": TAU_MEM}


def interventions_finding(found: Interventions) -> Html:
    """Which settings copy least and most at the common time."""
    if found.missing:
        return join(f"Nothing to compare: {found.missing}.")
    known = [row for row in found.settings if row.f_mem.value is not None]
    if len(known) < 2:
        return join(f"At τ {steps(found.at)}: {plural(len(found.settings), 'setting')}, too few to compare.")
    least, most = (pick(known, key=lambda row: row.f_mem.value or 0) for pick in (min, max))
    return join(
        f"At τ {steps(found.at)}, of {plural(len(known), 'setting')}: {_named(least)} copies least, {share_words(least.f_mem)}, "
        f"and {_named(most)} most, {share_words(most.f_mem)}."
    )


def settings_keys() -> Html:
    """What marks are, below the figure."""
    keys = [
        tag("span", MEM, F_MEM, " and ", TAU_MEM),
        tag("span", GEN, TAU_GEN),
        tag("span", CONTROL, "held-out control"),
        tag("span", CENSORED, "not reached by then"),
        tag("span", "Bars: 95 %", class_="tau-right"),
    ]
    return tag("div", *keys, class_="tau-keys")


def interventions_table(found: Interventions) -> Html:
    """Every setting with both onsets, quality and copying, and how to read it."""
    heads, *rows = settings_rows(found)
    columns = [_SYMBOLS.get(head) or (head if head == "n" else f"{head[0].upper()}{head[1:]}") for head in heads]
    notes = [settings_words(found), *([NO_SAMPLES_TRAINED] if any(row.setting.endswith(AT_SAMPLING) for row in found.settings) else [])]
    words = [tag("p", note, class_="tau-score") for note in notes] if rows else []
    return join(section("Settings side by side", table(columns, rows, "No setting has drawn samples yet.")), *words)


def _named(row: Setting) -> str:
    return uncapitalized(row.setting) or "the plain run"
